"""Does a grid search in two processes take longer than one in a single process?

    python examples/benchmarks/threads.py

The same GridSearchCV over FixMatch's threshold, with n_jobs=1 and n_jobs=2, in fresh processes, and with torch's default
number of threads. joblib's workers get one thread each on two cores; without that, two nets with two threads each would fight
for the cores.
"""

import argparse
import subprocess
import sys
import time

import torch
from common import machine
from joblib import Parallel, delayed
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from skprune.datasets import make_partial_labels
from skprune.model_selection import PartialLabelKFold
from skprune.semi_supervised import FixMatch


def search(n_jobs, steps):
    """Run the grid search, and print its seconds and the threads of its processes."""
    X, y = load_digits(return_X_y=True)
    images = (X.reshape(-1, 1, 8, 8) * 15).astype("uint8")
    y_partial = make_partial_labels(y, 200, random_state=0)
    threads = Parallel(n_jobs=n_jobs)(delayed(torch.get_num_threads)() for _ in range(n_jobs))
    net = FixMatch(n_steps=steps, batch_size=32, random_state=0)
    grid = GridSearchCV(net, {"threshold": [0.7, 0.95]}, cv=PartialLabelKFold(2), n_jobs=n_jobs, refit=False)
    start = time.perf_counter()
    grid.fit(images, y_partial)
    seconds = time.perf_counter() - start
    print(f"n_jobs={n_jobs}: {seconds:6.1f} s, torch threads in each process: {threads}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--only", type=int, help="run one search with this n_jobs")
    args = parser.parse_args()
    if args.only:
        search(args.only, args.steps)
        return
    print(machine(), flush=True)
    for n_jobs in (1, 2):
        subprocess.run([sys.executable, __file__, "--only", str(n_jobs), "--steps", str(args.steps)], check=True)


if __name__ == "__main__":
    main()
