"""Labeled rows that are held out: the comparison with random rows, and how much to keep."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skprune import SemiPrune
from skprune._pipeline._held_out import HeldOut, hold_out
from skprune._pipeline._random_comparison import CoresetJudge, RandomComparison, _interval, smallest_sufficient_ratio
from skprune._pipeline._settings import Settings
from skprune._pipeline._stages import FullTraining
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
    return SemiPrune(selection=selection, goal="pseudo", **defaults | params)


def test_a_coreset_that_is_better_passes_in_silence(rare):
    X, _, partial = rare
    both = np.r_[100:110, 2450:2460]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        pruner = pruner_of(Chosen(both), compare_with_random=True).fit(X, partial)
    comparison = pruner.random_comparison_
    assert comparison.n_rows == 16
    assert comparison.coreset == 1.0
    assert comparison.low > 0.0
    assert comparison.difference == pytest.approx(comparison.coreset - comparison.random)
    assert comparison.low <= comparison.difference <= comparison.high
    assert pruner_of(Chosen(both)).fit(X, partial).random_comparison_ is None


def test_a_coreset_that_is_no_better_is_told(rare):
    X, _, partial = rare
    message = (
        r"Random rows may be as good as this coreset when both are trained on pseudo-labels: on 16 held-out labeled rows the "
        r"coreset reaches 1\.000 and as many random rows [01]\.\d{3}; the difference is [+-]0\.\d{3}, its 95 % interval "
        r"[+-]0\.\d{3} to [+-]0\.\d{3}\. A true difference of 0\.\d{3} would be detected four times out of five"
    )
    with pytest.warns(UserWarning, match=message):
        pruner = pruner_of(Chosen(np.r_[100:1500, 2450:2480]), compare_with_random=True).fit(X, partial)
    assert pruner.random_comparison_.difference <= 0.0
    assert pruner.random_comparison_.detectable > 0.0


def test_more_labels_detect_smaller_differences():
    X, y = load_digits(return_X_y=True)
    comparisons = []
    for n_labeled in (100, 1000):
        partial = make_partial_labels(y, n_labeled=n_labeled, random_state=0)
        with pytest.warns(UserWarning, match="Random rows may be as good"):
            comparisons.append(pruner_of("random", compare_with_random=True).fit(X / 16, partial).random_comparison_)
    few, many = comparisons
    assert (few.n_rows, many.n_rows) == (20, 199)
    assert many.detectable < few.detectable
    assert many.high - many.low < 0.2


def test_nothing_that_is_compared_has_seen_the_held_out_labels(rare, monkeypatch):
    X, _, partial = rare
    trained = []

    def spy(training, pool, codes):
        trained.append((pool, codes))
        return fit(training, pool, codes)

    fit = FullTraining.fit
    monkeypatch.setattr(FullTraining, "fit", spy)
    Noting.seen.clear()
    pruner = pruner_of("random", compare_with_random=True, labeler=Noting(), ratio=0.9)
    with pytest.warns(UserWarning, match="Random rows may be as good"):
        pruner.fit(X, partial)
    main, without = Noting.seen[-2:]  # after that of the trial
    hidden = np.flatnonzero((main >= 0) & (without < 0))
    assert hidden.size == 16
    assert len(trained) == 15
    n_kept, n_given = (pruner.support_ & ~np.isin(np.arange(2500), hidden)).sum(), (without >= 0).sum()
    assert [len(rows) for rows, _ in trained] == [n_kept, n_kept, n_given] * 5
    for rows, _ in trained:
        assert not (rows[:, None] == X[hidden]).all(axis=2).any()


def test_the_comparison_on_a_labeled_pool(rare):
    """Nothing has to be labeled again: a fifth of the rows is held out."""
    X, y, _ = rare
    Noting.seen.clear()
    with pytest.warns(UserWarning, match="Random rows may be as good as this coreset: on 500 held-out labeled rows"):
        pruner = pruner_of("random", compare_with_random=True, labeler=Noting()).fit(X, y)
    assert pruner.random_comparison_.n_rows == 500
    assert not Noting.seen


@pytest.mark.parametrize("name", ["compare_with_random", "estimate_accuracy"])
def test_too_few_labels_to_hold_some_out(rare, name):
    X, _, partial = rare
    few = np.full(2500, -1)
    few[[0, -1]] = 0, 1
    with pytest.raises(ValueError, match=f"{name} holds labeled rows out, and no class has two of them that differ"):
        pruner_of("random", **{name: True}).fit(X, few)
    with pytest.raises(ValueError, match="Labeled rows cannot be held out: no class has two of them"):
        pruner_of("random").fit(X, few).suggest_ratio(X)


def test_one_row_is_held_out(rare):
    X, _, _ = rare
    few = np.full(2500, -1)
    few[[0, 1, -1]] = 0, 0, 1
    with pytest.warns(UserWarning, match=r"on 1 held-out labeled row the .* can hardly tell: no difference would be"):
        pruner = pruner_of(Chosen(np.r_[100:110, 2450:2460]), compare_with_random=True).fit(X, few)
    comparison = pruner.random_comparison_
    assert (comparison.low, comparison.high, comparison.detectable) == (-1.0, 1.0, np.inf)  # one row tells nothing


@pytest.mark.parametrize("n_rows", [1, 2, 3, 10])
def test_differences_of_accuracies_lie_in_minus_one_to_one(n_rows):
    differences = np.random.default_rng(n_rows).choice([-1.0, 0.0, 1.0], size=(5, n_rows))
    interval = _interval(differences, np.random.default_rng(0))
    assert -1.0 <= interval["low"] <= interval["difference"] <= interval["high"] <= 1.0
    assert interval["detectable"] <= 1.0 or interval["detectable"] == np.inf


def judge_of(pool, codes, held_out, proxy=None, seed=0):
    proxy = SGDClassifier(loss="log_loss") if proxy is None else proxy
    return CoresetJudge(FullTraining(proxy, 1, seed), pool, codes, held_out)


def test_few_rows_tell_nothing(rare):
    """Of a row that each coreset gets right and random rows get wrong, bootstraps are as sure as of many."""
    X, y, _ = rare
    mask, none = np.isin(np.arange(2500), np.r_[100:110, 2450:2460]), np.zeros(2500, bool)
    messages = {}
    for count in (1, 3, 20):
        comparison = judge_of(X, y, HeldOut(np.arange(2500 - count, 2500), y, 2500 - count)).compare_with_random(
            mask, none
        )
        assert comparison.difference > 0.3
        messages[count] = comparison.warning()
    assert "Random rows may be as good" in messages[1]
    assert "Random rows may be as good" in messages[3]
    assert messages[20] is None


def test_every_seed_of_a_proxy_is_drawn(rare):
    """Those of the steps of a Pipeline too: trainings that are alike would be one."""
    X, y, _ = rare
    seeds = []

    class Seeded(SGDClassifier):
        def fit(self, X, y):
            seeds.append(self.random_state)
            return super().fit(X, y)

    proxy = make_pipeline(StandardScaler(), Seeded(loss="log_loss", random_state=3))
    judge = judge_of(X, y, HeldOut(np.r_[0:20, 2480:2500], y, 100), proxy)
    judge.compare_with_random(np.arange(2500) % 2 == 0, np.zeros(2500, bool))
    assert len(seeds) == 10
    assert len(set(seeds)) == 5


def test_one_class_is_kept(rare):
    X, y, partial = rare
    pruner = pruner_of("random").fit(X, partial)
    held_out = hold_out(Settings.of(pruner), Noting(), X, partial, 0)
    judge = judge_of(X, partial, held_out)
    np.testing.assert_array_equal(judge.correct(np.arange(2500) < 100, judge.training), y[held_out.rows] == 0)
    assert judge.accuracy(np.arange(2500) < 100) == pytest.approx(np.mean(y[held_out.rows] == 0))
    assert judge.accuracy(np.zeros(2500, bool)) == 0.0


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
    assert smallest_sufficient_ratio(accuracies, n_rows) == expected


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
    assert len(Noting.seen) == 3  # the trial among them
    assert pruner.suggest_ratio(X, [1.0]) == 1.0
    assert len(Noting.seen) == 3  # the run without the held-out labels is kept
    with pytest.raises(ValueError, match="X is not the data that SemiPrune was fitted to"):
        pruner.suggest_ratio(X[::-1])
    with pytest.raises(ValueError, match="ratios must hold at least one value"):
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
    pruner = pruner_of("random", ratio=320, include_labeled=True, compare_with_random=True, labeler=Noting(C=3e-3))
    with pytest.warns(UserWarning, match="Random rows may be as good"):
        pruner.fit(X / 16, partial)
    assert abs(pruner.random_comparison_.difference) < 0.1


@pytest.mark.parametrize("ratio", [0.05, 0.1])
def test_the_level_of_the_comparison(ratio):
    """Random rows against random rows: silence is an error, and rare."""
    X, y = load_digits(return_X_y=True)
    held_out = HeldOut(np.flatnonzero(np.arange(len(y)) % 5 == 0), y, 100)
    proxy, silent = SGDClassifier(loss="log_loss", tol=None, max_iter=5), []
    for seed in range(40):
        mask = np.random.default_rng(1000 + seed).random(len(y)) < ratio
        comparison = judge_of(X / 16, y, held_out, proxy, seed).compare_with_random(mask, np.zeros(len(y), bool))
        silent.append(comparison.warning() is None)
    assert np.mean(silent) <= 0.15


def test_random_rows_that_are_better():
    differences = {"difference": -0.2, "low": -0.3, "high": -0.1, "detectable": 0.15}
    worse = RandomComparison(0.5, 0.7, 0.6, n_rows=50, is_simulated=False, **differences)
    assert worse.best == "random rows"
    assert worse.warning().startswith("Random rows are better than this coreset when both")
    better = replace(worse, coreset=0.8, low=0.01)
    assert (better.best, better.warning()) == ("coreset", None)
    alone = replace(better, labels_alone=0.9)
    assert alone.best == "labels alone"
    assert alone.warning().endswith("The given labels alone reach 0.900.")
    assert replace(better, labels_alone=None).best == "coreset"


def test_the_interval_is_that_of_a_bootstrap_over_rows_and_trainings():
    """Many rows, few distinct differences: resampled counts are resampled rows."""
    rng = np.random.default_rng(0)
    differences = rng.choice([-1.0, 0.0, 1.0], p=[0.2, 0.5, 0.3], size=(5, 4000))
    interval = _interval(differences, np.random.default_rng(1))
    of_rows, of_trainings = differences.mean(axis=0), differences.mean(axis=1)
    spread = np.sqrt(of_rows.var() / 4000 + of_trainings.var() / 5)
    assert interval["difference"] == pytest.approx(of_rows.mean())
    assert interval["high"] - interval["low"] > 2 * 1.8 * spread
    assert interval["high"] - interval["low"] < 2 * 3.5 * spread
