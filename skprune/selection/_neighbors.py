"""The nearest rows of each row: exact, in a large pool among the clusters nearby, or by a transformer of the user."""

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.base import clone
from sklearn.metrics import pairwise_distances, pairwise_distances_argmin
from sklearn.neighbors import NearestNeighbors

from skprune._utils._adapters import last_step
from skprune._utils._seeds import seed_nested
from skprune.selection._clusters import coarse_clusters, members_of

NEIGHBORS_TEXT = """neighbors : transformer, default=None
    What finds the neighbors: ``KNeighborsTransformer`` of scikit-learn, or any transformer that returns such a sparse graph
    of distances, as those around pynndescent, faiss or usearch do, or a Pipeline that ends in one. It is cloned, and its
    ``n_neighbors`` is set. None is exact, except that in a pool of more than about 100,000 rows and 15 features, neighbors
    are sought in the 16 nearest of :math:`\\sqrt n` clusters."""
"""What the parameter `neighbors` means, for ``fill_docstring``."""

_EXACT = 2**40  # products of rows, other rows and features up to which all pairs are compared
_TREE_FEATURES = 15  # up to which scikit-learn does not compare all pairs
_N_NEARBY = 16


def check_neighbors(neighbors):
    """Refuse what is no transformer that returns a graph of distances."""
    is_transformer = all(hasattr(neighbors, name) for name in ("fit", "transform", "fit_transform", "get_params"))
    if neighbors is not None and (isinstance(neighbors, type) or not is_transformer):
        raise ValueError(
            f"neighbors must be None or a transformer that returns a graph, such as KNeighborsTransformer(), got {neighbors!r}."
        )
    last = last_step(neighbors)
    if neighbors is not None and last.get_params(deep=False).get("mode") == "connectivity":
        raise ValueError(f"neighbors must return distances: set mode='distance' of {type(last).__name__}.")


def nearest_others(features, n_neighbors, rng):
    """Return positions of shape (n_rows, n_neighbors): for each row, the rows nearest to it, without itself."""
    if _is_exact(features, features):
        # called without rows, kneighbors returns the neighbors of each fitted row without the row itself
        return NearestNeighbors(n_neighbors=n_neighbors).fit(features).kneighbors(return_distance=False)
    found = _nearest_nearby(features, features, n_neighbors + 1, rng)
    is_other = found != np.arange(len(features))[:, None]
    is_other[is_other.all(axis=1), -1] = False  # among many equal rows, a row need not find itself
    return found[is_other].reshape(len(features), n_neighbors)


def nearest_points(points, queries, n_neighbors, rng):
    """Return positions of shape (n_queries, n_neighbors): for each query, the points nearest to it."""
    if _is_exact(points, queries):
        return NearestNeighbors(n_neighbors=n_neighbors).fit(points).kneighbors(queries, return_distance=False)
    return _nearest_nearby(points, queries, n_neighbors, rng)


def nearest_point(points, queries):
    """Return the position of the point nearest to each query."""
    if _is_exact(points, queries):
        return pairwise_distances_argmin(queries, points)
    return _nearest_nearby(points, queries, 1, np.random.default_rng(0)).ravel()


def graph_by(neighbors, points, n_neighbors, rng, queries=None):
    """Return the graph of a transformer, from queries or else the points themselves to the points nearest to them."""
    name, model = type(neighbors).__name__, clone(neighbors)
    last = last_step(model)
    if "n_neighbors" in last.get_params(deep=False):
        last.set_params(n_neighbors=min(n_neighbors + 1, len(points) - 1))  # some count a row as its own neighbor
    seed_nested(model, np.random.RandomState(rng.integers(2**31 - 1)))
    graph = model.fit_transform(points) if queries is None else model.fit(points).transform(queries)
    shape = len(points if queries is None else queries), len(points)
    if not issparse(graph) or graph.shape != shape:
        got = f"shape {graph.shape}" if issparse(graph) else f"a {type(graph).__name__}"
        raise ValueError(f"neighbors={name} must return a sparse graph of shape {shape}, got {got}.")
    graph = csr_array(graph)
    if not (np.isfinite(graph.data).all() and (graph.data >= 0).all()):
        raise ValueError(f"neighbors={name} must return distances of at least 0, got others.")
    graph = _nearest_of_graph(graph, n_neighbors, without_self=queries is None)
    lonely = np.diff(graph.indptr) == 0
    if lonely.any():
        raise ValueError(f"neighbors={name} found no neighbor of row {int(lonely.argmax())}.")
    return graph


def _is_exact(points, queries):
    return points.shape[1] <= _TREE_FEATURES or len(points) * len(queries) * points.shape[1] <= _EXACT


def _nearest_nearby(points, queries, n_neighbors, rng):
    """Return the nearest points of each query among those of the clusters that are nearest to the query's own."""
    points, queries = points.astype(np.float32, copy=False), queries.astype(np.float32, copy=False)
    n_clusters = max(2, round(len(points) ** 0.5))
    clusters = coarse_clusters(points, np.ones(len(points)), n_clusters, rng)
    members = members_of(clusters.predict(points), n_clusters)
    sizes = np.array([len(rows) for rows in members])
    nearby = np.argsort(pairwise_distances(clusters.cluster_centers_), axis=1, kind="stable")
    positions = np.empty((len(queries), n_neighbors), dtype=np.int64)
    for home, rows in enumerate(members_of(clusters.predict(queries), n_clusters)):
        if rows.size == 0:
            continue
        n_enough = 1 + np.searchsorted(np.cumsum(sizes[nearby[home]]), n_neighbors)
        candidates = np.concatenate([members[near] for near in nearby[home, : max(_N_NEARBY, n_enough)]])
        search = NearestNeighbors(n_neighbors=n_neighbors, algorithm="brute").fit(points[candidates])
        positions[rows] = candidates[search.kneighbors(queries[rows], return_distance=False)]
    return positions


def _nearest_of_graph(graph, n_neighbors, *, without_self):
    """Return the shortest edges of each row, in order."""
    rows = np.repeat(np.arange(graph.shape[0]), np.diff(graph.indptr))
    edges = np.lexsort((graph.data, rows))
    if without_self:
        edges = edges[graph.indices[edges] != rows[edges]]
    starts = np.searchsorted(rows[edges], np.arange(graph.shape[0]))
    edges = edges[np.arange(len(edges)) - starts[rows[edges]] < n_neighbors]
    indptr = np.searchsorted(rows[edges], np.arange(graph.shape[0] + 1))
    return csr_array((graph.data[edges], graph.indices[edges], indptr), shape=graph.shape)
