"""Greedy covers of the features: k-center and herding."""

import numpy as np

from skprune._utils._docstrings import fill_docstring
from skprune.baselines._base import GreedyPruner
from skprune.baselines._docstrings import BASELINE_TEXTS
from skprune.selection._k_center import farthest_first


@fill_docstring(**BASELINE_TEXTS)
class KCenterPruner(GreedyPruner):
    """Repeatedly pick the row that is farthest from all rows picked so far (greedy k-center).

    This is algorithm 1 of Sener and Savarese, arXiv 1708.00489; the first row is drawn at random. All rows are compared with
    all picks, in products of matrices: with d features, about 2 n k d operations.

    Parameters
    ----------
    $ratio
    $embedding
    $image_shape
    $missing_label
    $random_state

    Attributes
    ----------
    $pick_order

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.baselines import KCenterPruner
    >>> X = np.array([[0.0], [0.1], [5.0], [9.0]])
    >>> sorted(KCenterPruner(3, random_state=0).fit_transform(X).ravel().tolist())[1:]
    [5.0, 9.0]
    """

    def __init__(self, ratio=0.5, *, embedding=None, image_shape=None, missing_label="auto", random_state=None):
        self.ratio = ratio
        self.embedding = embedding
        self.image_shape = image_shape
        self.missing_label = missing_label
        self.random_state = random_state

    def _pick(self, inputs, k, rng):
        return farthest_first(inputs, k, int(rng.integers(len(inputs))))


@fill_docstring(**BASELINE_TEXTS)
class HerdingPruner(GreedyPruner):
    """Pick rows so that their mean stays as close as possible to the mean of the pool (herding).

    Introduced by Welling, "Herding dynamical weights to learn", ICML 2009; here in the form of DeepCore, arXiv 2204.08499, but
    over the whole pool instead of each class, because few labels are known. It takes k passes over the features.

    Parameters
    ----------
    $ratio
    $embedding
    $image_shape
    $missing_label
    $random_state

    Attributes
    ----------
    $pick_order

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.baselines import HerdingPruner
    >>> HerdingPruner(3, random_state=0).fit_transform(np.array([[0.0], [1.0], [2.0], [9.0]])).ravel()
    array([1., 2., 9.])
    """

    def __init__(self, ratio=0.5, *, embedding=None, image_shape=None, missing_label="auto", random_state=None):
        self.ratio = ratio
        self.embedding = embedding
        self.image_shape = image_shape
        self.missing_label = missing_label
        self.random_state = random_state

    def _pick(self, inputs, k, rng):
        features = inputs  # of mean 0
        squares = np.einsum("ij,ij->i", features, features)
        total = np.zeros(features.shape[1])
        penalty = np.zeros(len(features))  # infinite for rows that are picked
        picked = []
        for _ in range(k):
            # the row that makes |total + x|^2 least; |total|^2 is the same for all
            place = int((squares + 2.0 * (features @ total) + penalty).argmin())
            picked.append(place)
            penalty[place] = np.inf
            total += features[place]
        return picked
