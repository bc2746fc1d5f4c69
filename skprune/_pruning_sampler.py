"""PruningSampler: pruning as a resampling step."""

from sklearn.base import BaseEstimator
from sklearn.utils import get_tags

from skprune._base import FittedPrunerMixin, require_labels
from skprune._utils._labels import series_like


class PruningSampler(FittedPrunerMixin, BaseEstimator):
    """Prune within a Pipeline of imbalanced-learn, which resamples in ``fit`` and passes test data untouched.

    Parameters
    ----------
    pruner : pruner
        Such as :class:`SemiPrune`; cloned. A SemiPrune with ``goal="auto"`` prunes for the goal "pseudo". Its
        `missing_label` tells which labels are missing.

    Attributes
    ----------
    pruner_ : pruner
        The fitted pruner.
    sample_indices_ : ndarray of shape (n_kept,), int
        The kept rows, ascending.
    n_features_in_ : int
        Number of features of a row.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if X has names.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune import PruningSampler, SemiPrune
    >>> X, y = load_iris(return_X_y=True)
    >>> X_kept, y_kept = PruningSampler(SemiPrune(0.2, random_state=0)).fit_resample(X, y)
    >>> X_kept.shape, y_kept.shape
    ((30, 4), (30,))
    """

    def __init__(self, pruner):
        self.pruner = pruner

    def fit(self, X, y):
        """Fit the pruner, without resampling.

        Parameters
        ----------
        X : array-like
            The pool.
        y : array-like of shape (n_samples,)
            Labels, some of them missing.

        Returns
        -------
        self
            The fitted sampler.
        """
        self.pruner_ = self._pruner_for(trains_on_pseudo_labels=True).fit(X, y)
        self.sample_indices_ = self.pruner_.coreset_indices_
        return self

    def fit_resample(self, X, y):
        """Prune the rows.

        Parameters
        ----------
        X : array-like
            The pool.
        y : array-like of shape (n_samples,)
            Labels, some of them missing.

        Returns
        -------
        X_kept : same type as X
            The kept rows.
        y_kept : ndarray of shape (n_kept,), or a Series of the dtype of `y` where `y` is one
            Given labels where there are any, else pseudo-labels.

        Raises
        ------
        ValueError
            If the pruner gives no pseudo-labels and a kept row has no label.
        """
        rows, labels = self.fit(X, y).pruner_.coreset()
        labels = require_labels(labels, self.pruner_, "Use a pruner that labels the pool, such as SemiPrune.")
        return rows, series_like(y, labels, self.sample_indices_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.pruner).input_tags
        tags.target_tags.required = True
        return tags
