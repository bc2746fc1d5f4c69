"""A budget of new labels beside the given ones, and lists of rows to annotate."""

import pickle

import numpy as np
import pytest
from conftest import CountingProxy
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.semi_supervised import LabelSpreading

from skprune import PrunedClassifier, PruningSampler, SemiPrune
from skprune.baselines import KCenterPruner
from skprune.datasets import make_partial_labels
from skprune.model_selection import PartialLabelKFold, pruning_curve
from skprune.selection import Cutoff, KMeans


class CountingSpreading(LabelSpreading):
    """A labeler that counts its fits; a class attribute survives clones."""

    fits = 0

    def fit(self, X, y):
        type(self).fits += 1
        return super().fit(X, y)


@pytest.fixture
def counted():
    """Make a SemiPrune whose trainings are counted."""
    CountingSpreading.fits = CountingProxy.fits = 0

    def make(**params):
        proxy = CountingProxy(module__width=8, lr=0.01)
        defaults = {"labeler": CountingSpreading(), "proxy": proxy, "n_epochs": 10, "random_state": 0}
        return SemiPrune(**defaults | {"estimate_accuracy": False} | params)

    return make


@pytest.fixture(scope="module")
def pool():
    """Return rows without equal ones, their labels, 30 of which are given, and a pruner that is fitted to them."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=120)
    X = rng.normal(size=(120, 4)) + 3 * np.eye(4)[y]
    partial = make_partial_labels(y, n_labeled=30, random_state=0)
    return X, y, partial, SemiPrune(budget=20, labeler=LabelSpreading(), n_epochs=10, random_state=0).fit(X, partial)


@pytest.mark.parametrize("selection", ["auto", "hardest", Cutoff(0.1), KMeans(class_balanced="proportional")])
@settings(max_examples=10)
@given(budget=st.integers(1, 70))
def test_a_budget_is_the_number_of_new_rows(pool, selection, budget):
    X, _, partial, pruner = pool
    mask = pruner.select(budget=budget, selection=selection)
    assert mask[partial >= 0].all()
    assert (mask & (partial < 0)).sum() == budget
    np.testing.assert_array_equal(np.sort(pruner.annotation_indices(mask)), np.flatnonzero(mask & (partial < 0)))


def test_the_budget_of_the_estimator(pool):
    X, _, partial, pruner = pool
    assert pruner.support_[partial >= 0].all()
    assert len(pruner.annotation_indices_) == 20
    np.testing.assert_array_equal(pruner.select(), pruner.support_)
    np.testing.assert_array_equal(pruner.annotation_indices(pruner.support_), pruner.annotation_indices_)
    ratio = SemiPrune(50, include_labeled=True, labeler=LabelSpreading(), n_epochs=10, random_state=0).fit(X, partial)
    np.testing.assert_array_equal(pruner.support_, ratio.support_)
    np.testing.assert_array_equal(ratio.select(budget=7), pruner.select(budget=7))
    assert pruner.select(0.25).sum() == 30
    assert not pruner.select(0.25)[partial >= 0].all()
    table = pruner.explain()
    assert set(table["why"][partial >= 0]) == {"must stay"}
    assert (table["probability"][partial >= 0] == 1).all()


def test_as_many_rows_as_have_no_label(pool):
    _, _, _, pruner = pool
    assert pruner.select(budget=90).all()
    with pytest.raises(
        ValueError, match="budget=91 is the number of rows to label, and only 90 of 120 rows need a label"
    ):
        pruner.select(budget=91)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"budget": 0}, "budget must be an integer of at least 1, got 0"),
        ({"budget": -3}, "budget must be an integer of at least 1, got -3"),
        ({"budget": 2.0}, r"budget must be an integer of at least 1, got 2\.0"),
        ({"budget": True}, "budget must be an integer of at least 1, got True"),
        ({"budget": "all"}, "budget must be an integer of at least 1, got 'all'"),
        ({"budget": 136}, "budget=136 is the number of rows to label, and only 135 of 150 rows need a label"),
        ({"budget": 10, "ratio": 0.2}, r"budget=10 and ratio=0\.2 both say how many rows are kept"),
        ({"budget": 10, "selection": Cutoff(0.95)}, "hard_cutoff=0.95 drops 142 of 150 rows"),
    ],
)
def test_refused_before_any_training(counted, iris, params, message):
    X, _, partial = iris
    with pytest.raises(ValueError, match=message):
        counted(**params).fit(X, partial)
    assert CountingSpreading.fits == CountingProxy.fits == 0


def test_no_budget_where_all_labels_are_given(counted, iris):
    X, y, _ = iris
    with pytest.raises(
        ValueError, match="budget=5 is the number of rows to label, and only 0 of 150 rows need a label"
    ):
        counted(budget=5).fit(X, y)
    assert CountingProxy.fits == 0


def test_ratio_and_budget_together(pool):
    _, _, _, pruner = pool
    with pytest.raises(ValueError, match=r"Pass ratio=0\.5 or budget=3: both say how many rows are kept"):
        pruner.select(0.5, budget=3)


def test_another_budget_costs_no_training(counted, iris, tmp_path):
    X, _, partial = iris
    first = counted(budget=10, memory=str(tmp_path)).fit(X, partial)
    n_fits = CountingSpreading.fits, CountingProxy.fits
    second = counted(budget=20, memory=str(tmp_path)).fit(X, partial)
    assert (CountingSpreading.fits, CountingProxy.fits) == n_fits
    np.testing.assert_array_equal(first.select(budget=20), second.support_)
    np.testing.assert_array_equal(first.annotation_indices(first.select(budget=20)), second.annotation_indices_)


@settings(max_examples=15)
@given(budget=st.integers(2, 60), less=st.floats(0.0, 1.0))
def test_a_prefix_is_the_list_of_a_smaller_budget(pool, budget, less):
    """Of a selector whose coresets are nested."""
    _, _, _, pruner = pool
    smaller = max(1, int(less * budget))
    of_both = [pruner.annotation_indices(pruner.select(budget=size, selection="hardest")) for size in (budget, smaller)]
    np.testing.assert_array_equal(of_both[0][:smaller], of_both[1])


def test_a_mask_of_ones_own(pool):
    X, _, partial, pruner = pool
    mask = np.arange(120) < 60
    asked = pruner.annotation_indices(mask)
    np.testing.assert_array_equal(np.sort(asked), np.flatnonzero(mask & (partial < 0)))
    np.testing.assert_array_equal(pruner.annotation_indices(mask), asked)
    assert len(pruner.annotation_indices(partial >= 0)) == 0


@pytest.mark.parametrize("mask", [np.arange(5), np.ones(119, dtype=bool), [0.5] * 120])
def test_what_is_no_mask(pool, mask):
    _, _, _, pruner = pool
    with pytest.raises(ValueError, match="mask must be a boolean mask of 120 rows"):
        pruner.annotation_indices(mask)


def test_a_selector_that_draws_without_a_seed(pool):
    _, _, partial, pruner = pool

    class Unseeded(BaseEstimator):
        rng = np.random.default_rng(0)

        def select(self, scores, ratio, *, must_keep, **inputs):
            mask = must_keep.copy()
            n_new = round(ratio * len(scores)) - must_keep.sum()
            mask[self.rng.permutation(np.flatnonzero(~must_keep))[:n_new]] = True
            return mask

        def propose(self, scores, ratio, **inputs):
            return np.flatnonzero(self.select(scores, ratio, **inputs))

    mask = pruner.select(budget=10, selection=Unseeded())
    np.testing.assert_array_equal(np.sort(pruner.annotation_indices(mask)), np.flatnonzero(mask & (partial < 0)))


def test_choices_by_what_cannot_be_pickled(pool):
    _, _, _, pruner = pool
    mask = pruner.select(budget=12, selection="hardest", difficulty=lambda dynamics: dynamics.entropy)
    hardest = pruner.annotation_indices(mask)
    loaded = pickle.loads(pickle.dumps(pruner))
    assert set(loaded.annotation_indices(mask)) == set(hardest)
    np.testing.assert_array_equal(loaded.annotation_indices_, pruner.annotation_indices_)
    of_both = [each.annotation_indices(each.select(budget=9)) for each in (loaded, pruner)]
    np.testing.assert_array_equal(*of_both)
    np.testing.assert_array_equal(pruner.annotation_indices(mask), hardest)


def test_searches_and_samplers(pool):
    X, y, partial, pruner = pool
    unfitted = SemiPrune(labeler=LabelSpreading(), n_epochs=10, random_state=0)
    model = PrunedClassifier(LogisticRegression(), unfitted, labels="pseudo")
    search = GridSearchCV(model, {"pruner__budget": [10, 30]}, cv=PartialLabelKFold(2)).fit(X, partial)
    kept = search.best_estimator_.pruner_
    assert len(kept.annotation_indices_) == search.best_params_["pruner__budget"]
    rows, labels = PruningSampler(unfitted.set_params(budget=20)).fit_resample(X, partial)
    assert len(rows) == len(labels) == 50


def test_a_curve_sets_the_ratio(pool):
    X, y, partial, _ = pool
    estimators = {"ours": SemiPrune(budget=10, random_state=0), "k-center": KCenterPruner()}
    with pytest.raises(ValueError, match=r"estimators\['ours'\] has budget=10, and a curve sets the ratio"):
        pruning_curve(
            estimators, X, partial, y_oracle=y, ratios=[0.5], evaluator=LogisticRegression(), X_test=X, y_test=y
        )


@pytest.mark.parametrize("treatment", ["none", "equal rows", "groups"])
def test_a_selector_chooses_once_in_a_fit(pool, treatment, monkeypatch):
    X, _, partial, pruner = pool
    groups = np.arange(len(X)) // 2 if treatment == "groups" else None
    if treatment == "equal rows":
        X, partial = np.vstack([X, X[:30]]), np.r_[partial, np.full(30, -1)]
    choices, order = [], KMeans._order
    monkeypatch.setattr(KMeans, "_order", lambda self, draw: choices.append(draw) or order(self, draw))
    again = clone(pruner).set_params(selection=KMeans(), ratio=0.3, budget=None).fit(X, partial, groups=groups)
    assert len(choices) == 1
    np.testing.assert_array_equal(again.select(), again.support_)
