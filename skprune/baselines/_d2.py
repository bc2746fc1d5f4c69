"""D2: difficulty and diversity by messages on the graph of nearest neighbors."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from skprune._utils._docstrings import fill_docstring
from skprune._utils._parameter_checks import check_count, check_number
from skprune.baselines._base import GreedyPruner, cluster, count_clusters
from skprune.baselines._docstrings import BASELINE_TEXTS
from skprune.selection._d2 import spread, take_back
from skprune.selection._neighbor_graph import scaled_graph
from skprune.selection._neighbors import NEIGHBORS_TEXT, check_neighbors


@dataclass(frozen=True)
class DifficultyGraph:
    """The difficulty of each row after the forward pass, and the distances along the edges."""

    density: np.ndarray
    distances: csr_array


@fill_docstring(neighbors=NEIGHBORS_TEXT, **BASELINE_TEXTS)
class D2Pruner(GreedyPruner):
    r"""Pick rows that are hard and unlike each other (Maharana et al., D2, arXiv 2310.07931, eq. 2 to 4).

    On the graph of nearest neighbors, each row first receives the difficulties of its neighbors, weighted by
    :math:`\exp(-\gamma_f d)`. Then the highest row is picked again and again, and each time its value, weighted by
    :math:`\exp(-\gamma_r d)`, is taken back from its neighbors. Distances :math:`d` are measured in units of their median over
    the edges, so that the scale of the features does not matter. As in the paper without labels, the difficulty of a row is its
    distance to the center of its cluster.

    Parameters
    ----------
    $ratio
    n_neighbors : int, default=5
        Number of neighbors of each row; all other rows if there are fewer. An edge exists if either of two rows is among the
        neighbors of the other.
    $neighbors
    gamma_forward : float, default=1.0
        :math:`\gamma_f`, how fast the weight of an edge falls with its distance while difficulties spread.
    gamma_reverse : float, default=1.0
        :math:`\gamma_r`, how fast it falls while they are taken back.
    $n_clusters
    $embedding
    $image_shape
    $missing_label
    $random_state

    Attributes
    ----------
    $pick_order

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.baselines import D2Pruner
    >>> X, y = load_iris(return_X_y=True)
    >>> D2Pruner(0.2, random_state=0).fit_transform(X, y).shape
    (30, 4)
    """

    def __init__(
        self,
        ratio=0.5,
        *,
        n_neighbors=5,
        neighbors=None,
        gamma_forward=1.0,
        gamma_reverse=1.0,
        n_clusters=None,
        embedding=None,
        image_shape=None,
        missing_label="auto",
        random_state=None,
    ):
        self.ratio = ratio
        self.n_neighbors = n_neighbors
        self.neighbors = neighbors
        self.gamma_forward = gamma_forward
        self.gamma_reverse = gamma_reverse
        self.n_clusters = n_clusters
        self.embedding = embedding
        self.image_shape = image_shape
        self.missing_label = missing_label
        self.random_state = random_state

    def _check(self, classes):
        check_count("n_neighbors", self.n_neighbors)
        check_neighbors(self.neighbors)
        check_number("gamma_forward", self.gamma_forward, 0)
        check_number("gamma_reverse", self.gamma_reverse, 0)
        count_clusters(self.n_clusters, classes)

    def _prepare(self, features, classes, seed):
        _, difficulty = cluster(features, count_clusters(self.n_clusters, classes), seed)
        distances = scaled_graph(features, self.n_neighbors, self.neighbors, np.random.default_rng(seed))
        return DifficultyGraph(spread(difficulty, distances, self.gamma_forward), distances)

    def _pick(self, inputs, k, rng):
        return take_back(inputs.density, inputs.distances, self.gamma_reverse, k)
