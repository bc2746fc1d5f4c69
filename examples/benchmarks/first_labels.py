"""Which rows to label first: suggest_first_labels against random rows, TypiClust and k-means.

    python examples/benchmarks/first_labels.py --problems letter novels --out first_labels.csv
    python examples/benchmarks/first_labels.py --started scikit-learn nets --out first_labels.csv
    python examples/benchmarks/first_labels.py --report --out first_labels.csv

Of the pools of robust.py, so many rows a class are labeled (1, 2, 5 and 10 times the number of classes in all; nobody knows the
classes when they are chosen). "classifier" is the test accuracy of models trained on them alone: the mean of logistic regression,
extremely randomized trees and the nearest neighbor, in the space of suggest_first_labels. "scikit-learn" and "nets" are the share
of correct pseudo-labels of a SemiPrune started from them, with the labeler and proxy of robust.py, or with its default labeler;
"refused" counts the seeds in which the labeler puts all rows into one class, so that SemiPrune ends with an error.
Images are compared in the features of ContrastiveFeatures, which takes minutes a seed on a CPU.

Values are in %. The settings of suggest_first_labels were chosen on digits, novels, letter and satellite, seeds 10 to 12.

Restartable: rows that are in the CSV file are not computed again. --data-home is that of robust.py.
"""

import time
import warnings
from pathlib import Path

import numpy as np
from common import arguments, kept_rows, machine, of_seeds, show
from robust_methods import parts_of
from robust_problems import RECIPES, load
from sklearn.cluster import KMeans as Clustering
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from skprune import SemiPrune, suggest_first_labels
from skprune.baselines import ContrastiveFeatures
from skprune.selection import KMeans

ROWS_PER_CLASS = (1, 2, 5, 10)
N_RANDOM = 3


def typi_clust(space, n, seed):
    """Return the most typical row of each of n clusters: that nearest to its 20 nearest neighbors in the cluster."""
    clusters = Clustering(n, n_init=1, random_state=seed).fit_predict(space)
    rows = []
    for number in np.unique(clusters):
        members = np.flatnonzero(clusters == number)
        neighbors = NearestNeighbors(n_neighbors=min(21, len(members))).fit(space[members])
        rows.append(members[neighbors.kneighbors(space[members])[0].mean(axis=1).argmin()])
    return np.array(rows)


def k_means(space, n, seed):
    """Return the row nearest to the center of each of n clusters."""
    return np.flatnonzero(KMeans().select(np.ones(len(space)), n, embedding=space, random_state=seed))


def random_rows(space, n, seed):
    """Return random rows."""
    return np.random.default_rng(seed).permutation(len(space))[:n]


def suggested(space, n, seed):
    """Return the suggested rows."""
    return suggest_first_labels(space, n, random_state=seed)


METHODS = {"random": random_rows, "suggested": suggested, "TypiClust": typi_clust, "k-means": k_means}


def spaces(problem, seed):
    """Return pool and test set as tables in which rows are near one another."""
    if problem.kind != "images":
        return problem.flat()
    net = ContrastiveFeatures(random_state=seed).fit(problem.X)
    return net.transform(problem.X), net.transform(problem.X_test)


def classifier_accuracy(spaces, problem, rows, seed):
    """Return the mean test accuracy of models trained on some rows."""
    space, test = spaces
    models = (LogisticRegression(max_iter=300), ExtraTreesClassifier(60, random_state=seed), KNeighborsClassifier(1))
    y = problem.y[rows]
    if len(np.unique(y)) < 2:
        return np.mean(problem.y_test == y[0])
    return np.mean([model.fit(space[rows], y).score(test, problem.y_test) for model in models])


def pseudo_label_accuracy(problem, rows, parts, seed):
    """Return the share of correct pseudo-labels of a SemiPrune started from some rows."""
    y = np.full(len(problem.y), -1)
    y[rows] = problem.y[rows]
    if len(np.unique(problem.y[rows])) < 2:
        return np.mean(problem.y == problem.y[rows[0]])
    models = parts_of("scikit-learn") | ({"labeler": "softmatch"} if parts == "nets" else {})
    pruner = SemiPrune(estimate_accuracy=False, random_state=seed, **models)
    try:
        pruner.fit(problem.X, y)
    except ValueError as error:
        if "do not change from epoch to epoch" not in str(error):
            raise
        return np.nan
    return np.mean((pruner.pseudo_labels_ == problem.y)[y < 0])


def cell(values):
    """Format the values of the seeds, or say in how many of them SemiPrune refused to go on."""
    n_refused = np.isnan(values).sum()
    return f"refused {n_refused} of {len(values)}" if n_refused else show(values)


def key(name, measure, per_class, method):
    return f"{name}: {measure}, {per_class} a class, {method}"


def compute(args, name, seed, results):
    """Compute what is missing of a problem and a seed."""
    cells = [(measure, n, method) for measure in args.measures for n in ROWS_PER_CLASS for method in args.methods]
    cells = [cell for cell in cells if results.missing(key(name, *cell), seed)]
    if not cells:
        return
    problem = load(name, seed, args.data_home)
    tables = spaces(problem, seed)
    n_classes = len(np.unique(problem.y))
    for measure, per_class, method in cells:
        start, values = time.process_time(), []
        for draw in range(N_RANDOM if method == "random" and measure == "classifier" else 1):
            rows = METHODS[method](tables[0], per_class * n_classes, 100 * seed + draw)
            if measure == "classifier":
                values.append(classifier_accuracy(tables, problem, rows, seed))
            else:
                values.append(pseudo_label_accuracy(problem, rows, measure, seed))
        results.add(key(name, measure, per_class, method), seed, 100 * np.mean(values), time.process_time() - start)


def report(args, results):
    """Print a table for each measure."""
    print(f"{machine()}\n{of_seeds(args.seeds)}")
    for measure in args.measures:
        print(f"\n{measure}\n{'':14}{'a class':>8}" + "".join(f"{method:>16}" for method in args.methods))
        for name in args.problems:
            for n in ROWS_PER_CLASS:
                keys = [key(name, measure, n, method) for method in args.methods]
                if not any(results.missing(each, seed) for each in keys for seed in args.seeds):
                    cells = "".join(f"{cell(results.column(each, args.seeds)):>16}" for each in keys)
                    print(f"{name:14}{n:8}{cells}")


def main():
    parser = arguments(__doc__, seeds=[0, 1, 2, 3, 4], out="first_labels.csv")
    parser.add_argument(
        "--problems", choices=list(RECIPES), nargs="+", default=["letter", "novels", "solar cells", "fashion"]
    )
    parser.add_argument("--methods", choices=list(METHODS), nargs="+", default=list(METHODS))
    parser.add_argument("--started", choices=["scikit-learn", "nets"], nargs="*", default=[])
    args = parser.parse_args()
    args.data_home = args.data_home or Path.home() / ".cache" / "skprune"
    args.measures = ["classifier", *args.started]
    results = kept_rows(parser, args, "first labels")
    warnings.simplefilter("ignore")
    if not args.report:
        for name, seed in [(name, seed) for name in args.problems for seed in args.seeds]:
            compute(args, name, seed, results)
    report(args, results)


if __name__ == "__main__":
    main()
