"""Greedy covers of the features: k-center and herding."""

import numpy as np

from skprune.baselines._base import GreedyPruner
from skprune.selection._cover import farthest_first


class KCenterPruner(GreedyPruner):
    """Pick the row farthest from all that are picked, again and again (k-center greedy).

    Sener and Savarese, arXiv 1708.00489, algorithm 1. The first row is drawn. Time: k passes over the features.

    Parameters
    ----------
    ratio : float in (0, 1] or int, default=0.5
        The fraction KEPT, or a count of rows.
    embedding : transformer, default=None
        Makes the features; None: the rows themselves.
    image_shape : tuple of (C, H, W), default=None
        The shape of each row when images are given as flat rows.
    random_state : int, RandomState or None, default=None
        Of the first row, the embedding and ties.

    Attributes
    ----------
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        The number of kept rows for the row picked first, 1 for the last, 0 for rows that are not kept.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.baselines import KCenterPruner
    >>> X = np.array([[0.0], [0.1], [5.0], [9.0]])
    >>> sorted(KCenterPruner(3, random_state=0).fit_transform(X).ravel().tolist())[1:]
    [5.0, 9.0]
    """

    def __init__(self, ratio=0.5, *, embedding=None, image_shape=None, random_state=None):
        self.ratio = ratio
        self.embedding = embedding
        self.image_shape = image_shape
        self.random_state = random_state

    def _order(self, seen, k, rng):
        return farthest_first(seen["features"], k, int(rng.integers(len(seen["features"]))))


class HerdingPruner(GreedyPruner):
    """Pick rows so that their mean stays as close as it can to the mean of the pool (herding).

    Welling, "Herding dynamical weights to learn", ICML 2009; the form of DeepCore, arXiv 2204.08499. Over the whole pool, since
    few labels are given. Time: k passes over the features.

    Parameters
    ----------
    ratio : float in (0, 1] or int, default=0.5
        The fraction KEPT, or a count of rows.
    embedding : transformer, default=None
        Makes the features; None: the rows themselves.
    image_shape : tuple of (C, H, W), default=None
        The shape of each row when images are given as flat rows.
    random_state : int, RandomState or None, default=None
        Of the embedding and ties.

    Attributes
    ----------
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        The number of kept rows for the row picked first, 1 for the last, 0 for rows that are not kept.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.baselines import HerdingPruner
    >>> HerdingPruner(3, random_state=0).fit_transform(np.array([[0.0], [1.0], [2.0], [9.0]])).ravel()
    array([1., 2., 9.])
    """

    def __init__(self, ratio=0.5, *, embedding=None, image_shape=None, random_state=None):
        self.ratio = ratio
        self.embedding = embedding
        self.image_shape = image_shape
        self.random_state = random_state

    def _order(self, seen, k, rng):
        features = seen["features"]  # of mean 0
        squares = np.einsum("ij,ij->i", features, features)
        total = np.zeros(features.shape[1])
        left = np.zeros(len(features))
        order = []
        for _ in range(k):
            # |total + x|^2 is least; what all rows share is left out
            place = int((squares + 2.0 * (features @ total) + left).argmin())
            order.append(place)
            left[place] = np.inf
            total += features[place]
        return order
