"""Probabilities of all rows, some rows at a time, so that no array of all rows and classes need be made."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import _num_samples

from skprune._utils._adapters import is_net, last_step

CHUNK_BYTES = 2**22


def proba_parts(model, X, n_classes):
    """Yield slices of rows and what a classifier predicts for them: parts of arrays and sparse tables, or all rows at once."""
    n_rows = size = _num_samples(X)
    has_own_batches = is_net(last_step(model))
    if not has_own_batches and (issparse(X) or isinstance(X, np.ndarray)):
        X = X.tocsr() if issparse(X) else X
        size = max(1, CHUNK_BYTES // max(8 * n_classes, X.data.nbytes // n_rows))
    for start in range(0, n_rows, size):
        rows = slice(start, min(start + size, n_rows))
        part = X if size >= n_rows else X[rows]
        yield rows, np.asarray(model.predict_proba(part))
