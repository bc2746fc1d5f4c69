"""What "unlabeled" looks like."""

import re
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import DataConversionWarning

from skprune._utils._labels import (
    codes_of_keys,
    encode_any_labels,
    encode_labels,
    labels_at,
    mark_of,
    missing_mask,
    read_answers,
    with_answers,
)

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


def test_a_column_of_labels_is_read_with_a_warning():
    with pytest.warns(DataConversionWarning, match="column-vector"):
        codes, _ = encode_labels(np.array([[0], [1], [-1], [1]]))
    assert codes.tolist() == EXPECTED
    for y in (np.zeros((4, 2)), np.ma.MaskedArray(np.zeros((4, 1)))):
        with pytest.raises(ValueError, match="1d array"):
            encode_labels(y)


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
    ("y", "missing_label", "mark"),
    [
        ([0, 1], "auto", -1),
        ([0, None], "auto", None),
        (["a", "?"], "?", "?"),
        (["a", "z"], "z", "z"),
        ([0, 1], np.int64(1), 1),
        ([0, np.nan], np.nan, None),
    ],
)
def test_what_marks_unlabeled_rows(y, missing_label, mark):
    assert mark_of(y, missing_label) == mark


def test_answers_of_people():
    told, missing = read_answers(["a", "?", None, "c"], "?", ["a", "b"], is_auto=False)
    assert (told.tolist(), missing.tolist()) == (["a", "c"], [False, True, True, False])
    told, missing = read_answers([1, -1], None, [0, 1], is_auto=True)
    assert (told.tolist(), missing.tolist()) == ([1, -1], [False, False])
    with pytest.raises(ValueError, match=r"labels holds '\?', which looks like a mark"):
        read_answers(["a", "?"], None, ["a", "b"], is_auto=True)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed"),
        ([-1, -1], "no labeled row"),
        ([None, None], "no labeled row"),
        ([2, -1, 2], "one class only"),
        ([1, -1, 1], "one class only.*-1 was read as unlabeled, in 1 rows; set missing_label=None if it is a class"),
        (["a", 1, None], "mixes"),
        (["a", "b", -1, None], "y mixes 2 strings with 1 labels of another type.*one mark, such as None"),
        ([0.0, 1.0, np.inf], "infinity"),
        ([0.5, 1.25, np.nan], "Unknown label type"),
        (np.zeros((3, 2)), "1d"),
        (np.array([1j, 2j]), "^Complex data not supported: y holds values of dtype complex128"),
        (np.zeros(2, dtype="V8"), r"^y holds values of dtype \|V8"),
    ],
)
def test_refused_labels(y, message):
    with pytest.raises(ValueError, match=message):
        encode_labels(y)


def test_a_mark_beside_labels_of_two_kinds():
    with pytest.raises(ValueError, match="y mixes 2 strings with 1 labels of another type"):
        encode_labels(["a", 1, "b"], missing_label="?")


def test_one_class_beside_a_mark_of_ones_own():
    with pytest.raises(ValueError, match=r"holds one class only .* Label rows of at least two classes\.$"):
        encode_labels(["b", "z", "b"], missing_label="z")


def test_missing_label_that_contradicts_a_nan():
    with pytest.raises(ValueError, match="missing value at row 2.*replace -1 by None, and leave missing_label out"):
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
    for texts in (["1", "1", "1", "1"], np.array(["1", "1", "1", "1"])):
        with pytest.raises(ValueError, match="mixes"):
            with_answers(np.array([1, 0, 1]), asked, texts, rows, np.array([0, 1]))
    with pytest.raises(ValueError, match="mixes"):
        with_answers(np.array(["a", "b", "b"]), asked, [1, 1, 1, 1], rows, np.array(["a", "b"]))


CONTAINERS = (list, np.array, partial(np.array, dtype=object), partial(pd.Series, dtype="string"), pd.Categorical)
MARKS = (
    "",
    " ",
    "?",
    "nan",
    "None",
    "NONE",
    "NA",
    "n/a",
    "<NA>",
    "NaT",
    "null",
    "-1",
    "-1 ",
    "-1.0",
    "Unlabelled",
    "unlabeled",
)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("mark", MARKS)
def test_a_text_that_looks_like_a_mark_is_refused_by_name(container, mark):
    y = container(["cat", "dog", mark, "dog"])
    with pytest.raises(ValueError, match="looks like a mark") as refused:
        encode_labels(y)
    assert f"{mark!r}, which looks like a mark" in str(refused.value)
    assert f"Set missing_label={mark!r} if it marks unlabeled rows, missing_label=None if it is a class" in str(
        refused.value
    )
    assert encode_labels(y, mark, warn=True)[0].tolist() == EXPECTED
    assert mark in encode_labels(y, None, warn=True)[1]
    assert not missing_mask(y, classes=np.array(["cat", "dog", mark])).any()


def test_bytes_that_look_like_a_mark():
    with pytest.raises(ValueError, match=r"b'\?', which looks like a mark"):
        encode_labels(np.array([b"cat", b"dog", b"?"]))


def test_several_marks_become_none():
    with pytest.raises(ValueError, match=r"y holds '', '\?', which looks .* Replace it by None"):
        encode_labels(["cat", "dog", "?", ""])


def test_a_text_mark_beside_missing_labels_is_warned_of():
    y = ["cat", "dog", "none", None]
    with pytest.warns(UserWarning, match=r"y holds 'none', read as a class\. Replace it by None if") as seen:
        codes, classes = encode_labels(y, warn=True)
    assert len(seen) == 1
    assert (codes.tolist(), classes.tolist()) == ([0, 1, 2, -1], ["cat", "dog", "none"])
    encode_labels(y)  # who reads without a fit is not warned
    encode_labels(y, None, warn=True)


@pytest.mark.parametrize("classes", [["nano", "Nancy", "neg-1"], ["1", "2", "3"], ["unlabeled cells", "a", "b"]])
def test_usual_names_are_no_marks(classes):
    assert encode_labels(classes, warn=True)[1].tolist() == sorted(classes)


@pytest.mark.parametrize(
    "y",
    [
        [-1, 0, 1, 0, 1],
        [-1.0, 0.0, 1.0, 0.0],
        [-2, -1, 0, 1, 2],
        np.array([-3, -1, -1, -1, -1, 4]),
    ],
)
def test_minus_one_that_may_be_a_class_is_named(y):
    with pytest.warns(UserWarning, match=r"y holds -1 in \d of \d rows, read as unlabeled, beside \[") as seen:
        codes, _ = encode_labels(y, warn=True)
    assert len(seen) == 1
    assert "Set missing_label=-1 if it marks unlabeled rows, missing_label=None if it is a class" in str(
        seen[0].message
    )
    assert (codes == -1).tolist() == [v == -1 for v in y]
    assert encode_labels(y, -1, warn=True)[0].tolist() == codes.tolist()
    assert -1 in encode_labels(y, None, warn=True)[1]


@pytest.mark.parametrize(
    "y",
    [
        [0, 1, 2, -1],
        [3, 7, -1],
        [0, 1, -1, -1, -1],
        [1, 2, -1],
        np.array(["a", "b", -1], dtype=object),
        np.array([True, False, -1], dtype=object),
        [0, 1, 2],
        [-1, 1, None],
        [-1, 0, 1, None, None, None, None],
        [-2, -1, 0, 1, None],
        [0, 1, None],
    ],
)
def test_plain_labels_pass_without_a_warning(y):
    encode_labels(y, warn=True)


def test_the_first_five_classes_beside_minus_one_are_named():
    with pytest.warns(UserWarning, match=r"in 1 of 8 rows, read as unlabeled, beside \[-9, -8, -7, -6, -5\]\."):
        encode_labels([-1, -9, -8, -7, -6, -5, -4, -3], warn=True)


def test_a_single_other_class_beside_minus_one():
    with pytest.warns(UserWarning, match=r"y holds -1 in 2 of 3 rows, read as unlabeled, beside \[1\]"):
        codes, classes = encode_any_labels([-1, 1, -1])
    assert (codes.tolist(), classes.tolist()) == ([-1, 0, -1], [1])


@pytest.mark.parametrize("y", [[-1, 0, 1, 1, None], [-1, -1, 0, 1, 2, np.nan]])
def test_minus_one_beside_missing_labels_is_named(y):
    with pytest.warns(
        UserWarning, match=r"y holds -1 in \d rows, read as a class, because 1 other labels are None"
    ) as seen:
        codes, classes = encode_labels(y, warn=True)
    assert len(seen) == 1
    assert classes[0] == -1
    assert encode_labels(y, None, warn=True)[0].tolist() == codes.tolist()


@given(st.lists(st.sampled_from([-2, -1, 0, 1, 2, 3]), min_size=3, max_size=12), st.booleans())
def test_an_explicit_mark_means_the_same_whatever_else_there_is(labels, with_null):
    """One more missing label, or one fewer, never changes what -1 means."""
    y = np.array([*labels, None] if with_null else labels, dtype=object)
    as_class = missing_mask(y, None)
    assert as_class.tolist() == [label is None for label in y]
    if not with_null:
        assert missing_mask(y, -1).tolist() == [label == -1 for label in y]


@pytest.mark.parametrize(
    ("y", "mark", "held"), [(["a", "b", "? "], "?", "'? '"), (["a", "-1"], -1, "'-1'"), ([0, 1, -1], "-1", "-1")]
)
def test_another_spelling_of_the_mark_is_refused(y, mark, held):
    with pytest.raises(ValueError, match=rf"marks no row, but y holds {re.escape(held)}\. Set missing_label="):
        encode_labels(y, mark)
    assert encode_labels(["a", "b"], "?")[0].tolist() == [0, 1]


def test_one_mark_at_a_time():
    with pytest.raises(ValueError, match="'auto' or one value"):
        encode_labels(["a", "b"], ["", "?"])


@pytest.mark.parametrize("name", ["plain", np.str_("cat")])
def test_messages_show_labels_as_people_write_them(name):
    y = [np.str_("dog"), np.str_("cat"), name, None]
    _, classes = encode_labels(y)
    assert repr(classes.tolist()) == repr(sorted({"cat", "dog", str(name)}))
    with pytest.raises(ValueError, match=r"holds one class only \('dog'\)"):
        encode_labels([np.str_("dog")] * 2)
    with pytest.raises(
        ValueError, match=r"missing_label='Dog' marks no row, but y holds 'dog'\. Set missing_label='dog' if"
    ):
        encode_labels(y[:3], np.str_("Dog"))
    with pytest.raises(
        ValueError, match=r"but missing_label=7 says that another value marks unlabeled rows\. .* replace 7 by"
    ):
        encode_labels([1, 2, None], np.int64(7))
    with pytest.raises(ValueError, match=r"class_weight names 7, which is not among the classes \[1, 2\]"):
        codes_of_keys({np.int64(7): 1.0}, np.array([1, 2]), "class_weight")


def test_keys_of_classes_become_those_of_codes():
    assert codes_of_keys({"b": 2, "a": 1}, np.array(["a", "b", "c"]), "weights") == {1: 2, 0: 1}
    with pytest.raises(ValueError, match=r"weights names 'd', which is not among the classes \['a', 'b'\]"):
        codes_of_keys({"d": 2}, np.array(["a", "b"]), "weights")
