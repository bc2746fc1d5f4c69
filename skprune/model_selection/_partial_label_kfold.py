"""Folds when few labels exist."""

from sklearn.model_selection import BaseCrossValidator, StratifiedGroupKFold, StratifiedKFold

from skprune.model_selection._labelled import LabelledRows


class PartialLabelKFold(BaseCrossValidator):
    """Stratified folds over the labelled rows; unlabelled rows are in every training set and in no test set.

    Plain splitters put unlabelled rows into the test folds, where a prediction can never equal their mark. With `groups`, no
    group is on both sides: the unlabelled rows of a test fold's groups are left out of its training set.

    Parameters
    ----------
    n_splits : int, default=5
        Folds; at most the number of labels of the smallest class.
    shuffle : bool, default=False
        Whether to shuffle the labelled rows of each class first.
    random_state : int, RandomState or None, default=None
        Of the shuffling.
    missing_label : object, default="auto"
        What marks an unlabelled row; "auto" takes None, NaN, NA and masked entries where there are any, else -1.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.model_selection import PartialLabelKFold
    >>> y = np.array([0, 1, 0, 1, -1, -1])
    >>> for train, test in PartialLabelKFold(n_splits=2).split(np.zeros((6, 1)), y):
    ...     print(train, test)
    [2 3 4 5] [0 1]
    [0 1 4 5] [2 3]
    """

    __metadata_request__split = {"groups": True}

    def __init__(self, n_splits=5, *, shuffle=False, random_state=None, missing_label="auto"):
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.random_state = random_state
        self.missing_label = missing_label

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object
            Ignored, here for the interface.

        Returns
        -------
        int
            The number of folds.
        """
        return self.n_splits

    def split(self, X, y, groups=None):
        """Yield training and test rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            The pool; only its length counts.
        y : array-like of shape (n_samples,)
            Labels, some missing.
        groups : array-like of shape (n_samples,), default=None
            Groups that are kept together; None: each row is one.

        Yields
        ------
        train, test : ndarray of int
            Ascending rows; `test` holds labelled rows only.

        Raises
        ------
        ValueError
            A class has fewer labels than there are folds, the labelled rows have fewer groups, or a fold of groups holds all
            labels of a class.
        """
        rows = LabelledRows(X, y, groups, self.missing_label)
        rows.check_counts(self.n_splits, f"n_splits={self.n_splits}", "Use fewer folds, or label more rows.")
        kind = StratifiedKFold if groups is None else StratifiedGroupKFold
        folds = kind(self.n_splits, shuffle=self.shuffle, random_state=self.random_state)
        for _, test in folds.split(rows.labelled, rows.codes, rows.groups):
            yield rows.split(test)
