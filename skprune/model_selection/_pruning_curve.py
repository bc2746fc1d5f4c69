"""The pruning curve: accuracy against the fraction that is kept, for several pruners, ratios and seeds."""

import csv
from collections import Counter
from collections.abc import Mapping
from itertools import chain, product
from numbers import Integral
from pathlib import Path
from time import perf_counter

import joblib
import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.metrics import accuracy_score

from skprune import __version__
from skprune._labels import labels_at, missing_mask
from skprune._locks import lock_of
from skprune._models import is_own_net, torch_seeded
from skprune._seeds import seed_nested
from skprune._store import CACHE_VERSION, describe
from skprune._validation import as_pool, check_equal_length, take_rows
from skprune.baselines import RandomPruner, SupervisedPruner
from skprune.baselines._base import LabelFreePruner
from skprune.selection import BaseSelector, get_selector, kept_count

_COLUMNS = (
    "method",
    "ratio",
    "seed",
    "labels",
    "budget",
    "key",
    "n_kept",
    "n_annotated",
    "accuracy",
    "fit_time",
    "train_time",
)
_RESAMPLES = 10_000
_LABELS, _BUDGETS = ("oracle", "pseudo"), ("epochs", "iterations")


def pruning_curve(
    estimators,
    X,
    y,
    *,
    ratios,
    evaluator,
    X_test,
    y_test,
    y_oracle=None,
    labels="oracle",
    budget="epochs",
    seeds=(0,),
    n_jobs=None,
    csv_file=None,
):
    """Train an evaluator on the coresets of several pruners, and score it on a test set.

    Each pruner is fitted once a seed; all ratios are choices from that fit. Random rows are always among the methods, since all
    others are compared with them.

    Parameters
    ----------
    estimators : dict of {str: pruner}
        Unfitted pruners by name, of :mod:`skprune.baselines` or :class:`~skprune.SemiPrune`. Cloned; what has a `random_state`
        gets that of the seed.
    X : array-like
        The pool.
    y : array-like of shape (n_samples,)
        Labels, some missing. A :class:`~skprune.baselines.SupervisedPruner` gets `y_oracle`.
    ratios : sequence of float or int
        The fractions KEPT, or counts.
    evaluator : classifier or dict of {ratio: classifier}
        Trained on each coreset; cloned, with the `random_state` of the seed. A dict has one for each ratio, such as a net with
        smaller batches for smaller coresets.
    X_test, y_test : array-like
        The test set.
    y_oracle : array-like of shape (n_samples,), default=None
        True labels; needed with ``labels="oracle"`` where labels are missing. But for a SupervisedPruner and the keys of
        `csv_file`, those of rows that are not kept are never read.
    labels : {"oracle", "pseudo"}, default="oracle"
        What the evaluator trains on besides given labels: "oracle" has the kept rows annotated; "pseudo" takes, for all methods
        alike, the pseudo-labels of the first pruner that has some, so that they differ in the rows alone.
    budget : {"epochs", "iterations"}, default="epochs"
        "epochs" trains the evaluator as it is. "iterations" gives each coreset as many optimiser steps an epoch as the whole pool
        takes; the evaluator is then a NetClassifier without `n_steps`.
    seeds : sequence of int, default=(0,)
        One fit of each pruner a seed.
    n_jobs : int, default=None
        Fits at the same time.
    csv_file : path-like, default=None
        Where each row is written as it comes; a run that was killed goes on behind the rows that are there. Rows of other data,
        parameters or versions of skprune are left alone.

    Returns
    -------
    PruningCurve
        The rows, and their summary.

    Raises
    ------
    ValueError, TypeError
        A parameter makes no sense; before any training.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skprune.baselines import KCenterPruner
    >>> from skprune.model_selection import pruning_curve
    >>> X, y = load_iris(return_X_y=True)
    >>> curve = pruning_curve(
    ...     {"k-center": KCenterPruner()},
    ...     X[::2],
    ...     y[::2],
    ...     ratios=[0.2, 0.5],
    ...     evaluator=LogisticRegression(max_iter=1000),
    ...     X_test=X[1::2],
    ...     y_test=y[1::2],
    ...     seeds=[0, 1, 2],
    ... )
    >>> [(row["method"], row["ratio"]) for row in curve.summary()]
    [('random', 0.2), ('random', 0.5), ('k-center', 0.2), ('k-center', 0.5)]
    """
    if not isinstance(estimators, Mapping) or not all(isinstance(name, str) for name in estimators):
        raise TypeError(f"estimators must be a dict of names and pruners, got {estimators!r}.")
    if not any(isinstance(pruner, RandomPruner) for pruner in estimators.values()):
        if "random" in estimators:
            raise ValueError("The name 'random' is that of RandomPruner, which is always compared with.")
        image_shapes = [getattr(pruner, "image_shape", None) for pruner in estimators.values()]
        estimators = {"random": RandomPruner(image_shape=next(iter(image_shapes), None)), **estimators}
    ratios = [int(ratio) if isinstance(ratio, Integral) else float(ratio) for ratio in ratios]
    seeds = [int(seed) for seed in seeds]
    for name, values in (("ratios", ratios), ("seeds", seeds)):
        if not values or len(set(values)) < len(values):
            raise ValueError(f"{name} must hold one value at least, and none twice, got {values}.")
    for name, value, allowed in (("labels", labels, _LABELS), ("budget", budget, _BUDGETS)):
        if value not in allowed:
            raise ValueError(f"{name} must be {' or '.join(map(repr, allowed))}, got {value!r}.")
    check_equal_length(X, y)
    check_equal_length(X_test, y_test, "y_test")
    missing = missing_mask(y)
    for name, pruner in estimators.items():
        _check_pruner(name, pruner, ratios, missing)
    lender = next((name for name, pruner in estimators.items() if _has_pseudo_labels(pruner)), None)
    if labels == "pseudo" and lender is None:
        raise ValueError("labels='pseudo' needs one pruner with pseudo-labels, such as SemiPrune.")
    if y_oracle is None:
        if missing.any() and (labels == "oracle" or any(isinstance(p, SupervisedPruner) for p in estimators.values())):
            raise ValueError("y holds unlabelled rows: give y_oracle, or use labels='pseudo' and no SupervisedPruner.")
        y_oracle = y
    check_equal_length(X, y_oracle, "y_oracle")
    evaluators = _evaluators(evaluator, ratios, budget)

    data = {"X": X, "y": y, "missing": missing, "y_oracle": y_oracle, "X_test": X_test, "y_test": y_test}
    options = {"evaluators": evaluators, "budget": budget, "labels": labels, "csv_file": csv_file}
    options["lender"] = lender if labels == "pseudo" else None
    keys = _keys(estimators, data, options) if csv_file else dict.fromkeys(product(estimators, ratios))
    rows = _read(csv_file) if csv_file else {}

    def place(name, ratio, seed):
        return tuple(map(str, (name, ratio, seed, labels, budget, keys[name, ratio])))

    jobs = []
    for seed in seeds:
        wanted = {name: [ratio for ratio in ratios if place(name, ratio, seed) not in rows] for name in estimators}
        if any(wanted.values()):
            jobs.append(delayed(_run_seed)(estimators, data, seed, wanted, keys, options))
    for row in chain.from_iterable(Parallel(n_jobs=n_jobs)(jobs)):
        rows[place(row["method"], row["ratio"], row["seed"])] = row
    random = next(name for name, pruner in estimators.items() if isinstance(pruner, RandomPruner))
    found = product(estimators, ratios, seeds)
    return PruningCurve([rows[place(*one)] for one in found], random)


def _evaluators(evaluator, ratios, budget):
    """Return the evaluator of each ratio."""
    if isinstance(evaluator, Mapping):
        lacking = [ratio for ratio in ratios if ratio not in evaluator]
        if lacking:
            raise ValueError(f"evaluator is a dict without the ratio {lacking[0]!r}; it holds {list(evaluator)}.")
        evaluators = {ratio: evaluator[ratio] for ratio in ratios}
    else:
        evaluators = dict.fromkeys(ratios, evaluator)
    for model in evaluators.values():
        if budget == "iterations" and not (is_own_net(model) and getattr(model, "n_steps", 0) is None):
            raise ValueError("budget='iterations' needs a NetClassifier with n_steps=None as evaluator.")
    return evaluators


class PruningCurve:
    """What :func:`pruning_curve` returns.

    Parameters
    ----------
    rows : list of dict
        One for each method, ratio and seed: "n_kept" rows, "n_annotated" labels that a human gave in all, the initial ones
        included, "accuracy" in [0, 1], and the seconds of the pruner's fit, "fit_time", which the ratios share, and of the
        evaluator's, "train_time".
    random : str
        The name of the random rows.

    Examples
    --------
    >>> row = {"method": "random", "ratio": 0.5, "seed": 0, "n_annotated": 10, "accuracy": 0.9}
    >>> PruningCurve([row], "random").summary()[0]["mean"]
    0.9
    """

    def __init__(self, rows, random):
        self.rows = rows
        self.random = random

    @classmethod
    def from_csv(cls, file, *, labels="oracle", budget="epochs", random="random"):
        """Read the rows that :func:`pruning_curve` wrote.

        Parameters
        ----------
        file : path-like
            Its `csv_file`.
        labels, budget : str
            Which of its rows, as in :func:`pruning_curve`.
        random : str, default="random"
            The name of the random rows.

        Returns
        -------
        PruningCurve
            The rows, in the order of the file.

        Raises
        ------
        ValueError
            No such rows, or several of one method, ratio and seed, which came of other data or parameters.

        Examples
        --------
        >>> import tempfile
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> X, y = load_iris(return_X_y=True)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = f"{folder}/curve.csv"
        ...     curve = pruning_curve(
        ...         {}, X, y, ratios=[0.5], evaluator=GaussianNB(), X_test=X, y_test=y, csv_file=file
        ...     )
        ...     PruningCurve.from_csv(file).rows == curve.rows
        True
        """
        rows = [row for row in _read(file).values() if (row["labels"], row["budget"]) == (labels, budget)]
        if not rows:
            raise ValueError(f"{file} holds no rows with labels={labels!r} and budget={budget!r}.")
        counts = Counter((row["method"], row["ratio"], row["seed"]) for row in rows)
        (place, count), *_ = counts.most_common(1)
        if count > 1:
            raise ValueError(
                f"{file} holds {count} rows of {place[0]!r} at ratio {place[1]} and seed {place[2]}, which came of other data or "
                "parameters. Delete those that do not belong here."
            )
        return cls(rows, random)

    def summary(self, *, confidence=0.95, random_state=0):
        """Summarise over the seeds.

        Parameters
        ----------
        confidence : float, default=0.95
            Of the interval.
        random_state : int, default=0
            Of the bootstrap.

        Returns
        -------
        list of dict
            For each method and ratio "n" seeds, "mean" and "std" (ddof 1; None of one seed) of the accuracy, the mean of
            "n_annotated", and of the difference to random rows, paired by seed, the mean "difference" and its bootstrap interval
            "low", "high" over the seeds (None below two seeds). With few seeds the interval is rough.
        """
        accuracy = {(row["method"], row["ratio"], row["seed"]): row["accuracy"] for row in self.rows}
        result = []
        for method, ratio in dict.fromkeys((row["method"], row["ratio"]) for row in self.rows):
            mine = [row for row in self.rows if (row["method"], row["ratio"]) == (method, ratio)]
            values = np.array([row["accuracy"] for row in mine])
            gains = values - [accuracy[self.random, ratio, row["seed"]] for row in mine]
            low, high = _interval(gains, confidence, random_state)
            result.append(
                {
                    "method": method,
                    "ratio": ratio,
                    "n": len(values),
                    "mean": float(values.mean()),
                    "std": float(values.std(ddof=1)) if len(values) > 1 else None,
                    "n_annotated": float(np.mean([row["n_annotated"] for row in mine])),
                    "difference": float(gains.mean()),
                    "low": low,
                    "high": high,
                }
            )
        return result

    def to_frame(self):
        """Return the rows as a pandas DataFrame.

        Returns
        -------
        pandas.DataFrame
            One row for each method, ratio and seed.
        """
        import pandas as pd

        return pd.DataFrame(self.rows)


def _has_pseudo_labels(pruner):
    return not isinstance(pruner, (LabelFreePruner, SupervisedPruner))


def _check_pruner(name, pruner, ratios, missing):
    """Refuse what is no pruner, or cannot keep so many rows."""
    if isinstance(pruner, type) or not (hasattr(pruner, "fit") and hasattr(pruner, "select")):
        raise TypeError(f"estimators[{name!r}] must be a pruner with fit and select, got {pruner!r}.")
    selector = get_selector(pruner.selection) if hasattr(pruner, "selection") else None
    for ratio in ratios:
        k = kept_count(ratio, len(missing))
        if isinstance(selector, BaseSelector):
            selector.check(k, len(missing))
        n_labeled = int((~missing).sum())
        if getattr(pruner, "include_labeled", False) and n_labeled > k:
            raise ValueError(
                f"estimators[{name!r}] keeps all {n_labeled} labelled rows, above the {k} of ratio={ratio!r}."
            )


def _run_seed(estimators, data, seed, wanted, keys, options):
    """Fit each pruner once, evaluate its missing ratios, and write each row down."""
    missing, oracle, lender = data["missing"], data["y_oracle"], options["lender"]
    known = np.flatnonzero(~missing)
    given = labels_at(data["y"], known)
    answers = oracle  # what unlabelled rows are trained with
    rows = []
    for name, pruner in sorted(estimators.items(), key=lambda item: item[0] != lender):
        if not wanted[name] and not (name == lender and any(wanted.values())):
            continue
        supervised = isinstance(pruner, SupervisedPruner)
        pruner = _seeded(pruner, seed).set_params(ratio=max(wanted[name], key=_size(missing), default=pruner.ratio))
        start = perf_counter()
        pruner.fit(data["X"], oracle if supervised else data["y"])
        fit_time = perf_counter() - start
        if name == lender:
            answers = pruner.pseudo_labels_
        for ratio in wanted[name]:
            kept = np.flatnonzero(pruner.select(ratio))
            asked = kept[missing[kept]]
            targets = np.empty(len(kept), dtype=object)
            targets[~missing[kept]] = given[np.searchsorted(known, kept[~missing[kept]])]
            if asked.size:
                told = labels_at(answers, asked)
                unknown = missing_mask(told, classes=np.unique(given))
                if unknown.any():
                    raise ValueError(f"y_oracle has no label for row {int(asked[unknown][0])}, which {name!r} keeps.")
                targets[missing[kept]] = told
            targets = labels_at(targets, np.arange(len(targets)))
            annotated = len(missing) if supervised else len(known) + (len(asked) if lender is None else 0)
            model = _evaluator(options["evaluators"][ratio], options["budget"], len(missing), seed)
            start = perf_counter()
            with torch_seeded(model, seed):
                model.fit(take_rows(data["X"], kept), targets)
            times = round(fit_time, 3), round(perf_counter() - start, 3)
            accuracy = float(accuracy_score(data["y_test"], model.predict(data["X_test"])))
            place = name, ratio, seed, options["labels"], options["budget"], keys[name, ratio]
            rows.append(dict(zip(_COLUMNS, (*place, len(kept), annotated, accuracy, *times), strict=True)))
            _append(options["csv_file"], rows[-1])
    return rows


def _size(missing):
    return lambda ratio: kept_count(ratio, len(missing))


def _keys(estimators, data, options):
    """Return a key for each method and ratio, of all that the row depends on: rows of other data are not taken."""
    arrays = [as_pool(data[name]) for name in ("X", "X_test")]
    arrays += [np.asarray(data[name], dtype=object).tolist() for name in ("y", "y_test", "y_oracle")]
    try:
        shared = joblib.hash((__version__, CACHE_VERSION, arrays))
        lender = None if options["lender"] is None else describe(estimators[options["lender"]])
        return {
            (name, ratio): joblib.hash((shared, lender, describe(pruner), describe(evaluator)))
            for name, pruner in estimators.items()
            for ratio, evaluator in options["evaluators"].items()
        }
    except Exception as error:
        raise ValueError(f"csv_file needs parameters that can be hashed: {error}.") from error


def _seeded(estimator, seed):
    """Return a clone that draws from a seed, and all that it holds from seeds drawn from it."""
    estimator = seed_nested(clone(estimator), np.random.RandomState(seed), anew=True)
    if "random_state" in estimator.get_params(deep=False):
        estimator.set_params(random_state=seed)
    return estimator


def _evaluator(evaluator, budget, n_rows, seed):
    model = _seeded(evaluator, seed)
    if budget == "iterations":
        from skprune.nets._data import n_batches

        model.set_params(n_steps=n_batches(n_rows, model.batch_size))
    return model


def _interval(gains, confidence, random_state):
    """Return the percentile interval of the mean over resamples of the seeds."""
    if len(gains) < 2:
        return None, None
    draws = np.random.default_rng(random_state).integers(len(gains), size=(_RESAMPLES, len(gains)))
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(gains[draws].mean(axis=1), [tail, 1.0 - tail])
    return float(low), float(high)


def _read(file):
    """Return the rows of a file; a last line that was torn when the writer was killed is left out."""
    if not Path(file).exists():
        return {}
    text = Path(file).read_text(encoding="utf-8")
    lines = text[: text.rfind("\n") + 1].splitlines()
    if not lines:
        return {}
    reader = csv.DictReader(lines)
    if tuple(reader.fieldnames or ()) != _COLUMNS:
        raise ValueError(f"{file} holds no pruning curve: its columns are {reader.fieldnames}.")
    rows = {}
    for row in reader:
        place = tuple(row[name] for name in _COLUMNS[:6])
        numbers = {name: int(row[name]) for name in ("seed", "n_kept", "n_annotated")}
        numbers |= {name: float(row[name]) for name in ("accuracy", "fit_time", "train_time")}
        rows[place] = row | numbers | {"ratio": int(row["ratio"]) if row["ratio"].isdigit() else float(row["ratio"])}
    return rows


def _append(file, row):
    """Write a row behind the others, in place of a line that was torn."""
    if file is None:
        return
    file = Path(file)
    with lock_of(file.with_name(file.name + ".lock")):
        before = file.read_bytes() if file.exists() else b""
        whole = before[: before.rfind(b"\n") + 1]
        if len(whole) < len(before):
            file.write_bytes(whole)
        with file.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
            if not whole:
                writer.writeheader()
            writer.writerow(row)
