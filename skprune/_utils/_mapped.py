"""Arrays that stay on disk: memory-mapped files of the user, and temporary ones for what does not fit into memory."""

import mmap
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
    if not (n_bytes > _MOST_IN_MEMORY if mapped is None else mapped):
        return np.empty(shape, dtype=dtype)
    with tempfile.TemporaryFile(prefix="skprune-") as file:
        return np.memmap(file, dtype=dtype, mode="w+", shape=tuple(shape))


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


def row_chunks(array):
    """Return slices of rows that hold few bytes each."""
    size = max(1, _CHUNK_BYTES // max(1, array[:1].nbytes))
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
