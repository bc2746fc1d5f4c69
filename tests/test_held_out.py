"""Labelled rows that are held out: the gate, and how much to keep."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skprune import SemiPrune, _held_out
from skprune._pipeline._held_out import compare_with_random, gate_message, hold_out, right_answers, smallest_good_enough
from skprune.datasets import make_partial_labels
from skprune.selection import Cutoff


class Noting(LogisticRegression):
    """A labeler that learns from the given labels alone, and notes them."""

    seen = []

    def fit(self, X, y):
        self.seen.append(np.array(y))
        return super().fit(X[y >= 0], y[y >= 0])


class Chosen(BaseEstimator):
    """A selection of a user: given rows."""

    def __init__(self, rows=()):
        self.rows = rows

    def select(self, scores, ratio, **others):
        mask = np.zeros(len(scores), dtype=bool)
        mask[self.rows] = True
        return mask


@pytest.fixture
def rare():
    """A pool in which one row of fifty is of the second class, and half of the labels are of it."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [2450, 50])
    X = rng.normal(size=(2500, 2)) * 0.2 + y[:, None]
    partial = np.full(2500, -1)
    partial[:40], partial[-40:] = 0, 1
    return X, y, partial


def pruner_of(selection, **params):
    defaults = {"labeler": Noting(), "proxy": SGDClassifier(loss="log_loss"), "n_epochs": 10, "random_state": 0}
    return SemiPrune(selection=selection, **defaults | params)


def test_a_coreset_that_is_better_passes_in_silence(rare):
    X, _, partial = rare
    both = np.r_[100:110, 2450:2460]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        pruner = pruner_of(Chosen(both), gate=True).fit(X, partial)
    gate = pruner.gate_
    assert gate["n_rows"] == 16
    assert gate["coreset"] == 1.0
    assert gate["low"] > 0.0
    assert gate["difference"] == pytest.approx(gate["coreset"] - gate["random"])
    assert gate["low"] <= gate["difference"] <= gate["high"]
    assert pruner.pseudo_label_accuracy_ is None
    assert pruner_of(Chosen(both)).fit(X, partial).gate_ is None


def test_a_coreset_that_is_no_better_is_told(rare):
    X, _, partial = rare
    message = (
        r"Random rows may be as good as this coreset, where both are trained on pseudo-labels: on 16 held-out labelled rows it "
        r"reaches 1\.000, as many random rows [01]\.\d{3}; difference [+-]0\.\d{3}, 95 % interval [+-]0\.\d{3} to [+-]0\.\d{3}\. "
        r"A difference of 0\.\d{3} would be seen in four of five cases"
    )
    with pytest.warns(UserWarning, match=message):
        pruner = pruner_of(Chosen(np.r_[100:1500, 2450:2480]), gate=True).fit(X, partial)
    assert pruner.gate_["difference"] <= 0.0
    assert pruner.gate_["detectable"] > 0.0


def test_more_labels_detect_smaller_differences():
    X, y = load_digits(return_X_y=True)
    found = []
    for n_labeled in (100, 1000):
        partial = make_partial_labels(y, n_labeled=n_labeled, random_state=0)
        with pytest.warns(UserWarning, match="Random rows may be as good"):
            found.append(pruner_of("random", gate=True).fit(X / 16, partial).gate_)
    assert [gate["n_rows"] for gate in found] == [20, 199]
    assert found[1]["detectable"] < found[0]["detectable"]
    assert found[1]["high"] - found[1]["low"] < 0.2


def test_nothing_that_is_compared_has_seen_the_held_out_labels(rare, monkeypatch):
    X, _, partial = rare
    trained = []

    def spy(proxy, pool, codes, *others):
        trained.append((pool, codes))
        return train_fully(proxy, pool, codes, *others)

    train_fully = _held_out.train_fully
    monkeypatch.setattr(_held_out, "train_fully", spy)
    Noting.seen.clear()
    pruner = pruner_of("random", gate=True, labeler=Noting(), ratio=0.9)
    with pytest.warns(UserWarning, match="Random rows may be as good"):
        pruner.fit(X, partial)
    main, without = Noting.seen
    hidden = np.flatnonzero((main >= 0) & (without < 0))
    assert hidden.size == 16
    assert len(trained) == 10
    assert {len(rows) for rows, _ in trained} == {(pruner.support_ & ~np.isin(np.arange(2500), hidden)).sum()}
    for rows, _ in trained:
        assert not (rows[:, None] == X[hidden]).all(axis=2).any()


def test_the_gate_of_a_pool_that_is_labelled(rare):
    """Nothing has to be labelled again: a fifth of the rows is held out."""
    X, y, _ = rare
    Noting.seen.clear()
    with pytest.warns(UserWarning, match="as good"):
        pruner = pruner_of("random", gate=True, labeler=Noting()).fit(X, y)
    assert pruner.gate_["n_rows"] == 500
    assert not Noting.seen


@pytest.mark.parametrize("name", ["gate", "estimate_accuracy"])
def test_too_few_labels_to_hold_some_out(rare, name):
    X, _, partial = rare
    few = np.full(2500, -1)
    few[[0, -1]] = 0, 1
    with pytest.raises(ValueError, match=f"{name} holds labelled rows out, and no class has two of them"):
        pruner_of("random", **{name: True}).fit(X, few)
    with pytest.raises(ValueError, match="Labelled rows cannot be held out: no class has two of them"):
        pruner_of("random").fit(X, few).suggest_ratio(X)


def test_one_row_is_held_out(rare):
    X, _, _ = rare
    few = np.full(2500, -1)
    few[[0, 1, -1]] = 0, 0, 1
    with pytest.warns(UserWarning, match="on 1 held-out labelled rows"):
        gate = pruner_of(Chosen(np.r_[100:110, 2450:2460]), gate=True).fit(X, few).gate_
    assert gate["detectable"] > 1.0  # more than there can be: one row tells nothing


def test_few_rows_tell_nothing(rare):
    """Of a row that each coreset gets right and random rows get wrong, bootstraps are as sure as of many."""
    X, y, _ = rare
    mask, none = np.isin(np.arange(2500), np.r_[100:110, 2450:2460]), np.zeros(2500, bool)
    messages = {}
    for count in (1, 3, 20):
        held = {"rows": np.arange(2500 - count, 2500), "codes": y}
        gate = compare_with_random(mask, none, held, X, y, SGDClassifier(loss="log_loss"), 1, 0)
        assert gate["difference"] > 0.3
        messages[count] = gate_message(gate)
    assert "Random rows may be as good" in messages[1]
    assert "Random rows may be as good" in messages[3]
    assert messages[20] is None


def test_every_seed_of_a_proxy_is_drawn(rare):
    """Those of the steps of a Pipeline too: trainings that are alike would be one."""
    X, _, partial = rare
    seeds = []

    class Seeded(SGDClassifier):
        def fit(self, X, y):
            seeds.append(self.random_state)
            return super().fit(X, y)

    held = {"rows": np.r_[0:20, 2480:2500], "codes": np.repeat([0, 1], [2450, 50])}
    mask, none = np.arange(2500) % 2 == 0, np.zeros(2500, bool)
    proxy = make_pipeline(StandardScaler(), Seeded(loss="log_loss", random_state=3))
    compare_with_random(mask, none, held, X, held["codes"], proxy, 1, 0)
    assert len(seeds) == 10
    assert len(set(seeds)) == 5


def test_one_class_is_kept(rare):
    X, y, partial = rare
    pruner = pruner_of("random").fit(X, partial)
    held = hold_out(pruner, Noting(), X, partial, 0)
    mask = np.arange(2500) < 100
    right = right_answers(mask, held, X, partial, SGDClassifier(loss="log_loss"), 10, 0)
    np.testing.assert_array_equal(right, y[held["rows"]] == 0)
    assert not right_answers(np.zeros(2500, bool), held, X, partial, SGDClassifier(loss="log_loss"), 10, 0).any()


@pytest.mark.parametrize(
    ("accuracies", "n_rows", "expected"),
    [
        ({0.1: 0.5, 0.3: 0.9, 0.5: 0.9}, 50, 0.3),
        ({0.1: 0.86, 0.3: 0.9}, 50, 0.1),
        ({0.1: 0.86, 0.3: 0.9}, 500, 0.3),
        ({0.1: 0.9, 0.3: 1.0}, 50, 0.3),
        ({0.1: 0.9, 0.3: 1.0}, 10, 0.1),
        ({10: 0.8, 0.5: 0.7}, 5000, 10),
    ],
)
def test_one_standard_error(accuracies, n_rows, expected):
    assert smallest_good_enough(accuracies, n_rows) == expected


def test_suggested_ratios(tmp_path):
    X, y = load_digits(return_X_y=True)
    X, partial = X / 16, make_partial_labels(y, n_labeled=300, random_state=0)
    Noting.seen.clear()
    pruner = pruner_of("random", labeler=Noting(), memory=str(tmp_path), random_state=0)
    pruner.fit(X, partial)
    support = pruner.support_
    ratio = pruner.suggest_ratio(X, [1.0, 0.5, 12])
    assert list(pruner.ratio_accuracies_) == [12, 0.5, 1.0]
    assert ratio in (0.5, 1.0)
    assert pruner.ratio_accuracies_[12] < 0.75 < pruner.ratio_accuracies_[0.5]
    np.testing.assert_array_equal(pruner.support_, support)
    assert len(Noting.seen) == 2
    assert pruner.suggest_ratio(X, [1.0]) == 1.0
    assert len(Noting.seen) == 2  # the run without the held-out labels is kept
    with pytest.raises(ValueError, match="X is not the data that SemiPrune was fitted on"):
        pruner.suggest_ratio(X[::-1])
    with pytest.raises(ValueError, match="ratios must hold one value at least"):
        pruner.suggest_ratio(X, [])
    assert not hasattr(pruner.fit(X, partial), "ratio_accuracies_")


def test_ratios_that_the_selection_can_keep(rare):
    X, _, partial = rare
    pruner = pruner_of(Cutoff(0.4, class_balanced="proportional")).fit(X, partial)
    pruner.suggest_ratio(X)
    assert list(pruner.ratio_accuracies_) == [0.1, 0.2, 0.3, 0.5]
    with pytest.raises(ValueError, match="hard_cutoff=0.4 drops 1000 of 2500 rows"):
        pruner.suggest_ratio(X, [0.5, 1.0])


def test_random_rows_have_the_labels_that_the_coreset_has():
    """With a weak labeler, what must stay is worth much; it is worth as much among random rows."""
    X, y = load_digits(return_X_y=True)
    partial = make_partial_labels(y, n_labeled=300, random_state=0)
    with pytest.warns(UserWarning, match="Random rows may be as good"):
        gate = (
            pruner_of("random", ratio=320, include_labeled=True, gate=True, labeler=Noting(C=3e-3))
            .fit(X / 16, partial)
            .gate_
        )
    assert abs(gate["difference"]) < 0.1


@pytest.mark.parametrize("ratio", [0.05, 0.1])
def test_the_level_of_the_gate(ratio):
    """Random rows against random rows: silence is an error, of few."""
    X, y = load_digits(return_X_y=True)
    codes = y.copy()
    rows = np.flatnonzero(np.arange(len(y)) % 5 == 0)
    none, silent = np.zeros(len(y), bool), []
    for seed in range(40):
        mask = np.random.default_rng(1000 + seed).random(len(y)) < ratio
        held = {"rows": rows, "codes": codes}
        gate = compare_with_random(
            mask, none, held, X / 16, codes, SGDClassifier(loss="log_loss", tol=None, max_iter=5), 1, seed
        )
        silent.append(gate_message(gate) is None)
    assert np.mean(silent) <= 0.15


def test_random_rows_that_are_better():
    gate = {
        "coreset": 0.5,
        "random": 0.7,
        "difference": -0.2,
        "low": -0.3,
        "high": -0.1,
        "n_rows": 50,
        "detectable": 0.15,
    }
    assert gate_message(gate).startswith("Random rows are better than this coreset, where both")
    assert gate_message(gate | {"low": 0.01}) is None
