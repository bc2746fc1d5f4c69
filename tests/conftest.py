"""Fixtures: small data, small nets, and the golden values.

SKPRUNE_TEST_NO_BF16=1 lets the session believe that the CPU does not multiply bfloat16 natively. Together with
ONEDNN_MAX_CPU_ISA=AVX2 it stands for a machine without AVX-512 and AMX:
``ONEDNN_MAX_CPU_ISA=AVX2 SKPRUNE_TEST_NO_BF16=1 python -m pytest tests/test_nets.py``.

SKPRUNE_FUZZ=long makes the tests by random use as long as a release wants them, and random each time; without it they are
short, and the same for everybody.
"""

import os
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from sklearn.datasets import load_digits, load_iris

from skprune import SemiPrune
from skprune.datasets import make_partial_labels
from skprune.nets import NetClassifier
from skprune.selection import Beta
from skprune.semi_supervised import FixMatch

os.environ["MPLBACKEND"] = "Agg"  # pictures without a window
torch.set_num_threads(1)
settings.register_profile("skprune", deadline=None)  # how long an example takes says something about the machine alone
settings.load_profile("skprune")
IS_LONG = os.environ.get("SKPRUNE_FUZZ") == "long"
settings.register_profile(
    "configurations", deadline=None, derandomize=not IS_LONG, max_examples=3000 if IS_LONG else 100
)
settings.register_profile(
    "sequences", deadline=None, derandomize=not IS_LONG, max_examples=50 if IS_LONG else 4, stateful_step_count=40
)

if os.environ.get("SKPRUNE_TEST_NO_BF16") == "1":
    torch.cpu._is_amx_tile_supported = torch.cpu._is_avx512_bf16_supported = lambda: False


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(scope="session")
def golden():
    with np.load(Path(__file__).parent / "golden.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


@pytest.fixture
def iris():
    X, y = load_iris(return_X_y=True)
    return X, y, make_partial_labels(y, n_labeled=15, random_state=0)


@pytest.fixture
def images():
    X, y = load_digits(return_X_y=True)
    X, y = (X[:120].reshape(-1, 8, 8) / 16 * 255).astype(np.uint8), y[:120]
    return X, y, make_partial_labels(y, n_labeled=40, random_state=0)


@pytest.fixture
def quick():
    """Make a SemiPrune that takes a fraction of a second."""

    def make(ratio=0.5, **params):
        defaults = {
            "labeler": FixMatch(n_steps=8, batch_size=8, mu=2),
            "proxy": NetClassifier(module__width=16) if "image_shape" not in params else None,
            "selection": Beta(class_balanced="proportional"),
            "n_epochs": 10,
            "estimate_accuracy": False,
            "random_state": 0,
        }
        return SemiPrune(ratio, **defaults | params)

    return make


@pytest.fixture
def fitted(quick, iris):
    X, _, y_partial = iris
    return quick().fit(X, y_partial)


class CountingFixMatch(FixMatch):
    """A labeler that counts its fits; a class attribute survives clones."""

    fits = 0

    def fit(self, X, y):
        type(self).fits += 1
        return super().fit(X, y)


class CountingProxy(NetClassifier):
    """A proxy that counts its fits."""

    fits = 0

    def fit(self, X, y):
        type(self).fits += 1
        return super().fit(X, y)


@pytest.fixture
def counting():
    CountingFixMatch.fits = CountingProxy.fits = 0
    return CountingFixMatch, CountingProxy


@cache
def dynamics_of(seed=0, n=60, epochs=12):
    """Planted dynamics: easy rows, rows learned late, and rows that are never right."""
    from skprune.dynamics import TrainingDynamics

    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(epochs, n, 3))
    strength = np.linspace(3, -2, n) + np.linspace(0, 2, epochs)[:, None]
    logits[:, :, 0] += strength
    return TrainingDynamics.from_logits(logits, np.zeros(n, dtype=int), kl=True)


def recorded_logits(seed=0, epochs=12, n=40, n_classes=4):
    """Return random logits of shape (epochs, n, n_classes), and labels."""
    rng = np.random.default_rng(seed)
    return rng.normal(scale=3, size=(epochs, n, n_classes)), rng.integers(n_classes, size=n)


def assert_same(dynamics, expected, atol=0.0):
    """Compare all arrays of two dynamics, missing ones included."""
    for name, array in vars(expected).items():
        actual = getattr(dynamics, name)
        if array is None:
            assert actual is None, name
        else:
            np.testing.assert_allclose(actual, array, rtol=0, atol=atol, err_msg=name)
