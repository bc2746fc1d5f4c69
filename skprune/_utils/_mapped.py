"""Arrays that stay on disk: memory-mapped files of the user, and temporary ones for what does not fit into memory."""

import errno
import mmap
import os
import tempfile

import numpy as np

_MOST_IN_MEMORY = 2**30  # bytes of items that are read into memory
_CHUNK_BYTES = 2**24


def is_mapped(array):
    """Tell whether an array, or what it is a view of, is a memory-mapped file."""
    while isinstance(array, (np.ndarray, memoryview)):
        if isinstance(array, np.memmap):
            return True
        array = array.obj if isinstance(array, memoryview) else array.base
    return isinstance(array, mmap.mmap)


def empty_rows(shape, dtype, *, mapped=None):
    """Return an array to be filled; one that is mapped, or too large for memory, is a file that ends with it."""
    n_bytes = int(np.prod(shape, dtype=np.float64)) * np.dtype(dtype).itemsize
    if n_bytes == 0 or not (n_bytes > _MOST_IN_MEMORY if mapped is None else mapped):
        return np.empty(shape, dtype=dtype)
    with tempfile.TemporaryFile(prefix="skprune-") as file:
        try:
            _reserve(file, n_bytes)
        except OSError as error:
            raise OSError(
                error.errno,
                f"{n_bytes / 2**30:.2g} GiB cannot be written to {tempfile.gettempdir()}, where rows that stay out of memory are "
                f"kept: {error.strerror}. Set TMPDIR to a folder with more space",
            ) from error
        pages = mmap.mmap(file.fileno(), n_bytes)
    # no np.memmap, which joblib sends to other processes as the name of its file; this one has none
    return np.frombuffer(pages, dtype=dtype).reshape(shape)


def _reserve(file, n_bytes):
    """Give a file its size, on the disk too where the system can, since a full disk would end the process later."""
    file.truncate(n_bytes)
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(file.fileno(), 0, n_bytes)
    except OSError as error:
        if error.errno not in (
            errno.EINVAL,
            errno.EOPNOTSUPP,
        ):  # of file systems that cannot, where the C library does not
            raise


def as_contiguous(array, dtype):
    """Return a C-contiguous array of a type, a mapped one as a file if it has to be copied."""
    if array.dtype == dtype and array.flags.c_contiguous:
        return array
    if not is_mapped(array):
        return np.ascontiguousarray(array, dtype=dtype)
    copied = empty_rows(array.shape, dtype, mapped=True)
    for rows in row_chunks(array):
        copied[rows] = array[rows]
    return np.asarray(copied)


def row_chunks(array, dtype=None):
    """Return slices of rows that hold few bytes each, in the type of the array or in that which they are computed in."""
    n_bytes = array[:1].size * np.dtype(dtype or array.dtype).itemsize
    size = max(1, _CHUNK_BYTES // max(1, n_bytes))
    return [slice(start, start + size) for start in range(0, len(array), size)]


class MappedRows:
    """Some rows of a memory-mapped array, read when they are asked for, and when they are pickled."""

    def __init__(self, array, rows):
        self.array, self.rows = array, rows

    def __array__(self, dtype=None, copy=None):
        return np.asarray(np.asarray(self.array)[self.rows], dtype=dtype)

    def __len__(self):
        return len(self.rows)

    def __reduce__(self):
        return np.array, (np.asarray(self),)
