"""Probabilities of all rows, some rows at a time, so that no array of all rows and classes need be made."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import _num_samples

CHUNK_BYTES = 2**22


def proba_parts(model, X, n_classes):
    """Yield slices of rows and what a classifier predicts for them: parts of arrays and sparse tables, or all rows at once."""
    n_rows = size = _num_samples(X)
    if issparse(X):
        X = X.tocsr()
        size = CHUNK_BYTES // max(8 * n_classes, X.data.nbytes // n_rows)
    elif isinstance(X, np.ndarray):
        size = CHUNK_BYTES // max(8 * n_classes, X[:1].nbytes)
    size = max(1, size)
    for start in range(0, n_rows, size):
        rows = slice(start, min(start + size, n_rows))
        part = X if size >= n_rows else X[rows]
        yield rows, np.asarray(model.predict_proba(part))
