"""Which cutoff and which c_d, for an annotator or for pseudo-labels; and what selections cost.

    python examples/benchmarks/selection.py --dataset fashion --protocol longtail --out selection
    python examples/benchmarks/selection.py --report --out selection
    python examples/benchmarks/selection.py --timing

Pools, labels and test of paper.py's cpu preset, with half of its steps; ratios 0.1, 0.3, 0.5. For each ratio the fixed cutoff,
and the fixed c_d, that is best on average on the first seeds (with test rows out of the training set that are in no pool) is the
hindsight that a user does not have; it is compared on the other seeds, on the test set, with rules that choose for themselves:

    auto       hard_cutoff="auto": the kept rows are as hard on average as the pool
    errors     as many rows are dropped as the labeler expects to be wrong, 1 - its mean confidence
    mixture    two Gaussians are fitted to the scores; rows that belong to the harder one are dropped

and for Beta c_d="auto". "trust" multiplies the weight of a row by a power of the labeler's confidence.

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
TRUSTS = (0, 1, 2, 4)
RULES = ("auto", "errors", "mixture")
FIRST = (0, 1, 2)
COLUMNS = [
    (dataset, protocol)
    for dataset, protocol in product(LOADERS, PROTOCOLS)
    if (dataset, protocol) != ("cifar10", "corrupted")
]


class ErrorsCutoff(BaseEstimator):
    """Drop as many of the hardest rows as the labeler expects to be wrong."""

    def select(self, scores, ratio, *, error_probability=None, **others):
        """Select with that cutoff, or with the largest one that leaves enough rows."""
        share = min(float(np.mean(error_probability)), 1.0 - kept_count(ratio, len(scores)) / len(scores))
        return Cutoff(share).select(scores, ratio, **others)


class MixtureCutoff(BaseEstimator):
    """Drop the rows that belong to the harder one of two Gaussians."""

    def select(self, scores, ratio, **others):
        """Select with that cutoff, or with the largest one that leaves enough rows."""
        scores = np.asarray(scores)
        mixture = GaussianMixture(2, random_state=0).fit(scores[:, None])
        harder = mixture.predict(scores[:, None]) == mixture.means_.argmax()
        share = min(float(harder.mean()), 1.0 - kept_count(ratio, len(scores)) / len(scores))
        return Cutoff(share).select(scores, ratio, **others)


def pruners(ratio, labels, cache):
    """Return what is compared at a ratio."""
    memory = {"memory": str(cache / "stages")}

    def cut(selection):
        return SemiPrune(difficulty="aum", selection=selection, **memory)

    def beta(**params):
        return SemiPrune(selection=Beta(n_epochs=30, min_per_class=0.5, **params), **memory)

    found = {RANDOM: RandomPruner(), "cutoff auto": cut(Cutoff("auto"))}
    found |= {f"trust {trust}": beta(c_d="auto", trust=trust) for trust in TRUSTS}
    if labels == "oracle":
        found |= {f"cutoff {c}": cut(Cutoff(c)) for c in CUTOFFS if c + ratio <= 1.0}
        found |= {"cutoff errors": cut(ErrorsCutoff()), "cutoff mixture": cut(MixtureCutoff())}
        found |= {f"c_d {c}": beta(c_d=c) for c in C_DS}
    return found


def csv_file(args, dataset, protocol):
    """Return the file of a column."""
    return args.out / f"{dataset}-{protocol}.csv"


def compute(args, seed):
    """Compute the missing rows of a seed."""
    args.split = "validation" if seed in FIRST else "test"
    X, y, partial, X_test, y_test = problem(args, seed)
    args.out.mkdir(parents=True, exist_ok=True)
    for labels, ratio in product(("oracle", "pseudo"), RATIOS):
        pruning_curve(
            pruners(ratio, labels, args.cache),
            X,
            partial,
            ratios=[ratio],
            evaluator=evaluators(args, [ratio]),
            X_test=X_test,
            y_test=y_test,
            y_oracle=y,
            labels=labels,
            lender=None if labels == "oracle" else "trust 0",
            seeds=[seed],
            csv_file=csv_file(args, args.dataset, args.protocol),
        )
        print(f"{args.dataset} {args.protocol} seed {seed}, {labels}, {ratio:.0%}: done", flush=True)


def accuracies(args, labels):
    """Yield each column, and its accuracies in % by name, ratio and seed."""
    for dataset, protocol in COLUMNS:
        file = csv_file(args, dataset, protocol)
        if file.exists() and f",{labels}," in file.read_text():
            rows = PruningCurve.from_csv(file, labels=labels, random=RANDOM).rows
            yield (
                f"{dataset} {protocol}",
                {(row["method"], row["ratio"], row["seed"]): 100 * row["accuracy"] for row in rows},
            )


def hindsight(kind, values, rules):
    """Print rules against the best fixed value, which was chosen on the first seeds."""
    names = [f"{kind} {rule}" for rule in rules]
    print(
        f"\nTest accuracy in %, annotated; {kind} of each ratio chosen on seeds {list(FIRST)}, compared on the others"
    )
    print(f"{'':28}{'fixed':>8}{'best':>8}" + "".join(f"{rule:>9}{'- best':>8}" for rule in rules) + f"{'random':>9}")
    gaps = {name: [] for name in names}
    for column, found in values:
        for ratio in RATIOS:
            there = {seed for _, its_ratio, seed in found if its_ratio == ratio}
            first, seeds = sorted(there & set(FIRST)), sorted(there - set(FIRST))
            if not seeds or not first:
                continue
            fixed = [
                name
                for name in dict.fromkeys(name for name, _, _ in found)
                if name.startswith(kind) and name not in names
            ]
            fixed = [name for name in fixed if (name, ratio, first[0]) in found]

            def mean(name, of, ratio=ratio, found=found):
                return np.mean([found[name, ratio, seed] for seed in of])

            best = max(fixed, key=lambda name, mean=mean, first=first: mean(name, first))
            line = f"{column:20}{ratio:>8.0%}{best.split()[-1]:>8}{mean(best, seeds):>8.2f}"
            for name in names:
                gaps[name].append(mean(name, seeds) - mean(best, seeds))
                line += f"{mean(name, seeds):>9.2f}{gaps[name][-1]:>+8.2f}"
            print(f"{line}{mean(RANDOM, seeds):>9.2f}")
    for name, found in gaps.items():
        if found:
            print(
                f"{name}: {np.mean(found):+.2f} on average, {min(found):+.2f} in the worst cell (n = {len(found)} cells)"
            )


def for_whom(args):
    """Print the difference to random rows of each power of trust, for both kinds of labels, on the first seeds."""
    print(
        f"\nDifference to random rows, points, mean over ratios and seeds {list(FIRST)}: annotated / with pseudo-labels"
    )
    names = [*(f"trust {trust}" for trust in TRUSTS), "cutoff auto"]
    print(f"{'':20}" + "".join(f"{name:>16}" for name in names))
    tables = [dict(accuracies(args, labels)) for labels in ("oracle", "pseudo")]
    for column in tables[0]:
        line = f"{column:20}"
        for name in names:
            gains = []
            for found in (table.get(column, {}) for table in tables):
                pairs = [found[key] - found[RANDOM, *key[1:]] for key in found if key[0] == name and key[2] in FIRST]
                gains.append(f"{np.mean(pairs):+.2f}" if pairs else "-")
            line += f"{' / '.join(gains):>16}"
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
    parser.add_argument("--iterations", type=int, default=500)
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
    hindsight("cutoff", list(accuracies(args, "oracle")), RULES)
    hindsight("c_d", [(column, rename(found)) for column, found in accuracies(args, "oracle")], ["auto"])
    for_whom(args)
    return None


def rename(found):
    """Let "trust 0", which is Beta with c_d="auto", stand under that name too."""
    return {(name.replace("trust 0", "c_d auto"), *others): value for (name, *others), value in found.items()}


if __name__ == "__main__":
    main()
