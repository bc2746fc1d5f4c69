"""AnnotationLoop: which rows to label next, and what was told, over several rounds."""

import numpy as np
from sklearn.base import BaseEstimator, clone

from skprune._annotation._answers import check_no_other_answer, check_told_rows, encode_answers, warn_of_new_classes
from skprune._annotation._folder import LoopFolder
from skprune._annotation._outlook import Outlook
from skprune._annotation._rounds import asked_round, open_rows, skipped_rows, summary
from skprune._annotation._state import WAITING, LoopState
from skprune._base import check_pruner, missing_label_of, read_labeled_pool
from skprune._utils._doc_links import DocLinks
from skprune._utils._equal_rows import first_equal
from skprune._utils._given_rows import GivenRows, fingerprint
from skprune._utils._labels import mark_of, read_answers
from skprune._utils._parameter_checks import check_count
from skprune._utils._seeds import random_state_of


class AnnotationLoop(Outlook, DocLinks, BaseEstimator):
    """Spend a budget of labels in rounds: each asks for the rows that a pruner proposes once it knows the labels so far.

    ``start`` takes the pool and the first labels. Then, in turn, ``ask`` says which rows people should label, and ``tell`` takes
    their labels. Each round fits the pruner again, with its ``budget`` set to the size of the round, which is what is left of
    the budget divided by the rounds that are left.

    Parameters
    ----------
    pruner : SemiPrune
        A pruner with the parameter `budget`, which the loop sets; it is cloned. The first round has its `random_state`, later
        ones have seeds that follow from it. With ``warm_start=True``, later rounds go on from its weights and take half of the
        steps.
    budget : int
        The number of labels that people give in all, beside those of ``start``. A row that they skip does not count: later rounds
        ask for others in its place.
    n_rounds : int, default=3
        Number of rounds.
    folder : path-like, default=None
        A folder that keeps the state after each call, as a JSON file and an npz file without pickles. From it, ``resume`` goes on
        where another process stopped. It does not hold X, and the pruner only where its ``warm_start`` needs its weights, as
        ``pruner_.save`` writes them.

    Attributes
    ----------
    proposals_ : pandas.DataFrame, or dict of ndarray if pandas is not installed
        What a labeling tool shows of the rows of the last round, in the order of proposal: "row", "pseudo_label", "confidence",
        "difficulty" and "why", as in :meth:`SemiPrune.explain`, and "told", whether the row was told by now.
    history_ : list of AnnotationRound
        For each round, the last one included: ``round``, from 1; ``n_labeled``, the number of labels that the pruner knew;
        ``n_asked``, ``n_told`` and ``n_skipped``, numbers of rows; ``n_changed``, how many labels differ from the pseudo-label;
        ``new_classes``, those that the round has named first; and ``accuracy``, with ``low`` and ``high``: an estimate, from the
        labels of the round, of how many pseudo-labels of rows without a label were correct before it, and its interval of 90 %;
        None where no label was told. It is not the share of correct pseudo-labels among the rows of the round, since these were
        chosen, not drawn.
    labels_ : ndarray of shape (n_samples,), object
        All labels so far, given and told; where there is none, the mark of unlabeled rows in y.
    skipped_indices_ : ndarray of int
        Rows that were told without a label, ascending. They are asked for again only when no other row is left.
    pruner_ : SemiPrune
        The pruner of the last round that this process asked for, fitted to the labels before that round. ``resume`` finds that of
        a pruner with ``warm_start=True``.

    See Also
    --------
    suggest_first_labels : Which rows to label when no row is labeled yet.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import SGDClassifier
    >>> from sklearn.semi_supervised import LabelSpreading
    >>> from skprune import AnnotationLoop, SemiPrune
    >>> from skprune.datasets import make_partial_labels
    >>> X, y = load_iris(return_X_y=True)
    >>> pruner = SemiPrune(labeler=LabelSpreading(), proxy=SGDClassifier(loss="log_loss"), random_state=0)
    >>> loop = AnnotationLoop(pruner, budget=20, n_rounds=2).start(X, make_partial_labels(y, n_labeled=9, random_state=0))
    >>> while len(rows := loop.ask()):
    ...     loop.tell(rows, y[rows])  # what people would say
    >>> [(r.n_labeled, r.n_asked) for r in loop.history_]
    [(9, 10), (19, 10)]
    """

    def __init__(self, pruner, budget, *, n_rounds=3, folder=None):
        self.pruner = pruner
        self.budget = budget
        self.n_rounds = n_rounds
        self.folder = folder

    def start(self, X, y):
        """Begin a loop with the first labels; nothing is trained yet.

        Parameters
        ----------
        X : array-like
            The pool, as for the pruner. The loop keeps a reference to it.
        y : array-like of shape (n_samples,)
            Labels, some missing, as the `missing_label` of the pruner says.

        Returns
        -------
        self
            The loop.

        Raises
        ------
        ValueError, TypeError
            The input or a parameter is refused, fewer rows than `budget` need a label, or the folder holds a loop already.
        """
        self._check_parameters()
        folder = None if self.folder is None else LoopFolder(self.folder)
        if folder is not None and folder.holds_a_loop:
            raise ValueError(
                f"The folder {self.folder} holds an annotation loop already. Call resume to go on with it, or use another folder."
            )
        pool = read_labeled_pool(self.pruner, X, y)
        if pool.classes.dtype.kind in "mM":
            raise ValueError(f"y holds labels of dtype {pool.classes.dtype}. Use texts or integers.")
        state = LoopState(
            classes=tuple(pool.classes.tolist()),
            given=pool.codes,
            mark=mark_of(y, missing_label_of(self.pruner)),
            seed=self._first_seed(),
            fingerprint=fingerprint(pool.rows),
        )
        twins = self._equal_rows(pool)
        is_open = open_rows(state, twins)
        n_open = len(np.unique(twins[is_open]))
        if self.budget > n_open:
            once = ", equal ones counted once" if n_open < is_open.sum() else ""
            raise ValueError(
                f"budget={self.budget} is the number of rows to label, and only {n_open} of {len(pool.codes)} rows need a "
                f"label{once}."
            )
        if folder is not None:
            folder.write(state)
        return self._begin(state, folder, X, twins)

    def resume(self, X=None):
        """Go on from what the folder holds.

        `budget` and `n_rounds` may be others than before. With the same ones, the same pruner and a `random_state`, the loop
        asks for the rows that it would have asked for without the break.

        Parameters
        ----------
        X : array-like, default=None
            The pool of ``start``. Without it, the loop can tell what the round that has begun asks for and take the answers, but
            it cannot begin another round.

        Returns
        -------
        self
            The loop.

        Raises
        ------
        ValueError, TypeError
            A parameter is refused, the folder holds no loop or one that is damaged, or X is another pool.
        """
        self._check_parameters()
        if self.folder is None:
            raise ValueError("resume needs the folder that keeps the loop. Set folder.")
        folder = LoopFolder(self.folder)
        state, twins = folder.read(), None
        if X is not None:
            pool = read_labeled_pool(self._pruner_that_reads(state), X, state.labels)
            if fingerprint(pool.rows) != state.fingerprint:
                raise ValueError(f"X is not the pool of the annotation loop in {self.folder}.")
            twins = self._equal_rows(pool)
        last = folder.read_weights(state, self.pruner) if self._goes_on and X is not None else None
        self._begin(state, folder, X, twins)
        if last is not None:
            self.pruner_ = last.set_params(memory=self.pruner.memory, checkpoint=self.pruner.checkpoint)
        return self

    def ask(self):
        """Return the rows that people should label now, and fit the pruner if that begins a round.

        Returns
        -------
        ndarray of int
            The rows of the present round that are not told yet, in the order of proposal: the same until they are told. Empty
            when the budget is spent, all rounds are told, or no row is left.

        Raises
        ------
        ValueError, TypeError
            ``start`` was not called, the pruner refuses the input, ``resume`` got no X and a round would begin, or another
            process has gone on with the folder.
        """
        state = self._started()
        if self._folder is not None and self._folder.holds_a_loop:
            self._folder.check_number()
        if state.waiting.size:
            return state.waiting.copy()
        n = state.n_to_ask(self.budget, self.n_rounds)
        if n == 0:
            return state.waiting
        if self._X is None:
            raise ValueError("A new round needs the pool. Call resume(X).")
        is_open, is_skipped = open_rows(state, self._twins), skipped_rows(state, self._twins)
        if not is_open.any():  # skipped rows, once all others are done
            is_open, is_skipped = is_skipped, np.zeros_like(is_skipped)
        n = min(n, int(is_open.sum()))
        if n == 0:
            return state.waiting
        pruner = self.pruner_ if self._goes_on and hasattr(self, "pruner_") else self._pruner_that_reads(state)
        pruner.set_params(budget=n + int(is_skipped.sum()), random_state=state.seed_of_next_round())
        pruner.fit(self._X, state.labels)
        rows = pruner.annotation_indices_
        state = state.asked(asked_round(pruner, rows[~is_skipped[rows]][:n], state))
        keeps_weights = self._folder is not None and self._goes_on
        if keeps_weights:
            self._folder.keep_weights(pruner, state)
        self._set_state(state)
        if keeps_weights:
            self._folder.forget_weights(state)
        self.pruner_ = pruner
        return self._state.waiting.copy()

    def tell(self, indices, labels, *, replace=False):
        """Take labels of rows that were asked for, of all or of some of them.

        A label may differ from the pseudo-label, and may name a class that is new, of which a warning tells. A missing one, which
        is None, NaN, NA or the mark of unlabeled rows in y, skips the row.

        Parameters
        ----------
        indices : array-like of int
            The rows, of this round or an earlier one.
        labels : array-like of shape (n_indices,)
            Their labels.
        replace : bool, default=False
            Whether the labels may replace other ones that were told before. The same label may be told again in any case.

        Raises
        ------
        ValueError
            A row was not asked for, is named twice, or has another label already; or the labels are of another number or kind.
            Nothing is taken then.
        """
        state = self._started()
        is_auto = isinstance(missing_label_of(self.pruner), str) and missing_label_of(self.pruner) == "auto"
        values, missing = read_answers(labels, state.mark, state.classes, is_auto=is_auto)
        rows = check_told_rows(indices, len(missing), state)
        answers, classes = encode_answers(values, missing, state.classes)
        if not replace:
            check_no_other_answer(rows, answers, state, classes)
        warn_of_new_classes(classes, state.classes)
        self._set_state(state.told(rows, answers, classes))

    @property
    def proposals_(self):
        """What a labeling tool shows of the rows of the last round."""
        state = self._started()
        if not state.rounds:
            raise AttributeError("There are no proposals yet. Call ask first.")
        asked = state.rounds[-1]
        table = {
            "row": asked.rows.copy(),
            "pseudo_label": np.array([state.classes[code] for code in asked.predicted]),
            "confidence": asked.confidence.copy(),
            "difficulty": asked.difficulty.copy(),
            "why": asked.why.astype(object),
            "told": asked.answers != WAITING,
        }
        try:
            import pandas as pd
        except ImportError:
            return table
        return pd.DataFrame(table)

    @property
    def history_(self):
        """What each round asked and was told."""
        state = self._started()
        n_known = [asked.n_classes for asked in state.rounds[1:]] + [len(state.classes)]
        ends = zip(state.rounds, n_known, strict=False)  # before the first round, nothing ends
        return [
            summary(number, asked, state.classes[asked.n_classes : end]) for number, (asked, end) in enumerate(ends, 1)
        ]

    @property
    def labels_(self):
        """All labels so far."""
        return self._started().labels.copy()

    @property
    def skipped_indices_(self):
        """Rows that were told without a label."""
        return self._started().skipped

    def _begin(self, state, folder, X, twins):
        """Take a state, and forget what the loop did before."""
        vars(self).pop("pruner_", None)
        self._state, self._folder, self._X, self._twins = state, folder, X, twins
        return self

    def _check_parameters(self):
        check_pruner(self.pruner)
        parameters = self.pruner.get_params(deep=False)
        if "budget" not in parameters:
            raise TypeError(f"pruner must have the parameter budget, as SemiPrune has, got {self.pruner!r}.")
        if parameters["budget"] is not None:
            raise ValueError(f"The loop sets the budget of the pruner. Leave it out, got {self.pruner!r}.")
        check_count("budget", self.budget)
        check_count("n_rounds", self.n_rounds)

    @property
    def _goes_on(self):
        """Whether each round goes on from the weights of the one before."""
        return bool(getattr(self.pruner, "warm_start", False))

    def _first_seed(self):
        random_state = self.pruner.random_state
        if isinstance(random_state, (int, np.integer)):
            random_state_of(random_state)  # which refuses one out of range
            return int(random_state)
        return int(random_state_of(random_state).randint(2**31 - 1))

    def _pruner_that_reads(self, state):
        """Return a clone of the pruner that reads the labels of a state, whatever is left of the marks in them."""
        return clone(self.pruner).set_params(missing_label=state.mark)

    def _equal_rows(self, pool):
        """Return a number for each row, the same for rows of which one label is that of all."""
        if getattr(self.pruner, "duplicates", "ignore") == "ignore":
            return np.arange(len(pool.codes))
        return first_equal(pool.rows.comparable() if isinstance(pool.rows, GivenRows) else pool.rows)

    def _to_ask(self):
        """Return which rows may still be asked for, skipped ones among them; without the pool, equal rows are not known."""
        twins = np.arange(len(self._state.codes)) if self._twins is None else self._twins
        return open_rows(self._state, twins) | skipped_rows(self._state, twins)

    def _started(self):
        if not hasattr(self, "_state"):
            raise ValueError("The loop has not begun. Call start or resume first.")
        return self._state

    def _set_state(self, state):
        if self._folder is not None:
            self._folder.write(state)
        self._state = state
