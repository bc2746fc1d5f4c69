"""D2: hard rows that are not alike, by messages on the graph of nearest neighbors."""

from heapq import heapify, heappop, heappush

import numpy as np
from scipy.sparse import csr_array

from skprune._utils._docstrings import fill_docstring
from skprune._utils._parameter_checks import check_count, check_number
from skprune.selection._embedding import EmbeddingSelector
from skprune.selection._neighbor_graph import edges_of, scaled_graph
from skprune.selection._neighbors import NEIGHBORS_TEXT, check_neighbors


@fill_docstring(neighbors=NEIGHBORS_TEXT)
class D2(EmbeddingSelector):
    r"""Pick hard rows that are not alike, by messages on the graph of nearest neighbors (arXiv 2310.07931, eq. 2 to 4).

    First, each row receives the difficulty of its neighbors with weight :math:`\exp(-\gamma d)`, where the distance d is in
    units of the median over the edges. Then the row with the highest value is picked, again and again, and its value, weighted
    in the same way, is taken from its neighbors. Scores below 0 are shifted to 0. Rows that must stay do not count as picked.

    Parameters
    ----------
    n_neighbors : int, default=5
        The number of neighbors of each row; the graph has an edge where either row counts the other.
    $neighbors
    gamma_forward, gamma_reverse : float, default=1.0
        How fast the weight of an edge falls with its distance, when difficulties spread and when they are taken back.
    $class_balanced
    $min_per_class

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.selection import D2
    >>> rows = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [9.0]])
    >>> np.flatnonzero(D2(2).select([0.9, 0.8, 0.9, 0.5, 0.4, 0.1], 2, embedding=rows, random_state=0))
    array([1, 3])
    """

    def __init__(
        self,
        n_neighbors=5,
        *,
        neighbors=None,
        gamma_forward=1.0,
        gamma_reverse=1.0,
        class_balanced=None,
        min_per_class=0,
    ):
        super().__init__(class_balanced=class_balanced, min_per_class=min_per_class)
        self.n_neighbors = n_neighbors
        self.neighbors = neighbors
        self.gamma_forward = gamma_forward
        self.gamma_reverse = gamma_reverse

    def check(self, k, n_samples, n_epochs=None):
        """Refuse parameters that cannot work; see :meth:`BaseSelector.check`."""
        super().check(k, n_samples, n_epochs)
        check_count("n_neighbors", self.n_neighbors)
        check_neighbors(self.neighbors)
        check_number("gamma_forward", self.gamma_forward, 0)
        check_number("gamma_reverse", self.gamma_reverse, 0)

    def _pick(self, scores, k, features, rng):
        distances = scaled_graph(features, self.n_neighbors, self.neighbors, rng)
        density = spread(scores - min(scores.min(), 0.0), distances, self.gamma_forward)
        return take_back(density, distances, self.gamma_reverse, k)


def spread(difficulty, distances, gamma):
    """Add the difficulties of the neighbors, weighted by ``exp(-gamma * distance)`` (eq. 3)."""
    weights = csr_array((np.exp(-gamma * distances.data), distances.indices, distances.indptr), distances.shape)
    return difficulty + weights @ difficulty


def take_back(density, distances, gamma, k):
    """Pick the highest row, and take its weighted value from its neighbors, k times (eq. 4)."""
    density, order = density.copy(), []
    weights = np.exp(-gamma * distances.data)
    heap = [(-value, row) for row, value in enumerate(density.tolist())]
    heapify(heap)
    while len(order) < k:
        negative, highest = heappop(heap)
        value = -negative
        if density[highest] != value:  # another value of this row is in the heap, or it is picked
            continue
        edges = edges_of(distances, highest)
        others = distances.indices[edges]
        density[others] -= value * weights[edges]
        density[highest] = -np.inf
        order.append(highest)
        for changed, row in zip(density[others].tolist(), others.tolist(), strict=True):
            heappush(heap, (-changed, row))
    return order
