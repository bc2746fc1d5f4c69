"""Uniform draws."""

import numpy as np

from skprune._utils._docstrings import fill_docstring
from skprune.selection._base import BaseSelector


@fill_docstring()
class Random(BaseSelector):
    """Keep rows drawn uniformly, without replacement.

    Parameters
    ----------
    $class_balanced
    $min_per_class

    Examples
    --------
    >>> from skprune.selection import Random
    >>> int(Random().select([0.1, 0.2, 0.3, 0.4], 0.5, random_state=0).sum())
    2
    """

    _reason = "drawn"
    _random = True

    def _order(self, draw):
        return draw.rng.permutation(len(draw.scores))

    def _lots(self, group):
        return np.zeros(len(group.rows), dtype=np.int64)
