"""Rows as the user gave them, for models that are no nets: frames, sparse tables, texts."""

from collections.abc import Hashable

import joblib
import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.utils import check_array
from sklearn.utils.validation import _num_samples

from skprune._utils._columns import as_sparse_table, columns_of, is_frame, is_sequence, is_texts
from skprune._utils._items import check_map_style, is_dataset, is_items, tensor_as_array
from skprune._utils._labels import is_null
from skprune._utils._pool import NotNumbers, as_pool, check_has_rows, take_rows


class GivenRows:
    """Rows as they were given; `array` holds them as numbers where they are a frame of numbers."""

    def __init__(self, given, array=None):
        self.given, self.array = given, array

    @property
    def shape(self):
        """Number of rows, and of columns if there are any."""
        return tuple(np.shape(self.given)) if hasattr(self.given, "shape") else (_num_samples(self.given),)

    @property
    def ndim(self):
        """Number of axes: that of images is 4, and these are none."""
        return len(self.shape)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        return GivenRows(take_rows(self.given, rows), None if self.array is None else self.array[rows])

    @property
    def is_texts(self):
        """Whether each row is a text."""
        return is_texts(self.given)

    def as_array(self, estimator=None):
        """Return the rows as nets read them, or name the columns that they cannot read."""
        return as_pool(self.given, estimator=estimator) if self.array is None else self.array

    def columns(self):
        """Return the columns of a table that is not sparse."""
        return columns_of(self.given)

    def comparable(self):
        """Return numbers that are the same where rows are: an array, or a sparse table."""
        if self.array is not None or issparse(self.given):
            return self.given if self.array is None else self.array
        columns = [list(self.given)] if self.is_texts else [column.values for column in self.columns()]
        return np.stack([_numbered(cells) for cells in columns], axis=1)

    @property
    def key(self):
        """What results of models depend on: the values, and the names and dtypes by which columns may be chosen."""
        is_named = is_frame(self.given)
        names = [*zip(map(str, self.given.columns), map(str, self.given.dtypes), strict=True)] if is_named else None
        return names, fingerprint(self)


def read_rows(X, image_shape=None, *, estimator=None, like=()):
    """Read what a pruner gets: an array, or the rows as they were given where models other than nets may read more."""
    if is_items(X):
        return as_pool(X, image_shape, estimator=estimator, like=like)
    X = as_sparse_table(X)
    if image_shape is None and issparse(X):
        return GivenRows(_checked_sparse(X, estimator))
    if image_shape is None and is_texts(X):
        return GivenRows(_checked_texts(X))
    try:
        array = as_pool(X, image_shape, estimator=estimator)
    except NotNumbers:
        if image_shape is not None:
            raise
        return GivenRows(X if is_frame(X) else np.asarray(X, dtype=object if isinstance(X, (list, tuple)) else None))
    return GivenRows(X, array) if is_frame(X) and array.ndim == 2 else array


def holds_numbers(rows):
    """Tell whether all cells are finite numbers."""
    return not isinstance(rows, GivenRows) or rows.array is not None or issparse(rows.given)


def unread_rows(X):
    """Return rows of any kind, of which nothing but their number is looked at."""
    check_map_style(X)
    check_has_rows(X)
    if hasattr(X, "detach"):
        X = tensor_as_array(X)
    if _num_samples(X) == 0:
        raise ValueError("X holds 0 samples, and at least one is needed.")
    return GivenRows(X)


def rows_of_coreset(X, pool):
    """Return rows as a classifier gets them that is fitted to a coreset: those of X, or of the pool where X is read by item."""
    return pool if is_items(X) else unread_rows(X)


def fingerprint(rows):
    """Return a hash of the values of rows, the same for every container of the same numbers."""
    if is_dataset(rows.given if isinstance(rows, GivenRows) else rows):
        return joblib.hash(len(rows))
    if not isinstance(rows, GivenRows):
        return joblib.hash(rows)
    if rows.array is not None:
        return joblib.hash(rows.array)
    if issparse(rows.given):
        table = csr_array(rows.given)
        if not table.has_canonical_format:
            table = table.copy()
            table.sum_duplicates()
        return joblib.hash((table.shape, table.data, table.indices.astype(np.int64), table.indptr.astype(np.int64)))
    if rows.is_texts:
        return joblib.hash(list(rows.given))
    if is_frame(rows.given):
        return joblib.hash([(column.name, column.values) for column in rows.columns()])
    if isinstance(rows.given, np.ndarray):
        return joblib.hash(np.ascontiguousarray(rows.given))
    return joblib.hash(_arrays_in(list(rows.given) if is_sequence(rows.given) else rows.given))


def _arrays_in(value):
    """Return nested rows with their tensors as arrays: the hash of a tensor reads all that it is a view of."""
    if hasattr(value, "detach"):
        return tensor_as_array(value)
    return [_arrays_in(part) for part in value] if isinstance(value, (list, tuple)) else value


def _checked_sparse(X, estimator):
    table = check_array(
        X, accept_sparse="csr", dtype="numeric", ensure_all_finite=False, estimator=estimator, input_name="X"
    )
    finite = np.isfinite(table.data)
    if not finite.all():
        place = int(finite.argmin())
        row = int(np.searchsorted(table.indptr, place, side="right")) - 1
        raise ValueError(
            f"X contains {'NaN' if np.isnan(table.data[place]) else 'infinity (inf)'}, first in row {row}, column "
            f"{int(table.indices[place])}. Impute or drop such cells before pruning."
        )
    if table.indices.dtype == np.int64 and max(table.nnz, *table.shape) < 2**31:  # scikit-learn reads 32 bits only
        parts = (table.data, table.indices.astype(np.int32), table.indptr.astype(np.int32))
        table = type(table)(parts, shape=table.shape)
    return table


def _checked_texts(X):
    for row, cell in enumerate(X):
        if is_null(cell):
            raise ValueError(f"X is a list of texts, and row {row} holds {cell!r}. Use an empty text there.")
    return X


def _numbered(cells):
    """Return a number for each cell, the same for equal ones and for all that are missing."""
    numbers = {}
    keys = (None if is_null(cell) else cell for cell in cells)
    keys = (key if isinstance(key, Hashable) else repr(key) for key in keys)
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys])
