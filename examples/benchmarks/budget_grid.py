"""What does a grid over budgets cost, beside one fit?

    python examples/benchmarks/budget_grid.py

Wall time of one fit of SemiPrune, and of a grid of 9 ratios and 3 difficulties of PrunedClassifier on the same rows: one
PartialLabelShuffleSplit, refit=False, an empty cache. The fits of logistic regression on the coresets are timed apart. The
grid less these should take at most 1.2 times the one fit.
"""

import argparse
import tempfile
import time

import numpy as np
import torch
from common import fashion_pool, machine
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skprune import PrunedClassifier, SemiPrune
from skprune.datasets import make_partial_labels
from skprune.model_selection import PartialLabelShuffleSplit

GRID = {"pruner__ratio": np.linspace(0.1, 0.9, 9).round(1).tolist(), "pruner__difficulty": ["dual", "aum", "el2n"]}


class Timed(LogisticRegression):
    """Logistic regression on flat rows in [0, 1] that counts its seconds."""

    seconds = 0.0

    def fit(self, X, y):
        """Fit, and count."""
        start = time.perf_counter()
        super().fit(X.reshape(len(X), -1) / 255, y)
        type(self).seconds += time.perf_counter() - start
        return self

    def predict(self, X):
        """Predict on flat rows."""
        return super().predict(X.reshape(len(X), -1) / 255)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=["digits", "fashion"], default="fashion")
    parser.add_argument("--pool", type=int, default=10_000, help="rows of Fashion-MNIST")
    parser.add_argument("--labels", type=int, default=250)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data-home")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    X, y = load_digits(return_X_y=True) if args.data == "digits" else fashion_pool(args, args.seed)[:2]
    y = make_partial_labels(y, n_labeled=args.labels, random_state=args.seed)
    split = PartialLabelShuffleSplit(1, test_size=0.2, random_state=args.seed)
    train, _ = next(split.split(X, y))

    SemiPrune(n_epochs=10, random_state=args.seed).fit(X[:200], np.arange(200) % 2)  # imports are none of the costs
    start = time.perf_counter()
    SemiPrune(random_state=args.seed).fit(X[train], y[train])
    once = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as cache:
        model = PrunedClassifier(
            Timed(max_iter=100, tol=1e-2), SemiPrune(memory=cache, random_state=args.seed), labels="pseudo"
        )
        start = time.perf_counter()
        search = GridSearchCV(model, GRID, cv=split, refit=False).fit(X, y)
        grid = time.perf_counter() - start
    n = len(search.cv_results_["params"])
    print(machine())
    print(f"{args.data}, {len(X)} rows, {args.labels} labels, {len(train)} rows train; {n} candidates, one split")
    print(f"one fit of SemiPrune:                  {once:8.1f} s")
    print(f"the grid:                              {grid:8.1f} s")
    print(f"  of these, logistic regression:       {Timed.seconds:8.1f} s")
    print(f"the grid without these, over one fit:  {(grid - Timed.seconds) / once:8.2f}")


if __name__ == "__main__":
    main()
