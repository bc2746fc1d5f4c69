"""Can the confidence of a pseudo-label be believed? Expected calibration errors, as the labeler says it and calibrated.

    python examples/benchmarks/calibration.py --problems letter novels --parts scikit-learn --out calibration.csv
    python examples/benchmarks/calibration.py --report --out calibration.csv

The problems of robust.py, with its parts, pools and seeds; --cache keeps the fits of both. The error is that of the rows without
a given label: the mean, weighted by the number of rows, over 15 intervals of confidence of equal width, of the difference
between the mean confidence and the share of correct labels.

Restartable: rows that are in the CSV file are not computed again.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import torch
from common import append_to_table, machine, read_table
from robust_methods import fitted
from robust_problems import RECIPES, load

N_INTERVALS = 15
COLUMNS = ("problem", "parts", "seed", "n_labels", "accuracy", "confidence", "raw", "calibrated")
KEYS = COLUMNS[:3]


def calibration_error(confidence, correct):
    """Return the expected calibration error, in [0, 1]."""
    interval = np.minimum((confidence * N_INTERVALS).astype(int), N_INTERVALS - 1)
    gaps = np.bincount(interval, confidence - correct, N_INTERVALS)
    return np.abs(gaps).sum() / len(confidence)


def compute(args, name, parts, seed):
    """Return the row of a problem, parts and a seed."""
    problem = load(name, seed, args.data_home)
    unlabeled = problem.partial < 0
    errors = {}
    for kind, estimate in (("raw", False), ("calibrated", True)):
        pruner = fitted(problem, name, parts, seed, args.cache, estimate_accuracy=estimate)
        correct = (pruner.pseudo_labels_ == problem.y)[unlabeled]
        confidence = pruner.pseudo_label_confidence_[unlabeled]
        errors[kind] = f"{calibration_error(confidence, correct):.4f}"
    figures = {"accuracy": f"{correct.mean():.4f}", "confidence": f"{confidence.mean():.4f}"} | errors
    return {"problem": name, "parts": parts, "seed": seed, "n_labels": int((~unlabeled).sum())} | figures


def report(rows):
    """Print the mean over the seeds of each problem and parts."""
    print(machine())
    print(f"{'':20}{'parts':14}{'labels':>7}{'correct':>9}{'error, raw':>12}{'calibrated':>12}{'std':>7}{'n':>4}")
    for name in RECIPES:
        for parts in sorted({row["parts"] for row in rows}):
            found = [row for row in rows if (row["problem"], row["parts"]) == (name, parts)]
            if not found:
                continue
            n_labels, accuracy, raw, calibrated = (
                np.array([float(row[key]) for row in found]) for key in ("n_labels", "accuracy", "raw", "calibrated")
            )
            spread = f"{calibrated.std(ddof=1):7.1%}" if len(found) > 1 else f"{'':7}"
            print(
                f"{name:20}{parts:14}{n_labels.mean():7.0f}{accuracy.mean():9.1%}{raw.mean():12.1%}"
                f"{calibrated.mean():12.1%}{spread}{len(found):4}"
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", choices=list(RECIPES), nargs="+", default=list(RECIPES))
    parser.add_argument("--parts", choices=["nets", "scikit-learn"], nargs="+", default=["scikit-learn"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data-home", default=str(Path.home() / ".cache" / "skprune"))
    parser.add_argument("--cache", type=Path, default=Path("robust-cache"))
    parser.add_argument("--out", type=Path, default=Path("calibration.csv"))
    parser.add_argument("--report", action="store_true", help="print the table from the CSV file alone")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    warnings.simplefilter("ignore")
    rows = read_table(args.out)
    done = {tuple(row[key] for key in KEYS) for row in rows}
    for name, parts, seed in [(n, p, s) for n in args.problems for p in args.parts for s in args.seeds]:
        if args.report or (name, parts, str(seed)) in done:
            continue
        rows.append(compute(args, name, parts, seed))
        print(rows[-1], flush=True)
        append_to_table(args.out, COLUMNS, rows[-1])
    report(rows)


if __name__ == "__main__":
    main()
