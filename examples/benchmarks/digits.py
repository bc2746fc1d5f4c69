"""Digits as a flat table, few labels a class: how many pseudo-labels are right?

    python examples/benchmarks/digits.py --per-class 6 --seeds 0 1 2 3 4

Compares the default labeler with a supervised net (same network, steps, learning rate, strong augmentation, moving
average), label spreading, and self-training of logistic regression, on the same labels.
"""

import argparse
import time

import numpy as np
import torch
from common import machine, show, supervised_sibling
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from skprune.datasets import make_partial_labels
from skprune.semi_supervised import FixMatch


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-class", type=int, default=6)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    X, y = load_digits(return_X_y=True)
    right, seconds = {}, {}
    for seed in args.seeds:
        y_partial = make_partial_labels(y, 10 * args.per_class, random_state=seed)
        hidden = y_partial < 0
        default = FixMatch(random_state=seed)
        net = supervised_sibling(default)
        predictions = {
            "FixMatch (default)": lambda model=default, y=y_partial: model.fit(X, y).predict(X),
            "supervised net": lambda model=net, rows=~hidden: model.fit(X[rows], y[rows]).predict(X),
            "label spreading": lambda y=y_partial: LabelSpreading(kernel="knn").fit(X, y).transduction_,
            "self-training": lambda y=y_partial: (
                SelfTrainingClassifier(LogisticRegression(max_iter=2000)).fit(X / 16, y).predict(X / 16)
            ),
        }
        for name, predict in predictions.items():
            start = time.perf_counter()
            right.setdefault(name, []).append(100 * np.mean((predict() == y)[hidden]))
            seconds.setdefault(name, []).append(time.perf_counter() - start)

    print(f"Digits, {args.per_class} labels a class, seeds {args.seeds} (n = {len(args.seeds)}), std with ddof 1")
    print(machine())
    print(f"{'right labels on the unlabelled rows, %':40} {'':14} {'seconds':>8}")
    for name, values in right.items():
        print(f"{name:40} {show(values):>14} {np.mean(seconds[name]):8.1f}")


if __name__ == "__main__":
    main()
