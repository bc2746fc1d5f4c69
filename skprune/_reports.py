"""What a fitted SemiPrune tells of its pool: reasons, weights, accuracies."""

import numpy as np
from sklearn.metrics import accuracy_score
from sklearn.neighbors import KNeighborsRegressor
from sklearn.utils.validation import check_is_fitted

from skprune._pipeline._held_out import hold_out, right_answers, smallest_good_enough
from skprune._pipeline._selection import reasons, table_of
from skprune._pipeline._stages import train_fully
from skprune._utils._adapters import as_input
from skprune._utils._labels import MISSING, labels_at, missing_mask
from skprune._utils._validation import as_pool, check_equal_length
from skprune.nets._features import proxy_features
from skprune.scores._registry import mean_difficulty

_RATIOS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0)


class Reports:
    """Methods of a fitted SemiPrune that leave its coreset as it is."""

    def explain(self, scores=()):
        """Say of each row what was found, and why it is kept or not.

        Parameters
        ----------
        scores : sequence of str, default=()
            More difficulties to show, names out of :func:`skprune.scores.names`; higher = harder.

        Returns
        -------
        pandas.DataFrame, or dict of ndarray where there is no pandas
            Of each row of the pool "row"; "label", given or pseudo, and "given"; "label_confidence", that of the labeler;
            "difficulty", and each of the `scores`; "rank", 1 the hardest; "stratum", 0 to 49, of 50 of equal width over the
            difficulties; "kept"; "probability" of being kept, as in :meth:`skprune.selection.BaseSelector.explain`; and "why".

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skprune import SemiPrune
        >>> X, y = load_iris(return_X_y=True)
        >>> found = SemiPrune(0.2, selection="hardest", random_state=0).fit(X, y).explain(["aum"])
        >>> list(found)
        ['row', 'label', 'given', 'label_confidence', 'difficulty', 'aum', 'rank', 'stratum', 'kept', 'probability', 'why']
        >>> found["why"][found["kept"]].unique().tolist()
        ['among the hardest']
        """
        check_is_fitted(self)
        if isinstance(scores, str):
            raise TypeError(f"scores must be a list of names, got {scores!r}.")
        return table_of(self, {name: mean_difficulty(self.repeats_, name)[0] for name in scores}, self._reasons())

    @property
    def sample_weight_(self):
        """Weights of the kept rows, with which a fit on them is that of the pool: 1 / probability of being kept, mean 1.

        All one where the selection draws nothing, and with selections of users.
        """
        probability = self._reasons()["probability"][self.support_]
        weights = 1.0 / probability
        return weights / weights.mean()

    def _reasons(self):
        check_is_fitted(self)
        if self._why is None:
            self._why = reasons(*self._choice, self.support_)
        return self._why

    def suggest_ratio(self, X, ratios=None):
        """Suggest how much to keep: the least with which a classifier is within one standard error of the best one tried.

        From the one fit; each coreset trains a classifier as in ``score``, on pseudo-labels of a labeler that did not know a
        fifth of the labels (one more run of it, kept by `memory` and `checkpoint`), and is tested on these. The rows are chosen
        with all labels.

        Parameters
        ----------
        X : array-like
            The pool of ``fit``.
        ratios : sequence of float or int, default=None
            The fractions KEPT, or counts, that are tried; None: those of 0.1, 0.2, 0.3, 0.5, 0.7 and 1.0 that the selection can
            keep.

        Returns
        -------
        float or int
            One of them; ``ratio_accuracies_`` then has the accuracy of each.

        Raises
        ------
        ValueError
            X is other data, no class has two labelled rows, or the selection cannot keep one of the `ratios`.

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
        pool = self._check_fitted_pool(X)
        masks = self._masks(_RATIOS if ratios is None else ratios, skip=ratios is None)
        if not masks:
            raise ValueError("ratios must hold one value at least that the selection can keep.")
        codes = np.where(self._given, self._read["y"], MISSING)
        if self._held is None:
            self._held = hold_out(self, self._labeler, pool, codes, self._judge_recipe[-1])
        self.ratio_accuracies_ = {
            ratio: float(right_answers(mask, self._held, pool, codes, *self._judge_recipe).mean())
            for ratio, mask in sorted(masks.items(), key=lambda item: item[1].sum())
        }
        return smallest_good_enough(self.ratio_accuracies_, len(self._held["rows"]))

    def _masks(self, ratios, skip):
        """Return the mask of each ratio; of those that the selection can keep, where others are skipped."""
        masks = {}
        for ratio in ratios:
            try:
                masks[ratio] = self.select(ratio)
            except ValueError:
                if not skip:
                    raise
        return masks

    def score_samples(self, X, n_neighbors=10):
        """Extrapolate the difficulty to rows that were not trained on, so that a growing pool is pruned again without training.

        The mean score of the nearest rows of the pool, in the features of the (first) proxy: what enters the last layer of a
        net, the logarithms of the probabilities of another.

        Parameters
        ----------
        X : array-like
            Rows as in :meth:`fit`.
        n_neighbors : int, default=10
            Rows of the pool that count; of a smaller pool all.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            Higher = harder, as ``difficulty_scores_``.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skprune import SemiPrune
        >>> X, y = load_iris(return_X_y=True)
        >>> SemiPrune(random_state=0).fit(X[::2], y[::2]).score_samples(X[1::2]).shape
        (75,)
        """
        pool = self._check_pool(X)
        known, hard = self._read["embedding"], self.difficulty_scores_
        neighbours = KNeighborsRegressor(min(n_neighbors, len(hard))).fit(known, hard)
        return neighbours.predict(proxy_features(self.proxy_, as_input(self.proxy_, pool)))

    def score(self, X, y):
        """Return the accuracy of the proxy trained on the coreset: a NetClassifier over `schedule_epochs`, others as they are.

        The classifier is trained at the first call and kept until the next fit. With ``proxy="labeler"`` it is the default proxy.

        Parameters
        ----------
        X : array-like
            Test data.
        y : array-like of shape (n_samples,)
            Labels; rows without one do not count.

        Returns
        -------
        float
            Accuracy on the labelled rows, in [0, 1].

        Raises
        ------
        ValueError
            No row of (X, y) is labelled.
        """
        pool = self._check_pool(X)
        check_equal_length(pool, y)
        rows = np.flatnonzero(~missing_mask(y, classes=self.classes_))
        if rows.size == 0:
            raise ValueError("score needs labelled rows, and y holds none.")
        if self._judge is None:
            self._judge = self._train_judge()
        predicted = self.classes_[self._judge.predict(as_input(self._judge, pool[rows]))]
        return float(accuracy_score(labels_at(y, rows), predicted))

    def _train_judge(self):
        proxy, schedule_epochs, seed = self._judge_recipe
        rows = as_pool(self._rows, self.image_shape)
        return train_fully(proxy, rows, self._read["y"][self.support_], schedule_epochs, seed)
