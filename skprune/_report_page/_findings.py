"""What a report tells of: a fitted pruner, and the rows at hand."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skprune._pipeline._held_out import HeldOut
from skprune._utils._pool import take_rows


@dataclass(frozen=True)
class RowsAtHand:
    """Rows that can be shown, which rows of the pool they are (ascending), and the shape of each."""

    table: object
    rows: np.ndarray
    shape: tuple
    image_shape: tuple | None = None

    @property
    def are_images(self):
        """Whether they are images that can be shown."""
        return len(self.shape) == 3 and self.shape[0] in (1, 3, 4)

    @property
    def have_cells(self):
        """Whether they are texts or lines of a table."""
        return len(self.shape) <= 1

    def among(self, rows):
        """Tell which rows are at hand."""
        return np.isin(rows, self.rows)

    def take(self, rows):
        """Return rows that are at hand, of the type of the pool."""
        return take_rows(self.table, np.searchsorted(self.rows, rows))


@dataclass(frozen=True)
class Findings:
    """A fitted pruner, and all that its public attributes do not tell."""

    pruner: object
    labeled: np.ndarray
    held_out: HeldOut | None
    row_shape: tuple
    shown: RowsAtHand
    opinions: dict
    names: object
    n_rows: int
    title: str
    n_groups: int | None  # of which one row each may be kept

    @cached_property
    def explanation(self):
        """What ``explain`` tells of each row, as arrays by name."""
        table = self.pruner.explain()
        return {name: np.asarray(table[name]) for name in table}

    @property
    def n_to_label(self):
        """The number of rows for people to label."""
        return len(self.pruner.annotation_indices_)
