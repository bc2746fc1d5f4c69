"""Cases of inputs.py: labels of every kind, the marks of a missing one, and what are no labels."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import scipy.sparse as sp
import torch
from inputs_rules import (
    N_ROWS,
    PRUNERS,
    REFUSED,
    WARNS,
    WORKS,
    Case,
    WatchedClassifier,
    complaint_about,
    partial_labels,
    pruner_of,
    semi_prune,
    table,
)
from sklearn.linear_model import LogisticRegression

from skprune.baselines import ActivePruner, PrototypicalityPruner

NAMES = np.array(["cat", "dog", "two words"])
LABEL_PRUNERS = {name: PRUNERS[name] for name in ("SemiPrune", "PrunedClassifier", "RandomPruner")} | {
    "PrototypicalityPruner": lambda **params: PrototypicalityPruner(n_clusters=3, random_state=0, **params),
    "ActivePruner": lambda **params: ActivePruner(
        strategy="margin", classifier=WatchedClassifier(), include_labeled=False, random_state=0, **params
    ),
}
NEED_LABELS = ("SemiPrune", "PrunedClassifier", "ActivePruner")


def marked(mark, values=None):
    """Return the labels as objects, with a mark where there is none, and the labels with None there."""
    codes = partial_labels()
    values = range(3) if values is None else values
    given = [None if code < 0 else values[code] for code in codes]
    y = np.empty(N_ROWS, dtype=object)
    y[:] = [mark if label is None else label for label in given]
    return y, given


def _array(values, mark, dtype):
    y, given = marked(mark, values)
    return np.array(y.tolist(), dtype=dtype), given


def _every_other(mark_1, mark_2):
    y, given = marked(None)
    y[partial_labels() < 0] = [mark_1, mark_2] * 20
    return y, given


def _named(container):
    y, given = marked(None, NAMES.tolist())
    return container(y), given


def _masked(values, beneath):
    codes = partial_labels()
    y = np.ma.array(np.asarray(values)[np.where(codes < 0, 0, codes)], mask=codes < 0)
    y.data[codes < 0] = beneath
    return y, marked(None, list(values))[1]


def _whole(make):
    y = table()[1]
    return make(y), None


def marks():
    """Return, by name, labels of which some are missing: parameters, and the labels with what they say."""
    text, kinds = NAMES.tolist(), {}
    for dtype in ["int8", "int32", "int64", "float16", "float32", "float64", ">i4", ">f8", "object"]:
        kinds[f"-1 in {dtype}"] = {}, lambda dtype=dtype: _array(range(3), -1, dtype)
    for dtype in ["float16", "float32", "float64", "longdouble", ">f8", "object"]:
        kinds[f"NaN in {dtype}"] = {}, lambda dtype=dtype: _array(range(3), np.nan, dtype)
    kinds |= {
        "None": ({}, lambda: marked(None)),
        "None in a list": ({}, lambda: (marked(None)[0].tolist(), marked(None)[1])),
        "None in a tuple": ({}, lambda: (tuple(marked(None)[0].tolist()), marked(None)[1])),
        "-1 in a list": ({}, lambda: (marked(-1)[0].tolist(), marked(-1)[1])),
        "pd.NA": ({}, lambda: marked(pd.NA)),
        "None beside NaN": ({}, lambda: _every_other(None, np.nan)),
        "pd.NA beside NaT": ({}, lambda: _every_other(pd.NA, pd.NaT)),
        "None beside names": ({}, lambda: marked(None, text)),
        "NaN beside names": ({}, lambda: marked(np.nan, text)),
        "Series of names": ({}, lambda: _named(pd.Series)),
        "Series of string": ({}, lambda: _named(lambda y: pd.Series(y, dtype="string"))),
        "Series of category": ({}, lambda: _named(lambda y: pd.Series(y, dtype="category"))),
        "Categorical": ({}, lambda: _named(pd.Categorical)),
        "Categorical with a class more": ({}, lambda: _named(lambda y: pd.Categorical(y, [*text, "yak"]))),
        "Index": ({}, lambda: _named(pd.Index)),
        "Series of Int64": ({}, lambda: (pd.Series(marked(None)[0], dtype="Int64"), marked(None)[1])),
        "array of Int64": ({}, lambda: (pd.array(marked(None)[0], dtype="Int64"), marked(None)[1])),
        "Series with shuffled index": (
            {},
            lambda: _named(lambda y: pd.Series(y, index=np.random.default_rng(0).permutation(N_ROWS))),
        ),
        "Series of float": ({}, lambda: (pd.Series(marked(np.nan)[0], dtype=float), marked(None)[1])),
        "polars": ({}, lambda: _named(lambda y: pl.Series(y.tolist()))),
        "polars of Categorical": ({}, lambda: _named(lambda y: pl.Series(y.tolist(), dtype=pl.Categorical))),
        "polars of numbers": ({}, lambda: (pl.Series(marked(None)[0].tolist()), marked(None)[1])),
        "masked": ({}, lambda: _masked(range(3), 0)),
        "masked, nonsense beneath": ({}, lambda: _masked(range(3), 99)),
        "masked, floats, NaN beneath": ({}, lambda: _masked([0.0, 1.0, 2.0], np.nan)),
        "masked names": ({}, lambda: _masked(text, "?")),
        "floats of whole numbers": ({}, lambda: _array([1.0, 2.0, 3.0], np.nan, float)),
        "large numbers": ({}, lambda: _array([2**60, 2**60 + 1, 2**60 + 2], -1, np.int64)),
        "large numbers beside None": ({}, lambda: marked(None, [2**60, 2**60 + 1, 2**60 + 2])),
        "NumPy's integers": ({}, lambda: marked(None, [np.int8(0), np.int64(1), np.uint16(2)])),
        "NumPy's texts": ({}, lambda: marked(None, [np.str_(name) for name in text])),
        "int beside float": ({}, lambda: marked(None, [0, 1.0, 2])),
        "names that differ in case": ({}, lambda: marked(None, ["a", "A", "b"])),
        "names that differ in spaces": ({}, lambda: marked(None, ["a", "a ", " a"])),
        "names of other scripts": ({}, lambda: marked(None, ["été", "猫", "\U0001f415"])),
        "negative classes": ({}, lambda: marked(None, [-3, -2, 5])),
        "tensor": ({}, lambda: (torch.from_numpy(partial_labels()), marked(None)[1])),
        "tensor of float, NaN": ({}, lambda: (torch.tensor(_array(range(3), np.nan, float)[0]), marked(None)[1])),
        "tensor of requires_grad": (
            {},
            lambda: (torch.tensor(_array(range(3), np.nan, float)[0], requires_grad=True), marked(None)[1]),
        ),
        "read-only": ({}, lambda: (np.frombuffer(partial_labels().tobytes(), dtype=np.int64), marked(None)[1])),
        "strided": ({}, lambda: (np.repeat(partial_labels(), 2)[::2], marked(None)[1])),
        "-1 as class, None missing": ({"missing_label": None}, lambda: marked(None, [-1, 0, 1])),
        "-1 as class, NaN missing": ({"missing_label": np.nan}, lambda: _array([-1, 0, 1], np.nan, float)),
        "'nan' as class, None missing": ({"missing_label": None}, lambda: marked(None, ["nan", "?", "x"])),
    }
    texts, numbers = ("?", "", "nan", "None", "-1", "N/A", "no label", np.str_("?")), (-1, -9, 99, -1.0, np.int8(-1))
    for mark in (*texts, *numbers, None, np.nan, pd.NA):
        is_null = mark is None or mark is np.nan or mark is pd.NA
        values = text if isinstance(mark, str) or is_null else range(3)
        kinds[f"{mark!r} by missing_label"] = (
            {"missing_label": mark},
            lambda mark=mark, values=values: marked(mark, values),
        )
    return kinds


def doubtful():
    """Return, by name, labels that work, with a warning of what a mark was taken for."""
    kinds = {
        "'?' beside None": ({}, lambda: marked(None, ["?", "x", "y"]), "missing_label"),
        "'unlabelled' beside None": ({}, lambda: marked(None, ["unlabelled", "x", "y"]), "missing_label"),
    }
    kinds["column (n, 1)"] = {}, lambda: (partial_labels()[:, None], marked(None)[1]), "column-vector|1d array"
    kinds["frame of one column"] = (
        {},
        lambda: (pd.DataFrame({"y": partial_labels()}), marked(None)[1]),
        "column-vector|1d array",
    )
    kinds["-1 between 0 and 1"] = {}, lambda: (np.tile([-1, 0, 1], 20), None), "missing_label"
    kinds["None beside -1, few of them"] = (
        {},
        lambda: (np.array([None, *np.tile([-1, 0, 1], 20)[1:]], object), None),
        "-1",
    )
    return kinds


def no_labels():
    """Return, by name, what must be refused by every pruner, and by those alone that need labels."""
    y, values = table()[1], partial_labels()
    everywhere = {
        "complex": lambda: y + 1j,
        "one-hot": lambda: np.eye(3)[y],
        "frame of two columns": lambda: pd.DataFrame({"a": y, "b": y}),
        "lists": lambda: [[label] for label in y.tolist()],
        "sets": lambda: [{label} for label in y.tolist()],
        "dicts": lambda: [{"label": label} for label in y.tolist()],
        "tuples": lambda: [(label, label) for label in y.tolist()],
        "objects": lambda: [object() for _ in y],
        "functions": lambda: [len, max, min] * 20,
        "text beside numbers": lambda: ["a", 1, 2] * 20,
        "text beside bytes": lambda: ["a", b"b", "c"] * 20,
        "numbers beside dates": lambda: [1, datetime.date(2024, 1, 1)] * 30,
        "3-D": lambda: y[:, None, None],
        "0-D": lambda: np.array(1),
        "a number": lambda: 1,
        "a text": lambda: "label",
        "a function": lambda: len,
        "an object": object,
        "a dict": lambda: dict(enumerate(y.tolist())),
        "a set": lambda: set(range(N_ROWS)),
        "a generator": lambda: (label for label in y),
        "an iterator": lambda: iter(y),
        "sparse": lambda: sp.csr_array(y[:, None]),
        "shorter": lambda: values[:-1],
        "longer": lambda: np.append(values, 0),
        "empty": lambda: values[:0],
        "empty list": list,
        "shorter Series": lambda: pd.Series(values[:-1]),
        "tensor (n, 2)": lambda: torch.zeros(N_ROWS, 2),
        "masked (n, 2)": lambda: np.ma.zeros((N_ROWS, 2)),
        "structured": lambda: np.zeros(N_ROWS, dtype=[("a", int), ("b", int)]),
        "LazyFrame": lambda: pl.DataFrame({"y": y}).lazy(),
        "texts that may be marks": lambda: np.where(values < 0, "?", NAMES[values]),
        "'-1' of a CSV": lambda: values.astype(str),
        "'nan' of a CSV": lambda: np.where(values < 0, np.nan, values).astype(str),
        "'None' of a CSV": lambda: np.array([str(label) for label in marked(None)[1]]),
        "empty texts": lambda: np.where(values < 0, "", NAMES[values]),
        "'unlabeled'": lambda: np.where(values < 0, "unlabeled", NAMES[values]),
        "' NA '": lambda: np.where(values < 0, " NA ", NAMES[values]),
        "pd.Categorical of '?'": lambda: pd.Categorical(np.where(values < 0, "?", NAMES[values])),
    }
    need = {
        "None": lambda: None,
        "all None": lambda: [None] * N_ROWS,
        "all NaN": lambda: np.full(N_ROWS, np.nan),
        "all -1": lambda: np.full(N_ROWS, -1),
        "all NA": lambda: pd.array([None] * N_ROWS, dtype="Int64"),
        "all masked": lambda: np.ma.masked_all(N_ROWS, dtype=int),
        "fractions": lambda: y + 0.5,
        "continuous": lambda: np.random.default_rng(0).normal(size=N_ROWS),
        "inf": lambda: np.where(y == 2, np.inf, y),
        "Decimal with fractions": lambda: [Decimal(int(label)) + Decimal("0.5") for label in y],
        "dates": lambda: [datetime.date(2024, 1, 1 + label) for label in y.tolist()],
        "bytes": lambda: marked(None, [b"a", b"b", b"c"]),
        "numbers above 64 bits": lambda: marked(None, [2**70, 2**70 + 1, 2**70 + 2]),
        "one class": lambda: np.where(values < 0, -1, 1),
        "one class, all given": lambda: np.ones(N_ROWS, int),
        "one class of names": lambda: ["cat", *[None] * (N_ROWS - 1)],
        "-1 and 1": lambda: np.where(y == 0, -1, 1),
    }
    return everywhere, need


def given_labels():
    """Return, by name, labels that are all given."""
    return {
        "int": lambda: table()[1],
        "uint8": lambda: table()[1].astype(np.uint8),
        "whole floats": lambda: table()[1].astype(float),
        "names": lambda: NAMES[table()[1]],
        "StringDType": lambda: NAMES[table()[1]].astype(np.dtypes.StringDType()),
        "truth values": lambda: table()[1] > 1,
        "Series of boolean": lambda: pd.Series(table()[1] > 1, dtype="boolean"),
        "category": lambda: pd.Series(NAMES[table()[1]], dtype="category"),
        "ordered category": lambda: pd.Categorical(NAMES[table()[1]], NAMES[::-1], ordered=True),
        "polars Enum": lambda: pl.Series(NAMES[table()[1]].tolist(), dtype=pl.Enum(NAMES.tolist())),
        "int of Python": lambda: table()[1].tolist(),
        "range": lambda: range(N_ROWS),
    }


def _list_of(y):
    return y.to_list() if hasattr(y, "to_list") else list(y)


def label_cases():
    """Return the cases of y."""
    X = table()[0]
    cases = []

    def add(kind, name, what, params, make_y, expected, names="", *, same=False, checked=True):
        def call():
            y = make_y()
            y, given = y if isinstance(y, tuple) and len(y) == 2 and kind != "y: no labels" else (y, None)
            return LABEL_PRUNERS[name](**params).fit(X, y), given

        def check(result):
            has_mask = same and name in PRUNERS
            return complaint_about(result[0], name, same=has_mask, given=result[1], X=X)

        cases.append(Case(kind, f"{name}, y: {what}", call, expected, names, check if checked else None))

    for name in LABEL_PRUNERS:
        needs = name in NEED_LABELS
        for what, (params, make_y) in marks().items():
            add("y: marks of missing labels", name, what, params, make_y, WORKS, same=True)
        for what, (params, make_y, names) in doubtful().items():
            add("y: doubtful", name, what, params, make_y, WARNS, names)
        for what, make_y in given_labels().items():
            if what == "range" and not needs:
                continue
            add("y: all given", name, what, {}, lambda make_y=make_y: (make_y(), _list_of(make_y())), WORKS)
        everywhere, need = no_labels()
        for what, make_y in everywhere.items():
            add("y: no labels", name, what, {}, make_y, REFUSED, r"\by\b|[Ll]abel")
        for what, make_y in need.items():
            expected = REFUSED if needs else WORKS
            add("y: no classes", name, what, {}, make_y, expected, r"\by\b|[Ll]abel")
    return cases + mark_cases() + oracle_cases()


def mark_cases():
    """Return values of `missing_label` that cannot be right."""
    X, cases = table()[0], []
    y, names = partial_labels(), np.where(partial_labels() < 0, "?", NAMES[partial_labels()])
    wrong = {
        "a list": ([-1], y),
        "a tuple": ((-1, None), y),
        "an array": (np.array([-1]), y),
        "a set": ({-1}, y),
        "a dict": ({"mark": -1}, y),
        "'-1' for -1": ("-1", y),
        "-1 for '-1'": (-1, y.astype(str)),
        "'? ' for '?'": ("? ", names),
        "'N/A' for None": ("N/A", marked(None, NAMES.tolist())[0]),
        "-1 beside None": (-1, marked(None)[0]),
    }
    for name, make in LABEL_PRUNERS.items():
        for what, (mark, labels) in wrong.items():
            cases.append(
                Case(
                    "missing_label: no mark of y",
                    f"{name}, missing_label: {what}",
                    lambda make=make, mark=mark, labels=labels: make(missing_label=mark).fit(X, labels),
                    REFUSED,
                    "missing_label",
                )
            )
    return cases


def oracle_cases():
    """Return what PrunedClassifier gets besides X and y, and groups."""
    X, y = table()[0], partial_labels()
    full, make = table()[1], PRUNERS["PrunedClassifier"]
    oracles = {
        "all labels": (full, WORKS),
        "list": (full.tolist(), WORKS),
        "Series": (pd.Series(full), WORKS),
        "shorter": (full[:-1], REFUSED),
        "2-D": (np.eye(3)[full], REFUSED),
        "text": ("oracle", REFUSED),
        "number": (3, REFUSED),
        "generator": ((label for label in full), REFUSED),
        "2-D list": ([[label] for label in full.tolist()], REFUSED),
        "dict": (dict.fromkeys(range(N_ROWS), 1), REFUSED),
        "structured": (np.zeros(N_ROWS, dtype=[("a", int)]), REFUSED),
    }  # its labels are read of kept rows alone, once these are chosen
    cases = [
        Case(
            "y_oracle",
            f"PrunedClassifier, y_oracle: {what}",
            lambda oracle=oracle: make().fit(X, y, y_oracle=oracle),
            expected,
            "y_oracle",
            lambda fitted: complaint_about(fitted, "PrunedClassifier", same=False),
        )
        for what, (oracle, expected) in oracles.items()
    ]
    weights = {
        "ones": (np.ones(N_ROWS), WORKS),
        "list": ([1.0] * N_ROWS, WORKS),
        "Series": (pd.Series(np.ones(N_ROWS)), WORKS),
        "shorter": (np.ones(N_ROWS - 1), REFUSED),
        "text": ("heavy", REFUSED),
        "NaN": (np.full(N_ROWS, np.nan), REFUSED),
        "texts": (NAMES[full], REFUSED),
        "2-D": (np.ones((N_ROWS, 2)), REFUSED),
    }
    for what, (weight, expected) in weights.items():
        cases.append(
            Case(
                "sample_weight",
                f"PrunedClassifier, sample_weight: {what}",
                lambda weight=weight: make().set_params(estimator=LogisticRegression()).fit(X, y, sample_weight=weight),
                expected,
                "sample_weight|[Ss]ample weights",
            )
        )
    groups = {
        "numbers": (np.arange(N_ROWS) // 3, WORKS),
        "names": ([f"patient {row // 3}" for row in range(N_ROWS)], WORKS),
        "Series": (pd.Series(np.arange(N_ROWS) // 3), WORKS),
        "category": (pd.Categorical(np.arange(N_ROWS) // 3), WORKS),
        "fractions": (np.arange(N_ROWS) // 3 + 0.5, WORKS),
        "dates": (np.datetime64("2024-01-01") + np.arange(N_ROWS) // 3, WORKS),
        "one a row": (np.arange(N_ROWS), WORKS),
        "shorter": (np.arange(N_ROWS - 1), REFUSED),
        "None somewhere": ([None, *range(N_ROWS - 1)], REFUSED),
        "NaN somewhere": ([np.nan, *range(N_ROWS - 1)], REFUSED),
        "masked": (np.ma.array(np.arange(N_ROWS), mask=np.arange(N_ROWS) == 3), REFUSED),
        "2-D": (np.ones((N_ROWS, 2)), REFUSED),
        "text": ("patients", REFUSED),
        "number": (3, REFUSED),
        "generator": ((row for row in range(N_ROWS)), REFUSED),
        "lists": ([[row] for row in range(N_ROWS)], REFUSED),
        "dict": (dict.fromkeys(range(N_ROWS), 1), REFUSED),
        "one for all": (np.zeros(N_ROWS), REFUSED),
    }
    for select in ("all", "one"):
        for what, (group, expected) in groups.items():
            if (select, what) == ("one", "one for all"):
                continue
            cases.append(
                Case(
                    "groups",
                    f"SemiPrune, groups_select={select!r}, groups: {what}",
                    lambda group=group, select=select: semi_prune(groups_select=select).fit(X, y, groups=group),
                    expected,
                    "group",
                    _complaint_about_groups(group, select) if expected == WORKS else None,
                )
            )
    return cases


def _complaint_about_groups(groups, select):
    def check(fitted):
        mask = pruner_of(fitted).support_
        codes = pd.factorize(np.asarray(groups))[0]
        kept, sizes = np.bincount(codes, mask), np.bincount(codes)
        whole = np.isin(kept, [0, 1]).all() if select == "one" else ((kept == 0) | (kept == sizes)).all()
        return None if whole else "a group is divided"

    return check
