"""Is a coreset ever worse than random rows? All selections and baselines, on images, tables, text and embeddings.

    python examples/benchmarks/robust.py --problems letter satellite --seeds 0 1 2 3 4 --out robust
    python examples/benchmarks/robust.py --report --out robust

Of each problem a pool with few labels; SemiPrune is fitted once, with its nets or with models of scikit-learn as labeler and
proxy; each method keeps a part of the pool, which is annotated: final models are trained with the true labels of what is kept, on
these rows alone ("kept"), and on these with the given labels besides ("kept + given"), which is what a user has. For random rows
too, of which three draws are averaged; a fourth draw shows how much chance alone differs ("random, another draw").

Final models: logistic regression, extremely randomized trees, neighbors and gradient boosting; of images a net that is trained
short (five passes) and one that is trained long (2,000 steps). If asked for, one is trained "longer" (8,000 steps), which tells
what is left to learn. A cell is a problem, parts, a ratio and what is trained on; its value is the mean over seeds and models of
the difference to random rows, in points. The score is the test accuracy, or the mean recall of the classes ("balanced accuracy")
with --metric balanced.

"worst" is the worst cell, "< -0.5" the share of cells below -0.5 points, "2 s.e." the share of those that are so by more than two
standard errors over the seeds, "labels" the number of rows to annotate against that of random rows, "CPU s" the time of a
selection. Methods that lack a cell or a seed are left out.

Settings were chosen on the problems named CHOSEN_ON in robust_problems.py, on seeds 10 and up; the report is of seeds 0 to 4.

Restartable: rows that are in the CSV files are not computed again, and --cache keeps the fits. --data-home has npz files:
fashion_mnist, cifar10, solar_cells (x_train, y_train, x_test, y_test), letter, satellite, shuttle, novels (x, y).
"""

import argparse
import csv
import time
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from common import machine
from robust_methods import ALL, ANOTHER, LABELS, METHODS, N_RANDOM, RANDOM, Situation, fitted, models, random_rows
from robust_problems import CHOSEN_ON, RECIPES, load
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from skprune.selection import kept_count

RATIOS = (0.05, 0.1, 0.2, 0.3, 0.5)
TRAINED_ON = ("kept", "kept + given")
COLUMNS = (
    "problem",
    "parts",
    "seed",
    "ratio",
    "method",
    "trained_on",
    "model",
    "n_annotated",
    "accuracy",
    "balanced",
    "seconds",
)
KEYS = COLUMNS[:7]


class Results:
    """Rows of a CSV file for each problem, parts, seed and ratio, written as they come."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.rows = {}
        for file in sorted(self.folder.glob("*.csv")):
            with file.open(newline="") as stream:
                self.rows |= {tuple(row[key] for key in KEYS): row for row in csv.DictReader(stream)}

    def missing(self, *key):
        """Tell whether a row is still to be computed."""
        return tuple(map(str, key)) not in self.rows

    def add(self, *values):
        """Write a row."""
        row = dict(zip(COLUMNS, map(str, values), strict=True))
        self.rows[tuple(row[key] for key in KEYS)] = row
        file = self.folder / "-".join(row[key].replace(" ", "_") for key in ("problem", "parts", "seed", "ratio"))
        file = file.with_name(file.name + ".csv")
        new = not file.exists()
        with file.open("a", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS)
            if new:
                writer.writeheader()
            writer.writerow(row)


def compute(args, name, parts, seed, results):
    """Compute the missing rows of a problem, parts and a seed."""
    problem = load(name, seed, args.data_home)
    start = time.perf_counter()
    pruner = fitted(problem, name, parts, seed, args.cache)
    right = np.mean(pruner.pseudo_labels_ == problem.y)
    print(f"{name}, {parts}, seed {seed}: {right:.1%} right, fitted in {time.perf_counter() - start:.0f} s", flush=True)
    situation = Situation(problem, pruner, seed)
    tables = (problem.X, problem.X_test) if problem.kind == "images" else problem.flat()
    evaluation = Evaluation(args, (name, parts, seed), situation, tables, results)
    if args.references:
        evaluation.add(0.0, LABELS, situation.labeled, 0.0, TRAINED_ON[:1])
        evaluation.add(1.0, ALL, np.ones(len(problem.y), dtype=bool), 0.0, TRAINED_ON[:1])
    for ratio in args.ratios:
        k = kept_count(ratio, len(problem.y))
        for draw in range(N_RANDOM):
            evaluation.add(ratio, f"{RANDOM} {draw}", random_rows(situation, k, draw), 0.0, args.trained_on)
        for method in args.methods:
            if not evaluation.missing(ratio, method, args.trained_on):
                continue
            start = time.process_time()
            mask = METHODS[method](situation, k)
            seconds = time.process_time() - start
            if mask.sum() != k:
                raise RuntimeError(f"{method} keeps {mask.sum()} rows of {k}.")
            evaluation.add(ratio, method, mask, seconds, args.trained_on)


class Evaluation:
    """Trains final models on masks of a situation, and writes down how they do."""

    def __init__(self, args, place, situation, tables, results):
        self.args, self.place, self.situation, self.tables, self.results = args, place, situation, tables, results

    def models(self, k):
        """Return the final models by name, for k rows."""
        made = models(self.situation.problem.kind, k, self.place[2])
        return {name: model for name, model in made.items() if name in self.args.models}

    def missing(self, ratio, method, trained_on):
        """Tell whether a model of a method is still to be trained."""
        return any(
            self.results.missing(*self.place, ratio, method, training, model)
            for training in trained_on
            for model in self.models(10)
        )

    def add(self, ratio, method, mask, seconds, trained_on):
        """Train and test what is missing."""
        problem, labeled = self.situation.problem, self.situation.labeled
        rows, test_rows = self.tables
        for training in trained_on:
            kept = mask | labeled if training == TRAINED_ON[1] else mask
            annotated = int((kept & ~labeled).sum())
            for name, model in self.models(int(kept.sum())).items():
                if not self.results.missing(*self.place, ratio, method, training, name):
                    continue
                classes = np.unique(problem.y[kept])
                predicted = np.full(len(problem.y_test), classes[0])
                if len(classes) > 1:
                    predicted = model.fit(rows[kept], problem.y[kept]).predict(test_rows)
                scores = (
                    100 * accuracy_score(problem.y_test, predicted),
                    100 * balanced_accuracy_score(problem.y_test, predicted),
                )
                values = (annotated, *(f"{score:.4f}" for score in scores), f"{seconds:.3f}")
                self.results.add(*self.place, ratio, method, training, name, *values)


def differences(results, args, problems):
    """Return {(method, problem, parts, ratio, trained_on): {seed: difference to random rows}}, means over the models."""
    scores = defaultdict(dict)
    for row in results.rows.values():
        if int(row["seed"]) in args.seeds and row["problem"] in problems and row["model"] in args.models:
            cell = row["problem"], row["parts"], row["ratio"], row["trained_on"], row["seed"], row["model"]
            scores[cell][row["method"]] = float(row[args.metric])
    found = defaultdict(lambda: defaultdict(list))
    for (problem, parts, ratio, trained_on, seed, _), by_method in scores.items():
        draws = [by_method.get(f"{RANDOM} {draw}") for draw in range(N_RANDOM)]
        if None in draws:
            continue
        for method, score in by_method.items():
            if not method.startswith(f"{RANDOM} "):
                found[method, problem, parts, float(ratio), trained_on][seed].append(score - np.mean(draws))
    return {cell: {seed: np.mean(values) for seed, values in by_seed.items()} for cell, by_seed in found.items()}


def report(args, results):
    """Print what each method gains over random rows: over all cells, and for each problem and ratio."""
    print(machine())
    groups = {
        f"problems that settings were chosen on: {', '.join(CHOSEN_ON)}": [p for p in args.problems if p in CHOSEN_ON],
        "problems that were not looked at": [p for p in args.problems if p not in CHOSEN_ON],
    }
    for title, problems in groups.items():
        found = differences(results, args, problems)
        if not found:
            continue
        present = sorted({cell[1] for cell in found})
        print(f"\n{title}\n{args.metric}, points above random rows; seeds {args.seeds}; here: {', '.join(present)}")
        for trained_on in args.trained_on:
            print(f"\ntrained on {trained_on}")
            heads = "".join(f"{ratio:>7.0%}" for ratio in args.ratios) + "".join(f"{name[:8]:>9}" for name in present)
            print(f"{'':24}{'mean':>7}{'worst':>8}{'< -0.5':>8}{'2 s.e.':>8}{heads}{'labels':>8}{'CPU s':>7}")
            for method in (ANOTHER, *(name for name in METHODS if name != ANOTHER)):
                cells = {cell: by for cell, by in found.items() if cell[0] == method and cell[4] == trained_on}
                if is_complete(cells, found, trained_on):
                    print(line(args, method, cells, present, results))


def is_complete(cells, found, trained_on):
    """Tell whether a method has all cells and seeds that random rows have."""
    wanted = {cell[1:]: set(by) for cell, by in found.items() if cell[0] == ANOTHER and cell[4] == trained_on}
    return bool(cells) and {cell[1:]: set(by) for cell, by in cells.items()} == wanted


def line(args, method, cells, problems, results):
    """Return the line of a method."""
    means = {cell: np.mean(list(by_seed.values())) for cell, by_seed in cells.items()}
    sure = [
        means[cell] + 2 * np.std(list(by.values()), ddof=1) / np.sqrt(len(by)) < -0.5
        for cell, by in cells.items()
        if len(by) > 1
    ]
    values = np.array(list(means.values()))
    by_ratio = [
        np.mean([mean for cell, mean in means.items() if cell[3] == ratio] or [np.nan]) for ratio in args.ratios
    ]
    by_problem = [np.mean([mean for cell, mean in means.items() if cell[1] == name] or [np.nan]) for name in problems]
    seconds = np.mean([float(row["seconds"]) for row in results.rows.values() if row["method"] == method])
    figures = "".join(f"{value:>+7.2f}" for value in by_ratio) + "".join(f"{value:>+9.2f}" for value in by_problem)
    labels = label_cost(args, cells, results)
    return (
        f"{method:24}{values.mean():>+7.2f}{values.min():>+8.2f}{np.mean(values < -0.5):>8.0%}"
        f"{np.mean(sure) if sure else np.nan:>8.0%}{figures}{labels:>8.0%}{seconds:>7.2f}"
    )


def label_cost(args, cells, results):
    """Return how many rows the cells of a method need annotated, against random rows."""
    method = next(iter(cells))[0]
    places = {(cell[1], cell[2], str(cell[3]), cell[4]) for cell in cells}
    annotated = defaultdict(list)
    for row in results.rows.values():
        place = row["problem"], row["parts"], row["ratio"], row["trained_on"]
        if place in places and int(row["seed"]) in args.seeds:
            annotated[row["method"]].append(int(row["n_annotated"]))
    return np.mean(annotated[method]) / np.mean([annotated[f"{RANDOM} {draw}"] for draw in range(N_RANDOM)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", choices=list(RECIPES), nargs="+", default=list(RECIPES))
    parser.add_argument("--parts", choices=["nets", "scikit-learn"], nargs="+", default=["scikit-learn"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--ratios", type=float, nargs="+", default=list(RATIOS))
    parser.add_argument("--methods", choices=list(METHODS), nargs="+", default=list(METHODS))
    parser.add_argument("--models", nargs="+", default=["logistic", "trees", "neighbors", "boosting", "short", "long"])
    parser.add_argument("--trained-on", choices=TRAINED_ON, nargs="+", default=list(TRAINED_ON))
    parser.add_argument(
        "--no-references", dest="references", action="store_false", help="without labels alone and all rows"
    )
    parser.add_argument("--metric", choices=["accuracy", "balanced"], default="accuracy")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data-home", default=str(Path.home() / ".cache" / "skprune"))
    parser.add_argument("--cache", type=Path, default=Path("robust-cache"))
    parser.add_argument("--out", type=Path, default=Path("robust"))
    parser.add_argument("--report", action="store_true", help="print the tables from the CSV files alone")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    results = Results(args.out)
    if not args.report:
        warnings.simplefilter("ignore")
        for seed in args.seeds:
            for name in args.problems:
                for parts in args.parts:
                    compute(args, name, parts, seed, results)
    report(args, results)


if __name__ == "__main__":
    main()
