"""Few labels, five problems: how good are the pseudo-labels of each method?

    python examples/benchmarks/ssl_accuracy.py --seeds 3 4 5 --out ssl_accuracy.csv

Rows: the semi-supervised nets with 1,500 steps and else their defaults; SemiPrune's default labeler is marked. SoftMatch aligns
to the labels' class frequencies unless told otherwise, the others do not; on long tails two rows show the other way. The
supervised net is the same network with the same steps, batch of labeled rows, learning rate and moving average, and strong
augmentation of all rows, on the labeled rows alone; its rate falls to 0. The random forest on the labeled rows, self-training of
that forest, and label spreading are scikit-learn's.

Columns: right labels on the unlabeled rows of digits as a table (5 or 6 labels a class), Fashion-MNIST (10,000 rows, 250
labels), CIFAR-10 (5,000 rows, 500 labels), breast cancer (a table of 569 rows, 20 labels); and balanced accuracy on the test
set for long-tailed Fashion-MNIST (6,000 rows of the largest class, 60 of the smallest, 250 labels at the pool's frequencies).

With --steps, the default labeler alone, trained for so many steps ("auto" among them), on pools of up to 2,000 rows with few
labels, and on one of 10,000 with 8,000:

    python examples/benchmarks/ssl_accuracy.py --steps 200 400 750 1500 --seeds 0 1 --out ssl_steps.csv
    python examples/benchmarks/ssl_accuracy.py --steps 1500 --mu 3 7 --seeds 0 1 --out ssl_mu.csv
    python examples/benchmarks/ssl_accuracy.py --steps 1000 1500 --mu 3 7 --module WhitenedResNet --columns fashion cifar10

Restartable: rows that are in the CSV file are not computed again; --report prints the table from it alone. For several
processes, give each a file of its own and report on all: --report --out a.csv b.csv.
"""

import time
import warnings
from itertools import product
from pathlib import Path

import numpy as np
from common import arguments, kept_rows, machine, of_seeds, show, supervised_sibling, train_and_test
from robust_problems import load
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from skprune import SemiPrune
from skprune.datasets import fetch_cifar10, fetch_fashion_mnist, make_long_tailed, make_partial_labels
from skprune.nets import WhitenedResNet
from skprune.semi_supervised import FixMatch, FlexMatch, FreeMatch, MeanTeacher, PseudoLabel, SoftMatch

DIGITS = {"digits": 50, "digits, 60 labels": 60}
COLUMNS = (*DIGITS, "fashion", "fashion long-tailed", "cifar10", "breast cancer")
LONG_TAILED, MANY_LABELS = "fashion long-tailed", "letter, many labels"
PROBLEMS = {
    "digits": "1,797 rows of 64 columns, 50 labels, 5 a class",
    "digits, 60 labels": "1,797 rows of 64 columns, 60 labels, 6 a class",
    "fashion": "Fashion-MNIST, 10,000 images, 250 labels",
    LONG_TAILED: "Fashion-MNIST, 6,000 images of the largest class to 60 of the smallest, 250 labels",
    "cifar10": "CIFAR-10, 5,000 images, 500 labels",
    "breast cancer": "569 rows of 30 columns, 20 labels",
}
STEPS_ON = {
    "digits": 60,
    "letter": 260,
    "digit images": 60,
    "fashion": 100,
    "cifar10": 200,
    "solar cells": 100,
    MANY_LABELS: 8000,
}
"""Labels of the pools for --steps: problems of robust.py, cut to 2,000 rows but for the last."""
FAMILY = {kind.__name__: kind for kind in (FixMatch, FlexMatch, FreeMatch, SoftMatch, PseudoLabel, MeanTeacher)}
DEFAULT = next(kind for name, kind in FAMILY.items() if name.lower() == SemiPrune().labeler)
MODULES = {"default": None, "WhitenedResNet": WhitenedResNet}
N_STEPS = 1500
VARIANTS = {
    "SoftMatch, alignment=None": lambda seed: SoftMatch(n_steps=N_STEPS, alignment=None, random_state=seed),
    "FlexMatch, alignment='labels'": lambda seed: FlexMatch(n_steps=N_STEPS, alignment="labels", random_state=seed),
}
SUPERVISED = "supervised net"
FOREST, SELF_TRAINING, SPREADING = "random forest", "self-training (random forest)", "label spreading"
OTHERS = (SUPERVISED, FOREST, SELF_TRAINING, SPREADING)


def problem(column, seed, data_home):
    """Return pool, true labels, partial labels, and the rows and labels that count."""
    rng = np.random.default_rng(seed)
    if column in DIGITS:
        X, y = load_digits(return_X_y=True)
        n_labeled = DIGITS[column]
    elif column == "breast cancer":
        X, y = load_breast_cancer(return_X_y=True)
        X, n_labeled = StandardScaler().fit_transform(X), 20
    else:
        fetch = fetch_cifar10 if column == "cifar10" else fetch_fashion_mnist
        X, y, X_test, y_test = train_and_test(fetch, data_home)
        size, n_labeled = {"fashion": (10_000, 250), "cifar10": (5_000, 500)}.get(column, (None, 250))
        rows = rng.permutation(len(X))[:size]
        if column == LONG_TAILED:
            rows = make_long_tailed(y, imbalance=100, random_state=seed)
        X, y = X[rows], y[rows]
    y_partial = make_partial_labels(y, n_labeled=n_labeled, random_state=seed)
    if column == LONG_TAILED:
        return X, y, y_partial, X_test, y_test
    hidden = y_partial < 0
    return X, y, y_partial, X[hidden], y[hidden]


def models(column, seed):
    """Return the methods of a column."""
    found = {name: kind(n_steps=N_STEPS, random_state=seed) for name, kind in FAMILY.items()}
    if column == LONG_TAILED:
        found |= {name: make(seed) for name, make in VARIANTS.items()}
    found[SUPERVISED] = supervised_sibling(found[DEFAULT.__name__])
    found[FOREST] = RandomForestClassifier(random_state=seed)
    found[SELF_TRAINING] = SelfTrainingClassifier(RandomForestClassifier(random_state=seed))
    found[SPREADING] = LabelSpreading(kernel="knn")
    return found


def calibration_error(proba, right, n_bins=15):
    """Return the expected calibration error: the mean gap of confidence and accuracy over bins of confidence."""
    confidence = proba.max(axis=1)
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(bins, confidence - right, minlength=n_bins)
    return np.abs(gaps).sum() / len(right)


def compute(rows, column, seed, data_home):
    """Compute the missing rows of a column and a seed."""
    X, y, y_partial, X_test, y_test = problem(column, seed, data_home)
    known = y_partial >= 0
    for name, model in models(column, seed).items():
        if not rows.missing(f"{column} | {name}", seed):
            continue
        shape = flat if name in (FOREST, SELF_TRAINING, SPREADING) else (lambda a: a)
        start = time.process_time()
        if name in (SUPERVISED, FOREST):
            model.fit(shape(X[known]), y[known])
        else:
            model.fit(shape(X), y_partial)
        seconds = time.process_time() - start
        if name == SPREADING and column != LONG_TAILED:
            proba = model.label_distributions_[~known]  # what it says of its own pool
        else:
            proba = np.vstack([model.predict_proba(part) for part in np.array_split(shape(X_test), 10)])
        predicted = model.classes_[np.nan_to_num(proba).argmax(axis=1)]
        right = balanced_accuracy_score(y_test, predicted) if column == LONG_TAILED else np.mean(predicted == y_test)
        error = calibration_error(np.nan_to_num(proba), predicted == y_test)
        rows.add(f"{column} | {name} | calibration", seed, 100 * error, 0.0)
        rows.add(f"{column} | {name}", seed, 100 * right, seconds)


def compute_steps(rows, column, seed, args):
    """Compute the missing rows of a pool and a seed for --steps."""
    settings = settings_of(args)
    if not any(rows.missing(steps_key(column, *setting), seed) for setting in settings):
        return
    pool = load(column.split(",")[0], seed, args.data_home or Path.home() / ".cache" / "skprune")
    X, y = pool.X[:2000], pool.y[:2000]
    if column == MANY_LABELS:
        X, y = np.concatenate([pool.X, pool.X_test]), np.concatenate([pool.y, pool.y_test])
    y_partial = make_partial_labels(y, n_labeled=STEPS_ON[column], random_state=seed)
    hidden = y_partial < 0
    for module, mu, steps in settings:
        if rows.missing(steps_key(column, module, mu, steps), seed):
            start = time.process_time()
            net = DEFAULT(MODULES[module], n_steps=steps, mu=mu, random_state=seed).fit(X, y_partial)
            seconds = time.process_time() - start
            right = 100 * np.mean(net.predict(X[hidden]) == y[hidden])
            rows.add(steps_key(column, module, mu, steps), seed, right, seconds)


def settings_of(args):
    """Return the settings for --steps: name of the module, mu, steps."""
    return list(product(args.module, args.mu, args.steps))


def steps_key(column, module, mu, steps):
    """Return the key of a row."""
    return f"{column} | {steps} steps" + f", mu={mu}" * (mu != DEFAULT().mu) + f", {module}" * (module != "default")


def report_steps(rows, seeds, columns, settings):
    """Print right pseudo-labels by the number of steps."""
    print(f"{DEFAULT.__name__}: mean ± std of right labels on the unlabeled rows in %, {of_seeds(seeds)}")
    print(machine())
    for column in columns:
        for module, mu, steps in settings:
            key = steps_key(column, module, mu, steps)
            if not any(rows.missing(key, seed) for seed in seeds):
                values, seconds = show(rows.column(key, seeds)), rows.seconds(key, seeds).mean()
                took = f", {seconds:.0f} s of the CPU" * bool(seconds)
                name = f", {module}" * (module != "default")
                print(f"{column:19} {STEPS_ON[column]:4} labels {steps:>6} steps, mu={mu}{name}: {values}{took}")


def flat(X):
    """Return images as a table in [0, 1]; a table as it is."""
    return X.reshape(len(X), -1) / 255 if X.ndim > 2 else X


def report(rows, seeds, columns):
    """Print the tables."""
    print(f"Mean ± std in %, {of_seeds(seeds)}")
    print(machine())
    print("long-tailed: balanced accuracy on the test set; all others: right labels on the unlabeled rows of the pool.")
    print("Labels at the frequencies of the pool; label spreading with kernel='knn'.")
    print("".join(f"  {column}: {PROBLEMS[column]}\n" for column in columns))
    names = [*FAMILY, *VARIANTS, *OTHERS]

    def table(cell, mark=""):
        for name in names:
            keys = [f"{column} | {name}" for column in columns]
            cells = ("" if any(rows.missing(key, seed) for seed in seeds) else cell(key) for key in keys)
            label = name + mark if name == DEFAULT.__name__ else name
            print(f"{label:30}" + "".join(f"{text:>17}" for text in cells))

    def gain(key):
        values = rows.column(key, seeds) - rows.column(f"{key.split(' | ')[0]} | {SUPERVISED}", seeds)
        return f"{values.mean():+.2f}"

    print(f"{'':30}" + "".join(f"{column.removeprefix('fashion '):>17}" for column in columns))
    table(lambda key: show(rows.column(key, seeds)), " (default)")
    print("\nDifference to the supervised net, mean over seeds, points")
    table(gain)
    print("\nExpected calibration error (15 bins), %")
    table(lambda key: show(rows.column(f"{key} | calibration", seeds)))
    print("\nCPU seconds of fit, mean over seeds")
    table(lambda key: f"{rows.seconds(key, seeds).mean():.0f}")


def main():
    parser = arguments(__doc__, seeds=[3, 4, 5], out="ssl_accuracy.csv")
    parser.add_argument("--columns", nargs="+", choices=sorted({*COLUMNS, *STEPS_ON}))
    parser.add_argument("--steps", nargs="+", type=lambda text: text if text == "auto" else int(text))
    parser.add_argument("--mu", nargs="+", type=int, default=[DEFAULT().mu], help="with --steps")
    parser.add_argument(
        "--module", nargs="+", choices=list(MODULES), default=["default"], help="with --steps, of images"
    )
    args = parser.parse_args()
    columns = args.columns or list(STEPS_ON if args.steps else COLUMNS)
    if unknown := set(columns).difference(STEPS_ON if args.steps else COLUMNS):
        parser.error(f"no such columns: {', '.join(sorted(unknown))}")
    rows = kept_rows(parser, args, "ssl_accuracy")
    if not args.report:
        warnings.filterwarnings("ignore", "The pseudo-labels hold no row")
        # label spreading, rows without neighbors
        warnings.filterwarnings("ignore", "invalid value encountered in divide")
        for seed in args.seeds:
            for column in columns:
                if args.steps:
                    compute_steps(rows, column, seed, args)
                else:
                    compute(rows, column, seed, args.data_home)
    if args.steps:
        report_steps(rows, args.seeds, columns, settings_of(args))
    else:
        report(rows, args.seeds, columns)


if __name__ == "__main__":
    main()
