"""The labelled rows of a pool, which alone are divided."""

import numpy as np
from sklearn.utils import indexable

from skprune._labels import MISSING, encode_labels


class LabelledRows:
    """The labelled rows of a pool, for splitters.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        The pool; only its length counts.
    y : array-like of shape (n_samples,)
        Labels, some missing.
    groups : array-like of shape (n_samples,) or None
        Groups that are kept together.
    missing_label : object
        What marks an unlabelled row.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        The classes.
    labelled : ndarray of shape (n_labelled,), int
        The labelled rows, ascending.
    codes : ndarray of shape (n_labelled,), int
        Their class indices.
    groups : ndarray of shape (n_labelled,) or None
        Their groups.

    Examples
    --------
    >>> train, test = LabelledRows(np.zeros((4, 1)), [0, 1, -1, 1], None, "auto").split([1])
    >>> train, test
    (array([0, 2, 3]), array([1]))
    """

    def __init__(self, X, y, groups, missing_label):
        indexable(X, y, groups)
        codes, self.classes = encode_labels(y, missing_label)
        self.labelled = np.flatnonzero(codes != MISSING)
        self.codes = codes[self.labelled]
        self._n = len(codes)
        self._groups = None if groups is None else np.asarray(groups)
        self.groups = None if groups is None else self._groups[self.labelled]

    def check_counts(self, least, what, hint):
        """Refuse what asks for more labels of a class, or more groups, than there are.

        Parameters
        ----------
        least : int
            How many of each there must be.
        what, hint : str
            What asks for them, and what to do.

        Raises
        ------
        ValueError
            There are fewer.
        """
        counts = np.bincount(self.codes)
        if counts.min() < least:
            rarest = self.classes.tolist()[counts.argmin()]
            raise ValueError(f"{what} needs {least} labels of each class, and {rarest!r} has {counts.min()}. {hint}")
        if self.groups is not None and len(np.unique(self.groups)) < least:
            raise ValueError(
                f"{what} needs {least} groups of labelled rows, and there are {len(np.unique(self.groups))}. {hint}"
            )

    def split(self, test, train=None):
        """Return the rows of one split.

        Parameters
        ----------
        test : array-like of int
            Which of the labelled rows are tested.
        train : array-like of int, default=None
            Which of them keep their place in training; None: all others.

        Returns
        -------
        train, test : ndarray of int
            Ascending rows of the pool.

        Raises
        ------
        ValueError
            No labelled row of a class trains.
        """
        tested = np.zeros(self._n, dtype=bool)
        tested[self.labelled[test]] = True
        used = ~tested
        if train is not None:
            used[self.labelled] = False
            used[self.labelled[train]] = True
        if self._groups is not None:
            used &= ~np.isin(self._groups, self._groups[tested])
        lost = np.setdiff1d(self.codes, self.codes[used[self.labelled]])
        if lost.size:
            raise ValueError(
                f"A split leaves no label of class {self.classes.tolist()[lost[0]]!r} for training. Test less at a time, or "
                "label more rows."
            )
        return np.flatnonzero(used), np.flatnonzero(tested)
