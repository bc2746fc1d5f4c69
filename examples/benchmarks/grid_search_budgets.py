"""A grid over budgets: which ratio and which difficulty, compared with self-training and label spreading on the same folds.

10 % of the digits are labeled. A grid of ratios and difficulties costs one training of SemiPrune per fold, since ``memory``
keeps it; logistic regression is trained on each coreset with its pseudo-labels. Self-training and label spreading, which use
all rows, are scored on the same folds of labeled rows. A fold has few labeled rows, so the test accuracy of the models
refitted to the whole pool is shown next to the scores of the search.

    python examples/benchmarks/grid_search_budgets.py [--seeds 0 1 2] [--figure budgets.png]
"""

import argparse
import platform
import tempfile
import time
from importlib.metadata import version

import numpy as np
from joblib import Parallel, delayed
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from skprune import PrunedClassifier, SemiPrune
from skprune.datasets import make_partial_labels
from skprune.model_selection import PartialLabelKFold
from skprune.selection import Beta

RATIOS = [0.1, 0.2, 0.3, 0.5, 0.7, 1.0]
DIFFICULTIES = ["dual", "aum"]
FOLDS = 3
BASELINES = {
    "self-training (logistic)": SelfTrainingClassifier(LogisticRegression(max_iter=2000)),
    "label spreading": LabelSpreading(kernel="knn"),
}


def run_seed(seed):
    """Return the cross-validated and the test accuracy of each candidate and baseline, in %."""
    X, y = load_digits(return_X_y=True)
    X_pool, X_test, y_pool, y_test = train_test_split(X, y, stratify=y, random_state=seed)
    y_partial = make_partial_labels(y_pool, n_labeled=0.1, random_state=seed)
    folds = PartialLabelKFold(FOLDS, shuffle=True, random_state=seed)
    outcome = {}
    with tempfile.TemporaryDirectory() as cache:
        pruner = SemiPrune(selection=Beta(class_balanced="proportional"), memory=cache, random_state=seed)
        model = make_pipeline(
            MinMaxScaler(), PrunedClassifier(LogisticRegression(max_iter=2000), pruner, labels="pseudo")
        )
        prefix = "prunedclassifier__pruner__"
        grid = {prefix + "ratio": RATIOS, prefix + "difficulty": DIFFICULTIES}
        search = GridSearchCV(model, grid, cv=folds).fit(X_pool, y_partial)
        scores = search.cv_results_["mean_test_score"]
        for params, score in zip(search.cv_results_["params"], scores, strict=True):
            refitted = model.set_params(**params).fit(X_pool, y_partial)
            key = params[prefix + "difficulty"], params[prefix + "ratio"]
            outcome[key] = 100 * score, 100 * refitted.score(X_test, y_test)
        outcome["chosen"] = 100 * search.best_score_, 100 * search.score(X_test, y_test)
        outcome["chosen ratio"] = search.best_params_[prefix + "ratio"]
    for name, baseline in BASELINES.items():
        model = make_pipeline(MinMaxScaler(), baseline)
        score = cross_val_score(model, X_pool, y_partial, cv=folds).mean()
        outcome[name] = 100 * score, 100 * model.fit(X_pool, y_partial).score(X_test, y_test)
    return outcome


def column(results, key, place):
    return np.array([result[key][place] for result in results])


def spread(values):
    return np.std(values, ddof=1) if len(values) > 1 else 0.0


def draw_figure(results, file):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", sharey=True)
    for place, (panel, title) in enumerate(zip(axes, ("score of the search", "test accuracy"), strict=True)):
        for shift, difficulty in zip((-0.006, 0.006), DIFFICULTIES, strict=True):
            values = np.array([column(results, (difficulty, ratio), place) for ratio in RATIOS])
            std = [spread(row) for row in values]
            panel.errorbar(
                np.array(RATIOS) + shift,
                values.mean(axis=1),
                std,
                marker="o",
                capsize=3,
                label=f"SemiPrune, {difficulty}",
            )
        for style, name in zip(("--", ":"), BASELINES, strict=True):
            panel.axhline(column(results, name, place).mean(), color="0.4", linestyle=style, label=name)
        panel.set(xlabel="ratio of the pool that is kept", title=f"{title}, mean and std of {len(results)} seeds")
    axes[0].set_ylabel("accuracy in %")
    axes[1].legend()
    figure.savefig(file, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--figure", help="save a figure to this file (needs matplotlib: skprune[plots])")
    args = parser.parse_args()
    start = time.perf_counter()
    results = Parallel(n_jobs=2)(delayed(run_seed)(seed) for seed in args.seeds)
    print(
        f"Accuracy in % of logistic regression with pseudo-labels, digits, 10 % labeled: mean ± std (ddof 1) of seeds "
        f"{' '.join(map(str, args.seeds))}"
    )
    print(f"{'':28}{'search':>16}{'test':>16}")

    def line(label, key):
        cells = (column(results, key, place) for place in (0, 1))
        print(f"{label:28}" + "".join(f"{cell.mean():9.2f} ± {spread(cell):4.2f}" for cell in cells))

    for difficulty in DIFFICULTIES:
        for ratio in RATIOS:
            line(f"SemiPrune, {difficulty}, {ratio:.0%}", (difficulty, ratio))
    line("SemiPrune, as the search chose", "chosen")
    for name in BASELINES:
        line(name, name)
    print("ratios chosen: " + ", ".join(f"{result['chosen ratio']:.0%}" for result in results))
    versions = ", ".join(f"{name} {version(name)}" for name in ("skprune", "scikit-learn", "torch", "numpy"))
    print(f"{time.perf_counter() - start:.0f} s, 2 processes on {platform.machine()}; {versions}")
    if args.figure:
        draw_figure(results, args.figure)


if __name__ == "__main__":
    main()
