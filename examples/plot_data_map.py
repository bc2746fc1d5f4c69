"""Data map: which digits are easy, ambiguous or hard to learn, and which of them are kept?

5 % of the digits are labeled. Label spreading labels the others, and the training of a small neural network of scikit-learn is
recorded. The map shows each row by the mean and the standard deviation, over the epochs, of the probability of its label. The
table divides the rows into fifths by that mean; "correct" is the share of epochs in which the label is predicted. The true
labels are known here, so the table also tells how many pseudo-labels are wrong.

    python examples/plot_data_map.py [--figure data_map.png]
"""

import argparse
import platform
import time
from importlib.metadata import version

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
from sklearn.semi_supervised import LabelSpreading

from skprune import SemiPrune
from skprune.datasets import make_partial_labels
from skprune.scores import confidence, correctness, variability


def draw_figure(pruner, file):
    import matplotlib

    matplotlib.use("Agg")
    from skprune.inspection import DataMapDisplay

    display = DataMapDisplay.from_estimator(pruner)
    display.ax_.set_title("Digits, 5 % labeled: 30 % are kept")
    display.figure_.savefig(file, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figure", help="save a figure to this file (needs matplotlib: skprune[plots])")
    args = parser.parse_args()

    start = time.perf_counter()
    X, y = load_digits(return_X_y=True)
    y_partial = make_partial_labels(y, n_labeled=0.05, random_state=0)
    labeler, proxy = LabelSpreading(kernel="knn", n_neighbors=10), MLPClassifier(32, learning_rate_init=0.003)
    pruner = SemiPrune(0.3, labeler=labeler, proxy=proxy, random_state=0).fit(X / 16, y_partial)

    mean, std = confidence(pruner.dynamics_), variability(pruner.dynamics_)
    correct, wrong = correctness(pruner.dynamics_), pruner.pseudo_labels_ != y
    print("Digits, 5 % labeled, in fifths by the mean probability of the label over the epochs")
    print(f"{'mean':>12} {'std':>6} {'correct':>8} {'kept':>6} {'wrong label':>12}")
    for rows in np.array_split(np.argsort(-mean), 5):
        extent = f"{mean[rows[-1]]:.2f} - {mean[rows[0]]:.2f}"
        kept = pruner.support_[rows].mean()
        print(
            f"{extent:>12} {std[rows].mean():6.2f} {correct[rows].mean():8.1%} {kept:6.1%} {wrong[rows].mean():12.1%}"
        )
    versions = ", ".join(f"{name} {version(name)}" for name in ("skprune", "scikit-learn", "numpy"))
    print(f"{time.perf_counter() - start:.0f} s, 1 process on {platform.processor() or platform.machine()}; {versions}")
    if args.figure:
        draw_figure(pruner, args.figure)


if __name__ == "__main__":
    main()
