"""ZCore: coverage minus redundancy in random planes of the features."""

import numpy as np

from skprune._utils._docstrings import fill_docstring
from skprune._utils._parameter_checks import check_count
from skprune.baselines._base import ScoredPruner
from skprune.baselines._docstrings import BASELINE_TEXTS

_BLOCK = 256  # points whose planes are drawn at once


@fill_docstring(**BASELINE_TEXTS)
class ZCorePruner(ScoredPruner):
    r"""Keep rows that cover the feature space without being redundant (Griffin et al., ZCore, arXiv 2411.15349).

    Points are drawn in planes of two random features each; a coordinate follows a triangular distribution between the minimum
    and the maximum of the feature, with its mode at the median. The row nearest to a point gains 1, and the rows nearest to
    that row lose 1 in total, shared in proportion to :math:`d^{-4}` for distance :math:`d`.

    Parameters
    ----------
    $ratio
    n_points : int, default=None
        Number of points; None draws ten per row. The time grows with ``n_points * n_samples``.
    n_redundant : int, default=1000
        Number of rows that lose at each point.
    $embedding
    selection : str or selector, default="hardest"
        $by_score
        So are selectors that balance classes.
    $image_shape
    $missing_label
    $random_state

    Attributes
    ----------
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        Coverage minus redundancy; rows with higher scores are kept first. The scores sum to 0.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.baselines import ZCorePruner
    >>> X, y = load_iris(return_X_y=True)
    >>> ZCorePruner(0.2, random_state=0).fit_transform(X, y).shape
    (30, 4)
    """

    def __init__(
        self,
        ratio=0.5,
        *,
        n_points=None,
        n_redundant=1000,
        embedding=None,
        selection="hardest",
        image_shape=None,
        missing_label="auto",
        random_state=None,
    ):
        self.ratio = ratio
        self.n_points = n_points
        self.n_redundant = n_redundant
        self.embedding = embedding
        self.selection = selection
        self.image_shape = image_shape
        self.missing_label = missing_label
        self.random_state = random_state

    def _check(self, classes):
        check_count("n_points", self.n_points, optional=True)
        check_count("n_redundant", self.n_redundant)

    def _score(self, features, classes, seed):
        n_points = 10 * len(features) if self.n_points is None else self.n_points
        return coverage(features, n_points, self.n_redundant, np.random.default_rng(seed)), None


def coverage(features, n_points, n_redundant, rng):
    """Return coverage minus redundancy of each row."""
    features = features - features.min(axis=0)
    features = features[:, features.max(axis=0) > 0]  # constant columns tell no rows apart
    n_samples, n_features = features.shape
    scores = np.zeros(n_samples)
    if n_features == 0:
        return scores
    median, high = np.median(features, axis=0), features.max(axis=0)
    width = min(2, n_features)
    columns = np.asfortranarray(features, dtype=np.float32)  # a plane reads two columns, each in one piece
    n_losing = min(n_redundant, n_samples - 1)
    for start in range(0, n_points, _BLOCK):
        count = min(_BLOCK, n_points - start)
        planes = np.argsort(rng.random((count, n_features)), axis=1)[:, :width]
        points = high[planes] * _triangular(rng.random((count, width)), (median / high)[planes])
        for plane, point in zip(planes, points, strict=True):
            place = _nearest(_distances(columns, plane, point), rng)
            scores[place] += 1.0
            distances = _distances(columns, plane, columns[place, plane])
            distances[place] = np.inf
            rows = np.argpartition(distances, n_losing)[:n_losing]
            nearest = distances[rows].min()
            if nearest == 0.0:
                scores[_nearest(distances, rng)] -= 1.0
                continue
            share = (nearest / distances[rows].astype(np.float64)) ** 4
            scores[rows] -= share / share.sum()
    return scores


def _distances(columns, plane, point):
    """Return the sum of the distances along the axes of a plane."""
    total = np.abs(columns[:, plane[0]] - np.float32(point[0]))
    for axis, value in zip(plane[1:], point[1:], strict=True):
        total += np.abs(columns[:, axis] - np.float32(value))
    return total


def _nearest(distances, rng):
    """Return the place of the least distance; of several, one at random."""
    places = np.flatnonzero(distances == distances.min())
    return int(places[0] if len(places) == 1 else rng.choice(places))


def _triangular(uniform, mode):
    """Turn uniform draws into triangular ones on [0, 1]."""
    left = np.sqrt(uniform * mode)
    right = 1.0 - np.sqrt((1.0 - uniform) * (1.0 - mode))
    return np.where(uniform < mode, left, right)
