"""Facility location: rows that stand for many hard ones, on the graph of nearest neighbors."""

from heapq import heapify, heappop, heappush

import numpy as np
from scipy.sparse import csr_array

from skprune._utils._docstrings import fill_docstring
from skprune._utils._parameter_checks import check_count, check_number
from skprune.selection._embedding import EmbeddingSelector, weights_of
from skprune.selection._neighbor_graph import edges_of, scaled_graph
from skprune.selection._neighbors import NEIGHBORS_TEXT, check_neighbors


@fill_docstring(neighbors=NEIGHBORS_TEXT)
class FacilityLocation(EmbeddingSelector):
    r"""Pick rows that stand for many hard ones: each pick adds most to the similarity of all rows to the kept ones.

    Greedily maximizes :math:`\sum_i w_i \max_{j \in S} \exp(-\gamma d_{ij})` over sets S of k rows, where :math:`w_i` is the
    difficulty of row i and :math:`d_{ij}` its distance to row j in units of the median over the graph of nearest neighbors.
    Rows that are not neighbors have similarity 0, so that no matrix of all pairs is needed (facility location, Wei et al.,
    ICML 2015, "Submodularity in data subset selection and active learning"). The greedy set reaches at least 1 - 1/e of the
    largest possible sum. Rows that must stay do not count as picked.

    Parameters
    ----------
    n_neighbors : int, default=15
        The number of neighbors of each row; the graph has an edge where either row counts the other.
    $neighbors
    gamma : float, default=1.0
        How fast the similarity falls with the distance.
    power : float, default=1.0
        Weights are the difficulty to this power; with 0, all rows count alike.
    $class_balanced
    $min_per_class

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.selection import FacilityLocation
    >>> rows = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
    >>> np.flatnonzero(FacilityLocation(2).select(np.ones(6), 2, embedding=rows, random_state=0))
    array([1, 4])
    """

    def __init__(self, n_neighbors=15, *, neighbors=None, gamma=1.0, power=1.0, class_balanced=None, min_per_class=0):
        super().__init__(class_balanced=class_balanced, min_per_class=min_per_class)
        self.n_neighbors = n_neighbors
        self.neighbors = neighbors
        self.gamma = gamma
        self.power = power

    def check(self, k, n_samples, n_epochs=None):
        """Refuse parameters that cannot work; see :meth:`BaseSelector.check`."""
        super().check(k, n_samples, n_epochs)
        check_count("n_neighbors", self.n_neighbors)
        check_neighbors(self.neighbors)
        check_number("gamma", self.gamma, 0)
        check_number("power", self.power, 0)

    def _pick(self, scores, k, features, rng):
        distances = scaled_graph(features, self.n_neighbors, self.neighbors, rng)
        return most_similar(weights_of(scores, self.power), distances, self.gamma, k)


def most_similar(weights, distances, gamma, k):
    """Maximize the weighted similarity of all rows to the picked ones, greedily; old gains bound the new ones from above."""
    similarity = np.exp(-gamma * distances.data)
    reached = np.zeros(len(weights))  # the similarity of each row to the picked ones

    def gain_of(row):
        edges = edges_of(distances, row)
        others = distances.indices[edges]
        added = weights[others] @ np.maximum(similarity[edges] - reached[others], 0.0)
        return added + weights[row] * (1.0 - reached[row])

    gains = csr_array((similarity, distances.indices, distances.indptr), distances.shape) @ weights + weights
    heap = [
        (-gain, -weight, row) for row, (gain, weight) in enumerate(zip(gains.tolist(), weights.tolist(), strict=True))
    ]
    heapify(heap)
    order = []
    while len(order) < k:
        _, weight, row = heappop(heap)
        gain = gain_of(row)
        if heap and gain < -heap[0][0]:
            heappush(heap, (-gain, weight, row))
            continue
        order.append(row)
        edges = edges_of(distances, row)
        others = distances.indices[edges]
        reached[others] = np.maximum(reached[others], similarity[edges])
        reached[row] = 1.0
    return order
