"""A table in a CSV or parquet file: its ids and labels, and its columns as numbers that a net can read."""

import csv
import warnings

import numpy as np

from skprune._command_line._data import Data, row_numbers
from skprune._command_line._errors import BadInput
from skprune._utils._csv_files import separator_of

_EXTRA = 'pip install "skprune[tables]"'
_NUMBER = r"\s*[+-]?\d*,?\d+(?:[eE][+-]?\d+)?\s*"  # with a decimal comma


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
    return Data(_encoded(shown, arguments.seed), shown, ids, labels)


def as_labels(column):
    """Return the labels of a column as texts, None where a cell is missing or empty."""
    return np.array([text.strip() or None for text in _texts(column)], dtype=object)


def _texts(column):
    """Return the cells of a column as texts, empty where one is missing; whole numbers that were made floats are whole again."""
    cells = ["" if lost else cell for cell, lost in zip(column, column.isna(), strict=True)]
    are_whole = all(isinstance(cell, float) and cell.is_integer() for cell in cells if cell != "")
    return [str(int(cell) if are_whole and cell != "" else cell) for cell in cells]


def _read_frame(file, as_text):
    try:
        import pandas as pd
    except ImportError as error:
        raise BadInput(f"Tables are read with pandas, which is not installed: {_EXTRA}") from error
    try:
        if file.suffix.lower() == ".csv":
            return _read_csv(pd, file, as_text)
        frame = pd.read_parquet(file)
        named = [name for name in frame.index.names if name is not None]
        return frame.reset_index(level=named) if named else frame
    except BadInput:
        raise
    except ImportError as error:
        raise BadInput(f"Parquet files are read with pyarrow, which is not installed: {_EXTRA}") from error
    except Exception as error:  # pandas and pyarrow raise errors of many kinds
        raise BadInput(f"{file} cannot be read as a table: {error}") from error


def _read_csv(pd, file, as_text):
    """Read a CSV file, some columns as they are written; numbers may have a decimal comma where no comma separates cells."""
    options = {"sep": separator_of(file), "index_col": False}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", pd.errors.ParserWarning)
        frame = pd.read_csv(file, **options)
    if caught:  # of cells beyond the header, which pandas drops
        _check_widths(file, options["sep"])
    if options["sep"] != ",":
        for name in frame.select_dtypes(exclude="number"):
            cells = frame[name].dropna().astype(str)
            if len(cells) and cells.str.fullmatch(_NUMBER).all():
                frame[name] = pd.to_numeric(frame[name].str.replace(",", "."))
    if not frame.columns.isin(as_text).any():
        return frame
    written = pd.read_csv(file, usecols=lambda name: name in as_text, dtype=str, keep_default_na=False, **options)
    frame[written.columns] = written
    return frame


def _check_widths(file, separator):
    """Refuse a line with more cells than the header has, unless they are empty."""
    with open(file, newline="", encoding="utf-8-sig") as stream:
        lines = csv.reader(stream, delimiter=separator)
        n_columns = len(next(line for line in lines if line))
        for line in lines:
            if any(line[n_columns:]):
                raise BadInput(
                    f"Line {lines.line_num} of {file} has {len(line)} cells, and the header names {n_columns} columns. Put cells "
                    f"that hold {separator!r} into quotes."
                )


def _ids(frame, file, name):
    """Return the ids of the rows, and the column that holds them, None where they are numbered."""
    if name is None and "id" not in frame.columns:
        return row_numbers(len(frame)), None
    name = "id" if name is None else name
    _check_column(frame, file, name, "--id-column")
    ids, rows = _texts(frame[name]), {}
    for row, text in enumerate(ids):
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
                f"The column {name!r} of {file} holds {column.iloc[row]} in row {row}, too large a number to learn from. Replace "
                "it, or leave the cell empty."
            )


def _encoded(frame, seed):
    """Return the columns as an array of float32: categories one-hot, long texts by their n-grams, parts of dates."""
    try:
        from skrub import StringEncoder, TableVectorizer
    except ImportError as error:
        raise BadInput(f"Columns are encoded with skrub, which is not installed: {_EXTRA}") from error
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    vectorizer = TableVectorizer(high_cardinality=StringEncoder(random_state=seed))
    encoder = make_pipeline(vectorizer, SimpleImputer(strategy="median", add_indicator=True))
    return np.ascontiguousarray(encoder.fit_transform(frame), dtype=np.float32)
