"""What all selectors share: exact counts, class balance, rows that must stay, and reasons."""

from abc import ABC, abstractmethod
from dataclasses import replace
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator

from skprune._utils._doc_links import DocLinks
from skprune._utils._docstrings import fill_docstring
from skprune._utils._forks import limit_forked_threads
from skprune._utils._parameter_checks import check_count_or_fraction, check_option
from skprune._utils._seeds import random_state_of
from skprune.selection._counts import allocate, check_class_balanced, check_forced, class_weights, kept_count
from skprune.selection._draw import Decision, Draw, Group, Part
from skprune.selection._inputs import (
    CHECKS,
    MEANINGS,
    check_mask,
    check_needs,
    check_scores,
    mean_label_probability,
)


@fill_docstring()
class BaseSelector(DocLinks, BaseEstimator, ABC):
    """Base class of the selectors.

    A selector keeps exactly k rows, keeps the same rows for the same `random_state`, and leaves its inputs unchanged.

    Parameters
    ----------
    $class_balanced
    $min_per_class

    Notes
    -----
    There are two ways to write a selector of your own.

    - Any estimator with ``select(scores, ratio, **others) -> mask`` will do. An optional method ``needs()`` that returns
      names such as ``("embedding",)`` says which of the others it reads; pruners that do not have them refuse it early.
    - A subclass of BaseSelector defines ``_order(draw)``, which returns row positions, those to keep first in front. Class
      balance, `min_per_class` and rows that must stay then work as in every other selector. ``draw`` has ``scores`` and
      ``k``, the random generator ``rng``, and ``inputs``, a dict of arrays with an entry for each row: "y", "embedding",
      "error_probability", "uncertainty" and "labeled" where :meth:`needs` names them, and "mean_proba", the mean probability
      of each label over the epochs, where it names "dynamics". An override of ``needs`` adds to ``super().needs()``.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.selection import BaseSelector
    >>> class Trusted(BaseSelector):
    ...     def needs(self):
    ...         return (*super().needs(), "error_probability")
    ...
    ...     def _order(self, draw):
    ...         return np.argsort(draw.inputs["error_probability"], kind="stable")
    >>> Trusted().select([0.1, 0.2, 0.3, 0.4], 0.5, error_probability=[0.9, 0.0, 0.8, 0.1])
    array([False,  True, False,  True])
    """

    def __init__(self, *, class_balanced=None, min_per_class=0):
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
        uncertainty=None,
        must_keep=None,
        random_state=None,
    ):
        """Choose the rows to keep.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            Difficulties: higher = harder.
        ratio : float in (0, 1] or int
            The fraction of rows to KEEP, or their number.
        dynamics : TrainingDynamics, default=None
            The recorded training dynamics.
        y : array-like of shape (n_samples,), default=None
            Class indices 0..K-1.
        labeled : array-like of shape (n_samples,), bool, default=None
            Whether each label was given. No selector of this package reads it; yours may.
        embedding : array-like of shape (n_samples, n_features), default=None
            Features of the rows.
        error_probability : array-like of shape (n_samples,), default=None
            The estimated probability that each label is wrong.
        uncertainty : array-like of shape (n_samples,), default=None
            How uncertain the class of each row is, in [0, 1].
        must_keep : array-like of shape (n_samples,), bool, default=None
            Rows to keep whatever their score; they count toward k.
        random_state : int, RandomState or None, default=None
            Seed of the draws, ties among equal scores included.

        Returns
        -------
        ndarray of shape (n_samples,), bool
            True for exactly k rows.

        Raises
        ------
        ValueError
            Something that :meth:`needs` names is missing, a score is not finite, lengths differ, or k is less than what must
            be kept or more than a cutoff leaves.
        """
        draw = self._draw(
            scores,
            ratio,
            dynamics=dynamics,
            y=y,
            labeled=labeled,
            embedding=embedding,
            error_probability=error_probability,
            uncertainty=uncertainty,
            must_keep=must_keep,
            random_state=random_state,
        )
        return self._decide(draw).kept

    def propose(self, scores, ratio, **inputs):
        """Choose the rows to keep, and put them in an order in which each prefix is a coreset as well.

        Parameters
        ----------
        scores, ratio, **inputs
            As in :meth:`select`.

        Returns
        -------
        ndarray of shape (n_kept,), int
            The rows of :meth:`select`, in the order in which the selector picks them; classes and rows that must stay are
            spread over it.

        Examples
        --------
        >>> from skprune.selection import Hardest
        >>> Hardest().propose([0.1, 0.2, 0.3, 0.4], 0.75)
        array([3, 2, 1])
        """
        return self._decide(self._draw(scores, ratio, **inputs)).order()

    def explain(self, scores, ratio, **inputs):
        r"""Say for each row whether it is kept, why, and how probable that was.

        Parameters
        ----------
        scores, ratio, **inputs
            As in :meth:`select`.

        Returns
        -------
        dict
            "kept", the mask of :meth:`select`; "why", an array of str; and "probability", in float64, each of shape
            (n_samples,). The probability is that of being kept, over repeated draws, or for KMeans over draws of a row from each
            of the clusters that were found, which other draws may cut otherwise. It is in (0, 1] for every kept row, 1 for rows
            that must stay and for those that a rule without chance keeps, and NaN for rows that such a rule leaves out or that
            are cut off. Where chance decides between equal scores, it is the share of them that is kept; for Stratified, the
            share of the row's stratum. For Beta it is that of an exponential race,
            :math:`1 - \exp(-w_i t)`, with the time t at which k rows are kept (order sampling; Rosén, J. Statist. Plann.
            Inference 62, 1997; accurate unless k is very small). With `class_balanced` or `min_per_class` it is conditional
            on the number kept of each class; a row of a class that `min_per_class` raises has two chances, the draw within
            its class and the draw among all rows, and the probability covers both.

        Examples
        --------
        >>> from skprune.selection import Cutoff
        >>> Cutoff(hard_cutoff=0.25).explain([0.1, 0.2, 0.3, 0.4], 0.5)["why"].tolist()
        ['not among the hardest after the cutoff', 'among the hardest after the cutoff',
        'among the hardest after the cutoff', 'cut off: too hard']
        """
        draw = self._draw(scores, ratio, **inputs)
        decision = self._decide(draw)
        kept, probability, cut = decision.kept, np.full(len(decision.kept), np.nan), np.zeros(len(decision.kept), bool)
        for group in decision.groups:
            lots = self._lots(group)
            for part in decision.parts:
                rows = group.rows[part.positions]
                cut[rows] = group.dropped[part.positions] & (part.first is None or part.first.dropped)
                free = ~draw.must_keep[rows]
                probability[rows] = self._chances(lots[part.positions], kept[rows], free, part.first)
        probability[draw.must_keep] = 1.0
        why = np.where(kept, self._reason, f"not {self._reason}").astype(object)
        why[cut & ~kept] = "cut off: too hard"
        why[decision.reserved] = "for min_per_class"
        why[draw.must_keep] = "must stay"
        return {"kept": kept, "why": why, "probability": probability}

    def needs(self):
        """Name the inputs that :meth:`select` reads with the present parameters, besides scores and ratio.

        Returns
        -------
        tuple of str
            Names among "dynamics", "y", "embedding", "error_probability", "uncertainty" and "labeled"; `select` refuses to run
            without them.

        Examples
        --------
        >>> from skprune.selection import Cutoff
        >>> Cutoff(0.1).needs(), Cutoff("auto", min_per_class=2).needs()
        ((), ('dynamics', 'y'))
        """
        return ("y",) if self.class_balanced is not None or self.min_per_class else ()

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
            A parameter is out of range, or a cutoff leaves fewer than k rows.
        """
        check_count_or_fraction("min_per_class", self.min_per_class)
        check_class_balanced(self.class_balanced)

    def least_per_class(self, k, n_classes, *, n_forced=0):
        """Return the least number of kept rows of each class.

        Parameters
        ----------
        k, n_classes : int
            The number of rows to keep, and the number of classes.
        n_forced : int, default=0
            The number of rows that are kept anyway.

        Returns
        -------
        int
            `min_per_class` where it is a count, or that fraction of an even share of the rows that are not forced.

        Examples
        --------
        >>> from skprune.selection import Random
        >>> Random(min_per_class=0.5).least_per_class(100, 10)
        5
        """
        if isinstance(self.min_per_class, Integral):
            return int(self.min_per_class)
        return int(self.min_per_class * (k - n_forced) / n_classes + 1e-9)

    _reason = "chosen"  # why a row is kept; of the others, "not ..."
    _cuts = False  # whether rows that are missing from the order are cut off as too hard
    _random = False  # whether chance decides about every row, and not only between equal ones
    _epochs_read = None  # the number of epochs over which label probabilities are averaged; None: all

    @abstractmethod
    def _order(self, draw):
        """Return positions, those to keep first in front: at least k, of which `must_keep` may cover some."""

    def _capacity(self, n_samples):
        """Return how many of n rows may be kept, elementwise for an array."""
        return n_samples

    def _lots(self, group):
        """Return a cell for each row; rows of one cell have equal chances, and those of cell -1 have none."""
        return np.arange(len(group.rows))

    def _chances(self, lots, kept, free, first):
        """Return the probability of each row of a part, given how many free rows are kept; forced rows do not matter."""
        if first is not None:
            pairs = np.stack([lots, self._lots(first)])
            cells = np.unique(pairs, axis=1, return_inverse=True)[1].ravel()
            lots = np.where((pairs < 0).all(axis=0), -1, cells)
        n_free, n_kept = (
            np.bincount(lots[rows] + 1, minlength=lots.max() + 2)[lots + 1] for rows in (free, free & kept)
        )
        hopeless = (lots < 0) | ((n_kept == 0) & (not self._random))
        return np.where(hopeless, np.nan, n_kept / np.maximum(n_free, 1))

    def _draw(
        self,
        scores,
        ratio,
        *,
        dynamics=None,
        y=None,
        labeled=None,
        embedding=None,
        error_probability=None,
        uncertainty=None,
        must_keep=None,
        random_state=None,
    ):
        """Return the checked inputs of `select` as the draw of k among all rows."""
        limit_forked_threads()
        given = {
            "dynamics": dynamics,
            "y": y,
            "embedding": embedding,
            "error_probability": error_probability,
            "uncertainty": uncertainty,
            "labeled": labeled,
        }
        scores = check_scores(scores)
        n = len(scores)
        k = kept_count(ratio, n)
        self.check(k, n)
        must_keep = check_mask("must_keep", must_keep, n)
        check_forced(int(must_keep.sum()), k, ratio)
        needed = needed_inputs(self)
        check_needs(self, needed, [name for name in MEANINGS if given[name] is not None])
        inputs = {name: check(given[name], n) for name, check in CHECKS.items() if name in needed}
        if "dynamics" in needed:
            inputs["mean_proba"] = mean_label_probability(given["dynamics"], n, self._epochs_read)
        rng = np.random.default_rng(random_state_of(random_state).randint(2**31 - 1))
        return Draw(k, scores, must_keep, inputs, rng)

    def _decide(self, draw):
        if self.class_balanced is not None:
            return self._decide_by_class(draw)
        group = self._choose(draw, np.arange(len(draw.scores)))
        return self._raise_minimum(group) if self.min_per_class else Decision.of([group], len(draw.scores))

    def _choose(self, draw, rows):
        """Choose among the rows of a draw: those that must stay, then the others in the order of the strategy."""
        kept, dropped = draw.must_keep.copy(), np.zeros(len(rows), dtype=bool)
        n_free, picked = draw.k - int(kept.sum()), np.zeros(0, dtype=np.int64)
        if n_free > 0:
            order = np.asarray(self._order(draw))
            dropped[:] = self._cuts
            dropped[order] = False
            picked = order[~draw.must_keep[order]][:n_free]
            kept[picked] = True
            if (n_picked := int(kept.sum()) - int(draw.must_keep.sum())) < n_free:
                raise ValueError(
                    f"{type(self).__name__}._order must return at least {n_free} different rows that do not stay anyway, got "
                    f"{n_picked}."
                )
        return Group(rows, draw, kept, dropped, picked)

    def _decide_by_class(self, draw):
        codes = draw.inputs["y"]
        sizes = np.bincount(codes)
        forced = np.bincount(codes[draw.must_keep], minlength=len(sizes))
        capacity = self._capacity(sizes)
        lower = np.maximum(forced, np.minimum(self._least(draw, sizes), capacity))
        weights = class_weights(self.class_balanced, sizes)
        counts = allocate(draw.k, weights, lower, np.maximum(forced, capacity), draw.rng)
        members = {code: np.flatnonzero(codes == code) for code in np.flatnonzero(sizes)}
        groups = [self._choose(draw.among(rows, int(counts[code])), rows) for code, rows in members.items()]
        return Decision.of(groups, len(codes))

    def _least(self, draw, sizes):
        return self.least_per_class(draw.k, int((sizes > 0).sum()), n_forced=int(draw.must_keep.sum()))

    def _raise_minimum(self, overall):
        """Reserve rows for the classes below their minimum, and choose the rest again, until none is below it."""
        draw, codes = overall.draw, overall.draw.inputs["y"]
        sizes = np.bincount(codes)
        wanted = np.minimum(self._least(draw, sizes), self._capacity(sizes))
        if wanted.sum() > draw.k:
            raise ValueError(
                f"min_per_class={self.min_per_class} needs {int(wanted.sum())} rows, above the {draw.k} to keep."
            )
        forced, raised = draw.must_keep.copy(), {}
        while (short := np.bincount(codes[overall.kept], minlength=len(sizes)) < wanted).any():
            for code in np.flatnonzero(short):
                rows = np.flatnonzero(codes == code)
                raised[code] = self._choose(draw.among(rows, int(wanted[code])), rows)
                forced[rows] |= raised[code].kept
            if forced.sum() > draw.k:
                raise ValueError(
                    f"min_per_class={self.min_per_class} and must_keep need {int(forced.sum())} rows, above the {draw.k} to "
                    "keep."
                )
            redrawn = self._choose(replace(draw, must_keep=forced.copy()), overall.rows)
            # where reserved rows fill k, nothing is drawn, and the last cutoff stands
            dropped = redrawn.dropped if forced.sum() < draw.k else overall.dropped
            overall = replace(redrawn, dropped=dropped)
        parts = tuple(Part(np.flatnonzero(codes == code), raised.get(code)) for code in np.flatnonzero(sizes))
        return Decision(overall.kept, forced & ~draw.must_keep, (overall,), parts)


def needed_inputs(selector):
    """Name what a selector reads, its own or one of a user; class balance reads y even where an override leaves it out."""
    is_base = isinstance(selector, BaseSelector)
    stated = tuple(selector.needs()) if hasattr(selector, "needs") else ()
    needed = tuple(dict.fromkeys((*stated, *(BaseSelector.needs(selector) if is_base else ()))))
    known = (*MEANINGS, *(() if is_base else ("random_state",)))
    for name in needed:
        check_option(f"each name that {type(selector).__name__}.needs() returns", name, known)
    return needed
