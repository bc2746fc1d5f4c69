"""The graph of nearest neighbors."""

import numpy as np
from scipy.sparse import csr_array
from sklearn.neighbors import NearestNeighbors


def neighbor_graph(features, n_neighbors):
    """Return the distances along the edges of the symmetric graph of nearest neighbors."""
    n_neighbors = min(n_neighbors, len(features) - 1)
    if n_neighbors == 0:
        return csr_array((len(features),) * 2)
    # called without rows, kneighbors returns the neighbors of each fitted row without the row itself
    neighbors = NearestNeighbors(n_neighbors=n_neighbors).fit(features).kneighbors(return_distance=False)
    rows = np.repeat(np.arange(len(features)), n_neighbors)
    pairs = np.unique(np.sort(np.stack([rows, neighbors.ravel()]), axis=0), axis=1)
    lengths = np.linalg.norm(features[pairs[0]] - features[pairs[1]], axis=1)
    ends = np.concatenate([pairs, pairs[::-1]], axis=1)
    return csr_array((np.tile(lengths, 2), (ends[0], ends[1])), shape=(len(features),) * 2)


def scaled_graph(features, n_neighbors):
    """Return :func:`neighbor_graph` with distances in units of their median, so that the scale of the features cancels."""
    distances = neighbor_graph(features, n_neighbors)
    distances.data /= (np.median(distances.data) if distances.nnz else 0.0) or 1.0
    return distances


def edges_of(graph, row):
    """Return where a sparse graph stores the edges of a row: a slice of its data and indices."""
    return slice(graph.indptr[row], graph.indptr[row + 1])
