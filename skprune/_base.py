"""What every pruner is: a mask over the rows it was fitted on, and all that follows from the mask."""

import joblib
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import _check_feature_names, check_is_fitted

from skprune._utils._labels import labels_at, missing_mask
from skprune._utils._validation import as_pool, take_rows


class BasePruner(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Base of the pruners."""

    @property
    def coreset_indices_(self):
        """The rows that are kept, ascending."""
        return np.flatnonzero(self.support_)

    @property
    def coreset_labels_(self):
        """Labels of the kept rows, in the order of ``coreset_indices_``."""
        return self.pseudo_labels_[self.support_]

    @property
    def annotation_indices_(self):
        """Kept rows that no human has labelled yet, hardest first."""
        rows = np.flatnonzero(self.support_ & ~self._given)
        return rows[np.argsort(-self.difficulty_scores_[rows], kind="stable")]

    def get_support(self, indices=False):
        """Return which rows are kept.

        Parameters
        ----------
        indices : bool, default=False
            Whether to return row numbers.

        Returns
        -------
        ndarray of shape (n_samples,), bool, or of shape (n_kept,), int
            The mask, or the rows in ascending order.
        """
        check_is_fitted(self)
        return self.coreset_indices_ if indices else self.support_.copy()

    def fit_transform(self, X, y=None):
        """Fit, and return the kept rows.

        Parameters
        ----------
        X : array-like
            The pool.
        y : array-like of shape (n_samples,)
            Labels, some missing.

        Returns
        -------
        of the type of X
            The kept rows, in their order.
        """
        return take_rows(X, self.fit(X, y).coreset_indices_)

    def transform(self, X):
        """Return the kept rows of the data that the pruner was fitted on.

        Parameters
        ----------
        X : array-like
            The pool of ``fit``.

        Returns
        -------
        of the type of X
            The kept rows, in their order.

        Raises
        ------
        ValueError
            X is other data: a pruner never drops rows of a test set.
        """
        self._check_fitted_pool(X, f" {_REFUSAL}")
        return take_rows(X, self.coreset_indices_)

    def coreset(self):
        """Return what a classifier trains on.

        Returns
        -------
        rows : of the type of X
            The kept rows, in their order.
        labels : ndarray of shape (n_kept,)
            Given labels where there are any, else pseudo-labels; None where a baseline gives none.
        weights : ndarray of shape (n_kept,), float64
            Sample weights, all one: the coreset as it is. SemiPrune has others in ``sample_weight_``.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skprune import SemiPrune
        >>> X, y = load_iris(return_X_y=True)
        >>> rows, labels, weights = SemiPrune(0.2, random_state=0).fit(X, y).coreset()
        >>> rows.shape, labels.shape, weights.sum()
        ((30, 4), (30,), np.float64(30.0))
        """
        check_is_fitted(self)
        rows = take_rows(self._rows, np.arange(int(self.support_.sum())))
        return rows, self.coreset_labels_.copy(), np.ones(int(self.support_.sum()))

    def _check_fitted_pool(self, X, hint=""):
        """Return X as the pool of ``fit``, and refuse any other."""
        pool = self._check_pool(X, hint)
        if len(pool) != len(self.support_) or joblib.hash(pool) != self._fingerprint:
            raise ValueError(f"X is not the data that {type(self).__name__} was fitted on.{hint}")
        return pool

    def _check_pool(self, X, hint=""):
        """Return X as a pool of the rows that ``fit`` saw: of their names and shape."""
        check_is_fitted(self)
        pool = as_pool(X, self.image_shape, estimator=self)
        name, n_features = type(self).__name__, int(np.prod(pool.shape[1:]))
        if n_features != self.n_features_in_:
            raise ValueError(
                f"X has {n_features} features, but {name} is expecting {self.n_features_in_} features as input.{hint}"
            )
        _check_feature_names(self, X, reset=False)
        if pool.shape[1:] != self._row_shape:
            raise ValueError(f"X has rows of shape {pool.shape[1:]}, but {name} was fitted on {self._row_shape}.{hint}")
        return pool

    def _keep_mask(self, X, pool, given, mask):
        """Set the mask, and what is needed to know the data again."""
        _check_feature_names(self, X, reset=True)
        self._row_shape = pool.shape[1:]
        self.n_features_in_ = int(np.prod(self._row_shape))
        self.support_ = mask
        self._given = given
        self._fingerprint = joblib.hash(pool)
        rows = take_rows(X, np.flatnonzero(mask))
        self._rows = rows.detach() if hasattr(rows, "detach") else rows  # no graph behind it, which cannot be copied

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = True
        return tags


def all_labelled(labels, pruner, hint):
    """Return the labels of kept rows in their own type; refuse rows that have none."""
    unlabelled = missing_mask(labels, classes=pruner.classes_)
    if unlabelled.any():
        raise ValueError(
            f"{type(pruner).__name__} gives no pseudo-labels, and {int(unlabelled.sum())} of the {len(labels)} kept rows have no "
            f"label. {hint}"
        )
    return labels_at(labels, np.arange(len(labels)))


class HoldsPruner:
    """What an estimator around a fitted ``pruner_`` says of its input."""

    @property
    def n_features_in_(self):
        """Numbers a row."""
        return self.pruner_.n_features_in_

    @property
    def feature_names_in_(self):
        """Column names, when X has such."""
        return self.pruner_.feature_names_in_


_REFUSAL = (
    "transform keeps rows of the training data alone, so that a test set never loses rows. To train a classifier on the "
    "kept rows and predict on other data, use skprune.PrunedClassifier; in a Pipeline of imbalanced-learn, use "
    "skprune.PruningSampler."
)
