"""Quickstart: 5 % of the digits are labeled; which rows are worth annotating?

For each seed, the digits are split into a pool and a test set, 5 % of the pool keep their label, and SemiPrune chooses
10, 30 and 50 % of the pool. The chosen rows are annotated (here: they get their true labels), and logistic regression is
trained on them. The alternative would be to annotate the same number of random rows.

    python examples/benchmarks/quickstart.py [--seeds 0 1 2 3 4] [--figure quickstart.png]
"""

import argparse
import platform
import time
from importlib.metadata import version

import numpy as np
from joblib import Parallel, delayed
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skprune import SemiPrune
from skprune.datasets import make_partial_labels
from skprune.selection import Beta, Random

RATIOS = (0.1, 0.3, 0.5)
DRAWS = 10


def accuracy(X_train, y_train, X_test, y_test):
    return 100 * LogisticRegression(max_iter=2000).fit(X_train, y_train).score(X_test, y_test)


def run_seed(seed):
    """Return the test accuracy of each choice and ratio, and the share of correct pseudo-labels, in %."""
    X, y = load_digits(return_X_y=True)
    X_pool, X_test, y_pool, y_test = train_test_split(X / 16, y, stratify=y, random_state=seed)
    y_partial = make_partial_labels(y_pool, n_labeled=0.05, random_state=seed)

    # Small coresets: keep the shares of the classes. Every ratio is chosen from one fit, without further training.
    beta, balanced = Beta(class_balanced="proportional"), Random(class_balanced="proportional")
    # The accuracy of the pseudo-labels is known here; to estimate it would be a second labeling.
    pruner = SemiPrune(selection=beta, estimate_accuracy=False, random_state=seed).fit(X_pool, y_partial)

    hidden = y_partial < 0
    result = {
        "pseudo": 100 * np.mean(pruner.pseudo_labels_[hidden] == y_pool[hidden]),
        "all": accuracy(X_pool, y_pool, X_test, y_test),
    }
    # Every choice is drawn at random; the mean over a few draws tells more than a single one.
    for ratio in RATIOS:
        for name, selector in (("coreset", beta), ("random", Random()), ("balanced", balanced)):
            options = {"dynamics": pruner.dynamics_, "y": np.searchsorted(pruner.classes_, pruner.pseudo_labels_)}
            masks = [
                selector.select(pruner.difficulty_scores_, ratio, random_state=draw, **options) for draw in range(DRAWS)
            ]
            values = [accuracy(X_pool[mask], y_pool[mask], X_test, y_test) for mask in masks]
            result[name, ratio] = np.mean(values)
    return result


def draw_figure(results, file):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, label in (("coreset", "SemiPrune coreset"), ("random", "random rows")):
        values = np.array([[r[name, ratio] for ratio in RATIOS] for r in results])
        axes.errorbar(RATIOS, values.mean(axis=0), values.std(axis=0, ddof=1), marker="o", capsize=3, label=label)
    axes.axhline(np.mean([r["all"] for r in results]), color="0.5", linestyle="--", label="all rows")
    axes.set(xlabel="ratio of the pool that is kept", ylabel="test accuracy in %", xticks=RATIOS)
    axes.set_title(f"Digits, 5 % labeled: mean and std of {len(results)} seeds")
    axes.legend()
    figure.savefig(file, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--figure", help="save a figure to this file (needs matplotlib: skprune[plots])")
    args = parser.parse_args()

    start = time.perf_counter()
    results = Parallel(n_jobs=2)(delayed(run_seed)(seed) for seed in args.seeds)

    def show(values):
        return f"{np.mean(values):6.2f} ± {np.std(values, ddof=1):4.2f}"

    print("Test accuracy in % of logistic regression with true labels: mean ± std (ddof 1) of seeds", *args.seeds)
    print(f"{'kept':>8} {'SemiPrune coreset':>18} {'random rows':>14} {'difference':>11} {'random, balanced':>17}")
    for ratio in RATIOS:
        coreset, random, balanced = (
            np.array([r[name, ratio] for r in results]) for name in ("coreset", "random", "balanced")
        )
        difference = f"{np.mean(coreset - random):+11.2f}"
        print(f"{ratio:8.0%} {show(coreset):>18} {show(random):>14} {difference} {show(balanced):>17}")
    everything = show([r["all"] for r in results])
    print(f"{'100%':>8} {everything:>18} {everything:>14}")
    print(f"Right pseudo-labels on the unlabeled rows: {show([r['pseudo'] for r in results])} %")
    versions = ", ".join(f"{name} {version(name)}" for name in ("skprune", "scikit-learn", "torch", "numpy"))
    print(
        f"{time.perf_counter() - start:.0f} s, 2 processes on {platform.processor() or platform.machine()}; {versions}"
    )
    if args.figure:
        draw_figure(results, args.figure)


if __name__ == "__main__":
    main()
