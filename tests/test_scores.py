"""Scores: golden values, orientation, windows, unseen rows."""

from functools import partial

import numpy as np
import pytest
from conftest import recorded_logits
from hypothesis import given, settings
from hypothesis import strategies as st

from skprune import scores
from skprune.dynamics import TrainingDynamics
from skprune.scores._epochs import in_blocks

CLOSE = {"rtol": 1e-5, "atol": 1e-6}


@pytest.fixture(scope="module")
def recorded(golden):
    return TrainingDynamics.from_logits(golden["logits"], golden["labels"], kl=True)


def test_golden_values(golden, recorded):
    expected = {
        "aum": golden["f64/accumulated_margin"] / 40,
        "forgetting": golden["f64/forgetting_toneva_never_learned_is_T"],
        "correctness": golden["semiprune_f32/correctness"] / 40,
        "confidence": golden["target_probs"].mean(axis=0),
        "variability": golden["target_probs"].astype(np.float64).std(axis=0),
        "entropy": golden["f64/entropy_last"],
        "el2n": golden["f64/el2n_sum10"] / 10,
        "dyn_unc": golden["f64/dynunc"] / 10,
    }
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(scores, name)(recorded), values, **CLOSE, err_msg=name)
    np.testing.assert_allclose(scores.dual(recorded, n_epochs=30), golden["f64/dual_T30"] / 10, **CLOSE)
    np.testing.assert_allclose(scores.el2n(recorded, n_epochs=20), golden["f64/el2n_sum20"] / 20, **CLOSE)
    np.testing.assert_allclose(recorded.error, golden["f64/el2n_per_epoch"], **CLOSE)
    np.testing.assert_array_equal(recorded.correct, golden["f64/correct_matrix"])
    np.testing.assert_allclose(scores.forgetting(recorded, never_learned=0), golden["f64/forgetting"], **CLOSE)
    np.testing.assert_allclose(recorded.target_proba, golden["target_probs"], **CLOSE)


@pytest.mark.parametrize(("epochs", "window"), [(10, 5), (10, 10), (20, 10), (30, 10), (40, 10)])
def test_golden_tdds(golden, recorded, epochs, window):
    values = scores.tdds(recorded, n_epochs=epochs, window=window)
    np.testing.assert_allclose(values, golden[f"tdds_f64/sumabs_T{epochs}_J{window}"], **CLOSE)


@pytest.mark.parametrize(("epochs", "power"), [(30, 0.5), (30, 1), (30, 2), (40, 1)])
def test_golden_dual_as_for_imagenet(golden, recorded, epochs, power):
    values = scores.dual(recorded, n_epochs=epochs, ddof=0, power=power)
    np.testing.assert_allclose(values, golden[f"semiprune_imagenet_f32/pseudo_dual_T{epochs}_p{power}"], **CLOSE)
    if (epochs, power) == (30, 1):
        np.testing.assert_allclose(values, golden["f64/pseudo_dual_T30_p1"], **CLOSE)


def test_probabilities_and_logits_agree(golden, recorded):
    exp = np.exp(golden["logits"].astype(np.float64))
    other = TrainingDynamics.from_proba(exp / exp.sum(axis=2, keepdims=True), golden["labels"], kl=True)
    for name in set(scores.get_score_names()) - {"grand"}:
        np.testing.assert_allclose(scores.difficulty(other, name), scores.difficulty(recorded, name), **CLOSE)


KINDS = ("easy", "hard", "forgotten", "mislabeled")


@pytest.fixture(scope="module")
def planted():
    """Fifteen rows of each kind, of label 0, over 12 epochs."""
    rng = np.random.default_rng(0)
    easy = np.tile([0.98, 0.01, 0.01], (12, 15, 1))
    hard = rng.dirichlet([2.0, 1.5, 1.0], size=(12, 15))
    hard[4:6] = [[0.6, 0.2, 0.2]], [[0.2, 0.6, 0.2]]
    hard[-1] = [0.4, 0.35, 0.25]
    forgotten = np.tile([0.9, 0.05, 0.05], (12, 15, 1))
    forgotten[1::2] = [0.3, 0.5, 0.2]
    mislabeled = np.sort(rng.dirichlet([1.0, 4.0, 2.0], size=(12, 15)), axis=2)[:, :, [0, 2, 1]]
    mislabeled[-1] = [0.2, 0.5, 0.3]
    proba = np.concatenate([easy, hard, forgotten, mislabeled], axis=1)
    dynamics = TrainingDynamics.from_proba(proba, np.zeros(60, int), kl=True)
    dynamics.grad_norm = 3 * dynamics.error
    return dynamics


@pytest.mark.parametrize("name", scores.get_score_names())
def test_higher_is_harder(planted, name):
    values = dict(zip(KINDS, scores.difficulty(planted, name).reshape(4, 15), strict=True))
    for kind in KINDS[1:]:
        assert values["easy"].max() < values[kind].min(), kind


def test_the_kinds_of_rows_are_told_apart(planted):
    def means(name):
        return dict(zip(KINDS, scores.difficulty(planted, name).reshape(4, 15).mean(axis=1), strict=True))

    for name in ("aum", "confidence", "el2n", "correctness", "forgetting"):
        assert max(means(name), key=means(name).get) == "mislabeled", name
    for name in ("variability", "dyn_unc"):
        assert max(means(name), key=means(name).get) == "forgotten", name


@settings(max_examples=30)
@given(names=st.lists(st.sampled_from(scores.get_score_names()), min_size=1, max_size=4))
def test_combinations_point_up(planted, names):
    """Row 27 of the faults: scores of opposite orientation do not cancel."""
    values = scores.difficulty(planted, names)
    assert values.min() >= 0
    assert values.max() <= 1
    assert values[:15].max() < values[15:].min()
    np.testing.assert_array_equal(scores.difficulty(planted, names[::-1]).round(12), values.round(12))
    assert scores.min_epochs(names) == max(map(scores.min_epochs, names))


def test_a_combination_for_a_single_row():
    dynamics = TrainingDynamics.from_proba(np.full((3, 1, 2), 0.5), [0])
    np.testing.assert_array_equal(scores.difficulty(dynamics, ["aum", "margin"]), [0.0])


def test_combinations_that_cannot_be(planted):
    with pytest.raises(ValueError, match="at least one name or callable"):
        scores.difficulty(planted, [])
    with pytest.raises(ValueError, match="difficulty must be .* and no lists"):
        scores.difficulty(planted, ["aum", ["dual"]])
    with pytest.raises(ValueError, match="takes no parameters"):
        scores.difficulty(planted, ["dual"], window=3)


def test_aum_on_logits(golden, recorded):
    logits, labels = golden["logits"].astype(np.float64), golden["labels"]
    own = np.take_along_axis(logits, labels[None, :, None], axis=2)[:, :, 0]
    others = np.where(np.arange(5) == labels[:, None], -np.inf, logits).max(axis=2)
    np.testing.assert_allclose(scores.aum(recorded, on="logits"), (own - others).mean(axis=0), **CLOSE)
    with pytest.raises(ValueError, match="needs logit_margin"):
        scores.aum(TrainingDynamics.from_proba(np.full((2, 2, 2), 0.5), [0, 1]), on="logits")
    with pytest.raises(ValueError, match="on must be"):
        scores.aum(recorded, on="margin")


def test_grand_needs_gradients(recorded):
    with pytest.raises(ValueError, match="grand needs grad_norm"):
        scores.grand(recorded)


def test_mislabeled_rows_are_hardest_by_aum():
    p = np.tile([0.9, 0.1], (10, 4, 1))
    values = scores.difficulty(TrainingDynamics.from_proba(p, [0, 0, 0, 1]), "aum")
    assert values.argmax() == 3


def test_forgetting_ranks_never_learned_hardest():
    wrong, right = [0.1, 0.9], [0.9, 0.1]
    p = np.array([[right, right, wrong], [right, wrong, wrong], [right, right, wrong], [right, wrong, wrong]])
    values = scores.difficulty(TrainingDynamics.from_proba(p, [0, 0, 0]), "forgetting")
    assert values.tolist() == [0, 2, 4]


def test_aum_is_the_mean_over_all_epochs():
    p = np.array([[[0.0, 1.0]], [[1.0, 0.0]], [[1.0, 0.0]], [[1.0, 0.0]]])
    assert scores.aum(TrainingDynamics.from_proba(p, [0])) == pytest.approx([0.5])


def test_tdds_reads_epochs_after_the_first_window():
    p = np.full((8, 1, 2), 0.5)
    changed = p.copy()
    changed[6] = [0.9, 0.1]
    a, b = (scores.tdds(TrainingDynamics.from_proba(x, [0], kl=True), window=3) for x in (p, changed))
    assert a[0] == 0
    assert b[0] > 0.1


@pytest.mark.parametrize("epochs", [4, 5])
def test_tdds_reads_no_step_after_its_epochs(epochs):
    logits, y = recorded_logits(epochs=8, n=6)
    seen = np.ones((8, 6), dtype=bool)
    seen[epochs:, 2] = False
    complete, cut = (TrainingDynamics.from_logits(logits, y, seen=mask, kl=True) for mask in (None, seen))
    expected = scores.tdds(complete, window=3, n_epochs=epochs)
    np.testing.assert_array_equal(scores.tdds(cut, window=3, n_epochs=epochs), expected)


@pytest.mark.parametrize("name", ["dual", "dyn_unc", "tdds"])
def test_windows_that_cannot_be(name):
    dynamics = TrainingDynamics.from_proba(np.full((5, 2, 2), 0.5), [0, 1], kl=True)
    with pytest.raises(ValueError, match="window must be an integer of at least [23]"):
        getattr(scores, name)(dynamics, window=1)
    with pytest.raises(ValueError, match="window=6 is longer than the 5 epochs"):
        getattr(scores, name)(dynamics, window=6)
    with pytest.raises(ValueError, match="n_epochs=6 asks for more"):
        getattr(scores, name)(dynamics, window=3, n_epochs=6)


def test_too_few_epochs_for_a_default():
    dynamics = TrainingDynamics.from_proba(np.full((5, 2, 2), 0.5), [0, 1])
    with pytest.raises(ValueError, match="n_epochs=10 asks for more epochs than the 5"):
        scores.el2n(dynamics)
    with pytest.raises(ValueError, match="n_epochs must be None or an integer of at least 1, got 0"):
        scores.aum(dynamics, n_epochs=0)
    of_ten = {name for name in scores.get_score_names() if scores.min_epochs(name) == 10}
    assert of_ten == {"dual", "dyn_unc", "el2n", "grand", "tdds"}
    assert {scores.min_epochs(name) for name in set(scores.get_score_names()) - of_ten} == {1}


def test_unseen_epochs_do_not_count():
    p = np.tile([0.75, 0.25], (4, 2, 1))
    p[1, 1] = np.nan
    seen = np.ones((4, 2), bool)
    seen[1, 1] = False
    dynamics = TrainingDynamics.from_proba(p, [0, 0], seen=seen)
    for name in ("aum", "confidence", "variability", "correctness", "forgetting"):
        values = getattr(scores, name)(dynamics)
        assert values[0] == values[1], name
    for name in ("dual", "dyn_unc"):
        assert getattr(scores, name)(dynamics, window=2).tolist() == [0, 0]
    with pytest.raises(ValueError, match="not seen in the first 1 epochs"):
        scores.aum(TrainingDynamics.from_proba(p[1:], [0, 0], seen=seen[1:]), n_epochs=1)


def with_gaps(seed, epochs=9, n=30):
    """Return dynamics of two classes, and label probabilities and margins by row, with NaN where a row was not seen."""
    rng = np.random.default_rng(seed)
    p = rng.random((epochs, n))
    p[rng.random((epochs, n)) < 0.3] = np.nan
    p[:2, np.isnan(p).sum(axis=0) > epochs - 4] = 0.5
    dynamics = TrainingDynamics.from_proba(np.stack([p, 1 - p], axis=2), np.zeros(n, int), seen=~np.isnan(p))
    return dynamics, dynamics.target_proba.astype(np.float64).T, dynamics.target_margin.astype(np.float64).T


@given(seed=st.integers(0, 1000), window=st.integers(4, 9), ddof=st.sampled_from([0, 1]))
def test_windows_with_gaps_by_definition(seed, window, ddof):
    """Each window uses the epochs in which it saw the row, and counts if there are two."""
    dynamics, proba, _ = with_gaps(seed)
    expected, spread = [], []
    for row in proba:
        parts = [row[start : start + window] for start in range(len(row) - window + 1)]
        parts = [part[~np.isnan(part)] for part in parts if (~np.isnan(part)).sum() >= 2]
        expected.append(np.mean([part.std(ddof=ddof) ** 2 * (1 - part.mean()) for part in parts]))
        spread.append(np.mean([part.std(ddof=1) for part in parts]))
    values = scores.dual(dynamics, window=window, ddof=ddof, power=2)
    np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(scores.dyn_unc(dynamics, window=window), spread, rtol=1e-9, atol=1e-12)


@given(seed=st.integers(0, 1000))
def test_counts_with_gaps_by_definition(seed):
    """An epoch in which the row was not seen is neither right nor wrong, and does not end what was learned."""
    dynamics, proba, margins = with_gaps(seed)
    forgotten, correct, spread = [], [], []
    for row, values in zip(margins, proba, strict=True):
        right = row[~np.isnan(row)] > 0
        forgotten.append((right[:-1] & ~right[1:]).sum() if right.any() else 9)
        correct.append(right.mean())
        spread.append(values[~np.isnan(values)].std())
    np.testing.assert_array_equal(scores.forgetting(dynamics), forgotten)
    np.testing.assert_allclose(scores.correctness(dynamics), correct, rtol=1e-12)
    np.testing.assert_allclose(scores.variability(dynamics), spread, rtol=1e-9, atol=1e-12)


def test_forgetting_over_a_gap():
    nan = np.nan
    p = np.array([[0.9, 0.9, 0.9, 0.1], [nan, nan, 0.1, nan], [0.9, 0.1, nan, 0.1], [0.9, 0.1, 0.9, nan]])
    dynamics = TrainingDynamics.from_proba(np.stack([p, 1 - p], axis=2), np.zeros(4, int), seen=~np.isnan(p))
    assert scores.forgetting(dynamics).tolist() == [0, 1, 1, 4]


def test_rows_that_no_window_sees_twice_are_named():
    p = np.full((6, 3), 0.5)
    p[1:5, 1] = np.nan
    dynamics = TrainingDynamics.from_proba(np.stack([p, 1 - p], axis=2), np.zeros(3, int), seen=~np.isnan(p))
    with pytest.raises(ValueError, match="Row 1 is not seen twice within any window of 3 epochs"):
        scores.dual(dynamics, window=3)


@given(n=st.integers(1, 20), block_rows=st.integers(1, 8))
def test_every_row_is_in_a_block(n, block_rows):
    array = np.arange(2.0 * n).reshape(2, n)
    sizes = []

    def function(block):
        sizes.append(block.shape[1])
        return block.sum(axis=0)

    np.testing.assert_array_equal(in_blocks(array, function, block_rows=block_rows), array.sum(axis=0))
    assert max(sizes) <= block_rows
    assert sum(sizes) == n


def test_pools_of_several_blocks():
    rng = np.random.default_rng(0)
    dynamics = TrainingDynamics.from_logits(rng.normal(size=(4, 2 * 2048 + 1, 3)), np.zeros(4097, int), kl=True)
    proba, steps = dynamics.target_proba.astype(np.float64), dynamics.kl_step.astype(np.float64)
    np.testing.assert_allclose(scores.variability(dynamics), proba.std(axis=0), rtol=1e-9)
    np.testing.assert_array_equal(scores.correctness(dynamics), dynamics.correct.mean(axis=0))
    parts = [proba[start : start + 3] for start in range(2)]
    expected = np.mean([part.std(axis=0, ddof=1) * (1 - part.mean(axis=0)) for part in parts], axis=0)
    np.testing.assert_allclose(scores.dual(dynamics, window=3), expected, rtol=1e-9)
    np.testing.assert_allclose(scores.tdds(dynamics, window=4), 0.9 * steps.std(axis=0) * 3**0.5, rtol=1e-9)


@given(seed=st.integers(0, 1000), n_epochs=st.integers(4, 9), window=st.integers(3, 9))
def test_tdds_by_definition(seed, n_epochs, window):
    """A window of J epochs holds J - 1 steps; the last window weighs 0.9, each one before it a tenth of the next."""
    window = min(window, n_epochs)
    logits = np.random.default_rng(seed).normal(scale=2, size=(9, 5, 3))
    dynamics = TrainingDynamics.from_logits(logits, np.zeros(5, int), kl=True)
    proba = softmax(logits)
    steps = np.abs(proba[1:] * np.diff(np.log(proba + 1e-8), axis=0)).sum(axis=2)
    expected = np.zeros(5)
    for start in range(n_epochs - window + 1):
        part = steps[start : start + window - 1]
        expected += 0.9 * 0.1 ** (n_epochs - window - start) * np.linalg.norm(part - part.mean(axis=0), axis=0)
    values = scores.tdds(dynamics, n_epochs=n_epochs, window=window)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-4)  # logarithms are kept in single precision


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("dual", {"ddof": 2}, "ddof must be 0 or 1, got 2"),
        ("dual", {"power": 0}, "power must be above 0, got 0"),
        ("dual", {"window": 2.0}, "window must be an integer of at least 2, got 2.0"),
        ("tdds", {"window": 2}, "window must be an integer of at least 3, got 2"),
        ("aum", {"on": "margin"}, "on must be 'proba' or 'logits', got 'margin'"),
        ("confidence", {"n_epochs": 1.5}, "n_epochs must be None or an integer of at least 1, got 1.5"),
    ],
)
def test_refused_parameters(name, params, message):
    dynamics = TrainingDynamics.from_proba(np.full((5, 2, 2), 0.5), [0, 1], kl=True)
    with pytest.raises(ValueError, match=message):
        scores.difficulty(dynamics, name, **params)


def test_el2n_of_a_saturated_softmax_is_exact():
    logits = np.array([[[100.0, 0.0, 0.0], [0.0, 100.0, 0.0]]], dtype=np.float32)
    values = scores.el2n(TrainingDynamics.from_logits(logits, [0, 0]), n_epochs=1)
    np.testing.assert_allclose(values, [0.0, np.sqrt(2)], atol=1e-7)


def test_unknown_names_suggest():
    dynamics = TrainingDynamics.from_proba(np.full((5, 2, 2), 0.5), [0, 1])
    with pytest.raises(ValueError, match=r"Unknown difficulty 'duall'.*Valid names: aum.*Did you mean 'dual'\?"):
        scores.difficulty(dynamics, "duall")
    with pytest.raises(TypeError, match="unexpected keyword"):
        scores.difficulty(dynamics, "dual", windw=3)


def test_callables_are_checked():
    dynamics = TrainingDynamics.from_proba(np.full((5, 2, 2), 0.5), [0, 1])
    assert scores.difficulty(dynamics, lambda d: d.entropy).shape == (2,)
    with pytest.raises(ValueError, match="one number for each of the 2 rows"):
        scores.difficulty(dynamics, lambda d: [1.0])
    with pytest.raises(ValueError, match="not finite for row 1"):
        scores.difficulty(dynamics, lambda d: [1.0, np.nan])


@pytest.mark.parametrize("name", scores.get_score_names())
def test_a_difficulty_is_its_score_or_the_opposite(planted, name):
    of_score = getattr(scores, name)(planted)
    np.testing.assert_array_equal(np.abs(scores.difficulty(planted, name)), np.abs(of_score))


@pytest.mark.parametrize("name", scores.get_score_names())
def test_functions_of_the_package_are_turned_too(planted, name):
    function = getattr(scores, name)
    expected = scores.difficulty(planted, name)
    np.testing.assert_array_equal(scores.difficulty(planted, function), expected)
    np.testing.assert_array_equal(scores.difficulty(planted, partial(partial(function))), expected)


def test_tdds_needs_kl():
    with pytest.raises(ValueError, match=r"record=Recording\(kl=True\), or build the dynamics with kl=True"):
        scores.tdds(TrainingDynamics.from_proba(np.full((5, 2, 2), 0.5), [0, 1]), window=3)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**16), n=st.integers(1, 20), n_classes=st.integers(2, 6))
def test_scores_stay_in_their_ranges(seed, n, n_classes):
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=5, size=(11, n, n_classes))
    dynamics = TrainingDynamics.from_logits(logits, rng.integers(n_classes, size=n), kl=True)
    dynamics.grad_norm = dynamics.error
    bounds = {
        "aum": (-1, 1),
        "confidence": (0, 1),
        "correctness": (0, 1),
        "dual": (0, 1),
        "dyn_unc": (0, 1),
        "el2n": (0, np.sqrt(2)),
        "entropy": (0, np.log(n_classes)),
        "forgetting": (0, 11),
        "grand": (0, 2),
        "least_confidence": (0, 1 - 1 / n_classes),
        "loss": (0, 70),
        "margin": (0, 1),
        "tdds": (0, np.inf),
        "variability": (0, 0.5),
    }
    assert set(bounds) == set(scores.get_score_names())
    for name, (low, high) in bounds.items():
        values = getattr(scores, name)(dynamics)
        assert values.dtype == np.float64
        assert values.shape == (n,)
        assert (values >= low - 1e-6).all(), name
        assert (values <= high + 1e-6).all(), name


def recordings(max_epochs=14, scales=(0.1, 3.0, 50.0)):
    """Logits of several scales with labels, of up to 20 rows and 6 classes."""

    @st.composite
    def draw(pick):
        rng = np.random.default_rng(pick(st.integers(0, 2**16)))
        epochs, n, n_classes = pick(st.integers(3, max_epochs)), pick(st.integers(1, 20)), pick(st.integers(2, 6))
        logits = rng.normal(scale=pick(st.sampled_from(scales)), size=(epochs, n, n_classes))
        return logits, rng.integers(n_classes, size=n)

    return draw()


def softmax(logits):
    exp = np.exp(logits - logits.max(axis=2, keepdims=True))
    return exp / exp.sum(axis=2, keepdims=True)


@settings(max_examples=40)
@given(recording=recordings(scales=(0.1, 3.0)), data=st.data())
def test_tdds_reads_every_epoch(recording, data):
    """Row 5 of the faults: epochs after the first window count. Saturated outputs jump by the same step whatever the class."""
    logits, y = recording
    window = data.draw(st.integers(3, len(logits)))
    changed = logits.copy()
    changed[-1] = -logits[-1] + np.arange(logits.shape[2])
    if np.abs(softmax(changed)[-1] - softmax(logits)[-1]).max() < 1e-3:
        return
    one, other = (scores.tdds(TrainingDynamics.from_logits(x, y, kl=True), window=window) for x in (logits, changed))
    assert not np.array_equal(one, other)


@settings(max_examples=40)
@given(recording=recordings())
def test_averages_over_all_epochs(recording):
    """Rows 6, 31 of the faults: means over every epoch, and errors by the direct difference."""
    logits, y = recording
    proba = softmax(logits)
    own = np.take_along_axis(proba, y[None, :, None], axis=2)[:, :, 0]
    onehot = np.eye(logits.shape[2])[y]
    others = np.where(onehot == 1, -np.inf, proba).max(axis=2)
    dynamics = TrainingDynamics.from_logits(logits.astype(np.float32), y)
    exact = {"rtol": 1e-4, "atol": 1e-5}  # the logits are rounded to float32, and some are large
    np.testing.assert_allclose(scores.aum(dynamics), (own - others).mean(axis=0), **exact)
    np.testing.assert_allclose(scores.confidence(dynamics), own.mean(axis=0), **exact)
    np.testing.assert_allclose(scores.variability(dynamics), own.std(axis=0), **exact)
    error = np.linalg.norm(proba - onehot, axis=2).mean(axis=0)
    np.testing.assert_allclose(scores.el2n(dynamics, n_epochs=None), error, **exact)


@settings(max_examples=40)
@given(recording=recordings(), window=st.integers(-2, 30), name=st.sampled_from(["dual", "dyn_unc", "tdds"]))
def test_windows_fit_or_are_refused(recording, window, name):
    """Row 7 of the faults."""
    logits, y = recording
    dynamics = TrainingDynamics.from_logits(logits, y, kl=True)
    if (3 if name == "tdds" else 2) <= window <= len(logits):
        assert np.isfinite(getattr(scores, name)(dynamics, window=window)).all()
    else:
        with pytest.raises(ValueError, match="window"):
            getattr(scores, name)(dynamics, window=window)


@settings(max_examples=40)
@given(recording=recordings())
def test_windows_by_definition(recording):
    logits, y = recording
    dynamics = TrainingDynamics.from_logits(logits, y)
    proba = dynamics.target_proba.astype(np.float64)
    parts = [proba[start : start + 3] for start in range(len(proba) - 2)]
    std, mean = np.array([part.std(axis=0, ddof=1) for part in parts]), np.array([part.mean(axis=0) for part in parts])
    np.testing.assert_allclose(scores.dyn_unc(dynamics, window=3), std.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(scores.dual(dynamics, window=3), (std * (1 - mean)).mean(axis=0), atol=1e-12)


@settings(max_examples=40)
@given(recording=recordings())
def test_rows_never_right_are_forgotten_most(recording):
    """Row 18 of the faults."""
    logits, y = recording
    logits[:, 0, y[0]] = logits[:, 0].min() - 1.0
    values = scores.difficulty(TrainingDynamics.from_logits(logits, y), "forgetting")
    assert values[0] == values.max() == len(logits)


@settings(max_examples=40)
@given(recording=recordings(), data=st.data())
def test_an_epoch_that_shows_no_row_does_not_count(recording, data):
    """Row 19 of the faults."""
    logits, y = recording
    hidden = data.draw(st.integers(0, len(logits) - 1))
    seen = np.ones(logits.shape[:2], dtype=bool)
    seen[hidden] = False
    shown = logits.copy()
    shown[hidden] = np.nan
    masked = TrainingDynamics.from_logits(shown, y, seen=seen)
    without = TrainingDynamics.from_logits(np.delete(logits, hidden, axis=0), y)
    for name in ("aum", "confidence", "variability", "correctness", "entropy", "margin", "least_confidence", "loss"):
        np.testing.assert_allclose(scores.difficulty(masked, name), scores.difficulty(without, name), err_msg=name)
    never = ~without.correct.any(axis=0)
    np.testing.assert_array_equal(scores.forgetting(masked)[~never], scores.forgetting(without)[~never])


@settings(max_examples=40)
@given(recording=recordings(), data=st.data(), value=st.sampled_from([np.nan, np.inf, -np.inf]))
def test_rows_that_are_not_finite_are_named(recording, data, value):
    """Row 25 of the faults."""
    logits, y = recording
    epoch, row = (data.draw(st.integers(0, size - 1)) for size in logits.shape[:2])
    logits[epoch, row, 0] = value
    with pytest.raises(ValueError, match=f"Row {row} is not finite in epoch {epoch}"):
        TrainingDynamics.from_logits(logits, y)


@pytest.mark.parametrize("name", scores.get_score_names())
def test_other_things_than_dynamics_are_refused(name):
    score = getattr(scores, name)
    proba = np.full((3, 4, 2), 0.5)
    with pytest.raises(TypeError, match=f"{name} reads TrainingDynamics, got ndarray. TrainingDynamics.from_proba"):
        score(proba)
    with pytest.raises(TypeError, match="difficulty reads TrainingDynamics, got list"):
        scores.difficulty(proba.tolist(), score)
    with pytest.raises(TypeError, match="difficulty reads TrainingDynamics, got ndarray"):
        scores.difficulty(proba, [name])
