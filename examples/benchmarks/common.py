"""What the benchmarks share: rows in a CSV file that survive a kill, tables, and a word about the machine."""

import argparse
import csv
import os
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from skprune.datasets import fetch_fashion_mnist
from skprune.nets import NetClassifier


class Rows:
    """Rows of a CSV file, written as they come; what is there already is not computed again.

    Parameters
    ----------
    file : path-like
        The CSV file, with the columns setting, key, seed, value and seconds.
    setting : str
        What the rows depend on besides key and seed; rows of another setting are left alone.
    """

    def __init__(self, file, setting):
        self.file = Path(file)
        self.setting = setting
        self.values = {}
        if self.file.exists():
            with self.file.open(newline="") as stream:
                for row in csv.DictReader(stream):
                    if row["setting"] == setting:
                        self.values[row["key"], int(row["seed"])] = float(row["value"]), float(row["seconds"])

    def missing(self, key, seed):
        """Tell whether a row is still to be computed."""
        return (key, seed) not in self.values

    def add(self, key, seed, value, seconds):
        """Write a row."""
        self.values[key, seed] = value, seconds
        self.file.parent.mkdir(parents=True, exist_ok=True)
        new = not self.file.exists()
        with self.file.open("a", newline="") as stream:
            writer = csv.writer(stream)
            if new:
                writer.writerow(["setting", "key", "seed", "value", "seconds"])
            writer.writerow([self.setting, key, seed, f"{value:.6f}", f"{seconds:.1f}"])
        print(f"  {key} seed {seed}: {value:.2f} ({seconds:.0f} s)", flush=True)

    def column(self, key, seeds):
        """Return the values of a key, one a seed."""
        return np.array([self.values[key, seed][0] for seed in seeds])

    def seconds(self, key, seeds):
        """Return the seconds of a key, one a seed."""
        return np.array([self.values[key, seed][1] for seed in seeds])


def read_table(file):
    """Return the rows of a CSV file, none where there is no file yet."""
    if not Path(file).exists():
        return []
    with Path(file).open(newline="") as stream:
        return list(csv.DictReader(stream))


def append_to_table(file, columns, row):
    """Append a row to a CSV file, which gets a header where it is new."""
    new = not Path(file).exists()
    with Path(file).open("a", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        if new:
            writer.writeheader()
        writer.writerow(row)


def arguments(description, *, seeds, out):
    """Return a parser of the arguments that all benchmarks with seeds take."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=seeds)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data-home")
    parser.add_argument("--out", nargs="+", default=[out], help="CSV file; several with --report")
    parser.add_argument("--report", action="store_true", help="print the table from the CSV files alone")
    return parser


def kept_rows(parser, args, setting):
    """Set the threads, and return the rows that are there, of all files with --report."""
    if len(args.out) > 1 and not args.report:
        parser.error("several files are for --report")
    torch.set_num_threads(args.threads)
    rows = Rows(args.out[0], setting)
    for file in args.out[1:]:
        rows.values |= Rows(file, setting).values
    return rows


def of_seeds(seeds):
    """Say which seeds the figures are of."""
    return f"seeds {seeds} (n = {len(seeds)}), std with ddof 1"


def train_and_test(fetch, data_home):
    """Return images and labels of the training set, then those of the test set."""
    return (
        *fetch(subset="train", data_home=data_home, return_X_y=True),
        *fetch(subset="test", data_home=data_home, return_X_y=True),
    )


def fashion_pool(args, seed):
    """Return the rows and true labels of a pool out of Fashion-MNIST, and the test set."""
    X, y, X_test, y_test = train_and_test(fetch_fashion_mnist, args.data_home)
    rows = np.random.default_rng(seed).permutation(len(X))[: args.pool]
    return X[rows], y[rows], X_test, y_test


def supervised_sibling(net):
    """Return the supervised net with steps, labeled batch, rate, strong augmentation and average of a semi-supervised one."""
    return NetClassifier(
        n_steps=net.n_steps,
        max_epochs=net.max_epochs,
        batch_size=net.batch_size,
        lr=net.lr,
        augment="strong",
        ema=True,
        random_state=net.random_state,
    )


def show(values):
    """Format mean and standard deviation (ddof 1), which one value has not."""
    spread = f"± {np.std(values, ddof=1):4.2f}" if len(values) > 1 else " " * 6
    return f"{np.mean(values):6.2f} {spread}"


def machine():
    """Describe machine, threads and versions."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = names[0] if names else cpu
    versions = ", ".join(f"{name} {version(name)}" for name in ("skprune", "scikit-learn", "skorch", "torch", "numpy"))
    return f"{cpu}, {os.cpu_count()} cores, {torch.get_num_threads()} thread(s); Python {platform.python_version()}, {versions}"


def anonymous():
    """Return the anonymous memory of this process in KiB, on Linux."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0])
