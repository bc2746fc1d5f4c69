"""Splitters and the scorer: unlabeled rows train, and are never scored."""

import pickle
from functools import partial as partial_function

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer, recall_score
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_score
from sklearn.semi_supervised import LabelSpreading

from skprune.model_selection import PartialLabelKFold, PartialLabelShuffleSplit, partial_label_scorer


@pytest.mark.parametrize("shuffle", [False, True])
def test_folds(shuffle):
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=200)
    y[rng.random(200) < 0.8] = -1
    seen = []
    for train, test in PartialLabelKFold(4, shuffle=shuffle, random_state=0 if shuffle else None).split(y[:, None], y):
        assert (y[test] >= 0).all()
        assert set(train) == set(range(200)) - set(test)
        seen.extend(test)
        counts = np.bincount(y[test], minlength=3) / np.bincount(y[y >= 0])
        assert np.ptp(counts) < 0.2
    assert sorted(seen) == np.flatnonzero(y >= 0).tolist()


def test_folds_do_not_depend_on_hidden_labels_or_their_mark():
    y = np.array([0, 1] * 6 + [-1] * 10)
    masked = [np.ma.MaskedArray(np.where(y < 0, fill, y), mask=y < 0) for fill in (5, 9)]
    splits = [
        [test.tolist() for _, test in PartialLabelKFold(3).split(np.zeros(22), labels)]
        for labels in (y, *masked, np.where(y < 0, None, y))
    ]
    assert all(split == splits[0] for split in splits)
    named = np.where(y < 0, 7, y)
    other = PartialLabelKFold(3, missing_label=7).split(np.zeros(22), named)
    assert [test.tolist() for _, test in other] == splits[0]


def test_too_few_labels_for_the_folds():
    with pytest.raises(
        ValueError, match=r"n_splits=5 needs 5 labels of each class, and 1 has 2\. Use fewer folds, or label"
    ):
        next(PartialLabelKFold(5).split(np.zeros(8), [0] * 5 + [1, 1, -1]))


def test_one_label_of_a_class_is_too_few_for_any_folds():
    names = [*np.array(["a", "a", "über politik"]), None]
    with pytest.raises(
        ValueError, match=r"needs 3 labels of each class, and 'über politik' has 1\. Label more rows\.$"
    ):
        next(PartialLabelKFold(3).split(np.zeros(4), names))
    with pytest.raises(ValueError, match=r"A random split needs 2 labels of .* has 1\. Label more rows\.$"):
        next(PartialLabelShuffleSplit().split(np.zeros(4), names))
    with pytest.raises(ValueError, match=r"needs 2 groups of labeled rows, and there are 1\. Label more rows\.$"):
        next(PartialLabelKFold(2).split(np.zeros(4), [0, 0, 1, 1], np.zeros(4)))


def test_unlabeled_rows_in_test_folds_are_what_it_prevents():
    """The fault: a plain splitter on 90 % unlabeled rows reports a tenth of the truth."""
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=400)
    X = y[:, None] + rng.normal(scale=0.3, size=(400, 2))
    partial = np.where(rng.random(400) < 0.9, -1, y)

    class Labeled(LogisticRegression):
        def fit(self, X, y):
            return super().fit(X[y >= 0], y[y >= 0])

    plain = cross_val_score(Labeled(), X, partial, cv=StratifiedKFold(5), scoring="accuracy").mean()
    ours = cross_val_score(Labeled(), X, partial, cv=PartialLabelKFold(5), scoring="accuracy").mean()
    assert plain < 0.2
    assert ours > 0.85


@settings(max_examples=40)
@given(seed=st.integers(0, 2**16), grouped=st.booleans(), shuffled=st.booleans())
def test_splits_of_any_pool(seed, grouped, shuffled):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(60, 120))
    y = np.where(rng.random(n) < 0.5, -1, rng.integers(2, size=n))
    y[:12] = [0, 1] * 6
    groups = rng.integers(12, size=n) if grouped else None
    if grouped:
        groups[:12] = np.arange(12)
    options = {"test_size": 0.3, "random_state": seed}
    splitter = PartialLabelShuffleSplit(4, **options) if shuffled else PartialLabelKFold(4)
    unlabeled = np.flatnonzero(y < 0)
    for train, test in splitter.split(np.zeros((n, 1)), y, groups):
        assert (y[test] >= 0).all()
        assert not set(train) & set(test)
        assert (np.diff(train) > 0).all()
        if grouped:
            assert not set(groups[train]) & set(groups[test])
            left_out = set(unlabeled) - set(train)
            assert set(groups[list(left_out)]) <= set(groups[test])
        else:
            assert set(train) | set(test) == set(range(n))


def test_random_splits_are_stratified_and_seeded():
    y = np.array([0] * 60 + [1] * 20 + [-1] * 100)
    split = PartialLabelShuffleSplit(3, test_size=0.25, random_state=0)
    assert split.get_n_splits() == 3
    first, again = (list(split.split(np.zeros(180), y)) for _ in range(2))
    for (train, test), (same_train, same_test) in zip(first, again, strict=True):
        np.testing.assert_array_equal(train, same_train)
        np.testing.assert_array_equal(test, same_test)
        assert np.bincount(y[test]).tolist() == [15, 5]
    assert not np.array_equal(first[0][1], first[1][1])


def test_fewer_labels_for_training():
    y = np.array([0, 1] * 20 + [-1] * 30)
    train, test = next(PartialLabelShuffleSplit(1, test_size=10, train_size=8, random_state=0).split(np.zeros(70), y))
    assert (len(test), (y[train] >= 0).sum(), (y[train] < 0).sum()) == (10, 8, 30)


def test_too_few_for_a_split():
    with pytest.raises(ValueError, match="A random split needs 2 labels of each class, and 1 has 1"):
        next(PartialLabelShuffleSplit().split(np.zeros(4), [0, 0, 1, -1]))
    groups = [0, 0, 0, 0, 1, 1]
    with pytest.raises(ValueError, match="n_splits=3 needs 3 groups of labeled rows, and there are 2"):
        next(PartialLabelKFold(3).split(np.zeros(6), [0, 1] * 3, groups))
    with pytest.raises(ValueError, match="A split leaves no label of class 1 for training"):
        list(PartialLabelKFold(2).split(np.zeros(6), [0, 1, 0, 1, 0, 0], [0, 1, 0, 1, 2, 3]))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        next(PartialLabelKFold(2).split(np.zeros(5), [0, 1] * 3))


@pytest.mark.parametrize(
    "groups",
    [
        np.array([0.0, 1, 2, np.nan] * 6),
        [0, 1, 2, np.nan] * 6,
        np.array(["a", "b", "c", None] * 6, dtype=object),
        ["a", "b", "c", None] * 6,
        np.ma.MaskedArray([0, 1, 2, 3] * 6, mask=[False, False, False, True] * 6),
    ],
)
@pytest.mark.parametrize("splitter", [PartialLabelKFold(2), PartialLabelShuffleSplit(test_size=0.5)])
def test_rows_without_a_group_are_refused(splitter, groups):
    """NaN equals nothing, so that no split kept such rows together."""
    with pytest.raises(
        ValueError, match=r"groups holds no group for row 3 \(6 such rows\). Give each a group of its own"
    ):
        next(splitter.split(np.zeros(24), [0, 1, -1] * 8, groups))


@pytest.mark.parametrize("routing", [False, True])
def test_groups_in_a_search(routing):
    rng = np.random.default_rng(0)
    y = np.where(rng.random(80) < 0.5, -1, rng.integers(2, size=80))
    y[:8] = [0, 1] * 4
    X, groups = y[:, None] + rng.normal(size=(80, 1)), np.arange(80) // 4
    for splitter in (PartialLabelKFold(2), PartialLabelShuffleSplit(2, random_state=0)):
        with config_context(enable_metadata_routing=routing):
            search = GridSearchCV(LabelSpreading(), {"alpha": [0.2, 0.5]}, cv=splitter).fit(X, y, groups=groups)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()


# The scorer


def test_scorer_ignores_unlabeled_rows(iris):
    X, y, partial = iris
    model = LogisticRegression(max_iter=500).fit(X[::3], y[::3])
    given = partial >= 0
    for labels in (partial, np.where(given, partial, None), np.ma.MaskedArray(partial, ~given)):
        assert partial_label_scorer("accuracy")(model, X, labels) == model.score(X[given], y[given])
    recall = make_scorer(recall_score, average="macro", response_method="predict")
    assert partial_label_scorer(recall)(model, X, partial) == recall(model, X[given], y[given])
    with pytest.raises(ValueError, match="needs labeled rows"):
        partial_label_scorer("accuracy")(model, X, np.full(150, -1))
    with pytest.raises(ValueError, match="acuracy"):
        partial_label_scorer("acuracy")


def test_scorer_where_minus_one_is_a_class():
    X, y = np.array([[0.0], [0.1], [1.0], [1.1]]), np.array([-1, -1, 1, 1])
    model = LogisticRegression().fit(X, y)
    constant = np.array([1, 1, 1, 1])
    with pytest.raises(ValueError, match="y holds -1, and -1 is a class of the fitted LogisticRegression"):
        partial_label_scorer("accuracy")(model, X, y)
    assert partial_label_scorer("accuracy", missing_label=None)(model, X, y) == 1.0
    assert partial_label_scorer("accuracy")(model, X, constant) == 0.5
    assert partial_label_scorer("accuracy", missing_label=-1)(model, X, y) == 1.0
    hidden = np.array([-1, None, 1, None], dtype=object)
    assert partial_label_scorer("accuracy")(model, X[::-1], hidden) == 0.0


def test_scorer_in_searches_with_any_splitter(iris):
    X, y, partial = iris
    scorers = {name: partial_label_scorer(name) for name in ("accuracy", "balanced_accuracy")}
    search = GridSearchCV(
        LabelSpreading(),
        {"n_neighbors": [3, 7]},
        cv=KFold(3, shuffle=True, random_state=0),
        scoring=scorers,
        refit=False,
    ).fit(X, partial)
    assert (search.cv_results_["mean_test_accuracy"] > 0.7).all()
    assert repr(pickle.loads(pickle.dumps(scorers["accuracy"]))).startswith("partial_label_scorer(make_scorer(accuracy")


@pytest.mark.parametrize("routing", [False, True])
def test_scorer_takes_weights(iris, routing):
    X, y, partial = iris
    model = LogisticRegression(max_iter=500).fit(X[::3], y[::3])
    given = partial >= 0
    weights = np.random.default_rng(0).random(150)
    with config_context(enable_metadata_routing=routing):
        inner = make_scorer(accuracy_score)
        inner = inner.set_score_request(sample_weight=True) if routing else inner
        found = partial_label_scorer(inner)(model, X, partial, sample_weight=weights)
        if routing:
            grid = partial_function(GridSearchCV, LabelSpreading(), {"gamma": [1e-3]}, cv=PartialLabelKFold(3))
            weighted = grid(scoring=partial_label_scorer(inner)).fit(X, partial, sample_weight=weights)
            assert weighted.best_score_ != grid(scoring="accuracy").fit(X, partial).best_score_
    assert found == pytest.approx(model.score(X[given], y[given], weights[given]))


def test_groups_may_be_tuples():
    groups = np.fromiter(((row // 2, 1) for row in range(20)), dtype=object, count=20)
    y = np.arange(20) // 2 % 2
    for train, test in PartialLabelKFold(2).split(np.zeros((20, 1)), y, groups):
        assert not set(groups[train]) & set(groups[test])
