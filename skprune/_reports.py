"""What a fitted SemiPrune tells about its pool: other choices, reasons, weights, accuracies, difficulties of new rows."""

from collections.abc import Iterable
from dataclasses import replace

import joblib
import numpy as np
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from skprune._pipeline._comparison import final_training
from skprune._pipeline._held_out import hold_out
from skprune._pipeline._image_size import scale_images
from skprune._pipeline._labels_alone import compare_with_labels_alone
from skprune._pipeline._random_comparison import CoresetJudge, smallest_sufficient_ratio
from skprune._pipeline._selection import explanation_table, make_choice
from skprune._pipeline._settings import Settings
from skprune._pipeline._space import coverage_space
from skprune._utils._adapters import as_input, or_constant
from skprune._utils._docstrings import fill_docstring
from skprune._utils._given_rows import rows_of_coreset
from skprune._utils._labels import MISSING, labels_at
from skprune._utils._parameter_checks import check_count
from skprune._utils._pool import check_equal_length
from skprune._utils._saving import need_rows
from skprune._utils._scored_rows import scored_rows
from skprune._utils._warnings import warn_user
from skprune.nets._features import proxy_features
from skprune.scores._registry import mean_difficulty
from skprune.selection._inputs import check_mask
from skprune.selection._k_means import spread_order
from skprune.selection._neighbors import NEIGHBORS_TEXT, check_neighbors, graph_by, nearest_points

_RATIOS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)


def held_out_of(pruner):
    """Return the labels that a fitted pruner held out, None if it held out none."""
    return getattr(pruner, "_held_out", None)


def compare_pseudo_labels(pruner, X, classifier):
    """Compare a classifier on the coreset with one on the given labels alone; None where a pruner held no labels out."""
    compare = getattr(pruner, "_compare_pseudo_labels", None)
    return None if compare is None else compare(X, classifier)


def choose_among(pruner, rows, k):
    """Return k of some rows as a fitted pruner chooses, in the order of proposal, and how many of all are not copies."""
    return pruner._choose_among(rows, k)


class Reports:
    """Methods of a fitted SemiPrune that leave its coreset as it is."""

    def explain(self, scores=()):
        """Tell for each row what is known about it, and why it is kept or not.

        Parameters
        ----------
        scores : sequence of str, default=()
            Further difficulties to show, names from :func:`skprune.scores.get_score_names`; higher means harder.

        Returns
        -------
        pandas.DataFrame, or dict of ndarray if pandas is not installed
            One row for each row of the pool: "row"; "label", given or predicted, and "given"; "label_confidence", as in
            ``pseudo_label_confidence_``; "difficulty", and each of the `scores`; "rank", 1 for the hardest; "stratum", 0 to 49,
            one of 50 of equal width over the difficulties; "kept"; "probability" of being kept, as in
            :meth:`skprune.selection.BaseSelector.explain`; and "why".

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skprune import SemiPrune
        >>> X, y = load_iris(return_X_y=True)
        >>> table = SemiPrune(0.2, selection="hardest", random_state=0).fit(X, y).explain(["aum"])
        >>> list(table)
        ['row', 'label', 'given', 'label_confidence', 'difficulty', 'aum', 'rank', 'stratum', 'kept', 'probability', 'why']
        >>> table["why"][table["kept"]].unique().tolist()
        ['among the hardest']
        """
        check_is_fitted(self)
        if isinstance(scores, (str, bytes)) or not isinstance(scores, Iterable):
            raise TypeError(f"scores must be a list of names, got {scores!r}.")
        columns = {
            "label": self.pseudo_labels_,
            "given": self._labeled,
            "label_confidence": self.pseudo_label_confidence_,
            "difficulty": self.difficulty_scores_,
        }
        more = {name: mean_difficulty(self.repeats_, name)[0] for name in scores}
        return explanation_table(columns, more, self._reasons())

    @property
    def sample_weight_(self):
        """Weights of the kept rows: the inverse of their probability of being kept, scaled to mean 1.

        With them, a fit on the kept rows stands for one on the whole pool. All are 1 where the selection draws nothing at
        random, and with selectors of your own. A kept row that stands for equal ones, of which only one was proposed, has their
        weight too.
        """
        weights = self._reasons()["weight"][self.support_]
        return weights / weights.mean()

    def _reasons(self):
        check_is_fitted(self)
        if self._kept_reasons is None:
            self._kept_reasons = self._choice.reasons(self.support_)
        return self._kept_reasons

    def annotation_indices(self, mask):
        """List the rows of a choice that have no given label yet, as ``annotation_indices_`` does for that of the fit.

        Parameters
        ----------
        mask : array-like of shape (n_samples,), bool
            A mask that :meth:`select` returned, ``support_``, or any other.

        Returns
        -------
        ndarray of int
            In the order of proposal: each prefix of it is a coreset as well. Of choices with the same mask, the last one counts.
            For a mask that this pruner did not return since it was fitted, or loaded from a file, in an order that spreads each
            prefix over the rows.

        Raises
        ------
        ValueError
            `mask` is not a boolean mask of the rows of the pool.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.semi_supervised import LabelSpreading
        >>> from skprune import SemiPrune
        >>> from skprune.datasets import make_partial_labels
        >>> X, y = load_iris(return_X_y=True)
        >>> y_partial = make_partial_labels(y, n_labeled=15, random_state=0)
        >>> pruner = SemiPrune(budget=10, labeler=LabelSpreading(), random_state=0).fit(X, y_partial)
        >>> len(pruner.annotation_indices_), len(pruner.annotation_indices(pruner.select(budget=20)))
        (10, 20)
        """
        check_is_fitted(self)
        if mask is None:
            raise ValueError("mask must be a boolean mask of the rows of the pool, got None.")
        mask = check_mask("mask", mask, len(self.support_))
        settings = self._selections.get(joblib.hash(mask))
        if settings is None and np.array_equal(mask, self.support_):
            return self.annotation_indices_
        rows = np.flatnonzero(mask)
        need_rows(self._inputs.embedding, self)
        proposals = rows if settings is None else self._make_choice(settings).order(mask)
        if settings is None or not np.array_equal(np.sort(proposals), rows):  # a selector may draw without a seed
            rng = np.random.default_rng(self._inputs.random_state)
            proposals = rows[spread_order(self._inputs.embedding[rows], rng)]
        return proposals[self._needs_label[proposals]]

    def select(self, ratio=None, selection=None, difficulty=None, *, budget=None):
        """Select again from the same fit, without any training.

        Parameters
        ----------
        ratio : float in (0, 1] or int, default=None
            The fraction of rows to KEEP, or their number; None: what the estimator keeps.
        selection : str or selector, default=None
            None: that of the estimator.
        difficulty : str, callable or list, default=None
            None: that of the estimator.
        budget : int, default=None
            In place of `ratio`, the number of unlabeled rows to keep, beside all labeled ones.

        Returns
        -------
        ndarray of shape (n_samples,), bool
            A new mask; the fitted attributes stay as they are. :meth:`annotation_indices` lists what is to be labeled of it.

        Raises
        ------
        ValueError
            `ratio` and `budget` are both given, or so many rows cannot be kept.
        """
        check_is_fitted(self)
        changes = {"selection": selection, "difficulty": difficulty}
        settings = replace(Settings.of(self), **{name: value for name, value in changes.items() if value is not None})
        settings = settings.with_size(ratio, budget)
        mask = self._make_choice(settings).mask()
        self._selections[joblib.hash(mask)] = settings
        return mask

    def __getstate__(self):
        state = dict(super().__getstate__())
        if "_selections" in state:
            state["_selections"] = {}  # they hold what users passed to select, which may not be picklable
        return state

    def __saved_state__(self, rows):
        """Return the attributes that a file keeps; the space that a table is covered in shows all its rows."""
        state = super().__saved_state__(rows)
        if "_inputs" not in state:
            return state
        state |= {"_kept_reasons": self._reasons(), "_choice": None, "_classifier": None, "_selections": {}}
        is_table = len(self._row_shape) != 3
        return state | ({"_inputs": replace(self._inputs, embedding=None)} if is_table and not rows else {})

    def __restore_rows__(self, X):
        """Take back the rows that a file did not keep, and the space that a table is covered in."""
        super().__restore_rows__(X)
        if self._inputs.embedding is None:
            pool = scale_images(self._check_fitted_pool(X), self._image_side)
            space = coverage_space(pool, self._proxy_features, self._inputs.random_state)
            self._inputs = replace(self._inputs, embedding=space)

    def _make_choice(self, settings):
        need_rows(self._inputs.embedding, self)
        is_image = len(self._row_shape) == 3
        choice, _ = make_choice(
            settings,
            self.classes_,
            self.repeats_,
            self._inputs,
            is_image=is_image,
            features_warning=self._features_warning if is_image else None,
            units=self._units,
        )
        return choice

    def _choose_among(self, rows, k):
        return self._choice.within(rows, k)

    def suggest_ratio(self, X, ratios=None):
        """Suggest how much to keep: the smallest ratio within one standard error of the best one.

        All coresets come from the one fit. Each trains a classifier as in ``score``, on pseudo-labels of a labeler that did
        not know a fifth of the labels (one more run of it, kept by `memory` and `checkpoint`), and is tested on these. The
        rows themselves are chosen with all labels.

        Parameters
        ----------
        X : array-like
            The pool passed to ``fit``.
        ratios : sequence of float or int, default=None
            The fractions to KEEP, or numbers of rows, that are tried. None: those of 0.1, 0.2, 0.3, 0.5, 0.7 and 1.0 that the
            selection can keep.

        Returns
        -------
        float or int
            One of the ratios; ``ratio_accuracies_`` then holds the accuracy of each.

        Raises
        ------
        ValueError
            If X is other data, no class has two labeled rows that differ, or the selection cannot keep one of the `ratios`.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import SGDClassifier
        >>> from skprune import SemiPrune
        >>> X, y = load_iris(return_X_y=True)
        >>> pruner = SemiPrune(proxy=SGDClassifier(loss="log_loss"), random_state=0).fit(X, y)
        >>> pruner.suggest_ratio(X, [0.05, 0.5, 1.0]) in (0.05, 0.5, 1.0)
        True
        """
        pool = scale_images(self._check_fitted_pool(X), self._image_side)
        if ratios is not None and (isinstance(ratios, (str, bytes)) or not isinstance(ratios, Iterable)):
            raise TypeError(f"ratios must be None or a sequence of ratios, got {ratios!r}.")
        masks = self._masks(_RATIOS if ratios is None else ratios, skip_impossible=ratios is None)
        if not masks:
            raise ValueError("ratios must hold at least one value that the selection can keep.")
        codes = np.where(self._labeled, self._inputs.y, MISSING)
        if self._held_out is None:
            seed = self._training.seed
            self._held_out = hold_out(Settings.of(self), self._unfitted_labeler, pool, codes, seed, self._sets)
        judge = CoresetJudge(self._training, pool, codes, self._held_out)
        by_size = sorted(masks.items(), key=lambda item: item[1].sum())
        self.ratio_accuracies_ = {ratio: judge.accuracy(mask) for ratio, mask in by_size}
        return smallest_sufficient_ratio(self.ratio_accuracies_, len(self._held_out.rows))

    def _compare_pseudo_labels(self, X, classifier):
        if self._held_out is None or self._labeled.all():
            return None
        codes = np.where(self._labeled, self._inputs.y, MISSING)
        training = final_training(classifier, Settings.of(self), self.classes_, self._training.seed)
        rows = rows_of_coreset(X, self._check_fitted_pool(X))
        return compare_with_labels_alone(training, rows, codes, self._held_out, self.support_)

    def _masks(self, ratios, skip_impossible):
        """Return the mask of each ratio that the selection can keep; the others are skipped or refused."""
        masks = {}
        for ratio in ratios:
            try:
                masks[ratio] = self.select(ratio)
            except ValueError:
                if not skip_impossible:
                    raise
        return masks

    @fill_docstring(neighbors=NEIGHBORS_TEXT)
    def predict_difficulty(self, X, *, n_neighbors=10, neighbors=None):
        """Predict the difficulty of new rows, so that a growing pool can be pruned again without training.

        The prediction is the mean score of the nearest rows of the pool, in the features of the (first) proxy: what enters
        the last layer of a net, or the log-probabilities of any other classifier.

        Parameters
        ----------
        X : array-like
            Rows as in :meth:`fit`.
        n_neighbors : int, default=10
            Number of nearest rows of the pool, at most all of them.
        $neighbors

        Returns
        -------
        ndarray of shape (n_samples,), float64
            Higher means harder, as in ``difficulty_scores_``.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skprune import SemiPrune
        >>> X, y = load_iris(return_X_y=True)
        >>> SemiPrune(random_state=0).fit(X[::2], y[::2]).predict_difficulty(X[1::2]).shape
        (75,)
        """
        rows = scale_images(self._check_pool(X), self._image_side)
        check_count("n_neighbors", n_neighbors)
        check_neighbors(neighbors)
        if self._features_warning is not None:
            warn_user(self._features_warning)
        scores, pool = self.difficulty_scores_, self._proxy_features
        features = proxy_features(self.proxy_, as_input(self.proxy_, rows))
        n_neighbors, rng = min(n_neighbors, len(scores)), np.random.default_rng(self._inputs.random_state)
        if neighbors is None:
            return scores[nearest_points(pool, features, n_neighbors, rng)].mean(axis=1)
        graph = graph_by(neighbors, pool, n_neighbors, rng, features)
        return np.add.reduceat(scores[graph.indices], graph.indptr[:-1]) / np.diff(graph.indptr)

    def score(self, X, y):
        """Return the accuracy of the proxy trained on the coreset: a NetClassifier for `schedule_epochs`, others as they are.

        The classifier is trained by the first call and kept until the next fit; after a coreset of a single class, all rows are
        taken for that class. With ``proxy="labeler"`` it is the default
        proxy.

        Parameters
        ----------
        X : array-like
            Test data.
        y : array-like of shape (n_samples,)
            Labels; rows without one do not count.

        Returns
        -------
        float
            Accuracy on the labeled rows, in [0, 1].

        Raises
        ------
        ValueError
            If no row of (X, y) is labeled.
        """
        pool = self._check_pool(X)
        check_equal_length(pool, y)
        rows = scored_rows(y, self.missing_label, self.classes_)
        if self._classifier is None:
            coreset = scale_images(self._read_rows(self.coreset()[0], like=self._row_shape), self._image_side)
            codes = self._inputs.y[self.support_]
            self._classifier = or_constant(self._training, codes).fit(coreset, codes)
        seen = scale_images(pool[rows], self._image_side)
        predicted = self.classes_[self._classifier.predict(as_input(self._classifier, seen))]
        return float(accuracy_score(labels_at(y, rows), predicted))
