"""PrunedClassifier: prune, then train a classifier on what was kept."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skprune._labels import labels_at, missing_mask
from skprune._validation import check_equal_length, take_rows


def _has(method):
    def check(self):
        return hasattr(getattr(self, "estimator_", self.estimator), method)

    return check


class PrunedClassifier(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """A classifier that trains on the coreset of a pruner: the last step of a Pipeline, and fit for grid searches.

    ``fit`` prunes the rows, and trains a clone of `estimator` on the kept ones. Predictions are never pruned.

    Parameters
    ----------
    estimator : classifier
        Trained on the coreset.
    pruner : pruner
        Such as :class:`SemiPrune`; cloned. Its parameters are grid parameters: ``pruner__ratio``.
    labels : {"pseudo", "given"}, default="pseudo"
        "pseudo" trains on all kept rows, with given labels where there are any and pseudo-labels elsewhere; "given" on
        the kept rows that have a given label alone.

    Attributes
    ----------
    pruner_ : pruner
        The fitted pruner.
    estimator_ : classifier
        The fitted classifier.
    classes_ : ndarray of shape (n_classes,)
        Classes of ``estimator_``.
    n_features_in_ : int
        Numbers a row.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, when X has such.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skprune import PrunedClassifier, SemiPrune
    >>> from skprune.datasets import make_partial_labels
    >>> from skprune.semi_supervised import FixMatch
    >>> X, y = load_iris(return_X_y=True)
    >>> y_partial = make_partial_labels(y, n_labeled=15, random_state=0)
    >>> pruner = SemiPrune(ratio=0.5, labeler=FixMatch(n_steps=50, batch_size=16), random_state=0)
    >>> model = PrunedClassifier(LogisticRegression(max_iter=1000), pruner).fit(X, y_partial)
    >>> bool(model.score(X, y) > 0.8)
    True
    """

    def __init__(self, estimator, pruner, labels="pseudo"):
        self.estimator = estimator
        self.pruner = pruner
        self.labels = labels

    def fit(self, X, y, y_oracle=None):
        """Prune, and train on the coreset.

        Parameters
        ----------
        X : array-like
            The pool.
        y : array-like of shape (n_samples,)
            Labels, some missing.
        y_oracle : array-like of shape (n_samples,), default=None
            True labels, which simulate that the coreset is annotated: they replace the pseudo-labels of kept rows. Labels
            of rows that are not kept are never read.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError
            `labels` is unknown or excludes `y_oracle`, lengths differ, or no kept row has a given label where such are
            asked for.
        """
        if self.labels not in ("pseudo", "given"):
            raise ValueError(f"labels must be 'pseudo' or 'given', got {self.labels!r}.")
        if y_oracle is not None:
            if self.labels == "given":
                raise ValueError("labels='given' trains on given labels alone, so it takes no y_oracle.")
            if len(y_oracle) != len(X):
                raise ValueError(f"y_oracle has {len(y_oracle)} labels, X has {len(X)} rows.")
        pruner = clone(self.pruner).fit(X, y)
        rows, labels = pruner.coreset_indices_, pruner.coreset_labels_
        asked = np.isin(rows, pruner.annotation_indices_)
        if self.labels == "given":
            rows, labels = rows[~asked], labels[~asked]
            if rows.size == 0:
                raise ValueError(
                    "No kept row has a given label. Use labels='pseudo', or include_labeled=True in the pruner."
                )
        elif y_oracle is not None and asked.any():
            back = np.argsort(np.concatenate([np.flatnonzero(~asked), np.flatnonzero(asked)]))
            answers = labels_at(y_oracle, rows[asked])
            unknown = missing_mask(answers, classes=pruner.classes_)
            if unknown.any():
                raise ValueError(f"y_oracle has no label for row {int(rows[asked][unknown][0])}, which is kept.")
            labels = np.concatenate([labels[~asked], answers])[back]
        self.estimator_ = clone(self.estimator).fit(take_rows(X, rows), labels)
        self.pruner_ = pruner
        self.n_features_in_ = pruner.n_features_in_
        if hasattr(pruner, "feature_names_in_"):
            self.feature_names_in_ = pruner.feature_names_in_
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        return self

    @property
    def classes_(self):
        """Classes of the fitted classifier."""
        return self.estimator_.classes_

    @available_if(_has("predict"))
    def predict(self, X):
        """Predict with the fitted classifier.

        Parameters
        ----------
        X : array-like
            Any data.

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels.
        """
        return self._delegate("predict", X)

    @available_if(_has("predict_proba"))
    def predict_proba(self, X):
        """Predict probabilities with the fitted classifier.

        Parameters
        ----------
        X : array-like
            Any data.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns as in ``classes_``.
        """
        return self._delegate("predict_proba", X)

    @available_if(_has("predict_log_proba"))
    def predict_log_proba(self, X):
        """Predict log probabilities with the fitted classifier.

        Parameters
        ----------
        X : array-like
            Any data.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns as in ``classes_``.
        """
        return self._delegate("predict_log_proba", X)

    @available_if(_has("decision_function"))
    def decision_function(self, X):
        """Return the decision values of the fitted classifier.

        Parameters
        ----------
        X : array-like
            Any data.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            As the classifier returns them.
        """
        return self._delegate("decision_function", X)

    def score(self, X, y):
        """Return the accuracy on the labelled rows.

        Parameters
        ----------
        X : array-like
            Test data.
        y : array-like of shape (n_samples,)
            Labels; rows without one do not count.

        Returns
        -------
        float
            Accuracy, in [0, 1].

        Raises
        ------
        ValueError
            No row is labelled.
        """
        check_is_fitted(self)
        check_equal_length(X, y)
        rows = np.flatnonzero(~missing_mask(y, classes=self.pruner_.classes_))
        if rows.size == 0:
            raise ValueError("score needs labelled rows, and y holds none.")
        return float(accuracy_score(labels_at(y, rows), self.predict(take_rows(X, rows))))

    def _delegate(self, method, X):
        check_is_fitted(self)
        return getattr(self.estimator_, method)(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
