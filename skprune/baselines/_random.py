"""Random rows: what every method has to beat."""

import numpy as np

from skprune._utils._axes import check_image_shape
from skprune._utils._docstrings import fill_docstring
from skprune._utils._given_rows import unread_rows
from skprune.baselines._base import LabelFreePruner
from skprune.selection import kept_count


@fill_docstring()
class RandomPruner(LabelFreePruner):
    """Keep rows drawn uniformly at random, without replacement.

    Coresets of several ratios from the same fit are nested. X is not read: it may hold rows of any kind.

    Parameters
    ----------
    $ratio
    $image_shape
    $missing_label
    $random_state

    Attributes
    ----------
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        Uniform random numbers in [0, 1); rows with the highest are kept.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.baselines import RandomPruner
    >>> RandomPruner(0.3, random_state=0).fit_transform(np.zeros((10, 2))).shape
    (3, 2)
    """

    def __init__(self, ratio=0.5, *, image_shape=None, missing_label="auto", random_state=None):
        self.ratio = ratio
        self.image_shape = image_shape
        self.missing_label = missing_label
        self.random_state = random_state

    def _read_rows(self, X, like=()):
        if self.image_shape is not None:
            check_image_shape(self.image_shape)
        return unread_rows(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.no_validation = True
        return tags

    def _inspect(self, rows, classes, rng):
        return rng.random_sample(len(rows))

    def _choose(self, trace, ratio, seed):
        mask = np.zeros(len(trace), dtype=bool)
        mask[np.argsort(-trace, kind="stable")[: kept_count(ratio, len(trace))]] = True
        return trace, mask
