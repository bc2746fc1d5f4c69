"""The pruning curve: accuracy against the fraction of rows that is kept, for several pruners, ratios and random states."""

from collections.abc import Mapping
from itertools import product
from numbers import Integral

import numpy as np

from skprune._base import missing_label_of
from skprune._utils._adapters import is_own_net
from skprune._utils._labels import check_one_kind, is_null, labels_at, missing_mask
from skprune._utils._parameter_checks import check_option
from skprune._utils._pool import check_equal_length, take_rows
from skprune.baselines import RandomPruner, SupervisedPruner
from skprune.baselines._base import LabelFreePruner, ScoredPruner
from skprune.model_selection._curve_jobs import KnownResults, run_all
from skprune.model_selection._curve_results import LABELS_ALONE, PruningCurve
from skprune.model_selection._curve_runs import CurveData, CurveOptions, result_keys
from skprune.selection import BaseSelector, Mixture, get_selector, kept_count


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
    pseudo_labels_from=None,
    labels_alone="auto",
    budget="epochs",
    random_states=(0,),
    n_jobs=None,
    results_file=None,
):
    """Train an evaluator on the coresets of several pruners, and score it on a test set.

    Each pruner is fitted once for each random state, and the coresets of all ratios are chosen from that fit. Random rows are
    always among the methods, because all others are compared with them. If labels are missing, "labels alone" is among them
    too: what the evaluator achieves with the given labels, and what labeling more must improve on.

    Parameters
    ----------
    estimators : dict of {str: pruner}
        Unfitted pruners by name, from :mod:`skprune.baselines` or :class:`~skprune.SemiPrune`. They are cloned, and draw from
        the random state. The name "labels alone" is taken.
    X : array-like
        The pool.
    y : array-like of shape (n_samples,)
        Labels, some missing, as the `missing_label` of the pruners says, which must be the same for all. A
        :class:`~skprune.baselines.SupervisedPruner` is given `y_oracle` instead.
    ratios : sequence of float or int
        The fractions of rows to KEEP, or their numbers.
    evaluator : classifier or dict of {ratio: classifier}
        The classifier trained on each coreset. It is cloned, and draws from the random state. A dict holds one for each ratio,
        such as a net with smaller batches for smaller coresets. A coreset of a single class, which many classifiers refuse,
        has the accuracy of that class for all rows.
    X_test : array-like
        The rows of the test set.
    y_test : array-like
        The labels of the test set; rows without one do not count.
    y_oracle : array-like of shape (n_samples,), default=None
        True labels; required with ``labels="oracle"`` if labels are missing in `y`. Labels of rows that are not kept are never
        used, except by a SupervisedPruner and to recognize the results in `results_file`.
    labels : {"oracle", "pseudo"}, default="oracle"
        The labels on which the evaluator is trained where none is given: "oracle" takes those of `y_oracle`, as if people
        annotated the kept rows; "pseudo" takes the pseudo-labels of a single pruner for all methods alike, so that they differ
        in the rows only.
    pseudo_labels_from : str, default=None
        The name of the pruner whose pseudo-labels are used; required with ``labels="pseudo"`` if several pruners have some.
    labels_alone : {"auto", True, False}, default="auto"
        Whether the evaluator is also trained on the rows with a given label and on no others, before any pruner is fitted, as
        the method "labels alone". It does not depend on the ratio, but stands at each one, next to what is kept there;
        ratios with equal evaluators share one training. "auto" means if labels are missing and the given ones are of two
        classes or more.
    budget : {"epochs", "iterations"}, default="epochs"
        "epochs" trains the evaluator as it is. "iterations" gives each coreset as many optimizer steps per epoch as the whole
        pool would take; the evaluator must then be a NetClassifier without `n_steps`.
    random_states : sequence of int, default=(0,)
        One fit of each pruner is made for each of them.
    n_jobs : int, default=None
        Number of pruners, each with its evaluators at a random state, that are run at the same time. With joblib's backend of
        Dask or Ray they run on a cluster.
    results_file : path-like, default=None
        A CSV file to which each result is appended as soon as it is computed; results that it already holds are not computed
        again, so that a run that was killed continues. Those of other data, parameters, or versions of skprune or
        scikit-learn are ignored. On a cluster, results are written here as each pruner is done.

    Returns
    -------
    PruningCurve
        The results, with their summary.

    Raises
    ------
    ValueError, TypeError
        An input or a parameter is invalid; raised before any training. Or the evaluator fails with the given labels alone,
        because they are too few for it; raised before any pruner is fitted. An error of a pruner, or of the evaluator on a
        coreset, has a note that says of which method, ratio and seed.

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
    ...     random_states=[0, 1, 2],
    ... )
    >>> [(row["method"], row["ratio"]) for row in curve.summary()]
    [('random', 0.2), ('random', 0.5), ('k-center', 0.2), ('k-center', 0.5)]
    """
    estimators = _with_random(estimators)
    ratios = [int(ratio) if isinstance(ratio, Integral) else float(ratio) for ratio in ratios]
    random_states = [int(seed) for seed in random_states]
    for name, values in (("ratios", ratios), ("random_states", random_states)):
        if not values or len(set(values)) < len(values):
            raise ValueError(f"{name} must be one or more different values, got {values}.")
    check_option("labels", labels, ("oracle", "pseudo"))
    check_option("budget", budget, ("epochs", "iterations"))
    check_equal_length(X, y)
    check_equal_length(X_test, y_test, "y_test")
    missing_label = _shared_missing_label(estimators)
    missing = missing_mask(y, missing_label)
    for name, pruner in estimators.items():
        _check_pruner(name, pruner, ratios, missing)
    pseudo_labels_from = _pseudo_labels_from(pseudo_labels_from, labels, estimators)
    if y_oracle is None:
        if missing.any() and (labels == "oracle" or any(isinstance(p, SupervisedPruner) for p in estimators.values())):
            raise ValueError("y holds unlabeled rows: pass y_oracle, or use labels='pseudo' and no SupervisedPruner.")
        y_oracle = y
    check_equal_length(X, y_oracle, "y_oracle")
    evaluators = _evaluators(evaluator, ratios, budget)

    X_test, y_test = _labeled_test_set(X_test, y_test, labels_at(y, np.flatnonzero(~missing)), missing_label)

    data = CurveData(
        X=X, y=y, missing=missing, missing_label=missing_label, y_oracle=y_oracle, X_test=X_test, y_test=y_test
    )
    options = CurveOptions(
        evaluators=evaluators,
        budget=budget,
        labels=labels,
        pseudo_labels_from=pseudo_labels_from,
        results_file=results_file,
    )
    methods = [LABELS_ALONE, *estimators] if _evaluates_labels_alone(labels_alone, data) else list(estimators)
    keys = result_keys(estimators, data, options)
    results = KnownResults(options, keys)
    run_all(estimators, data, results, product(random_states, methods), ratios, n_jobs)
    random = next(name for name, pruner in estimators.items() if isinstance(pruner, RandomPruner))
    return PruningCurve([results.row(*each) for each in product(methods, ratios, random_states)], random=random)


def _with_random(estimators):
    """Check the pruners' names, and add random rows where they are not among the methods."""
    if not isinstance(estimators, Mapping) or not all(isinstance(name, str) for name in estimators):
        raise TypeError(f"estimators must be a dict of names and pruners, got {estimators!r}.")
    if LABELS_ALONE in estimators:
        raise ValueError(
            f"estimators must not name a pruner {LABELS_ALONE!r}: that is the evaluator trained on the given labels."
        )
    if any(isinstance(pruner, RandomPruner) for pruner in estimators.values()):
        return estimators
    if "random" in estimators:
        raise ValueError("estimators must not name another pruner 'random': a RandomPruner of that name is added.")
    image_shapes = [getattr(pruner, "image_shape", None) for pruner in estimators.values()]
    added = RandomPruner(image_shape=next(iter(image_shapes), None), missing_label=_shared_missing_label(estimators))
    return {"random": added, **estimators}


def _shared_missing_label(estimators):
    """Return the mark of an unlabeled row, on which the pruners must agree, as they are given the same labels."""
    marks = {name: missing_label_of(pruner) for name, pruner in estimators.items()}
    forms = {name: repr(None if is_null(mark) else mark) for name, mark in marks.items()}
    if len(set(forms.values())) > 1:
        raise ValueError(f"estimators must have the same missing_label, as they are given the same y, got {marks}.")
    return next(iter(marks.values()), "auto")


def _labeled_test_set(X_test, y_test, given, missing_label):
    """Return the test rows that have a label, and their labels; refuse a test set without any, and labels of another kind."""
    is_labeled = ~missing_mask(y_test, missing_label, np.unique(given), name="y_test")
    if not is_labeled.any():
        raise ValueError("y_test holds no labels, so that nothing can be tested.")
    rows = np.flatnonzero(is_labeled)
    labels = labels_at(y_test, rows)
    check_one_kind(given, labels, "y with y_test")
    return (X_test, y_test) if is_labeled.all() else (take_rows(X_test, rows), labels)


def _check_pruner(name, pruner, ratios, missing):
    """Refuse what is not a pruner, or cannot keep so many rows."""
    if isinstance(pruner, type) or not (hasattr(pruner, "fit") and hasattr(pruner, "select")):
        raise TypeError(f"estimators[{name!r}] must be a pruner with fit and select, got {pruner!r}.")
    if getattr(pruner, "budget", None) is not None:
        raise ValueError(
            f"estimators[{name!r}] has budget={pruner.budget!r}, and a curve sets the ratio. Leave it out."
        )
    selection = getattr(pruner, "selection", "auto")
    is_auto = isinstance(selection, str) and selection == "auto" and not isinstance(pruner, ScoredPruner)
    selector = None if is_auto else get_selector(selection)
    n_labeled = int((~missing).sum())
    for ratio in ratios:
        k = kept_count(ratio, len(missing))
        if isinstance(selector, (BaseSelector, Mixture)):
            selector.check(k, len(missing))
        if getattr(pruner, "include_labeled", False) and n_labeled > k:
            raise ValueError(
                f"estimators[{name!r}] keeps all {n_labeled} labeled rows, and ratio={ratio!r} keeps only {k} rows."
            )


def _evaluates_labels_alone(labels_alone, data):
    """Tell whether labels alone are evaluated; refuse it where it means nothing."""
    check_option("labels_alone", labels_alone, ("auto", True, False))
    n_missing, n_classes = int(data.missing.sum()), len(set(data.given.tolist()))
    means_something = n_missing > 0 and n_classes >= 2
    if isinstance(labels_alone, str):
        return means_something
    if labels_alone and not means_something:
        raise ValueError(
            "labels_alone=True needs missing labels, and given ones of two classes or more, but y has "
            f"{n_missing} missing labels and {n_classes} classes. Use labels_alone='auto'."
        )
    return bool(labels_alone)


def _pseudo_labels_from(pseudo_labels_from, labels, estimators):
    """Return the name of the pruner whose pseudo-labels are used, None where none are."""
    if labels == "oracle":
        if pseudo_labels_from is not None:
            raise ValueError(
                f"pseudo_labels_from must be None with labels='oracle', which uses no pseudo-labels, got {pseudo_labels_from!r}."
            )
        return None
    candidates = [
        name for name, pruner in estimators.items() if not isinstance(pruner, (LabelFreePruner, SupervisedPruner))
    ]
    if not candidates:
        raise ValueError("labels='pseudo' needs a pruner with pseudo-labels among the estimators, such as SemiPrune.")
    if pseudo_labels_from is None and len(candidates) > 1:
        raise ValueError(f"Several pruners have pseudo-labels: set pseudo_labels_from to one of {candidates}.")
    if pseudo_labels_from is not None and pseudo_labels_from not in candidates:
        raise ValueError(
            f"pseudo_labels_from must name a pruner with pseudo-labels, one of {candidates}, got {pseudo_labels_from!r}."
        )
    return pseudo_labels_from or candidates[0]


def _evaluators(evaluator, ratios, budget):
    """Return the evaluator of each ratio."""
    if isinstance(evaluator, Mapping):
        absent = [ratio for ratio in ratios if ratio not in evaluator]
        if absent:
            raise ValueError(
                f"evaluator must hold a classifier for each ratio, but {absent[0]!r} is not in {list(evaluator)}."
            )
        evaluators = {ratio: evaluator[ratio] for ratio in ratios}
    else:
        evaluators = dict.fromkeys(ratios, evaluator)
    for classifier in evaluators.values():
        if budget == "iterations" and not (is_own_net(classifier) and getattr(classifier, "n_steps", 0) is None):
            raise ValueError("budget='iterations' needs a NetClassifier with n_steps=None as evaluator.")
    return evaluators
