"""What all selectors share: counts, class balance, rows that must stay, reasons."""

from abc import ABC, abstractmethod
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skprune.selection._counts import allocate, kept_count


class BaseSelector(BaseEstimator, ABC):
    """Base class of the selectors.

    A selector keeps exactly k rows, the same ones for the same `random_state`, and leaves its inputs unchanged.

    Parameters
    ----------
    class_balanced : None, "proportional", "uniform" or dict, default=None
        How k is shared over the classes of `y`: not at all, in proportion to their sizes, evenly as far as the classes
        reach, or in proportion to ``{class index: weight}``. Cutoffs and strata are then those of each class.
    min_per_class : int or float, default=0
        The least number of kept rows of each class of `y`: an integer is a count, a float in [0, 1] a part of an even share of
        the rows that are not kept anyway, rounded down. A class with fewer rows, or fewer behind a cutoff, keeps those it has.
    """

    def __init__(self, class_balanced=None, min_per_class=0):
        self.class_balanced = class_balanced
        self.min_per_class = min_per_class

    def select(
        self,
        scores,
        ratio,
        *,
        dynamics=None,
        y=None,
        labeled=None,
        embedding=None,
        error_probability=None,
        must_keep=None,
        random_state=None,
    ):
        """Choose the rows to keep.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            Difficulties: higher = harder.
        ratio : float in (0, 1] or int
            The fraction kept, or a count.
        dynamics : TrainingDynamics, default=None
            The recorded dynamics; read by Beta, and by Cutoff and Stratified with ``hard_cutoff="auto"``.
        y : array-like of shape (n_samples,), default=None
            Class indices 0..K-1; read for class balance.
        labeled : array-like of shape (n_samples,), bool, default=None
            Rows whose label was given. No selector here reads it; selectors of users may.
        embedding : array-like of shape (n_samples, n_features), default=None
            Features of the rows; read by D2, KCenter and FacilityLocation.
        error_probability : array-like of shape (n_samples,), default=None
            The estimated probability that a label is wrong; read by Beta with `trust`.
        must_keep : array-like of shape (n_samples,), bool, default=None
            Rows that are kept whatever their score; they count inside k.
        random_state : int, RandomState or None, default=None
            Draws, and breaks ties.

        Returns
        -------
        ndarray of shape (n_samples,), bool
            True for exactly k rows.

        Raises
        ------
        ValueError
            A score is not finite, lengths differ, or k is below what must be kept or above what the cutoff leaves.
        """
        data = {"dynamics": dynamics, "embedding": embedding, "error_probability": error_probability}
        return self._decide(scores, ratio, data, y, must_keep, random_state)["mask"]

    def explain(
        self,
        scores,
        ratio,
        *,
        dynamics=None,
        y=None,
        labeled=None,
        embedding=None,
        error_probability=None,
        must_keep=None,
        random_state=None,
    ):
        """Say of each row whether it is kept, why, and how probable that was.

        Parameters
        ----------
        scores, ratio, dynamics, y, labeled, embedding, error_probability, must_keep, random_state
            As in :meth:`select`.

        Returns
        -------
        dict
            "kept" (n_samples,), the mask of :meth:`select`; "why" (n_samples,), str; "probability" (n_samples,), float64, of
            being kept, over the draws: 1 of what must stay and of what is kept by a rule without draws, NaN of what such a rule
            leaves and of what is cut off; of equal scores, between which chance decides, the share that is kept.
            Of Beta it is that of an exponential race, ``1 - exp(-weight * t)`` with the t at which k rows are kept
            (order sampling; Rosén, J. Statist. Plann. Inference 62, 1997, close where k is not very small), of Stratified the
            share of the row's stratum; where classes are balanced or raised to a minimum, given the number of each class.

        Examples
        --------
        >>> from skprune.selection import Cutoff
        >>> Cutoff(hard_cutoff=0.25).explain([0.1, 0.2, 0.3, 0.4], 0.5)["why"].tolist()
        ['not among the hardest behind the cutoff', 'among the hardest behind the cutoff', \
'among the hardest behind the cutoff', 'cut off: too hard']
        """
        data = {"dynamics": dynamics, "embedding": embedding, "error_probability": error_probability}
        found = self._decide(scores, ratio, data, y, must_keep, random_state)
        scores, mask, must, read = (found[name] for name in ("scores", "mask", "must", "read"))
        cut, probability = np.zeros(len(mask), dtype=bool), np.full(len(mask), np.nan)
        for rows, k, members, dropped in found["groups"]:
            part = None if read is None else read[rows]
            chances = self._chances(scores[rows], k, part, mask[rows], members & ~must[rows], dropped[rows])
            probability[rows[members]], cut[rows[members]] = chances[members], dropped[rows[members]]
        probability[must] = 1.0
        why = np.where(mask, self._reason, f"not {self._reason}").astype(object)
        why[cut & ~mask] = "cut off: too hard"
        why[found["reserved"] & mask] = "for min_per_class"
        why[must] = "must stay"
        return {"kept": mask, "why": why, "probability": probability}

    _reason = "chosen"  # why a row is kept; of the others, "not ..."

    def _chances(self, scores, k, read, kept, free, cut):
        """Return the probability of each row to be kept, of those that are `free`, given how many of these are `kept`."""
        return np.where(kept, 1.0, np.nan)

    def _decide(self, scores, ratio, data, y, must_keep, random_state):
        """Choose, and return what was read, the mask, the rows reserved for small classes, and the groups of the choice."""
        scores = _check_scores(scores)
        n = len(scores)
        k = kept_count(ratio, n)
        self.check(k, n)
        must = _check_mask(must_keep, n, "must_keep")
        if must.sum() > k:
            raise ValueError(f"{int(must.sum())} rows must be kept, above the {k} rows that ratio={ratio!r} keeps.")
        read = self._read(n, **data)
        codes = self._check_classes(y, n)
        rng = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
        dropped = np.zeros(n, dtype=bool)
        found = {"scores": scores, "must": must, "read": read, "reserved": np.zeros(n, dtype=bool)}
        if self.class_balanced is not None:
            mask = self._select_balanced(scores, k, codes, must, read, rng, dropped)
            members = [np.flatnonzero(codes == code) for code in np.unique(codes)]
            groups = [(rows, int(mask[rows].sum()), np.ones(len(rows), dtype=bool), dropped) for rows in members]
            return found | {"mask": mask, "groups": groups}
        rows = np.arange(n)
        found["mask"] = self._select_rows(scores, rows, k, must, read, rng, dropped)
        found["groups"] = [(rows, k, np.ones(n, dtype=bool), dropped)]
        if self.min_per_class:
            found |= self._raise_minimum(found["mask"], scores, k, codes, must, read, rng, dropped)
        return found

    def check(self, k, n_samples, n_epochs=None):
        """Refuse parameters that cannot work for k of n rows, before there are any scores.

        Parameters
        ----------
        k, n_samples : int
            Rows to keep, and rows.
        n_epochs : int, default=None
            Epochs that will be recorded, where that is known.

        Raises
        ------
        ValueError
            A parameter is out of range, or a cutoff leaves fewer than k rows.
        """
        least = self.min_per_class
        if isinstance(least, bool) or not (
            (isinstance(least, Integral) and least >= 0) or (isinstance(least, Real) and 0.0 <= least <= 1.0)
        ):
            raise ValueError(f"min_per_class must be an integer of at least 0 or a float within [0, 1], got {least!r}.")
        if not (self.class_balanced in (None, "proportional", "uniform") or isinstance(self.class_balanced, dict)):
            raise ValueError(
                f"class_balanced must be None, 'proportional', 'uniform' or a dict, got {self.class_balanced!r}."
            )
        if isinstance(self.class_balanced, dict):
            weights = np.array(list(self.class_balanced.values()), dtype=np.float64)
            if weights.size == 0 or not np.isfinite(weights).all() or weights.min() < 0 or weights.max() == 0:
                raise ValueError(
                    f"class_balanced needs weights of at least 0, one above 0; got {self.class_balanced!r}."
                )

    def least_per_class(self, k, n_classes, n_forced=0):
        """Return the least number of kept rows of each class.

        Parameters
        ----------
        k, n_classes : int
            Rows to keep, and classes.
        n_forced : int, default=0
            Rows that are kept anyway.

        Returns
        -------
        int
            `min_per_class`, or as many rows as it is a part of.
        """
        if isinstance(self.min_per_class, Integral):
            return int(self.min_per_class)
        return int(self.min_per_class * (k - n_forced) / n_classes + 1e-9)

    @abstractmethod
    def _order(self, scores, k, read, rng):
        """Return positions, those to keep first; at least k of them, without those that are dropped."""

    def _capacity(self, n_samples):
        """Return how many of n rows may be kept; for an array, of each."""
        return n_samples

    def _read(self, n_samples, *, dynamics, embedding, error_probability):
        """Return what the strategy reads of each row besides its score, an array with a first axis of rows; None for most."""
        return None

    def _select_rows(self, scores, rows, k, must, read, rng, dropped):
        """Choose k among `rows`: those that must stay, then the others in the order of the strategy; note what that drops."""
        mask = np.zeros(len(scores), dtype=bool)
        forced = rows[must[rows]]
        mask[forced] = True
        if k > len(forced):
            part = None if read is None else read[rows]
            order = rows[self._order(scores[rows], k, part, rng)]
            dropped[rows] = True
            dropped[order] = False
            mask[order[~must[order]][: k - len(forced)]] = True
        return mask

    def _select_balanced(self, scores, k, codes, must, read, rng, dropped):
        sizes = np.bincount(codes)
        forced = np.bincount(codes[must], minlength=len(sizes))
        capacity = self._capacity(sizes)
        lower = np.maximum(forced, np.minimum(self._least(k, sizes, must), capacity))
        counts = allocate(k, self._class_weights(sizes), lower, np.maximum(forced, capacity), rng)
        mask = np.zeros(len(scores), dtype=bool)
        for code in np.flatnonzero(counts):
            mask |= self._select_rows(scores, np.flatnonzero(codes == code), counts[code], must, read, rng, dropped)
        return mask

    def _least(self, k, sizes, must):
        return self.least_per_class(k, int((sizes > 0).sum()), int(must.sum()))

    def _class_weights(self, sizes):
        if isinstance(self.class_balanced, dict):
            unknown = sorted(set(self.class_balanced) - set(range(len(sizes))))
            if unknown:
                raise ValueError(f"class_balanced names classes that do not occur: {unknown}.")
            return np.array([self.class_balanced.get(code, 0.0) for code in range(len(sizes))], dtype=np.float64)
        if self.class_balanced == "proportional":
            return sizes.astype(np.float64)
        return (sizes > 0).astype(np.float64)

    def _raise_minimum(self, mask, scores, k, codes, must, read, rng, dropped):
        """Reserve rows for the classes below their minimum, and choose the rest again, until none is below it."""
        sizes = np.bincount(codes)
        wanted = np.minimum(self._least(k, sizes, must), self._capacity(sizes))
        if wanted.sum() > k:
            raise ValueError(
                f"min_per_class={self.min_per_class} needs {int(wanted.sum())} rows, above the {k} to keep."
            )
        reserved, raised, cut = must.copy(), np.zeros(len(sizes), dtype=bool), np.zeros(len(scores), dtype=bool)
        while (short := np.bincount(codes[mask], minlength=len(sizes)) < wanted).any():
            raised |= short
            for code in np.flatnonzero(short):
                rows = np.flatnonzero(codes == code)
                reserved |= self._select_rows(scores, rows, wanted[code], must, read, rng, cut)
            if reserved.sum() > k:
                raise ValueError(
                    f"min_per_class={self.min_per_class} and must_keep need {int(reserved.sum())} rows, above the {k} to "
                    "keep."
                )
            mask = self._select_rows(scores, np.arange(len(scores)), k, reserved, read, rng, dropped)
        groups = [(np.arange(len(scores)), k, ~raised[codes], dropped)]
        for code in np.flatnonzero(raised):
            rows = np.flatnonzero(codes == code)
            groups.append((rows, int(wanted[code]), np.ones(len(rows), dtype=bool), cut))
        return {"mask": mask, "reserved": reserved & ~must, "groups": groups}

    def _check_classes(self, y, n):
        if self.class_balanced is None and not self.min_per_class:
            return None
        if y is None:
            raise ValueError("class_balanced and min_per_class need y, the class index of each row.")
        codes = np.asarray(y)
        if codes.shape != (n,) or codes.dtype.kind not in "iu" or codes.min() < 0:
            raise ValueError(f"y must hold {n} class indices 0..K-1.")
        return codes


def _check_scores(scores):
    scores = np.array(scores, dtype=np.float64)
    if scores.ndim != 1 or scores.size == 0:
        raise ValueError(f"scores must be of shape (n_samples,), got {scores.shape}.")
    bad = ~np.isfinite(scores)
    if bad.any():
        raise ValueError(f"The score of row {int(bad.argmax())} is not finite ({int(bad.sum())} such rows).")
    return scores


def _check_mask(mask, n, what):
    if mask is None:
        return np.zeros(n, dtype=bool)
    mask = np.asarray(mask)
    if mask.shape != (n,) or mask.dtype != bool:
        raise ValueError(f"{what} must be a boolean mask of {n} rows, got dtype {mask.dtype}, shape {mask.shape}.")
    return mask
