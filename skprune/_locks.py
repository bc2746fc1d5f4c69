"""Locks beside entries: what several processes want at the same time is trained once."""

import errno
from contextlib import contextmanager

from filelock import FileLock

from skprune._warnings import warn_user

_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


class NotWritable(ValueError):
    """A folder that must not be written to."""


@contextmanager
def lock_of(file):
    """Hold a lock within the block.

    The system lets go of the lock of a process that is killed. The file stays, since waiting processes hold it open. Where a
    folder knows no locks, as on some network drives, a warning says so and there is none.

    Parameters
    ----------
    file : Path
        The lock's file; its folder is made.

    Raises
    ------
    NotWritable
        The folder must not be written to.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder, lock_of(Path(folder) / "locks" / "entry.lock"):
    ...     print("alone")
    alone
    """
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
