"""The runs of a pruning curve: one pruner and its evaluators at one random state, and keys that recognize their results."""

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.metrics import accuracy_score

from skprune._pipeline._stage_cache import describe, versions
from skprune._utils._adapters import items_as_input, or_constant, torch_seeded
from skprune._utils._given_rows import read_rows
from skprune._utils._items import is_items
from skprune._utils._labels import labels_at, missing_mask, with_answers
from skprune._utils._pool import as_pool, take_rows
from skprune._utils._seeds import seed_nested
from skprune.baselines import SupervisedPruner
from skprune.model_selection._curve_results import COLUMNS, LABELS_ALONE, append_row
from skprune.selection import kept_count


@dataclass(frozen=True)
class CurveData:
    """The pool, which of its labels are missing, and the test set: what all runs share."""

    X: object
    y: object
    missing: np.ndarray
    missing_label: object
    y_oracle: object
    X_test: object
    y_test: object

    @cached_property
    def labeled(self):
        """The rows with a given label."""
        return np.flatnonzero(~self.missing)

    @cached_property
    def given(self):
        """Their labels."""
        return labels_at(self.y, self.labeled)

    @cached_property
    def row_shape(self):
        """The shape of a row where X is read by item: one color image makes all of them color."""
        return as_pool(self.X).shape[1:] if is_items(self.X) else ()


@dataclass(frozen=True)
class CurveOptions:
    """How evaluators are trained; `pseudo_labels_from` names the pruner whose pseudo-labels are used, None with an oracle."""

    evaluators: dict
    budget: str
    labels: str
    pseudo_labels_from: str | None
    results_file: object


@dataclass(frozen=True)
class CurveRun:
    """What is to do with one method at one random state: the keys of the ratios; and known results of labels alone, by key."""

    method: str
    seed: int
    options: CurveOptions
    keys: dict
    labels_alone: dict
    writes: bool

    def row(self, ratio, **found):
        """Write down a result, and return it."""
        place = {"method": self.method, "ratio": ratio, "seed": self.seed, "key": self.keys[ratio]}
        row = place | {"labels": self.options.labels, "budget": self.options.budget} | found
        row = {column: row[column] for column in COLUMNS}
        if self.writes:
            append_row(self.options.results_file, row)
        return row

    def evaluate(self, data, ratio, rows, targets):
        """Train the evaluator of a ratio on some rows, and test it."""
        evaluator = self.options.evaluators[ratio]
        evaluator = _prepared_evaluator(evaluator, self.options.budget, len(data.missing), self.seed)
        evaluator = or_constant(evaluator, targets)
        start = perf_counter()
        with torch_seeded(evaluator, self.seed):
            evaluator.fit(items_as_input(evaluator, take_rows(data.X, rows), data.row_shape), targets)
        train_time = round(perf_counter() - start, 3)
        predicted = evaluator.predict(items_as_input(evaluator, data.X_test, data.row_shape))
        return {"accuracy": float(accuracy_score(data.y_test, predicted)), "train_time": train_time}


@dataclass(frozen=True)
class CurveResults:
    """What a run found: rows of the curve, and pseudo-labels where they are asked for."""

    seed: int
    rows: list
    pseudo_labels: np.ndarray | None = None


def run_labels_alone(run, data):
    """Evaluate the given labels alone at each ratio; equal evaluators are trained once."""
    found, rows = dict(run.labels_alone), []
    n_labeled = len(data.labeled)
    for ratio in run.keys:
        evaluator = run.options.evaluators[ratio]
        key = run.keys[ratio] or id(evaluator)
        if key not in found:
            try:
                found[key] = run.evaluate(data, ratio, data.labeled, data.given)
            except Exception as error:
                raise ValueError(
                    f"The evaluator {type(evaluator).__name__} fails with the {n_labeled} given labels alone: {error}\n"
                    "Label more rows, or set labels_alone=False."
                ) from error
        rows.append(run.row(ratio, n_kept=n_labeled, n_annotated=n_labeled, fit_time=0.0, **found[key]))
    return CurveResults(run.seed, rows)


def run_pruner(pruner, run, data, pseudo_labels=None):
    """Fit a pruner once, and evaluate the ratios that are to do, with pseudo-labels of its own where it lends them."""
    labels = np.empty(len(data.missing), dtype=data.given.dtype)
    labels[data.labeled] = data.given
    classes = np.unique(data.given)
    is_supervised = isinstance(pruner, SupervisedPruner)
    largest = max(run.keys, key=lambda ratio: kept_count(ratio, len(labels)), default=pruner.ratio)
    pruner = seeded_clone(pruner, run.seed).set_params(ratio=largest)
    start = perf_counter()
    with _noted(f"The pruner {run.method!r} fails with seed {run.seed}."):
        pruner.fit(data.X, data.y_oracle if is_supervised else data.y)
    fit_time = round(perf_counter() - start, 3)
    if run.method == run.options.pseudo_labels_from:
        pseudo_labels = pruner.pseudo_labels_
    # the labels of rows that have none
    answers, mark = (data.y_oracle, data.missing_label) if pseudo_labels is None else (pseudo_labels, None)
    rows = []
    for ratio in run.keys:
        kept = np.flatnonzero(pruner.select(ratio))
        is_asked = data.missing[kept]
        targets = with_answers(labels[kept], is_asked, answers, kept, classes, mark)
        n_asked = int(is_asked.sum()) if run.options.pseudo_labels_from is None else 0
        with _noted(f"The evaluator fails on the rows of {run.method!r} with ratio {ratio} and seed {run.seed}."):
            found = run.evaluate(data, ratio, kept, targets)
        n_annotated = len(labels) if is_supervised else len(data.labeled) + n_asked
        row = run.row(ratio, n_kept=len(kept), n_annotated=n_annotated, fit_time=fit_time, **found)
        rows.append(row)
    return CurveResults(run.seed, rows, pseudo_labels)


@contextmanager
def _noted(place):
    """Say in an error where in the curve it was raised."""
    try:
        yield
    except Exception as error:
        error.add_note(place)
        raise


def known_labels_alone(rows, seed, budget):
    """Return by key what is known of labels alone at any ratio and with any `labels`, on which it does not depend."""
    return {
        row["key"]: {"accuracy": row["accuracy"], "train_time": row["train_time"]}
        for row in rows
        if (row["method"], row["seed"], row["budget"]) == (LABELS_ALONE, seed, budget)
    }


def result_keys(estimators, data, options):
    """Return a key for each method and ratio, made of all that the result depends on; None where no file keeps results."""
    if options.results_file is None:
        return {(name, ratio): None for name in (LABELS_ALONE, *estimators) for ratio in options.evaluators}
    pools = [describe(read_rows(rows)) for rows in (data.X, data.X_test)]
    labels = [_known_labels(y, data.missing_label) for y in (data.y, data.y_test, data.y_oracle)]
    try:
        shared = joblib.hash((versions(), pools, labels))
        without_oracle = joblib.hash((versions(), pools, labels[:2]))
        label_source = None if options.pseudo_labels_from is None else describe(estimators[options.pseudo_labels_from])
        keys = {
            (LABELS_ALONE, ratio): joblib.hash((without_oracle, describe(evaluator)))
            for ratio, evaluator in options.evaluators.items()
        }
        return keys | {
            (name, ratio): joblib.hash((shared, label_source, describe(pruner), describe(evaluator)))
            for name, pruner in estimators.items()
            for ratio, evaluator in options.evaluators.items()
        }
    except Exception as error:
        raise ValueError(f"results_file needs parameters that can be hashed: {error}.") from error


def _known_labels(y, missing_label):
    """Return which labels are missing, and the others, so that nothing beneath a mask is read."""
    missing = missing_mask(y, missing_label)
    return missing, labels_at(y, np.flatnonzero(~missing)).tolist()


def seeded_clone(estimator, seed):
    """Return a clone that draws from a seed, and all that it holds from seeds drawn from it."""
    estimator = seed_nested(clone(estimator), np.random.RandomState(seed), anew=True)
    if "random_state" in estimator.get_params(deep=False):
        estimator.set_params(random_state=seed)
    return estimator


def _prepared_evaluator(evaluator, budget, n_samples, seed):
    """Return a seeded clone, whose epochs take as many steps as the whole pool would where the budget is iterations."""
    evaluator = seeded_clone(evaluator, seed)
    if budget == "iterations":
        from skprune.nets._data import n_batches

        evaluator.set_params(n_steps=n_batches(n_samples, evaluator.batch_size))
    return evaluator
