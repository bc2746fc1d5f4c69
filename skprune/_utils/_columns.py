"""The columns of tables of any kind: which ones hold text or dates, and which cells are missing."""

import datetime
import sys
from dataclasses import dataclass
from numbers import Number

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.utils.validation import _get_feature_names

from skprune._utils._labels import is_null

_DATES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
_MOST_NAMED = 3


@dataclass(frozen=True)
class Column:
    """A column: its name or position, values, kind ("number", "date", "text" or "object"), and which cells are missing."""

    name: object
    values: np.ndarray
    kind: str
    missing: np.ndarray


def is_frame(X):
    """Tell whether X is a DataFrame of pandas or polars, without importing either."""
    return any(name in sys.modules and isinstance(X, sys.modules[name].DataFrame) for name in ("pandas", "polars"))


def as_sparse_table(X):
    """Return a frame of pandas whose columns are all sparse as a sparse table, anything else as it is."""
    if not is_frame(X) or not hasattr(X, "dtypes") or not hasattr(X, "iloc") or X.shape[1] == 0:
        return X
    is_sparse = all(type(dtype).__name__ == "SparseDtype" and dtype.kind in "biuf" for dtype in X.dtypes)
    return csr_array(X.sparse.to_coo()) if is_sparse and all(dtype.fill_value == 0 for dtype in X.dtypes) else X


def columns_of(X):
    """Return the columns of a table."""
    if is_frame(X):
        cells = X.get_columns() if hasattr(X, "get_columns") else (X.iloc[:, place] for place in range(X.shape[1]))
        return [_column(name, series) for name, series in zip(X.columns, cells, strict=True)]
    return [_column(position, values) for position, values in enumerate(np.asarray(X).T)]


def check_column_names(X):
    """Refuse column names of mixed types, and names that two columns share."""
    if not is_frame(X):
        return
    names = list(X.columns)
    if len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise ValueError(f"X has several columns of the name {twice!r}. Give each column a name of its own.")
    _get_feature_names(X)


def describe_columns(columns):
    """Say which columns hold text, dates or missing cells; empty where all are numbers."""
    parts = []
    for kind, what in (("text", "text"), ("date", "dates"), ("object", "objects")):
        names = [repr(column.name) for column in columns if column.kind == kind]
        if names:
            parts.append(f"{what} in {_listed(names)}")
    names = [f"{column.name!r} (row {int(column.missing.argmax())})" for column in columns if column.missing.any()]
    if names:
        parts.append(f"missing cells (NaN) in {_listed(names)}")
    return ", ".join(parts[:-1]) + " and " * (len(parts) > 1) + "".join(parts[-1:])


def _listed(names):
    rest = len(names) - _MOST_NAMED
    word = "column" if len(names) == 1 else "columns"
    return f"{word} {', '.join(names[:_MOST_NAMED])}{f' and {rest} more' if rest > 0 else ''}"


def _column(name, cells):
    values = np.asarray(cells)
    if str(getattr(cells, "dtype", "")) in ("category", "Categorical"):
        values = values.astype(object)
        return Column(name, values, "text", _missing_among(values))
    kind = values.dtype.kind
    if kind == "f":
        return Column(name, values, "number", np.isnan(values))
    if kind in "mM":
        return Column(name, values, "date", np.isnat(values))
    if kind != "O":
        return Column(name, values, "text" if kind in "UST" else "number", np.zeros(len(values), dtype=bool))
    missing = _missing_among(values)
    return Column(name, values, _kind(values[~missing]), missing)


def _missing_among(values):
    return np.fromiter(map(is_null, values), dtype=bool, count=len(values))


def _kind(cells):
    if all(isinstance(cell, (Number, np.bool_)) for cell in cells):
        return "number"
    if all(isinstance(cell, _DATES) for cell in cells):
        return "date"
    return "text" if any(isinstance(cell, str) for cell in cells) else "object"


def cell_texts(cells, write_float=str):
    """Return the cells of a column as texts, empty where one is missing; floats are without .0 where all of them are whole."""
    floats = (float, np.floating)
    if all(isinstance(cell, floats) and float(cell).is_integer() for cell in cells if not is_null(cell)):
        write_float = "{:.0f}".format
    return ["" if is_null(cell) else (write_float if isinstance(cell, floats) else str)(cell) for cell in cells]


def is_sequence(X):
    """Tell whether X is a list, a tuple, or an array or Series of one axis, and is not empty."""
    if isinstance(X, (list, tuple)):
        return len(X) > 0
    is_array = hasattr(X, "dtype") and hasattr(X, "__len__") and not hasattr(X, "detach") and not issparse(X)
    return is_array and len(getattr(X, "shape", ())) == 1 and len(X) > 0


def is_texts(X):
    """Tell whether X is a sequence of texts, one a row, of which some may be missing."""
    if not is_sequence(X):
        return False
    cells = [cell for cell in X if not is_null(cell)]
    return bool(cells) and all(isinstance(cell, str) for cell in cells)
