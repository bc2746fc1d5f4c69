"""What does another number of threads change, and what a change of the last digit?

    python examples/benchmarks/rounding.py

First, which operations of a network give other bits with two threads than with one, and whether they do so again. Then how
many rows two coresets of digits share, as images in float32 with 60 labels, if the fits differ in threads, in the pixels by a
ten-millionth, or in the seed.
"""

import argparse
import warnings

import numpy as np
import torch
from common import machine
from scipy.stats import spearmanr
from sklearn.datasets import load_digits
from torch.nn import functional as F

from skprune import SemiPrune
from skprune.datasets import make_partial_labels
from skprune.nets import NetClassifier
from skprune.semi_supervised import SoftMatch

N_ROWS, N_LABELED, RATIO = 600, 60, 0.3


def draw(*shape):
    """Return random numbers, images in the layout in which nets compute."""
    numbers = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return numbers.to(memory_format=torch.channels_last) if len(shape) == 4 else numbers


IMAGES, MAPS, FILTERS, ROWS = draw(448, 16, 8, 8), draw(448, 32, 8, 8), draw(32, 16, 3, 3), draw(448, 64)


def normalization(layer, x):
    """Return outputs, gradients and running means of batch normalization."""
    x = x.clone(memory_format=torch.preserve_format).requires_grad_()
    out = layer(x)
    out.backward(x.detach())
    return out.detach(), x.grad, layer.weight.grad, layer.running_mean


OPERATIONS = {
    "convolution": lambda: [F.conv2d(IMAGES, FILTERS, padding=1)],
    "its gradient for the input": lambda: [torch.nn.grad.conv2d_input(IMAGES.shape, FILTERS, MAPS, padding=1)],
    "its gradient for the weights": lambda: [torch.nn.grad.conv2d_weight(IMAGES, FILTERS.shape, MAPS, padding=1)],
    "batch normalization, images": lambda: normalization(torch.nn.BatchNorm2d(16), IMAGES),
    "batch normalization, tables": lambda: normalization(torch.nn.BatchNorm1d(64), ROWS),
    "linear layer": lambda: [F.linear(ROWS, ROWS[:10])],
    "mean over pixels": lambda: [IMAGES.mean((2, 3))],
    "softmax": lambda: [ROWS.softmax(1)],
}


def at(n_threads, operation, *, deterministic=False):
    """Run an operation with a number of threads."""
    torch.set_num_threads(n_threads)
    torch.use_deterministic_algorithms(deterministic)
    try:
        return operation()
    finally:
        torch.use_deterministic_algorithms(False)


def same(one, other):
    """Tell whether two results have the same bits."""
    return "yes" if all(map(torch.equal, one, other)) else "no"


def print_operations():
    """Print which operations depend on the number of threads."""
    print("the same bits with                  1 and 2 threads   use_deterministic_algorithms   2 threads, again")
    for name, operation in OPERATIONS.items():
        one, two, again = at(1, operation), at(2, operation), at(2, operation)
        deterministic = at(2, operation, deterministic=True)
        print(f"{name:35}{same(one, two):>16}{same(one, deterministic):>31}{same(two, again):>19}")


def fit(steps, *, n_threads=1, noise=0.0, seed=0):
    """Fit a pruner; no steps mean that all labels are given."""
    torch.set_num_threads(n_threads)
    X, y = load_digits(return_X_y=True)
    X, y = X[:N_ROWS].reshape(-1, 8, 8) / 16, y[:N_ROWS]
    X = X + noise * np.random.default_rng(0).normal(size=X.shape)
    partial = make_partial_labels(y, n_labeled=N_LABELED, random_state=0) if steps else y
    net = {"precision": "fp32", "module__width": 8}
    pruner = SemiPrune(
        RATIO,
        labeler=SoftMatch(n_steps=steps or 1, **net),
        proxy=NetClassifier(lr=0.01, **net),
        n_epochs=10,
        estimate_accuracy=False,
        device="cpu",
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of labelers that are hardly trained
        pruner.fit(X, partial)
    return pruner, np.mean(pruner.pseudo_labels_ == y)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, nargs="+", default=[20, 300, 0], help="0: all labels are given")
    args = parser.parse_args()
    print(machine().replace(f"{torch.get_num_threads()} thread(s)", "1 and 2 threads"))
    print_operations()
    k = round(RATIO * N_ROWS)
    print(f"\nof {k} rows kept, {k * k // N_ROWS} are the same by chance")
    print("labels          right   confidence   other           kept by both   other labels   scores: rank correlation")
    changes = {"pixels, by 1e-7": {"noise": 1e-7}, "seed": {"seed": 1}, "2 threads": {"n_threads": 2}}
    for steps in args.steps:
        base, accuracy = fit(steps)
        confidence = np.median(base.pseudo_label_confidence_)
        for name, change in changes.items():
            other, _ = fit(steps, **change)
            shared = int((base.support_ & other.support_).sum())
            moved = int((base.pseudo_labels_ != other.pseudo_labels_).sum())
            rank = spearmanr(base.difficulty_scores_, other.difficulty_scores_).statistic
            label = f"{steps} steps" if steps else "all given"
            start = f"{label:12}{accuracy:9.2f}{confidence:13.2f}   {name:16}"
            print(f"{start}{shared:12}{moved:15}{rank:27.3f}", flush=True)


if __name__ == "__main__":
    main()
