"""The reduction of outputs to a few numbers per row: against its definition, in chunks, and at the ends of floats."""

import numpy as np
import pytest
from conftest import assert_same
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax

from skprune.dynamics import TrainingDynamics
from skprune.dynamics._builder import DynamicsBuilder
from skprune.dynamics._reduce import first_not_finite, reduce_outputs


def defined(logits, y, log_before=None):
    """Return what the reduction must give, row by row from the definitions."""
    p = softmax(logits.astype(np.float64), axis=1)
    rows, is_target = np.arange(len(y)), np.eye(p.shape[1], dtype=bool)[y]
    top = np.sort(p, axis=1)
    expected = {
        "target_proba": p[rows, y],
        "target_margin": p[rows, y] - np.where(is_target, -np.inf, p).max(axis=1),
        "error": np.linalg.norm(p - is_target, axis=1),
        "logit_margin": logits[rows, y] - np.where(is_target, -np.inf, logits).max(axis=1),
        "entropy": -(p * np.log(np.where(p > 0, p, 1))).sum(axis=1),
        "top_margin": top[:, -1] - top[:, -2],
    }
    if log_before is not None:
        expected["kl_step"] = np.abs(p * (np.log(p + 1e-8) - log_before.T)).sum(axis=1)
    return expected


def random_outputs(n, n_classes, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(scale=3, size=(n, n_classes)), rng.integers(n_classes, size=n)


@pytest.mark.parametrize(
    ("n", "n_classes", "chunk_values"),
    [(17, 3, 1), (17, 3, 10), (17, 3, 51), (40, 10, 64), (40, 10, 10**6), (23_000, 3, None), (500, 150, None)],
)
def test_chunks_give_what_the_definition_says(n, n_classes, chunk_values):
    logits, y = random_outputs(n, n_classes)
    log_before = np.log(softmax(random_outputs(n, n_classes, seed=1)[0], axis=1) + 1e-8).T
    log_now = np.full((n_classes, n), np.nan)
    options = {} if chunk_values is None else {"chunk_values": chunk_values}
    reduced = reduce_outputs(logits, y, logits=True, log_before=log_before, log_now=log_now, **options)
    expected = defined(logits, y, log_before)
    assert reduced.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(reduced[name], values, rtol=1e-6, atol=1e-6, err_msg=name)
    np.testing.assert_allclose(log_now, np.log(softmax(logits, axis=1) + 1e-8).T, rtol=1e-6, atol=1e-6)


@given(seed=st.integers(0, 2**16), n=st.integers(1, 30), n_classes=st.integers(2, 6), chunk_values=st.integers(1, 200))
def test_any_chunks_give_what_one_gives(seed, n, n_classes, chunk_values):
    logits, y = random_outputs(n, n_classes, seed)
    proba = softmax(logits, axis=1)
    for outputs, are_logits in ((logits, True), (proba, False)):
        whole = reduce_outputs(outputs, y, logits=are_logits, chunk_values=n * n_classes)
        parts = reduce_outputs(outputs, y, logits=are_logits, chunk_values=chunk_values)
        assert whole.keys() == parts.keys()
        for name, values in whole.items():
            np.testing.assert_allclose(parts[name], values, rtol=0, atol=1e-6, err_msg=name)
    with_logits = reduce_outputs(logits, y, logits=True)
    for name, values in reduce_outputs(proba, y, logits=False).items():
        np.testing.assert_allclose(with_logits[name], values, rtol=0, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sign", [1, -1])
def test_large_logits(sign, dtype):
    """exp(1,000) overflows and exp(-1,000) is 0: only differences of logits may count."""
    logits = sign * np.array([[1000, 0, 998], [1000, 1000, 1000], [-1000, 1000, 0], [1000, 999, -1000]], dtype)
    y = np.array([0, 1, 0, 1])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        reduced = reduce_outputs(logits, y, logits=True)
    for name, values in defined(logits, y).items():
        np.testing.assert_allclose(reduced[name], values, rtol=1e-6, atol=1e-7, err_msg=name)
    shifted = TrainingDynamics.from_logits([logits + dtype(4096)], y)
    assert_same(shifted, TrainingDynamics.from_logits([logits], y), atol=1e-6)


def test_kl_of_large_logits_is_finite():
    logits = np.array([[[1000.0, 0.0]], [[0.0, 1000.0]]])
    dynamics = TrainingDynamics.from_logits(logits, [0], kl=True)
    np.testing.assert_allclose(dynamics.kl_step, [[-np.log(1e-8)]], rtol=1e-5)  # the offset alone bounds the step
    assert log_softmax(logits[0], axis=1)[0, 1] == -1000


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_finite_numbers_whose_sum_overflows(dtype):
    huge = np.finfo(dtype).max
    outputs = np.array([[huge, huge], [1, 2], [-huge, -huge], [-huge, huge]], dtype)
    for rows in ([0], [2], [0, 1], [0, 2], [0, 1, 2, 3], [3, 2, 1, 0]):
        assert first_not_finite(outputs[rows]) is None
    assert TrainingDynamics.from_logits(np.full((1, 3, 2), np.finfo(np.float32).max), [0, 1, 0]).n_samples == 3


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 2, 3])
@pytest.mark.parametrize("large", [1.0, np.finfo(np.float32).max])
def test_the_first_row_that_is_not_finite(bad, row, large):
    outputs = np.array([[large, large], [-large, -large], [0, 1], [large, -large]], np.float32)
    outputs[row, 1] = bad
    assert first_not_finite(outputs) == row


def test_infinities_that_cancel_hide_nothing():
    outputs = np.zeros((5, 3))
    outputs[3], outputs[4] = [np.inf, 0, -np.inf], [np.nan, 0, 0]
    assert first_not_finite(outputs) == 3
    outputs[1, 2] = np.nan
    assert first_not_finite(outputs) == 1
    outputs[1, 2], outputs[2] = 0, [np.inf, np.nan, -np.inf]
    assert first_not_finite(outputs) == 2


def kl_steps(builder):
    return builder.arrays()["kl_step"]


def started(logits, y):
    builder = DynamicsBuilder(len(y), 3, kl=True)
    builder.start_epoch()
    builder.add(np.arange(len(y)), logits[0], y, logits=True)
    builder.start_epoch()
    return builder


@pytest.mark.parametrize(
    "batches",
    [[[0, 1, 2, 2, 3]], [[0, 1, 2], [2, 3]], [[2], [0, 2], [3, 1]], [[2, 2], [0, 1, 3]], [[2, 2, 2], [0, 2, 1, 3]]],
    ids=str,
)
def test_rows_seen_twice_have_no_kl_and_keep_their_last_outputs(batches):
    logits, y = random_outputs(3 * 4, 3)
    logits, y = logits.reshape(3, 4, 3), y[:4]
    rng = np.random.default_rng(0)
    builder = started(logits, y)
    for number, rows in enumerate(map(np.array, batches)):
        outputs = logits[1][rows].copy()
        earlier = np.flatnonzero(rows == 2)
        if number == max(i for i, batch in enumerate(batches) if 2 in batch):
            earlier = earlier[:-1]  # the very last outputs of row 2 are those of the epoch
        outputs[earlier] = rng.normal(size=(len(earlier), 3))
        builder.add(rows, outputs, y[rows], logits=True)
    builder.start_epoch()
    builder.add(np.arange(4), logits[2], y, logits=True)
    expected = TrainingDynamics.from_logits(logits, y, kl=True)
    steps = kl_steps(builder)
    assert np.isnan(steps).tolist() == [[False, False, True, False], [False] * 4]
    np.testing.assert_allclose(steps[0, [0, 1, 3]], expected.kl_step[0, [0, 1, 3]], rtol=1e-5)
    np.testing.assert_allclose(steps[1], expected.kl_step[1], rtol=1e-5)
    arrays = builder.arrays()
    for name in ("target_proba", "target_margin", "error", "logit_margin"):
        np.testing.assert_allclose(arrays[name], getattr(expected, name), rtol=1e-5, err_msg=name)


def test_all_rows_seen_twice_have_no_kl():
    """A slice of all rows, as classifiers other than nets are recorded."""
    logits, y = random_outputs(2 * 4, 3)
    logits, y = logits.reshape(2, 4, 3), y[:4]
    builder = started(logits, y)
    builder.add(slice(None), logits[1], y, logits=True)
    assert np.isfinite(kl_steps(builder)).all()
    builder.add(slice(None), logits[0], y, logits=True)
    assert np.isnan(kl_steps(builder)).all()
