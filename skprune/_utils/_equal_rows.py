"""Rows that are exactly equal, found by a hash in one pass."""

import numpy as np
from scipy.sparse import csr_array, issparse

_CHUNK_BYTES = 2**24


def first_equal(rows):
    """Return for each row of an array or a sparse table the first row that is equal to it."""
    if issparse(rows):
        rows = csr_array(rows, copy=True)
        rows.sum_duplicates()
        rows.eliminate_zeros()
        hashes = _hashes_of_sparse(rows)
    else:
        rows = rows.reshape(len(rows), -1)
        hashes = np.concatenate([_hashes(rows[chunk]) for chunk in _chunks(rows, len(rows))])
    _, groups, sizes = np.unique(hashes, return_inverse=True, return_counts=True)
    first, left = np.arange(rows.shape[0]), np.flatnonzero(sizes[groups] > 1)
    while left.size:  # once, as long as rows that differ have different hashes
        _, places, groups = np.unique(hashes[left], return_index=True, return_inverse=True)
        leaders = left[places[groups]]
        chunks = _chunks(rows, len(left))
        is_equal = np.concatenate([_are_equal(rows[left[chunk]], rows[leaders[chunk]]) for chunk in chunks])
        first[left[is_equal]] = leaders[is_equal]
        left = left[~is_equal]
    return first


def _chunks(rows, n):
    """Return slices of n positions, for as many rows at a time as fit into the memory that is set aside."""
    n_bytes = rows.data.nbytes // rows.shape[0] if issparse(rows) else rows[:1].nbytes
    size = max(1, _CHUNK_BYTES // max(1, n_bytes))
    return [slice(start, start + size) for start in range(0, n, size)]


def _are_equal(rows, others):
    return (rows != others).sum(axis=1) == 0 if issparse(rows) else (rows == others).all(axis=1)


def _hashes(rows):
    """Return a number for each row, the same for equal rows: the sum of its 8-byte words times random factors."""
    rows = np.ascontiguousarray(rows + 0.0 if rows.dtype.kind == "f" else rows)  # -0.0 becomes 0.0
    as_bytes = rows.view(np.uint8).reshape(len(rows), -1)
    words = np.pad(as_bytes, ((0, 0), (0, -as_bytes.shape[1] % 8))).view(np.uint64)
    return words @ _factors(words.shape[1])


def _hashes_of_sparse(table):
    """Return a number for each row, the same for equal rows: the sum of its cells times the random factors of columns."""
    cells = table.data.astype(np.float64).view(np.uint64) * _factors(table.shape[1])[table.indices]
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(cells, dtype=np.uint64)])
    return sums[table.indptr[1:]] - sums[table.indptr[:-1]]


def _factors(n):
    return np.random.default_rng(0).integers(2**64 - 1, size=n, dtype=np.uint64) | np.uint64(1)
