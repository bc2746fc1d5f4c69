"""The graph of nearest neighbors."""

import numpy as np
from scipy.sparse import csr_array

from skprune.selection._neighbors import graph_by, nearest_others

_CHUNK_PAIRS = 2**18


def neighbor_graph(features, n_neighbors, neighbors=None, rng=None):
    """Return the distances along the edges of the symmetric graph of nearest neighbors, found by a transformer if given."""
    n_samples = len(features)
    n_neighbors = min(n_neighbors, n_samples - 1)
    if n_neighbors == 0:
        return csr_array((n_samples,) * 2)
    if neighbors is None:
        others = nearest_others(features, n_neighbors, rng).ravel()
        pairs = np.unique(_pair_numbers(np.repeat(np.arange(n_samples), n_neighbors), others, n_samples))
    else:
        graph = graph_by(neighbors, features, n_neighbors, rng)
        numbers = _pair_numbers(np.repeat(np.arange(n_samples), np.diff(graph.indptr)), graph.indices, n_samples)
        order = np.lexsort((graph.data, numbers))
        pairs, first = np.unique(numbers[order], return_index=True)
    ends = np.divmod(pairs, n_samples)
    lengths = _lengths(features, *ends) if neighbors is None else graph.data[order][first].astype(np.float64)
    rows, columns = np.concatenate(ends), np.concatenate(ends[::-1])
    return csr_array((np.tile(lengths, 2), (rows, columns)), shape=(n_samples,) * 2)


def scaled_graph(features, n_neighbors, neighbors=None, rng=None):
    """Return :func:`neighbor_graph` with distances in units of their median, so that the scale of the features cancels."""
    distances = neighbor_graph(features, n_neighbors, neighbors, rng)
    distances.data /= (np.median(distances.data) if distances.nnz else 0.0) or 1.0
    return distances


def edges_of(graph, row):
    """Return where a sparse graph stores the edges of a row: a slice of its data and indices."""
    return slice(graph.indptr[row], graph.indptr[row + 1])


def _pair_numbers(rows, others, n_samples):
    """Return a number for each pair of rows, whichever comes first."""
    return np.minimum(rows, others) * n_samples + np.maximum(rows, others)


def _lengths(features, rows, others):
    chunks = [slice(start, start + _CHUNK_PAIRS) for start in range(0, len(rows), _CHUNK_PAIRS)]
    return np.concatenate([np.linalg.norm(features[rows[chunk]] - features[others[chunk]], axis=1) for chunk in chunks])
