"""Distances to prototypes: far rows, or those in the middle."""

from skprune.baselines._base import ScoredPruner, cluster, count_clusters


class PrototypicalityPruner(ScoredPruner):
    """Keep the rows that are far from the centre of their cluster (Sorscher et al., arXiv 2206.14486, section 6).

    The features are clustered by k-means; the difficulty of a row is its distance to its centre. Far rows are kept, which that
    paper recommends where much is kept; with ``selection="easiest"`` the near ones, where little is.

    Parameters
    ----------
    ratio : float in (0, 1] or int, default=0.5
        The fraction KEPT, or a count of rows.
    n_clusters : int, default=None
        Clusters; None: the number of classes of y.
    embedding : transformer, default=None
        Makes the features; None: the rows themselves.
    selection : str or selector, default="hardest"
        A name out of :func:`skprune.selection.names`, or an object, but for Beta and automatic cutoffs, which need dynamics;
        by name "cutoff" and "stratified" cut nothing off. ``class_balanced`` is over the clusters.
    image_shape : tuple of (C, H, W), default=None
        The shape of each row when images are given as flat rows.
    random_state : int, RandomState or None, default=None
        Of the clusters, the embedding and ties.

    Attributes
    ----------
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        Distance to the centre; higher = harder.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.baselines import PrototypicalityPruner
    >>> X, y = load_iris(return_X_y=True)
    >>> PrototypicalityPruner(0.2, random_state=0).fit_transform(X, y).shape
    (30, 4)
    """

    def __init__(
        self,
        ratio=0.5,
        *,
        n_clusters=None,
        embedding=None,
        selection="hardest",
        image_shape=None,
        random_state=None,
    ):
        self.ratio = ratio
        self.n_clusters = n_clusters
        self.embedding = embedding
        self.selection = selection
        self.image_shape = image_shape
        self.random_state = random_state

    def _check(self, classes):
        count_clusters(self.n_clusters, classes)

    def _score(self, features, classes, seed):
        clusters, distances = cluster(features, count_clusters(self.n_clusters, classes), seed)
        return distances, clusters


class ModeratePruner(PrototypicalityPruner):
    """Keep the rows whose distance to their centre is closest to the median (Xia et al., "Moderate Coreset", ICLR 2023).

    The centres are those of clusters, since few labels are given; in the paper they are those of classes.

    Parameters
    ----------
    ratio : float in (0, 1] or int, default=0.5
        The fraction KEPT, or a count of rows.
    n_clusters : int, default=None
        Clusters; None: the number of classes of y.
    embedding : transformer, default=None
        Makes the features; None: the rows themselves.
    selection : str or selector, default="moderate"
        A name out of :func:`skprune.selection.names`, or an object, but for Beta and automatic cutoffs, which need dynamics;
        by name "cutoff" and "stratified" cut nothing off. ``class_balanced`` is over the clusters.
    image_shape : tuple of (C, H, W), default=None
        The shape of each row when images are given as flat rows.
    random_state : int, RandomState or None, default=None
        Of the clusters, the embedding and ties.

    Attributes
    ----------
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        Distance to the centre; higher = harder.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.baselines import ModeratePruner
    >>> X, y = load_iris(return_X_y=True)
    >>> ModeratePruner(0.2, random_state=0).fit_transform(X, y).shape
    (30, 4)
    """

    def __init__(
        self,
        ratio=0.5,
        *,
        n_clusters=None,
        embedding=None,
        selection="moderate",
        image_shape=None,
        random_state=None,
    ):
        super().__init__(
            ratio,
            n_clusters=n_clusters,
            embedding=embedding,
            selection=selection,
            image_shape=image_shape,
            random_state=random_state,
        )
