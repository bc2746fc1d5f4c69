"""Groups of rows that belong together: kept or left as a whole, or one row of each that is kept."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from skprune._pipeline._row_sets import ChoiceOfSets, RowSets
from skprune._utils._labels import MISSING, is_null
from skprune._utils._parameter_checks import check_option
from skprune._utils._pool import check_equal_length
from skprune.selection import kept_count
from skprune.selection._counts import capacity_of, most_kept

GROUPS_SELECT = ("all", "one")


def read_groups(groups, labeled, groups_select):
    """Return how groups are chosen; None where there are none, or each has one row."""
    check_option("groups_select", groups_select, GROUPS_SELECT)
    if groups is None:
        return None
    check_equal_length(labeled, groups, "groups")
    cells = group_cells(groups)
    numbers = {}
    codes = np.array([numbers.setdefault(group, len(numbers)) for group in cells])
    if len(numbers) == len(codes):
        return None
    return OneOfEachGroup(codes) if groups_select == "one" else WholeGroups(codes)


def group_cells(groups):
    """Return the group of each row; refuse rows without one."""
    if isinstance(groups, np.ma.MaskedArray):
        groups = groups.tolist()  # with None where it is masked
    cells = np.asarray(groups, dtype=object if isinstance(groups, (list, tuple)) else None)
    if cells.ndim != 1:
        raise ValueError(f"groups must hold one group for each row, got an array of shape {cells.shape}.")
    missing = np.fromiter(map(is_null, cells), dtype=bool, count=len(cells))
    if missing.any():
        raise ValueError(
            f"groups holds no group for row {int(missing.argmax())} ({int(missing.sum())} such rows). Give each a group of "
            "its own, or that of the rows it belongs to."
        )
    return list(cells)


@dataclass(frozen=True)
class Groups:
    """The group of each row."""

    numbers: np.ndarray

    def standing(self, codes):
        """Return a row of each group, a labeled one where there is one; a selector chooses among as many."""
        order = np.lexsort((codes == MISSING, self.numbers))
        sizes = np.bincount(self.numbers)
        return order[np.cumsum(sizes) - sizes]


class OneOfEachGroup(Groups):
    """Groups of which a choice keeps one row each; the ratio is that of the groups."""

    def count(self, settings, labeled):
        """Return how many rows the settings keep: one of each group, and all labeled rows of groups that must stay."""
        n_groups, n_labeled = len(np.unique(self.numbers)), len(np.unique(self.numbers[labeled]))
        k = settings.count(labeled, n_units=n_groups, n_to_label=n_groups - n_labeled)
        if settings.budget is not None or not settings.keeps_labeled:
            return k
        if n_labeled > k:
            raise ValueError(
                f"include_labeled=True keeps the labeled rows of {n_labeled} groups, and {settings.size} keeps only {k} of "
                f"{n_groups} groups. Keep more."
            )
        return k - n_labeled + int(labeled.sum())

    def reduced(self, k, codes, forced, selector):
        """Return how many groups a selector keeps, and their classes, which are not known."""
        n_groups, n_forced = len(np.unique(self.numbers)), len(np.unique(self.numbers[forced]))
        return k - int(forced.sum()) + n_forced, np.full(n_groups, MISSING)

    def around(self, choice):
        """Return the choice of one row of each group that is kept."""
        leaders, turns = middle_rows(self.numbers, choice.inputs), np.zeros(len(self.numbers), dtype=np.int64)
        return ChoiceOfSets(choice, RowSets(leaders, self.numbers, turns, "of the group of row", follow=False))


class WholeGroups(Groups):
    """Groups that a choice keeps or leaves as a whole."""

    def count(self, settings, labeled):
        """Return how many rows the settings keep at most; refuse what leaves no group."""
        k, sizes = settings.count(labeled), np.bincount(self.numbers)
        forced = np.bincount(self.numbers, labeled & settings.keeps_labeled, minlength=len(sizes)) > 0
        n_forced = int(sizes[forced].sum())
        if n_forced > k:
            raise ValueError(
                f"The groups of labeled rows hold {n_forced} rows, and {settings.size} keeps {k}. Keep more, or use "
                "groups_select='one'."
            )
        smallest = int(sizes[~forced].min(initial=len(labeled)))
        has_new = n_forced > labeled.sum() if settings.budget is not None else n_forced > 0
        if smallest > k - n_forced and not has_new:
            raise ValueError(
                f"{settings.size} leaves room for {k - n_forced} rows, and the smallest group has {smallest}. Keep more, or "
                "use groups_select='one'."
            )
        return k

    def reduced(self, k, codes, forced, selector):
        """Return how many groups a selector is first asked for, and their classes, which are not known."""
        n_groups = len(np.unique(self.numbers))
        first = expected_number(k, self.numbers, forced, capacity_of(selector, n_groups))
        return first, np.full(n_groups, MISSING)

    def around(self, choice):
        """Return the choice of whole groups."""
        return ChoiceOfGroups(choice, self.numbers, middle_rows(self.numbers, choice.inputs))


def middle_rows(numbers, inputs):
    """Return the row that stands for each group: a labeled one where there is one, nearest to the middle of the group."""
    features, sizes = inputs.embedding.astype(np.float64), np.bincount(numbers)
    members = csr_array((1.0 / sizes[numbers], (numbers, np.arange(len(numbers)))), (len(sizes), len(numbers)))
    distances = np.square(features - (members @ features)[numbers]).sum(axis=1)
    order = np.lexsort((distances, ~inputs.labeled, numbers))
    return order[np.cumsum(sizes) - sizes]


def expected_number(k, numbers, forced, most):
    """Return how many groups hold about k rows, at least those that must stay."""
    n_groups, n_forced = len(np.unique(numbers)), len(np.unique(numbers[forced]))
    return max(n_forced, min(max(1, round(k / len(numbers) * n_groups)), most))


@dataclass(frozen=True)
class ChoiceOfGroups:
    """A choice of whole groups in the order of proposal; those that would exceed k are passed over, and others fill up."""

    choice: object
    numbers: np.ndarray
    leaders: np.ndarray

    @property
    def scores(self):
        """The difficulty of all rows."""
        return self.choice.scores

    def mask(self):
        """Return the mask of the kept rows."""
        kept = np.zeros(len(self.leaders), dtype=bool)
        kept[self._taken] = True
        return kept[self.numbers]

    def order(self, mask):
        """Return the kept rows, group after group, in the order of proposal."""
        place = np.full(len(self.leaders), len(self.leaders))
        place[self._taken] = np.arange(len(self._taken))
        rows = np.flatnonzero(mask)
        return rows[np.argsort(place[self.numbers[rows]], kind="stable")]

    def reasons(self, mask):
        """Return why each row is kept or not, how probable that was, and its weight: that of its group."""
        choice = self.choice.among(self.leaders, len(self._proposed))
        kept = mask[self.leaders]
        found = choice.reasons(kept)
        why, probability, weight = (np.array(found[name]) for name in ("why", "probability", "weight"))
        filled, passed_over = kept & ~found["kept"], found["kept"] & ~kept
        why[filled], why[passed_over] = "its group fits into what was left", "its group is too large for what was left"
        probability[filled] = weight[filled] = 1.0
        probability[passed_over] = np.nan
        parts = {"why": why, "probability": probability, "weight": weight}
        return {"kept": mask} | {name: part[self.numbers] for name, part in parts.items()}

    @cached_property
    def _proposed(self):
        """The groups that the selector proposes: as many as hold k rows."""
        k, sizes = kept_count(self.choice.ratio, len(self.scores)), np.bincount(self.numbers)
        most = most_kept(self.choice.selector, self.choice.inputs.y[self.leaders])
        n_groups = expected_number(k, self.numbers, self.choice.forced, most)
        while True:
            choice = self.choice.among(self.leaders, n_groups)
            order = choice.order(choice.mask())
            n_rows = int(sizes[order].sum())
            if n_rows >= k or n_groups >= most:
                return order
            n_groups = min(most, max(n_groups + 1 + n_groups // 8, round(n_groups * k / n_rows)))

    @cached_property
    def _taken(self):
        """The groups that are kept: those that must stay, those proposed, and then any others, as long as they fit."""
        k, sizes = kept_count(self.choice.ratio, len(self.scores)), np.bincount(self.numbers)
        must_stay = np.unique(self.numbers[self.choice.forced])
        others = np.random.default_rng(self.choice.inputs.random_state).permutation(len(sizes))
        taken, room = [], k
        for group in dict.fromkeys(np.concatenate([must_stay, self._proposed, others]).tolist()):
            if sizes[group] <= room:
                taken.append(group)
                room -= sizes[group]
        proposed = self._proposed[np.isin(self._proposed, taken)]
        return np.concatenate([proposed, np.array(taken)[~np.isin(taken, proposed)]])
