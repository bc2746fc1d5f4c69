"""The runs of a pruning curve: all pruners and evaluators of one random state, and keys that recognize their results."""

from dataclasses import dataclass
from functools import cached_property
from time import perf_counter

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.metrics import accuracy_score

from skprune._pipeline._stage_cache import describe, versions
from skprune._utils._adapters import items_as_input, torch_seeded
from skprune._utils._given_rows import read_rows
from skprune._utils._labels import labels_at, missing_mask, with_answers
from skprune._utils._pool import take_rows
from skprune._utils._seeds import seed_nested
from skprune.baselines import SupervisedPruner
from skprune.model_selection._curve_results import COLUMNS, LABELS_ALONE, append_row
from skprune.selection import kept_count


@dataclass(frozen=True)
class CurveData:
    """The pool, which of its labels are missing, and the test set."""

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
    """What is to do for one random state: the ratios by method; and known results of labels alone, by their key."""

    data: CurveData
    options: CurveOptions
    keys: dict
    seed: int
    ratios_to_do: dict
    labels_alone: dict

    def row(self, name, ratio, **found):
        """Write down a result, and return it."""
        place = {"method": name, "ratio": ratio, "seed": self.seed, "key": self.keys[name, ratio]}
        row = place | {"labels": self.options.labels, "budget": self.options.budget} | found
        row = {column: row[column] for column in COLUMNS}
        append_row(self.options.results_file, row)
        return row

    def evaluate(self, ratio, rows, targets):
        """Train the evaluator of a ratio on some rows, and test it."""
        evaluator = self.options.evaluators[ratio]
        evaluator = _prepared_evaluator(evaluator, self.options.budget, len(self.data.missing), self.seed)
        start = perf_counter()
        with torch_seeded(evaluator, self.seed):
            evaluator.fit(items_as_input(evaluator, take_rows(self.data.X, rows)), targets)
        train_time = round(perf_counter() - start, 3)
        predicted = evaluator.predict(items_as_input(evaluator, self.data.X_test))
        return {"accuracy": float(accuracy_score(self.data.y_test, predicted)), "train_time": train_time}

    def evaluate_labels_alone(self):
        """Yield each ratio that is to do, and what its evaluator achieves; equal evaluators are trained once."""
        found = dict(self.labels_alone)
        labeled = self.data.labeled
        for ratio in self.ratios_to_do[LABELS_ALONE]:
            evaluator = self.options.evaluators[ratio]
            key = self.keys[LABELS_ALONE, ratio] or id(evaluator)
            if key not in found:
                try:
                    found[key] = self.evaluate(ratio, labeled, self.data.given)
                except Exception as error:
                    raise ValueError(
                        f"The evaluator {type(evaluator).__name__} fails with the {len(labeled)} given labels alone: {error}\n"
                        "Label more rows, or set labels_alone=False."
                    ) from error
            yield ratio, found[key]


def run_random_state(estimators, run):
    """Evaluate labels alone, fit each pruner once and evaluate the ratios that are to do; write down each result."""
    data, options, ratios_to_do = run.data, run.options, run.ratios_to_do
    labeled, given = data.labeled, data.given
    labels = np.empty(len(data.missing), dtype=given.dtype)
    labels[labeled] = given
    classes = np.unique(given)
    answers, mark = data.y_oracle, data.missing_label  # the labels of rows that have none
    rows = []
    for ratio, found in run.evaluate_labels_alone():
        row = run.row(LABELS_ALONE, ratio, n_kept=len(labeled), n_annotated=len(labeled), fit_time=0.0, **found)
        rows.append(row)
    is_pruning = any(ratios_to_do[name] for name in estimators)
    for name, pruner in sorted(estimators.items(), key=lambda item: item[0] != options.pseudo_labels_from):
        if not ratios_to_do[name] and not (name == options.pseudo_labels_from and is_pruning):
            continue
        is_supervised = isinstance(pruner, SupervisedPruner)
        largest = max(ratios_to_do[name], key=lambda ratio: kept_count(ratio, len(labels)), default=pruner.ratio)
        pruner = _seeded(pruner, run.seed).set_params(ratio=largest)
        start = perf_counter()
        pruner.fit(data.X, data.y_oracle if is_supervised else data.y)
        fit_time = perf_counter() - start
        if name == options.pseudo_labels_from:
            answers, mark = pruner.pseudo_labels_, None
        for ratio in ratios_to_do[name]:
            kept = np.flatnonzero(pruner.select(ratio))
            is_asked = data.missing[kept]
            targets = with_answers(labels[kept], is_asked, answers, kept, classes, mark)
            n_asked = int(is_asked.sum()) if options.pseudo_labels_from is None else 0
            row = run.row(
                name,
                ratio,
                n_kept=len(kept),
                n_annotated=len(labels) if is_supervised else len(labeled) + n_asked,
                fit_time=round(fit_time, 3),
                **run.evaluate(ratio, kept, targets),
            )
            rows.append(row)
    return rows


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
