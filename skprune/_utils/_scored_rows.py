"""The accuracy on labeled rows, of estimators whose y may lack labels."""

from abc import abstractmethod

import numpy as np
from sklearn.metrics import accuracy_score

from skprune._utils._labels import labels_at, missing_mask
from skprune._utils._pool import check_equal_length, take_rows


def scored_rows(y, missing_label, classes):
    """Return the rows that a score counts, those with a label; refuse where there is none."""
    rows = np.flatnonzero(~missing_mask(y, missing_label, classes))
    if rows.size == 0:
        raise ValueError("score needs labeled rows, and y holds none.")
    return rows


class LabeledRowsScore:
    """Mixin of classifiers: rows without a label do not count."""

    @abstractmethod
    def _scored_labels(self):
        """Return what marks a missing label, and the classes; refuse where nothing is fitted."""

    def score(self, X, y, sample_weight=None):
        """Return the accuracy on the labeled rows.

        Parameters
        ----------
        X : array-like
            Test data, as in :meth:`fit`.
        y : array-like of shape (n_samples,)
            Labels; rows without one do not count.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the test rows.

        Returns
        -------
        float
            Accuracy, in [0, 1].

        Raises
        ------
        ValueError
            If no row is labeled, or X does not fit the data of :meth:`fit`.
        """
        missing_label, classes = self._scored_labels()
        check_equal_length(X, y)
        rows = scored_rows(y, missing_label, classes)
        weights = None if sample_weight is None else take_rows(sample_weight, rows)
        return float(accuracy_score(labels_at(y, rows), self.predict(take_rows(X, rows)), sample_weight=weights))
