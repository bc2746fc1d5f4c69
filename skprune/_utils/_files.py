"""Whole files: written beside their place, flushed to the disk, and put there in one step."""

import errno
import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path

_NO_FLUSH = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)  # of file systems that know none


@contextmanager
def whole_file(file):
    """Yield a path to write to, which replaces a file when the block has ended; on any error, the file stays as it was."""
    file = Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}-{secrets.token_hex(4)}.part")
    try:
        unfinished.touch()
        mode = unfinished.stat().st_mode
        yield unfinished
        with suppress(OSError):  # a writer may have put a file of its own there
            unfinished.chmod(mode)
        _flush(unfinished, os.O_RDWR)
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
