"""Labeled rows that are held out: which ones, and how the pool is labeled without their labels."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import binomtest

from skprune._pipeline._stage_cache import StageCache
from skprune._pipeline._stages import label_pool
from skprune._pipeline._time_plan import LABELING_AGAIN, warn_of_cut
from skprune._utils._labels import MISSING
from skprune._utils._time_limit import Cut
from skprune._utils._warnings import warn_user

NONE_TO_HOLD_OUT = "no class has two of them that differ and, with groups, are of two"
_HELD_OUT_SHARE = 0.2


@dataclass(frozen=True)
class HeldOut:
    """The rows held out, and of a labeler that knew `n_known` other labels, codes of all rows and confidence in those."""

    rows: np.ndarray
    codes: np.ndarray
    n_known: int
    confidence: np.ndarray | None = None
    cut: Cut | None = None


def held_out_together(equal, groups):
    """Number the rows, equal ones and those of a group alike; they are held out together. None where each is for itself."""
    numberings = [of.numbers for of in (equal and equal.sets, groups) if of is not None]
    if len(numberings) < 2:
        return numberings[0] if numberings else None
    sets, groups = numberings
    n_nodes = sets.max() + groups.max() + 2
    links = csr_array((np.ones(len(sets)), (sets, groups + sets.max() + 1)), shape=(n_nodes, n_nodes))
    return connected_components(links, directed=False)[1][sets]


def can_hold_out(codes, sets=None):
    """Tell whether a class has two labeled rows that differ, so that one of them can be held out."""
    labeled = np.flatnonzero(codes != MISSING)
    numbers = labeled if sets is None else sets[labeled]
    return bool(np.bincount(np.unique([codes[labeled], numbers], axis=1)[0]).max() >= 2)


def estimates_accuracy(settings, codes, sets=None):
    """Tell whether labels are held out to see how many pseudo-labels are correct."""
    if (codes != MISSING).all():
        return False
    is_auto = isinstance(settings.estimate_accuracy, str) and settings.estimate_accuracy == "auto"
    return can_hold_out(codes, sets) if is_auto else bool(settings.estimate_accuracy)


def hold_out(settings, labeler, pool, codes, seed, sets=None, limit=None):
    """Hold out a fifth of the labels, and label all rows without them; where no label is missing, the codes stay."""
    if not can_hold_out(codes, sets):
        raise ValueError(f"Labeled rows cannot be held out: {NONE_TO_HOLD_OUT}.")
    rows = held_out_rows(codes, seed, sets)
    n_known = int(np.count_nonzero(codes != MISSING)) - len(rows)
    if (codes != MISSING).all():
        return HeldOut(rows, codes, n_known)
    store = StageCache(settings, pool.ndim == 4)
    options = {"codes": codes, "pool": pool, "rows": rows, "seed": seed}
    labeled = store.run(label_without, labeler, verbose=settings.verbose, limit=limit, **options)
    return HeldOut(rows, labeled["codes"], n_known, labeled["confidence"], labeled.get("cut"))


def hold_out_in_time(settings, models, pool, sets, clock, plan, cut):
    """Hold out labels, None if the plan leaves no time; tells the clock, and `cut` if the labeling was."""
    if plan is not None and not plan.can_label_again(models.labeler, clock.seconds.get("labeling")):
        warn_user(
            f"time_limit={settings.time_limit:g} leaves no time for the {LABELING_AGAIN}: no accuracy is estimated."
        )
        return None
    limit = plan and plan.begins_again(cut.get("labeling"))
    with clock.time(LABELING_AGAIN):
        held_out = hold_out(settings, models.labeler, pool.rows, pool.codes, models.stage_seed, sets, limit)
    if held_out.cut is not None:
        cut[LABELING_AGAIN] = held_out.cut
        warn_of_cut(settings.time_limit, LABELING_AGAIN, held_out.cut)
    return held_out


def held_out_rows(codes, seed, sets=None):
    """Draw a fifth of the labeled rows of each class, at least one but never all of them; those of a set go together."""
    rng, drawn = np.random.default_rng(seed), {}
    numbers = np.arange(len(codes)) if sets is None else sets
    for code in np.unique(codes[codes != MISSING]):
        of_class = rng.permutation(np.unique(numbers[codes == code]))
        drawn[code] = of_class[: min(max(1, round(_HELD_OUT_SHARE * len(of_class))), len(of_class) - 1)]
    of_any, held_out = np.isin(numbers, np.concatenate(list(drawn.values()))), np.zeros(len(codes), dtype=bool)
    for code, own in drawn.items():
        of_class = codes == code
        all_go = of_any[of_class].all()  # with sets that other classes drew
        held_out |= of_class & (np.isin(numbers, own) if all_go else of_any)
    return np.flatnonzero(held_out)


def label_without(labeler, pool, codes, rows, seed, verbose):
    """Fit a labeler without the labels of some rows, and label every row."""
    hidden = codes.copy()
    hidden[rows] = MISSING
    labeled = label_pool(labeler, pool, hidden, seed, verbose)
    return {"codes": labeled["codes"], "confidence": labeled["confidence"][rows]}


def count_held_out(n_rows):
    """Say how many labeled rows are held out."""
    return f"{n_rows:,} held-out labeled {'row' if n_rows == 1 else 'rows'}"


def accuracy_interval(held_out, codes):
    """Return the accuracy of the pseudo-labels on the held-out rows, and its Wilson interval of 95 %."""
    correct = held_out.codes[held_out.rows] == codes[held_out.rows]
    interval = binomtest(int(correct.sum()), len(correct)).proportion_ci(0.95, method="wilson")
    return float(correct.mean()), (float(interval.low), float(interval.high))
