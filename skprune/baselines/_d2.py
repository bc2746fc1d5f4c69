"""D2: difficulty and diversity by messages on the graph of nearest neighbours."""

from skprune._utils._checks import check_count, check_number
from skprune.baselines._base import GreedyPruner, cluster, count_clusters
from skprune.selection._graph import scaled_graph, spread, take_back


class D2Pruner(GreedyPruner):
    """Pick rows that are hard and not alike (Maharana et al., arXiv 2310.07931, eq. 2 to 4).

    On the graph of k nearest neighbours, each row first receives the difficulty of its neighbours, weighted by
    ``exp(-gamma * distance)``, distances in units of their median over the edges, so that the scale of the features does not
    matter; then the highest row is picked, again and again, and takes its own value, so weighted, from its
    neighbours. Without labels the difficulty is the distance to the centre of the row's cluster, as in that paper.

    Parameters
    ----------
    ratio : float in (0, 1] or int, default=0.5
        The fraction KEPT, or a count of rows.
    n_neighbors : int, default=5
        Neighbours of each row, all others where there are fewer; the graph holds an edge where either row counts the other.
    gamma_forward, gamma_reverse : float, default=1.0
        How fast the weight of an edge falls with its distance, when difficulties spread and when they are taken back.
    n_clusters : int, default=None
        Clusters of the difficulty; None: the number of classes of y.
    embedding : transformer, default=None
        Makes the features; None: the rows themselves.
    image_shape : tuple of (C, H, W), default=None
        The shape of each row when images are given as flat rows.
    random_state : int, RandomState or None, default=None
        Of the clusters, the embedding and ties.

    Attributes
    ----------
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        The number of kept rows for the row picked first, 1 for the last, 0 for rows that are not kept.

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
        gamma_forward=1.0,
        gamma_reverse=1.0,
        n_clusters=None,
        embedding=None,
        image_shape=None,
        random_state=None,
    ):
        self.ratio = ratio
        self.n_neighbors = n_neighbors
        self.gamma_forward = gamma_forward
        self.gamma_reverse = gamma_reverse
        self.n_clusters = n_clusters
        self.embedding = embedding
        self.image_shape = image_shape
        self.random_state = random_state

    def _check(self, classes):
        check_count("n_neighbors", self.n_neighbors)
        check_number("gamma_forward", self.gamma_forward, 0)
        check_number("gamma_reverse", self.gamma_reverse, 0)
        count_clusters(self.n_clusters, classes)

    def _prepare(self, features, classes, seed):
        difficulty = cluster(features, count_clusters(self.n_clusters, classes), seed)[1]
        distances = scaled_graph(features, self.n_neighbors)
        density = spread(difficulty, distances, self.gamma_forward)
        return {"features": features, "density": density, "distances": distances}

    def _order(self, seen, k, rng):
        return take_back(seen["density"], seen["distances"], self.gamma_reverse, k)
