"""Hard rows that are not alike, by the graph of nearest neighbours."""

from heapq import heapify, heappop, heappush

import numpy as np
from scipy.sparse import csr_array
from sklearn.neighbors import NearestNeighbors

from skprune._utils._checks import check_count, check_number
from skprune.selection._kinds import EmbeddingSelector, weights_of


class D2(EmbeddingSelector):
    """Pick hard rows that are not alike, by messages on the graph of nearest neighbours (arXiv 2310.07931, eq. 2 to 4).

    Each row first receives the difficulty of its neighbours, weighted by ``exp(-gamma * distance)``, distances in units of their
    median over the edges; then the highest row is picked, again and again, and takes its own value, so weighted, from its
    neighbours. Scores below 0 are shifted to 0. Rows that must stay do not count as picked.

    Parameters
    ----------
    n_neighbors : int, default=5
        Neighbours of each row; the graph holds an edge where either row counts the other.
    gamma_forward, gamma_reverse : float, default=1.0
        How fast the weight of an edge falls with its distance, when difficulties spread and when they are taken back.
    class_balanced : None, "proportional", "uniform" or dict, default=None
        How k is shared over the classes; the graph is then that of each class.
    min_per_class : int or float, default=0
        The least number of kept rows of each class; a float: that part of an even share.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.selection import D2
    >>> rows = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [9.0]])
    >>> np.flatnonzero(D2(2).select([0.9, 0.8, 0.9, 0.5, 0.4, 0.1], 2, embedding=rows, random_state=0))
    array([1, 3])
    """

    def __init__(self, n_neighbors=5, gamma_forward=1.0, gamma_reverse=1.0, class_balanced=None, min_per_class=0):
        super().__init__(class_balanced=class_balanced, min_per_class=min_per_class)
        self.n_neighbors = n_neighbors
        self.gamma_forward = gamma_forward
        self.gamma_reverse = gamma_reverse

    def check(self, k, n_samples, n_epochs=None):
        """Refuse a number of neighbours below 1 and a `gamma` below 0; see :meth:`BaseSelector.check`."""
        super().check(k, n_samples, n_epochs)
        check_count("n_neighbors", self.n_neighbors)
        check_number("gamma_forward", self.gamma_forward, 0)
        check_number("gamma_reverse", self.gamma_reverse, 0)

    def _pick(self, scores, k, features):
        distances = scaled_graph(features, self.n_neighbors)
        density = spread(scores - min(scores.min(), 0.0), distances, self.gamma_forward)
        return take_back(density, distances, self.gamma_reverse, k)


class FacilityLocation(EmbeddingSelector):
    """Pick rows that stand for many hard ones: each pick adds most to the similarity of all rows to what is kept.

    Greedy maximisation of ``sum_i w_i max_j exp(-gamma * d_ij)`` over the kept rows j, where w is the difficulty and d the
    distance in units of the median over the graph of nearest neighbours; rows that are no neighbours have similarity 0, so that
    there is no matrix of all pairs (facility location, Wei et al., ICML 2015, "Submodularity in data subset selection and active
    learning"). The greedy rows are at least 1 - 1/e as good as the best ones of that sum. Rows that must stay do not count as
    picked.

    Parameters
    ----------
    n_neighbors : int, default=15
        Neighbours of each row; the graph holds an edge where either row counts the other.
    gamma : float, default=1.0
        How fast the similarity falls with the distance.
    power : float, default=1.0
        Weights are the difficulty to this power; 0: all rows count alike.
    class_balanced : None, "proportional", "uniform" or dict, default=None
        How k is shared over the classes; the graph is then that of each class.
    min_per_class : int or float, default=0
        The least number of kept rows of each class; a float: that part of an even share.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.selection import FacilityLocation
    >>> rows = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
    >>> np.flatnonzero(FacilityLocation(2).select(np.ones(6), 2, embedding=rows, random_state=0))
    array([1, 4])
    """

    def __init__(self, n_neighbors=15, gamma=1.0, power=1.0, class_balanced=None, min_per_class=0):
        super().__init__(class_balanced=class_balanced, min_per_class=min_per_class)
        self.n_neighbors = n_neighbors
        self.gamma = gamma
        self.power = power

    def check(self, k, n_samples, n_epochs=None):
        """Refuse a number of neighbours below 1, and `gamma` or `power` below 0; see :meth:`BaseSelector.check`."""
        super().check(k, n_samples, n_epochs)
        check_count("n_neighbors", self.n_neighbors)
        check_number("gamma", self.gamma, 0)
        check_number("power", self.power, 0)

    def _pick(self, scores, k, features):
        distances = scaled_graph(features, self.n_neighbors)
        return most_similar(weights_of(scores, self.power), distances, self.gamma, k)


def neighbour_graph(features, n_neighbors):
    """Return the distances along the edges of the symmetric graph of nearest neighbours."""
    n_neighbors = min(n_neighbors, len(features) - 1)
    if n_neighbors == 0:
        return csr_array((len(features),) * 2)
    found = NearestNeighbors(n_neighbors=n_neighbors).fit(features)
    neighbours = found.kneighbors(return_distance=False)  # of the rows themselves, each without itself
    rows = np.repeat(np.arange(len(features)), n_neighbors)
    pairs = np.unique(np.sort(np.stack([rows, neighbours.ravel()]), axis=0), axis=1)
    lengths = np.linalg.norm(features[pairs[0]] - features[pairs[1]], axis=1)
    ends = np.concatenate([pairs, pairs[::-1]], axis=1)
    return csr_array((np.tile(lengths, 2), (ends[0], ends[1])), shape=(len(features),) * 2)


def scaled_graph(features, n_neighbors):
    """Return :func:`neighbour_graph` with distances in units of their median, so that no scale of the features matters."""
    distances = neighbour_graph(features, n_neighbors)
    distances.data /= (np.median(distances.data) if distances.nnz else 0.0) or 1.0
    return distances


def spread(difficulty, distances, gamma):
    """Add the difficulties of the neighbours, weighted by ``exp(-gamma * distance)`` (eq. 3)."""
    weights = csr_array((np.exp(-gamma * distances.data), distances.indices, distances.indptr), distances.shape)
    return difficulty + weights @ difficulty


def take_back(density, distances, gamma, k):
    """Pick the highest row, and take its value, weighted, from its neighbours, k times (eq. 4)."""
    density, order = density.copy(), []
    weights = np.exp(-gamma * distances.data)
    for _ in range(k):
        place = int(density.argmax())
        edges = slice(distances.indptr[place], distances.indptr[place + 1])
        density[distances.indices[edges]] -= density[place] * weights[edges]
        density[place] = -np.inf
        order.append(place)
    return order


def most_similar(weights, distances, gamma, k):
    """Maximise the weighted similarity of all rows to the picked ones, greedily; late picks by the bound of their last gain."""
    similar = np.exp(-gamma * distances.data)
    reached = np.zeros(len(weights))  # the similarity of each row to what is picked

    def gain_of(place):
        edges = slice(distances.indptr[place], distances.indptr[place + 1])
        others = distances.indices[edges]
        added = weights[others] @ np.maximum(similar[edges] - reached[others], 0.0)
        return added + weights[place] * (1.0 - reached[place])

    gains = csr_array((similar, distances.indices, distances.indptr), distances.shape) @ weights + weights
    heap = [
        (-gain, -weight, place)
        for place, (gain, weight) in enumerate(zip(gains.tolist(), weights.tolist(), strict=True))
    ]
    heapify(heap)
    order = []
    while len(order) < k:
        _, weight, place = heappop(heap)
        gain = gain_of(place)
        if heap and gain < -heap[0][0]:
            heappush(heap, (-gain, weight, place))
            continue
        order.append(place)
        edges = slice(distances.indptr[place], distances.indptr[place + 1])
        others = distances.indices[edges]
        reached[others] = np.maximum(reached[others], similar[edges])
        reached[place] = 1.0
    return order
