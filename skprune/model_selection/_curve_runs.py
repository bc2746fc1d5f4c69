"""The runs of a pruning curve: all pruners and evaluators of one random state, and keys that recognize their results."""

from dataclasses import dataclass
from time import perf_counter

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.metrics import accuracy_score

from skprune._pipeline._stage_cache import describe, versions
from skprune._utils._adapters import torch_seeded
from skprune._utils._labels import labels_at, missing_mask, with_answers
from skprune._utils._pool import as_pool, take_rows
from skprune._utils._seeds import seed_nested
from skprune.baselines import SupervisedPruner
from skprune.model_selection._curve_results import COLUMNS, append_row
from skprune.selection import kept_count


@dataclass(frozen=True)
class CurveData:
    """The pool, which of its labels are missing, and the test set."""

    X: object
    y: object
    missing: np.ndarray
    y_oracle: object
    X_test: object
    y_test: object


@dataclass(frozen=True)
class CurveOptions:
    """How evaluators are trained; `pseudo_labels_from` names the pruner whose pseudo-labels are used, None with an oracle."""

    evaluators: dict
    budget: str
    labels: str
    pseudo_labels_from: str | None
    results_file: object


def run_random_state(estimators, data, seed, ratios_to_do, keys, options):
    """Fit each pruner once, evaluate the ratios that are to do, and write down each result."""
    labeled = np.flatnonzero(~data.missing)
    given = labels_at(data.y, labeled)
    labels = np.empty(len(data.missing), dtype=given.dtype)
    labels[labeled] = given
    classes = np.unique(given)
    answers = data.y_oracle  # the labels of rows that have none
    rows = []
    for name, pruner in sorted(estimators.items(), key=lambda item: item[0] != options.pseudo_labels_from):
        if not ratios_to_do[name] and not (name == options.pseudo_labels_from and any(ratios_to_do.values())):
            continue
        is_supervised = isinstance(pruner, SupervisedPruner)
        largest = max(ratios_to_do[name], key=lambda ratio: kept_count(ratio, len(labels)), default=pruner.ratio)
        pruner = _seeded(pruner, seed).set_params(ratio=largest)
        start = perf_counter()
        pruner.fit(data.X, data.y_oracle if is_supervised else data.y)
        fit_time = perf_counter() - start
        if name == options.pseudo_labels_from:
            answers = pruner.pseudo_labels_
        for ratio in ratios_to_do[name]:
            kept = np.flatnonzero(pruner.select(ratio))
            is_asked = data.missing[kept]
            targets = with_answers(labels[kept], is_asked, answers, kept, classes)
            n_asked = int(is_asked.sum()) if options.pseudo_labels_from is None else 0
            evaluator = _prepared_evaluator(options.evaluators[ratio], options.budget, len(labels), seed)
            start = perf_counter()
            with torch_seeded(evaluator, seed):
                evaluator.fit(take_rows(data.X, kept), targets)
            train_time = perf_counter() - start
            row = {
                "method": name,
                "ratio": ratio,
                "seed": seed,
                "labels": options.labels,
                "budget": options.budget,
                "key": keys[name, ratio],
                "n_kept": len(kept),
                "n_annotated": len(labels) if is_supervised else len(labeled) + n_asked,
                "accuracy": float(accuracy_score(data.y_test, evaluator.predict(data.X_test))),
                "fit_time": round(fit_time, 3),
                "train_time": round(train_time, 3),
            }
            rows.append({column: row[column] for column in COLUMNS})
            append_row(options.results_file, rows[-1])
    return rows


def result_keys(estimators, data, options):
    """Return a key for each method and ratio, made of all that the result depends on; None where no file keeps results."""
    if options.results_file is None:
        return {(name, ratio): None for name in estimators for ratio in options.evaluators}
    pools = [as_pool(rows) for rows in (data.X, data.X_test)]
    labels = [_known_labels(y) for y in (data.y, data.y_test, data.y_oracle)]
    try:
        shared = joblib.hash((versions(), pools, labels))
        label_source = None if options.pseudo_labels_from is None else describe(estimators[options.pseudo_labels_from])
        return {
            (name, ratio): joblib.hash((shared, label_source, describe(pruner), describe(evaluator)))
            for name, pruner in estimators.items()
            for ratio, evaluator in options.evaluators.items()
        }
    except Exception as error:
        raise ValueError(f"results_file needs parameters that can be hashed: {error}.") from error


def _known_labels(y):
    """Return which labels are missing, and the others, so that nothing beneath a mask is read."""
    missing = missing_mask(y)
    return missing, labels_at(y, np.flatnonzero(~missing)).tolist()


def _seeded(estimator, seed):
    """Return a clone that draws from a seed, and all that it holds from seeds drawn from it."""
    estimator = seed_nested(clone(estimator), np.random.RandomState(seed), anew=True)
    if "random_state" in estimator.get_params(deep=False):
        estimator.set_params(random_state=seed)
    return estimator


def _prepared_evaluator(evaluator, budget, n_samples, seed):
    """Return a seeded clone, whose epochs take as many steps as the whole pool would where the budget is iterations."""
    evaluator = _seeded(evaluator, seed)
    if budget == "iterations":
        from skprune.nets._data import n_batches

        evaluator.set_params(n_steps=n_batches(n_samples, evaluator.batch_size))
    return evaluator
