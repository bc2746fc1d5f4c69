"""The first rows to label."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.datasets import load_digits, make_blobs
from sklearn.decomposition import PCA

from skprune import suggest_first_labels
from skprune._annotation._first_labels import herd, typical_rows
from skprune.baselines import ContrastiveFeatures


@settings(max_examples=20)
@given(n=st.integers(1, 50), seed=st.integers(0, 3))
def test_rows_differ(n, seed):
    X = np.random.default_rng(seed).normal(size=(50, 3))
    rows = suggest_first_labels(X, n, random_state=seed)
    assert len(set(rows.tolist())) == n
    assert set(rows.tolist()) <= set(range(50))


def test_each_row_covers_most_of_what_is_left():
    """By the definition, without the bounds."""
    similarity = np.random.default_rng(0).random((60, 40)) ** 3
    covered = np.zeros(40)
    for row in herd(similarity, covered, 15)[0]:
        gains = np.maximum(similarity - covered, 0.0).sum(axis=1)
        assert gains[row] == pytest.approx(gains.max())
        covered = np.maximum(covered, similarity[row])


def test_a_typical_row_is_in_a_dense_place():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(40, 2)), rng.normal(scale=0.05, size=(30, 2)) + 0.5, [[50.0, 50.0]]])
    rows = typical_rows(X, 2, 0)
    assert sorted(rows)[1] == 70
    assert 40 <= min(rows) < 70


@pytest.mark.parametrize("n", [5, 10, 40])
def test_a_row_of_each_cluster_comes_first(n):
    X, clusters = make_blobs(300, centers=5, cluster_std=0.5, center_box=(-20, 20), random_state=1)
    rows = suggest_first_labels(X, n, random_state=0)
    assert set(clusters[rows[:5]]) == set(range(5))


def test_equal_rows_are_suggested_last():
    X = np.repeat(np.random.default_rng(0).normal(size=(10, 2)), 4, axis=0)
    rows = suggest_first_labels(X, 12, random_state=0)
    assert len(set((rows[:10] // 4).tolist())) == 10
    assert len(set(suggest_first_labels(np.ones((6, 2)), 6, random_state=0).tolist())) == 6


@pytest.mark.parametrize("kind", ["frame", "sparse", "texts", "embedding", "offset"])
def test_kinds_of_pools(kind):
    rng = np.random.default_rng(0)
    groups = rng.integers(2, size=40)
    table = rng.normal(size=(40, 3)) + 8 * groups[:, None]
    embedding = None
    if kind == "frame":
        X = pd.DataFrame({"a": np.where(groups, "x", "y"), "b": table[:, 0]})
        X.loc[3, "b"] = np.nan
    elif kind == "sparse":
        X = csr_array(table)
    elif kind == "texts":
        X = [("red blue " if group else "one two three ") * 3 for group in groups]
    elif kind == "embedding":
        X, embedding = table, PCA(1)
    else:
        X = table + 1e6
    rows = suggest_first_labels(X, 2, embedding=embedding, random_state=0)
    assert rows.dtype.kind == "i"
    assert set(groups[rows]) == {0, 1}


def test_a_net_is_trained_for_images(monkeypatch):
    made, fit = [], ContrastiveFeatures.fit

    def quick(self, X, y=None):
        made.append(self)
        return fit(self.set_params(n_steps=1, batch_size=8), X)

    monkeypatch.setattr(ContrastiveFeatures, "fit", quick)
    images = load_digits().images[:12].astype(np.uint8)
    rows = suggest_first_labels(images, 3, random_state=0, verbose=1, device="cpu")
    assert len(set(rows.tolist())) == 3
    assert (made[0].verbose, made[0].device) == (1, "cpu")
    flat = suggest_first_labels(images.reshape(12, 64), 3, image_shape=(1, 8, 8), random_state=0, device="cpu")
    np.testing.assert_array_equal(flat, rows)


def test_large_pools_are_sampled(monkeypatch):
    monkeypatch.setattr("skprune._annotation._first_labels._MOST_CANDIDATES", 10)
    X = np.random.default_rng(0).normal(size=(200, 2))
    assert len(set(suggest_first_labels(X, 10, random_state=0).tolist())) == 10
    assert len(set(suggest_first_labels(X, 30, random_state=0).tolist())) == 30


def test_the_seed():
    X = np.random.default_rng(0).normal(size=(60, 2))
    np.testing.assert_array_equal(*[suggest_first_labels(X, 5, random_state=3) for _ in range(2)])


@pytest.mark.parametrize(
    ("X", "n", "params", "error", "message"),
    [
        (np.ones((5, 2)), 0, {}, ValueError, "n must be an integer from 1 to 5, got 0"),
        (np.ones((5, 2)), 6, {}, ValueError, "n must be an integer from 1 to 5, got 6"),
        (np.ones((5, 2)), 2.0, {}, ValueError, r"n must be an integer from 1 to 5, got 2\.0"),
        (np.array([[1.0], [np.inf]]), 2, {}, ValueError, "infinity"),
        (np.ones((0, 2)), 2, {}, ValueError, "X holds 0 samples|0 sample"),
        (np.ones((5, 2)), 2, {"embedding": "pca"}, TypeError, "embedding must be a transformer"),
        (np.ones((5, 2)), 2, {"random_state": -1}, ValueError, "random_state must be None, an integer"),
    ],
)
def test_refused(X, n, params, error, message):
    with pytest.raises(error, match=message):
        suggest_first_labels(X, n, **params)
