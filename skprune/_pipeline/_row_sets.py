"""Choices among sets of rows that need one row each: equal rows, whose label is that of every one of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skprune._utils._doc_links import see
from skprune._utils._equal_rows import first_equal
from skprune._utils._given_rows import GivenRows
from skprune._utils._labels import MISSING
from skprune._utils._parameter_checks import check_option
from skprune._utils._warnings import warn_user
from skprune.selection import kept_count
from skprune.selection._counts import capacity_of, most_kept

DUPLICATES = ("propose_one", "ignore")
_LAST = np.iinfo(np.int64).max
_N_NAMED = 3


@dataclass(frozen=True)
class RowSets:
    """The row that stands for each set; for each row, its set and when it may follow that row; what to call such a row."""

    leaders: np.ndarray
    numbers: np.ndarray
    turns: np.ndarray
    relation: str
    follow: bool = True

    @property
    def sizes(self):
        """The number of rows of each set."""
        return np.bincount(self.numbers, minlength=len(self.leaders))

    def n_beside(self, forced):
        """Return how many rows must stay beside those that stand for a set."""
        return int(forced.sum() - forced[self.leaders].sum())

    def n_leading(self, k, forced, most):
        """Return how many of the rows that stand for a set are kept, at most `most` unless more must stay."""
        wanted = k - self.n_beside(forced)
        return max(int(forced[self.leaders].sum()), min(wanted, most)) if self.follow else wanted


@dataclass(frozen=True)
class EqualRows:
    """The sets of equal rows of a pool, and the labels that are known: the given ones, and those of their equals."""

    sets: RowSets
    codes: np.ndarray

    def count(self, settings, labeled):
        """Return how many rows the settings keep."""
        return settings.count(labeled, n_to_label=int((self.codes == MISSING).sum()))

    def standing(self, codes):
        """Return the rows among which a selector chooses."""
        return self.sets.leaders

    def reduced(self, k, codes, forced, selector):
        """Return how many rows a selector keeps, and the known classes of those among which it chooses."""
        leaders = self.sets.leaders
        return self.sets.n_leading(k, forced, capacity_of(selector, len(leaders))), codes[leaders]

    def around(self, choice):
        """Return the choice that keeps a row equal to a kept one only when no other is left."""
        return ChoiceOfSets(choice, self.sets)


def find_equal_rows(duplicates, pool, classes):
    """Return the sets of equal rows of a labeled pool, None where they do not matter; warn of labels that differ."""
    check_option("duplicates", duplicates, DUPLICATES)
    if duplicates == "ignore":
        return None
    first = first_equal(pool.rows.comparable() if isinstance(pool.rows, GivenRows) else pool.rows)
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
    sets = RowSets(order[starts], numbers, turns, "equal to row")
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
        pair = rows[[0, (codes[rows] != codes[rows[0]]).argmax()]]
        labels = classes[codes[pair]].tolist()
        named.append(f"row {pair[0]} ({labels[0]!r}) and row {pair[1]} ({labels[1]!r})")
    more = numbers_of_sets.size - len(named)
    warn_user(
        f"Equal rows have different labels: {'; '.join(named)}{f'; and {more} more sets of rows' if more else ''}. Each keeps "
        "its own, and unlabeled rows that are equal to them get a pseudo-label. Correct the labels that are wrong."
        + see("rows_and_labels#equal-rows")
    )


@dataclass(frozen=True)
class ChoiceOfSets:
    """A choice among the rows that stand for a set; once all that may be kept are, others follow in turn, by chance."""

    choice: object
    sets: RowSets

    @property
    def scores(self):
        """The difficulty of all rows."""
        return self.choice.scores

    def within(self, rows, k):
        """Return k of some rows in the order of proposal, those that stand for a set first, and the number of these."""
        leads = self.sets.leaders[self.sets.numbers[rows]] == rows
        order, n_leading = self.choice.within(rows[leads], min(k, int(leads.sum())))
        others = np.random.default_rng(self.choice.inputs.random_state).permutation(rows[~leads])
        return np.concatenate([order, others[: k - len(order)]]), n_leading

    def mask(self):
        """Return the mask of the kept rows."""
        leading = self._mask_of(self._first)
        kept = leading | self.choice.forced
        n_others = self._k - self.sets.n_beside(self.choice.forced) - self._n_leading
        kept[self._others(leading)[:n_others]] = True
        return kept

    def order(self, mask):
        """Return the kept rows in the order of proposal, those that stand for a set first."""
        leading = self._mask_of(self._first)
        others = self._others(leading)
        return np.concatenate([self._first, np.flatnonzero(self.choice.forced & ~leading), others[mask[others]]])

    def reasons(self, mask):
        """Return why each row is kept or not, how probable that was, and its weight; the rows of a set share one weight."""
        sets = self.sets
        found = self._among_leaders().reasons(mask[sets.leaders])
        leading = self._mask_of(sets.leaders[found["kept"]])
        probability, why = np.full(len(mask), np.nan), np.empty(len(mask), dtype=object)
        probability[sets.leaders], why[sets.leaders] = found["probability"], found["why"]
        leader = sets.leaders[sets.numbers]
        follows = np.flatnonzero(leader != np.arange(len(mask)))
        why[follows] = [f"{sets.relation} {row}" for row in leader[follows].tolist()]
        others = self._others(leading)
        if mask[others].any():
            cells = np.unique(self._keys(others, leading), axis=1, return_inverse=True)[1].ravel()
            share = np.bincount(cells, mask[others]) / np.bincount(cells)
            probability[others] = np.where(share > 0, share, np.nan)[cells]
            added = others[mask[others]]
            why[added] = [f"{reason}; no other row was left" for reason in why[added]]
        probability[self.choice.forced], why[self.choice.forced] = 1.0, "must stay"
        n_kept_of_set = np.bincount(sets.numbers, mask, minlength=len(sets.leaders))
        weight = np.where(found["kept"], found["weight"], 1.0) * sets.sizes / np.maximum(n_kept_of_set, 1)
        return {"kept": mask, "why": why, "probability": probability, "weight": weight[sets.numbers]}

    @cached_property
    def _first(self):
        """The rows that stand for a set and are chosen, in the order of proposal."""
        among = self._among_leaders()
        return self.sets.leaders[among.order(among.mask())]

    def _among_leaders(self):
        return self.choice.among(self.sets.leaders, self._n_leading)

    @cached_property
    def _n_leading(self):
        most = most_kept(self.choice.selector, self.choice.inputs.y[self.sets.leaders])
        return self.sets.n_leading(self._k, self.choice.forced, most)

    @property
    def _k(self):
        return kept_count(self.choice.ratio, len(self.scores))

    def _mask_of(self, rows):
        mask = np.zeros(len(self.scores), dtype=bool)
        mask[rows] = True
        return mask

    def _others(self, leading):
        """Return the rows that are neither chosen nor forced, those to keep first in front."""
        rows = np.flatnonzero(~(leading | self.choice.forced))
        rows = np.random.default_rng(self.choice.inputs.random_state).permutation(rows)
        return rows[np.lexsort(self._keys(rows, leading))]

    def _keys(self, rows, leading):
        """Return what decides which of the other rows follow first, the last key above all."""
        is_left_out = ~leading[self.sets.leaders[self.sets.numbers[rows]]]
        turns = self.sets.turns[rows]
        return np.stack([turns, is_left_out, turns == _LAST])
