"""How much of a rank is luck, and how good are scores of rows that were not trained on?

    python examples/benchmarks/ranks.py --seeds 0 1 2 --out ranks.csv

Fashion-MNIST, 10,000 rows, 250 labels. Rank stability: Spearman's correlation of the scores of three proxies that differ in
their seeds alone, the mean of the three pairs; and of the mean of two with the third. Extrapolation: 2,000 rows are left out,
SemiPrune is fitted to the other 8,000, and predict_difficulty gives the scores of the 2,000; Spearman's correlation with their
scores from a fit to all rows.

Restartable: rows that are in the CSV file are not computed again; --report prints the table from it alone. For --seeds in
several processes, give each a file of its own and report on all: --report --out a.csv b.csv.
"""

import time
from itertools import combinations

import numpy as np
from common import arguments, fashion_pool, kept_rows, machine, of_seeds, show
from scipy.stats import spearmanr

from skprune import SemiPrune
from skprune.datasets import make_partial_labels
from skprune.scores import difficulty

SCORES = ("aum", "dual", "el2n", "forgetting")
NEIGHBORS = (3, 10, 30)
LEFT_OUT = 2_000


def correlation(a, b):
    """Return Spearman's correlation."""
    return spearmanr(a, b).statistic


def compute(rows, seed, args):
    """Compute the rows of a seed."""
    if not rows.missing(f"extrapolated {NEIGHBORS[-1]} | {SCORES[-1]}", seed):
        return
    X, y, *_ = fashion_pool(args, seed)
    y_partial = make_partial_labels(y[:-LEFT_OUT], n_labeled=args.labels, random_state=seed)
    y_partial = np.append(y_partial, np.full(LEFT_OUT, -1))
    start = time.process_time()
    whole = SemiPrune(n_repeats=3, random_state=seed).fit(X, y_partial)
    for name in SCORES:
        scores = [difficulty(dynamics, name) for dynamics in whole.repeats_]
        pairs = [correlation(a, b) for a, b in combinations(scores, 2)]
        rows.add(f"one with one | {name}", seed, np.mean(pairs), time.process_time() - start)
        means = [correlation(sum(scores) - scores[place], scores[place]) for place in range(3)]
        rows.add(f"mean of two with one | {name}", seed, np.mean(means), 0.0)
    part = SemiPrune(random_state=seed).fit(X[:-LEFT_OUT], y_partial[:-LEFT_OUT])
    for name in SCORES:
        trained = difficulty(whole.dynamics_, name)[-LEFT_OUT:]
        part.set_params(difficulty=name)
        part.difficulty_scores_ = difficulty(part.dynamics_, name)
        for count in NEIGHBORS:
            found = part.predict_difficulty(X[-LEFT_OUT:], n_neighbors=count)
            rows.add(f"extrapolated {count} | {name}", seed, correlation(found, trained), 0.0)


def report(rows, args):
    """Print the table."""
    print(f"Spearman's correlation, Fashion-MNIST, {args.pool} rows, {args.labels} labels, {of_seeds(args.seeds)}")
    print(machine())
    print(f"\n{'':32}" + "".join(f"{name:>16}" for name in SCORES))
    lines = {
        "one proxy with another": "one with one",
        "mean of two with a third": "mean of two with one",
        **{f"predict_difficulty, {count} neighbors": f"extrapolated {count}" for count in NEIGHBORS},
    }
    for text, key in lines.items():
        cells = (show(rows.column(f"{key} | {name}", args.seeds)) for name in SCORES)
        print(f"{text:32}" + "".join(f"{cell:>16}" for cell in cells))


def main():
    parser = arguments(__doc__, seeds=[0, 1, 2], out="ranks.csv")
    parser.add_argument("--pool", type=int, default=10_000)
    parser.add_argument("--labels", type=int, default=250)
    args = parser.parse_args()
    rows = kept_rows(parser, args, f"ranks pool={args.pool} labels={args.labels}")
    if not args.report:
        for seed in args.seeds:
            compute(rows, seed, args)
    report(rows, args)


if __name__ == "__main__":
    main()
