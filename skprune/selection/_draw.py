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
    """A choice among some rows of the pool: what was read of them, masks of what is kept or was cut off, the picks in order."""

    rows: np.ndarray
    draw: Draw
    kept: np.ndarray
    dropped: np.ndarray
    picked: np.ndarray


@dataclass(frozen=True)
class Part:
    """Rows of a group whose number is given where probabilities are asked; `first` is a draw among them that came before."""

    positions: np.ndarray | slice
    first: Group | None = None


@dataclass(frozen=True)
class Decision:
    """A mask over the pool, and the groups and parts it comes from; reserved rows are kept for `min_per_class`."""

    kept: np.ndarray
    reserved: np.ndarray
    groups: tuple[Group, ...]
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, groups, n_samples):
        """Put the masks of groups together."""
        kept = np.zeros(n_samples, dtype=bool)
        for group in groups:
            kept[group.rows] = group.kept
        return cls(kept, np.zeros(n_samples, dtype=bool), tuple(groups), (Part(slice(None)),))

    def order(self):
        """Return the kept rows in an order in which each prefix holds its share of every group, forced and reserved rows."""
        reserved = [part.first.rows[part.first.picked] for part in self.parts if part.first is not None]
        sequences = [in_turn(reserved)]
        for group in self.groups:
            forced = group.draw.must_keep & ~self.reserved[group.rows]
            sequences += [group.rows[forced], group.rows[group.picked]]
        return interleave(sequences)


def in_turn(sequences):
    """Merge sequences: the first of each, then the second of each, and so on."""
    if not sequences:
        return np.zeros(0, dtype=np.int64)
    turns = np.concatenate([np.arange(len(sequence)) for sequence in sequences])
    return np.concatenate(sequences)[np.argsort(turns, kind="stable")]


def interleave(sequences):
    """Merge sequences so that each prefix holds about the same share of every one."""
    places = np.concatenate([(np.arange(len(sequence)) + 0.5) / max(1, len(sequence)) for sequence in sequences])
    return np.concatenate(sequences)[np.argsort(places, kind="stable")]
