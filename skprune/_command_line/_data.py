"""What DATA holds: rows, an id for each, and labels where there are some."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Data:
    """The rows as models read them, as people do, their ids, and labels where the data hold some."""

    X: object
    shown: object
    ids: np.ndarray
    labels: np.ndarray | None = None


def row_numbers(n_rows):
    """Return the ids of rows that have no others."""
    return np.array([str(row) for row in range(n_rows)], dtype=object)
