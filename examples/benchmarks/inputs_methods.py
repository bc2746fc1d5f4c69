"""Cases of inputs.py: the methods of fitted pruners."""

from functools import cache

import numpy as np
from inputs_parameters import BASELINES, ODD, bad_edges, edges, names_of
from inputs_rules import N_ROWS, REFUSED, TRAINED, WORKS, Case, partial_labels, semi_prune, table


@cache
def _fitted():
    return semi_prune().fit(table()[0], partial_labels())


@cache
def _fitted_baselines():
    y = table()[1]
    return [pruner(**{"random_state": 0} | params).fit(table()[0], y) for pruner, params in BASELINES.items()]


def method_cases():
    """Return calls of the methods of fitted pruners."""
    cases, X, y = [], table()[0], partial_labels()

    def add(name, call, works, names, check=None):
        def after_fit():
            _fitted(), _fitted_baselines(), TRAINED.clear()
            return call()

        cases.append(Case("methods after fit", name, after_fit, WORKS if works else REFUSED, names, check))

    for parameter in ("ratio", "budget", "selection", "difficulty"):
        for what, value in ODD.items():
            works = what == "None"
            add(
                f"select({parameter}={what})",
                lambda p=parameter, v=value: _fitted().select(**{p: v}),
                works,
                names_of(parameter),
            )
        for what, (value, n_kept) in edges()[parameter].items():
            check = lambda mask, n_kept=n_kept: None if mask.sum() == n_kept else "another number of rows"  # noqa: E731
            add(
                f"select({parameter} at {what})",
                lambda p=parameter, v=value: _fitted().select(**{p: v}),
                True,
                "",
                check,
            )
        for what, value in bad_edges()[parameter].items():
            names = names_of(parameter)
            add(
                f"select({parameter} beyond {what})",
                lambda p=parameter, v=value: _fitted().select(**{p: v}),
                False,
                names,
            )
    for number, pruner in enumerate(BASELINES):
        for what, value in ODD.items():
            call = lambda number=number, value=value: _fitted_baselines()[number].select(value)  # noqa: E731
            add(f"{pruner.__name__}.select({what})", call, what == "None", "ratio")
    for what, value in ODD.items():
        add(f"annotation_indices({what})", lambda value=value: _fitted().annotation_indices(value), False, "mask")
        add(
            f"predict_difficulty(n_neighbors={what})",
            lambda v=value: _fitted().predict_difficulty(X, n_neighbors=v),
            False,
            "n_neighbors",
        )
        add(
            f"predict_difficulty({what})",
            lambda v=value: _fitted().predict_difficulty(v),
            False,
            r"\bX\b|[Ff]eature|sample",
        )
        add(f"transform({what})", lambda v=value: _fitted().transform(v), False, r"\bX\b|[Ff]eature|sample")
        add(f"suggest_ratio(ratios={what})", lambda v=value: _fitted().suggest_ratio(X, v), what == "None", "ratio")
        add(f"explain({what})", lambda v=value: _fitted().explain(v), what in ("[]", "{}"), "scores|difficult")
    masks = {
        "indices": np.arange(30),
        "short": np.ones(59, bool),
        "2-D": np.ones((60, 1), bool),
        "0 and 1": np.ones(60, int),
    }
    for what, mask in masks.items():
        add(f"annotation_indices({what})", lambda mask=mask: _fitted().annotation_indices(mask), False, "mask")
    add("annotation_indices(list of bool)", lambda: _fitted().annotation_indices([True] * N_ROWS), True, "")
    others = {
        "a row less": X[1:],
        "a column less": X[:, 1:],
        "other values": X + 1,
        "other order": X[::-1],
        "images": X.reshape(60, 1, 2, 2),
    }
    for what, other in others.items():
        add(f"transform({what})", lambda other=other: _fitted().transform(other), False, "X")
        add(f"suggest_ratio({what})", lambda other=other: _fitted().suggest_ratio(other), False, "X")
    for what, other in {
        "a column less": X[:, 1:],
        "NaN": np.full((3, 4), np.nan),
        "1-D": X[0],
        "no rows": X[:0],
    }.items():
        add(
            f"predict_difficulty({what})",
            lambda other=other: _fitted().predict_difficulty(other),
            False,
            r"\bX\b|[Ff]eature",
        )
        add(
            f"score({what})",
            lambda other=other: _fitted().score(other, table()[1][: len(other)]),
            False,
            r"\bX\b|[Ff]eature",
        )
    wrong = {"shorter": y[1:], "all missing": np.full(60, -1), "None": None, "a text": "y"}
    for what, labels in wrong.items():
        add(f"score(y: {what})", lambda labels=labels: _fitted().score(X, labels), False, r"\by\b")
    return cases
