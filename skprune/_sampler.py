"""PruningSampler: pruning as a resampling step."""

from sklearn.base import BaseEstimator, clone


class PruningSampler(BaseEstimator):
    """Prune within a Pipeline of imbalanced-learn, which resamples in ``fit`` and passes test data untouched.

    Parameters
    ----------
    pruner : pruner
        Such as :class:`SemiPrune`; cloned.

    Attributes
    ----------
    pruner_ : pruner
        The fitted pruner.
    sample_indices_ : ndarray of shape (n_kept,), int
        The rows that were kept, ascending.

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

    def fit_resample(self, X, y):
        """Prune the rows.

        Parameters
        ----------
        X : array-like
            The pool.
        y : array-like of shape (n_samples,)
            Labels, some missing.

        Returns
        -------
        X_kept : of the type of X
            The kept rows.
        y_kept : ndarray of shape (n_kept,)
            Given labels where there are any, else pseudo-labels.
        """
        self.pruner_ = clone(self.pruner).fit(X, y)
        self.sample_indices_ = self.pruner_.coreset_indices_
        rows, labels, _ = self.pruner_.coreset()
        return rows, labels
