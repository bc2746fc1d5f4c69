"""The pruning curve: accuracy against the fraction that is kept, for several pruners, ratios and seeds."""

from collections.abc import Mapping
from itertools import chain, product
from numbers import Integral
from time import perf_counter

import joblib
import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.metrics import accuracy_score

from skprune import __version__
from skprune._pipeline._store import CACHE_VERSION, describe
from skprune._utils._adapters import is_own_net, torch_seeded
from skprune._utils._labels import labels_at, missing_mask
from skprune._utils._seeds import seed_nested
from skprune._utils._validation import as_pool, check_equal_length, take_rows
from skprune.baselines import RandomPruner, SupervisedPruner
from skprune.baselines._base import LabelFreePruner
from skprune.model_selection._curve import COLUMNS, PruningCurve, append_row, read_rows
from skprune.selection import BaseSelector, get_selector, kept_count

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
    lender=None,
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
        alike, the pseudo-labels of the `lender`, so that they differ in the rows alone.
    lender : str, default=None
        The name of the pruner whose pseudo-labels are taken; needed with ``labels="pseudo"`` where several have some.
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
    lender = _lender(lender, labels, estimators)
    if y_oracle is None:
        if missing.any() and (labels == "oracle" or any(isinstance(p, SupervisedPruner) for p in estimators.values())):
            raise ValueError("y holds unlabelled rows: give y_oracle, or use labels='pseudo' and no SupervisedPruner.")
        y_oracle = y
    check_equal_length(X, y_oracle, "y_oracle")
    evaluators = _evaluators(evaluator, ratios, budget)

    data = {"X": X, "y": y, "missing": missing, "y_oracle": y_oracle, "X_test": X_test, "y_test": y_test}
    options = {"evaluators": evaluators, "budget": budget, "labels": labels, "lender": lender, "csv_file": csv_file}
    keys = _keys(estimators, data, options) if csv_file else dict.fromkeys(product(estimators, ratios))
    rows = read_rows(csv_file) if csv_file else {}

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


def _lender(lender, labels, estimators):
    """Return the name of the pruner whose pseudo-labels are taken, None where none are."""
    if labels == "oracle":
        if lender is not None:
            raise ValueError(f"lender={lender!r} lends pseudo-labels, which labels='oracle' does not take.")
        return None
    able = [name for name, one in estimators.items() if not isinstance(one, (LabelFreePruner, SupervisedPruner))]
    if not able:
        raise ValueError("labels='pseudo' needs one pruner with pseudo-labels, such as SemiPrune.")
    if lender is None and len(able) > 1:
        raise ValueError(f"Several pruners have pseudo-labels: choose the lender among {able}.")
    if lender is not None and lender not in able:
        raise ValueError(f"lender={lender!r} is no pruner with pseudo-labels; these are {able}.")
    return lender or able[0]


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
            rows.append(dict(zip(COLUMNS, (*place, len(kept), annotated, accuracy, *times), strict=True)))
            append_row(options["csv_file"], rows[-1])
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
