"""Coverage-centric selection."""

import numpy as np

from skprune.selection._kinds import CutoffSelector, hardest_first

N_STRATA = 50


class Stratified(CutoffSelector):
    """Coverage-centric coreset selection (CCS, arXiv 2210.15809, algorithm 1).

    Drops the hardest rows, cuts the range of the other scores into 50 strata of equal width, and shares k over the
    strata, the smallest first, so that each gives the same number as far as it reaches. Within a stratum rows are drawn
    uniformly.

    Parameters
    ----------
    hard_cutoff : float in [0, 1) or "auto", default=0.0
        The fraction of hardest rows to drop first; "auto" drops those that :class:`Cutoff` drops.
    class_balanced : None, "proportional", "uniform" or dict, default=None
        How k is shared over the classes; cutoff and strata are then those of each class.
    min_per_class : int or float, default=0
        The least number of kept rows of each class; a float: that part of an even share.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.selection import Stratified
    >>> mask = Stratified().select(np.linspace(0, 1, 100), 0.5, random_state=0)
    >>> int(mask[:50].sum()), int(mask[50:].sum())
    (25, 25)
    """

    _reason = "drawn in its stratum"

    def _order(self, scores, k, read, rng):
        rows = hardest_first(scores, rng)
        rows = rows[self._dropped(rows, k, read) :]
        stratum = strata(scores[rows], N_STRATA)
        budgets = stratum_budgets(k, np.bincount(stratum, minlength=N_STRATA), rng)
        order = np.lexsort((rng.random(len(rows)), stratum))
        first = np.concatenate(([0], np.cumsum(np.bincount(stratum, minlength=N_STRATA))[:-1]))
        place = np.arange(len(rows)) - first[stratum[order]]
        chosen = place < budgets[stratum[order]]
        return rows[np.concatenate([rng.permutation(order[chosen]), rng.permutation(order[~chosen])])]

    def _chances(self, scores, k, read, kept, free, cut):
        behind = ~cut | (scores == scores[~cut].max())  # chance decides which of equal scores are cut
        stratum = np.zeros(len(scores), dtype=np.int64)
        stratum[behind] = strata(scores[behind], N_STRATA)
        counted = behind & free
        sizes, taken = (np.bincount(stratum[rows], minlength=N_STRATA) for rows in (counted, counted & kept))
        return np.where(behind, (taken / np.maximum(sizes, 1))[stratum], np.nan)


def strata(scores, n_strata):
    """Cut the range of the scores into strata of equal width; the maximum belongs to the last."""
    low, high = scores.min(), scores.max()
    half = high / 2 - low / 2
    if not half > 0:
        return np.zeros(len(scores), dtype=np.int64)
    place = (scores / 2 - low / 2) / half
    return np.minimum((place * n_strata).astype(np.int64), n_strata - 1)


def stratum_budgets(k, sizes, rng):
    """Share k over strata, the smallest first: each gives its size or the even share of what is left."""
    budgets = np.zeros(len(sizes), dtype=np.int64)
    for done, stratum in enumerate(np.lexsort((rng.random(len(sizes)), sizes))):
        budgets[stratum] = min(sizes[stratum], (k - budgets.sum()) // (len(sizes) - done))
    return budgets
