"""Selection by coverage: clusters, their order, mixtures, the space in which rows are near one another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.base import clone

from skprune._pipeline._space import class_uncertainty, coverage_space
from skprune.selection import Cutoff, Hardest, KMeans, Mixture, Random, Stratified
from skprune.selection import _k_means as k_means
from skprune.selection._k_means import nearest_to_centers, spread_order


def planted(n_clusters, size, seed=0, n_features=3):
    """Return rows of clusters far from one another, and the cluster of each row."""
    rng = np.random.default_rng(seed)
    centers = np.stack(np.meshgrid(*[np.arange(5.0)] * n_features), axis=-1).reshape(-1, n_features)[:n_clusters] * 20
    clusters = rng.permutation(np.repeat(np.arange(n_clusters), size))
    return (centers[clusters] + rng.normal(size=(len(clusters), n_features))).astype(np.float32), clusters


@given(
    seed=st.integers(0, 1000),
    n_samples=st.integers(1, 60),
    share=st.floats(0.01, 1.0),
    n_distinct=st.integers(1, 60),
    share_fixed=st.floats(0.0, 1.0),
    direct=st.booleans(),
)
def test_k_rows_are_picked_once(seed, n_samples, share, n_distinct, share_fixed, direct):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n_distinct, 2)).astype(np.float32)[rng.integers(n_distinct, size=n_samples)]
    k = max(1, round(share * n_samples))
    limit = k_means._DIRECT
    try:
        k_means._DIRECT = limit if direct else 0
        fixed = rng.permutation(n_samples) < int(share_fixed * k)
        picks = nearest_to_centers(features, rng.random(n_samples) + 0.1, k, rng, fixed=fixed)
    finally:
        k_means._DIRECT = limit
    assert len(picks) == len(set(picks.tolist())) == k - fixed.sum()
    assert set(picks.tolist()) <= set(np.flatnonzero(~fixed))


@pytest.mark.parametrize("direct", [True, False])
def test_most_clusters_are_covered(monkeypatch, direct):
    """Random rows miss about a third of as many clusters."""
    if not direct:
        monkeypatch.setattr(k_means, "_DIRECT", 0)
    features, clusters = planted(50, 12)
    covered = [
        len(set(clusters[KMeans().select(np.ones(600), 50, embedding=features, random_state=seed)]))
        for seed in range(5)
    ]
    assert np.mean(covered) > 37
    assert np.mean(covered) > np.mean(
        [len(set(clusters[np.random.default_rng(seed).permutation(600)[:50]])) for seed in range(5)]
    )


def test_the_middle_of_a_cluster_is_picked():
    features, clusters = planted(2, 200)
    picks = np.flatnonzero(KMeans().select(np.ones(400), 2, embedding=features, random_state=0))
    for pick in picks:
        members = features[clusters == clusters[pick]]
        distances = np.linalg.norm(members - members.mean(axis=0), axis=1)
        assert np.linalg.norm(features[pick] - members.mean(axis=0)) == pytest.approx(distances.min(), rel=1e-4)


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize("selector", [KMeans(), Mixture(KMeans(), second=Random(), share=1.0)], ids=["alone", "mixed"])
def test_what_rows_that_must_stay_cover_is_not_covered_again(monkeypatch, selector, direct):
    if not direct:
        monkeypatch.setattr(k_means, "_DIRECT", 0)
    features, clusters = planted(40, 12)
    must_keep = np.zeros(480, dtype=bool)
    must_keep[[np.flatnonzero(clusters == cluster)[0] for cluster in range(30)]] = True
    again = []
    for seed in range(10):
        inputs = {"embedding": features, "must_keep": must_keep, "random_state": seed}
        mask = selector.select(np.ones(480), 40, **inputs)
        assert mask[must_keep].all()
        assert mask.sum() == 40
        again += (clusters[mask & ~must_keep] < 30).tolist()
        np.testing.assert_array_equal(np.sort(selector.propose(np.ones(480), 40, **inputs)), np.flatnonzero(mask))
        explained = selector.explain(np.ones(480), 40, **inputs)
        np.testing.assert_array_equal(explained["kept"], mask)
        assert set(explained["why"][must_keep]) == {"must stay"}
    assert np.mean(again) < 0.35  # three quarters of the rows are in these clusters


def test_uncertain_regions_are_covered_more_closely():
    rng = np.random.default_rng(0)
    features = rng.uniform(-1, 1, size=(2000, 2))
    uncertainty = (features[:, 0] > 0).astype(float)
    shares = [
        np.mean(features[KMeans(factor).select(np.ones(2000), 200, **inputs)][:, 0] > 0)
        for factor, inputs in (
            (0.0, {"embedding": features, "random_state": 0}),
            (9.0, {"embedding": features, "uncertainty": uncertainty, "random_state": 0}),
        )
    ]
    assert shares[0] == pytest.approx(0.5, abs=0.05)
    assert shares[1] > 0.6


def test_the_same_seed_keeps_the_same_rows_and_scales_do_not_matter():
    features, _ = planted(10, 20)
    masks = [
        KMeans().select(np.ones(200), 0.2, embedding=rows, random_state=3)
        for rows in (features, features.copy(), features * 1024)
    ]
    np.testing.assert_array_equal(masks[0], masks[1])
    np.testing.assert_array_equal(masks[0], masks[2])
    assert (KMeans().select(np.ones(200), 0.2, embedding=features, random_state=4) != masks[0]).any()


def test_each_kept_row_stands_for_those_around_it():
    features, clusters = planted(6, 15)
    found = KMeans().explain(np.ones(90), 6, embedding=features, random_state=0)
    weights = 1 / found["probability"][found["kept"]]
    assert weights.sum() == pytest.approx(90)
    assert found["probability"].sum() == pytest.approx(6)
    assert set(found["why"][found["kept"]]) == {"nearest to the center of its cluster"}


@given(n_samples=st.integers(0, 300), seed=st.integers(0, 100))
def test_the_order_holds_every_row_once(n_samples, seed):
    rng = np.random.default_rng(seed)
    order = spread_order(rng.normal(size=(n_samples, 3)), rng)
    assert sorted(order.tolist()) == list(range(n_samples))


def test_the_row_in_the_middle_comes_first():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 3))
    distances = np.square(features - features.mean(axis=0)).sum(axis=1)
    assert spread_order(features, rng)[0] == distances.argmin()


def test_each_prefix_is_spread():
    features, clusters = planted(32, 40)
    rng = np.random.default_rng(0)
    order = spread_order(features, rng)
    for size in (16, 32, 64, 128):
        random = np.mean([len(set(clusters[rng.permutation(1280)[:size]])) for _ in range(20)])
        assert len(set(clusters[order[:size]])) >= random, size


# Mixtures


def test_each_selector_has_its_share():
    features, clusters = planted(10, 10)
    scores = np.random.default_rng(0).random(100)
    inputs = {"embedding": features, "random_state": 0}
    mixture = Mixture(KMeans(), second=Hardest())
    mask = mixture.select(scores, 20, **inputs)
    covering = KMeans().select(scores, 10, **inputs)
    assert mask.sum() == 20
    assert mask[covering].all()
    left = np.where(covering, -1.0, scores)
    assert set(np.flatnonzero(mask & ~covering)) == set(np.argsort(-left)[:10])


@pytest.mark.parametrize(("share", "alone"), [(0.0, Hardest()), (1.0, KMeans())])
def test_a_share_of_nothing_or_all(share, alone):
    features, _ = planted(10, 10)
    scores, inputs = np.random.default_rng(0).random(100), {"embedding": features, "random_state": 0}
    mixture = Mixture(KMeans(), second=Hardest(), share=share)
    np.testing.assert_array_equal(mixture.select(scores, 0.3, **inputs), alone.select(scores, 0.3, **inputs))


@given(seed=st.integers(0, 500), ratio=st.floats(0.02, 1.0), share=st.floats(0.0, 1.0), forced=st.floats(0.0, 0.5))
def test_mixtures_keep_exactly_k_and_explain_it(seed, ratio, share, forced):
    rng = np.random.default_rng(seed)
    features, scores = rng.normal(size=(40, 2)), rng.normal(size=40)
    k = max(1, round(ratio * 40))
    must_keep = np.zeros(40, dtype=bool)
    must_keep[rng.permutation(40)[: int(forced * k)]] = True
    inputs = {"embedding": features, "must_keep": must_keep, "random_state": seed}
    mixture = Mixture(KMeans(), second=Random(), share=share)
    mask = mixture.select(scores, ratio, **inputs)
    assert mask.sum() == k
    assert mask[must_keep].all()
    found = mixture.explain(scores, ratio, **inputs)
    np.testing.assert_array_equal(found["kept"], mask)
    assert ((found["probability"][mask] > 0) & (found["probability"][mask] <= 1)).all()
    assert (found["why"][must_keep] == "must stay").all()


def test_small_pools_are_clustered_at_once(monkeypatch):
    monkeypatch.setattr(k_means, "coarse_clusters", None)
    assert (
        KMeans()
        .select(np.ones(100), 20, embedding=np.random.default_rng(0).normal(size=(100, 3)), random_state=0)
        .sum()
        == 20
    )


@given(seed=st.integers(0, 10**6), k=st.integers(10, 40), share=st.sampled_from([0.5, 0.9, 1.0]))
def test_a_mixture_leaves_room_for_each_class(seed, k, share):
    """Hardest rows are all of one class, and still each of five has its two."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.repeat(np.arange(5), 3), np.zeros(25, dtype=int)])
    scores = (y == 0) + rng.random(40)
    mixture = Mixture(Hardest(), second=Hardest(min_per_class=2), share=share)
    mask = mixture.select(scores, k, y=y, random_state=seed)
    assert mask.sum() == k
    assert np.bincount(y[mask]).min() >= 2
    assert mixture.min_per_class == 2


def test_mixtures_say_what_they_need_and_refuse():
    mixture = Mixture(KMeans(2.0), second=Hardest(min_per_class=0.5))
    assert set(mixture.needs()) == {"embedding", "uncertainty", "y"}
    with pytest.raises(ValueError, match=r"share must be within \[0, 1\], got 2"):
        mixture.set_params(share=2).select(np.ones(4), 2, embedding=np.eye(4))
    with pytest.raises(ValueError, match="uncertainty must be at least 0, got -1"):
        Mixture(KMeans(-1), second=Hardest()).select(np.ones(4), 4, embedding=np.eye(4))
    for parts, name in (
        ({"first": "k_means", "second": Hardest()}, "first"),
        ({"first": KMeans(), "second": Hardest}, "second"),
    ):
        with pytest.raises(TypeError, match=rf"{name} must be a selector, such as KMeans\(\), got"):
            Mixture(**parts).select(np.ones(4), 2, embedding=np.eye(4))
    with pytest.raises(TypeError, match="embedding is sparse, .* TruncatedSVD"):
        KMeans().select(np.ones(4), 2, embedding=csr_array(np.eye(4)))


# The space


def test_tables_are_standardized():
    rng = np.random.default_rng(0)
    pool = np.column_stack([rng.normal(size=100), 1e4 * rng.normal(size=100), np.full(100, 3.0)])
    space = coverage_space(pool, None, 0)
    np.testing.assert_allclose(space.std(axis=0), [1, 1, 0], atol=1e-5)
    np.testing.assert_allclose(space.mean(axis=0), 0, atol=1e-5)


def test_wide_tables_lose_columns_and_images_are_features():
    rng = np.random.default_rng(0)
    space = coverage_space(rng.normal(size=(300, 500)), None, 0)
    assert space.shape == (300, 128)
    np.testing.assert_array_equal(
        space, coverage_space(rng.__class__(np.random.PCG64(0)).normal(size=(300, 500)), None, 0)
    )
    features = rng.normal(size=(5, 7))
    assert coverage_space(np.zeros((5, 1, 2, 2)), features, 0) is features


def test_rows_between_the_classes_are_uncertain():
    space = np.linspace(-3, 3, 61)[:, None]
    codes = np.full(61, -1)
    codes[[0, 5, 10]], codes[[50, 55, 60]] = 0, 1
    uncertainty = class_uncertainty(space, codes, 0)
    assert 27 <= uncertainty.argmax() <= 33
    assert uncertainty[[0, -1]].max() < 0.5
    assert ((uncertainty >= 0) & (uncertainty <= 1)).all()


def test_uncertainty_is_believed_where_unseen_labels_bear_it_out():
    rng = np.random.default_rng(0)
    space, classes = rng.normal(size=(400, 3)), rng.integers(3, size=400)
    codes = np.where(rng.random(400) < 0.3, classes, -1)
    assert class_uncertainty(space + 4 * np.eye(3)[classes], codes, 0).max() > 0.6
    np.testing.assert_array_equal(class_uncertainty(space + 0.5 * np.eye(3)[classes], codes, 0), 0)
    np.testing.assert_array_equal(class_uncertainty(space, codes, 0), 0)


@pytest.mark.parametrize("codes", [[-1, -1, -1, -1], [0, 0, 0, -1], [0, 1, -1, -1], [0, 0, 1, -1]])
def test_few_labels_bear_out_no_uncertainty(codes):
    np.testing.assert_array_equal(class_uncertainty(np.arange(4.0)[:, None], np.array(codes), 0), 0)


def test_many_labels_are_sampled_and_a_lost_class_is_no_fault(monkeypatch):
    monkeypatch.setattr("skprune._pipeline._space.MOST_LABELED", 3)
    rng = np.random.default_rng(0)
    space, codes = rng.normal(size=(50, 2)), np.r_[1, np.zeros(49, dtype=int)]
    for seed in range(5):
        uncertainty = class_uncertainty(space, codes, seed)
        assert uncertainty.shape == (50,)
        assert np.isfinite(uncertainty).all()


# Orders of proposal


@given(
    selector=st.sampled_from(
        [KMeans(), Hardest(), Random(), Cutoff(0.1), Stratified(), Mixture(KMeans(), second=Hardest())]
    ),
    seed=st.integers(0, 500),
    ratio=st.floats(0.05, 0.8),
    forced=st.floats(0.0, 0.5),
    options=st.sampled_from([{}, {"class_balanced": "proportional"}, {"min_per_class": 0.5}]),
)
def test_what_is_proposed_is_what_is_kept(selector, seed, ratio, forced, options):
    rng = np.random.default_rng(seed)
    codes, scores = rng.integers(3, size=40), rng.normal(size=40)
    must_keep = np.zeros(40, dtype=bool)
    must_keep[rng.permutation(40)[: int(forced * ratio * 40 / 3)]] = True
    selector = clone(selector).set_params(**options if not isinstance(selector, Mixture) else {})
    inputs = {"embedding": rng.normal(size=(40, 2)), "y": codes, "must_keep": must_keep, "random_state": seed}
    proposed = selector.propose(scores, ratio, **inputs)
    assert len(proposed) == len(set(proposed.tolist()))
    np.testing.assert_array_equal(np.sort(proposed), np.flatnonzero(selector.select(scores, ratio, **inputs)))


def test_both_selectors_of_a_mixture_propose_in_turn():
    features, _ = planted(10, 10)
    scores = np.random.default_rng(0).random(100)
    inputs = {"embedding": features, "random_state": 0}
    proposed = Mixture(KMeans(), second=Hardest()).propose(scores, 20, **inputs)
    covering = KMeans().select(scores, 10, **inputs)
    assert [covering[proposed[:size]].sum() for size in (4, 10, 20)] == [2, 5, 10]
    hard = proposed[~covering[proposed]]
    assert (np.diff(scores[hard]) <= 0).all()
