"""Groups of rows: kept or left as a whole, or one row of each."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.linear_model import SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from skprune import SemiPrune
from skprune._pipeline._held_out import can_hold_out, held_out_rows, held_out_together
from skprune.baselines import SupervisedPruner
from skprune.datasets import make_partial_labels
from skprune.selection import Beta, Cutoff, Hardest, KMeans, Mixture


def fast_pruner(**params):
    return SemiPrune(
        **{
            "labeler": make_pipeline(StandardScaler(), LabelSpreading(kernel="knn", n_neighbors=20)),
            "proxy": make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss")),
            "n_epochs": 10,
            "estimate_accuracy": False,
            "random_state": 0,
        }
        | params
    )


def grouped_pool(n_groups=30, seed=0):
    """Return rows around the center of their group, labels, and groups of 1 to 9 rows."""
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(np.arange(n_groups), rng.integers(1, 10, size=n_groups)))
    y_of_group = np.arange(n_groups) % 3
    centers = rng.normal(size=(n_groups, 4)) + 3 * np.eye(4)[y_of_group]
    return centers[groups] + 0.1 * rng.normal(size=(len(groups), 4)), y_of_group[groups], groups


@pytest.fixture(scope="module")
def whole():
    X, y, groups = grouped_pool()
    partial = make_partial_labels(y, n_labeled=12, random_state=0)
    return X, partial, groups, fast_pruner().fit(X, partial, groups=groups)


@pytest.fixture(scope="module")
def single():
    X, y, groups = grouped_pool()
    partial = make_partial_labels(y, n_labeled=12, random_state=0)
    return X, partial, groups, fast_pruner(groups_select="one").fit(X, partial, groups=groups)


class UserSelector(BaseEstimator):
    """A selector without must_keep, propose and explain."""

    def select(self, scores, ratio, **inputs):
        return np.arange(len(scores)) < round(ratio * len(scores))


SELECTIONS = ["auto", "hardest", Beta(), Cutoff(0.1), Mixture(KMeans(), second=Hardest()), UserSelector()]


def name_of(selection):
    return selection if isinstance(selection, str) else type(selection).__name__


@pytest.mark.parametrize("selection", SELECTIONS, ids=name_of)
@settings(max_examples=15)
@given(share=st.floats(0.1, 0.9))
def test_groups_are_kept_or_left_as_a_whole(whole, selection, share):
    X, partial, groups, pruner = whole
    sizes = np.bincount(groups)
    k = max(9, round(share * len(X)))
    mask = pruner.select(k, selection=selection)
    kept = np.bincount(groups, mask)
    assert set(np.flatnonzero(kept)) == set(np.flatnonzero(kept == sizes))
    assert 0 < mask.sum() <= k
    assert sizes[kept == 0].min(initial=99) > k - mask.sum()  # none that was left out would fit
    asked = groups[pruner.annotation_indices(mask)]
    starts = asked[np.r_[True, asked[1:] != asked[:-1]]]
    assert len(starts) == len(set(starts))  # the list goes from group to group


@settings(max_examples=15)
@given(budget=st.integers(1, 120))
def test_a_budget_of_whole_groups(whole, budget):
    X, partial, groups, pruner = whole
    of_labeled = np.isin(groups, groups[partial >= 0])
    needed = (of_labeled & (partial < 0)).sum()
    if budget < needed:
        with pytest.raises(ValueError, match=f"The groups of labeled rows hold {of_labeled.sum()} rows"):
            pruner.select(budget=budget)
    elif budget <= (partial < 0).sum():
        mask = pruner.select(budget=budget)
        assert mask[of_labeled].all()
        assert needed <= len(pruner.annotation_indices(mask)) <= budget


def test_what_whole_groups_explain(whole):
    X, partial, groups, _ = whole
    pruner = fast_pruner(ratio=0.4).fit(X, partial, groups=groups)
    table = pruner.explain()
    assert (table["kept"] == pruner.support_).all()
    assert (table.groupby(groups)["why"].nunique() == 1).all()
    chances = table["probability"][pruner.support_]
    assert ((chances > 0) & (chances <= 1)).all()
    assert pruner.sample_weight_.mean() == pytest.approx(1.0)
    assert np.isfinite(pruner.sample_weight_).all()
    assert sorted(pruner._choice.order(pruner.support_)) == np.flatnonzero(pruner.support_).tolist()


@pytest.mark.parametrize("selection", SELECTIONS, ids=name_of)
@settings(max_examples=15)
@given(k=st.integers(2, 27))
def test_one_row_of_each_chosen_group(single, selection, k):
    _, partial, groups, pruner = single
    mask = pruner.select(k, selection=selection)
    assert mask.sum() == k
    assert np.bincount(groups[mask]).max() == 1
    labeled_groups = np.unique(groups[partial >= 0])
    assert (partial[mask & np.isin(groups, labeled_groups)] >= 0).all()  # a labeled row stands for its group
    asked = pruner.annotation_indices(mask)
    assert set(asked) == set(np.flatnonzero(mask & (partial < 0)))


def test_the_ratio_is_that_of_the_groups(single):
    _, _, groups, pruner = single
    assert pruner.support_.sum() == 15
    assert pruner.select(1.0).sum() == 30
    with pytest.raises(ValueError, match="ratio=31 is a count of rows to keep; it must be between 2 and n_samples=30"):
        pruner.select(31)


@pytest.fixture(scope="module")
def labeled_groups():
    """Rows of 100 groups of three, the first 30 of which are labeled, and one equal row in two groups."""
    groups, rng = np.repeat(np.arange(100), 3), np.random.default_rng(0)
    y = groups % 3
    X = 3 * np.eye(4)[y] + rng.normal(size=(300, 4))
    X[297] = X[0]
    partial = np.where(groups < 30, y, -1)
    pruner = fast_pruner(groups_select="one", include_labeled=True, ratio=0.5, estimate_accuracy=True)
    return X, partial, groups, pruner.fit(X, partial, groups=groups)


@pytest.mark.parametrize("selection", SELECTIONS, ids=name_of)
@pytest.mark.parametrize(("ratio", "n_kept"), [(None, 50), (0.3, 30), (0.95, 95), (1.0, 100), (40, 40)])
def test_the_ratio_is_that_of_the_groups_where_labeled_rows_stay(labeled_groups, selection, ratio, n_kept):
    _, partial, groups, pruner = labeled_groups
    if isinstance(selection, Cutoff) and n_kept > 90:
        return
    mask = pruner.select(ratio, selection=selection)
    assert mask[partial >= 0].all()
    sizes = np.bincount(groups, mask)
    assert (sizes > 0).sum() == n_kept
    assert sizes[30:].max(initial=0) <= 1
    reasons = pruner._choice.reasons(pruner.support_)
    assert (reasons["why"][partial >= 0] == "must stay").all()


def test_what_a_ratio_of_groups_keeps_is_compared(labeled_groups):
    X, partial, groups, pruner = labeled_groups
    assert pruner.support_.sum() == 90 + 20
    assert len(pruner.annotation_indices_) == 20
    pruner.suggest_ratio(X)
    assert list(pruner.ratio_accuracies_) == [0.3, 0.5, 0.7, 1.0]  # less has no room for 30 groups
    compared = fast_pruner(groups_select="one", include_labeled=True, compare_with_random=True).fit(
        X, partial, groups=groups
    )
    np.testing.assert_array_equal(compared.support_, pruner.support_)
    own = fast_pruner(groups_select="one", include_labeled=True, selection=UserSelector(), ratio=0.9)
    assert len(np.unique(groups[own.fit(X, partial, groups=groups).support_])) == 90


def test_labeled_groups_beyond_the_ratio_are_refused(labeled_groups):
    X, partial, groups, pruner = labeled_groups
    message = (
        "include_labeled=True keeps the labeled rows of 30 groups, and ratio=0.2 keeps only 20 of 100 groups. Keep more"
    )
    with pytest.raises(ValueError, match=message):
        pruner.select(0.2)
    with pytest.raises(ValueError, match=message):
        fast_pruner(groups_select="one", include_labeled=True, ratio=0.2).fit(X, partial, groups=groups)


@settings(max_examples=15)
@given(budget=st.integers(1, 30))
def test_a_budget_of_groups_without_a_label(single, budget):
    _, partial, groups, pruner = single
    is_open = ~np.isin(np.arange(30), groups[partial >= 0])
    if budget > is_open.sum():
        with pytest.raises(ValueError, match=f"only {is_open.sum()} of {len(np.unique(groups))} groups need a label"):
            pruner.select(budget=budget)
        return
    mask = pruner.select(budget=budget)
    assert mask[partial >= 0].all()
    asked = pruner.annotation_indices(mask)
    assert len(asked) == budget
    assert is_open[groups[asked]].all()
    assert len(set(groups[asked])) == budget


def test_the_row_in_the_middle_stands_for_its_group(single):
    X, partial, groups, pruner = single
    scaled = StandardScaler().fit_transform(X)
    for row in np.flatnonzero(pruner.select(1.0) & (partial < 0)):
        members = np.flatnonzero(groups == groups[row])
        distances = np.linalg.norm(scaled[members] - scaled[members].mean(axis=0), axis=1)
        assert members[distances.argmin()] == row


def test_weights_of_groups(single):
    _, _, groups, _ = single
    X, partial, groups, _ = single
    pruner = fast_pruner(groups_select="one", selection="hardest").fit(X, partial, groups=groups)
    sizes = np.bincount(groups)[groups[pruner.support_]]
    np.testing.assert_allclose(pruner.sample_weight_, sizes / sizes.mean())
    why = pruner.explain()["why"]
    assert why.str.startswith("of the group of row").sum() == len(X) - 30


@pytest.mark.parametrize("how", ["all", "one"])
def test_groups_of_one_row_change_nothing(how):
    X, y, _ = grouped_pool()
    partial = make_partial_labels(y, n_labeled=12, random_state=0)
    alone = fast_pruner(groups_select=how).fit(X, partial, groups=np.arange(len(X)))
    plain = fast_pruner().fit(X, partial)
    np.testing.assert_array_equal(alone.support_, plain.support_)
    np.testing.assert_array_equal(alone.annotation_indices_, plain.annotation_indices_)


@pytest.mark.parametrize("how", ["all", "one"])
def test_names_of_groups_do_not_matter(how):
    X, y, groups = grouped_pool()
    partial = make_partial_labels(y, n_labeled=12, random_state=0)
    names = [f"patient {group}" for group in groups]
    mixed = [group if group % 2 else str(group) for group in groups.tolist()]
    masks = [
        fast_pruner(groups_select=how).fit(X, partial, groups=given).support_
        for given in (
            groups,
            names,
            mixed,
            pd.Series(names),
            pd.Series(names, dtype="category"),
            np.array(names),
        )
    ]
    for mask in masks[1:]:
        np.testing.assert_array_equal(mask, masks[0])
    np.testing.assert_array_equal(fast_pruner(groups_select=how).fit_transform(X, partial, groups=names), X[masks[0]])


def test_equal_rows_of_groups_share_their_label():
    X, y, groups = grouped_pool()
    X = np.vstack([X, X])
    partial = np.r_[make_partial_labels(y, n_labeled=60, random_state=0), np.full(len(y), -1)]
    pruner = fast_pruner(ratio=0.9).fit(X, partial, groups=np.r_[groups, groups + 30])
    known = np.flatnonzero(partial >= 0) + len(y)
    np.testing.assert_array_equal(pruner.pseudo_labels_[known], partial[partial >= 0])
    assert set(known).isdisjoint(pruner.annotation_indices_)


@pytest.mark.parametrize(
    ("params", "groups", "message"),
    [
        ({"groups_select": "some"}, None, "groups_select must be 'all' or 'one', got 'some'"),
        ({}, np.arange(5), "X has 150 rows, groups has 5"),
        ({}, [None] + ["a"] * 149, "groups holds no group for row 0"),
        ({}, np.r_[np.full(149, 1.0), np.nan], "groups holds no group for row 149"),
        ({}, np.ma.masked_equal(np.arange(150), 7), "groups holds no group for row 7"),
        ({}, np.array(["2024-01-01"] * 149 + ["NaT"], dtype="M8[ns]"), "groups holds no group for row 149"),
        ({}, np.zeros((150, 2)), r"groups must hold one group for each row, got an array of shape \(150, 2\)"),
        ({"ratio": 20}, np.arange(150) // 50, r"ratio=20 leaves room for 20 rows, and the smallest group has 50"),
        ({"budget": 20}, np.arange(150) // 50, "The groups of labeled rows hold 150 rows, and budget=20 keeps 35"),
        ({"groups_select": "one", "ratio": 4}, np.arange(150) // 50, "between 2 and n_samples=3"),
        ({"groups_select": "one", "budget": 1}, np.arange(150) // 50, "only 0 of 3 groups need a label"),
        (
            {"groups_select": "one", "ratio": 3, "selection": Cutoff(0.5)},
            np.arange(150) // 50,
            "hard_cutoff=0.5 drops 1 of 3",
        ),
    ],
)
def test_refused_before_any_training(iris, params, groups, message):
    X, _, partial = iris

    class Untrained(LabelSpreading):
        def fit(self, X, y):
            raise AssertionError("the labeler was trained")

    with pytest.raises(ValueError, match=message):
        fast_pruner(labeler=Untrained(), **params).fit(X, partial, groups=groups)


def test_pruners_without_groups_refuse_them(iris):
    X, y, _ = iris
    with pytest.raises(TypeError, match="groups"):
        SupervisedPruner().fit_transform(X, y, groups=y)


# Labels that are held out


@given(seed=st.integers(0, 1000))
def test_groups_are_held_out_as_a_whole_unless_a_class_would_lose_all_labels(seed):
    rng = np.random.default_rng(seed)
    groups, codes = rng.integers(15, size=60), rng.integers(-1, 3, size=60)
    if not can_hold_out(codes, groups):
        return
    rows = held_out_rows(codes, seed, groups)
    assert len(rows)
    known = np.setdiff1d(np.flatnonzero(codes >= 0), rows)
    assert set(codes[known]) == set(codes[codes >= 0])
    torn = np.isin(groups[known], groups[rows])
    for code in np.unique(codes[known][torn]):  # each of its labels is in a group that another class, or it, gave
        assert np.isin(groups[codes == code], groups[rows]).all()


def test_equal_rows_of_two_groups_join_these_where_labels_are_held_out():
    groups, equal = np.array([0, 0, 1, 1, 2, 3]), np.array([0, 1, 1, 2, 3, 4])
    joined = held_out_together(SimpleNamespace(sets=SimpleNamespace(numbers=equal)), SimpleNamespace(numbers=groups))
    assert len(set(joined[:4])) == 1
    assert len(set(joined)) == 3
    assert held_out_together(None, None) is None


def test_a_labeler_does_not_know_the_group_of_the_rows_it_is_tested_on():
    """With labels that are chance for each group, no labeler is better than that, however many rows a group has."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 5)
    X = rng.normal(size=(60, 8))[groups] + 1e-3 * rng.normal(size=(300, 8))
    labels = rng.permutation(np.arange(60) % 3)[groups]
    labels[groups >= 50] = -1
    nearest = SelfTrainingClassifier(KNeighborsClassifier(1))
    pruner = fast_pruner(labeler=nearest, estimate_accuracy=True)
    assert pruner.fit(X, labels).pseudo_label_accuracy_ > 0.9
    assert pruner.fit(X, labels, groups=groups).pseudo_label_accuracy_ < 0.7


def test_groups_that_leave_no_label_to_hold_out():
    X, y, _ = grouped_pool()
    labels = make_partial_labels(y, n_labeled=12, random_state=0)
    with pytest.raises(ValueError, match="no class has two of them that differ and, with groups, are of two"):
        fast_pruner(estimate_accuracy=True).fit(X, labels, groups=np.where(labels < 0, np.arange(len(y)) + 9, labels))
