"""Distances to prototypes: rows far from them, or at a moderate distance."""

from skprune._utils._docstrings import fill_docstring
from skprune.baselines._base import ScoredPruner, cluster, count_clusters
from skprune.baselines._docstrings import BASELINE_TEXTS


@fill_docstring(**BASELINE_TEXTS)
class PrototypicalityPruner(ScoredPruner):
    """Keep the rows far from the center of their cluster (Sorscher et al., arXiv 2206.14486, section 6).

    The features are clustered by k-means, and the difficulty of a row is its distance to its center. The paper recommends
    keeping far rows, as here, for large ratios, and near rows, ``selection="easiest"``, for small ones.

    Parameters
    ----------
    $ratio
    $n_clusters
    $embedding
    selection : str or selector, default="hardest"
        $by_score
        ``class_balanced`` balances the clusters.
    $image_shape
    $missing_label
    $random_state

    Attributes
    ----------
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        The Euclidean distance of each row to its center; higher means harder.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.baselines import PrototypicalityPruner
    >>> X, y = load_iris(return_X_y=True)
    >>> PrototypicalityPruner(0.2, random_state=0).fit_transform(X, y).shape
    (30, 4)
    """

    _has_groups = True

    def __init__(
        self,
        ratio=0.5,
        *,
        n_clusters=None,
        embedding=None,
        selection="hardest",
        image_shape=None,
        missing_label="auto",
        random_state=None,
    ):
        self.ratio = ratio
        self.n_clusters = n_clusters
        self.embedding = embedding
        self.selection = selection
        self.image_shape = image_shape
        self.missing_label = missing_label
        self.random_state = random_state

    def _check(self, classes):
        count_clusters(self.n_clusters, classes)

    def _score(self, features, classes, seed):
        clusters, distances = cluster(features, count_clusters(self.n_clusters, classes), seed)
        return distances, clusters


@fill_docstring(**BASELINE_TEXTS)
class ModeratePruner(PrototypicalityPruner):
    """Keep the rows whose distance to their center is closest to the median (Xia et al., "Moderate Coreset", ICLR 2023).

    The centers are those of k-means clusters, because few labels are known; the paper uses the centers of the classes.

    Parameters
    ----------
    $ratio
    $n_clusters
    $embedding
    selection : str or selector, default="moderate"
        $by_score
        ``class_balanced`` balances the clusters.
    $image_shape
    $missing_label
    $random_state

    Attributes
    ----------
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        The Euclidean distance of each row to its center; higher means harder.

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
        missing_label="auto",
        random_state=None,
    ):
        super().__init__(
            ratio,
            n_clusters=n_clusters,
            embedding=embedding,
            selection=selection,
            image_shape=image_shape,
            missing_label=missing_label,
            random_state=random_state,
        )
