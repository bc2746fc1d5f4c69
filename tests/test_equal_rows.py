"""Equal rows: found exactly, labeled alike, and proposed once as long as there are others."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from skprune import PrunedClassifier, SemiPrune
from skprune._pipeline._held_out import can_hold_out, held_out_rows
from skprune._utils import _equal_rows
from skprune._utils._equal_rows import first_equal
from skprune.baselines import SupervisedPruner
from skprune.datasets import make_partial_labels
from skprune.selection import Beta, Cutoff, Hardest, KMeans, Mixture, Random
from skprune.semi_supervised import FixMatch


def slow_first_equal(rows):
    """Compare every row with every other."""
    flat = rows.reshape(len(rows), -1)
    return (flat[:, None] == flat[None]).all(axis=2).argmax(axis=1)


@given(
    seed=st.integers(0, 1000),
    n_samples=st.integers(1, 40),
    shape=st.sampled_from([(1,), (3,), (2, 2), (1, 3, 3)]),
    dtype=st.sampled_from([np.uint8, np.float32, np.float64]),
)
def test_equal_rows_are_found(seed, n_samples, shape, dtype):
    rng = np.random.default_rng(seed)
    rows = rng.integers(2, size=(n_samples, *shape)).astype(dtype)
    if dtype != np.uint8:
        rows[rows == 0] *= rng.choice([-1, 1], size=(rows == 0).sum())  # 0.0 and -0.0 are equal
    np.testing.assert_array_equal(first_equal(rows), slow_first_equal(rows))


def test_rows_of_one_hash_are_compared(monkeypatch):
    monkeypatch.setattr(_equal_rows, "_hashes", lambda rows: rows[:, 0].astype(np.int64) % 3)
    monkeypatch.setattr(_equal_rows, "_CHUNK_BYTES", 64)
    rows = np.random.default_rng(0).integers(12, size=(200, 1)).astype(np.float64)
    np.testing.assert_array_equal(first_equal(rows), slow_first_equal(rows))


@given(seed=st.integers(0, 1000), n_samples=st.integers(1, 40), density=st.floats(0.0, 1.0))
def test_equal_rows_of_sparse_tables_are_found(seed, n_samples, density):
    rng = np.random.default_rng(seed)
    rows = (rng.integers(1, 3, size=(n_samples, 4)) * (rng.random((n_samples, 4)) < density)).astype(np.float32)
    table = csr_array(rows)
    table.data[table.data == 2] *= rng.choice([0, 1], size=(table.data == 2).sum())  # zeros that are stored are zeros
    np.testing.assert_array_equal(first_equal(table), slow_first_equal(table.toarray()))


def frame_of(X, number):
    """Return a frame with text and missing cells in which the same rows are equal."""
    names = np.array(["a", "b", "c", None], dtype=object)[number % 4]
    return pd.DataFrame(X).assign(name=names, when=np.where(number % 3, X[:, 0], np.nan))


@pytest.mark.parametrize("container", [pd.DataFrame, csr_array, frame_of, "texts"])
def test_containers(container):
    X, y, number = pool_with_copies()
    partial = make_partial_labels(y, n_labeled=20, random_state=1)
    models = {}
    if container is csr_array:
        models = {"labeler": SelfTrainingClassifier(SGDClassifier(loss="log_loss", random_state=0))}
        models["proxy"] = SGDClassifier(loss="log_loss")
    if container in (frame_of, "texts"):
        read = (
            TfidfVectorizer(token_pattern=r"\w+")
            if container == "texts"
            else make_column_transformer((OneHotEncoder(), ["name"]), (SimpleImputer(), ["0", "when"]))
        )
        models["labeler"] = make_pipeline(read, SelfTrainingClassifier(SGDClassifier(loss="log_loss", random_state=0)))
        models["proxy"] = make_pipeline(read, SGDClassifier(loss="log_loss"))
    if container == "texts":
        given_rows = [f"class {label} row {n}" for label, n in zip(y, number, strict=True)]
    elif container is frame_of:
        given_rows = frame_of(X, number).rename(columns=str)
    else:
        given_rows = container(X)
    pruner = fast_pruner(ratio=40, **models).fit(given_rows, partial)
    assert np.bincount(number[pruner.support_]).max() == 1
    assert set(number[pruner.annotation_indices_]).isdisjoint(number[partial >= 0])


def fast_pruner(**params):
    return SemiPrune(
        **{
            "labeler": make_pipeline(StandardScaler(), LabelSpreading(kernel="knn", n_neighbors=20)),
            "proxy": make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss")),
            "n_epochs": 10,
            "random_state": 0,
        }
        | params
    )


def pool_with_copies(n_distinct=60, n_samples=120, seed=0):
    """Return rows, some of them equal, their labels, and the number of the distinct row that each is."""
    rng = np.random.default_rng(seed)
    number = rng.permutation(np.r_[np.arange(n_distinct), rng.integers(n_distinct, size=n_samples - n_distinct)])
    y = rng.integers(3, size=n_distinct)
    X = rng.normal(size=(n_distinct, 4)) + 3 * np.eye(4)[y]
    return X[number], y[number], number


@pytest.fixture(scope="module")
def fitted_to_copies():
    X, y, number = pool_with_copies()
    partial = make_partial_labels(y, n_labeled=20, random_state=1)
    return X, y, number, partial, fast_pruner().fit(X, partial)


@pytest.fixture(scope="module")
def digits_of_chance():
    X, y = load_digits(return_X_y=True)
    labels = np.random.default_rng(0).integers(2, size=300)
    return X[:300], np.where(make_partial_labels(y[:300], n_labeled=100, random_state=0) == -1, -1, labels)


class UserSelector(BaseEstimator):
    """A selector without must_keep, propose and explain."""

    def select(self, scores, ratio, **inputs):
        k = ratio if isinstance(ratio, int) else round(ratio * len(scores))
        return np.arange(len(scores)) < k


SELECTIONS = [
    "auto",
    "hardest",
    "stratified",
    Beta(min_per_class=2),
    Cutoff(0.1),
    Random(class_balanced="proportional"),
    Mixture(KMeans(), second=Hardest()),
    UserSelector(),
]


@pytest.mark.parametrize("selection", SELECTIONS, ids=lambda s: s if isinstance(s, str) else type(s).__name__)
@settings(max_examples=15)
@given(k=st.integers(2, 108))
@example(k=60)
@example(k=61)
def test_k_rows_and_no_second_one_while_others_are_left(fitted_to_copies, selection, k):
    _, _, number, partial, pruner = fitted_to_copies
    if not isinstance(selection, str) and getattr(selection, "min_per_class", 0):
        k = max(k, 6)
    mask = pruner.select(k, selection=selection)
    assert mask.sum() == k
    kept = np.bincount(number[mask], minlength=60)
    n_cut = 6 if isinstance(selection, Cutoff) else 0
    if k <= 60 - n_cut:
        assert kept.max() == 1
    elif not n_cut:
        assert kept.min() >= 1
    else:
        assert (kept > 0).sum() >= 54
    asked = pruner.annotation_indices(mask)
    labeled_numbers = set(number[partial >= 0])
    assert set(asked) == {row for row in np.flatnonzero(mask) if number[row] not in labeled_numbers}
    if n_cut and k > 54:
        return
    counted = [np.bincount(number[asked[:size]]).max() for size in range(1, len(set(number[asked])) + 1)]
    assert set(counted) <= {1}  # no prefix holds a second one as long as there are others


@settings(max_examples=20)
@given(share=st.floats(0.01, 1.0))
def test_a_budget_is_spent_on_rows_whose_label_is_not_known(fitted_to_copies, share):
    _, _, number, partial, pruner = fitted_to_copies
    to_label = ~np.isin(number, number[partial >= 0])
    budget = max(1, int(share * to_label.sum()))
    for selection in ("auto", "hardest", Cutoff(0.1)):
        mask = pruner.select(budget=budget, selection=selection)
        assert mask[partial >= 0].all()
        asked = pruner.annotation_indices(mask)
        assert len(asked) == budget
        assert to_label[asked].all()
        assert mask.sum() == budget + (partial >= 0).sum()


def test_the_largest_budget(fitted_to_copies):
    X, _, number, partial, pruner = fitted_to_copies
    n_to_label = (~np.isin(number, number[partial >= 0])).sum()
    assert pruner.select(budget=int(n_to_label)).sum() == n_to_label + 20
    with pytest.raises(ValueError, match=f"only {n_to_label} of 120 rows need a label"):
        pruner.select(budget=int(n_to_label) + 1)
    with pytest.raises(ValueError, match=f"only {n_to_label} of 120 rows need a label"):
        fast_pruner(budget=int(n_to_label) + 1).fit(X, partial)
    fast_pruner(budget=int(n_to_label) + 1, duplicates="ignore").fit(X, partial)


def test_labels_go_to_equal_rows(fitted_to_copies):
    _, _, number, partial, pruner = fitted_to_copies
    label_of = dict(zip(number[partial >= 0], partial[partial >= 0], strict=True))
    known = np.isin(number, list(label_of))
    np.testing.assert_array_equal(pruner.pseudo_labels_[known], [label_of[n] for n in number[known]])
    assert (pruner.pseudo_label_confidence_[known] == 1).all()
    assert (pruner.pseudo_label_confidence_[~known] < 1).any()
    np.testing.assert_array_equal(pruner.explain()["given"], partial >= 0)


def test_a_labeled_row_stands_for_its_equals():
    X, y, number = pool_with_copies()
    partial = np.full(120, -1)
    last = {n: row for row, n in enumerate(number)}  # the last of each set has the label
    rows = list(last.values())
    partial[rows[:30]] = y[rows[:30]]
    pruner = fast_pruner(ratio=60).fit(X, partial)
    assert pruner.support_[rows[:30]].all()
    assert len(pruner.annotation_indices_) == 30


def test_reasons_and_weights(fitted_to_copies):
    X, _, number, partial, _ = fitted_to_copies
    pruner = fast_pruner(ratio=70).fit(X, partial)
    table = pruner.explain()
    kept = table["kept"].to_numpy()
    np.testing.assert_array_equal(kept, pruner.support_)
    second = table["why"].str.contains("no other row was left")
    assert second.sum() == 10
    assert kept[second].all()
    copies = table["why"].str.startswith("equal to row")
    assert copies.sum() == 60
    for row in np.flatnonzero(copies):
        leader = int(table["why"][row].removeprefix("equal to row ").split(";")[0])
        assert number[row] == number[leader]
        assert kept[leader]
    assert ((table["probability"][kept] > 0) & (table["probability"][kept] <= 1)).all()
    totals = np.bincount(number[kept], pruner.sample_weight_, minlength=60)
    np.testing.assert_allclose(totals / totals.sum(), np.bincount(number) / 120)


def test_a_kept_row_has_the_weight_of_its_equals(fitted_to_copies):
    X, _, number, partial, _ = fitted_to_copies
    pruner = fast_pruner(ratio=30, selection="hardest").fit(X, partial)
    sizes = np.bincount(number)[number[pruner.support_]]
    np.testing.assert_allclose(pruner.sample_weight_, sizes / sizes.mean())


def test_rows_that_are_labeled_twice_are_kept_with_a_budget(fitted_to_copies):
    X, y, number, _, _ = fitted_to_copies
    repeated = np.flatnonzero(np.bincount(number) > 1)[:5]
    partial = np.where(np.isin(number, repeated) | (np.arange(120) < 10), y, -1)
    pruner = fast_pruner(budget=10).fit(X, partial)
    assert pruner.support_[partial >= 0].all()
    assert len(pruner.annotation_indices_) == 10
    assert set(pruner.explain()["why"][partial >= 0]) == {"must stay"}


def test_labels_that_contradict_each_other_are_named():
    X, y, number = pool_with_copies()
    partial = make_partial_labels(y, n_labeled=20, random_state=1)
    rows = [np.flatnonzero(number == n) for n in np.flatnonzero(np.bincount(number) > 2)[:5]]
    names = np.array(["a", "b", "c"], dtype=object)
    labels = np.where(partial >= 0, names[partial], None)
    for first, second, *others in rows:
        labels[[first, second]] = "a", "b"
        labels[others] = None
    first, second = min(members[:2].tolist() for members in rows)
    message = (
        rf"Equal rows have different labels: row {first} \('a'\) and row {second} \('b'\); .*; and 2 more sets of rows"
    )
    with pytest.warns(UserWarning, match=message) as caught:
        pruner = fast_pruner(ratio=0.9).fit(X, labels)
    assert len([w for w in caught if "Equal rows" in str(w.message)]) == 1
    assert pruner.pseudo_labels_[[first, second]].tolist() == ["a", "b"]
    others = np.concatenate([members[2:] for members in rows])
    assert (pruner.pseudo_label_confidence_[others] < 1).any()
    assert set(others) & set(pruner.annotation_indices_)


def test_equal_rows_may_be_ignored(fitted_to_copies):
    X, _, number, partial, _ = fitted_to_copies
    pruner = fast_pruner(ratio=60, duplicates="ignore", selection="random").fit(X, partial)
    assert np.bincount(number[pruner.support_]).max() > 1
    assert set(pruner.annotation_indices_) == set(np.flatnonzero(pruner.support_ & (partial < 0)))
    with pytest.raises(ValueError, match="duplicates must be 'propose_one' or 'ignore', got 'drop'"):
        fast_pruner(duplicates="drop").fit(X, partial)


@pytest.mark.parametrize("selection", ["auto", "beta"])
def test_without_equal_rows_nothing_changes(selection):
    X, y, _ = pool_with_copies(120, 120)
    partial = make_partial_labels(y, n_labeled=20, random_state=1)
    one, ignore = (
        fast_pruner(selection=selection, duplicates=duplicates).fit(X, partial)
        for duplicates in ("propose_one", "ignore")
    )
    np.testing.assert_array_equal(one.support_, ignore.support_)
    np.testing.assert_array_equal(one.annotation_indices_, ignore.annotation_indices_)
    np.testing.assert_array_equal(one.difficulty_scores_, ignore.difficulty_scores_)
    np.testing.assert_array_equal(one.sample_weight_, ignore.sample_weight_)


@pytest.mark.parametrize("selection", ["auto", "k_means", "beta", "d2", "k_center", "facility_location"])
def test_a_pool_that_is_stacked_upon_itself(selection, iris):
    X, y, _ = iris
    X, places = np.unique(X, axis=0, return_index=True)
    X, y = np.vstack([X, X]), np.r_[y[places], y[places]]
    n = len(X) // 2
    pruner = fast_pruner(budget=45, selection=selection).fit(X, make_partial_labels(y, n_labeled=15, random_state=0))
    asked = pruner.annotation_indices_ % n
    assert len(set(asked)) == 45
    assert set(asked).isdisjoint(np.flatnonzero(pruner._labeled) % n)


def test_the_labeling_is_not_repeated_for_another_treatment_of_equal_rows(fitted_to_copies, counting, tmp_path):
    X, _, _, partial, _ = fitted_to_copies
    labeler, proxy = counting
    models = {"labeler": labeler(n_steps=5, batch_size=8, mu=2), "proxy": proxy(module__width=8)}
    for duplicates, n_proxies in (("propose_one", 1), ("propose_one", 1), ("ignore", 2)):
        fast_pruner(**models, estimate_accuracy=False, memory=str(tmp_path), duplicates=duplicates).fit(X, partial)
        assert (labeler.fits, proxy.fits) == (1, n_proxies)  # the proxy learns the labels that are known


def test_a_selector_that_knows_all_rows_is_warned_of_before_the_training(fitted_to_copies):
    X, _, _, partial, _ = fitted_to_copies

    class Prior(BaseEstimator):
        def select(self, scores, ratio, **inputs):
            return np.linspace(0, 1, 120) + 0 * scores > 0.5

    class Untrained(LabelSpreading):
        def fit(self, X, y):
            assert len(X) < 120, "the labeler was trained"
            return super().fit(X, y)

    with (
        pytest.warns(UserWarning, match=r"selection=Prior\(\) fails in a trial.*\(120,\) \(60,\)"),
        pytest.raises(AssertionError, match="the labeler was trained"),
    ):
        fast_pruner(labeler=Untrained(), selection=Prior()).fit(X, partial)


def test_with_all_labels(fitted_to_copies):
    X, y, number, _, _ = fitted_to_copies
    proxy = make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss"))
    for duplicates in ("propose_one", "ignore"):
        pruner = SupervisedPruner(60, duplicates=duplicates, proxy=proxy, selection="random", random_state=0).fit(X, y)
        assert (np.bincount(number[pruner.support_]).max() == 1) == (duplicates == "propose_one")


def test_images_and_the_training_of_the_labeler():
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(40, 8, 8)).astype(np.uint8)
    X, y = np.concatenate([images, images]), np.tile(np.arange(40) % 2, 2)
    X[y == 1] //= 4
    partial = np.where(np.arange(80) < 12, y, -1)
    labeler = FixMatch(n_steps=10, batch_size=4, mu=2)
    pruner = SemiPrune(20, labeler=labeler, proxy="labeler", n_epochs=10, random_state=0).fit(X, partial)
    assert len(set(np.flatnonzero(pruner.support_) % 40)) == 20
    np.testing.assert_array_equal(pruner.pseudo_labels_[40:52], y[:12])
    # an image and its copy have the same outputs, and now the same label as well
    np.testing.assert_allclose(
        pruner.dynamics_.target_proba[:, :12], pruner.dynamics_.target_proba[:, 40:52], atol=1e-5
    )


def test_a_classifier_trains_on_known_labels_as_on_given_ones(fitted_to_copies):
    X, y, number, partial, _ = fitted_to_copies
    oracle = np.where(np.isin(number, number[partial >= 0]), 99, y)  # would be refused if it were asked
    oracle[partial >= 0] = y[partial >= 0]
    model = PrunedClassifier(LogisticRegression(), fast_pruner(ratio=1.0)).fit(X, partial, y_oracle=oracle)
    assert model.classes_.tolist() == [0, 1, 2]


@given(seed=st.integers(0, 1000))
def test_equal_rows_are_held_out_together(seed):
    rng = np.random.default_rng(seed)
    sets = rng.integers(12, size=60)
    codes = np.where(rng.random(60) < 0.4, -1, rng.integers(2, size=12)[sets])  # each set has one label
    if not can_hold_out(codes, sets):
        return
    rows = held_out_rows(codes, seed, sets)
    known = np.setdiff1d(np.flatnonzero(codes != -1), rows)
    assert len(rows)
    assert not np.isin(sets[rows], sets[known]).any()
    assert set(codes[known]) == set(codes[codes != -1])


def test_a_labeler_does_not_know_the_equals_of_the_rows_it_is_tested_on(digits_of_chance):
    """With labels that are chance, no labeler is better than that, however often each row occurs."""
    X, labels = digits_of_chance
    X, labels = np.vstack([X, X]), np.r_[labels, labels]
    nearest = SelfTrainingClassifier(KNeighborsClassifier(1))
    pruner = fast_pruner(labeler=nearest).fit(X, labels)
    assert 0.2 < pruner.pseudo_label_accuracy_ < 0.8
    assert fast_pruner(labeler=nearest, duplicates="ignore").fit(X, labels).pseudo_label_accuracy_ > 0.8
    fitted = fast_pruner(labeler=nearest, estimate_accuracy=False).fit(X, labels)
    fitted.suggest_ratio(X, [0.5])
    np.testing.assert_array_equal(fitted._held_out.rows, pruner._held_out.rows)


def test_equal_rows_are_no_two_labels():
    """A class whose labeled rows are equal has none to hold out."""
    X, y, _ = pool_with_copies()
    partial = np.full(len(y), -1)
    X[:4] = np.repeat(X[[0, 2]], 2, axis=0)
    partial[:4] = 0, 0, 1, 1
    assert fast_pruner().fit(X, partial).pseudo_label_accuracy_ is None
    with pytest.raises(ValueError, match="no class has two of them that differ"):
        fast_pruner(estimate_accuracy=True).fit(X, partial)
