"""Selectors that keep a stretch of the ranking by difficulty."""

import numpy as np

from skprune._utils._docstrings import fill_docstring
from skprune._utils._parameter_checks import check_number
from skprune.selection._base import BaseSelector


class RankedSelector(BaseSelector):
    """A selector by rank, where chance decides only between equal scores."""

    def _lots(self, group):
        return np.unique(self._ranked_by(group.draw.scores), return_inverse=True)[1]

    def _ranked_by(self, scores):
        """Return the values that are ranked."""
        return scores


def hardest_first(scores, rng):
    """Order rows from hard to easy, ties by chance."""
    tie_breakers = rng.random(len(scores))
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    return np.lexsort((tie_breakers, -scores)) if (ranked[1:] == ranked[:-1]).any() else order


@fill_docstring()
class Hardest(RankedSelector):
    """Keep the hardest rows.

    Parameters
    ----------
    $class_balanced
    $min_per_class

    Examples
    --------
    >>> from skprune.selection import Hardest
    >>> Hardest().select([0.1, 0.2, 0.3, 0.4], 0.5)
    array([False, False,  True,  True])
    """

    _reason = "among the hardest"

    def _order(self, draw):
        return hardest_first(draw.scores, draw.rng)


@fill_docstring()
class Easiest(RankedSelector):
    """Keep the easiest rows.

    Parameters
    ----------
    $class_balanced
    $min_per_class

    Examples
    --------
    >>> from skprune.selection import Easiest
    >>> Easiest().select([0.1, 0.2, 0.3, 0.4], 0.5)
    array([ True,  True, False, False])
    """

    _reason = "among the easiest"

    def _order(self, draw):
        return hardest_first(-draw.scores, draw.rng)


@fill_docstring()
class Moderate(RankedSelector):
    """Keep the rows whose scores are closest to the median (in the spirit of arXiv 2210.07916).

    Parameters
    ----------
    $class_balanced
    $min_per_class

    Examples
    --------
    >>> from skprune.selection import Moderate
    >>> Moderate().select([0.0, 0.4, 0.5, 0.6, 1.0], 3)
    array([False,  True,  True,  True, False])
    """

    _reason = "among the nearest to the median"

    def _order(self, draw):
        return hardest_first(-self._ranked_by(draw.scores), draw.rng)

    def _ranked_by(self, scores):
        return np.abs(scores - np.median(scores))


@fill_docstring()
class Window(RankedSelector):
    """Keep a band of consecutive ranks, anywhere from the easiest rows to the hardest (in the spirit of arXiv 2406.03057).

    Parameters
    ----------
    position : float in [0, 1], default=0.5
        Where the band lies among all possible ones: 0 keeps the easiest rows, 1 the hardest, 0.5 those in the middle.
        A fixed ``Cutoff(hard_cutoff)`` is the band at ``1 - hard_cutoff * n / (n - k)``.
    $class_balanced
    $min_per_class

    Examples
    --------
    >>> from skprune.selection import Window
    >>> Window().select([0.1, 0.2, 0.3, 0.4], 0.5)
    array([False,  True,  True, False])
    """

    _reason = "in the band"

    def __init__(self, position=0.5, *, class_balanced=None, min_per_class=0):
        super().__init__(class_balanced=class_balanced, min_per_class=min_per_class)
        self.position = position

    def check(self, k, n_samples, n_epochs=None):
        """Refuse parameters that cannot work; see :meth:`BaseSelector.check`."""
        super().check(k, n_samples, n_epochs)
        check_number("position", self.position, 0, 1)

    def _order(self, draw):
        # outward from the middle of the band: rows that must stay take places at its ends
        n, k = len(draw.scores), draw.k
        start = int(self.position * (n - k) + 0.5)
        ranks = np.empty(n)
        ranks[hardest_first(-draw.scores, draw.rng)] = np.arange(n)
        return np.argsort(np.abs(ranks - (start + (k - 1) / 2.0)), kind="stable")
