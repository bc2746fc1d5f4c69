"""Whole files: written beside their place, flushed to the disk, and put there in one step; links and modes stay."""

import errno
import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path

_NO_FLUSH = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)  # of file systems that know none


@contextmanager
def whole_file(file):
    """Yield a path to write to, which replaces a file, or what a link leads to; on any error, the file stays as it was."""
    file = Path(os.path.realpath(file))
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}-{secrets.token_hex(4)}.part")
    try:
        unfinished.touch()
        mode = (file if file.exists() else unfinished).stat().st_mode
        yield unfinished
        _flush(unfinished, os.O_RDWR)
        with suppress(OSError):  # of file systems that know no modes
            unfinished.chmod(mode)  # a writer may have put a file of its own there
        os.replace(unfinished, file)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
    with suppress(OSError):  # Windows opens no folders; the content itself is safe
        _flush(file.parent, os.O_RDONLY)


def _flush(path, mode):
    """Wait until the disk holds a file, or a folder's list of files."""
    handle = os.open(path, mode)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_FLUSH:
            raise
    finally:
        os.close(handle)
