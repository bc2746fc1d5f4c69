"""Value objects of the selectors: what a choice reads, and what it decides."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Draw:
    """What one choice reads: how many rows to keep, arrays with an entry for each row, and a random generator."""

    k: int
    scores: np.ndarray
    must_keep: np.ndarray
    inputs: dict[str, np.ndarray]
    rng: np.random.Generator

    def among(self, rows, k):
        """Return the draw of k of these rows, from the same generator."""
        inputs = {name: values[rows] for name, values in self.inputs.items()}
        return replace(self, k=k, scores=self.scores[rows], must_keep=self.must_keep[rows], inputs=inputs)


@dataclass(frozen=True)
class Group:
    """A choice among some rows of the pool: masks over these rows of what is kept, was free to compete, or was cut off."""

    rows: np.ndarray
    draw: Draw
    kept: np.ndarray
    free: np.ndarray
    dropped: np.ndarray


@dataclass(frozen=True)
class Decision:
    """A mask over the pool and the groups it comes from; `raised` are the choices for classes below their minimum."""

    kept: np.ndarray
    groups: tuple[Group, ...]
    reserved: np.ndarray
    raised: tuple[Group, ...] = ()
