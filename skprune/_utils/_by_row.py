"""What is given for each row of a pool, such as its name: read by position, whatever index a Series has."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from skprune._utils._labels import is_null
from skprune._utils._pool import check_equal_length


def list_by_row(values, n_samples, name):
    """Return what is given for each row, in the order of the rows."""
    shape = np.shape(values) if hasattr(values, "shape") else (n_samples,)
    if isinstance(values, Mapping) or len(shape) != 1:
        got = f"an array of shape {shape}" if len(shape) != 1 else f"a {type(values).__name__}"
        is_table = name == "data" and hasattr(values, "to_dict")
        hint = ". Pass the lines of a table as dicts: to_dict('records')" if is_table else ""
        raise TypeError(f"{name} must be array-like of shape (n_samples,), got {got}{hint}.")
    check_equal_length(range(n_samples), values, name)
    return list(values)


def ids_of(names, n_samples, rows):
    """Return the names of some rows as texts, by which answers are matched; refuse those that are missing or not unique."""
    names = list_by_row(names, n_samples, "names")
    texts = [None if is_null(name) else str(name) for name in names]
    count = Counter(texts)
    for row in rows:
        text = texts[row]
        if text is None:
            raise ValueError(f"names holds no name for row {row}. Give each row one, or leave names out.")
        if count[text] > 1:
            first, second = [number for number, other in enumerate(texts) if other == text][:2]
            raise ValueError(
                f"names holds {text!r} for rows {first} and {second}, so that answers could not be told apart. Give each row a "
                "name of its own, such as the path within the folder."
            )
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"names holds {text!r} for row {row}, which cannot be written as UTF-8. Rename the file."
            ) from error
    return [texts[row] for row in rows]
