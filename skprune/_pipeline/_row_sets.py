"""Choices among sets of rows that need one row each: equal rows, whose label is that of every one of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skprune._utils._equal_rows import first_equal
from skprune._utils._labels import MISSING
from skprune._utils._parameter_checks import check_option
from skprune._utils._warnings import warn_user
from skprune.selection import kept_count
from skprune.selection._counts import most_kept

DUPLICATES = ("propose_one", "ignore")
_LAST = np.iinfo(np.int64).max
_N_NAMED = 3


@dataclass(frozen=True)
class RowSets:
    """Sets of rows: the row that stands for each, the set of each row, when a row may follow, and what to call a member."""

    leaders: np.ndarray
    numbers: np.ndarray
    turns: np.ndarray
    relation: str

    @property
    def sizes(self):
        """The number of rows of each set."""
        return np.bincount(self.numbers, minlength=len(self.leaders))


@dataclass(frozen=True)
class EqualRows:
    """The sets of equal rows of a pool, and the labels that are known: the given ones, and those of their equals."""

    sets: RowSets
    codes: np.ndarray

    def n_leaders(self, k, forced, most):
        """Return how many rows a selector keeps of those that stand for a set, at most `most`, if k are kept in all."""
        n_leading, n_forced = int(forced[self.sets.leaders].sum()), int(forced.sum())
        return max(n_leading, min(k - (n_forced - n_leading), most))

    def around(self, choice):
        """Return the choice that keeps a row equal to a kept one only when no other is left."""
        return DistinctChoice(choice, self)


def find_equal_rows(duplicates, pool, classes):
    """Return the sets of equal rows of a labeled pool, None where they do not matter; warn of labels that differ."""
    check_option("duplicates", duplicates, DUPLICATES)
    if duplicates == "ignore":
        return None
    first = first_equal(pool.rows)
    rows = np.arange(len(first))
    if (first == rows).all():
        return None
    _, numbers, sizes = np.unique(first, return_inverse=True, return_counts=True)
    lowest, highest = _label_range(pool.codes, numbers, len(sizes))
    _warn_of_contradictions(np.flatnonzero(lowest < highest), numbers, pool.codes, classes)
    label = np.where(lowest == highest, lowest, MISSING)[numbers]
    is_copy = (pool.codes == MISSING) & (label != MISSING)
    order = np.lexsort((rows, is_copy, pool.codes == MISSING, numbers))
    starts = np.cumsum(sizes) - sizes
    turns = np.empty(len(rows), dtype=np.int64)
    turns[order] = rows - np.repeat(starts, sizes)
    turns[is_copy] = _LAST
    leaders = order[starts]
    by_row = np.argsort(leaders)
    places = np.empty_like(by_row)
    places[by_row] = np.arange(len(by_row))
    sets = RowSets(leaders[by_row], places[numbers], turns, "equal to row")
    return EqualRows(sets, np.where(is_copy, label, pool.codes))


def _label_range(codes, numbers, n_sets):
    """Return the lowest and the highest given label of each set; of a set without one, the lowest is above the highest."""
    labeled = codes != MISSING
    lowest, highest = np.full(n_sets, _LAST), np.full(n_sets, MISSING)
    np.minimum.at(lowest, numbers[labeled], codes[labeled])
    np.maximum.at(highest, numbers[labeled], codes[labeled])
    return lowest, highest


def _warn_of_contradictions(numbers_of_sets, numbers, codes, classes):
    """Warn once of equal rows whose given labels differ."""
    if not numbers_of_sets.size:
        return
    named = []
    for number in numbers_of_sets[:_N_NAMED]:
        rows = np.flatnonzero((numbers == number) & (codes != MISSING))
        labels = classes[codes[rows]].tolist()
        named.append(", ".join(f"row {row}: {label!r}" for row, label in zip(rows.tolist(), labels, strict=True)))
    more = numbers_of_sets.size - len(named)
    warn_user(
        f"Equal rows have different labels: {'; '.join(named)}{f'; and {more} more sets of rows' if more else ''}. Each keeps "
        "its own, and unlabeled rows that are equal to them get a pseudo-label. Correct the labels that are wrong."
    )


@dataclass(frozen=True)
class DistinctChoice:
    """A choice among the rows that stand for a set; once all that may be kept are, others follow in turn, by chance."""

    choice: object
    equal: EqualRows

    @property
    def scores(self):
        """The difficulty of all rows."""
        return self.choice.scores

    def mask(self):
        """Return the mask of the kept rows."""
        leading = self._expanded(self._among_leaders.mask())
        kept = leading | self.choice.forced
        n_others = self._k - self._n_beside - self._n_leaders
        kept[self._others(leading)[:n_others]] = True
        return kept

    def order(self, mask):
        """Return the kept rows in the order of proposal, those that stand for a set first."""
        leaders = self.equal.sets.leaders
        first = leaders[self._among_leaders.order(mask[leaders])]
        leading = np.zeros(len(mask), dtype=bool)
        leading[first] = True
        others = self._others(leading)
        return np.concatenate([first, np.flatnonzero(self.choice.forced & ~leading), others[mask[others]]])

    def reasons(self, mask):
        """Return why each row is kept or not, how probable that was, and its weight; the rows of a set share one weight."""
        sets = self.equal.sets
        found = self._among_leaders.reasons(mask[sets.leaders])
        leading = self._expanded(found["kept"])
        probability, why = np.full(len(mask), np.nan), np.empty(len(mask), dtype=object)
        probability[sets.leaders], why[sets.leaders] = found["probability"], found["why"]
        others = self._others(leading)
        cells = np.unique(self._keys(others, leading), axis=1, return_inverse=True)[1].ravel()
        n_kept = np.bincount(cells, mask[others], minlength=1)
        probability[others] = np.where(n_kept > 0, n_kept / np.maximum(np.bincount(cells, minlength=1), 1), np.nan)[
            cells
        ]
        follows = np.flatnonzero(sets.leaders[sets.numbers] != np.arange(len(mask)))
        why[follows] = [f"{sets.relation} {row}" for row in sets.leaders[sets.numbers[follows]].tolist()]
        why[others[mask[others]]] = [f"{why[row]}; no other row was left" for row in others[mask[others]].tolist()]
        probability[self.choice.forced], why[self.choice.forced] = 1.0, "must stay"
        n_kept_of_set = np.bincount(sets.numbers, mask, minlength=len(sets.leaders))
        of_set = np.where(found["kept"], found["weight"], 1.0) * sets.sizes / np.maximum(n_kept_of_set, 1)
        return {"kept": mask, "why": why, "probability": probability, "weight": of_set[sets.numbers]}

    @cached_property
    def _among_leaders(self):
        return self.choice.among(self.equal.sets.leaders, self._n_leaders)

    @cached_property
    def _n_leaders(self):
        most = most_kept(self.choice.selector, self.choice.inputs.y[self.equal.sets.leaders])
        return self.equal.n_leaders(self._k, self.choice.forced, most)

    @property
    def _k(self):
        return kept_count(self.choice.ratio, len(self.scores))

    @property
    def _n_beside(self):
        forced = self.choice.forced
        return int(forced.sum() - forced[self.equal.sets.leaders].sum())

    def _expanded(self, of_leaders):
        """Return a mask over all rows from one over the rows that stand for a set."""
        mask = np.zeros(len(self.scores), dtype=bool)
        mask[self.equal.sets.leaders] = of_leaders
        return mask

    def _others(self, leading):
        """Return the rows that are neither chosen nor forced, those to keep first in front."""
        rows = np.flatnonzero(~(leading | self.choice.forced))
        rows = np.random.default_rng(self.choice.inputs.random_state).permutation(rows)
        return rows[np.lexsort(self._keys(rows, leading))]

    def _keys(self, rows, leading):
        """Return what decides which of the other rows follow first, the last key above all."""
        sets = self.equal.sets
        is_left_out = ~leading[sets.leaders[sets.numbers[rows]]]
        turns = sets.turns[rows]
        return np.stack([turns, is_left_out, turns == _LAST])
