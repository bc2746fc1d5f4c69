"""Random rows: what every method has to beat."""

import numpy as np

from skprune.baselines._base import LabelFreePruner
from skprune.selection import kept_count


class RandomPruner(LabelFreePruner):
    """Keep rows drawn uniformly, without replacement.

    Parameters
    ----------
    ratio : float in (0, 1] or int, default=0.5
        The fraction KEPT, or a count of rows.
    image_shape : tuple of (C, H, W), default=None
        The shape of each row when images are given as flat rows.
    random_state : int, RandomState or None, default=None
        Of the draw; draws of other ratios from the same fit are nested.

    Attributes
    ----------
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        Uniform in [0, 1); the highest are kept.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.baselines import RandomPruner
    >>> RandomPruner(0.3, random_state=0).fit_transform(np.zeros((10, 2))).shape
    (3, 2)
    """

    def __init__(self, ratio=0.5, *, image_shape=None, random_state=None):
        self.ratio = ratio
        self.image_shape = image_shape
        self.random_state = random_state

    def _look(self, pool, classes, rng):
        return rng.random_sample(len(pool))

    def _choose(self, seen, ratio, seed):
        mask = np.zeros(len(seen), dtype=bool)
        mask[np.argsort(-seen, kind="stable")[: kept_count(ratio, len(seen))]] = True
        return seen, mask
