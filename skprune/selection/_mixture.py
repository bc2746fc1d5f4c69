"""Mixture: a share of the rows by one selector, the others by another."""

import numpy as np
from sklearn.base import BaseEstimator

from skprune._utils._doc_links import DocLinks
from skprune._utils._parameter_checks import check_number
from skprune.selection._base import BaseSelector, needed_inputs
from skprune.selection._counts import capacity_of, kept_count
from skprune.selection._draw import interleave
from skprune.selection._inputs import check_mask
from skprune.selection._own_selector import OwnSelector


class Mixture(DocLinks, BaseEstimator):
    """Let one selector choose a share of the rows, and another the rest among the rows that are left.

    Parameters
    ----------
    first : selector
        Such as :class:`KMeans`. It chooses as if it were alone, beside the rows that must stay.
    second : selector
        Such as :class:`Beta`. What `first` keeps counts toward its `class_balanced` and `min_per_class`.
    share : float in [0, 1], default=0.5
        The share of the kept rows that `first` chooses, rounded down; less where `second` needs the room for its
        `min_per_class`.

    Notes
    -----
    A selector of your own that is no :class:`BaseSelector` is asked for its part among the rows that neither must stay nor are
    chosen before, and gets no `must_keep`. Without ``propose``, its hardest rows come first in the order of proposal.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.selection import Hardest, KMeans, Mixture
    >>> rows = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
    >>> scores = [0.1, 0.2, 0.3, 0.1, 0.2, 0.3]
    >>> np.flatnonzero(Mixture(KMeans(), second=Hardest()).select(scores, 4, embedding=rows, random_state=0))
    array([1, 2, 4, 5])
    """

    def __init__(self, first, *, second, share=0.5):
        self.first = first
        self.second = second
        self.share = share

    @property
    def min_per_class(self):
        """That of `second`."""
        return whole(self.second).min_per_class

    def needs(self):
        """Name the inputs that `select` reads.

        Returns
        -------
        tuple of str
            What either selector needs.

        Raises
        ------
        TypeError
            If one of them is no selector, such as a name or a class.
        """
        for name in ("first", "second"):
            selector = getattr(self, name)
            if isinstance(selector, type) or not hasattr(selector, "select"):
                raise TypeError(f"{name} must be a selector, such as KMeans(), got {selector!r}.")
        return tuple(dict.fromkeys((*needed_inputs(self.first), *needed_inputs(self.second))))

    def check(self, k, n_samples, n_epochs=None):
        """Refuse parameters that cannot work for k of n rows, before there are any scores.

        Parameters
        ----------
        k, n_samples : int
            The number of rows to keep, and the number of rows.
        n_epochs : int, default=None
            The number of epochs that will be recorded, where it is known.

        Raises
        ------
        ValueError
            A parameter of the mixture or of one of its selectors is out of range.
        """
        self.needs()  # which refuses what is no selector
        check_number("share", self.share, 0, 1)
        n_first = int(self.share * k)
        if n_first:
            whole(self.first).check(n_first, n_samples, n_epochs)
        whole(self.second).check(k, n_samples, n_epochs)

    def least_per_class(self, k, n_classes, *, n_forced=0):
        """Return the least number of kept rows of each class, which is that of `second`.

        Parameters
        ----------
        k, n_classes : int
            The number of rows to keep, and the number of classes.
        n_forced : int, default=0
            The number of rows that are kept anyway.

        Returns
        -------
        int
            As :meth:`BaseSelector.least_per_class`.
        """
        return whole(self.second).least_per_class(k, n_classes, n_forced=n_forced)

    def select(self, scores, ratio, *, must_keep=None, **inputs):
        """Choose the rows to keep.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            Difficulties: higher = harder.
        ratio : float in (0, 1] or int
            The fraction of rows to KEEP, or their number.
        must_keep : array-like of shape (n_samples,), bool, default=None
            Rows to keep whatever their score; they count toward k.
        **inputs
            What the selectors need, and `random_state`, as in :meth:`BaseSelector.select`.

        Returns
        -------
        ndarray of shape (n_samples,), bool
            True for exactly k rows.
        """
        share, must_keep, inputs_of_first = self._first_choice(scores, ratio, must_keep, inputs)
        kept = np.zeros(len(must_keep), dtype=bool)
        if share:
            kept = whole(self.first).select(scores, share, **inputs_of_first)
        return whole(self.second).select(scores, ratio, must_keep=kept | must_keep, **inputs)

    def propose(self, scores, ratio, *, must_keep=None, **inputs):
        """Choose the rows to keep, and put them in an order in which each prefix is a coreset as well.

        Parameters
        ----------
        scores, ratio, must_keep, **inputs
            As in :meth:`select`.

        Returns
        -------
        ndarray of shape (n_kept,), int
            The rows of :meth:`select`; those of both selectors are spread over it, each in its own order.
        """
        share, must_keep, inputs_of_first = self._first_choice(scores, ratio, must_keep, inputs)
        before = np.zeros(0, dtype=np.int64)
        if share:
            before = whole(self.first).propose(scores, share, **inputs_of_first)
        before = before[~must_keep[before]]
        taken = must_keep.copy()
        taken[before] = True
        rest = whole(self.second).propose(scores, ratio, must_keep=taken, **inputs)
        return interleave([before, np.flatnonzero(must_keep), rest[~taken[rest]]])

    def explain(self, scores, ratio, *, must_keep=None, **inputs):
        """Say for each row whether it is kept, why, and how probable that was.

        Parameters
        ----------
        scores, ratio, must_keep, **inputs
            As in :meth:`select`.

        Returns
        -------
        dict
            As in :meth:`BaseSelector.explain`; the probability covers the chances with both selectors.
        """
        share, must_keep, inputs_of_first = self._first_choice(scores, ratio, must_keep, inputs)
        if not share:
            return whole(self.second).explain(scores, ratio, must_keep=must_keep, **inputs)
        first = whole(self.first).explain(scores, share, **inputs_of_first)
        both = whole(self.second).explain(scores, ratio, must_keep=first["kept"] | must_keep, **inputs)
        chosen = first["kept"] & ~must_keep
        chances, later = (np.nan_to_num(found["probability"]) for found in (first, both))
        later[chosen] = 0.0
        probability = np.where(must_keep, 1.0, chances + (1.0 - chances) * later)
        return {
            "kept": both["kept"],
            "why": np.where(chosen, first["why"], both["why"]),
            "probability": np.where(probability > 0, probability, np.nan),
        }

    def _capacity(self, n_samples):
        """Return how many of n rows both selectors may keep together."""
        by_first = capacity_of(self.first, n_samples) / self.share if self.share else n_samples
        return min(int(by_first), capacity_of(self.second, n_samples))

    def _first_choice(self, scores, ratio, must_keep, inputs):
        """Return the ratio that the first selector keeps, 0 for nothing, the rows that must stay, and what it reads."""
        n_samples = len(scores)
        k = kept_count(ratio, n_samples)
        self.check(k, n_samples)
        must_keep = check_mask("must_keep", must_keep, n_samples)
        n_forced = int(must_keep.sum())
        n_first = int(self.share * (k - n_forced))
        if "y" in inputs:
            n_classes = len(np.unique(inputs["y"]))
            least = n_classes * self.least_per_class(k, n_classes, n_forced=n_forced + n_first)
            n_first = max(0, min(n_first, k - n_forced - least))
        if n_first and n_forced:
            return (n_forced + n_first) / n_samples, must_keep, inputs | {"must_keep": must_keep}
        return n_first / n_samples, must_keep, inputs


def whole(selector):
    """Return a selector with all methods of selectors, whoever wrote it."""
    return selector if isinstance(selector, (BaseSelector, Mixture)) else OwnSelector(selector)
