"""What all selectors share: counts, class balance, rows that must stay."""

from abc import ABC, abstractmethod
from importlib import import_module
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state

from skprune._registry import lookup
from skprune.selection._counts import allocate, kept_count

__all__ = ["BaseSelector", "get_selector", "kept_count", "names"]

_NAMES = {
    "random": ("_ranked", "Random"),
    "hardest": ("_ranked", "Hardest"),
    "easiest": ("_ranked", "Easiest"),
    "cutoff": ("_ranked", "Cutoff"),
    "moderate": ("_ranked", "Moderate"),
    "window": ("_ranked", "Window"),
    "stratified": ("_stratified", "Stratified"),
    "beta": ("_beta", "Beta"),
    "d2": ("_graph", "D2"),
    "k_center": ("_cover", "KCenter"),
    "facility_location": ("_graph", "FacilityLocation"),
}


def names():
    """List the names of the selectors.

    Returns
    -------
    list of str
        Sorted names, each accepted by ``SemiPrune(selection=...)``.

    Examples
    --------
    >>> from skprune.selection import names
    >>> "beta" in names()
    True
    """
    return sorted(_NAMES)


def get_selector(selection):
    """Return a fresh selector for a name or an object.

    Parameters
    ----------
    selection : str or selector
        A name out of :func:`names`, or an object with ``select``, which is cloned.

    Returns
    -------
    BaseSelector
        Unshared.

    Raises
    ------
    ValueError
        The name is unknown.
    TypeError
        The object has no ``select``.

    Examples
    --------
    >>> from skprune.selection import get_selector
    >>> get_selector("cutoff")
    Cutoff()
    """
    if isinstance(selection, str):
        module, name = lookup(selection, _NAMES, "selection")
        return getattr(import_module(f"skprune.selection.{module}"), name)()
    if isinstance(selection, type) or not hasattr(selection, "select"):
        raise TypeError(f"selection must be a name or an object with select(scores, ratio, ...), got {selection!r}.")
    return clone(selection)


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
            The recorded dynamics; read by Beta.
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
        scores = _check_scores(scores)
        n = len(scores)
        k = kept_count(ratio, n)
        self.check(k, n)
        must = _check_mask(must_keep, n, "must_keep")
        if must.sum() > k:
            raise ValueError(f"{int(must.sum())} rows must be kept, above the {k} rows that ratio={ratio!r} keeps.")
        read = self._read(n, dynamics=dynamics, embedding=embedding, error_probability=error_probability)
        codes = self._check_classes(y, n)
        rng = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
        if self.class_balanced is not None:
            return self._select_balanced(scores, k, codes, must, read, rng)
        mask = self._select_rows(scores, np.arange(n), k, must, read, rng)
        if self.min_per_class:
            mask = self._raise_minimum(mask, scores, k, codes, must, read, rng)
        return mask

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
        """Return positions, those to keep first; at least k of them, without those that are dropped.

        `read` is what `_read` returned, of the rows of `scores`.
        """

    def _capacity(self, n_samples):
        """Return how many of n rows may be kept; for an array, of each."""
        return n_samples

    def _read(self, n_samples, *, dynamics, embedding, error_probability):
        """Return what the strategy reads of each row besides its score, an array with a first axis of rows; None for most."""
        return None

    def _select_rows(self, scores, rows, k, must, read, rng):
        """Choose k among `rows`: those that must stay, then the others in the order of the strategy."""
        mask = np.zeros(len(scores), dtype=bool)
        forced = rows[must[rows]]
        mask[forced] = True
        if k > len(forced):
            part = None if read is None else read[rows]
            order = rows[self._order(scores[rows], k, part, rng)]
            mask[order[~must[order]][: k - len(forced)]] = True
        return mask

    def _select_balanced(self, scores, k, codes, must, read, rng):
        sizes = np.bincount(codes)
        forced = np.bincount(codes[must], minlength=len(sizes))
        capacity = self._capacity(sizes)
        lower = np.maximum(forced, np.minimum(self._least(k, sizes, must), capacity))
        counts = allocate(k, self._class_weights(sizes), lower, np.maximum(forced, capacity), rng)
        mask = np.zeros(len(scores), dtype=bool)
        for code in np.flatnonzero(counts):
            mask |= self._select_rows(scores, np.flatnonzero(codes == code), counts[code], must, read, rng)
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

    def _raise_minimum(self, mask, scores, k, codes, must, read, rng):
        """Reserve rows for the classes below their minimum, and choose the rest again, until none is below it."""
        sizes = np.bincount(codes)
        wanted = np.minimum(self._least(k, sizes, must), self._capacity(sizes))
        if wanted.sum() > k:
            raise ValueError(
                f"min_per_class={self.min_per_class} needs {int(wanted.sum())} rows, above the {k} to keep."
            )
        reserved = must.copy()
        while (short := np.bincount(codes[mask], minlength=len(sizes)) < wanted).any():
            for code in np.flatnonzero(short):
                rows = np.flatnonzero(codes == code)
                reserved |= self._select_rows(scores, rows, wanted[code], must, read, rng)
            if reserved.sum() > k:
                raise ValueError(
                    f"min_per_class={self.min_per_class} and must_keep need {int(reserved.sum())} rows, above the {k} to "
                    "keep."
                )
            mask = self._select_rows(scores, np.arange(len(scores)), k, reserved, read, rng)
        return mask

    def _check_classes(self, y, n):
        if self.class_balanced is None and not self.min_per_class:
            return None
        if y is None:
            raise ValueError("class_balanced and min_per_class need y, the class index of each row.")
        codes = np.asarray(y)
        if codes.shape != (n,) or codes.dtype.kind not in "iu" or codes.min() < 0:
            raise ValueError(f"y must hold {n} class indices 0..K-1.")
        return codes


class EmbeddingSelector(BaseSelector):
    """A selector that looks at features; a subclass defines ``_pick``, which returns k positions in the order of the picks."""

    def _read(self, n_samples, *, dynamics, embedding, error_probability):
        if embedding is None:
            raise ValueError(f"{type(self).__name__} needs embedding: the features of the rows.")
        features = np.asarray(embedding, dtype=np.float64)
        if features.ndim != 2 or len(features) != n_samples or not np.isfinite(features).all():
            raise ValueError(f"embedding must be {n_samples} finite rows of numbers, got shape {features.shape}.")
        return features

    def _order(self, scores, k, read, rng):
        places = rng.permutation(len(scores))  # equal rows are picked by chance
        features = read[places]
        return places[self._pick(scores[places], k, features - features.mean(axis=0))]

    @abstractmethod
    def _pick(self, scores, k, features):
        """Return k positions, those picked first in front; the features have mean 0."""


class CutoffSelector(BaseSelector):
    """A selector that drops the hardest rows first."""

    def __init__(self, hard_cutoff=0.0, class_balanced=None, min_per_class=0):
        super().__init__(class_balanced=class_balanced, min_per_class=min_per_class)
        self.hard_cutoff = hard_cutoff

    def check(self, k, n_samples, n_epochs=None):
        """Refuse a cutoff that leaves fewer than k rows; see :meth:`BaseSelector.check`."""
        super().check(k, n_samples, n_epochs)
        dropped_count(self.hard_cutoff, k, n_samples)

    def _capacity(self, n_samples):
        return n_samples - np.floor(self.hard_cutoff * n_samples + 1e-9).astype(np.int64)


def weights_of(scores, power):
    """Turn difficulties into weights within [0, 1]: shifted to 0 where some are below, in units of the highest.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Higher = harder.
    power : float
        The weights are taken to this power.

    Returns
    -------
    ndarray of shape (n_samples,)
        All 1 where no row is harder than another of difficulty 0.

    Examples
    --------
    >>> weights_of(np.array([0.0, 1.0, 2.0]), 2)
    array([0.  , 0.25, 1.  ])
    """
    shifted = scores - min(scores.min(), 0.0)
    return (shifted / shifted.max()) ** power if shifted.max() > 0.0 else np.ones(len(scores))


def hardest_first(scores, rng):
    """Order rows from hard to easy, ties by chance.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Higher = harder.
    rng : numpy.random.Generator
        Breaks ties, with the same draws whatever the number of rows kept, so that top-k sets are nested.

    Returns
    -------
    ndarray of shape (n_samples,), int
        Positions.

    Examples
    --------
    >>> import numpy as np
    >>> hardest_first(np.array([0.1, 0.9, 0.5]), np.random.default_rng(0))
    array([1, 2, 0])
    """
    return np.lexsort((rng.random(len(scores)), -scores))


def dropped_count(hard_cutoff, k, n):
    """Return how many of the hardest rows a cutoff drops, after a check that k rows are left.

    Parameters
    ----------
    hard_cutoff : float in [0, 1)
        The fraction dropped.
    k, n : int
        Rows to keep, and rows.

    Returns
    -------
    int
        ``floor(hard_cutoff * n + 1e-9)``.

    Raises
    ------
    ValueError
        The fraction is outside [0, 1), or fewer than k rows are left.

    Examples
    --------
    >>> dropped_count(0.1, 45, 50)
    5
    """
    if isinstance(hard_cutoff, (bool, str)) or not 0.0 <= hard_cutoff < 1.0:
        raise ValueError(f"hard_cutoff must be within [0, 1), got {hard_cutoff!r}.")
    dropped = int(np.floor(hard_cutoff * n + 1e-9))
    if dropped + k > n:
        raise ValueError(
            f"hard_cutoff={hard_cutoff} drops {dropped} of {n} rows, and a ratio of {k / n:.3g} keeps {k}: together above "
            f"{n}. Lower one of the two."
        )
    return dropped


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
