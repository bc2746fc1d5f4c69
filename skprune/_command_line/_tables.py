"""A table in a CSV or parquet file: its ids and labels, and its columns as numbers that a net can read."""

import numpy as np

from skprune._command_line._data import Data, row_numbers
from skprune._command_line._errors import BadInput

_EXTRA = 'pip install "skprune[tables]"'


def read_table(file, arguments):
    """Read a table; columns of text, categories and dates are encoded, missing cells are filled in."""
    frame = _read_frame(file)
    if not len(frame):
        raise BadInput(f"{file} holds no rows.")
    ids, id_column = _ids(frame, file, arguments.id_column)
    labels = None
    if arguments.label_column is not None:
        _check_column(frame, file, arguments.label_column, "--label-column")
        labels = as_labels(frame[arguments.label_column])
    shown = frame.drop(columns=[name for name in (id_column, arguments.label_column) if name is not None])
    if not shown.shape[1]:
        raise BadInput(f"{file} holds no column besides ids and labels.")
    return Data(_encoded(shown, arguments.seed), shown, ids, labels)


def as_labels(column):
    """Return the labels of a column as texts, None where a cell is missing or empty."""
    missing = column.isna()
    texts = (str(cell).strip() for cell in column)
    return np.array(
        [None if lost or not text else text for lost, text in zip(missing, texts, strict=True)], dtype=object
    )


def _read_frame(file):
    try:
        import pandas as pd
    except ImportError as error:
        raise BadInput(f"Tables are read with pandas, which is not installed: {_EXTRA}") from error
    try:
        return pd.read_csv(file) if file.suffix.lower() == ".csv" else pd.read_parquet(file)
    except ImportError as error:
        raise BadInput(f"Parquet files are read with pyarrow, which is not installed: {_EXTRA}") from error
    except Exception as error:  # pandas and pyarrow raise errors of many kinds
        raise BadInput(f"{file} cannot be read as a table: {error}") from error


def _ids(frame, file, name):
    """Return the ids of the rows, and the column that holds them, None where they are numbered."""
    if name is None and "id" not in frame.columns:
        return row_numbers(len(frame)), None
    name = "id" if name is None else name
    _check_column(frame, file, name, "--id-column")
    column = frame[name]
    if column.isna().any():
        raise BadInput(f"The column {name!r} of {file} lacks the id of row {int(column.isna().to_numpy().argmax())}.")
    ids = np.array([str(cell) for cell in column], dtype=object)
    if column.duplicated().any():
        raise BadInput(
            f"The column {name!r} of {file} holds the id {ids[column.duplicated().to_numpy().argmax()]!r} twice."
        )
    return ids, name


def _check_column(frame, file, name, option):
    if name not in frame.columns:
        columns = ", ".join(map(str, frame.columns))
        raise BadInput(f"{file} has no column {name!r} ({option}). Its columns: {columns}.")


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
