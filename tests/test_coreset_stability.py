"""How much of a coreset is luck."""

from functools import partial as partial_function
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from skprune import PrunedClassifier
from skprune.baselines import HerdingPruner, RandomPruner
from skprune.model_selection import coreset_stability
from skprune.model_selection._coreset_stability import CoresetStability


@pytest.mark.parametrize(
    ("masks", "overlap", "stability"),
    [
        ([[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0]], 1.0, 1.0),
        ([[1, 1, 0, 0], [1, 0, 1, 0]], 0.5, 0.0),
        ([[1, 1, 0, 0], [0, 0, 1, 1]], 0.0, -1.0),
        ([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 1]], 2 / 3, 1 / 3),
        ([[1, 1], [1, 1]], 1.0, 1.0),
    ],
)
def test_values(masks, overlap, stability):
    found = CoresetStability(np.array(masks, dtype=bool))
    assert found.overlap == pytest.approx(overlap)
    assert found.overlap_by_chance == np.mean(masks)
    assert found.stability == pytest.approx(stability)
    np.testing.assert_allclose(found.kept_share, np.mean(masks, axis=0))


@given(st.integers(2, 6), st.integers(4, 30), st.floats(0.1, 0.9), st.integers(0, 2**31))
def test_it_is_the_mean_over_pairs(n_coresets, n, ratio, seed):
    rng, k = np.random.default_rng(seed), max(1, round(ratio * n))
    masks = np.zeros((n_coresets, n), dtype=bool)
    for mask in masks:
        mask[rng.choice(n, k, replace=False)] = True
    found = CoresetStability(masks)
    pairs = [(one & two).sum() / k for one, two in combinations(masks, 2)]
    assert found.overlap == pytest.approx(np.mean(pairs))
    assert found.stability <= 1.0


@given(st.integers(2, 6), st.integers(2, 30), st.integers(0, 2**31))
def test_coresets_of_any_size_give_the_stability_of_the_paper(n_coresets, n, seed):
    masks = np.random.default_rng(seed).random((n_coresets, n)) < 0.5
    masks[0, 0], masks[0, 1] = True, False
    share = masks.mean(axis=0)
    variance = (share * (1 - share)).mean() * n_coresets / (n_coresets - 1)
    expected = 1 - variance / (masks.mean() * (1 - masks.mean()))
    assert CoresetStability(masks).stability == pytest.approx(expected)


def test_random_rows_have_the_overlap_of_chance():
    found = coreset_stability(RandomPruner(0.3), np.zeros((1000, 1)), random_states=range(12))
    assert found.overlap_by_chance == pytest.approx(0.3)
    assert found.overlap == pytest.approx(0.3, abs=0.02)
    assert found.stability == pytest.approx(0.0, abs=0.03)


def test_a_pruner_that_draws_nothing_keeps_the_same():
    rows = np.random.default_rng(0).normal(size=(100, 3))  # without ties
    found = coreset_stability(HerdingPruner(0.3), rows, np.arange(100) % 2, random_states=[3, 4])
    assert found.stability == found.overlap == 1.0
    assert set(found.kept_share) == {0.0, 1.0}


def test_everything_draws_anew(quick, iris):
    """Nested seeds that are set are replaced, or all coresets would be those of these."""
    X, _, partial = iris
    pruner = quick(0.3, random_state=5, n_jobs=1)
    pruner.set_params(labeler__random_state=1, proxy__random_state=2)
    found = coreset_stability(pruner, X, partial, random_states=[0, 1])
    assert found.masks.shape == (2, 150)
    assert found.overlap < 1.0
    assert not hasattr(pruner, "support_")
    again = coreset_stability(pruner, X, partial, random_states=[1, 0])
    np.testing.assert_array_equal(again.masks, found.masks[::-1])


def test_fits_that_are_kept_are_not_made_again(quick, iris, counting, tmp_path):
    X, _, partial = iris
    labeler, _ = counting
    pruner = quick(labeler=labeler(n_steps=8, batch_size=8, mu=2), checkpoint=tmp_path)
    measure = partial_function(coreset_stability, pruner, X, partial)
    found = measure(random_states=[0, 1])
    more = measure(random_states=[0, 1, 2])
    assert labeler.fits == 3
    np.testing.assert_array_equal(more.masks[:2], found.masks)


def test_groups_reach_the_fit(quick, iris):
    X, _, partial = iris
    groups = np.repeat(np.arange(50), 3)
    masks = coreset_stability(quick(0.3), X, partial, groups=groups, random_states=[0, 1]).masks
    assert (masks.reshape(2, 50, 3).all(axis=2) == masks.reshape(2, 50, 3).any(axis=2)).all()


@pytest.mark.parametrize("random_states", [[0], [], [1, 1]])
def test_seeds_that_say_nothing_are_refused(iris, random_states):
    with pytest.raises(ValueError, match=r"random_states must be two or more different integers, got \["):
        coreset_stability(RandomPruner(), iris[0], random_states=random_states)


@pytest.mark.parametrize(
    "pruner", [RandomPruner, LogisticRegression(), PrunedClassifier(LogisticRegression(), RandomPruner())]
)
def test_what_is_no_pruner_is_refused(iris, pruner):
    with pytest.raises(TypeError, match="pruner must be a pruner with a random_state, such as SemiPrune"):
        coreset_stability(pruner, *iris[:2])


def test_labels_of_another_length_are_refused(iris):
    X, y, _ = iris
    with pytest.raises(ValueError, match="150"):
        coreset_stability(RandomPruner(), X, y[:-1])
