"""TrainingDynamics: arrays, recorded outputs, batches, and several made one."""

import subprocess
import sys

import numpy as np
import pytest
from conftest import assert_same, recorded_logits
from hypothesis import given, settings
from hypothesis import strategies as st

from skprune.dynamics import TrainingDynamics
from skprune.dynamics._builder import DynamicsBuilder


def test_masked_rows_are_nan_and_never_zero():
    p = np.tile([0.8, 0.2], (3, 2, 1))
    seen = np.array([[1, 1], [1, 0], [1, 1]], bool)
    dynamics = TrainingDynamics.from_proba(p, [0, 0], seen=seen, kl=True)
    for name in ("target_proba", "target_margin", "error"):
        assert np.isnan(getattr(dynamics, name)).tolist() == (~seen).tolist()
    assert np.isnan(dynamics.kl_step).tolist() == [[False, True], [False, True]]
    assert dynamics.correct.tolist() == seen.tolist()


def test_last_epoch_figures_come_from_the_last_epoch_seen():
    p = np.array([[[0.6, 0.4]], [[0.9, 0.1]]])
    dynamics = TrainingDynamics.from_proba(p, [0], seen=[[True], [False]])
    assert dynamics.top_margin == pytest.approx([0.2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target_margin": np.zeros((3, 5))}, "target_margin must be of shape"),
        ({"entropy": np.zeros(3)}, "entropy must be of shape"),
        ({"kl_step": np.zeros((3, 4))}, r"kl_step must be of shape \(2, 4\)"),
        ({"target_proba": np.zeros(4)}, "target_proba must be of shape"),
        ({"seen": np.zeros((3, 4), bool)}, "Row 0 is not seen in any epoch"),
        ({"error": np.where(np.arange(4) == 2, np.nan, np.zeros((3, 4)))}, "error of row 2 is not finite in epoch 0"),
        ({"entropy": np.array([0, np.nan, 0, 0])}, "entropy of row 1"),
    ],
)
def test_refused_arrays(change, message):
    arrays = {name: np.full((3, 4), 0.5) for name in ("target_proba", "target_margin", "error")}
    arrays |= {"entropy": np.zeros(4), "top_margin": np.zeros(4)}
    TrainingDynamics(**arrays)
    with pytest.raises(ValueError, match=message):
        TrainingDynamics(**arrays | change)


def test_refused_outputs():
    p = np.full((2, 3, 2), 0.5)
    p[1, 2] = np.nan
    with pytest.raises(ValueError, match="Row 2 is not finite in epoch 1"):
        TrainingDynamics.from_proba(p, [0, 0, 0])
    with pytest.raises(ValueError, match="class indices 0..1"):
        TrainingDynamics.from_proba(np.full((2, 3, 2), 0.5), [0, 0, 2])
    with pytest.raises(ValueError, match="Epoch 0 must be of shape"):
        TrainingDynamics.from_proba(np.full((2, 4, 2), 0.5), [0, 0, 0])


def test_inputs_are_copied():
    arrays = {name: np.full((3, 4), 0.5, np.float32) for name in ("target_proba", "target_margin", "error")}
    dynamics = TrainingDynamics(**arrays, entropy=np.zeros(4), top_margin=np.zeros(4))
    arrays["target_proba"][:] = 0
    assert (dynamics.target_proba == 0.5).all()


def test_arrays_need_no_torch():
    code = (
        "import sys, numpy as np, skprune, skprune.scores as s, skprune.selection as c\n"
        "from skprune import SemiPrune, PrunedClassifier\n"
        "from skprune.dynamics import TrainingDynamics\n"
        "d = TrainingDynamics.from_logits(np.random.default_rng(0).normal(size=(12, 9, 3)), np.zeros(9, int))\n"
        "c.Beta().select(s.difficulty(d, 'dual'), 0.5, dynamics=d, random_state=0)\n"
        "SemiPrune(0.3), dir(skprune)\n"
        "assert 'torch' not in sys.modules, 'torch was imported'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_iterators_of_many_epochs():
    logits, y = recorded_logits(epochs=40)
    assert_same(
        TrainingDynamics.from_logits(iter(logits), y, kl=True), TrainingDynamics.from_logits(logits, y, kl=True)
    )


def test_parts_of_a_pool_make_the_whole():
    logits, y = recorded_logits()
    parts = [TrainingDynamics.from_logits(logits[:, rows], y[rows], kl=True) for rows in (slice(0, 15), slice(15, 40))]
    assert_same(TrainingDynamics.concatenate(parts), TrainingDynamics.from_logits(logits, y, kl=True))
    with pytest.raises(ValueError, match=r"same number of epochs, got \[11, 12\]"):
        TrainingDynamics.concatenate([parts[0], TrainingDynamics.from_logits(logits[1:], y)])
    with pytest.raises(ValueError, match="kl_step was recorded in only some parts"):
        TrainingDynamics.concatenate([parts[0], TrainingDynamics.from_logits(logits, y)])
    with pytest.raises(ValueError, match="at least one part"):
        TrainingDynamics.concatenate([])


def test_probabilities_that_are_none():
    logits, y = recorded_logits()
    with pytest.raises(ValueError, match=r"Row 0 sums to \S+ and not to 1 in epoch 0. Use from_logits"):
        TrainingDynamics.from_proba(logits, y)
    with pytest.raises(ValueError, match="seen has 3 epochs, but the outputs have 12"):
        TrainingDynamics.from_logits(logits, y, seen=np.ones((3, 40), bool))
    with pytest.raises(ValueError, match=r"seen must be of shape \(n_epochs, 40\)"):
        TrainingDynamics.from_logits(logits, y, seen=np.ones((12, 4), bool))


@settings(max_examples=25)
@given(seed=st.integers(0, 2**16), size=st.integers(1, 40))
def test_batches_in_any_order_make_the_same_dynamics(seed, size):
    """Rows 20 and 21 of the faults: a last batch of one row, and each row counted once."""
    logits, y = recorded_logits(seed)
    rng = np.random.default_rng(seed)
    builder = DynamicsBuilder(40, 12, kl=True)
    for epoch in logits:
        builder.start_epoch()
        order = rng.permutation(40)
        for start in range(0, 40, size):
            rows = order[start : start + size]
            builder.add(rows, epoch[rows], y[rows], logits=True)
    assert_same(TrainingDynamics(**builder.arrays()), TrainingDynamics.from_logits(logits, y, kl=True), atol=1e-6)


def test_a_row_twice_in_an_epoch():
    logits, y = recorded_logits(epochs=2)
    twice = np.array([3, 5, 3])
    builder = DynamicsBuilder(40, 2)
    builder.start_epoch()
    builder.add(np.arange(40), logits[0], y, logits=True)
    builder.add(twice[1:], logits[1][twice[1:]], y[twice[1:]], logits=True)
    later = TrainingDynamics.from_logits(logits[1:], y)
    np.testing.assert_array_equal(builder.arrays()["target_proba"][0, [3, 5]], later.target_proba[0, [3, 5]])
    builder = DynamicsBuilder(40, 2, kl=True)
    for epoch in logits:
        builder.start_epoch()
        builder.add(np.arange(40), epoch, y, logits=True)
    builder.add(twice, logits[1][twice], y[twice], logits=True)
    known = np.isfinite(builder.arrays()["kl_step"][0])
    assert np.flatnonzero(~known).tolist() == [3, 5]


def test_an_epoch_that_a_time_limit_cuts_is_forgotten():
    logits, y = recorded_logits(epochs=3)
    builder = DynamicsBuilder(40, 3)
    for rows in (slice(40), slice(40), slice(25)):
        builder.start_epoch()
        builder.add(rows, logits[builder.epoch][rows], y[rows], logits=True)
    expected = TrainingDynamics.from_logits(logits[:2], y)
    for _ in range(2):  # and what is whole stays
        builder.drop_unfinished(2)
        assert_same(TrainingDynamics(**builder.arrays()), expected)


@pytest.mark.parametrize("length", [10, 14])
def test_an_iterator_of_another_length_than_seen(length):
    logits, y = recorded_logits(epochs=length)
    with pytest.raises(ValueError, match="seen has 12 epochs, but the outputs have (10|more)"):
        TrainingDynamics.from_logits(iter(logits), y, seen=np.ones((12, 40), bool))


def test_averages_of_parts():
    logits, y = recorded_logits()
    seen = np.random.default_rng(0).random((12, 40)) < 0.7
    seen[0] = True
    part = TrainingDynamics.from_logits(logits, y, kl=True)
    masked = TrainingDynamics.from_logits(-logits, y, seen=seen)
    average = TrainingDynamics.average([part, masked])
    assert average.kl_step is None
    assert average.seen.all()
    expected = np.nanmean([part.error, masked.error], axis=0)
    np.testing.assert_allclose(average.error, expected, rtol=1e-6)
    with pytest.raises(ValueError, match=r"parts of one shape \(n_epochs, n_samples\), got \[\(11, 40\), \(12, 40\)\]"):
        TrainingDynamics.average([part, TrainingDynamics.from_logits(logits[1:], y)])
    with pytest.raises(ValueError, match="parts of one shape"):
        TrainingDynamics.average([])
