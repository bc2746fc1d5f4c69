"""How much memory is free, where the system says so: Linux, and the control groups that containers run in."""

from pathlib import Path


def free_memory(root=Path("/")):
    """Return the bytes that can still be taken, None where the system does not say."""
    known = [free for free in (_of_machine(root), *_of_groups(root)) if free is not None]
    return min(known, default=None)


def _of_machine(root):
    for line in _lines(root / "proc/meminfo"):
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return 1024 * int(value.split()[0])
    return None


def _of_groups(root):
    """Yield what is free in each control group of this process, of version 2 and of version 1, from the inner to the outer."""
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        base, files = root / "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        if controllers:
            base, files = base / "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        group = base / path.strip("/")
        for folder in (group, *group.parents):
            yield _of_group(folder, *files)
            if folder == base:
                break


def _of_group(folder, limit, usage, cache):
    """Return what is free in a control group; pages of files that are not in use can be dropped."""
    limits, used = _lines(folder / limit), _lines(folder / usage)
    if not limits or not used or not limits[0].isdigit():  # "max" is none
        return None
    statistics = dict(line.split() for line in _lines(folder / "memory.stat"))
    return max(0, int(limits[0]) - int(used[0]) + int(statistics.get(cache, 0)))


def _lines(file):
    try:
        return file.read_text().splitlines()
    except OSError:
        return []
