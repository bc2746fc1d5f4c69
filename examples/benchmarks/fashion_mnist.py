"""Fashion-MNIST, few labels: does the coreset beat random rows?

    python examples/benchmarks/fashion_mnist.py --pool 10000 --labels 250 --seeds 0 1 2 3 4 --out results.csv

Test accuracy of the same network, trained for the same number of iterations on coresets with true labels, and the right
labels among the pseudo-labels of the default labeler, which ssl_accuracy.py compares with others. Beside the two trainings of
the default, the single one of proxy="labeler", which records the semi-supervised run.

Restartable: rows that are in the CSV file are not computed again; --report prints the table from it alone. For --seeds in
several processes, give each a file of its own and report on all: --report --out a.csv b.csv.
"""

import time
from functools import cache

import numpy as np
from common import arguments, fashion_pool, kept_rows, machine, of_seeds, show

from skprune import SemiPrune
from skprune.datasets import make_partial_labels
from skprune.nets import NetClassifier
from skprune.selection import Cutoff

RATIOS = (0.1, 0.3, 0.5)
HARD_CUTOFFS = dict(zip(RATIOS, (0.3, 0.1, 0.05), strict=True))
RIGHT = "right pseudo-labels"
RIGHT_SINGLE = "right pseudo-labels, single run"
CORESETS = (
    "random",
    "SemiPrune (DUAL, Beta)",
    "SemiPrune (AUM, cutoff)",
    "single run (DUAL, Beta)",
    "single run (AUM, cutoff)",
    "DUAL, Beta, all labels known",
)
EVERYTHING = "all rows"


def compute(rows, seed, args):
    """Compute the missing rows of a seed."""
    X, y, X_test, y_test = fashion_pool(args, seed)
    y_partial = make_partial_labels(y, n_labeled=args.labels, random_state=seed)
    hidden = y_partial < 0

    def train(key, mask):
        start = time.perf_counter()
        net = NetClassifier(n_steps=args.iterations, max_epochs=1, batch_size=64, random_state=seed)
        value = 100 * net.fit(X[mask], y[mask]).score(X_test, y_test)
        rows.add(key, seed, value, time.perf_counter() - start)

    @cache
    def fitted(proxy=None, everything=False):
        pruner = SemiPrune(proxy=proxy, random_state=seed, checkpoint=args.checkpoint)
        return pruner.fit(X, y if everything else y_partial)

    for key, fit in ((RIGHT, {}), (RIGHT_SINGLE, {"proxy": "labeler"})):
        if rows.missing(key, seed):
            start = time.process_time()
            right = (fitted(**fit).pseudo_labels_ == y)[hidden]
            rows.add(key, seed, 100 * np.mean(right), time.process_time() - start)
    for ratio in RATIOS:
        cut = Cutoff(HARD_CUTOFFS[ratio]), "aum"
        for name, fit, how in (
            ("random", {}, ("random",)),
            ("SemiPrune (DUAL, Beta)", {}, ()),
            ("SemiPrune (AUM, cutoff)", {}, cut),
            ("single run (DUAL, Beta)", {"proxy": "labeler"}, ()),
            ("single run (AUM, cutoff)", {"proxy": "labeler"}, cut),
            ("DUAL, Beta, all labels known", {"everything": True}, ()),
        ):
            key = f"{name} @ {ratio}"
            if rows.missing(key, seed):
                train(key, fitted(**fit).select(ratio, *how))
    if rows.missing(EVERYTHING, seed):
        train(EVERYTHING, np.ones(len(y), dtype=bool))


def report(rows, args):
    """Print the table."""
    seeds = args.seeds
    print(f"Fashion-MNIST, pool {args.pool}, {args.labels} labels, {of_seeds(seeds)}")
    print(machine())
    for name, key in (("the default SemiPrune", RIGHT), ("the single run", RIGHT_SINGLE)):
        print(
            f"Right pseudo-labels of {name}: {show(rows.column(key, seeds))} %; its fit takes "
            f"{rows.seconds(key, seeds).mean():.0f} CPU s"
        )
    print(f"\nTest accuracy after {args.iterations} iterations of 64 rows on coresets with true labels, %")
    print(f"{'':32}" + "".join(f"{ratio:>16.0%}" for ratio in RATIOS) + f"{'mean - random':>16}")
    random = np.array([rows.column(f"random @ {ratio}", seeds) for ratio in RATIOS])
    for name in CORESETS:
        values = np.array([rows.column(f"{name} @ {ratio}", seeds) for ratio in RATIOS])
        cells = "".join(f"{show(v):>16}" for v in values)
        print(f"{name:32}{cells}{np.mean(values - random):+16.2f}")
    print(f"{EVERYTHING:32}{show(rows.column(EVERYTHING, seeds)):>16}")
    print("Cutoffs: " + ", ".join(f"{cut} at {ratio:.0%}" for ratio, cut in HARD_CUTOFFS.items()))


def main():
    parser = arguments(__doc__, seeds=[0, 1, 2, 3, 4], out="fashion_mnist.csv")
    parser.add_argument("--pool", type=int, default=10_000)
    parser.add_argument("--labels", type=int, default=250)
    parser.add_argument("--iterations", type=int, default=1500)
    parser.add_argument("--checkpoint", help="a folder for the finished stages of SemiPrune")
    args = parser.parse_args()
    rows = kept_rows(parser, args, f"pool={args.pool} labels={args.labels} iterations={args.iterations}")
    if not args.report:
        for seed in args.seeds:
            compute(rows, seed, args)
    report(rows, args)


if __name__ == "__main__":
    main()
