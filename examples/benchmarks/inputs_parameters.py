"""Cases of inputs.py: every parameter with values of the wrong type, and at the edges."""

from functools import partial

import numpy as np
from inputs_rules import (
    REFUSED,
    WORKS,
    Case,
    WatchedClassifier,
    WatchedPCA,
    labeler,
    partial_labels,
    proxy,
    pruned_classifier,
    pruner_of,
    semi_prune,
    table,
)

from skprune import PruningSampler
from skprune.baselines import (
    ActivePruner,
    D2Pruner,
    ELFSPruner,
    HerdingPruner,
    KCenterPruner,
    ModeratePruner,
    PrototypicalityPruner,
    RandomPruner,
    SupervisedPruner,
    ZCorePruner,
)
from skprune.dynamics import Recording
from skprune.nets import NetClassifier
from skprune.scores import dual
from skprune.selection import Beta, Cutoff, Hardest
from skprune.semi_supervised import FixMatch

ODD = {
    "None": None,
    "True": True,
    "0": 0,
    "-1": -1,
    "1.5": 1.5,
    "NaN": np.nan,
    "inf": np.inf,
    "10**400": 10**400,
    "'nonsense'": "nonsense",
    "''": "",
    "b'a'": b"a",
    "1j": 1j,
    "[1]": [1],
    "[]": [],
    "{}": {},
    "{'a': 1}": {"a": 1},
    "array": np.array([1, 2]),
    "object()": object(),
    "a class": Hardest,
    "a function": len,
    "an estimator": proxy(),
}
"""Values that are right for few parameters."""

RIGHT = {
    "ratio": {},
    "budget": {"None"},
    "labeler": {},
    "proxy": {"None", "an estimator"},
    "classifier": {"None", "an estimator"},
    "difficulty": {},
    "selection": {},
    "goal": {},
    "duplicates": {},
    "groups_select": {},
    "n_epochs": {},
    "schedule_epochs": {},
    "n_repeats": {},
    "record": {},
    "include_labeled": {"True"},
    "estimate_accuracy": {"True"},
    "compare_with_random": {"True", "an estimator"},
    "image_shape": {"None"},
    "image_size": {"None"},
    "memory": {"None", "'nonsense'"},
    "checkpoint": {"None", "'nonsense'"},
    "device": {"None"},
    "random_state": {"None", "0", "True"},
    "n_jobs": {"None", "-1"},
    "verbose": {"0", "True", "10**400"},
    "strategy": {},
    "embedding": {"None"},
    "n_clusters": {"None"},
    "n_neighbors": {},
    "n_points": {"None"},
    "n_redundant": {},
    "gamma_forward": {"0", "1.5", "True"},
    "gamma_reverse": {"0", "1.5", "True"},
    "pruner": {},
    "estimator": {"an estimator"},
    "labels": {},
}
"""The odd values that each parameter takes; `missing_label` has cases of its own."""

EITHER = {"random_state": {"True"}, "gamma_forward": {"True"}, "gamma_reverse": {"True"}}


def edges():
    """Return values at the edges of what SemiPrune takes, by parameter, and how many rows are kept where it is not half."""
    return {
        "ratio": {
            "1.0": (1.0, 60),
            "1e-9": (1e-9, 1),
            "60": (60, 60),
            "2": (2, 2),
            "int64": (np.int64(30), 30),
            "float32": (np.float32(0.5), 30),
        },
        "budget": {"1": (1, 21), "40": (40, 60), "int8": (np.int8(10), 30)},
        "labeler": {"estimator": (labeler(), 30)},
        "difficulty": {
            "str_": (np.str_("aum"), 30),
            "list": (["aum", "el2n"], 30),
            "tuple": (("aum", "el2n"), 30),
            "function": (lambda dynamics: dynamics.error.mean(axis=0), 30),
            "list of scores": (lambda dynamics: dynamics.error.mean(axis=0).tolist(), 30),
            "scores of integers": (lambda dynamics: np.arange(dynamics.n_samples), 30),
            "equal scores": (lambda dynamics: np.zeros(dynamics.n_samples), 30),
            "partial": (partial(dual, window=5), 30),
        },
        "selection": {
            "str_": (np.str_("hardest"), 30),
            "Beta()": (Beta(), 30),
            "d2": ("d2", 30),
            "Cutoff": (Cutoff(0.1), 30),
        },
        "n_epochs": {"1": (1, 30), "int64": (np.int64(10), 30)},
        "schedule_epochs": {"10": (10, 30)},
        "n_repeats": {"2": (2, 30)},
        "record": {"eval": ("eval", 30), "Recording": (Recording("eval", every=2), 30)},
        "goal": {"annotate": ("annotate", 30), "pseudo": ("pseudo", 30)},
        "duplicates": {"ignore": ("ignore", 30)},
        "groups_select": {"one": ("one", 30)},
        "include_labeled": {"bool_": (np.bool_(True), 30)},
        "estimate_accuracy": {"auto": ("auto", 30), "bool_": (np.bool_(True), 30)},
        "compare_with_random": {"classifier": (WatchedClassifier(), 30)},
        "random_state": {"RandomState": (np.random.RandomState(0), 30), "int64": (np.int64(3), 30)},
        "n_jobs": {"1": (1, 30), "int64": (np.int64(1), 30)},
        "verbose": {"1": (1, 30)},
    }


def bad_edges():
    """Return values that almost work, by parameter, which must be refused."""

    def short(dynamics):
        return np.zeros(dynamics.n_samples - 1)

    def wide(dynamics):
        return np.zeros((dynamics.n_samples, 2))

    def texts(dynamics):
        return ["a"] * dynamics.n_samples

    def nothing(dynamics):
        return None

    return {
        "ratio": {"0.0": 0.0, "1": 1, "61": 61, "1.0000001": 1.0000001, "'0.5'": "0.5"},
        "budget": {"41": 41, "10.0": 10.0, "0": 0},
        "labeler": {
            "unknown name": "softmach",
            "SoftMatch in capitals": "SoftMatch",
            "a class": FixMatch,
            "a regressor": _regressor(),
        },
        "proxy": {
            "unknown name": "sgd",
            "a class": NetClassifier,
            "a regressor": _regressor(),
            "labeler without a net": "labeler",
        },
        "difficulty": {
            "unknown name": "duals",
            "empty list": [],
            "list of numbers": [1, 2],
            "list with unknown": ["aum", "x"],
            "wide window": partial(dual, window=50),
            "unknown keyword": partial(dual, windw=3),
            "short scores": short,
            "wide scores": wide,
            "texts": texts,
            "None as scores": nothing,
            "grand": "grand",
        },
        "selection": {
            "unknown name": "betas",
            "a class": Beta,
            "Cutoff too large": Cutoff(0.9),
            "Cutoff of text": Cutoff("half"),
            "Beta without epochs": Beta(n_epochs=0),
            "min_per_class too large": Hardest(min_per_class=20),
            "class_balanced of nonsense": Hardest(class_balanced="yes"),
            "unknown class": Hardest(class_balanced={"cat": 1}),
        },
        "record": {
            "a name": "test",
            "every 0": Recording(every=0),
            "every 50": Recording(every=50),
            "a class": Recording,
        },
        "schedule_epochs": {"5": 5},
        "include_labeled": {"'no'": "no", "1": 1},
        "image_size": {"64": 64},
        "image_shape": {"(1, 3, 3)": (1, 3, 3), "(2, 2)": (2, 2)},
        "memory": {"number": 3},
        "checkpoint": {"beneath a file": "table.npy/sub"},
        "random_state": {"default_rng": np.random.default_rng(0), "0.5": 0.5},
    }


def _regressor():
    from sklearn.linear_model import LinearRegression

    return LinearRegression()


BASELINES = {
    KCenterPruner: {"embedding": WatchedPCA(2)},
    HerdingPruner: {"embedding": WatchedPCA(2)},
    D2Pruner: {"embedding": WatchedPCA(2), "n_clusters": 3},
    ModeratePruner: {"embedding": WatchedPCA(2), "n_clusters": 3},
    PrototypicalityPruner: {"embedding": WatchedPCA(2), "n_clusters": 3},
    ZCorePruner: {"embedding": WatchedPCA(2)},
    ELFSPruner: {"embedding": WatchedPCA(2), "n_clusters": 3, "proxy": proxy(), "n_epochs": 10},
    ActivePruner: {"classifier": WatchedClassifier(), "strategy": "margin", "include_labeled": False},
    SupervisedPruner: {"proxy": proxy(), "n_epochs": 10, "difficulty": "aum"},
    RandomPruner: {},
}


def _complaint(n_kept):
    def check(fitted):
        mask = pruner_of(fitted).support_
        return None if mask.sum() == n_kept else f"{int(mask.sum())} rows are kept, not {n_kept}"

    return check


def parameter_cases():
    """Return the cases of parameters."""
    return [*_semi_prune_cases(), *_classifier_cases(), *_baseline_cases()]


def _semi_prune_cases():
    X, y = table()[0], partial_labels()
    cases = []
    for parameter in semi_prune().get_params(deep=False):
        if parameter == "missing_label":
            continue
        nets = {"labeler": FixMatch(n_steps=1, batch_size=8)} if parameter == "device" else {}
        for what, value in ODD.items():
            if what in EITHER.get(parameter, ()):
                continue
            works = what in RIGHT[parameter]
            seed = {"random_state": 0} if parameter != "random_state" else {}
            call = partial(_fit, lambda params: semi_prune(**params), seed | nets | {parameter: value}, X, y)
            cases.append(
                Case(
                    "SemiPrune: parameters",
                    f"SemiPrune, {parameter}={what}",
                    call,
                    WORKS if works else REFUSED,
                    names_of(parameter),
                    _complaint(30),
                )
            )
        for what, (value, n_kept) in edges().get(parameter, {}).items():
            call = partial(_fit, lambda params: semi_prune(**params), {parameter: value}, X, y)
            cases.append(
                Case("SemiPrune: edges", f"SemiPrune, {parameter} at {what}", call, WORKS, "", _complaint(n_kept))
            )
        for what, value in bad_edges().get(parameter, {}).items():
            call = partial(_fit, lambda params: semi_prune(**params), {parameter: value}, X, y)
            cases.append(
                Case("SemiPrune: edges", f"SemiPrune, {parameter} beyond {what}", call, REFUSED, names_of(parameter))
            )
    return cases


_WORDS = {
    "selection": "min_per_class|hard_cutoff|n_epochs|class_balanced",
    "difficulty": "difficult|window|grand",
    "record": "every|mode",
    "schedule_epochs": "n_epochs",
}


def names_of(parameter):
    """Return what the refusal of a parameter names: itself, or another one on which its bounds depend."""
    return f"{parameter}|{_WORDS.get(parameter, parameter)}"


def _fit(make, params, X, y):
    return make(params).fit(X, y)


def _classifier_cases():
    X, y = table()[0], partial_labels()
    cases = []
    for parameter in ("pruner", "estimator", "labels"):
        for what, value in ODD.items():
            works = what in RIGHT[parameter]
            call = partial(_fit, lambda params: pruned_classifier().set_params(**params), {parameter: value}, X, y)
            cases.append(
                Case(
                    "PrunedClassifier: parameters",
                    f"PrunedClassifier, {parameter}={what}",
                    call,
                    WORKS if works else REFUSED,
                    parameter,
                )
            )
    for what, value in ODD.items():
        call = lambda value=value: PruningSampler(value).fit_resample(X, y)  # noqa: E731
        cases.append(Case("PruningSampler: parameters", f"PruningSampler, pruner={what}", call, REFUSED, "pruner"))
    return cases


def _baseline_cases():
    X, cases = table()[0], []
    for pruner, defaults in BASELINES.items():
        y = table()[1] if pruner is SupervisedPruner else partial_labels()
        for parameter in pruner().get_params(deep=False):
            if parameter == "missing_label":
                continue
            nets = {"proxy": None} if parameter == "device" and "proxy" in defaults else {}
            nets |= {"classifier": None} if parameter == "device" and "classifier" in defaults else {}
            for what, value in ODD.items():
                if what in EITHER.get(parameter, ()):
                    continue
                works = what in RIGHT[parameter]
                if works and parameter in ("classifier", "proxy", "device") and what == "None":
                    continue  # a net that trains for a thousand steps
                if pruner is ActivePruner and parameter == "classifier" and what == "an estimator":
                    continue
                params = {"random_state": 0} | defaults | nets | {parameter: value}
                call = partial(_fit, lambda params, pruner=pruner: pruner(**params), params, X, y)
                cases.append(
                    Case(
                        "baselines: parameters",
                        f"{pruner.__name__}, {parameter}={what}",
                        call,
                        WORKS if works else REFUSED,
                        names_of(parameter),
                        _complaint(30),
                    )
                )
    return cases
