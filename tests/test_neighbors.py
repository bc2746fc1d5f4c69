"""How neighbors are found: exactly, by transformers of the user, among the clusters nearby; and greedy picks in rounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import SGDClassifier
from sklearn.neighbors import KNeighborsTransformer, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skprune import SemiPrune
from skprune.baselines import D2Pruner
from skprune.selection import D2, FacilityLocation, KMeans, _k_center, _neighbors
from skprune.selection._d2 import take_back
from skprune.selection._k_center import farthest_first
from skprune.selection._neighbor_graph import neighbor_graph
from skprune.selection._neighbors import nearest_others, nearest_point, nearest_points


class OwnGraph(TransformerMixin, BaseEstimator):
    """A graph with a fixed number of neighbors, in no order, as a wrapper of another library may return it."""

    def __init__(self, n_found=12, scale=1.0):
        self.n_found = n_found
        self.scale = scale

    def fit(self, X, y=None):
        self.search_ = NearestNeighbors(n_neighbors=self.n_found).fit(X)
        return self

    def transform(self, X):
        graph = self.search_.kneighbors_graph(X, mode="distance")
        columns = graph.indices.reshape(-1, self.n_found)[:, ::-1].ravel()
        lengths = graph.data.reshape(-1, self.n_found)[:, ::-1].ravel()
        return csr_array((self.scale * lengths, columns, graph.indptr), shape=graph.shape)


@pytest.fixture
def clustered():
    """Rows of 50 clusters that lie far apart, in 20 columns."""
    rng = np.random.default_rng(0)
    return 20.0 * rng.normal(size=(50, 20))[rng.integers(50, size=2000)] + rng.normal(size=(2000, 20))


@pytest.fixture
def few_pairs(monkeypatch):
    """Let no pool be small enough for all pairs."""
    monkeypatch.setattr(_neighbors, "_EXACT", 0)


TRANSFORMERS = [
    KNeighborsTransformer(),
    make_pipeline(StandardScaler(with_std=False), KNeighborsTransformer(n_neighbors=2)),
    OwnGraph(),
    OwnGraph(scale=3.0),
]


@pytest.mark.parametrize("neighbors", TRANSFORMERS, ids=str)
@pytest.mark.parametrize("selector", [D2(), FacilityLocation(5)], ids=str)
def test_a_transformer_finds_the_neighbors(selector, neighbors):
    rng = np.random.default_rng(0)
    features, scores = rng.normal(size=(80, 3)), rng.random(80)
    expected = selector.propose(scores, 20, embedding=features, random_state=0)
    by_graph = type(selector)(5, neighbors=neighbors)
    np.testing.assert_array_equal(by_graph.propose(scores, 20, embedding=features, random_state=0), expected)
    assert by_graph.neighbors is neighbors
    assert not hasattr(neighbors, "search_")


def test_d2_pruner_and_difficulties_of_new_rows(iris):
    X, y, _ = iris
    X = X + np.random.default_rng(1).normal(size=X.shape) / 1e3  # no two rows are equally far from a third one
    expected, found = (D2Pruner(0.3, random_state=0, **more).fit(X, y) for more in ({}, {"neighbors": OwnGraph(8)}))
    np.testing.assert_array_equal(found.support_, expected.support_)
    proxy = make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", alpha=0.1))
    pruner = SemiPrune(proxy=proxy, n_epochs=10, random_state=0).fit(X[:75], y[:75])
    new = np.random.default_rng(0).normal(X.mean(axis=0), X.std(axis=0), size=(40, 4))
    expected = pruner.predict_difficulty(new, n_neighbors=5)
    for neighbors in (KNeighborsTransformer(), OwnGraph()):
        found = pruner.predict_difficulty(new, n_neighbors=5, neighbors=neighbors)
        np.testing.assert_allclose(found, expected)
    with pytest.raises(ValueError, match="neighbors must be None or a transformer"):
        pruner.predict_difficulty(X, neighbors=5)


@pytest.mark.parametrize(
    ("neighbors", "message"),
    [
        ("pynndescent", "neighbors must be None or a transformer that returns a graph, such as KNeighborsTransformer"),
        (KNeighborsTransformer, "neighbors must be None or a transformer"),
        (KNeighborsTransformer(mode="connectivity"), "set mode='distance' of KNeighborsTransformer"),
        (
            make_pipeline(StandardScaler(), KNeighborsTransformer(mode="connectivity")),
            "set mode='distance' of KNeighborsTransformer",
        ),
    ],
    ids=str,
)
def test_what_is_no_transformer_of_distances(neighbors, message):
    for selector in (D2(neighbors=neighbors), FacilityLocation(neighbors=neighbors)):
        with pytest.raises(ValueError, match=message):
            selector.select(np.arange(9.0), 2, embedding=np.eye(9))
    with pytest.raises(ValueError, match=message):
        D2Pruner(neighbors=neighbors, n_clusters=2).fit(np.eye(9))


def pairs_missing(graph):
    graph[3] = 0
    return csr_array(graph)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda X: X, r"must return a sparse graph of shape \(9, 9\), got a ndarray"),
        (lambda X: csr_array(X[:, :4]), r"must return a sparse graph of shape \(9, 9\), got shape \(9, 4\)"),
        (lambda X: csr_array(-np.ones((9, 9))), "must return distances of at least 0"),
        (lambda X: csr_array(np.full((9, 9), np.nan)), "must return distances of at least 0"),
        (lambda X: pairs_missing(np.ones((9, 9))), "found no neighbor of row 3"),
        (lambda X: csr_array(np.eye(9)), "found no neighbor of row 0"),
    ],
    ids=["dense", "shape", "negative", "nan", "lonely", "itself"],
)
def test_graphs_that_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        D2(neighbors=FunctionTransformer(make)).select(np.arange(9.0), 2, embedding=np.eye(9))


@pytest.mark.usefixtures("few_pairs")
def test_neighbors_among_the_clusters_nearby(clustered):
    rng = np.random.default_rng(0)
    found = nearest_others(clustered, 5, rng)
    exact = NearestNeighbors(n_neighbors=5).fit(clustered).kneighbors(return_distance=False)
    assert found.shape == (2000, 5)
    assert (found != np.arange(2000)[:, None]).all()
    np.testing.assert_array_equal(np.sort(found, axis=1), np.sort(exact, axis=1))
    points, queries = clustered[:1500], clustered[1500:]
    exact = NearestNeighbors(n_neighbors=3).fit(points).kneighbors(queries, return_distance=False)
    np.testing.assert_array_equal(nearest_points(points, queries, 3, rng), exact)
    np.testing.assert_array_equal(nearest_point(points, queries), exact[:, 0])


@pytest.mark.usefixtures("few_pairs")
def test_few_features_are_searched_exactly(monkeypatch, clustered):
    monkeypatch.setattr(_neighbors, "_nearest_nearby", None)
    for n_features in (2, 15):
        assert nearest_others(clustered[:, :n_features], 3, None).shape == (2000, 3)


@pytest.mark.usefixtures("few_pairs")
def test_clusters_that_hold_few_rows_or_equal_ones(clustered):
    """As many neighbors as asked for, whatever the clusters: others of these are looked at too."""
    rng = np.random.default_rng(0)
    few, equal = clustered[:40], np.ones((40, 20))
    for rows in (few, equal):
        found = nearest_others(rows, 39, rng)
        for row, others in enumerate(found):
            assert sorted([row, *others]) == list(range(40))


@pytest.mark.usefixtures("few_pairs")
def test_as_many_clusters_as_hold_enough_rows():
    """The 16 clusters nearby, of 21, hold fewer rows than are asked for."""
    rng = np.random.default_rng(0)
    found = nearest_others(rng.normal(size=(441, 20)), 435, rng)
    assert all(len(set(others)) == 435 for others in found)


@pytest.mark.usefixtures("few_pairs")
@pytest.mark.parametrize("selector", [D2(), FacilityLocation(5), KMeans()], ids=str)
def test_selections_of_large_pools(selector, clustered):
    """The same for the same seed, exactly k, and probabilities of all kept rows."""
    first, again = (selector.explain(np.ones(2000), 100, embedding=clustered, random_state=seed) for seed in (0, 0))
    assert first["kept"].sum() == 100
    np.testing.assert_array_equal(first["kept"], again["kept"])
    np.testing.assert_array_equal(first["probability"], again["probability"])
    assert (first["probability"][first["kept"]] > 0).all()


@given(seed=st.integers(0, 1000), n=st.integers(2, 60), d=st.integers(1, 3), least=st.integers(1, 20))
def test_farthest_first_in_rounds(seed, n, d, least):
    """Rounds among the farthest rows pick what one pass after another would."""
    rng = np.random.default_rng(seed)
    features, weights, k = rng.normal(size=(n, d)), rng.random(n), int(rng.integers(1, n + 1))
    expected, nearest = [0], np.linalg.norm(features - features[0], axis=1)
    while len(expected) < k:
        keys = weights * nearest
        keys[expected] = -1.0
        expected.append(int(keys.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(features - features[expected[-1]], axis=1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_k_center, "_LEAST_FARTHEST", least)
        patch.setattr(_k_center, "_CHUNK_PAIRS", 16)
        assert farthest_first(features, k, 0, weights) == expected


@given(seed=st.integers(0, 1000), distinct=st.integers(1, 4))
def test_farthest_first_of_equal_rows(seed, distinct):
    """One of each distinct row comes before any second one."""
    rng = np.random.default_rng(seed)
    kinds = np.concatenate([np.arange(distinct), rng.integers(distinct, size=20)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_k_center, "_LEAST_FARTHEST", 3)
        order = farthest_first(kinds[:, None].astype(float), len(kinds), 0)
    assert sorted(kinds[order[:distinct]]) == list(range(distinct))
    assert sorted(order) == list(range(len(kinds)))


@given(seed=st.integers(0, 1000), gamma=st.sampled_from([0.0, 0.5, 3.0]))
def test_take_back_picks_the_highest_each_time(seed, gamma):
    """Also where values have fallen below 0, so that those of neighbors rise again."""
    rng = np.random.default_rng(seed)
    distances, values = neighbor_graph(rng.normal(size=(30, 2)), 4), rng.random(30)
    expected, density, weights = [], values.copy(), np.exp(-gamma * distances.toarray()) * (distances.toarray() > 0)
    for _ in range(30):
        highest = int(density.argmax())
        density -= density[highest] * weights[highest]
        density[[*expected, highest]] = -np.inf
        expected.append(highest)
    assert take_back(values, distances, gamma, 30) == expected
