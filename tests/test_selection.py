"""Selections: golden values, invariants, and the faults of published code."""

import inspect

import numpy as np
import pytest
from conftest import dynamics_of
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, clone
from sklearn.preprocessing import StandardScaler

from skprune import scores
from skprune.baselines import ZCorePruner
from skprune.dynamics import TrainingDynamics
from skprune.selection import (
    D2,
    BaseSelector,
    Beta,
    Cutoff,
    Easiest,
    FacilityLocation,
    Hardest,
    KCenter,
    KMeans,
    Mixture,
    Moderate,
    Random,
    Stratified,
    Window,
    get_selector,
    get_selector_names,
    kept_count,
)
from skprune.selection._beta import beta_weights
from skprune.selection._counts import allocate
from skprune.selection._cutoff import share_of
from skprune.selection._d2 import spread, take_back
from skprune.selection._neighbor_graph import neighbor_graph
from skprune.selection._stratified import strata, stratum_budgets

ALL = [*map(get_selector, get_selector_names()), Cutoff("auto"), Stratified("auto")]
IDS = [*get_selector_names(), "cutoff auto", "stratified auto"]
CUTS = [Cutoff, Stratified]


def choose(selector, values, ratio, **options):
    """Select with constant dynamics, which Beta wants, and features that are all alike, which others want."""
    n = len(values)
    options = {"embedding": np.zeros((n, 2))} | options
    flat = TrainingDynamics.from_proba(np.full((2, n, 2), 0.5), np.zeros(n, int))
    return selector.select(values, ratio, dynamics=options.pop("dynamics", flat), **options)


# Golden values


@pytest.mark.parametrize(("keep", "drop", "count"), [(0.7, 0.1, 44), (0.5, 0.2, 32), (0.1, 0.5, 6)])
def test_golden_cutoff(golden, keep, drop, count):
    aum = golden["f64/accumulated_margin"] / 40
    mask = Cutoff(hard_cutoff=drop).select(-aum, count)
    kept = np.flatnonzero(mask)
    assert kept[np.argsort(aum[kept], kind="stable")].tolist() == golden[f"direct/keep{keep}_mis{drop}"].tolist()


@pytest.mark.parametrize("case", range(5))
def test_golden_allocation(golden, case):
    num, bins, budget = (golden[f"ccs_alloc/{case}_{part}"] for part in ("num", "bins", "budget"))
    ours = stratum_budgets(int(num), bins, np.random.default_rng(0))
    assert sorted(zip(bins, ours, strict=True)) == sorted(zip(bins, budget, strict=True))


def test_golden_stratum_budgets(golden):
    cases = [key.rsplit("/", 1)[0] for key in golden if key.startswith("ccs_strat/") and key.endswith("strata_num")]
    assert len(cases) == 13
    for case in cases:
        sizes, budgets = golden[f"{case}/strata_num"], golden[f"{case}/budgets"]
        ours = stratum_budgets(int(budgets.sum()), sizes, np.random.default_rng(0))
        assert sorted(zip(sizes, ours, strict=True)) == sorted(zip(sizes, budgets, strict=True)), case


@pytest.mark.parametrize("removed", [0.3, 0.5, 0.7, 0.9])
def test_golden_beta_weights(golden, removed):
    dual = golden["f64/dual_T30"] / 10
    weights = beta_weights(dual, golden["beta/pred_mean_T30"].astype(np.float64), removed, 4, np.argsort(-dual)[:10])
    np.testing.assert_allclose(weights / weights.sum(), golden[f"beta/prune{removed}/joint_p"], rtol=1e-4, atol=1e-6)


def test_beta_draws_in_proportion_to_its_weights():
    """One row at a time: the share of each row is its weight."""
    dynamics = dynamics_of(n=6)
    values = scores.difficulty(dynamics, "dual")
    weights = beta_weights(values, scores.confidence(dynamics), 1 - 2 / 6, 4, np.arange(6))
    drawn = np.zeros(6)
    for seed in range(3000):
        drawn += Beta().select(values, 2, dynamics=dynamics, random_state=seed)
    p = weights / weights.sum()
    pairs = [(i, j, p[i] * p[j] / (1 - p[i])) for i in range(6) for j in range(6) if i != j]
    expected = np.array([sum(q for i, j, q in pairs if row in (i, j)) for row in range(6)])
    np.testing.assert_allclose(drawn / 3000, expected, atol=0.04)


# Invariants


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**16),
    n=st.integers(2, 80),
    ratio=st.floats(0.01, 1.0),
    kind=st.sampled_from(["normal", "negative", "ties", "zero", "huge"]),
    balance=st.sampled_from([None, "proportional", "uniform"]),
    selector=st.sampled_from(ALL),
)
def test_exactly_k_rows_from_any_scores(seed, n, ratio, kind, balance, selector):
    rng = np.random.default_rng(seed)
    values = {
        "normal": rng.normal(size=n),
        "negative": -1 - rng.random(n),
        "ties": rng.integers(3, size=n).astype(float),
        "zero": np.zeros(n),
        "huge": rng.normal(size=n) * 1e300,
    }[kind]
    y = rng.integers(3, size=n)
    before = values.copy(), y.copy()
    p = rng.choice([0.0, 0.3, 1.0], size=(2, n))
    dynamics = TrainingDynamics.from_proba(np.stack([p, 1 - p], axis=2), np.zeros(n, int))
    selector = clone(selector).set_params(class_balanced=balance)
    features = rng.integers(4, size=(n, 2)).astype(float)
    options = {"dynamics": dynamics, "y": y, "embedding": features, "random_state": seed}
    mask, again = (selector.select(values, ratio, **options) for _ in range(2))
    assert mask.dtype == bool
    assert mask.shape == (n,)
    assert mask.sum() == kept_count(ratio, n)
    np.testing.assert_array_equal(mask, again)
    explained = selector.explain(values, ratio, **options)
    np.testing.assert_array_equal(explained["kept"], mask)
    chances = explained["probability"]
    assert np.isfinite(chances[mask]).all()
    assert ((chances[np.isfinite(chances)] >= 0) & (chances[np.isfinite(chances)] <= 1 + 1e-9)).all()
    assert np.nansum(chances) == pytest.approx(mask.sum(), rel=1e-6)
    np.testing.assert_array_equal(values, before[0])
    np.testing.assert_array_equal(y, before[1])


@pytest.mark.parametrize("selector", ALL, ids=IDS)
def test_ratio_one_keeps_all(selector):
    assert choose(selector, np.arange(7.0), 1.0).all()


NESTED = [Random(), Hardest(), Easiest(), Moderate(), Cutoff(hard_cutoff=0.1), D2(), KCenter(), FacilityLocation(3)]


@pytest.mark.parametrize("selector", NESTED, ids=str)
def test_smaller_sets_are_nested(selector):
    rng = np.random.default_rng(0)
    values, features = rng.integers(5, size=50).astype(float), rng.integers(5, size=(50, 2))
    masks = [choose(selector, values, k, random_state=3, embedding=features) for k in (5, 11, 30)]
    assert (masks[0] <= masks[1]).all()
    assert (masks[1] <= masks[2]).all()


@pytest.mark.parametrize("selector", ALL, ids=IDS)
def test_global_seeds_do_not_matter(selector):
    values = np.zeros(40)
    masks = []
    for seed in (0, 1):
        np.random.seed(seed)  # noqa: NPY002
        masks.append(choose(selector, values, 0.5, random_state=7))
    np.testing.assert_array_equal(*masks)
    assert (choose(selector, values, 0.5, random_state=8) != masks[0]).any()


# The faults of published code, by their rows in the list


@pytest.mark.parametrize("cut", CUTS)
def test_1_nothing_to_cut_at_the_easy_end(cut):
    assert cut(hard_cutoff=0.1).select(np.arange(100.0), 0.9).sum() == 90


@pytest.mark.parametrize("cut", CUTS)
def test_2_cutoff_and_ratio_above_one(cut):
    with pytest.raises(ValueError, match=r"hard_cutoff=0.3 drops 30 of 100 rows, and a ratio of 0.8 keeps 80"):
        cut(hard_cutoff=0.3).select(np.arange(100.0), 0.8)


def test_3_and_4_counts():
    assert kept_count(0.001, 10) == 1
    assert kept_count(0.1, 50_000) == 5_000
    assert kept_count(1 - 0.9, 50_000) == 5_000
    assert kept_count(np.float32(0.5), 10) == 5
    assert kept_count(np.int64(7), 10) == 7


@pytest.mark.parametrize(
    ("ratio", "error", "message"),
    [
        (0, ValueError, "must be between 2 and"),
        (0.0, ValueError, r"within \(0, 1\]"),
        (1.5, ValueError, r"within \(0, 1\]"),
        (float("nan"), ValueError, r"within \(0, 1\]"),
        (1, ValueError, "write 1.0 for all rows"),
        (11, ValueError, "n_samples=10"),
        (-3, ValueError, "must be between 2 and"),
        (True, TypeError, "ratio must be"),
        ("half", TypeError, "ratio must be"),
    ],
)
def test_refused_ratios(ratio, error, message):
    with pytest.raises(error, match=message):
        kept_count(ratio, 10)


@pytest.mark.parametrize("selector", ALL, ids=IDS)
def test_8_equal_scores_are_drawn(selector):
    masks = np.array([choose(selector, np.ones(20), 5, random_state=seed) for seed in range(200)])
    assert (masks.sum(axis=1) == 5).all()
    assert masks.any(axis=0).all()


@pytest.mark.parametrize("selector", [Random(), Stratified(), Beta()], ids=str)
def test_9_negative_scores_can_be_reached(selector):
    values = -np.linspace(1, 2, 20)
    masks = np.array([choose(selector, values, 12, random_state=seed) for seed in range(300)])
    reached = masks.any(axis=0)
    assert reached[:-1].all()
    assert reached[-1] or isinstance(selector, Beta)  # the easiest row is shifted to weight 0, and comes last


def test_9_the_hardest_of_negative_scores_has_a_stratum():
    assert strata(np.array([-4.0, -3.0, -2.0, -1.0]), 3).tolist() == [0, 1, 2, 2]


def test_10_fewer_rows_than_strata():
    mask = Stratified().select(np.arange(100.0), 7, random_state=0)
    assert mask.sum() == 7
    assert len(set(strata(np.arange(100.0), 50)[mask])) == 7


def test_11_strata_of_uniform_scores_are_even():
    values = np.random.default_rng(0).random(2000)
    assert abs(np.mean(strata(values, 2)) - 0.5) < 0.05
    assert strata(values, 2)[values.argmax()] == 1


@pytest.mark.parametrize("cut", CUTS)
def test_12_cutoff_above_ratio(cut):
    mask = cut(hard_cutoff=0.3).select(np.arange(100.0), 0.1)
    assert mask.sum() == 10
    assert not mask[70:].any()


@pytest.mark.parametrize("selector", ALL, ids=IDS)
def test_13_proportional_balance(selector):
    y = np.repeat([0, 1], [900, 100])
    values = np.random.default_rng(0).normal(size=1000)
    mask = choose(clone(selector).set_params(class_balanced="proportional"), values, 0.5, y=y)
    assert np.bincount(y[mask]).tolist() == [450, 50]


@pytest.mark.parametrize("selector", ALL, ids=IDS)
def test_14_uniform_balance(selector):
    y = np.repeat(np.arange(10), 20)
    mask = choose(clone(selector).set_params(class_balanced="uniform"), np.arange(200.0), 15, y=y)
    assert sorted(np.bincount(y[mask])) == [1] * 5 + [2] * 5


@pytest.mark.parametrize("selector", ALL, ids=IDS)
def test_15_a_class_smaller_than_its_share(selector):
    y = np.repeat([0, 1, 2], [3, 100, 100])
    mask = choose(clone(selector).set_params(class_balanced="uniform"), np.arange(203.0), 63, y=y)
    assert np.bincount(y[mask]).tolist() == [3, 30, 30]


def test_weights_by_class():
    y = np.repeat([0, 1], 50)
    mask = Hardest(class_balanced={0: 3, 1: 1}).select(np.arange(100.0), 40, y=y)
    assert np.bincount(y[mask]).tolist() == [30, 10]
    with pytest.raises(ValueError, match="classes that do not occur"):
        Hardest(class_balanced={5: 1}).select(np.arange(100.0), 40, y=y)
    with pytest.raises(ValueError, match="hold 50 rows, below the 60"):
        Hardest(class_balanced={0: 1}).select(np.arange(100.0), 60, y=y)


def test_counts_round_by_the_largest_remainders():
    y = np.repeat([0, 1, 2], [56, 25, 19])  # shares of 10 rows: 5.6, 2.5, 1.9
    for seed in range(5):
        mask = Random(class_balanced="proportional").select(np.zeros(100), 10, y=y, random_state=seed)
        assert np.bincount(y[mask]).tolist() == [6, 2, 2]


@given(sizes=st.lists(st.integers(1, 60), min_size=1, max_size=8), ratio=st.floats(0, 1), seed=st.integers(0, 99))
def test_proportional_counts_are_exact_shares_rounded(sizes, ratio, seed):
    sizes = np.array(sizes)
    k = round(ratio * sizes.sum())
    counts = allocate(k, sizes, np.zeros(len(sizes), int), sizes, np.random.default_rng(seed))
    share = k * sizes / sizes.sum()
    assert counts.sum() == k
    assert (np.abs(counts - share) < 1 + 1e-6).all()
    remainder, raised = share - np.floor(share + 1e-9), counts > share + 1e-9
    if raised.any() and not raised.all():
        assert remainder[raised].min() >= remainder[~raised].max() - 1e-6


@pytest.mark.parametrize("selector", ALL, ids=IDS)
def test_rows_that_must_stay_count_in_their_class(selector):
    y = np.repeat([0, 1, 2], 20)
    must = np.arange(60) % 60 < 8
    mask = choose(
        clone(selector).set_params(class_balanced="uniform"), np.arange(60.0), 16, y=y, must_keep=must, random_state=0
    )
    assert np.bincount(y[mask]).tolist() == [8, 4, 4]
    assert mask[must].all()


def test_rows_that_must_stay_may_leave_no_room_for_a_class():
    y, values = np.repeat([0, 1], 10), np.arange(20.0)[::-1]
    must = np.arange(20) < 5
    with pytest.raises(ValueError, match="min_per_class=3 and must_keep need 8 rows, above the 6 to keep"):
        Hardest(min_per_class=3).select(values, 6, y=y, must_keep=must)
    mask = Hardest(min_per_class=3).select(values, 8, y=y, must_keep=must)
    assert np.bincount(y[mask]).tolist() == [5, 3]


@pytest.mark.parametrize("n", [10, 30, 100, 200, 1000])
def test_cutoffs_count_as_numbers_not_as_floats(n):
    """A cutoff of 0.29 drops 29 rows of 100, although ``0.29 * 100`` is below 29."""
    whole = [percent for percent in range(100) if percent * n % 100 == 0]
    assert [int(share_of(percent / 100, n)) for percent in whole] == [percent * n // 100 for percent in whole]
    assert int(share_of(0.5, 5)) == 2


@pytest.mark.parametrize("cut", CUTS)
def test_a_cutoff_drops_its_rows_to_the_last(cut):
    mask = cut(0.29).select(np.arange(100.0), 71, random_state=0)
    np.testing.assert_array_equal(np.flatnonzero(mask), np.arange(71))
    y = np.repeat([0, 1], 100)
    mask = cut(0.29, class_balanced="uniform").select(np.arange(200.0), 142, y=y, random_state=0)
    np.testing.assert_array_equal(mask, np.tile(np.arange(100) < 71, 2))


def test_rows_of_a_stratum_are_drawn_uniformly():
    """Two rows a stratum, of which one is kept: not always the harder one."""
    values = np.linspace(0, 1, 100)
    drawn = np.mean([Stratified().select(values, 50, random_state=seed) for seed in range(400)], axis=0)
    np.testing.assert_allclose(drawn, 0.5, atol=0.12)


@pytest.mark.parametrize("cut", CUTS)
def test_cutoffs_are_those_of_each_class(cut):
    y = np.repeat([0, 1], 50)
    mask = cut(hard_cutoff=0.2, class_balanced="uniform").select(np.arange(100.0), 40, y=y)
    assert np.bincount(y[mask]).tolist() == [20, 20]
    assert not mask[40:50].any()
    assert not mask[90:].any()


@pytest.mark.parametrize("cut", CUTS)
def test_cutoffs_of_small_classes_leave_room_to_the_others(cut):
    y = np.repeat([0, 1, 2], [10, 100, 100])
    mask = cut(hard_cutoff=0.2, class_balanced="uniform").select(np.arange(210.0), 60, y=y)
    assert np.bincount(y[mask]).tolist() == [8, 26, 26]
    y = np.repeat([0, 1, 2], [60, 30, 2])
    mask = cut(hard_cutoff=0.5, min_per_class=2).select(np.arange(92.0), 12, y=y)
    assert (np.bincount(y[mask]) >= [2, 2, 1]).all()


@pytest.mark.parametrize("cut", CUTS)
def test_rows_that_must_stay_do_not_move_the_cutoff(cut):
    must = np.arange(100) < 40
    mask = cut(hard_cutoff=0.1).select(np.arange(100.0), 90, must_keep=must)
    assert mask.tolist() == [True] * 90 + [False] * 10
    assert cut(hard_cutoff=0.1).select(np.arange(100.0), 50, must_keep=~must & (np.arange(100) >= 95))[95:].all()


def test_strata_of_scores_that_hardly_differ():
    assert Stratified().select([0.0, 5e-324], 1.0).all()


@pytest.mark.parametrize("selector", ALL, ids=IDS)
def test_22_fewer_weights_than_rows(selector):
    """All weight on two rows: the others follow by score."""
    values = np.zeros(10)
    values[[2, 5]] = 1.0
    assert choose(selector, values, 6, random_state=0).sum() == 6
    assert Beta().select(values, 6, dynamics=dynamics_of(n=10))[[2, 5]].all()


def test_23_density_at_the_ends_is_finite():
    for r in (0.0, 0.5, 0.999):
        weights = beta_weights(np.ones(4), np.array([0.0, 1.0, 1.0, 0.0]), r, 4, np.arange(4))
        assert np.isfinite(weights).all()
    assert np.isfinite(beta_weights(np.ones(3), np.ones(3), 0.5, 4, np.arange(3))).all()


def test_25_a_score_that_is_nan():
    with pytest.raises(ValueError, match="score of row 1 is not finite"):
        Hardest().select([1.0, np.nan, 2.0], 2)


@given(ratio=st.floats(0.1, 0.9), share=st.floats(0.0, 0.5), trust=st.floats(0.1, 4.0), seed=st.integers(0, 1000))
def test_trust_holds_doubtful_rows_back(ratio, share, trust, seed):
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.05, 0.95, size=(12, 60))
    dynamics = TrainingDynamics.from_proba(np.stack([p, 1 - p], axis=2), np.zeros(60, int))
    hard = rng.random(60)
    error = np.where(rng.random(60) < share, 1.0, 0.0)

    def kept(trust, error):
        return Beta(trust=trust).select(hard, ratio, dynamics=dynamics, error_probability=error, random_state=seed)

    published = Beta().select(hard, ratio, dynamics=dynamics, random_state=seed)
    np.testing.assert_array_equal(kept(0, error), published)
    np.testing.assert_array_equal(kept(trust, np.zeros(60)), published)
    # what is common to all rows changes nothing
    np.testing.assert_array_equal(kept(trust, np.full(60, 0.3)), published)
    mask = kept(trust, error)
    assert mask.sum() == published.sum()
    doubtful = error == 1.0
    assert (mask & doubtful).sum() == max(0, mask.sum() - (~doubtful).sum())  # they come last


def test_trust_prefers_the_likely_right():
    p = np.full((12, 400), 0.5)
    dynamics = TrainingDynamics.from_proba(np.stack([p, 1 - p], axis=2), np.zeros(400, int))
    error = np.repeat([0.1, 0.6], 200)
    counts = [
        Beta(trust=trust)
        .select(np.ones(400), 0.25, dynamics=dynamics, error_probability=error, random_state=0)[:200]
        .sum()
        for trust in (0, 1, 4)
    ]
    assert 35 <= counts[0] <= 65
    assert counts[0] < counts[1] < counts[2]


@pytest.mark.parametrize("selector", ALL, ids=IDS)
def test_must_keep_counts_inside_k(selector):
    must = np.zeros(30, bool)
    must[[0, 15, 29]] = True
    mask = choose(selector, np.arange(30.0), 10, must_keep=must, random_state=0)
    assert mask.sum() == 10
    assert mask[must].all()
    with pytest.raises(ValueError, match="3 rows must be kept, above the 2"):
        choose(selector, np.arange(30.0), 2, must_keep=must)


# Reasons and probabilities


def test_why():
    values = np.arange(10.0)
    must = values == 0
    explained = Cutoff(hard_cutoff=0.2).explain(values, 4, must_keep=must)
    assert explained["why"].tolist() == (
        ["must stay"]
        + ["not among the hardest after the cutoff"] * 4
        + ["among the hardest after the cutoff"] * 3
        + ["cut off: too hard"] * 2
    )
    assert explained["probability"][must] == 1.0
    y = np.repeat([0, 1], [2, 8])
    explained = Hardest(min_per_class=1).explain(values, 3, y=y)
    assert explained["why"][[1, 9, 0]].tolist() == ["for min_per_class", "among the hardest", "not among the hardest"]
    drawn = Stratified(hard_cutoff=0.2).explain(values, 4, random_state=0)
    assert set(drawn["why"][:8]) == {"drawn in its stratum", "not drawn in its stratum"}
    assert drawn["why"][8:].tolist() == ["cut off: too hard"] * 2


def test_where_chance_decides_between_equal_scores():
    values = np.repeat([1.0, 0.0], 50)
    for selector, hard, easy in (
        (Hardest(), 0.8, np.nan),
        (Easiest(), np.nan, 0.8),
        (Cutoff(0.2), 0.6, 0.2),
        (Stratified(0.2), 0.4, 0.4),
        (Window(0.5), 0.4, 0.4),
    ):
        chances = selector.explain(values, 40, random_state=0)["probability"]
        np.testing.assert_allclose(chances, np.repeat([hard, easy], 50))
    drawn = np.mean([Stratified(0.2).select(values, 40, random_state=seed) for seed in range(300)], axis=0)
    assert drawn == pytest.approx(np.full(100, 0.4), abs=0.12)
    why = Cutoff(0.2).explain(np.repeat([1.0, 0.0], [60, 40]), 30, random_state=0)["why"]
    assert np.sum(why == "cut off: too hard") == 20


@pytest.mark.parametrize("selector", ALL, ids=IDS)
def test_rows_of_a_class_without_weight_have_no_chance(selector):
    rng = np.random.default_rng(0)
    p, y = rng.random((2, 12)), np.repeat([0, 1], 6)
    dynamics = TrainingDynamics.from_proba(np.stack([p, 1 - p], axis=2), np.zeros(12, int))
    options = {"dynamics": dynamics, "y": y, "embedding": rng.normal(size=(12, 2)), "random_state": 0}
    selector = clone(selector).set_params(class_balanced={0: 1.0})
    explained = selector.explain(rng.random(12), 4, **options)
    assert np.bincount(y, explained["kept"]).tolist() == [4, 0]
    assert not (explained["probability"][y == 1] > 0).any()


def test_what_must_stay_may_be_what_a_cutoff_drops():
    values, y = np.arange(20.0), np.repeat([0, 1], 10)
    selector = Cutoff(0.4, class_balanced="proportional")
    must = y == 1
    explained = selector.explain(values, 12, y=y, must_keep=must)
    np.testing.assert_array_equal(explained["kept"], selector.select(values, 12, y=y, must_keep=must))
    assert set(explained["why"][10:]) == {"must stay"}


def test_the_scale_of_the_features_does_not_matter():
    rng = np.random.default_rng(0)
    features, hard = rng.normal(size=(50, 3)), rng.random(50)
    for selector in (D2(), KCenter(), FacilityLocation()):
        masks = [selector.select(hard, 20, embedding=scale * features) for scale in (1.0, 1e20, 1e-20)]
        assert [mask.sum() for mask in masks] == [20] * 3
        np.testing.assert_array_equal(masks[0], masks[1])


@pytest.mark.parametrize(
    "selector",
    [
        Random(),
        Random(min_per_class=10),
        Stratified(),
        Stratified(hard_cutoff=0.1, class_balanced="uniform"),
        Stratified(hard_cutoff=0.4, min_per_class=10),
        Stratified(hard_cutoff="auto", min_per_class=0.5),
        Beta(),
        Beta(trust=1),
        Beta(class_balanced="uniform"),
        Beta(min_per_class=0.8),
    ],
    ids=str,
)
def test_probabilities_are_those_of_the_draws(selector):
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [20, 60, 120])
    p = np.clip(rng.uniform(0.1, 0.9, 200) + rng.normal(0, 0.1, size=(12, 200)), 0.01, 0.99)
    dynamics = TrainingDynamics.from_proba(np.stack([p, 1 - p], axis=2), np.zeros(200, int))
    must = rng.random(200) < 0.05
    values = scores.difficulty(dynamics, "dual")
    error = rng.uniform(0, 0.5, 200)
    drawn, expected = np.zeros(200), np.zeros(200)
    for seed in range(400):
        explained = selector.explain(
            values, 80, dynamics=dynamics, y=y, must_keep=must, error_probability=error, random_state=seed
        )
        drawn += explained["kept"]
        expected += np.nan_to_num(explained["probability"])
    drawn, expected = drawn / 400, expected / 400
    np.testing.assert_allclose(drawn, expected, atol=0.12)
    assert np.abs(drawn - expected).mean() < 0.03
    if "y" in selector.needs():  # given the number of each class
        by_class = [np.bincount(y, weights=values) / np.bincount(y) for values in (drawn, expected)]
        np.testing.assert_allclose(*by_class, atol=1e-6)


@pytest.mark.parametrize("selector", [Random(), Stratified(0.2), Beta(), Beta("auto", trust=1)], ids=str)
@pytest.mark.parametrize("least", [0.5, 0.9, 2])
def test_probabilities_of_rows_that_two_draws_may_keep(selector, least):
    """A small class is raised in some of the draws, and its rows may be kept by the draw among all rows too."""
    rng = np.random.default_rng(1)
    y = np.repeat([0, 1, 2], [20, 14, 6])
    p = np.clip(rng.uniform(0.2, 0.9, 40) + rng.normal(0, 0.1, size=(6, 40)), 0.01, 0.99)
    dynamics = TrainingDynamics.from_proba(np.stack([p, 1 - p], axis=2), np.zeros(40, int))
    values, error = rng.uniform(0.3, 1.0, 40), rng.uniform(0, 0.5, 40)
    selector = clone(selector).set_params(min_per_class=least)
    drawn, expected, n_raised = np.zeros(40), np.zeros(40), 0
    for seed in range(400):
        explained = selector.explain(values, 16, dynamics=dynamics, y=y, error_probability=error, random_state=seed)
        drawn += explained["kept"] / 400
        expected += np.nan_to_num(explained["probability"]) / 400
        n_raised += "for min_per_class" in explained["why"]
    assert n_raised > 40
    # four standard errors of 400 draws, and what the race of Beta, which is approximate for few rows, adds
    np.testing.assert_array_less(np.abs(drawn - expected), 4 * np.sqrt(drawn * (1 - drawn) / 400) + 0.03)


@pytest.mark.parametrize("selector", ALL, ids=IDS)
@given(
    seed=st.integers(0, 2**16),
    n=st.integers(4, 60),
    ratio=st.floats(0.1, 1.0),
    balance=st.sampled_from([None, None, "proportional", "uniform", {0: 3.0, 1: 1.0, 2: 1.0}]),
    least=st.sampled_from([0, 0.5, 1.0, 1]),
    forced=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_every_kept_row_had_a_probability(selector, seed, n, ratio, balance, least, forced):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.concatenate([[0, 1, 2], rng.choice(3, size=n - 3, p=[0.6, 0.35, 0.05])]))
    k = max(3, kept_count(ratio, n))
    must = np.zeros(n, bool)
    must[rng.permutation(n)[: int(forced * max(0, k - 3))]] = True
    p = rng.beta(4, 1, size=(6, n)) * np.array([1.0, 0.8, 0.3])[y]
    dynamics = TrainingDynamics.from_proba(np.stack([p, 1 - p], axis=2), np.zeros(n, int))
    values = -dynamics.target_margin.mean(axis=0) if seed % 2 else rng.integers(4, size=n).astype(float)
    selector = clone(selector).set_params(class_balanced=balance, min_per_class=least)
    options = {"dynamics": dynamics, "y": y, "must_keep": must, "embedding": rng.normal(size=(n, 2))}
    explained = selector.explain(values, k, random_state=seed, **options)
    chances = explained["probability"]
    assert (chances[explained["kept"]] > 0).all()
    assert np.nanmax(chances) <= 1
    assert np.isfinite(1 / chances[explained["kept"]]).all()
    assert np.nansum(chances) == pytest.approx(k)
    if balance is not None or least:
        counts = np.bincount(y[explained["kept"]], minlength=3)
        np.testing.assert_allclose(np.bincount(y, weights=np.nan_to_num(chances)), counts, atol=1e-6)


def test_a_row_of_a_raised_class_that_the_general_draw_kept():
    rng, y = np.random.default_rng(0), np.repeat([0, 1], [50, 10])
    p = np.clip(rng.beta(4, 1, (12, 60)), 0.01, 0.99)
    proba = np.stack([p, 1 - p], axis=-1)
    proba[:, 50:] = proba[:, 50:, ::-1]
    dynamics = TrainingDynamics.from_proba(proba, y)
    values = -dynamics.target_margin.mean(axis=0).astype(float)
    n_raised = 0
    for seed in range(40):
        explained = Beta("auto", min_per_class=0.5).explain(values, 20, dynamics=dynamics, y=y, random_state=seed)
        chances = explained["probability"][explained["kept"]]
        n_raised += "for min_per_class" in explained["why"]
        assert (chances > 1e-3).all()
        assert (chances <= 1).all()
        assert explained["probability"].sum() == pytest.approx(20)
    assert n_raised > 20


def test_a_class_that_is_raised_has_a_cutoff_of_its_own():
    y = np.repeat([0, 1], [180, 20])
    explained = Stratified(0.2, min_per_class=5).explain(np.arange(200.0), 50, y=y, random_state=0)
    cut = explained["why"] == "cut off: too hard"
    assert cut.nonzero()[0].tolist() == [*range(160, 180), *range(196, 200)]
    np.testing.assert_array_equal(np.isnan(explained["probability"]), cut)
    assert np.nansum(explained["probability"][180:]) == pytest.approx(5.0)


def test_a_class_that_is_raised_has_strata_of_its_own():
    """All of a class is cut off among all rows; in a draw of its own, each end is a stratum and keeps its one row."""
    values = np.concatenate([np.linspace(0, 1, 54), [10, 10.5, 10.5, 10.5, 10.5, 11]])
    y = np.repeat([0, 1], [54, 6])
    explained = Stratified(0.1, min_per_class=3).explain(values, 20, y=y, random_state=0)
    np.testing.assert_allclose(explained["probability"][54:], [1, 0.25, 0.25, 0.25, 0.25, 1])


@pytest.mark.parametrize("selector", [Random(), Stratified(), Beta()], ids=str)
def test_weights_make_the_coreset_stand_for_the_pool(selector):
    """The weighted mean over what is kept is that over all rows; without weights it is not, where regions are thinned out."""
    rng = np.random.default_rng(0)
    p = np.clip(rng.uniform(0.1, 0.6, 400) + rng.normal(0, 0.1, size=(12, 400)), 0.01, 0.99)
    dynamics = TrainingDynamics.from_proba(np.stack([p, 1 - p], axis=2), np.zeros(400, int))
    values = scores.difficulty(dynamics, "dual")
    target = values / values.mean()
    weighted, plain = [], []
    for seed in range(200):
        explained = selector.explain(values, 0.5, dynamics=dynamics, random_state=seed)
        kept = explained["kept"]
        weighted.append(np.average(target[kept], weights=1 / explained["probability"][kept]))
        plain.append(target[kept].mean())
    assert np.mean(weighted) == pytest.approx(1.0, abs=0.01)
    assert isinstance(selector, Random) or abs(np.mean(plain) - 1.0) > 0.03


# A cutoff that chooses itself


def with_probabilities(p):
    """Return dynamics of two classes with these label probabilities at all times."""
    return TrainingDynamics.from_proba(np.tile(np.stack([p, 1.0 - p], axis=1), (2, 1, 1)), np.zeros(len(p), int))


@given(seed=st.integers(0, 1000), n=st.integers(2, 60), ratio=st.floats(0.05, 1.0), power=st.sampled_from([0.2, 1, 5]))
def test_the_automatic_cutoff_keeps_rows_of_which_the_proxy_is_neither_sure_nor_lost(seed, n, ratio, power):
    """No other band of neighboring ranks has a mean label probability that is nearer to 3/4."""
    p = np.random.default_rng(seed).random(n) ** power
    k = kept_count(ratio, n)
    mask = Cutoff("auto").select(-p, ratio, dynamics=with_probabilities(p), random_state=seed)
    ranked = np.sort(p)
    gaps = [abs(ranked[cut : cut + k].mean() - 0.75) for cut in range(n - k + 1)]
    assert abs(p[mask].mean() - 0.75) <= min(gaps) + 1e-6


def test_the_automatic_cutoff_follows_the_ratio_and_the_pool():
    ranks = np.linspace(0, 1, 1000)

    def cut(p, ratio):
        return int(np.flatnonzero(Cutoff("auto").select(-ranks, ratio, dynamics=with_probabilities(p)))[0])

    easy, hard = ranks**0.3, ranks
    cuts = [cut(easy, ratio) for ratio in (0.1, 0.3, 0.5, 0.9)]
    assert cuts == sorted(cuts, reverse=True)
    assert 250 < cuts[0] < 400
    assert cuts[-1] < 20
    assert cut(hard, 0.1) == pytest.approx(700, abs=2)
    assert cut(np.full(1000, 0.9), 0.3) == 0  # of ties the smallest cut
    why = Cutoff("auto").explain(-ranks, 0.1, dynamics=with_probabilities(easy))["why"]
    assert np.sum(why == "cut off: too hard") == cuts[0]


@pytest.mark.parametrize("cut", CUTS)
def test_automatic_cutoffs_of_classes(cut):
    y = np.repeat([0, 1, 2], [10, 100, 100])
    easy, hard = np.linspace(0.5, 1, 100), np.linspace(0, 1, 100)
    dynamics = with_probabilities(np.concatenate([np.ones(10), easy, hard]))
    scores = -np.arange(210.0)
    explained = cut("auto", class_balanced="uniform").explain(scores, 60, y=y, dynamics=dynamics, random_state=0)
    assert np.bincount(y[explained["kept"]]).tolist() == [10, 25, 25]
    dropped = np.bincount(y[explained["why"] == "cut off: too hard"], minlength=3)
    np.testing.assert_allclose(dropped, [0, 37, 62], atol=2)
    options = {"y": y, "dynamics": dynamics, "must_keep": np.arange(210) > 200}
    assert cut("auto", min_per_class=5).select(scores, 63, **options).sum() == 63
    assert cut("auto").select(scores, 1.0, dynamics=dynamics).all()


# Bands, graphs and covers


@given(position=st.floats(0, 1), k=st.integers(2, 40))
def test_a_window_is_a_band_of_ranks(position, k):
    kept = np.flatnonzero(Window(position).select(np.arange(40.0), k))
    assert (np.diff(kept) == 1).all()
    assert kept[0] == int(position * (40 - k) + 0.5)


def test_the_ends_of_the_windows():
    values = np.random.default_rng(0).random(50)
    for one, other in ((Window(0), Easiest()), (Window(1), Hardest()), (Window(0.75), Cutoff(0.2))):
        np.testing.assert_array_equal(one.select(values, 10), other.select(values, 10))


def test_d2_is_that_of_the_baseline():
    """The same messages, from difficulties that are given."""
    features = np.random.default_rng(0).normal(size=(60, 3))
    difficulty = np.random.default_rng(1).random(60)
    distances = neighbor_graph(features, 4)
    distances.data /= np.median(distances.data)
    order = take_back(spread(difficulty, distances, 0.5), distances, 2.0, 20)
    mask = D2(4, gamma_forward=0.5, gamma_reverse=2.0).select(difficulty, 20, embedding=features)
    assert np.flatnonzero(mask).tolist() == sorted(order)


@given(seed=st.integers(0, 1000), power=st.sampled_from([0.5, 1.0]), k=st.integers(2, 12))
def test_greedy_facility_location(seed, power, k):
    """Late picks are those of the plain greedy algorithm, on the dense matrix."""
    rng = np.random.default_rng(seed)
    features, difficulty = rng.normal(size=(30, 2)), rng.random(30)
    distances = neighbor_graph(features, 5)
    edges = distances.toarray() > 0
    similar = np.where(edges, np.exp(-distances.toarray() / np.median(distances.data)), np.eye(30))
    weights, kept, reached = (difficulty / difficulty.max()) ** power, [], np.zeros(30)
    for _ in range(k):
        gains = weights @ np.maximum(similar - reached[:, None], 0.0)
        kept.append(int(gains.argmax()))
        reached = np.maximum(reached, similar[:, kept[-1]])
    mask = FacilityLocation(5, power=power).select(difficulty, k, embedding=features)
    assert np.flatnonzero(mask).tolist() == sorted(kept)


@given(seed=st.integers(0, 1000), power=st.sampled_from([0.0, 0.5, 1.0]))
def test_weighted_k_center(seed, power):
    rng = np.random.default_rng(seed)
    features, difficulty = rng.normal(size=(30, 2)), rng.random(30)
    weights = (difficulty / difficulty.max()) ** power
    kept = [int(weights.argmax())]
    if power > 0:
        while len(kept) < 10:
            nearest = np.linalg.norm(features[:, None] - features[kept], axis=2).min(axis=1)
            kept.append(int((weights * nearest).argmax()))
        mask = KCenter(power).select(difficulty, 10, embedding=features)
        assert np.flatnonzero(mask).tolist() == sorted(kept)
    else:  # the first row is any; no two rows that are kept are nearer than a row is to them
        mask = KCenter(power).select(difficulty, 10, embedding=features, random_state=seed)
        between = np.linalg.norm(features[mask][:, None] - features[mask], axis=2)[np.triu_indices(10, 1)].min()
        radius = np.linalg.norm(features[:, None] - features[mask], axis=2).min(axis=1).max()
        assert radius <= between + 1e-9


@given(p=st.floats(0.02, 0.98), ratio=st.floats(0.1, 0.9))
def test_the_c_d_of_a_pool_is_the_odds_of_its_labels(p, ratio):
    """No later than published; in hard pools easier rows are kept than with the published one."""
    rng = np.random.default_rng(0)
    proba = np.clip(p + rng.normal(0, 0.2, size=(12, 300)), 0.01, 0.99)
    dynamics = TrainingDynamics.from_proba(np.stack([proba, 1 - proba], axis=2), np.zeros(300, int))
    hard, mean = scores.difficulty(dynamics, "dual"), scores.confidence(dynamics)
    odds = min(4.0, mean.mean() / (1 - mean.mean()))

    def kept(c_d):
        return Beta(c_d).select(hard, ratio, dynamics=dynamics, random_state=0)

    np.testing.assert_array_equal(kept("auto"), kept(odds))
    if odds == 4.0:
        np.testing.assert_array_equal(kept("auto"), kept(4))
    assert mean[kept("auto")].mean() >= mean[kept(4)].mean() - 0.02


@pytest.mark.parametrize("selector", [D2(), KCenter(), FacilityLocation()], ids=str)
def test_features_are_checked(selector):
    for features in (np.zeros((4, 2)), np.zeros(5), np.full((5, 2), np.nan), np.zeros((0, 2)), np.array(1.0)):
        with pytest.raises(ValueError, match="embedding must be 5 finite rows of numbers, got shape"):
            selector.select(np.arange(5.0), 2, embedding=features)


@pytest.mark.parametrize("selector", [D2(), KCenter(), FacilityLocation()], ids=str)
def test_alike_rows_are_not_kept_twice(selector):
    """Two hard rows that are equal, and one far away that is half as hard."""
    features = np.array([[0.0], [0.0], [0.1], [0.2], [9.0], [9.1], [9.2], [9.3]])
    mask = selector.select([1.0, 1.0, 0.1, 0.1, 0.5, 0.1, 0.1, 0.1], 2, embedding=features, random_state=0)
    assert mask[:4].sum() == mask[4:].sum() == 1


@pytest.mark.parametrize("selector", ALL, ids=IDS)
def test_min_per_class(selector):
    y = np.repeat([0, 1, 2], [60, 30, 2])
    mask = choose(clone(selector).set_params(min_per_class=4), np.arange(92.0), 12, y=y, random_state=0)
    counts = np.bincount(y[mask])
    assert counts.sum() == 12
    assert (counts >= [4, 4, 2]).all()
    with pytest.raises(ValueError, match="min_per_class=4 needs 10 rows, above the 9"):
        choose(clone(selector).set_params(min_per_class=4), np.arange(92.0), 9, y=y)


@pytest.mark.parametrize("selector", ALL, ids=IDS)
@given(
    sizes=st.lists(st.integers(0, 40), min_size=2, max_size=5).filter(lambda sizes: sum(sizes) >= 2),
    ratio=st.floats(0.05, 1.0),
    share=st.floats(0.0, 1.0),
    forced=st.floats(0.0, 1.0),
    seed=st.integers(0, 1000),
)
def test_a_share_for_each_class(selector, sizes, ratio, share, forced, seed):
    """Always possible, whatever must be kept."""
    y = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(seed)
    k = max(2, round(ratio * len(y)))
    must = np.zeros(len(y), bool)
    must[rng.permutation(len(y))[: int(forced * k)]] = True
    chosen = clone(selector).set_params(min_per_class=share)
    mask = choose(chosen, rng.random(len(y)), k, y=y, must_keep=must, random_state=seed)
    assert mask.sum() == k
    assert mask[must].all()
    least = int(share * (k - must.sum()) / np.count_nonzero(sizes) + 1e-9)
    assert (np.bincount(y[mask], minlength=len(sizes)) >= np.minimum(least, sizes)).all()


@pytest.mark.parametrize(
    ("share", "k", "expected"), [(0.29, 100, 29), (0.7, 10, 7), (0.5, 9, 4), (1.0, 9, 9), (1, 9, 1)]
)
def test_shares_are_rounded_down_as_numbers_not_as_floats(share, k, expected):
    assert Hardest(min_per_class=share).least_per_class(k, 1) == expected


# What a selector needs


NEEDS = [
    (Random(), ()),
    (Window(), ()),
    (Hardest(min_per_class=1), ("y",)),
    (Moderate(class_balanced="uniform"), ("y",)),
    (Cutoff(0.1), ()),
    (Cutoff("auto"), ("dynamics",)),
    (Stratified("auto", class_balanced={0: 1}), ("dynamics", "y")),
    (Beta(), ("dynamics",)),
    (Beta(trust=1, min_per_class=0.5), ("dynamics", "y", "error_probability")),
    (D2(min_per_class=1), ("y", "embedding")),
    (KCenter(), ("embedding",)),
    (FacilityLocation(), ("embedding",)),
]


@pytest.mark.parametrize(("selector", "needs"), NEEDS, ids=[str(selector) for selector, _ in NEEDS])
def test_needs_are_what_is_read(selector, needs):
    """What needs() names is enough, and nothing of it can be left out."""
    given = {
        "dynamics": with_probabilities(np.linspace(0.1, 0.9, 8)),
        "y": np.zeros(8, int),
        "embedding": np.random.default_rng(0).normal(size=(8, 2)),
        "error_probability": np.full(8, 0.5),
    }
    assert selector.needs() == needs
    assert selector.select(np.arange(8.0), 4, **{name: given[name] for name in needs}).sum() == 4
    for missing in needs:
        with pytest.raises(ValueError, match=rf"^{type(selector).__name__}\b.* needs {missing}: the "):
            selector.select(np.arange(8.0), 4, **{name: given[name] for name in given if name != missing})


@pytest.mark.parametrize(
    ("order", "n_picked"),
    [
        (lambda draw: np.argsort(draw.scores)[:2], 2),
        (lambda draw: np.zeros(len(draw.scores), dtype=int), 1),
        (lambda draw: np.flatnonzero(draw.must_keep), 0),
    ],
    ids=["too few", "one row again and again", "rows that stay anyway"],
)
def test_an_order_of_a_user_that_is_too_short_is_refused(order, n_picked):
    class Short(BaseSelector):
        def _order(self, draw):
            return order(draw)

    must_keep = np.arange(8) == 7
    with pytest.raises(ValueError, match=rf"Short\._order must return at least 3 different rows .* got {n_picked}\."):
        Short().select(np.arange(8.0), 4, must_keep=must_keep)


def test_needs_of_a_selector_of_a_user():
    class Late(BaseSelector):
        def needs(self):
            return (*super().needs(), "dynamics", "embedding")

        def _order(self, draw):
            return np.argsort(draw.inputs["mean_proba"] * draw.inputs["embedding"][:, 0])

    dynamics, ones = with_probabilities(np.array([0.9, 0.2, 0.4, 0.3, 0.1])), np.ones((5, 1))
    assert Late().select(np.zeros(5), 2, dynamics=dynamics, embedding=ones).nonzero()[0].tolist() == [1, 4]
    y = np.array([0, 0, 0, 1, 1])
    balanced = Late(class_balanced={0: 2, 1: 1}).select(np.zeros(5), 3, dynamics=dynamics, embedding=ones, y=y)
    assert balanced.nonzero()[0].tolist() == [1, 2, 4]
    with pytest.raises(ValueError, match="Late needs embedding: the features of the rows"):
        Late().select(np.zeros(5), 2, dynamics=dynamics)
    with pytest.raises(ValueError, match="dynamics holds 5 rows, and scores 4"):
        Late().select(np.zeros(4), 2, dynamics=dynamics, embedding=ones[:4])

    class Bare(Late):
        def needs(self):
            return ("dynamics", "embedding")

    with pytest.raises(ValueError, match=r"Bare\(min_per_class=1\) needs y: the class index of each row"):
        Bare(min_per_class=1).select(np.zeros(5), 2, dynamics=dynamics, embedding=ones)

    class Misspelled(Late):
        def needs(self):
            return ("embeding",)

    with pytest.raises(ValueError, match=r"Misspelled.needs\(\) returns must be 'dynamics'.* got 'embeding'"):
        Misspelled().select(np.zeros(5), 2, embedding=ones)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(4, int), "y must hold 5 class indices, one for each row, got 4"),
        (np.full(5, 0.5), "y must hold class indices 0..K-1"),
        (np.array([0, 1, 2, -1, 0]), "y must hold class indices 0..K-1"),
        (np.ma.array([0, 1, 2, 1, 0], mask=[0, 0, 1, 0, 0]), "y must hold class indices 0..K-1"),
        (np.zeros((5, 2), int), "y should be a 1d array"),
    ],
)
def test_class_indices_that_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        Hardest(min_per_class=1).select(np.arange(5.0), 2, y=y)


def test_masked_inputs_are_refused():
    def masked(values):
        return np.ma.array(values, mask=np.arange(len(values)) == 1)

    with pytest.raises(ValueError, match="scores must be known everywhere, and 1 of .* are masked"):
        Hardest().select(masked(np.arange(5.0)), 2)
    for name, values in (("error_probability", np.zeros(5)), ("must_keep", np.zeros(5, bool))):
        with pytest.raises(ValueError, match=f"{name} must be known everywhere, and 1 of .* are masked"):
            Trusting().select(np.arange(5.0), 2, **({"error_probability": np.zeros(5)} | {name: masked(values)}))


def test_a_selector_of_a_user_reads_which_labels_were_given():
    class GivenFirst(BaseSelector):
        def needs(self):
            return (*super().needs(), "labeled")

        def _order(self, draw):
            return np.argsort(~draw.inputs["labeled"], kind="stable")

    labeled = np.array([False, True, False, True, True])
    assert GivenFirst().select(np.zeros(5), 2, labeled=labeled).nonzero()[0].tolist() == [1, 3]
    balanced = GivenFirst(class_balanced="uniform").select(np.zeros(5), 2, labeled=labeled, y=[0, 0, 1, 1, 0])
    assert balanced.nonzero()[0].tolist() == [1, 3]
    with pytest.raises(ValueError, match="GivenFirst needs labeled: whether each label was given"):
        GivenFirst().select(np.zeros(5), 2)
    with pytest.raises(ValueError, match="labeled must be a boolean mask of 5 rows"):
        GivenFirst().select(np.zeros(5), 2, labeled=labeled[:4])


class OfAUser(BaseEstimator):
    """A selector of a user with nothing but select, which keeps the first rows; it has no must_keep."""

    def select(
        self, scores, ratio, *, embedding=None, y=None, labeled=None, dynamics=None, random_state=None, **others
    ):
        assert "must_keep" not in others
        for values in (embedding, y, labeled):
            assert values is None or len(values) == len(scores)
        assert dynamics is None or dynamics.n_samples == len(scores)
        return np.arange(len(scores)) < round(ratio * len(scores))


class Telling(OfAUser):
    """One that proposes and explains too."""

    def propose(self, scores, ratio, **inputs):
        return np.flatnonzero(self.select(scores, ratio, **inputs))

    def explain(self, scores, ratio, **inputs):
        kept = self.select(scores, ratio, **inputs)
        return {"kept": kept, "why": np.where(kept, "early", "late"), "probability": np.where(kept, 0.5, np.nan)}


@pytest.mark.parametrize("user", [OfAUser(), Telling()], ids=str)
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("forced", [0, 3])
def test_mixtures_with_a_selector_of_a_user(user, share, forced):
    rng = np.random.default_rng(0)
    scores, y = rng.random(20), np.arange(20) % 2
    inputs = {
        "embedding": rng.normal(size=(20, 2)),
        "y": y,
        "labeled": y == 0,
        "dynamics": with_probabilities(rng.random(20)),
        "must_keep": np.arange(20) >= 20 - forced,
        "random_state": 0,
    }
    for mixture in (
        Mixture(user, second=Hardest(min_per_class=1), share=share),
        Mixture(KMeans(), second=user, share=share),
        Mixture(user, second=clone(user), share=share),
    ):
        mask = mixture.select(scores, 10, **inputs)
        assert mask.sum() == 10
        assert mask[inputs["must_keep"]].all()
        proposed = mixture.propose(scores, 10, **inputs)
        np.testing.assert_array_equal(np.sort(proposed), np.flatnonzero(mask))
        found = mixture.explain(scores, 10, **inputs)
        np.testing.assert_array_equal(found["kept"], mask)
        assert (found["probability"][mask] > 0).all()
        assert set(found["why"][inputs["must_keep"]]) <= {"must stay"}


def test_a_mixture_asks_a_selector_of_a_user_for_the_rest():
    scores = np.arange(8.0)
    mixture = Mixture(Hardest(), second=OfAUser())
    assert mixture.select(scores, 4).nonzero()[0].tolist() == [0, 1, 6, 7]
    assert mixture.propose(scores, 4).tolist() == [7, 1, 6, 0]
    why = mixture.explain(scores, 4)["why"].tolist()
    assert why[:3] + why[6:] == ["chosen by OfAUser"] * 2 + ["not chosen by OfAUser"] + ["among the hardest"] * 2

    class Positions(BaseEstimator):
        def select(self, scores, ratio, **inputs):
            return np.arange(2)

    with pytest.raises(
        ValueError, match=r"boolean mask of 6 rows with at least one True, which Positions\(\) does not"
    ):
        Mixture(Hardest(), second=Positions()).select(scores, 4)
    with pytest.raises(TypeError, match="second must be a selector, such as KMeans"):
        Mixture(Hardest(), second=StandardScaler()).select(scores, 4)


def test_pruners_take_mixtures_with_a_selector_of_a_user(quick, iris):
    X, _, y_partial = iris
    mixture = Mixture(KMeans(), second=OfAUser())
    pruner = quick(0.2, selection=mixture, include_labeled=True).fit(X, y_partial)
    assert pruner.support_.sum() == 30
    assert pruner.support_[y_partial != -1].all()
    assert ZCorePruner(0.2, selection=mixture, random_state=0).fit(X).support_.sum() == 30


@pytest.mark.parametrize("selector", [D2(), FacilityLocation(), KCenter(), KMeans()], ids=str)
@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1e30, 1e200, 1e307])
def test_features_of_any_scale_give_the_same_choice(selector, scale):
    rng = np.random.default_rng(0)
    scores, features = (
        rng.random(60),
        np.ldexp(rng.integers(-512, 512, (60, 5)), -9),
    )  # scaled by 2 ** n, they round nothing
    scale = 2.0 ** round(np.log2(scale))
    masks = [selector.select(scores, 8, embedding=features * by, random_state=0) for by in (1.0, scale)]
    np.testing.assert_array_equal(*masks)


@pytest.mark.parametrize("selector", [D2(), FacilityLocation(), KCenter(), KMeans()], ids=str)
def test_features_without_a_column_are_refused(selector):
    with pytest.raises(ValueError, match=r"embedding must be 5 finite rows of numbers, got shape \(5, 0\)"):
        selector.select(np.arange(5.0), 2, embedding=np.zeros((5, 0)))


@pytest.mark.parametrize("selector", [D2(), KCenter(), FacilityLocation()], ids=str)
def test_rows_that_are_not_picked_are_not_cut_off(selector):
    features = np.random.default_rng(0).normal(size=(20, 2))
    why = selector.explain(np.arange(20.0), 5, embedding=features)["why"]
    assert set(why) == {"picked for its place and difficulty", "not picked for its place and difficulty"}


@pytest.mark.parametrize("selector", map(get_selector, get_selector_names()), ids=get_selector_names())
def test_only_the_first_parameter_is_positional(selector):
    kinds = [parameter.kind.name for parameter in inspect.signature(type(selector)).parameters.values()]
    assert set(kinds[1:]) == {"KEYWORD_ONLY"}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (None, "Beta\\(trust=1\\) needs error_probability: the probability that each label is wrong"),
        (np.zeros(3), "error_probability must hold 4 numbers within"),
        (np.full(4, 1.5), "error_probability must hold 4 numbers within"),
        (np.full(4, np.nan), "error_probability must hold 4 numbers within"),
    ],
)
def test_error_probabilities_that_are_refused(error, message):
    with pytest.raises(ValueError, match=message):
        choose(Beta(trust=1), np.arange(4.0), 2, error_probability=error)


def test_beta_reads_no_more_epochs_than_are_recorded():
    for n_epochs in (1, 4, 8):
        Beta(n_epochs=n_epochs).check(10, 100, n_epochs=8)
    with pytest.raises(ValueError, match="Beta reads n_epochs=9, above the 8 epochs that are recorded"):
        Beta(n_epochs=9).check(10, 100, n_epochs=8)


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        (Cutoff(hard_cutoff=1.0), r"within \[0, 1\)"),
        (Cutoff(hard_cutoff="most"), r"within \[0, 1\) or 'auto', got 'most'"),
        (Cutoff(hard_cutoff=None), r"within \[0, 1\) or 'auto', got None"),
        (Beta(c_d=0), "c_d must be above 0 or 'auto', got 0"),
        (Beta(c_d=None), "c_d must be above 0 or 'auto', got None"),
        (Beta(c_d="odds"), "c_d must be above 0 or 'auto', got 'odds'"),
        (Beta(n_epochs=0), "n_epochs must be None or an integer of at least 1, got 0"),
        (Beta(trust=-1), "trust must be at least 0"),
        (Beta(), "Beta needs dynamics: the recorded training dynamics"),
        (Cutoff("auto"), r"Cutoff\(hard_cutoff='auto'\) needs dynamics: the recorded"),
        (Stratified("auto"), r"Stratified\(hard_cutoff='auto'\) needs dynamics"),
        (Hardest(class_balanced="yes"), "class_balanced must be"),
        (Hardest(min_per_class=-1), "min_per_class must be"),
        (Window(1.5), r"position must be within \[0, 1\], got 1.5"),
        (D2(0), "n_neighbors must be an integer of at least 1, got 0"),
        (D2(gamma_forward=-1), "gamma_forward must be at least 0"),
        (D2(gamma_reverse=-1), "gamma_reverse must be at least 0"),
        (FacilityLocation(2.5), "n_neighbors must be an integer of at least 1, got 2.5"),
        (FacilityLocation(gamma=-1), "gamma must be at least 0"),
        (FacilityLocation(power=-1), "power must be at least 0"),
        (KCenter(power=-1), "power must be at least 0"),
        (
            Hardest(min_per_class=1.5),
            r"min_per_class must be an integer of at least 0 or a float within \[0, 1\], got 1.5",
        ),
        (Hardest(min_per_class=True), "min_per_class must be"),
        (
            Hardest(class_balanced="uniform"),
            r"Hardest\(class_balanced='uniform'\) needs y: the class index of each row",
        ),
    ],
)
def test_refused_parameters(selector, message):
    with pytest.raises(ValueError, match=message):
        selector.select(np.arange(5.0), 2)


def test_names_and_objects():
    published = {"random", "hardest", "easiest", "cutoff", "stratified", "beta", "moderate"}
    assert set(get_selector_names()) == published | {"window", "d2", "k_center", "k_means", "facility_location"}
    own = Cutoff(hard_cutoff=0.2)
    assert get_selector(own) is not own
    assert get_selector(own).hard_cutoff == 0.2
    with pytest.raises(ValueError, match=r"Unknown selection 'betta'.*Did you mean 'beta'\?"):
        get_selector("betta")
    with pytest.raises(TypeError, match="select"):
        get_selector(Cutoff)
    with pytest.raises(TypeError, match="hard_cutof"):
        Cutoff(hard_cutof=0.1)
    assert all(isinstance(selector, BaseSelector) for selector in ALL)


def test_moderate_and_extremes():
    values = np.array([5.0, 1.0, 3.0, 2.0, 4.0])
    assert np.flatnonzero(Moderate().select(values, 3)).tolist() == [2, 3, 4]
    assert np.flatnonzero(Hardest().select(values, 2)).tolist() == [0, 4]
    assert np.flatnonzero(Easiest().select(values, 2)).tolist() == [1, 3]


@pytest.mark.parametrize("method", ["select", "propose", "explain"])
def test_every_method_reads_the_inputs_of_select(method):
    selector, rest = Trusting(), {"y": [0, 0, 1, 1], "labeled": [True] * 4, "random_state": 0}
    found = getattr(selector, method)([1, 2, 3, 4], 2, error_probability=[0.9, 0.1, 0.2, 0.8], **rest)
    kept = found["kept"] if method == "explain" else found
    rows = kept.tolist() if method == "propose" else np.flatnonzero(kept).tolist()
    assert rows == [1, 2]
    with pytest.raises(TypeError, match="unexpected keyword argument 'error_probabilty'"):
        getattr(selector, method)([1, 2, 3, 4], 2, error_probabilty=[0.9, 0.1, 0.2, 0.8])
    with pytest.raises(ValueError, match="needs error_probability"):
        getattr(selector, method)([1, 2, 3, 4], 2)


class Trusting(BaseSelector):
    """A selector of a user that reads an input."""

    def needs(self):
        return (*super().needs(), "error_probability")

    def _order(self, draw):
        return np.argsort(draw.inputs["error_probability"], kind="stable")


class Proposing(OfAUser):
    """A selector of a user that proposes given rows."""

    def __init__(self, rows=()):
        self.rows = rows

    def propose(self, scores, ratio, **inputs):
        return np.array(self.rows, dtype=int)

    def select(self, scores, ratio, **inputs):
        mask = np.zeros(len(scores), dtype=bool)
        mask[list(self.rows)] = True
        return mask


@pytest.mark.parametrize("rows", [(), (0, 0, 1)])
def test_proposals_that_are_none_are_refused(quick, iris, rows):
    X, _, partial = iris
    message = r"propose of Proposing\(.*\) must return the indices of one or more rows, each of them once"
    with pytest.raises(ValueError, match=message):
        quick(selection=Proposing(rows)).fit(X, partial)
    with pytest.raises(ValueError, match=message):
        Mixture(Proposing(rows), second=Hardest()).propose(np.arange(8.0), 4)


def test_mixtures_with_a_selector_of_a_user_keep_no_more_than_is_asked_for():
    must_keep = np.arange(8) < 5
    mixture = Mixture(Proposing((0,)), second=Proposing((0,)))
    for method in (mixture.select, mixture.propose, mixture.explain):
        with pytest.raises(ValueError, match="5 rows must be kept, above the 4 rows that ratio=0.5 keeps"):
            method(np.arange(8.0), 0.5, must_keep=must_keep)


@pytest.mark.parametrize(
    "selector",
    [Random(min_per_class=1.0), Hardest(min_per_class=1.0), Mixture(Random(), second=Random(min_per_class=1.0))],
    ids=str,
)
def test_each_prefix_holds_rows_kept_for_several_classes(selector):
    """Whatever the order of the pool, such as one class after the other."""
    y = np.repeat(np.arange(10), 100)
    rows = selector.propose(y / 10.0, 60, y=y, random_state=0)
    assert len(np.unique(rows)) == 60
    assert [len(set(y[rows[:n]])) for n in (20, 40)] >= [8, 10]


def test_a_selector_of_a_user_is_asked_for_the_rows_beside_the_labeled_ones(quick, iris):
    X, _, partial = iris
    pruner = quick(selection=OfAUser(), budget=20).fit(X, partial)
    assert pruner.support_[partial != -1].all()
    assert len(pruner.annotation_indices_) == 20
    why = pruner.explain()["why"][partial != -1]
    assert set(why) == {"must stay"}
    copied = quick(selection=Telling(), budget=20).fit(np.vstack([X, X[:1]]), np.append(partial, -1))
    assert len(copied.annotation_indices_) == 20
