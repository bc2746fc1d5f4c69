"""Labelled rows that are held out: how good are the labels, and is the coreset better than random rows?"""

import numpy as np
from scipy.stats import binomtest, norm, t
from sklearn.base import clone

from skprune._pipeline._stages import label_pool, train_fully
from skprune._pipeline._store import StageStore
from skprune._utils._adapters import as_input
from skprune._utils._labels import MISSING
from skprune._utils._seeds import generator_for, seed_nested

_HELD_OUT = 0.2
_RESAMPLES = 2000
_TRAININGS = 5


def held_out_rows(codes, seed):
    """Choose labelled rows to hold out: a fifth of each class, of which one row at least stays."""
    rng = np.random.default_rng(seed)
    members = [rng.permutation(np.flatnonzero(codes == code)) for code in np.unique(codes[codes != MISSING])]
    counts = [min(max(1, round(_HELD_OUT * len(rows))), len(rows) - 1) for rows in members]
    return np.sort(np.concatenate([rows[:count] for rows, count in zip(members, counts, strict=True)]))


def label_without(labeler, pool, codes, rows, seed, verbose):
    """Fit a labeler without some of the labels, and label every row."""
    hidden = codes.copy()
    hidden[rows] = MISSING
    labelled = label_pool(labeler, pool, hidden, seed, verbose)
    return {"codes": labelled["codes"]}


def hold_out(pruner, labeler, pool, codes, seed):
    """Hold a fifth of the labels out, and label all rows without them, or find what was labelled before."""
    rows = held_out_rows(codes, seed)
    if rows.size == 0:
        raise ValueError("Labelled rows cannot be held out: no class has two of them.")
    if (codes != MISSING).all():
        return {"rows": rows, "codes": codes}
    store = StageStore(pruner.memory, pruner.checkpoint, pruner.device, pool.ndim == 4)
    arguments = {"codes": codes, "pool": pool, "rows": rows, "seed": seed}
    return {"rows": rows} | store.run(label_without, labeler, verbose=pruner.verbose, **arguments)


def accuracy_interval(held, codes):
    """Return the accuracy on held-out rows, and its interval."""
    if held is None:
        return None, None
    right = held["codes"][held["rows"]] == codes[held["rows"]]
    interval = binomtest(int(right.sum()), len(right)).proportion_ci(0.95, method="wilson")
    return float(right.mean()), (float(interval.low), float(interval.high))


def right_answers(mask, held, pool, codes, proxy, schedule_epochs, seed):
    """Train the proxy on the kept rows, without those held out, and see which of these it classifies right."""
    rows = held["rows"]
    mask = mask.copy()
    mask[rows] = False
    present, labels = np.unique(held["codes"][mask], return_inverse=True)
    if len(present) < 2:
        return np.isin(codes[rows], present)
    model = train_fully(proxy, pool[mask], labels, schedule_epochs, seed)
    return present[model.predict(as_input(model, pool[rows]))] == codes[rows]


def compare_with_random(mask, must, held, pool, codes, proxy, schedule_epochs, seed):
    """Compare a coreset with as many random rows on the rows that were held out."""
    free = np.ones(len(mask), dtype=bool)
    free[held["rows"]] = False
    rng = generator_for("gate", seed)
    n_drawn = int((mask & free & ~must).sum())
    right = []
    for number in rng.integers(2**31 - 1, size=_TRAININGS):
        drawn = must.copy()
        drawn[rng.permutation(np.flatnonzero(free & ~must))[:n_drawn]] = True
        seeded = seed_nested(clone(proxy), np.random.RandomState(number), anew=True)
        right.append(
            [right_answers(rows, held, pool, codes, seeded, schedule_epochs, int(number)) for rows in (mask, drawn)]
        )
    ours, theirs = np.array(right, dtype=np.float64).transpose(1, 0, 2)
    of_rows, of_trainings = (ours - theirs).mean(axis=0), (ours - theirs).mean(axis=1)
    difference, n = of_rows.mean(), len(of_rows)
    means = []
    for _ in range(_RESAMPLES):
        rows, trainings = rng.integers(n, size=n), rng.integers(_TRAININGS, size=_TRAININGS)
        means.append(of_rows[rows].mean() + of_trainings[trainings].mean() - difference)
    low, high = np.quantile(means, [0.025, 0.975])
    # where all agree, one row that differs is the least spread that is assumed
    over_rows = max(of_rows.var(ddof=min(1, n - 1)), 1.0 / n) / n
    over_trainings = of_trainings.var(ddof=1) / _TRAININGS
    margin = np.sqrt(t.ppf(0.975, max(1, n - 1)) ** 2 * over_rows + t.ppf(0.975, _TRAININGS - 1) ** 2 * over_trainings)
    return {
        "coreset": float(ours.mean()),
        "random": float(theirs.mean()),
        "difference": float(difference),
        "low": float(min(low, difference - margin)),
        "high": float(max(high, difference + margin)),
        "n_rows": n,
        "detectable": float(margin + norm.ppf(0.8) * np.sqrt(over_rows + over_trainings)),
    }


def gate_message(gate):
    """Say what a comparison means for the coreset, None where it is better than random rows."""
    if gate["low"] > 0.0:
        return None
    start = (
        "Random rows are better than this coreset"
        if gate["high"] < 0.0
        else "Random rows may be as good as this coreset"
    )
    return (
        f"{start}, where both are trained on pseudo-labels: on {gate['n_rows']} held-out labelled rows it reaches "
        f"{gate['coreset']:.3f}, as many random rows {gate['random']:.3f}; difference {gate['difference']:+.3f}, 95 % interval "
        f"{gate['low']:+.3f} to {gate['high']:+.3f}. A difference of "
        f"{gate['detectable']:.3f} would be seen in four of five cases."
    )


def smallest_good_enough(accuracies, n_rows):
    """Return the smallest of the ratios within one standard error of the best accuracy."""
    best = max(accuracies.values())
    error = max(np.sqrt(best * (1.0 - best) / n_rows), 1.0 / n_rows)  # where all are right, one row is no difference
    return next(ratio for ratio, accuracy in accuracies.items() if accuracy >= best - error)
