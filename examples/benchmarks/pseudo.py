"""Do pseudo-labels pay? PrunedClassifier without any annotation, against random rows and against the given labels alone.

    python examples/benchmarks/pseudo.py --problems letter satellite --seeds 0 1 2 --out pseudo.csv
    python examples/benchmarks/pseudo.py --report --out pseudo.csv

The problems of robust.py, with parts of scikit-learn; --cache keeps the fits. Test accuracies, in points, of a final model
trained on: the coreset of the default with pseudo-labels (``labels="pseudo"``); that or all given labels, whichever
``PrunedClassifier`` takes by itself (``labels="auto"``); random rows with pseudo-labels; the given labels alone.

A cell is a problem, a ratio and a model; its value is the mean over the seeds. "below alone" is the share of cells below the
given labels alone by more than 0.3 points, "coreset" how often "auto" trains on the coreset.

Restartable: rows that are in the CSV file are not computed again.
"""

import argparse
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from common import append_to_table, machine, read_table
from robust_methods import models, parts_of
from robust_problems import CHOSEN_ON, RECIPES, load

from skprune import PrunedClassifier, SemiPrune

COLUMNS = ("problem", "seed", "ratio", "model", "random", "pseudo", "auto", "alone", "trained_on")
KEYS = COLUMNS[:4]
MODELS = ("logistic", "trees", "neighbors")


def compute(args, name, seed, done):
    """Yield the missing rows of a problem and a seed."""
    problem = load(name, seed, args.data_home)
    labeled = problem.partial >= 0
    X, X_test = problem.flat()

    def score(classifier):
        return 100 * float(np.mean(classifier.predict(X_test) == problem.y_test))

    for ratio in args.ratios:
        for kind in MODELS:
            if (name, str(seed), str(ratio), kind) in done:
                continue
            model = models(problem.kind, round(ratio * len(X)), seed)[kind]
            folder = args.cache / f"{name}-scikit-learn-{seed}-flat"
            pruner = SemiPrune(ratio, random_state=seed, checkpoint=folder, **parts_of("scikit-learn"))
            auto = PrunedClassifier(model, pruner).fit(X, problem.partial)
            random = SemiPrune(
                ratio, selection="random", random_state=seed, checkpoint=folder, **parts_of("scikit-learn")
            )
            accuracies = {
                "random": score(PrunedClassifier(model, random, labels="pseudo").fit(X, problem.partial)),
                "pseudo": score(PrunedClassifier(model, pruner, labels="pseudo").fit(X, problem.partial)),
                "auto": score(auto),
                "alone": score(models(problem.kind, 10, seed)[kind].fit(X[labeled], problem.y[labeled])),
            }
            place = {"problem": name, "seed": seed, "ratio": ratio, "model": kind}
            yield place | {key: f"{value:.3f}" for key, value in accuracies.items()} | {"trained_on": auto.trained_on_}


def report(rows):
    """Print the means of each problem and over all."""
    print(machine())
    print(
        f"{'':20}{'cells':>6}{'alone':>8}   {'auto against: random':>20}{'alone':>8}{'below alone':>13}{'coreset':>9}",
        end="",
    )
    print(f"   {'pseudo against: random':>22}{'alone':>8}{'below alone':>13}")
    present = [name for name in RECIPES if any(row["problem"] == name for row in rows)]
    groups = {name: [name] for name in present}
    groups["chosen on"] = [name for name in present if name in CHOSEN_ON]
    groups["not looked at"] = [name for name in present if name not in CHOSEN_ON]
    for title, names in groups.items():
        cells = defaultdict(list)
        for row in rows:
            if row["problem"] in names:
                cells[row["problem"], row["ratio"], row["model"]].append(row)
        if not cells:
            continue
        means = [{key: np.mean([float(row[key]) for row in cell]) for key in COLUMNS[4:8]} for cell in cells.values()]
        found = {key: np.array([cell[key] for cell in means]) for key in COLUMNS[4:8]}
        takes = np.mean([row["trained_on"] == "coreset" for cell in cells.values() for row in cell])

        def against(kind, found=found):
            below = np.mean(found[kind] - found["alone"] < -0.3)
            return (found[kind] - found["random"]).mean(), (found[kind] - found["alone"]).mean(), below

        auto, pseudo = against("auto"), against("pseudo")
        print(
            f"{title:20}{len(cells):6}{found['alone'].mean():8.1f}   {auto[0]:+20.2f}{auto[1]:+8.2f}{auto[2]:13.0%}{takes:9.0%}"
            f"   {pseudo[0]:+22.2f}{pseudo[1]:+8.2f}{pseudo[2]:13.0%}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tables = [name for name, recipe in RECIPES.items() if recipe.kind != "images"]
    parser.add_argument("--problems", choices=tables, nargs="+", default=tables)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--ratios", type=float, nargs="+", default=[0.1, 0.3, 0.5])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data-home", default=str(Path.home() / ".cache" / "skprune"))
    parser.add_argument("--cache", type=Path, default=Path("robust-cache"))
    parser.add_argument("--out", type=Path, default=Path("pseudo.csv"))
    parser.add_argument("--report", action="store_true", help="print the table from the CSV file alone")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    warnings.simplefilter("ignore")
    rows = read_table(args.out)
    done = {tuple(row[key] for key in KEYS) for row in rows}
    for name, seed in [(name, seed) for name in args.problems for seed in args.seeds if not args.report]:
        for row in compute(args, name, seed, done):
            rows.append({key: str(value) for key, value in row.items()})
            append_to_table(args.out, COLUMNS, rows[-1])
        print(f"{name}, seed {seed}", flush=True)
    report(rows)


if __name__ == "__main__":
    main()
