"""Do rounds pay, are their accuracies to be believed, and what do warm rounds cost? Annotation loops, replayed with true labels.

    python examples/benchmarks/loop.py --rows 1000 --out loop.csv
    python examples/benchmarks/loop.py --problems cifar10 --parts nets --annotated .1 .3 .5 --seeds 0 1 2 --out loop.csv
    python examples/benchmarks/loop.py --report --out loop.csv

The first labels are those given in the pool of a problem of robust.py, or with --rows in a part of the pool. A share of it is
annotated in one, two or four rounds, in four rounds of a pruner with warm_start ("4 warm", for nets), and at random. In the end,
final models of robust.py are trained on all labels, those annotated and the first ones; "test" is their mean test accuracy.

"truth" is the share of correct pseudo-labels among the rows without a label, when a round is asked for; "estimate" is what the
history says of it when the round is told, "forecast" what the loop has said one round before, and "early" two rounds before.
"covered" is the share of intervals of 90 % that hold the truth. Nets do not label the pool a second time without a fifth of the
labels (estimate_accuracy=False): it takes as long as the first time, and what is chosen does not depend on it.

The constants of estimates and forecasts were chosen with --rows 1000 on seeds 10 and 11; the report is of seeds 0 to 4.

Restartable: runs that are in the CSV file are not computed again, and --cache keeps the stages of one that was killed.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import torch
from common import append_to_table, machine, of_seeds, read_table, show
from robust_methods import models, parts_of
from robust_problems import RECIPES, Problem, load

from skprune import AnnotationLoop, SemiPrune
from skprune.datasets import make_partial_labels

TABLES = ["digits", "letter", "satellite", "shuttle", "novels", "clusters"]
STRATEGIES = {"1 round": 1, "2 rounds": 2, "4 rounds": 4, "4 warm": 4, "random": None}
MEASURES = ("estimate", "forecast", "early")
KEYS = ("problem", "parts", "rows", "seed", "annotated", "strategy")
COLUMNS = (*KEYS, "round", "n_labeled", "truth", *(f"{m}{end}" for m in MEASURES for end in ("", "_low", "_high")))
COLUMNS += ("test",)
END = "end"


def problem_of(args, name, seed):
    """Return a problem, or a part of it with as large a share of labels."""
    problem = load(name, seed, args.data_home)
    if args.rows is None or args.rows >= len(problem.y):
        return problem
    y, n_labeled = problem.y[: args.rows], round(RECIPES[name].n_labeled * args.rows / len(problem.y))
    partial = make_partial_labels(y, n_labeled=max(n_labeled, 3 * len(np.unique(y))), random_state=seed)
    return Problem(problem.kind, problem.X[: args.rows], y, partial, problem.X_test, problem.y_test)


def final_accuracy(problem, labels, seed):
    """Return the mean test accuracy of models trained on all labels."""
    rows = np.flatnonzero(labels >= 0)
    pool, test = (problem.X, problem.X_test) if problem.kind == "images" else problem.flat()
    fitted = [model.fit(pool[rows], labels[rows]) for model in models(problem.kind, len(rows), seed).values()]
    return np.mean([model.score(test, problem.y_test) for model in fitted])


def values_of(measure, of):
    """Return the columns of an accuracy with its interval, none where there is none."""
    if of is None or of.accuracy is None:
        return {}
    return {measure: f"{of.accuracy:.4f}", f"{measure}_low": f"{of.low:.4f}", f"{measure}_high": f"{of.high:.4f}"}


def random_labels(problem, n, seed):
    """Return the first labels and those of random rows."""
    labels = problem.partial.copy()
    rows = np.random.default_rng([seed, n]).permutation(np.flatnonzero(labels < 0))[:n]
    labels[rows] = problem.y[rows]
    return labels


def run(args, problem, place):
    """Replay a loop; return a row for each of its rounds, and one for its end."""
    name, parts, _, seed, annotated, strategy = place
    n, rows = round(annotated * len(problem.y)), []
    if STRATEGIES[strategy] is None:
        labels = random_labels(problem, n, seed)
    else:
        folder = args.cache / "-".join(map(str, (name, parts, len(problem.y), seed)))
        options = parts_of(parts) | ({"estimate_accuracy": False} if parts == "nets" else {})
        pruner = SemiPrune(warm_start="warm" in strategy, random_state=seed, checkpoint=folder, **options)
        loop = AnnotationLoop(pruner, n, n_rounds=STRATEGIES[strategy]).start(problem.X, problem.partial)
        forecast = early = next_early = None
        while len(asked := loop.ask()):
            unlabeled = np.flatnonzero(loop.labels_ == -1)
            truth = np.mean((loop.pruner_.pseudo_labels_ == problem.y)[unlabeled])
            loop.tell(asked, problem.y[asked])
            last = loop.history_[-1]
            row = {"round": last.round, "n_labeled": last.n_labeled, "truth": f"{truth:.4f}"}
            rows.append(row | values_of("estimate", last) | values_of("forecast", forecast) | values_of("early", early))
            forecast, early, next_early = loop.forecast(), next_early, loop.forecast(len(asked))
        labels = loop.labels_.astype(int)
    end = {"round": END, "n_labeled": int((labels >= 0).sum()), "test": f"{final_accuracy(problem, labels, seed):.4f}"}
    return [*rows, end]


def table(args, title, values):
    """Print the mean over the seeds of each problem, parts and share, a column a strategy; values have places as keys."""
    print(f"\n{title:22}{'annotated':>10}" + "".join(f"{strategy:>14}" for strategy in args.strategies))
    for name, parts, share in dict.fromkeys((key[0], key[1], key[4]) for key in values):
        line = f"{name:10}{parts:12}{share:>10}"
        for strategy in args.strategies:
            of = [
                value for key, value in values.items() if (key[0], key[1], *key[4:]) == (name, parts, share, strategy)
            ]
            line += f"{show(of) if of else '':>14}"
        print(line)


def report(args, rows):
    """Print what rounds are worth, and whether accuracies can be believed."""
    rows = [row for row in rows if int(row["seed"]) in args.seeds and row["problem"] in args.problems]
    print(f"{machine()}\n{of_seeds(args.seeds)}; values in %")
    places = [tuple(row[key] for key in KEYS) for row in rows]
    of_rows = list(zip(places, rows, strict=True))
    table(args, "test", {place: 100 * float(row["test"]) for place, row in of_rows if row["round"] == END})
    table(args, "truth, last round", {place: 100 * float(row["truth"]) for place, row in of_rows if row["truth"]})
    print(f"\n{'':22}{'n':>6}{'covered':>9}{'width':>8}{'bias':>8}{'rms error':>11}")
    for measure in MEASURES:
        of = [row for row in rows if row[measure]]
        if of:
            truth, value, low, high = (
                np.array([100 * float(row[column]) for row in of])
                for column in ("truth", measure, f"{measure}_low", f"{measure}_high")
            )
            covered, off = 100 * np.mean((low <= truth) & (truth <= high)), value - truth
            figures = f"{covered:9.1f}{np.mean(high - low):8.1f}{off.mean():8.1f}{np.sqrt(np.mean(off**2)):11.1f}"
            print(f"{measure:22}{len(of):6}{figures}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", choices=list(RECIPES), nargs="+", default=TABLES)
    parser.add_argument("--parts", choices=["nets", "scikit-learn"], nargs="+", default=["scikit-learn"])
    parser.add_argument("--rows", type=int, help="number of rows of the pools; all by default")
    parser.add_argument("--annotated", type=float, nargs="+", default=[0.2])
    parser.add_argument(
        "--strategies", choices=list(STRATEGIES), nargs="+", default=["1 round", "2 rounds", "4 rounds", "random"]
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data-home", default=str(Path.home() / ".cache" / "skprune"))
    parser.add_argument("--cache", type=Path, default=Path("loop-cache"))
    parser.add_argument("--out", type=Path, default=Path("loop.csv"))
    parser.add_argument("--report", action="store_true", help="print the tables from the CSV file alone")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    warnings.simplefilter("ignore")
    rows = read_table(args.out)
    done = {tuple(row[key] for key in KEYS) for row in rows if row["round"] == END}
    pools = [(name, seed) for name in args.problems for seed in args.seeds if not args.report]
    for name, seed in pools:
        problem = problem_of(args, name, seed)
        for parts, share, strategy in [(p, a, s) for p in args.parts for a in args.annotated for s in args.strategies]:
            place = (name, parts, len(problem.y), seed, share, strategy)
            if tuple(map(str, place)) in done:
                continue
            found = [
                dict.fromkeys(COLUMNS, "") | dict(zip(KEYS, place, strict=True)) | row
                for row in run(args, problem, place)
            ]
            for row in found:
                append_to_table(args.out, COLUMNS, row)
            print(*place, found[-1]["test"], flush=True)
            rows += found
    report(args, read_table(args.out))


if __name__ == "__main__":
    main()
