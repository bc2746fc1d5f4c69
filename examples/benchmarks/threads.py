"""Does a grid search in two processes take longer than one in a single process, and what does a busy core cost?

    python examples/benchmarks/threads.py

The same GridSearchCV over FixMatch's threshold with n_jobs=1 and n_jobs=2, in turns, in fresh processes with torch's default
number of threads. joblib's workers get one thread each on two cores; without that, two nets with two threads each would fight
for the cores. Then one fit with one and with two threads, while another process holds a core.
"""

import argparse
import json
import subprocess
import sys
import time

import torch
from common import machine, show
from joblib import Parallel, delayed
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from skprune.datasets import make_partial_labels
from skprune.model_selection import PartialLabelKFold
from skprune.semi_supervised import FixMatch


def problem():
    """Return digits as images, 200 of them with labels."""
    X, y = load_digits(return_X_y=True)
    return (X.reshape(-1, 1, 8, 8) * 15).astype("uint8"), make_partial_labels(y, n_labeled=200, random_state=0)


def search(n_jobs, steps):
    """Return the seconds of the grid search, and the threads of its processes."""
    threads = Parallel(n_jobs=n_jobs)(delayed(torch.get_num_threads)() for _ in range(n_jobs))
    net = FixMatch(n_steps=steps, batch_size=32, random_state=0)
    grid = GridSearchCV(net, {"threshold": [0.7, 0.95]}, cv=PartialLabelKFold(2), n_jobs=n_jobs, refit=False)
    start = time.perf_counter()
    grid.fit(*problem())
    return time.perf_counter() - start, threads


def single(threads, steps):
    """Return the seconds of one fit."""
    torch.set_num_threads(threads)
    start = time.perf_counter()
    FixMatch(n_steps=steps, batch_size=32, random_state=0).fit(*problem())
    return time.perf_counter() - start, [threads]


def fresh(kind, number, steps):
    """Run a measurement in a process of its own."""
    command = [sys.executable, __file__, "--only", kind, str(number), "--steps", str(steps)]
    seconds, threads = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return seconds, threads


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--only", nargs=2, help="one measurement: search or single, and its number of processes or threads"
    )
    args = parser.parse_args()
    if args.only:
        kind = {"search": search, "single": single}[args.only[0]]
        print(json.dumps(kind(int(args.only[1]), args.steps)))
        return
    print(machine())
    print(f"Mean and std (ddof 1) of {args.repeats} runs, {args.steps} steps a fit")
    found = {(kind, n): [] for kind in ("search", "single") for n in (1, 2)}
    for _ in range(args.repeats):
        for n in (1, 2):
            found["search", n].append(fresh("search", n, args.steps))
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        for _ in range(args.repeats):
            for n in (1, 2):
                found["single", n].append(fresh("single", n, args.steps))
    finally:
        busy.kill()
    names = {"search": "GridSearchCV(n_jobs={})", "single": "one fit, {} thread(s), another process on a core"}
    for (kind, n), runs in found.items():
        print(f"{names[kind].format(n):52} {show([seconds for seconds, _ in runs])} s, torch threads: {runs[0][1]}")


if __name__ == "__main__":
    main()
