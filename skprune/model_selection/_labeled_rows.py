"""The labeled rows of a pool: splitters divide these alone."""

import numpy as np
from sklearn.utils import indexable

from skprune._pipeline._groups import group_cells
from skprune._utils._labels import MISSING, encode_labels


class LabeledRows:
    """The labeled rows of a pool, their class indices and their groups."""

    def __init__(self, X, y, groups, missing_label):
        indexable(X, y, groups)
        codes, self.classes = encode_labels(y, missing_label)
        self.rows = np.flatnonzero(codes != MISSING)
        self.codes = codes[self.rows]
        self._n_samples = len(codes)
        if groups is not None:
            group_cells(groups)  # refuses rows without one
        self._all_groups = None if groups is None else np.asarray(groups)
        self.groups = None if groups is None else self._all_groups[self.rows]

    def check_counts(self, least, what):
        """Refuse a split that needs more labels of each class, or more groups, than there are."""
        counts = np.bincount(self.codes)
        if counts.min() < least:
            rarest = self.classes.tolist()[counts.argmin()]
            raise ValueError(
                f"{what} needs {least} labels of each class, and {rarest!r} has {counts.min()}. {_way_out(counts.min())}"
            )
        n_groups = least if self.groups is None else len(np.unique(self.groups))
        if n_groups < least:
            raise ValueError(
                f"{what} needs {least} groups of labeled rows, and there are {n_groups}. {_way_out(n_groups)}"
            )

    def split(self, test, train=None):
        """Return training and test rows of the pool for positions among the labeled rows."""
        is_test = np.zeros(self._n_samples, dtype=bool)
        is_test[self.rows[test]] = True
        is_train = ~is_test
        if train is not None:
            is_train[self.rows] = False
            is_train[self.rows[train]] = True
        if self._all_groups is not None:
            is_train &= ~np.isin(self._all_groups, self._all_groups[is_test])
        absent = np.setdiff1d(self.codes, self.codes[is_train[self.rows]])
        if absent.size:
            raise ValueError(
                f"A split leaves no label of class {self.classes.tolist()[absent[0]]!r} for training. Use smaller test sets, or "
                "label more rows."
            )
        return np.flatnonzero(is_train), np.flatnonzero(is_test)


def _way_out(count):
    """Say what helps where a class has few labels, or labels are of few groups: two folds are the fewest."""
    return "Use fewer folds, or label more rows." if count > 1 else "Label more rows."
