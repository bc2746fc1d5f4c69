"""The labelled rows of a pool, which alone are divided."""

import numpy as np
from sklearn.utils import indexable

from skprune._utils._labels import MISSING, encode_labels


class LabelledRows:
    """The labelled rows of a pool, for splitters."""

    def __init__(self, X, y, groups, missing_label):
        indexable(X, y, groups)
        codes, self.classes = encode_labels(y, missing_label)
        self.labelled = np.flatnonzero(codes != MISSING)
        self.codes = codes[self.labelled]
        self._n = len(codes)
        self._groups = None if groups is None else np.asarray(groups)
        self.groups = None if groups is None else self._groups[self.labelled]

    def check_counts(self, least, what, hint):
        """Refuse what asks for more labels of a class, or more groups, than there are."""
        counts = np.bincount(self.codes)
        if counts.min() < least:
            rarest = self.classes.tolist()[counts.argmin()]
            raise ValueError(f"{what} needs {least} labels of each class, and {rarest!r} has {counts.min()}. {hint}")
        if self.groups is not None and len(np.unique(self.groups)) < least:
            raise ValueError(
                f"{what} needs {least} groups of labelled rows, and there are {len(np.unique(self.groups))}. {hint}"
            )

    def split(self, test, train=None):
        """Return the rows of one split."""
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
