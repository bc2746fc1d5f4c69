"""Pools in shards: exactly k rows, the same in any order of the shards, and the global coreset where there is one shard."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading

from skprune import SemiPrune, prune_shards
from skprune._pipeline import _shares
from skprune._pipeline._shares import calibrations, knots_of, shares_by_size, shares_of_top
from skprune.baselines import RandomPruner
from skprune.datasets import make_partial_labels
from skprune.selection import Cutoff, Easiest, Hardest, KMeans, Mixture, Random, Stratified

pytestmark = pytest.mark.filterwarnings("ignore:The coreset of .* holds no row of")
KEYS = st.lists(st.lists(st.integers(-3, 3), max_size=30), min_size=1, max_size=5).filter(
    lambda keys: sum(map(len, keys))
)


@given(keys=KEYS, seed=st.integers(0, 100), data=st.data(), n_points=st.sampled_from([2, 5, 1000]))
def test_shares_of_the_top_are_exact(keys, seed, data, n_points):
    """Exactly k, none left out that is above one kept, and no more of a shard than it has."""
    keys = [np.sort(np.array(array, dtype=float))[::-1] for array in keys]
    k = data.draw(st.integers(1, sum(map(len, keys))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_shares, "_N_POINTS", n_points)
        shares = shares_of_top(keys, k, np.random.default_rng(seed))
    assert shares.sum() == k
    kept = np.concatenate([array[:share] for array, share in zip(keys, shares, strict=True)])
    np.testing.assert_array_equal(np.sort(kept)[::-1], np.sort(np.concatenate(keys))[::-1][:k])


def test_chance_decides_between_equal_keys():
    keys = [np.ones(30), np.ones(10), np.array([2.0, 1.0, 0.0])]
    shares = np.array([shares_of_top(keys, 21, np.random.default_rng(seed)) for seed in range(2000)])
    np.testing.assert_allclose(shares.mean(axis=0), [20 * 30 / 41, 20 * 10 / 41, 1 + 20 / 41], rtol=0.03)


@given(sizes=st.lists(st.integers(1, 50), min_size=1, max_size=6), seed=st.integers(0, 9), data=st.data())
def test_shares_by_size(sizes, seed, data):
    sizes = np.array(sizes)
    k = data.draw(st.integers(1, int(sizes.sum())))
    shares = shares_by_size(sizes, k, np.random.default_rng(seed))
    assert shares.sum() == k
    assert (np.abs(shares - k * sizes / sizes.sum()) < 1.0 + 1e-6).all()


@given(seed=st.integers(0, 100), n=st.integers(1, 60))
def test_scales_agree_on_the_rows_that_are_shared(seed, n):
    """A shard whose scores are those of another, stretched and moved, comes to the same scale; order stays."""
    rng = np.random.default_rng(seed)
    scores = rng.random(n)
    other = 3.0 * scores + 2.0
    scale, scale_of_other = calibrations([knots_of(scores), knots_of(other)])
    np.testing.assert_allclose(scale(scores), scale_of_other(other), atol=1e-9)
    values = np.sort(rng.normal(size=50))
    assert (np.diff(scale(values)) > -1e-12).all()
    (alone,) = calibrations([knots_of(scores)])
    np.testing.assert_array_equal(alone(values), values)


@pytest.fixture(scope="module")
def pool():
    X, y = load_digits(return_X_y=True)
    X, y = X[:300] / 16, y[:300] % 3
    return X, y, make_partial_labels(y, n_labeled=60, random_state=0)


def pruner(selection="auto", ratio=0.2, **more):
    proxy = make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", alpha=0.01))
    labeler = LabelSpreading(kernel="knn", n_neighbors=20)
    options = {"n_epochs": 3, "difficulty": "aum", "estimate_accuracy": False, "random_state": 0}
    return SemiPrune(ratio, labeler=labeler, proxy=proxy, selection=selection, **options | more)


def in_shards(X, y, *edges):
    return [(X[start:end], y[start:end]) for start, end in zip((0, *edges), (*edges, len(X)), strict=True)]


@pytest.mark.parametrize(
    "selection",
    ["auto", Hardest(), Easiest(), Cutoff(0.1), Random(), Stratified(min_per_class=3), Hardest(min_per_class=2)],
    ids=str,
)
@pytest.mark.parametrize("twins", [False, True])
def test_one_shard_is_the_pool(selection, twins, pool):
    X, _, partial = pool
    if twins:
        X, partial = np.vstack([X, X[-40:]]), np.append(partial, partial[-40:])
    expected = pruner(selection).fit(X, partial)
    found = prune_shards(pruner(selection), [(X, partial)])
    np.testing.assert_array_equal(found.support[0], expected.support_)
    np.testing.assert_array_equal(found.pseudo_labels[0], expected.pseudo_labels_)
    np.testing.assert_array_equal(found.difficulty_scores[0], expected.difficulty_scores_)
    np.testing.assert_array_equal(found.pseudo_label_confidence[0], expected.pseudo_label_confidence_)


@pytest.mark.parametrize("selection", [Hardest(), Cutoff(0.1), KMeans()], ids=str)
def test_the_order_of_the_shards_does_not_matter(selection, pool):
    X, _, partial = pool
    shards = in_shards(X, partial, 60, 200)
    found = prune_shards(pruner(selection), shards)
    assert sum(mask.sum() for mask in found.support) == 60
    other = prune_shards(pruner(selection), shards[::-1])
    for place in range(3):
        np.testing.assert_array_equal(other.support[2 - place], found.support[place])
        np.testing.assert_array_equal(other.difficulty_scores[2 - place], found.difficulty_scores[place])
    rows, labels = found.coreset(shards)
    np.testing.assert_array_equal(rows, X[np.concatenate(found.support)])
    assert labels.shape == (60,)


def test_one_threshold_for_all_shards(pool):
    X, _, partial = pool
    shards = in_shards(X, partial, 100, 150)
    hardest = prune_shards(pruner(Hardest()), shards)
    kept, scores = np.concatenate(hardest.support), np.concatenate(hardest.difficulty_scores)
    assert scores[kept].min() >= scores[~kept].max()
    after_cutoff = np.concatenate(prune_shards(pruner(Cutoff(0.1)), shards).support)
    cut = scores > scores[after_cutoff].max()
    assert 25 <= cut.sum() <= 30
    assert scores[after_cutoff].min() >= scores[~(after_cutoff | cut)].max()


def test_shares_follow_the_sizes_of_the_shards(pool):
    X, _, partial = pool
    found = prune_shards(pruner("auto"), in_shards(X, partial, 60, 200))
    assert [int(mask.sum()) for mask in found.support] == [12, 28, 20]


def test_a_shard_without_labels_learns_from_the_others(pool):
    X, y, partial = pool
    partial = partial.copy()
    partial[200:] = -1
    found = prune_shards(pruner(), in_shards(X, partial, 200))
    labels = np.concatenate(found.pseudo_labels)
    np.testing.assert_array_equal(labels[partial != -1], y[partial != -1])
    assert (labels[200:] == y[200:]).mean() > 0.7


def test_shards_of_every_kind(pool, tmp_path):
    """Files, memory-mapped arrays and callables, in processes too; labels of texts."""
    X, y, partial = pool
    names = np.array(["a", "b", "c"])[y].astype(object)
    names[partial == -1] = None
    expected = prune_shards(pruner(Hardest()), in_shards(X, names, 100, 200))
    np.savez(tmp_path / "first.npz", X=X[:100], y=partial[:100])
    np.save(tmp_path / "second.npy", X[100:200])
    second = np.load(tmp_path / "second.npy", mmap_mode="r")
    shards = [tmp_path / "first.npz", (second, partial[100:200]), lambda: (X[200:], partial[200:])]
    for n_jobs in (1, 2):
        found = prune_shards(pruner(Hardest()), shards, n_jobs=n_jobs)
        for one, other in zip(found.support, expected.support, strict=True):
            np.testing.assert_array_equal(one, other)
    assert set(np.concatenate(expected.pseudo_labels)) == {"a", "b", "c"}
    np.testing.assert_array_equal(found.coreset(shards)[0], expected.coreset(in_shards(X, names, 100, 200))[0])


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float16, bool])
def test_shards_of_other_dtypes_get_the_rows_of_others_as_they_are(dtype, pool):
    """Rows of one shard hold whole numbers only; the labeled rows of the other keep their fractions."""
    X, _, partial = pool
    partial = np.append(partial[:200], np.full(100, -1))
    whole = np.rint(X[200:])
    expected = prune_shards(pruner(Hardest()), [(X[:200], partial[:200]), (whole, partial[200:])])
    found = prune_shards(pruner(Hardest()), [(X[:200], partial[:200]), (whole.astype(dtype), partial[200:])])
    for one, other in zip(found.pseudo_labels, expected.pseudo_labels, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_mark_means_the_same_in_all_shards(pool):
    X, y, _ = pool
    signs = (y - 1).astype(object)
    unlabeled = np.full(100, None)
    shards = [(X[:200], signs[:200]), (X[200:], unlabeled)]
    with pytest.raises(
        ValueError, match="Shard 1 marks unlabeled rows by None or NaN, so that -1 would be a class, and shard 0"
    ):
        prune_shards(pruner(), shards)
    found = prune_shards(pruner(missing_label=None), shards)
    assert set(np.concatenate(found.pseudo_labels)) == {-1, 0, 1}
    np.testing.assert_array_equal(found.pseudo_labels[0].astype(int), y[:200] - 1)
    with pytest.warns(UserWarning, match=r"y holds -1 in 100 of 300 rows, read as unlabeled, beside \[0, 1\]"):
        prune_shards(pruner(), [(X[:200], y[:200] % 2), (X[200:], np.full(100, -1))])


def test_refusals_come_before_any_training(pool, monkeypatch):
    X, _, partial = pool
    monkeypatch.setattr(SemiPrune, "fit", None)
    broken = X[200:].copy()
    broken[-1, 0] = np.nan
    mixed = Mixture(KMeans(), second=Random(min_per_class=4))
    shards = in_shards(X, partial, 100, 200)
    for bad, parts, message in (
        (pruner(), [*shards[:2], (broken, partial[200:])], r"Shard 2: X holds missing cells .* \(row 99\)"),
        (pruner(Cutoff(0.5), ratio=0.6), shards, "leaves fewer than the 180 rows to keep"),
        (pruner(Random(min_per_class=9)), shards, r"Shard \d: min_per_class=9 needs at least 2\d rows"),
        (pruner(mixed, ratio=0.1), shards, r"Shard \d: .*min_per_class"),
        (pruner(), [(X[:200], partial[:200] * 0), (X[200:], np.full(100, -1))], "y holds one class only"),
    ):
        with pytest.raises(ValueError, match=message):
            prune_shards(bad, parts)


def test_files_that_are_no_shards(pool, tmp_path):
    X, _, partial = pool
    np.savez(tmp_path / "named.npz", rows=X, y=partial)
    np.save(tmp_path / "array.npy", X)
    np.savez(tmp_path / "objects.npz", X=X, y=partial.astype(object))
    np.savez(tmp_path / "whole.npz", X=X, y=partial)
    content = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(content[:1000])
    for name, error, message in (
        ("named.npz", ValueError, r"Shard 1: .*named.npz holds \['rows', 'y'\], and no 'X'"),
        ("array.npy", ValueError, "Shard 1: .*array.npy holds one array. A file must be an .npz"),
        ("objects.npz", ValueError, "Shard 1: .*objects.npz holds Python objects.* with -1, NaN or a text of your own"),
        ("cut.npz", ValueError, "Shard 1: .*cut.npz is damaged"),
        ("none.npz", FileNotFoundError, "none.npz"),
    ):
        with pytest.raises(error, match=message):
            prune_shards(pruner(), [(X, partial), tmp_path / name])


def test_classes_that_no_shard_keeps(pool):
    X, y, partial = pool
    with pytest.warns(UserWarning, match=r"The coreset of 2 rows holds no row of 2 of 3 classes"):
        prune_shards(pruner(Hardest(), ratio=2), in_shards(X, partial, 100))


def test_what_is_refused(pool):
    X, _, partial = pool
    shards = in_shards(X, partial, 100)
    for bad, error, message in (
        (RandomPruner(), TypeError, "pruner must be a SemiPrune"),
        (pruner(budget=5, ratio=0.5), ValueError, "budget=5 is not for shards"),
        (pruner(include_labeled=True), ValueError, "include_labeled=True is not for shards"),
        (pruner(Cutoff(0.9)), ValueError, "leaves fewer than the 60 rows to keep"),
    ):
        with pytest.raises(error, match=message):
            prune_shards(bad, shards)
    images = X.reshape(-1, 8, 8)
    for bad, error, message in (
        (
            [(images, partial), (images.astype(np.uint8), partial)],
            ValueError,
            "Shard 0 holds images of float64, and shard 1 of uint8",
        ),
        ([], ValueError, "at least one shard"),
        ([*shards, X], TypeError, "Shard 2: a shard must be a pair"),
        ([*shards, (X, partial[:5])], ValueError, "Shard 2: X and y have inconsistent numbers"),
        (
            [*shards, (X[:, :5], partial)],
            ValueError,
            r"must have one shape, got \(64,\) in shard 0 and \(5,\) in shard 2",
        ),
        ([*shards, (X[:0], partial[:0])], ValueError, "Shard 2: X holds 0 samples"),
        ([*shards, (np.ma.masked_equal(X, X[3, 4]), partial)], ValueError, "Shard 2: X is masked, first in row"),
        ([*shards, (pd.DataFrame(X), partial)], TypeError, r"Shard 2: .* got a DataFrame. Use X.to_numpy\(\)"),
        ([*shards, (np.full((2, 64), np.nan), np.array([-1, -1]))], ValueError, "Shard 2: .*NaN"),
    ):
        with pytest.raises(error, match=message):
            prune_shards(pruner(), bad)
