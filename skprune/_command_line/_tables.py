"""A table in a CSV or parquet file: its ids and labels, and its columns as numbers that a net can read."""

import io
import re
import warnings
from itertools import dropwhile

import numpy as np

from skprune._command_line._data import Data
from skprune._command_line._errors import BadInput
from skprune._utils._columns import cell_texts
from skprune._utils._csv_files import check_names, is_filled, logical_lines, numbered_cells, opened, separator_of

_EXTRA = 'pip install "skprune[tables]"'
_DECIMAL_COMMA = r"\s*[+-]?\d*,?\d+(?:[eE][+-]?\d+)?\s*"
_THOUSANDS = r"\s*[+-]?(?:[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?|\d*\.?\d+(?:[eE][+-]?\d+)?)\s*"


def read_table(file, arguments):
    """Read a table; columns of text, categories and dates are encoded, missing cells are filled in."""
    frame = _read_frame(file, as_text=(arguments.id_column or "id", arguments.label_column))
    if not len(frame):
        raise BadInput(f"{file} holds no rows.")
    ids, id_column = _ids(frame, file, arguments.id_column)
    labels = None
    if arguments.label_column is not None:
        _check_column(frame, file, arguments.label_column, "--label-column")
        labels = as_labels(frame[arguments.label_column])
    shown = frame.drop(columns=[name for name in (id_column, arguments.label_column) if name is not None])
    if arguments.label_column is None and "label" in shown.columns:
        raise BadInput(
            f'{file} has a column "label". Pass --label-column label: its labels count where --labels gives none, and it is no '
            "input. If it holds something else, give it another name."
        )
    if not shown.shape[1]:
        raise BadInput(f"{file} holds no column besides ids and labels.")
    _check_finite(shown, file)
    shown = shown.reset_index(drop=True)
    return Data(_encoded(shown, file, arguments.seed), shown, ids, labels)


def as_labels(column):
    """Return the labels of a column as texts, None where a cell is missing or empty."""
    return np.array([text.strip() or None for text in _texts(column)], dtype=object)


def _texts(column):
    """Return the cells of a column as texts, empty where one is missing; whole numbers are whole again if all had a .0."""
    texts = cell_texts(column)
    are_whole = all(re.fullmatch(r"\s*-?\d+\.0\s*", text) for text in texts if text.strip())
    return [text.strip().removesuffix(".0") for text in texts] if are_whole else texts


def _read_frame(file, as_text):
    try:
        import pandas as pd
    except ImportError as error:
        raise BadInput(f"Tables are read with pandas, which is not installed: {_EXTRA}") from error
    try:
        if file.suffix.lower() == ".csv":
            return _read_csv(pd, file, as_text)
        return _read_parquet(pd, file)
    except BadInput:
        raise
    except ImportError as error:
        raise BadInput(f"Parquet files are read with pyarrow, which is not installed: {_EXTRA}") from error
    except Exception as error:  # pandas and pyarrow raise errors of many kinds
        raise BadInput(f"{file} cannot be read as a table: {error}") from error


def _read_parquet(pd, file):
    """Read a parquet file, the named levels of its index as columns."""
    frame = pd.read_parquet(file)
    named = [name for name in frame.index.names if name is not None]
    check_names(list(frame.columns), file)
    _check_cells(frame, file)
    for name in set(named) & set(frame.columns):
        if not frame.index.get_level_values(name).equals(pd.Index(frame[name])):
            raise BadInput(
                f"{file} has an index and a column of the name {name!r}, with other values. Rename one of them."
            )
        named.remove(name)
    return frame.reset_index(level=named).reset_index(drop=True) if named else frame.reset_index(drop=True)


def _read_csv(pd, file, as_text):
    """Read a CSV file, some columns as they are written; numbers may have a decimal comma where no comma separates cells."""
    separator = separator_of(file)
    check_names(next(numbered_cells(file), (1, []))[1], file)
    with opened(file) as stream:
        lines = [line.rstrip("\r\n") for line in logical_lines(stream, separator) if line.strip(" \r\n")]
    header, *rows = [*dropwhile(lambda line: not is_filled(line), lines)] or [""]
    filled = [row for row, line in enumerate(rows) if is_filled(line)]
    text = "\n".join([header, *(rows[row].rstrip(separator) for row in filled)])  # no empty cells beyond the header
    options = {"sep": separator, "index_col": False, "low_memory": False}  # whole columns have one type
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            frame = pd.read_csv(io.StringIO(text), **options)
        except (pd.errors.ParserError, pd.errors.ParserWarning):  # maybe of cells beyond the header
            for _ in numbered_cells(file):
                pass  # it names the line
            raise
    if separator != ",":
        for name in frame.select_dtypes(exclude="number").columns.difference(as_text):
            frame[name] = _with_decimal_commas(pd, frame[name], file)
    if frame.columns.isin(as_text).any():
        keep = {"dtype": str, "keep_default_na": False}
        written = pd.read_csv(io.StringIO(text), usecols=lambda name: name in as_text, **keep, **options)
        frame[written.columns] = written
    frame.index = filled  # rows are counted as pandas does it, with those of empty cells
    return frame


def _with_decimal_commas(pd, column, file):
    """Return a column of texts as numbers if all are numbers with a decimal comma; refuse those that may have others."""
    cells = column.dropna().astype(str)
    with_comma = cells[cells.str.contains(",", regex=False)]
    if len(with_comma) and cells.str.fullmatch(_THOUSANDS).all():
        raise BadInput(
            f"The column {column.name!r} of {file} holds {with_comma.iloc[0]!r}, whose comma may part thousands or decimals. "
            "Write its numbers without commas, such as 1000 or 1.5."
        )
    if not len(cells) or not cells.str.fullmatch(_DECIMAL_COMMA).all():
        return column
    return pd.to_numeric(cells.str.replace(",", ".")).reindex(column.index)


def _check_cells(frame, file):
    """Refuse lists and other cells of several values, by column."""
    for name, column in frame.items():
        if column.dtype == object and any(isinstance(cell, (list, tuple, dict, np.ndarray)) for cell in column):
            raise BadInput(
                f"The cells of the column {name!r} of {file} hold several values each. Give each value a column of its own, or "
                "leave them out."
            )


def _ids(frame, file, name):
    """Return the ids of the rows, and the column that holds them, None where they are numbered."""
    if name is None and "id" not in frame.columns:
        return np.array(list(map(str, frame.index)), dtype=object), None
    name = "id" if name is None else name
    _check_column(frame, file, name, "--id-column")
    ids, rows = _texts(frame[name]), {}
    for row, text in zip(frame.index, ids, strict=True):
        if not text.strip():
            raise BadInput(f"The column {name!r} of {file} lacks the id of row {row}.")
        if rows.setdefault(text, row) != row:
            raise BadInput(f"The column {name!r} of {file} holds the id {text!r} twice.")
    return np.array(ids, dtype=object), name


def _check_column(frame, file, name, option):
    if name not in frame.columns:
        columns = ", ".join(map(str, frame.columns))
        raise BadInput(f"{file} has no column {name!r} ({option}). Its columns: {columns}.")


def _check_finite(frame, file):
    """Refuse infinity, by column; what float32 cannot hold is infinity to a net."""
    for name, column in frame.items():
        if column.dtype.kind != "f":
            continue
        with np.errstate(over="ignore"):
            infinite = np.isinf(column.to_numpy(dtype=np.float32, na_value=np.nan))
        if infinite.any():
            row = int(infinite.argmax())
            raise BadInput(
                f"The column {name!r} of {file} holds {column.iloc[row]} in row {frame.index[row]}, too large a number to learn "
                "from. Replace it, or leave the cell empty."
            )


def _encoded(frame, file, seed):
    """Return the columns as an array of float32: categories one-hot, long texts by their n-grams, parts of dates."""
    try:
        from skrub import StringEncoder, TableVectorizer
    except ImportError as error:
        raise BadInput(f"Columns are encoded with skrub, which is not installed: {_EXTRA}") from error
    from sklearn.impute import SimpleImputer

    encoded = TableVectorizer(high_cardinality=StringEncoder(random_state=seed)).fit_transform(frame)
    if not encoded.shape[1]:
        raise BadInput(
            f"{file} holds nothing to learn from: all cells are empty in {', '.join(map(str, frame.columns))}."
        )
    filled_in = SimpleImputer(strategy="median", add_indicator=True).fit_transform(encoded)
    return np.ascontiguousarray(filled_in, dtype=np.float32)
