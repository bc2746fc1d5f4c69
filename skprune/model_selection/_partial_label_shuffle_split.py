"""Random splits when few labels exist."""

from sklearn.model_selection import BaseShuffleSplit, GroupShuffleSplit, StratifiedShuffleSplit

from skprune.model_selection._labelled import LabelledRows


class PartialLabelShuffleSplit(BaseShuffleSplit):
    """Random splits of the labelled rows; unlabelled rows are in every training set and in no test set.

    Stratified without `groups`, as far as the sizes allow: a test set may lack a rare class. With `groups`, whole groups are
    drawn, as by ``GroupShuffleSplit``, whatever their classes, and no group is on both sides: the unlabelled rows of a test set's
    groups are left out of its training set.

    Parameters
    ----------
    n_splits : int, default=10
        Splits.
    test_size : float or int, default=None
        The fraction or number of the labelled rows (with `groups`: of their groups) that are tested; None: the complement of
        `train_size`, else 0.1, with `groups` 0.2.
    train_size : float or int, default=None
        The fraction or number of them that train; None: all others.
    random_state : int, RandomState or None, default=None
        Of the draws.
    missing_label : object, default="auto"
        What marks an unlabelled row; "auto" takes None, NaN, NA and masked entries where there are any, else -1.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.model_selection import PartialLabelShuffleSplit
    >>> y = np.array([0, 1, 0, 1, -1, -1])
    >>> train, test = next(PartialLabelShuffleSplit(test_size=0.5, random_state=0).split(np.zeros((6, 1)), y))
    >>> train.size, sorted(y[test].tolist())
    (4, [0, 1])
    """

    __metadata_request__split = {"groups": True}

    def __init__(self, n_splits=10, *, test_size=None, train_size=None, random_state=None, missing_label="auto"):
        super().__init__(n_splits, test_size=test_size, train_size=train_size, random_state=random_state)
        self.missing_label = missing_label

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
            A class has a single label, the sizes do not fit, or all labels of a class would be tested.
        """
        rows = LabelledRows(X, y, groups, self.missing_label)
        rows.check_counts(2, "A random split", "Label more rows.")
        kind = StratifiedShuffleSplit if groups is None else GroupShuffleSplit
        splits = kind(
            self.n_splits, test_size=self.test_size, train_size=self.train_size, random_state=self.random_state
        )
        for train, test in splits.split(rows.labelled, rows.codes, rows.groups):
            yield rows.split(test, train)
