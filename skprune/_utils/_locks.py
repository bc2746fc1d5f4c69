"""Locks between processes: what several of them need at the same time is computed or downloaded once."""

import errno
from contextlib import contextmanager

from filelock import FileLock

from skprune._utils._warnings import warn_user

_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


class NotWritable(ValueError):
    """A folder without permission to write."""


@contextmanager
def lock_of(file):
    """Hold a lock file within the block; where the folder knows no locks, warn and go on without."""
    lock = FileLock(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except (OSError, NotImplementedError) as error:
        if getattr(error, "errno", None) in _NOT_ALLOWED:
            raise NotWritable(
                f"{file.parent} cannot be written to ({error.strerror}). Use another folder, or change its permissions."
            ) from error
        warn_user(f"No lock in {file.parent} ({error}): processes that need the same result may each compute it.")
    try:
        yield
    finally:
        lock.release()
