"""Cross-validation when few labels exist."""

import numpy as np
from sklearn.model_selection import BaseCrossValidator, StratifiedKFold

from skprune._labels import encode_labels


class PartialLabelKFold(BaseCrossValidator):
    """Stratified folds over the labelled rows; unlabelled rows are in every training set and in no test set.

    Plain splitters put unlabelled rows into the test folds, where a prediction can never equal their mark.

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
        groups : object
            Ignored, here for the interface.

        Yields
        ------
        train, test : ndarray of int
            Ascending rows; `test` holds labelled rows only.

        Raises
        ------
        ValueError
            A class has fewer labels than there are folds.
        """
        codes, classes = encode_labels(y, self.missing_label)
        labelled = np.flatnonzero(codes >= 0)
        counts = np.bincount(codes[labelled])
        if counts.min() < self.n_splits:
            rarest = classes.tolist()[counts.argmin()]
            raise ValueError(
                f"n_splits={self.n_splits} is above the {counts.min()} labels of class {rarest!r}. Use fewer folds, or label "
                "more rows."
            )
        folds = StratifiedKFold(self.n_splits, shuffle=self.shuffle, random_state=self.random_state)
        for _, part in folds.split(labelled, codes[labelled]):
            test = labelled[part]
            yield np.setdiff1d(np.arange(len(codes)), test), test
