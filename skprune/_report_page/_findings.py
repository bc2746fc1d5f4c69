"""What a report tells of: a fitted pruner, and the rows at hand."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skprune._pipeline._held_out import HeldOut
from skprune._utils._pool import take_rows


@dataclass(frozen=True)
class RowsAtHand:
    """Some rows of a pool, and where each row of the pool is among them."""

    table: object
    rows: np.ndarray
    n_samples: int

    @cached_property
    def _places(self):
        places = np.full(self.n_samples, -1)
        places[self.rows] = np.arange(len(self.rows))
        return places

    def among(self, rows):
        """Tell which rows are at hand."""
        return self._places[rows] >= 0

    def take(self, rows):
        """Return rows that are at hand, of the type of the pool."""
        return take_rows(self.table, self._places[rows])


@dataclass(frozen=True)
class Findings:
    """A fitted pruner, and all that its public attributes do not tell."""

    pruner: object
    labeled: np.ndarray
    held_out: HeldOut | None
    row_shape: tuple
    rows: RowsAtHand
    opinions: dict
    names: np.ndarray
    n_rows: int
    title: str

    @property
    def is_image(self):
        """Whether the rows are images that can be shown."""
        return len(self.row_shape) == 3 and self.row_shape[0] in (1, 3, 4)

    @cached_property
    def explanation(self):
        """What ``explain`` tells of each row, as arrays by name."""
        table = self.pruner.explain()
        return {name: np.asarray(table[name]) for name in table}

    @property
    def n_to_label(self):
        """The number of rows for people to label."""
        return len(self.pruner.annotation_indices_)
