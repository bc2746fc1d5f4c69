"""Does a simulation tell which coresets will lose to random rows once they are annotated? Its warnings against the truth.

    python examples/benchmarks/gate.py --problems letter satellite --seeds 0 1 --robust docs/results/robust --out gate.csv
    python examples/benchmarks/gate.py --report --out gate.csv

What ``SemiPrune(compare_with_random=True)`` says of the coresets of all methods in robust.py, before a row is annotated, and what
robust.py found for them: the mean over its four final models, on what is kept alone. The simulation does not know these models.
"loss" is a true difference to random rows below -1 point. "caught" is the share of losses that are warned of, "false" the share
of the warnings that are false alarms: the true difference is 0 or more. "alone" compares the given labels alone with random rows:
how often the simulation tells which is better, where they differ by more than a point.

The tolerance of the warning was chosen on digits, letter and shuttle.

Restartable: rows that are in the CSV file are not computed again, and --cache keeps the fits, as in robust.py.
"""

import argparse
import csv
import warnings
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from common import append_to_table, machine, read_table
from robust_methods import ANOTHER, METHODS, N_RANDOM, RANDOM, Situation, fitted
from robust_problems import CHOSEN_ON, RECIPES, load

from skprune._pipeline._simulated_annotation import SimulatedAnnotation, default_models, possible_answers
from skprune.selection import kept_count

RATIOS = (0.05, 0.1, 0.2, 0.3, 0.5)
COLUMNS = ("problem", "seed", "ratio", "method", "warns", "simulated", "true", "simulated_alone", "true_alone")
KEYS = COLUMNS[:4]


@dataclass(frozen=True)
class CachedSimulation(SimulatedAnnotation):
    """A simulation that trains on each set of rows once."""

    known: dict = field(default_factory=dict)

    def _accuracies(self, mask, test):
        key = (mask & ~test).tobytes()
        if key not in self.known:
            self.known[key] = super()._accuracies(mask, test)
        return self.known[key]


def truth(folder, name):
    """Return what robust.py found: {(seed, ratio): {method: accuracy}}, means over the models, trained on what is kept."""
    accuracies = defaultdict(lambda: defaultdict(list))
    with (folder / f"{name}.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            if row["trained_on"] == "kept":
                accuracies[int(row["seed"]), float(row["ratio"])][row["method"]].append(float(row["accuracy"]))
    return {place: {name: np.mean(values) for name, values in found.items()} for place, found in accuracies.items()}


def compute(args, name, seed, found, done):
    """Yield the missing rows of a problem and a seed."""
    problem = load(name, seed, args.data_home)
    pruner = fitted(problem, name, "scikit-learn", seed, args.cache)
    situation, codes = Situation(problem, pruner, seed), problem.partial
    labels = np.searchsorted(pruner.classes_, pruner.pseudo_labels_)
    answers = possible_answers(
        situation.space, codes, labels, pruner.pseudo_label_confidence_, pruner._held_out, pruner._training.seed
    )
    models = default_models(situation.space, pruner._training.seed)
    simulation = CachedSimulation(models, answers, codes >= 0, pruner._training.seed)
    for ratio in RATIOS:
        accuracies = found[seed, ratio]
        random = np.mean([accuracies[f"{RANDOM} {draw}"] for draw in range(N_RANDOM)])
        for method in METHODS:
            if method not in accuracies or (name, str(seed), str(ratio), method) in done:
                continue
            mask = METHODS[method](situation, kept_count(ratio, len(codes)))
            said = simulation.compare_with_random(mask, np.zeros(len(codes), dtype=bool))
            figures = {
                "simulated": 100 * said.difference,
                "true": accuracies[method] - random,
                "simulated_alone": 100 * (said.labels_alone - said.random),
                "true_alone": found[seed, 0.0]["labels alone"] - random,
            }
            place = {"problem": name, "seed": seed, "ratio": ratio, "method": method}
            yield (
                place | {"warns": int(said.simulates_a_loss)} | {key: f"{value:.3f}" for key, value in figures.items()}
            )


def report(rows):
    """Print precision and recall of the warnings, for each problem and over all."""
    print(machine())
    print(f"{'':28}{'cells':>7}{'losses':>8}{'warned':>8}{'caught':>8}{'false':>8}{'alone':>8}")
    present = [name for name in RECIPES if any(row["problem"] == name for row in rows)]
    groups = {name: [name] for name in present}
    groups["chosen on"] = [name for name in present if name in CHOSEN_ON]
    groups["not looked at"] = [name for name in present if name not in CHOSEN_ON]
    for title, names in groups.items():
        cells = [row for row in rows if row["problem"] in names and row["method"] != ANOTHER]
        if not cells:
            continue
        warns = np.array([row["warns"] == "1" for row in cells])
        true = np.array([float(row["true"]) for row in cells])
        alone = {(row["problem"], row["seed"], row["ratio"]): row for row in cells}.values()
        alone = [(float(row["true_alone"]), float(row["simulated_alone"])) for row in alone]
        right = [np.sign(known) == np.sign(said) for known, said in alone if abs(known) > 1.0]
        loss = true < -1.0
        caught = f"{warns[loss].mean():8.0%}" if loss.any() else f"{'':8}"
        false = f"{(true[warns] >= 0.0).mean():8.0%}" if warns.any() else f"{'':8}"
        share = f"{np.mean(right):8.0%}" if right else f"{'':8}"
        print(f"{title:28}{len(cells):7}{loss.sum():8}{warns.sum():8}{caught}{false}{share}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tables = [name for name, recipe in RECIPES.items() if recipe.kind != "images"]
    parser.add_argument("--problems", choices=tables, nargs="+", default=tables)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data-home", default=str(Path.home() / ".cache" / "skprune"))
    parser.add_argument("--cache", type=Path, default=Path("robust-cache"))
    parser.add_argument("--robust", type=Path, default=Path("docs/results/robust"), help="the rows of robust.py")
    parser.add_argument("--out", type=Path, default=Path("gate.csv"))
    parser.add_argument("--report", action="store_true", help="print the table from the CSV file alone")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    warnings.simplefilter("ignore")
    rows = read_table(args.out)
    done = {tuple(row[key] for key in KEYS) for row in rows}
    for name, seed in [(name, seed) for name in args.problems for seed in args.seeds if not args.report]:
        for row in compute(args, name, seed, truth(args.robust, name), done):
            rows.append({key: str(value) for key, value in row.items()})
            append_to_table(args.out, COLUMNS, rows[-1])
        print(f"{name}, seed {seed}", flush=True)
    report(rows)


if __name__ == "__main__":
    main()
