"""Time and memory by the number of rows, and what large pools cost: selections alone, memory-mapped pools, shards.

python examples/benchmarks/scale.py --out scale.csv                     # all parts; a run that was killed goes on
python examples/benchmarks/scale.py --out scale.csv --part selection --rows 10000 30000
python examples/benchmarks/scale.py --out scale.csv --part selection --kind k_means --rows 60000 --features 128
python examples/benchmarks/scale.py --out scale.csv --report

Each measurement is a process of its own. Its memory is the most anonymous memory (RssAnon of Linux, which leaves out the pages
of mapped files) beyond that at its start, so the pool itself does not count where it is there before.

fit        SemiPrune on tables of 32 columns, one label in a hundred
classes    SupervisedPruner with SGDClassifier on tables of 20 columns and 100 classes; MiB are told in units of 8 bytes for each
           row and class as well
images     SemiPrune on images of 3 x 32 x 32, with few steps and epochs: the cost a row of an epoch is what is measured
selection  each selection alone, which keeps 5 % of rows of 64 or --features columns, and difficulties predicted for as many
mapped     SemiPrune on a memory-mapped pool of images, `--gigabytes` large
shards     SemiPrune on a table as a whole and in 10 shards: overlap of the coresets, and accuracy on rows of their own

A cost is linear where each further row takes at most 1.2 times as long, and as much memory, as one of the size before.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from common import anonymous, append_to_table, machine, read_table
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsTransformer

from skprune import SemiPrune, prune_shards
from skprune.baselines import SupervisedPruner
from skprune.datasets import make_partial_labels
from skprune.nets import NetClassifier
from skprune.selection import D2, FacilityLocation, Hardest, KCenter, KMeans, Random
from skprune.selection._neighbors import graph_by, nearest_points
from skprune.semi_supervised import SoftMatch

COLUMNS = ("part", "kind", "rows", "setting", "seconds", "cpu", "mib", "note")
ROWS = {
    "fit": [10_000, 30_000, 100_000, 300_000, 1_000_000],
    "classes": [300_000],
    "images": [10_000, 20_000, 40_000, 60_000],
    "selection": [100_000, 300_000, 1_000_000],
    "mapped": [0],
    "shards": [1_000_000],
}
KINDS = {
    "fit": ["table"],
    "classes": ["auto", "beta"],
    "images": ["images"],
    "selection": ["k_means", "d2", "facility_location", "k_center", "predict", "d2 pynndescent", "predict pynndescent"],
    "mapped": ["images"],
    "shards": ["k_means", "hardest"],
}
N_CLASSES, N_SHARDS, SIDE = 10, 10, 32
MANY_CLASSES = 100
HEADER = "part       kind                      rows   seconds       CPU      MiB  µs a row  B a row  further rows"


def make_table(n_rows, n_columns, seed=0):
    """Return rows of 40 clusters on a curved surface of 8 dimensions, and classes that hold 4 clusters each."""
    rng = np.random.default_rng(0)
    centers, directions = 2.0 * rng.normal(size=(40, 8)), rng.normal(size=(8, n_columns))
    rng = np.random.default_rng(seed)
    clusters = rng.integers(40, size=n_rows)
    table = np.tanh((centers[clusters] + rng.normal(size=(n_rows, 8))) @ directions / 3.0)
    return (table + 0.1 * rng.normal(size=table.shape)).astype(np.float32), clusters % N_CLASSES


def fill_images(images, seed=0):
    """Fill an array with noisy images, a pattern for each class, and return the classes."""
    patterns = np.random.default_rng(0).integers(0, 200, (N_CLASSES, 3, SIDE, SIDE), dtype=np.uint8)
    rng = np.random.default_rng(seed)
    y = rng.integers(N_CLASSES, size=len(images))
    for start in range(0, len(images), 1000):
        rows = slice(start, start + 1000)
        images[rows] = patterns[y[rows]] + rng.integers(0, 56, images[rows].shape, dtype=np.uint8)
    return y


class Meter:
    """Measures seconds, seconds of the CPU and anonymous memory of a block."""

    def __enter__(self):
        self.before, self.most, self.is_over = anonymous(), 0, threading.Event()
        self.watcher = threading.Thread(target=self._watch)
        self.watcher.start()
        self.start = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *error):
        self.seconds, self.cpu = time.perf_counter() - self.start[0], time.process_time() - self.start[1]
        self.is_over.set()
        self.watcher.join()
        self.mib = (max(self.most, anonymous()) - self.before) / 1024

    def _watch(self):
        while not self.is_over.wait(0.01):
            self.most = max(self.most, anonymous())


def pruner_for(options, **parameters):
    """Return a SemiPrune with the epochs and steps of a measurement."""
    parameters = {"estimate_accuracy": False, "random_state": 0} | parameters
    if options.steps:
        parameters["labeler"] = SoftMatch(n_steps=options.steps)
    return SemiPrune(0.05, n_epochs=options.epochs, schedule_epochs=options.epochs, difficulty="aum", **parameters)


def measure_fit(options, n_rows, kind):
    """Fit a table or images."""
    if kind == "table":
        X, y = make_table(n_rows, 32)
    else:
        X = np.empty((n_rows, 3, SIDE, SIDE), dtype=np.uint8)
        y = fill_images(X)
    y_partial = make_partial_labels(y, n_labeled=n_rows // 100, random_state=0)
    with Meter() as meter:
        pruner = pruner_for(options).fit(X, y_partial)
    return meter, f"{100 * (pruner.pseudo_labels_ == y).mean():.1f} % of the labels are right"


def measure_classes(options, n_rows, kind):
    """Fit a table of many classes, with a linear proxy and no labeler, whose memory is its own."""
    rng = np.random.default_rng(0)
    y = rng.integers(MANY_CLASSES, size=n_rows)
    X = rng.normal(scale=1.5, size=(MANY_CLASSES, 20))[y] + rng.normal(size=(n_rows, 20))
    n_epochs = max(10, options.epochs)  # the least that the default difficulty reads
    proxy = SGDClassifier(loss="log_loss")
    pruner = SupervisedPruner(0.3, proxy=proxy, selection=kind, n_epochs=n_epochs, random_state=0)
    with Meter() as meter:
        pruner.fit(X, y)
    return meter, f"{meter.mib * 2**20 / (8 * n_rows * MANY_CLASSES):.2f} times 8 bytes for each row and class"


def measure_selection(options, n_rows, kind):
    """Select alone, or predict difficulties by neighbors."""
    X, _ = make_table(n_rows, options.features)
    name, _, library = kind.partition(" ")
    neighbors = None
    if library:
        from pynndescent import PyNNDescentTransformer

        neighbors = PyNNDescentTransformer()
    elif options.exact:
        neighbors = KNeighborsTransformer()
    selectors = {
        "k_means": KMeans(),
        "k_center": KCenter(),
        "d2": D2(neighbors=neighbors),
        "facility_location": FacilityLocation(neighbors=neighbors),
    }
    scores, rng = np.random.default_rng(1).random(n_rows), np.random.default_rng(0)
    new = make_table(n_rows, options.features, seed=1)[0] if name == "predict" else None
    with Meter() as meter:
        if new is None:
            selectors[name].select(scores, 0.05, embedding=X, random_state=0)
        elif neighbors is None:
            nearest_points(X, new, 10, rng)
        else:
            graph_by(neighbors, X, 10, rng, new)
    return meter, ""


def measure_mapped(options, n_rows, kind):
    """Fit a memory-mapped pool."""
    n_rows = int(options.gigabytes * 1e9) // (3 * SIDE * SIDE)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        file = Path(folder) / "images.npy"
        X = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=(n_rows, 3, SIDE, SIDE))
        y = fill_images(X)
        X.flush()
        X = np.load(file, mmap_mode="r")
        y_partial = make_partial_labels(y, n_labeled=1000, random_state=0)
        with Meter() as meter:
            pruner_for(options, proxy=NetClassifier(module__width=8), selection=Random()).fit(X, y_partial)
    return meter, f"{X.nbytes / 2**20:.0f} MiB in {n_rows} rows"


def measure_shards(options, n_rows, kind):
    """Compare the coreset of shards with that of the whole pool, and random rows."""
    X, y = make_table(n_rows, 32)
    X_test, y_test = make_table(20_000, 32, seed=1)
    y_partial = make_partial_labels(y, n_labeled=max(200, n_rows // 1000), random_state=0)
    shards = list(zip(np.array_split(X, N_SHARDS), np.array_split(y_partial, N_SHARDS), strict=True))
    pruner = pruner_for(options, selection=KMeans() if kind == "k_means" else Hardest())
    whole = pruner.fit(X, y_partial).support_
    with Meter() as meter:
        parts = np.concatenate(prune_shards(pruner, shards).support)
    random = np.random.default_rng(0).permutation(whole)
    overlap = (whole & parts).sum() / whole.sum()
    accuracies = [
        LogisticRegression(max_iter=500).fit(X[rows], y[rows]).score(X_test, y_test) for rows in (whole, parts, random)
    ]
    texts = [f"{100 * value:.1f}" for value in accuracies]
    return (
        meter,
        f"overlap {100 * overlap:.0f} % (by chance 5 %); accuracy whole {texts[0]}, shards {texts[1]}, random {texts[2]} %",
    )


MEASURES = {
    "fit": measure_fit,
    "classes": measure_classes,
    "images": measure_fit,
    "selection": measure_selection,
    "mapped": measure_mapped,
    "shards": measure_shards,
}


def report(rows):
    """Print the table, with the cost of each row and of each further one."""
    print(HEADER)
    before, setting = {}, None
    for row in sorted(rows, key=lambda row: (row["part"], row["kind"], row["setting"], int(row["rows"]))):
        if row["setting"] != setting:
            setting = row["setting"]
            print(f"with {setting}")
        n, cpu, mib = int(row["rows"]), float(row["cpu"]), float(row["mib"])
        key, costs = (row["part"], row["kind"], row["setting"]), ""
        if key in before:
            n_before, cpu_before, mib_before, last = before[key]
            further = (cpu - cpu_before) / (n - n_before) * 1e6, (mib - mib_before) / (n - n_before) * 2**20
            costs = f"{further[0]:.0f} µs, {further[1]:.0f} B"
            if last is not None:
                is_linear = all(now <= 1.2 * earlier for now, earlier in zip(further, last, strict=True))
                costs += ", linear" if is_linear else ", above linear"
            before[key] = n, cpu, mib, further
        else:
            before[key] = n, cpu, mib, None
        each = (f"{cpu / n * 1e6:9.0f}", f"{mib / n * 2**20:8.0f}") if n else (" " * 9, " " * 8)
        taken = f"{float(row['seconds']):9.1f} {cpu:9.1f} {mib:8.0f}"
        print(f"{row['part']:10s} {row['kind']:20s} {n:9d} {taken} {each[0]} {each[1]}  {costs}")
        if row["note"]:
            print(f"{'':11s}{row['note']}")


def main():
    """Measure what is missing in the file, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=MEASURES, nargs="+", default=list(MEASURES))
    parser.add_argument("--kind", nargs="+", help="only these kinds of the parts")
    parser.add_argument("--rows", type=int, nargs="+", help="in place of the sizes of a part")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=300, help="of the labeler; 0: its default")
    parser.add_argument("--features", type=int, default=64, help="of the rows that are selected from")
    parser.add_argument("--gigabytes", type=float, default=1.0, help="of the memory-mapped pool")
    parser.add_argument("--folder", help="where the memory-mapped pool is written, which should be no memory disk")
    parser.add_argument(
        "--exact", action="store_true", help="compare all pairs for neighbors, by KNeighborsTransformer"
    )
    parser.add_argument("--out", default="scale.csv")
    parser.add_argument("--report", action="store_true", help="print the table from the file alone")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        part, kind, n_rows = options.one
        meter, note = MEASURES[part](options, int(n_rows), kind)
        print(json.dumps({"seconds": meter.seconds, "cpu": meter.cpu, "mib": meter.mib, "note": note}))
        return
    print(machine())
    setting = f"{options.epochs} epochs, {options.steps} steps, {options.gigabytes} GB"
    setting += f", {options.features} features" * (options.features != 64) + ", exact" * options.exact
    wanted = [
        (part, kind, n_rows)
        for part in options.part
        for kind in KINDS[part]
        if options.kind is None or kind in options.kind
        for n_rows in (ROWS[part] if options.rows is None or part == "mapped" else options.rows)
    ]
    for part, kind, n_rows in () if options.report else wanted:
        key = {"part": part, "kind": kind, "rows": str(n_rows), "setting": setting}
        if any(key.items() <= row.items() for row in read_table(options.out)):
            continue
        command = [sys.executable, __file__, *sys.argv[1:], "--one", part, kind, str(n_rows)]
        found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if found.returncode:
            print(f"{part} {kind} {n_rows} failed", flush=True)
            continue
        measured = json.loads(found.stdout.splitlines()[-1])
        row = key | {name: f"{measured[name]:.2f}" for name in ("seconds", "cpu", "mib")} | {"note": measured["note"]}
        append_to_table(options.out, COLUMNS, row)
        print(f"{part} {kind} {n_rows}: {row['cpu']} s of the CPU, {row['mib']} MiB", flush=True)
    report(read_table(options.out))


if __name__ == "__main__":
    main()
