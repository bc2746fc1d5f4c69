"""Rows that are exactly equal, found by a hash in one pass."""

import numpy as np

_CHUNK_BYTES = 2**26


def first_equal(rows):
    """Return for each row the first row that is equal to it."""
    rows = rows.reshape(len(rows), -1)
    hashes = np.concatenate([_hashes(rows[chunk]) for chunk in _chunks(rows, len(rows))])
    _, groups, sizes = np.unique(hashes, return_inverse=True, return_counts=True)
    first, left = np.arange(len(rows)), np.flatnonzero(sizes[groups] > 1)
    while left.size:  # once, as long as rows that differ have different hashes
        _, places, groups = np.unique(hashes[left], return_index=True, return_inverse=True)
        leaders = left[places[groups]]
        chunks = _chunks(rows, len(left))
        is_equal = np.concatenate([(rows[left[chunk]] == rows[leaders[chunk]]).all(axis=1) for chunk in chunks])
        first[left[is_equal]] = leaders[is_equal]
        left = left[~is_equal]
    return first


def _chunks(rows, n):
    """Return slices of n positions, for as many rows at a time as fit into the memory that is set aside."""
    size = max(1, _CHUNK_BYTES // max(1, rows[:1].nbytes))
    return [slice(start, start + size) for start in range(0, n, size)]


def _hashes(rows):
    """Return a number for each row, the same for equal rows: the sum of its 8-byte words times random factors."""
    rows = np.ascontiguousarray(rows + 0.0 if rows.dtype.kind == "f" else rows)  # -0.0 becomes 0.0
    as_bytes = rows.view(np.uint8).reshape(len(rows), -1)
    words = np.pad(as_bytes, ((0, 0), (0, -as_bytes.shape[1] % 8))).view(np.uint64)
    factors = np.random.default_rng(0).integers(2**64 - 1, size=words.shape[1], dtype=np.uint64) | np.uint64(1)
    return words @ factors
