"""The cutoff rule: how many of the hardest rows are dropped before anything is kept."""

import numpy as np

from skprune._utils._docstrings import fill_docstring
from skprune._utils._parameter_checks import check_number
from skprune.selection._base import BaseSelector
from skprune.selection._ranked import RankedSelector, hardest_first

# mean label probability after an automatic cutoff, chosen on seeds 0 to 2 of examples/benchmarks/selection.py
_DESIRABLE = 0.75


class CutoffSelector(BaseSelector):
    """A selector that drops the hardest rows first."""

    _cuts = True

    def __init__(self, hard_cutoff=0.0, *, class_balanced=None, min_per_class=0):
        super().__init__(class_balanced=class_balanced, min_per_class=min_per_class)
        self.hard_cutoff = hard_cutoff

    def needs(self):
        """Name the inputs that `select` reads; see :meth:`BaseSelector.needs`."""
        return ("dynamics", *super().needs()) if self._is_auto() else super().needs()

    def check(self, k, n_samples, n_epochs=None):
        """Refuse parameters that cannot work; see :meth:`BaseSelector.check`."""
        super().check(k, n_samples, n_epochs)
        check_number("hard_cutoff", self.hard_cutoff, 0, 1, open_at=(1,), words=("auto",))
        if not self._is_auto():
            dropped_count(self.hard_cutoff, k, n_samples)

    def _is_auto(self):
        return isinstance(self.hard_cutoff, str)

    def _after_cutoff(self, draw):
        """Return the rows that the cutoff leaves, from hard to easy."""
        order = hardest_first(draw.scores, draw.rng)
        if self._is_auto():
            return order[desirable_cut(draw.inputs["mean_proba"][order], draw.k) :]
        return order[dropped_count(self.hard_cutoff, draw.k, len(order)) :]

    def _capacity(self, n_samples):
        return n_samples if self._is_auto() else n_samples - share_of(self.hard_cutoff, n_samples)


@fill_docstring()
class Cutoff(CutoffSelector, RankedSelector):
    r"""Drop the hardest rows, which are often mislabeled, and keep the next k (double-end pruning, arXiv 2406.04273).

    With AUM on pseudo-labels it is the Semi-AUM-Cutoff of arXiv 2605.23198.

    Parameters
    ----------
    hard_cutoff : float in [0, 1) or "auto", default=0.0
        The fraction h of hardest rows to drop: :math:`\lfloor h n + 10^{-9} \rfloor` of n. "auto", which is not in these papers,
        drops as many as bring the mean label probability of the next k rows, over the recorded epochs, closest to 0.75: more
        when less is kept, and more in a pool that is hard to learn. It disregards which rows must stay. The value 0.75 was
        found with nets as proxies.
    $class_balanced
    $min_per_class

    Examples
    --------
    >>> from skprune.selection import Cutoff
    >>> Cutoff(hard_cutoff=0.25).select([0.1, 0.2, 0.3, 0.4], 0.5)
    array([False,  True,  True, False])
    """

    _reason = "among the hardest after the cutoff"

    def _order(self, draw):
        return self._after_cutoff(draw)


def share_of(hard_cutoff, n):
    """Return how many of n rows a fixed cutoff drops, as the number means it: 0.3 of 10 is 3."""
    return np.floor(hard_cutoff * n + 1e-9).astype(np.int64)


def dropped_count(hard_cutoff, k, n):
    """Return how many of the hardest rows a fixed cutoff drops, once it is sure that k rows are left."""
    dropped = int(share_of(hard_cutoff, n))
    if dropped + k > n:
        raise ValueError(
            f"hard_cutoff={hard_cutoff} drops {dropped} of {n} rows, and a ratio of {k / n:.3g} keeps {k}: together above "
            f"{n}. Lower one of the two."
        )
    return dropped


def desirable_cut(mean_proba, k):
    """Return how many of the hardest rows to drop, so that the proxy is neither sure of the next k nor lost."""
    excess = np.concatenate([[0.0], np.cumsum(mean_proba - _DESIRABLE)])
    return int(np.abs(excess[k:] - excess[:-k]).argmin())
