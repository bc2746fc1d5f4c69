"""Fashion-MNIST, few labels: how good are the pseudo-labels, and does the coreset beat random rows?

    python examples/benchmarks/fashion_mnist.py --pool 10000 --labels 250 --seeds 0 1 2 3 4 --out results.csv

Table 1: right labels on the unlabelled rows. FixMatch is that of the default SemiPrune (its seconds are those of the whole
fit of SemiPrune, recording among them), then the same without strong augmentation of labelled rows, as in the paper; the
supervised net is the same network with the same steps, batch of labelled rows, learning rate, strong augmentation and moving
average, on the labelled rows alone.

Table 2: test accuracy of the same network, trained for the same number of iterations on coresets with true labels.

Restartable: rows that are in the CSV file are not computed again; --report prints the tables from it alone. For --seeds in
several processes, give each a file of its own and report on all: --report --out a.csv b.csv.
"""

import argparse
import time

import numpy as np
import torch
from common import Rows, machine, show, supervised_sibling
from sklearn.ensemble import RandomForestClassifier
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from skprune import SemiPrune
from skprune.datasets import load_fashion_mnist, make_partial_labels
from skprune.nets import NetClassifier
from skprune.selection import Cutoff
from skprune.semi_supervised import FixMatch

RATIOS = (0.1, 0.3, 0.5)
HARD_CUTOFFS = dict(zip(RATIOS, (0.3, 0.1, 0.05), strict=True))
PAPER = "FixMatch, labeled_strong=0"
LABELERS = ("FixMatch", PAPER, "supervised net", "random forest", "self-training on it", "label spreading")
CORESETS = ("random", "SemiPrune (DUAL, Beta)", "SemiPrune (AUM, cutoff)", "DUAL, Beta, all labels known")
EVERYTHING = "all rows"


def problem(args, seed):
    """Return pool, true labels, partial labels, and the test set."""
    data = load_fashion_mnist(data_home=args.data_home)
    rows = np.random.default_rng(seed).permutation(len(data.x_train))[: args.pool]
    X, y = data.x_train[rows], data.y_train[rows]
    return X, y, make_partial_labels(y, args.labels, random_state=seed), data.x_test, data.y_test


def labelings(rows, seed, X, y, y_partial):
    """Compute table 1, but for the row of the default labeler, which table 2 needs anyway."""
    hidden = y_partial < 0
    table = X.reshape(len(X), -1) / 255
    forest = RandomForestClassifier(random_state=seed)
    net = supervised_sibling(FixMatch(random_state=seed))
    others = {
        PAPER: lambda: FixMatch(labeled_strong=0.0, random_state=seed).fit(X, y_partial).predict(X),
        "supervised net": lambda: net.fit(X[~hidden], y[~hidden]).predict(X),
        "random forest": lambda: forest.fit(table[~hidden], y[~hidden]).predict(table),
        "self-training on it": lambda: SelfTrainingClassifier(forest).fit(table, y_partial).predict(table),
        "label spreading": lambda: LabelSpreading(kernel="knn").fit(table, y_partial).transduction_,
    }
    for name, predict in others.items():
        if rows.missing(name, seed):
            start = time.perf_counter()
            right = 100 * np.mean((predict() == y)[hidden])
            rows.add(name, seed, right, time.perf_counter() - start)


def coresets(rows, seed, X, y, y_partial, X_test, y_test, args):
    """Compute table 2."""
    hidden = y_partial < 0

    def train(key, mask):
        start = time.perf_counter()
        net = NetClassifier(n_steps=args.iterations, max_epochs=1, batch_size=64, random_state=seed)
        value = 100 * net.fit(X[mask], y[mask]).score(X_test, y_test)
        rows.add(key, seed, value, time.perf_counter() - start)

    start = time.perf_counter()
    semi = SemiPrune(random_state=seed, checkpoint=args.checkpoint).fit(X, y_partial)
    if rows.missing("FixMatch", seed):
        right = 100 * np.mean((semi.pseudo_labels_ == y)[hidden])
        rows.add("FixMatch", seed, right, time.perf_counter() - start)
    full = SemiPrune(random_state=seed, checkpoint=args.checkpoint).fit(X, y)
    for ratio in RATIOS:
        masks = {
            "random": lambda ratio=ratio: semi.select(ratio, "random"),
            "SemiPrune (DUAL, Beta)": lambda ratio=ratio: semi.select(ratio),
            "SemiPrune (AUM, cutoff)": lambda ratio=ratio: semi.select(ratio, Cutoff(HARD_CUTOFFS[ratio]), "aum"),
            "DUAL, Beta, all labels known": lambda ratio=ratio: full.select(ratio),
        }
        for name, mask in masks.items():
            if rows.missing(f"{name} @ {ratio}", seed):
                train(f"{name} @ {ratio}", mask())
    if rows.missing(EVERYTHING, seed):
        train(EVERYTHING, np.ones(len(y), dtype=bool))


def report(rows, args):
    """Print both tables."""
    seeds = args.seeds
    print(f"Fashion-MNIST, pool {args.pool}, {args.labels} labels, seeds {seeds} (n = {len(seeds)}), std with ddof 1")
    print(machine())
    print(
        f"\nTable 1: right labels on the unlabelled rows, %\n{'':30} {'right':>14} {'- supervised net':>17} {'seconds':>8}"
    )
    net = rows.column("supervised net", seeds)
    for name in LABELERS:
        values = rows.column(name, seeds)
        print(f"{name:30} {show(values):>14} {np.mean(values - net):+17.2f} {rows.seconds(name, seeds).mean():8.0f}")
    print(f"\nTable 2: test accuracy after {args.iterations} iterations of 64 rows on coresets with true labels, %")
    print(f"{'':30}" + "".join(f"{ratio:>16.0%}" for ratio in RATIOS) + f"{'mean - random':>16}")
    random = np.array([rows.column(f"random @ {ratio}", seeds) for ratio in RATIOS])
    for name in CORESETS:
        values = np.array([rows.column(f"{name} @ {ratio}", seeds) for ratio in RATIOS])
        cells = "".join(f"{show(v):>16}" for v in values)
        print(f"{name:30}{cells}{np.mean(values - random):+16.2f}")
    print(f"{EVERYTHING:30}{show(rows.column(EVERYTHING, seeds)):>16}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=int, default=10_000)
    parser.add_argument("--labels", type=int, default=250)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--iterations", type=int, default=1500)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tables", type=int, nargs="+", choices=(1, 2), default=[1, 2], help="what to compute")
    parser.add_argument("--data-home")
    parser.add_argument("--checkpoint", help="a folder for the finished stages of SemiPrune")
    parser.add_argument("--out", nargs="+", default=["fashion_mnist.csv"], help="CSV file; several with --report")
    parser.add_argument("--report", action="store_true", help="print the tables from the CSV files alone")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    setting = f"pool={args.pool} labels={args.labels} iterations={args.iterations}"
    rows = Rows(args.out[0], setting)
    for file in args.out[1:]:
        rows.values |= Rows(file, setting).values
    if not args.report:
        if len(args.out) > 1:
            parser.error("several files are for --report")
        for seed in args.seeds:
            X, y, y_partial, X_test, y_test = problem(args, seed)
            if 2 in args.tables:
                coresets(rows, seed, X, y, y_partial, X_test, y_test, args)
            if 1 in args.tables:
                labelings(rows, seed, X, y, y_partial)
    if args.report or set(args.tables) == {1, 2}:
        report(rows, args)


if __name__ == "__main__":
    main()
