"""What "unlabeled" looks like."""

import numpy as np
import pandas as pd
import pytest

from skprune._utils._labels import encode_labels, labels_at, missing_mask, with_answers

EXPECTED = [0, 1, -1, 1]


@pytest.mark.parametrize(
    "y",
    [
        np.array([0, 1, -1, 1]),
        [0, 1, -1, 1],
        [0, 1, None, 1],
        [1.0, 2.0, np.nan, 2.0],
        np.array([-1.0, 1.0, np.nan, 1.0]),
        [-1, 1, None, 1],
        ["cat", "dog", None, "dog"],
        np.array(["cat", "dog", -1, "dog"], dtype=object),
        [False, True, None, True],
        np.array([False, True, -1, True], dtype=object),
        np.ma.MaskedArray([3, 7, 3, 7], mask=[0, 0, 1, 0]),
        pd.Series(["a", "b", None, "b"]),
        pd.Series([1, 2, pd.NA, 2], dtype="Int64"),
        pd.Series([False, True, pd.NA, True], dtype="boolean"),
        pd.Series(["x", "y", None, "y"], dtype="category"),
        pd.Series([0, 1, -1, 1], index=[9, 8, 7, 6]),
        np.array([0, 1, -1, 1], dtype=np.int8),
    ],
)
def test_every_kind_of_partial_label(y):
    codes, classes = encode_labels(y)
    assert codes.tolist() == EXPECTED
    assert len(classes) == 2
    assert missing_mask(y).tolist() == [False, False, True, False]


def test_minus_one_is_a_class_beside_nan():
    _, classes = encode_labels([-1, 1, np.nan])
    assert classes.tolist() == [-1, 1]


def test_beneath_a_mask_nothing_is_read():
    hidden = np.array([0, 1, 99, 1])
    codes, classes = encode_labels(np.ma.MaskedArray(hidden, mask=[0, 0, 1, 0]))
    assert codes.tolist() == EXPECTED
    assert classes.tolist() == [0, 1]


def test_explicit_missing_label():
    codes, classes = encode_labels(["a", "b", "?", "b"], missing_label="?")
    assert codes.tolist() == EXPECTED
    assert classes.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed"),
        ([-1, -1], "no labeled row"),
        ([None, None], "no labeled row"),
        ([2, -1, 2], "one class only"),
        (np.array(["a", "b", "-1"]), "use an object array|Use an object array"),
        (pd.Series(["a", "b", "-1"], dtype="string"), "Use an object array"),
        (["a", "b", "-1"], "Use an object array"),
        (pd.Series(["a", "b", "-1"], dtype="category"), "Use an object array"),
        (["a", 1, None], "mixes"),
        ([0.0, 1.0, np.inf], "infinity"),
        ([0.5, 1.25, np.nan], "Unknown label type"),
        (np.zeros((3, 2)), "1d"),
    ],
)
def test_refused_labels(y, message):
    with pytest.raises(ValueError, match=message):
        encode_labels(y)


def test_missing_label_that_contradicts_a_nan():
    with pytest.raises(ValueError, match="missing value at row 2"):
        encode_labels([0.0, 1.0, np.nan], missing_label=-1)


def test_a_label_outside_known_classes():
    with pytest.raises(ValueError, match="not among the classes"):
        encode_labels([0, 5], classes=np.array([0, 1]))


def test_known_classes_decide_what_minus_one_is():
    assert missing_mask([-1, 1, -1], classes=np.array([-1, 1])).tolist() == [False] * 3
    assert missing_mask([-1, 1, -1], classes=np.array([0, 1])).tolist() == [True, False, True]
    assert encode_labels([-1, 1], classes=np.array([-1, 1]))[0].tolist() == [0, 1]


def test_labels_at_reads_those_rows_alone():
    class Trap:
        def __repr__(self):
            return "trap"

    y = np.array(["a", Trap(), "b"], dtype=object)
    assert labels_at(y, np.array([2, 0])).tolist() == ["b", "a"]
    with pytest.raises(ValueError, match="row 1"):
        labels_at(["a", None], np.array([1]))


@pytest.mark.parametrize(
    "y",
    [
        ["a", pd.NaT, "b"],
        [1, pd.NaT, 2],
        np.array(["a", np.datetime64("NaT"), "b"], dtype=object),
        np.array(["a", np.timedelta64("NaT"), "b"], dtype=object),
        np.array(["2020-01-01", "NaT", "2021-01-01"], dtype="datetime64[D]"),
        np.array([1, "NaT", 2], dtype="timedelta64[s]"),
        pd.Series(["2020-01-01", None, "2021-01-01"], dtype="datetime64[ns]"),
    ],
)
def test_not_a_time_is_missing(y):
    assert missing_mask(y).tolist() == [False, True, False]


def test_dates_as_labels():
    codes, classes = encode_labels(np.array(["2021-01-01", "NaT", "2020-01-01"], dtype="datetime64[D]"))
    assert codes.tolist() == [1, -1, 0]
    assert len(classes) == 2


def test_an_oracle_answers_for_the_rows_that_are_asked():
    rows, asked = np.array([0, 2, 3]), np.array([False, True, True])
    oracle = np.array(["never read", "never read", 1, 0], dtype=object)
    labels = with_answers(np.array([1, 0, 1]), asked, oracle, rows, np.array([0, 1]))
    assert labels.tolist() == [1, 1, 0]
    assert labels.dtype.kind == "i"
    names = with_answers(np.array(["a", "b", "b"]), asked, ["?", "?", "a", "longer"], rows, np.array(["a", "b"]))
    assert names.tolist() == ["a", "a", "longer"]
    with pytest.raises(ValueError, match="y_oracle has no label for row 3, which is kept"):
        with_answers(np.array([1, 0, 1]), asked, [1, 1, 1, None], rows, np.array([0, 1]))
    with pytest.raises(ValueError, match="mixes"):
        with_answers(np.array([1, 0, 1]), asked, ["1", "1", "1", "1"], rows, np.array([0, 1]))
