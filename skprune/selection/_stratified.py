"""Coverage-centric selection."""

import numpy as np

from skprune._utils._docstrings import fill_docstring
from skprune.selection._cutoff import CutoffSelector

N_STRATA = 50


@fill_docstring()
class Stratified(CutoffSelector):
    """Coverage-centric coreset selection (CCS, arXiv 2210.15809, algorithm 1).

    Drops the hardest rows, divides the range of the remaining scores into 50 strata of equal width, and shares k among the
    strata, the smallest first, so that each gives the same number as far as it reaches. Within a stratum, rows are drawn
    uniformly.

    Parameters
    ----------
    hard_cutoff : float in [0, 1) or "auto", default=0.0
        The fraction of hardest rows to drop first; "auto" drops those that :class:`Cutoff` drops.
    $class_balanced
    $min_per_class

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.selection import Stratified
    >>> mask = Stratified().select(np.linspace(0, 1, 100), 0.5, random_state=0)
    >>> int(mask[:50].sum()), int(mask[50:].sum())
    (25, 25)
    """

    _reason = "drawn in its stratum"
    _random = True

    def _order(self, draw):
        rows, rng = self._after_cutoff(draw), draw.rng
        stratum = strata(draw.scores[rows], N_STRATA)
        sizes = np.bincount(stratum, minlength=N_STRATA)
        budgets = stratum_budgets(draw.k, sizes, rng)
        order = np.lexsort((rng.random(len(rows)), stratum))
        first = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        place_in_stratum = np.arange(len(rows)) - first[stratum[order]]
        chosen = place_in_stratum < budgets[stratum[order]]
        return rows[np.concatenate([rng.permutation(order[chosen]), rng.permutation(order[~chosen])])]

    def _lots(self, group):
        scores, dropped = group.draw.scores, group.dropped
        eligible = ~dropped | (scores == scores[~dropped].max())  # chance decides which of equal scores are cut off
        stratum = np.full(len(scores), -1)
        stratum[eligible] = strata(scores[eligible], N_STRATA)
        return stratum


def strata(scores, n_strata):
    """Divide the range of the scores into strata of equal width; the maximum belongs to the last."""
    low, high = scores.min(), scores.max()
    half = high / 2 - low / 2
    if not half > 0:
        return np.zeros(len(scores), dtype=np.int64)
    place = (scores / 2 - low / 2) / half
    return np.minimum((place * n_strata).astype(np.int64), n_strata - 1)


def stratum_budgets(k, sizes, rng):
    """Share k among strata, the smallest first: each gives its size or the even share of what is left."""
    budgets = np.zeros(len(sizes), dtype=np.int64)
    for n_done, stratum in enumerate(np.lexsort((rng.random(len(sizes)), sizes))):
        budgets[stratum] = min(sizes[stratum], (k - budgets.sum()) // (len(sizes) - n_done))
    return budgets
