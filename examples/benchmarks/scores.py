"""What recording and scoring cost: seconds and memory.

    python examples/benchmarks/scores.py

First, from logits to all scores (grand, which needs a net, is left out), on one core, in a process of its own: seconds of the
reduction, with the steps for TDDS, and of the scores; peak resident memory above imports and input. Then the time that
recording adds to the training of SmallResNet, as its batches pass and in an extra pass after each epoch, with all that
SemiPrune records.
"""

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

SIZES = ((50_000, 10), (20_000, 100))
EPOCHS = 30


def peak():
    """Return the largest resident memory of this process so far, in MiB (Linux)."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024


def one_size(n, n_classes):
    """Print a row of the first table."""
    from skprune import scores
    from skprune.dynamics import TrainingDynamics

    rng = np.random.default_rng(0)
    y = rng.integers(n_classes, size=n)
    logits = np.empty((EPOCHS, n, n_classes), dtype=np.float32)
    for epoch in logits:
        rng.standard_normal(dtype=np.float32, out=epoch)
        epoch *= 3
    small = TrainingDynamics.from_logits(logits[:, :100], y[:100], kl=True)
    names = sorted(set(scores.get_score_names()) - {"grand"})
    for name in names:
        scores.difficulty(small, name)  # imports are not part of the figures
    before = peak()
    start = time.perf_counter()
    dynamics = TrainingDynamics.from_logits(logits, y, kl=True)
    reduced = time.perf_counter()
    for name in names:
        scores.difficulty(dynamics, name)
    end = time.perf_counter()
    times = (reduced - start, end - reduced, end - start)
    print(
        f"{n:>8} {n_classes:>8} {EPOCHS:>7}" + "".join(f"{t:>11.2f}" for t in times) + f"{peak() - before:>11.0f}",
        flush=True,
    )


def recording(rows, epochs, repeats):
    """Print what recording adds to training."""
    from skprune.dynamics import Recording, collect_dynamics
    from skprune.nets import NetClassifier

    rng = np.random.default_rng(0)
    X = rng.integers(256, size=(rows, 28, 28), dtype=np.uint8)
    y = rng.integers(10, size=rows)

    def seconds(record):
        start = time.process_time()
        if record is None:
            NetClassifier(max_epochs=epochs, random_state=0).fit(X, y)
        else:
            collect_dynamics(
                NetClassifier(random_state=0), X[:, None], y, n_epochs=epochs, record=Recording(record, kl=True)
            )
        return time.process_time() - start

    seconds(None)
    times = {record: [] for record in (None, "train", "eval")}
    for _ in range(repeats):
        for record, found in times.items():
            found.append(seconds(record))
    alone = np.median(times[None])
    print(
        f"\nTraining of SmallResNet, {rows} images of 28 x 28, {epochs} epochs, CPU s, median of {repeats}: {alone:.2f}"
    )
    for record in ("train", "eval"):
        added = [100 * (b / a - 1) for a, b in zip(times[None], times[record], strict=True)]
        print(
            f"record={record!r}: {np.median(times[record]):.2f} s, which adds {np.median(added):+.1f} % "
            f"(median of {repeats} pairs, from {min(added):+.1f} to {max(added):+.1f})"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--one", type=int, nargs=2, metavar=("N", "CLASSES"), help="print the row of one size alone")
    args = parser.parse_args()
    if args.one:
        one_size(*args.one)
        return
    import torch
    from common import machine

    torch.set_num_threads(1)
    print(machine())
    print("From logits to all scores, TDDS included; s, and MiB of peak memory above imports and input\n")
    print(f"{'rows':>8} {'classes':>8} {'epochs':>7}{'reduction':>11}{'scores':>11}{'together':>11}{'peak MiB':>11}")
    for size in SIZES:
        subprocess.run([sys.executable, __file__, "--one", *map(str, size)], check=True)
    recording(args.rows, args.epochs, args.repeats)


if __name__ == "__main__":
    main()
