"""How X is read as numbers: one C-contiguous array, 2-D for tables and 4-D for images."""

import os
import sys
from collections.abc import Mapping

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import _safe_indexing, check_array
from sklearn.utils.validation import _num_samples

from skprune._utils._axes import as_image_shape, channels_first
from skprune._utils._columns import as_sparse_table, columns_of, describe_columns, is_frame, is_sequence, is_texts
from skprune._utils._doc_links import see
from skprune._utils._items import (
    check_map_style,
    is_dataset,
    is_hugging_face,
    is_items,
    read_items,
    subset,
    tensor_as_array,
)
from skprune._utils._labels import is_null
from skprune._utils._mapped import as_contiguous, row_chunks
from skprune._utils._warnings import warn_user

ENCODE_FIRST = (
    "Encode and impute them first: in a Pipeline that begins with a ColumnTransformer, as labeler, proxy (which then ends in "
    "a classifier such as SGDClassifier(loss='log_loss')), classifier or embedding, or before X is passed."
    + see("tables")
)
"""Where an encoder goes."""

VECTORIZE_FIRST = (
    "Use Pipelines that begin with TfidfVectorizer and end in a classifier, as labeler (such as SelfTrainingClassifier) and "
    "as proxy (such as SGDClassifier(loss='log_loss')); or embed the texts, and pass the embeddings as X."
    + see("texts")
)
"""Where a vectorizer goes."""

_LARGEST = 1e150


class NotNumbers(ValueError):
    """X is a table that cannot be read as finite numbers, but models other than nets may read it as it is."""


def as_pool(X, image_shape=None, *, estimator=None, like=()):
    """Turn X into an array of finite numbers, as nets read it; gray images among rows `like` color ones get three channels."""
    check_map_style(X)
    check_has_rows(X)
    if is_items(X):
        X, channels_are_first = read_items(X)
        if X.ndim == 4 and X.shape[1] == 1 and len(like) == 3 and like[0] == 3:
            X = np.repeat(X, 3, axis=1)
        if channels_are_first and image_shape is None:
            image_shape = X.shape[1:]
    X = as_sparse_table(X)
    if issparse(X):
        X = X.toarray()
    elif hasattr(X, "detach"):
        X = tensor_as_array(X)
    check_mask(X)
    _check_dates(X)
    if is_texts(X):
        raise NotNumbers(f"X holds texts, and {_name(estimator)} reads numbers only. {VECTORIZE_FIRST}")
    try:
        array = check_array(
            X,
            dtype="numeric",
            ensure_all_finite=False,
            allow_nd=True,
            ensure_2d=True,
            estimator=estimator,
            input_name="X",
        )
        array = array.astype(np.float64) if array.dtype.kind == "O" else array
    except (ValueError, TypeError) as error:
        refusal = _text_refusal(X, estimator)
        raise refusal or _named(error) from error
    if array.ndim > 4:
        raise ValueError(f"X has {array.ndim} axes. Use a table (n, d) or images (n, C, H, W).")
    if image_shape is not None:
        array = as_image_shape(array, image_shape)
    elif array.ndim == 4:
        array = channels_first(array)
    if array.ndim == 3:
        array = array[:, None]
    image = array.ndim == 4
    if image and 0 in array.shape[1:]:
        raise ValueError(f"X holds images of shape {array.shape[1:]}, without any pixel.")
    dtype = array.dtype
    if dtype == np.float16 or (dtype == np.uint8 and not image):
        dtype = np.float32
    elif dtype not in (np.uint8, np.float32, np.float64):
        dtype = np.float64
    array = as_contiguous(array, dtype)
    _check_finite(array, X)
    return array


def check_has_rows(X):
    """Refuse what has no rows that can be taken by their number."""
    is_text, is_mapping = isinstance(X, (str, bytes, os.PathLike)), isinstance(X, Mapping) and not issparse(X)
    if not hasattr(X, "shape"):
        is_sized = hasattr(X, "__getitem__") and hasattr(X, "__len__")
        has_rows = (is_sized or hasattr(X, "__array__")) and not isinstance(X, type)
    else:
        has_rows = not is_mapping and len(X.shape) > 0
    if is_text or is_mapping or not has_rows:
        what = repr(X) if is_text or X is None else f"a {type(X).__name__}"
        raise TypeError(f"X is {what}. Pass an array, a DataFrame, a list with an entry for each row, or a Dataset.")
    if all(hasattr(X, name) for name in ("shape", "dtype", "chunks")):
        raise TypeError(
            f"X is an array in chunks, of type {type(X).__module__}.{type(X).__name__}. Pass X[:] if that fits into memory, else "
            f"a Dataset around it.{see('scale#memory-mapped-pools')}"
        )


def flat(pool):
    """View a pool as the 2-D table that scikit-learn's own estimators read."""
    return pool.reshape(len(pool), -1)


def take_rows(X, rows):
    """Return some rows of X, of the type of X; of a Dataset of torch, a Subset."""
    if is_dataset(X):
        rows = np.arange(len(X))[rows].tolist()
        return X.select(rows) if is_hugging_face(X) else subset(X, rows)
    if issparse(X):
        return X.tocsr()[rows].asformat(X.format)
    if is_sequence(X) and hasattr(X, "take") and not isinstance(X, np.ndarray):  # of pandas, whose brackets vary
        return X.take(np.arange(len(X))[rows])
    return _safe_indexing(X if hasattr(X, "__getitem__") else np.asarray(X), rows)


def check_equal_length(pool, y, name="y"):
    """Refuse X and y of unequal length, and a y without one."""
    try:
        labels = _num_samples(y)
    except TypeError as error:
        raise TypeError(f"{name} must be array-like of shape (n_samples,), got {y!r}.") from error
    rows = _num_samples(pool)
    if rows != labels:
        raise ValueError(f"X and {name} have inconsistent numbers of samples: X has {rows} rows, {name} has {labels}.")


def warn_of_other_order(X, y):
    """Warn where y has the index of X in another order, as it is read by position; a default index of y says nothing."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not all(isinstance(given, (pandas.DataFrame, pandas.Series)) for given in (X, y)):
        return
    is_default = isinstance(y.index, pandas.RangeIndex) and (y.index.start, y.index.step) == (0, 1)
    if is_default or X.index.equals(y.index) or not X.index.is_unique or not X.index.isin(y.index).all():
        return
    pairs = zip(X.index.tolist(), y.index.tolist(), strict=True)
    pair = next(((x, y) for x, y in pairs if x != y and not (is_null(x) and is_null(y))), None)
    if pair is None:  # the same values in another type
        return
    first, other = pair
    warn_user(
        f"y is read by position, and its index is that of X in another order: where X has {first!r}, y has {other!r}. Pass "
        "y.loc[X.index] if its labels belong to rows by the index, y.to_numpy() if by position."
        + see("pitfalls#the-order-of-columns-and-rows")
    )


def check_mask(X):
    """Refuse a masked array, whose mask would be lost."""
    if not isinstance(X, np.ma.MaskedArray) or not np.ma.is_masked(X):
        return
    row, *place = np.argwhere(np.ma.getmaskarray(X))[0].tolist()
    column = f", column {place[0]}" if len(place) == 1 else ""
    raise ValueError(
        f"X is masked, first in row {row}{column}; {int(np.ma.count_masked(X))} cells are. Fill them, as in X.filled(0), or "
        "as in X.filled(np.nan) for a labeler and a proxy that are Pipelines with an imputer."
    )


def _check_dates(X):
    """Refuse dates, which would be read as the numbers that stand for them."""
    if not is_frame(X) and getattr(getattr(X, "dtype", None), "kind", "") not in ("m", "M", "O"):
        return
    if not is_frame(X) and (X.ndim < 2 or X.size == 0):
        return
    columns = columns_of(X if is_frame(X) else X.reshape(len(X), -1))
    kinds = {column.kind for column in columns}
    if "date" in kinds:
        bad = [column for column in columns if column.kind != "number"]
        others = "" if len(kinds - {"number"}) == 1 else f" {ENCODE_FIRST}"
        raise NotNumbers(
            f"X holds {describe_columns(bad)}.{others} Turn dates into numbers that mean something, such as days since the "
            "first, the month or the hour, and leave no NaT; or drop them."
        )


def _named(error):
    """Return an error of scikit-learn or NumPy as one that says that it is about X."""
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"X cannot be read as a table (n, d) or images (n, C, H, W) of numbers. {error}")


def _text_refusal(X, estimator):
    """Return the error that names the columns without numbers; None if that is not what is wrong."""
    table = X if is_frame(X) else _as_objects(X)
    if table is None:
        return None
    columns = columns_of(table)
    kinds = {column.kind for column in columns}
    if kinds <= {"number"} or ("object" in kinds and not is_frame(X)):
        return None
    return NotNumbers(f"X holds {describe_columns(columns)}, and {_name(estimator)} reads numbers only. {ENCODE_FIRST}")


def _name(estimator):
    if estimator is None or isinstance(estimator, str):
        return estimator or "a net"
    return type(estimator).__name__


def _as_objects(X):
    """Return what is a table as an array of objects, None for anything else."""
    try:
        table = np.asarray(X, dtype=object)
    except ValueError:  # rows of unequal length
        return None
    has_cells = table.ndim == 2 and table.size and not any(np.ndim(cell) for cell in table.ravel())
    return table if has_cells else None


def _check_finite(array, X):
    if array.dtype == np.uint8:
        return
    with np.errstate(all="ignore"):
        if np.isfinite(array.sum()):
            return
    table = flat(array)
    bad = np.concatenate([~np.isfinite(table[rows]).all(axis=1) for rows in row_chunks(table)])
    if not bad.any():
        return
    row = int(bad.argmax())
    column = int(np.isfinite(table[row]).argmin())
    is_nan = np.isnan(table[row, column])
    name = repr(X.columns[column]) if is_frame(X) else column
    error = NotNumbers if array.ndim == 2 and not np.isinf(array[bad]).any() else ValueError
    raise error(
        f"X contains {'NaN' if is_nan else 'infinity (inf)'}, first in row {row}, column {name}; "
        f"{int(bad.sum())} rows are not finite. Impute or drop them before pruning"
        f"{', or in a Pipeline as labeler and as proxy' if error is NotNumbers else ''}."
    )


def check_magnitude(table):
    """Refuse columns whose squares are not finite, which no standard deviation survives."""
    table = flat(table)
    if table.size == 0 or max(float(table.max()), -float(table.min())) < _LARGEST:
        return
    extent = np.maximum(table.max(axis=0), -table.min(axis=0))
    column = int(np.argmax(extent))
    raise ValueError(
        f"Column {column} of X reaches {extent[column]:.3g}, too large to be standardized ({int((extent >= _LARGEST).sum())} "
        "such columns). Divide it, take its logarithm, or mend the rows."
    )
