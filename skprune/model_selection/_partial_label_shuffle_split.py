"""Random splits where few labels exist."""

from sklearn.model_selection import BaseShuffleSplit, GroupShuffleSplit, StratifiedShuffleSplit

from skprune._utils._docstrings import fill_docstring
from skprune.model_selection._labeled_rows import LabeledRows


@fill_docstring()
class PartialLabelShuffleSplit(BaseShuffleSplit):
    """Random splits of the labeled rows; unlabeled rows are in every training set and in no test set.

    Without `groups`, splits are stratified as far as the sizes allow; a test set may lack a rare class. With `groups`, whole
    groups are drawn regardless of their classes, as in ``GroupShuffleSplit``, and no group is in both the training and the test
    set: the unlabeled rows of a test set's groups are left out of its training set.

    Parameters
    ----------
    n_splits : int, default=10
        Number of splits.
    test_size : float or int, default=None
        The fraction or number of labeled rows (with `groups`, of their groups) in the test set. None is the complement of
        `train_size` if that is given, else 0.1, or 0.2 with `groups`.
    train_size : float or int, default=None
        The fraction or number of labeled rows, or of their groups, in the training set; None takes all that are not tested.
    random_state : int, RandomState or None, default=None
        Seed of the draws.
    $missing_label

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
            A class has a single label, the sizes do not fit, a row has no group, or a test set would hold all labels of a
            class.
        """
        labeled = LabeledRows(X, y, groups, self.missing_label)
        labeled.check_counts(2, "A random split")
        splitter_class = StratifiedShuffleSplit if groups is None else GroupShuffleSplit
        splitter = splitter_class(
            self.n_splits, test_size=self.test_size, train_size=self.train_size, random_state=self.random_state
        )
        for train, test in splitter.split(labeled.rows, labeled.codes, labeled.groups):
            yield labeled.split(test, train)
