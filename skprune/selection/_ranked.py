"""Selectors that keep a stretch of the ranking."""

import numpy as np

from skprune._utils._checks import check_number
from skprune.selection._base import BaseSelector
from skprune.selection._kinds import CutoffSelector, RankedSelector, hardest_first


class Random(BaseSelector):
    """Keep rows drawn uniformly, without replacement.

    Parameters
    ----------
    class_balanced : None, "proportional", "uniform" or dict, default=None
        How k is shared over the classes.
    min_per_class : int or float, default=0
        The least number of kept rows of each class; a float: that part of an even share.

    Examples
    --------
    >>> from skprune.selection import Random
    >>> int(Random().select([0.1, 0.2, 0.3, 0.4], 0.5, random_state=0).sum())
    2
    """

    _reason = "drawn"

    def _order(self, scores, k, read, rng):
        return rng.permutation(len(scores))

    def _chances(self, scores, k, read, kept, free, cut):
        return np.full(len(scores), kept[free].sum() / max(1, free.sum()))


class Hardest(RankedSelector):
    """Keep the hardest rows.

    Parameters
    ----------
    class_balanced : None, "proportional", "uniform" or dict, default=None
        How k is shared over the classes.
    min_per_class : int or float, default=0
        The least number of kept rows of each class; a float: that part of an even share.

    Examples
    --------
    >>> from skprune.selection import Hardest
    >>> Hardest().select([0.1, 0.2, 0.3, 0.4], 0.5)
    array([False, False,  True,  True])
    """

    _reason = "among the hardest"

    def _order(self, scores, k, read, rng):
        return hardest_first(scores, rng)


class Easiest(RankedSelector):
    """Keep the easiest rows.

    Parameters
    ----------
    class_balanced : None, "proportional", "uniform" or dict, default=None
        How k is shared over the classes.
    min_per_class : int or float, default=0
        The least number of kept rows of each class; a float: that part of an even share.

    Examples
    --------
    >>> from skprune.selection import Easiest
    >>> Easiest().select([0.1, 0.2, 0.3, 0.4], 0.5)
    array([ True,  True, False, False])
    """

    _reason = "among the easiest"

    def _order(self, scores, k, read, rng):
        return hardest_first(-scores, rng)


class Cutoff(CutoffSelector, RankedSelector):
    """Drop the hardest rows, which are often mislabelled, and keep the next k (double-end pruning, arXiv 2406.04273).

    With AUM on pseudo-labels it is the Semi-AUM-Cutoff of arXiv 2605.23198.

    Parameters
    ----------
    hard_cutoff : float in [0, 1) or "auto", default=0.0
        The fraction of hardest rows to drop: ``floor(hard_cutoff * n + 1e-9)`` of them. "auto", which is not of these papers,
        drops as many as bring the mean label probability of the next k rows, over the recorded epochs, closest to 0.75: more
        when less is kept, and more in a pool that is hard to learn. Rows that must stay are not looked at. It was found
        with nets as proxies.
    class_balanced : None, "proportional", "uniform" or dict, default=None
        How k is shared over the classes; the cutoff is then that of each class.
    min_per_class : int or float, default=0
        The least number of kept rows of each class; a float: that part of an even share.

    Examples
    --------
    >>> from skprune.selection import Cutoff
    >>> Cutoff(hard_cutoff=0.25).select([0.1, 0.2, 0.3, 0.4], 0.5)
    array([False,  True,  True, False])
    """

    _reason = "among the hardest behind the cutoff"

    def _order(self, scores, k, read, rng):
        order = hardest_first(scores, rng)
        return order[self._dropped(order, k, read) :]


class Moderate(RankedSelector):
    """Keep the rows whose scores are closest to the median (in the spirit of arXiv 2210.07916).

    Parameters
    ----------
    class_balanced : None, "proportional", "uniform" or dict, default=None
        How k is shared over the classes; the median is then that of each class.
    min_per_class : int or float, default=0
        The least number of kept rows of each class; a float: that part of an even share.

    Examples
    --------
    >>> from skprune.selection import Moderate
    >>> Moderate().select([0.0, 0.4, 0.5, 0.6, 1.0], 3)
    array([False,  True,  True,  True, False])
    """

    _reason = "among the nearest to the median"

    def _order(self, scores, k, read, rng):
        return hardest_first(-self._ranked_by(scores), rng)

    def _ranked_by(self, scores):
        return np.abs(scores - np.median(scores))


class Window(RankedSelector):
    """Keep a band of neighbouring ranks, from the easiest rows to the hardest (in the spirit of arXiv 2406.03057).

    Parameters
    ----------
    position : float in [0, 1], default=0.5
        Where the band lies among those that are possible: 0 keeps the easiest rows, 1 the hardest, 0.5 those in the middle.
        A fixed ``Cutoff(hard_cutoff)`` is the band at ``1 - hard_cutoff * n / (n - k)``.
    class_balanced : None, "proportional", "uniform" or dict, default=None
        How k is shared over the classes; the band is then that of each class.
    min_per_class : int or float, default=0
        The least number of kept rows of each class; a float: that part of an even share.

    Examples
    --------
    >>> from skprune.selection import Window
    >>> Window().select([0.1, 0.2, 0.3, 0.4], 0.5)
    array([False,  True,  True, False])
    """

    _reason = "in the band"

    def __init__(self, position=0.5, class_balanced=None, min_per_class=0):
        super().__init__(class_balanced=class_balanced, min_per_class=min_per_class)
        self.position = position

    def check(self, k, n_samples, n_epochs=None):
        """Refuse a `position` outside [0, 1]; see :meth:`BaseSelector.check`."""
        super().check(k, n_samples, n_epochs)
        check_number("position", self.position, 0, 1)

    def _order(self, scores, k, read, rng):
        # from the middle of the band: rows that must stay take places at its ends
        start = int(self.position * (len(scores) - k) + 0.5)
        ranks = np.empty(len(scores))
        ranks[hardest_first(-scores, rng)] = np.arange(len(scores))
        return np.argsort(np.abs(ranks - (start + (k - 1) / 2.0)), kind="stable")
