"""Locks beside entries: what several processes want at the same time is trained once."""

import errno
from contextlib import contextmanager

from filelock import FileLock

from skprune._utils._warnings import warn_user

_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


class NotWritable(ValueError):
    """A folder that must not be written to."""


@contextmanager
def lock_of(file):
    """Hold a lock within the block."""
    lock = FileLock(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except (OSError, NotImplementedError) as error:
        if getattr(error, "errno", None) in _NOT_ALLOWED:
            raise NotWritable(
                f"{file.parent} cannot be written to ({error.strerror}). Name a folder that can, or change its permissions."
            ) from error
        warn_user(f"No lock in {file.parent} ({error}): what several processes want may be trained more than once.")
    try:
        yield
    finally:
        lock.release()
