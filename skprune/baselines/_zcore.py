"""ZCore: coverage less redundancy in random planes of the features."""

from numbers import Integral

import numpy as np

from skprune.baselines._base import ScoredPruner

_BLOCK = 256


class ZCorePruner(ScoredPruner):
    """Keep rows that cover the features and are not redundant (Griffin et al., ZCore, arXiv 2411.15349).

    Points are drawn in random planes of the features, each coordinate from a triangular distribution over minimum, median and
    maximum. The nearest row gains 1; its own nearest rows lose 1 together, in proportion to ``distance ** -4``.

    Parameters
    ----------
    ratio : float in (0, 1] or int, default=0.5
        The fraction KEPT, or a count of rows.
    n_points : int, default=None
        Points to draw; None: ten a row. Time grows with ``n_points * n_samples``.
    n_redundant : int, default=1000
        Rows that lose at each point.
    embedding : transformer, default=None
        Makes the features; None: the rows themselves.
    selection : str or selector, default="hardest"
        A name out of :func:`skprune.selection.names`, or an object, but for Beta and automatic cutoffs, which need dynamics;
        by name "cutoff" and "stratified" cut nothing off.
    image_shape : tuple of (C, H, W), default=None
        The shape of each row when images are given as flat rows.
    random_state : int, RandomState or None, default=None
        Of the points, the embedding and ties.

    Attributes
    ----------
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        Coverage less redundancy; higher = kept first. The scores of all rows sum to 0.

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
        random_state=None,
    ):
        self.ratio = ratio
        self.n_points = n_points
        self.n_redundant = n_redundant
        self.embedding = embedding
        self.selection = selection
        self.image_shape = image_shape
        self.random_state = random_state

    def _check(self, classes):
        for name in ("n_points", "n_redundant"):
            value = getattr(self, name)
            if name == "n_points" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
                raise ValueError(f"{name} must be an integer of at least 1, got {value!r}.")

    def _score(self, features, classes, seed):
        n_points = 10 * len(features) if self.n_points is None else self.n_points
        return coverage(features, n_points, self.n_redundant, np.random.default_rng(seed)), None


def coverage(features, n_points, n_redundant, rng):
    """Return coverage less redundancy of each row."""
    features = features - features.min(axis=0)
    features = features[:, features.max(axis=0) > 0]  # constant columns tell no rows apart
    n, n_features = features.shape
    scores = np.zeros(n)
    if n_features == 0:
        return scores
    middle, high = np.median(features, axis=0), features.max(axis=0)
    width = min(2, n_features)
    columns = np.asfortranarray(features, dtype=np.float32)  # a plane is two columns, each in one piece
    least = min(n_redundant, n - 1)
    for start in range(0, n_points, _BLOCK):
        count = min(_BLOCK, n_points - start)
        planes = np.argsort(rng.random((count, n_features)), axis=1)[:, :width]
        points = high[planes] * _triangular(rng.random((count, width)), (middle / high)[planes])
        for plane, point in zip(planes, points, strict=True):
            place = _nearest(_distances(columns, plane, point), rng)
            scores[place] += 1.0
            away = _distances(columns, plane, columns[place, plane])
            away[place] = np.inf
            rows = np.argpartition(away, least)[:least]
            nearest = away[rows].min()
            if nearest == 0.0:
                scores[_nearest(away, rng)] -= 1.0
                continue
            share = (nearest / away[rows].astype(np.float64)) ** 4
            scores[rows] -= share / share.sum()
    return scores


def _distances(columns, plane, point):
    """Return the sum of the distances along the axes of a plane."""
    total = np.abs(columns[:, plane[0]] - np.float32(point[0]))
    for axis, value in zip(plane[1:], point[1:], strict=True):
        total += np.abs(columns[:, axis] - np.float32(value))
    return total


def _nearest(away, rng):
    """Return the place of the least distance, one of several by chance."""
    places = np.flatnonzero(away == away.min())
    return int(places[0] if len(places) == 1 else rng.choice(places))


def _triangular(uniform, mode):
    """Turn uniform draws into triangular ones on [0, 1]."""
    left = np.sqrt(uniform * mode)
    right = 1.0 - np.sqrt((1.0 - uniform) * (1.0 - mode))
    return np.where(uniform < mode, left, right)
