"""Which cutoff and which c_d, for an annotator or for pseudo-labels; and what selections cost.

    python examples/benchmarks/selection.py --dataset fashion --protocol longtail --out selection
    python examples/benchmarks/selection.py --report --out selection
    python examples/benchmarks/selection.py --timing

Pools, labels, nets and test of paper.py's cpu preset; ratios 0.1, 0.3, 0.5. For each ratio the fixed cutoff, and the fixed c_d,
that is best on average on the first seeds (with test rows out of the training set that are in no pool) is the hindsight that a
user does not have; it is compared on the other seeds, which need the first ones done, on the test set, with rules that choose
for themselves. All keep half of an even share of each class, since without that cutoffs lose classes of long tails:

    auto       hard_cutoff="auto": the mean label probability of the kept rows is close to 0.75
    errors     as many rows are dropped as the labeler expects to be wrong, 1 - its mean confidence
    mixture    two Gaussians are fitted to the scores; rows that belong to the harder one are dropped
    trained    a net is trained for 300 steps on the pseudo-labels of what each of five cutoffs keeps, and tested on labeled rows
    truth      as many rows are dropped as are wrong, which nobody knows: no estimate of that number can do better

and for Beta c_d="auto". "trust" multiplies the weight of a row by a power of the labeler's confidence, 0 in the others; the
powers are compared on the first seeds, with true labels ("annotated") and with pseudo-labels.

Restartable as paper.py; --cache keeps the nets, and may be that of paper.py.
"""

import argparse
import time
from itertools import product
from pathlib import Path

import numpy as np
import torch
from common import machine
from paper import LOADERS, PROTOCOLS, RANDOM, evaluators, problem
from scores import peak
from sklearn.base import BaseEstimator
from sklearn.mixture import GaussianMixture

from skprune import SemiPrune
from skprune.baselines import RandomPruner
from skprune.dynamics import TrainingDynamics
from skprune.model_selection import PruningCurve, pruning_curve
from skprune.nets import NetClassifier
from skprune.selection import (
    D2,
    Beta,
    Cutoff,
    Easiest,
    FacilityLocation,
    Hardest,
    KCenter,
    Moderate,
    Random,
    Stratified,
    Window,
    kept_count,
)

RATIOS = (0.1, 0.3, 0.5)
CUTOFFS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
C_DS = (1, 2, 4, 8)
TRUSTS = (3, 10)
RULES = {"cutoff": ("auto", "errors", "mixture", "trained", "truth"), "c_d": ("auto",)}
FOR_WHOM = ("c_d auto", *(f"trust {trust}" for trust in TRUSTS))
FIRST = (0, 1, 2)
LEAST_SHARE = 0.5
COLUMNS = [*(("fashion", protocol) for protocol in PROTOCOLS), ("cifar10", "standard")]


def cut_off(share, scores, ratio, others):
    """Select with a cutoff, or with the largest one that leaves enough rows."""
    left = 1.0 - kept_count(ratio, len(scores)) / len(scores)
    return Cutoff(min(float(share), left), min_per_class=LEAST_SHARE).select(scores, ratio, **others)


class ErrorsCutoff(BaseEstimator):
    """Drop as many of the hardest rows as the labeler expects to be wrong."""

    def select(self, scores, ratio, *, error_probability=None, **others):
        """Select with that cutoff."""
        return cut_off(np.mean(error_probability), scores, ratio, others)


class TrueErrorsCutoff(BaseEstimator):
    """Drop as many of the hardest rows as are wrong."""

    def __init__(self, truth):
        self.truth = truth

    def select(self, scores, ratio, *, y=None, **others):
        """Select with that cutoff."""
        return cut_off(np.mean(self.truth != y), scores, ratio, {"y": y, **others})


class MixtureCutoff(BaseEstimator):
    """Drop the rows that belong to the harder one of two Gaussians."""

    def select(self, scores, ratio, **others):
        """Select with that cutoff."""
        column = np.asarray(scores)[:, None]
        mixture = GaussianMixture(2, random_state=0).fit(column)
        return cut_off((mixture.predict(column) == mixture.means_.argmax()).mean(), scores, ratio, others)


class TrainedCutoff(BaseEstimator):
    """Train a net on what each of five cutoffs keeps, without labeled rows, and take the one that is best on these."""

    def __init__(self, X, n_steps=300):
        self.X = X
        self.n_steps = n_steps

    def select(self, scores, ratio, *, y=None, labeled=None, **others):
        """Select with that cutoff."""
        accuracy = {}
        for share in (0.0, 0.1, 0.2, 0.3, 0.5):
            rows = cut_off(share, scores, ratio, {"y": y, **others}) & ~labeled
            net = NetClassifier(n_steps=self.n_steps, max_epochs=1, random_state=0).fit(self.X[rows], y[rows])
            accuracy[share] = net.score(self.X[labeled], y[labeled])
        return cut_off(max(accuracy, key=accuracy.get), scores, ratio, {"y": y, **others})


def pruners(ratio, X, y, cache):
    """Return by name what can be compared at a ratio."""
    memory = {"memory": str(cache / "stages")}

    def cut(selection):
        return SemiPrune(difficulty="aum", selection=selection, **memory)

    def beta(**params):
        return SemiPrune(selection=Beta(n_epochs=30, min_per_class=LEAST_SHARE, **params), **memory)

    found = {RANDOM: RandomPruner(), "c_d auto": beta(c_d="auto")}
    fixed = {c: c for c in CUTOFFS if c + ratio <= 1.0} | {"auto": "auto"}
    found |= {f"cutoff {name}": cut(Cutoff(c, min_per_class=LEAST_SHARE)) for name, c in fixed.items()}
    found |= {"cutoff errors": cut(ErrorsCutoff()), "cutoff mixture": cut(MixtureCutoff())}
    found |= {"cutoff trained": cut(TrainedCutoff(X)), "cutoff truth": cut(TrueErrorsCutoff(y))}
    found |= {f"c_d {c}": beta(c_d=c) for c in C_DS}
    return found | {f"trust {trust}": beta(c_d="auto", trust=trust) for trust in TRUSTS}


def is_fixed(name, kind):
    """Whether it is a cutoff, or a c_d, that is the same for all pools."""
    value = name.removeprefix(f"{kind} ")
    return value != name and value not in RULES[kind]


def compared(found, ratio, labels, seed, args):
    """Return the pruners of a seed: all that can be chosen on the first ones, what was chosen and the rules on the others."""
    if labels == "pseudo":
        names = [RANDOM, *FOR_WHOM]
    elif seed in FIRST:
        names = [name for name in found if name.removeprefix("cutoff ") not in RULES["cutoff"]]
    else:
        chosen = accuracies(args, args.dataset, args.protocol, "first", labels)
        missing = [first for first in FIRST if (RANDOM, ratio, first) not in chosen]
        if missing:
            raise SystemExit(
                f"Seed {seed} is compared with what was chosen on seeds {list(FIRST)}: {missing} are missing."
            )
        names = [RANDOM]
        for kind, rules in RULES.items():
            names += [best(chosen, kind, ratio), *(f"{kind} {rule}" for rule in rules)]
    return {name: found[name] for name in names}


def results_file(args, dataset, protocol, part):
    """Return the file of a column; part is "first" or "others"."""
    return args.out / f"{dataset}-{protocol}-{part}.csv"


def compute(args, seed):
    """Compute the missing rows of a seed."""
    part, args.split = ("first", "validation") if seed in FIRST else ("others", "test")
    X, y, partial, X_test, y_test = problem(args, seed)
    args.out.mkdir(parents=True, exist_ok=True)
    for labels, ratio in product(("oracle", "pseudo") if seed in FIRST else ("oracle",), RATIOS):
        pruning_curve(
            compared(pruners(ratio, X, y, args.cache), ratio, labels, seed, args),
            X,
            partial,
            ratios=[ratio],
            evaluator=evaluators(args, [ratio]),
            X_test=X_test,
            y_test=y_test,
            y_oracle=y,
            labels=labels,
            labels_alone=False,
            pseudo_labels_from=None if labels == "oracle" else "c_d auto",
            random_states=[seed],
            results_file=results_file(args, args.dataset, args.protocol, part),
        )
        print(f"{args.dataset} {args.protocol} seed {seed}, {labels}, {ratio:.0%}: done", flush=True)


def accuracies(args, dataset, protocol, part, labels):
    """Return the accuracies of a column in % by name, ratio and seed."""
    file = results_file(args, dataset, protocol, part)
    if not file.exists() or f",{labels}," not in file.read_text():
        return {}
    rows = PruningCurve.from_csv(file, labels=labels, random=RANDOM).rows
    return {(row["method"], row["ratio"], row["seed"]): 100 * row["accuracy"] for row in rows}


def mean(found, name, ratio):
    """Return the mean over the seeds."""
    return np.mean(
        [value for (its_name, its_ratio, _), value in found.items() if (its_name, its_ratio) == (name, ratio)]
    )


def best(found, kind, ratio):
    """Return the fixed one that is best on average over the seeds."""
    names = dict.fromkeys(name for name, its_ratio, _ in found if its_ratio == ratio and is_fixed(name, kind))
    return max(names, key=lambda name: mean(found, name, ratio))


def hindsight(args, kind):
    """Print rules against the best fixed value, which was chosen on the first seeds."""
    rules = RULES[kind]
    columns = {place: accuracies(args, *place, "others", "oracle") for place in COLUMNS}
    if not any(columns.values()):
        return
    print(
        f"\nTest accuracy in %, annotated; {kind} of each ratio chosen on seeds {list(FIRST)}, compared on the others"
    )
    print(
        f"{'':28}{'fixed':>8}{'best':>8}" + "".join(f"{rule:>9}{'- best':>8}" for rule in rules) + f"{'random':>9}  n"
    )
    gaps = {rule: [] for rule in rules}
    for ((dataset, protocol), found), ratio in product(columns.items(), RATIOS):
        seeds = {seed for _, its_ratio, seed in found if its_ratio == ratio}
        if not seeds:
            continue
        fixed = best(found, kind, ratio)
        highest = mean(found, fixed, ratio)
        line = f"{dataset + ' ' + protocol:20}{ratio:>8.0%}{fixed.split()[-1]:>8}{highest:>8.2f}"
        for rule in rules:
            value = mean(found, f"{kind} {rule}", ratio)
            gaps[rule].append(value - highest)
            line += f"{value:>9.2f}{gaps[rule][-1]:>+8.2f}"
        print(f"{line}{mean(found, RANDOM, ratio):>9.2f}{len(seeds):>3}")
    for rule, values in gaps.items():
        if values:
            print(
                f"{kind} {rule}: {np.mean(values):+.2f} on average, {min(values):+.2f} in the worst of {len(values)} cells"
            )


def for_whom(args):
    """Print the difference to random rows of each power of trust, for both kinds of labels, on the first seeds."""
    print(
        f"\nDifference to random rows, points, mean over ratios and seeds {list(FIRST)}: annotated / with pseudo-labels"
    )
    print(f"{'':20}" + "".join(f"{name:>16}" for name in FOR_WHOM))
    for dataset, protocol in COLUMNS:
        tables = [accuracies(args, dataset, protocol, "first", labels) for labels in ("oracle", "pseudo")]
        line = f"{dataset + ' ' + protocol:20}"
        for name in FOR_WHOM:
            pairs = [[found[key] - found[RANDOM, *key[1:]] for key in found if key[0] == name] for found in tables]
            line += f"{' / '.join(f'{np.mean(gains):+.2f}' if gains else '-' for gains in pairs):>16}"
        print(line)


def timing():
    """Print the seconds of each selection."""
    print(f"{machine()}\n\nSeconds of select, ratio 0.3; n rows of random scores")
    sizes = (10_000, 100_000, 1_000_000)
    selectors = [
        Random(),
        Hardest(),
        Easiest(),
        Cutoff(0.1),
        Cutoff("auto"),
        Stratified(0.1),
        Moderate(),
        Window(),
        Beta("auto"),
        Beta("auto", min_per_class=0.5),
        Beta("auto", class_balanced="uniform"),
    ]
    print(f"{'':50}" + "".join(f"{n:>12,}" for n in sizes))
    rng = np.random.default_rng(0)
    for selector in selectors:
        line = f"{selector!s:50}"
        for n in sizes:
            p = rng.random((10, n), dtype=np.float32)
            dynamics = TrainingDynamics.from_proba(np.stack([p, 1 - p], axis=2), np.zeros(n, dtype=np.int64))
            scores, y = rng.random(n), rng.integers(10, size=n)
            start = time.perf_counter()
            selector.select(scores, 0.3, dynamics=dynamics, y=y, random_state=0)
            line += f"{time.perf_counter() - start:>12.3f}"
        print(line, flush=True)
    n, d = 50_000, 64
    features, scores = rng.normal(size=(n, d)), rng.random(n)
    print(f"\n{n:,} x {d} features: seconds, and peak resident memory of the process in MiB")
    for selector, ratio in product((D2(), KCenter(), FacilityLocation()), (0.1, 0.3, 0.5)):
        start = time.perf_counter()
        selector.select(scores, ratio, embedding=features, random_state=0)
        print(f"{selector!s:30}{ratio:>6.0%}{time.perf_counter() - start:>9.1f} s{peak():>9.0f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", choices=list(LOADERS), default="fashion")
    parser.add_argument("--protocol", choices=PROTOCOLS, default="standard")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4, 5])
    parser.add_argument("--pool", type=int, default=10_000)
    parser.add_argument("--iterations", type=int, default=1000, help="of the nets; fewer make hard rows look worse")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=Path("paper-cache"))
    parser.add_argument("--out", type=Path, default=Path("selection"))
    parser.add_argument("--data-home")
    parser.add_argument("--report", action="store_true", help="print the tables from the CSV files alone")
    parser.add_argument("--timing", action="store_true", help="print what selections cost, and nothing else")
    args = parser.parse_args()
    args.preset = "cpu"
    torch.set_num_threads(args.threads)
    if args.timing:
        return timing()
    if not args.report:
        for seed in args.seeds:
            compute(args, seed)
    print(machine())
    for kind in RULES:
        hindsight(args, kind)
    for_whom(args)
    return None


if __name__ == "__main__":
    main()
