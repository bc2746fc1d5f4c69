"""Cross-validation folds where few labels exist."""

from sklearn.model_selection import BaseCrossValidator, StratifiedGroupKFold, StratifiedKFold

from skprune._utils._docstrings import fill_docstring
from skprune.model_selection._labeled_rows import LabeledRows


@fill_docstring()
class PartialLabelKFold(BaseCrossValidator):
    """Stratified folds of the labeled rows; unlabeled rows are in every training set and in no test set.

    Other splitters put unlabeled rows into test folds, where every prediction counts as wrong because it never equals the mark
    of an unlabeled row. With `groups`, no group is in both the training and the test set: the unlabeled rows of a test fold's
    groups are left out of its training set.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at most the number of labels of the rarest class.
    shuffle : bool, default=False
        Whether to shuffle the labeled rows of each class before they are divided.
    random_state : int, RandomState or None, default=None
        Seed of the shuffling.
    $missing_label

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
        """Get the number of folds.

        Parameters
        ----------
        X, y, groups : object
            Ignored; present for API consistency.

        Returns
        -------
        int
            The number of folds.
        """
        return self.n_splits

    def split(self, X, y, groups=None):
        """Generate the training and test rows of each split.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            The pool; only its length is used.
        y : array-like of shape (n_samples,)
            Labels, some missing.
        groups : array-like of shape (n_samples,), default=None
            Groups to keep together, none missing; None makes each row a group of its own.

        Yields
        ------
        train : ndarray of shape (n_train,), int
            Training rows, in ascending order.
        test : ndarray of shape (n_test,), int
            Test rows, in ascending order; all of them are labeled.

        Raises
        ------
        ValueError
            A class has fewer labels than `n_splits`, the labeled rows have fewer groups, a row has no group, or a test
            fold of groups holds all labels of a class.
        """
        labeled = LabeledRows(X, y, groups, self.missing_label)
        labeled.check_counts(self.n_splits, f"n_splits={self.n_splits}")
        splitter_class = StratifiedKFold if groups is None else StratifiedGroupKFold
        splitter = splitter_class(self.n_splits, shuffle=self.shuffle, random_state=self.random_state)
        for _, test in splitter.split(labeled.rows, labeled.codes, labeled.groups):
            yield labeled.split(test)
