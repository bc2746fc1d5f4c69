"""Time and memory of one whole fit_transform: 60,000 Fashion-MNIST images, 600 labels, default settings.

    python examples/benchmarks/fit_transform.py --pool 60000 --labels 600 --threads 2
    python examples/benchmarks/fit_transform.py --pool 2000 --labels 100 --threads 1 --quick

--quick has a labeler with a first layer that whitens, of 1,000 steps with three unlabeled rows a labeled one.
The peak is that of the whole process, interpreter, libraries and data set among it.
"""

import argparse
import resource
import time

import numpy as np
import torch
from common import machine

from skprune import SemiPrune
from skprune.datasets import fetch_fashion_mnist, make_partial_labels
from skprune.nets import WhitenedResNet
from skprune.semi_supervised import SoftMatch


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=int, default=60_000)
    parser.add_argument("--labels", type=int, default=600)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data-home")
    parser.add_argument("--verbose", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    X, y = fetch_fashion_mnist(data_home=args.data_home, return_X_y=True)
    X, y = X[: args.pool], y[: args.pool]
    y_partial = make_partial_labels(y, n_labeled=args.labels, random_state=args.seed)
    pruner = SemiPrune(random_state=args.seed, verbose=args.verbose)
    if args.quick:
        pruner.set_params(labeler=SoftMatch(WhitenedResNet, n_steps=1000, mu=3))
    start = time.perf_counter()
    kept = pruner.fit_transform(X, y_partial)
    seconds = time.perf_counter() - start

    hidden = y_partial < 0
    print(machine())
    print(f"fit_transform of {len(X)} images, {args.labels} labels: {seconds:.0f} s, {len(kept)} rows kept")
    net = pruner.labeler_
    print(f"labeler {type(net).__name__}, {sum(epoch['n_steps'] for epoch in net.history)} steps")
    print(f"right pseudo-labels on the unlabeled rows: {100 * np.mean((pruner.pseudo_labels_ == y)[hidden]):.2f} %")
    print(f"peak RSS: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
