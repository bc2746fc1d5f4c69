"""Refusals of parameters: what counts as which value, and what the messages say."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skprune import PrunedClassifier
from skprune._utils._parameter_checks import check_count, check_count_or_fraction, check_option
from skprune.dynamics import Recording
from skprune.dynamics._recording import as_recording
from skprune.model_selection import PartialLabelKFold


@pytest.mark.parametrize("value", ["pseudo", np.str_("pseudo"), np.array(["pseudo"])[0]])
def test_strings_of_numpy_are_options(value):
    check_option("labels", value, ("pseudo", "given"))


@pytest.mark.parametrize("value", [True, np.True_, np.array([True])[0], "auto", np.str_("auto"), None])
def test_truth_values_of_numpy_are_options(value):
    check_option("kl", value, (True, "auto", None))


@pytest.mark.parametrize("value", [1, np.int64(1), np.uint8(1)])
def test_integers_of_numpy_are_options(value):
    check_option("ddof", value, (0, 1))


@pytest.mark.parametrize("value", [True, np.True_, 1.0, np.float64(1), "1", np.str_("1"), np.array([1]), 2, None, [1]])
def test_what_is_equal_but_of_another_kind_is_no_option(value):
    with pytest.raises(ValueError, match="^ddof must be 0 or 1, got "):
        check_option("ddof", value, (0, 1))


@pytest.mark.parametrize("value", [1, np.int64(1), 0, 1.0, None, "True"])
def test_numbers_are_not_truth_values(value):
    with pytest.raises(ValueError, match="^kl must be True or False, got "):
        check_option("kl", value, (True, False))


@pytest.mark.parametrize("value", [True, np.True_])
def test_truth_values_are_not_counts(value):
    with pytest.raises(ValueError, match="^n must be an integer of at least 1, got "):
        check_count("n", value)


@pytest.mark.parametrize("value", [0, 3, 0.0, 0.5, 1.0, np.int64(7), np.float32(0.5)])
def test_counts_and_fractions(value):
    check_count_or_fraction("min_per_class", value)


@pytest.mark.parametrize("value", [-1, -0.1, 1.5, 2.0, np.nan, np.inf, True, np.True_, "a", None, [1]])
def test_neither_counts_nor_fractions(value):
    with pytest.raises(
        ValueError, match=r"^min_per_class must be an integer of at least 0 or a float within \[0, 1\], got "
    ):
        check_count_or_fraction("min_per_class", value)


def test_a_recording_becomes_one_of_plain_values():
    given = Recording(np.str_("eval"), every=np.int64(2), kl=np.True_)
    values = as_recording(given).get_params()
    assert values == {"mode": "eval", "every": 2, "kl": True}
    assert [type(values[name]) for name in ("mode", "every", "kl")] == [str, int, bool]


def test_a_grid_of_numpy_strings(quick, iris):
    X, _, y_partial = iris
    pruned = PrunedClassifier(LogisticRegression(max_iter=1000), quick())
    grid = {"labels": np.array(["pseudo", "given"]), "pruner__goal": np.array(["auto"])}
    search = GridSearchCV(pruned, grid, cv=PartialLabelKFold(2), error_score="raise")
    assert search.fit(X, y_partial).best_params_["labels"] in ("pseudo", "given")
