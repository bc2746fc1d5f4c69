"""How long a stage will take is said after its first steps, by a clock that the tests turn."""

import warnings

import numpy as np
import pytest
import torch
from skorch import NeuralNetClassifier

from skprune.dynamics import collect_dynamics
from skprune.nets import NetClassifier, _progress
from skprune.semi_supervised import FixMatch


class Clock:
    """A clock that goes on by the same time each time it is read; the first step takes longer."""

    def __init__(self, seconds):
        self.seconds, self.now = seconds, 1000.0

    def __call__(self):
        self.now += self.seconds
        return self.now


@pytest.fixture
def step_seconds(monkeypatch):
    def set_clock(seconds):
        monkeypatch.setattr(_progress, "monotonic", Clock(seconds))

    return set_clock


def test_a_long_labeling_is_announced_with_advice(iris, step_seconds):
    X, _, partial = iris
    step_seconds(35)
    with pytest.warns(
        UserWarning, match=r"labeling by FixMatch will take about 23 min: 40 steps of 35 s.*TorchvisionFeatures"
    ):
        FixMatch(n_steps=40, batch_size=8, mu=2, random_state=0).fit(X, partial)


def test_once_a_stage(iris, step_seconds):
    X, _, partial = iris
    step_seconds(400)
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        FixMatch(n_steps=40, batch_size=8, mu=2, random_state=0).fit(X, partial)
    assert sum("will take about 4 h" in str(warning.message) for warning in raised) == 1


def test_a_short_one_is_not(iris, step_seconds):
    X, y, _ = iris
    step_seconds(5)
    NetClassifier(max_epochs=10, random_state=0).fit(X, y)  # 20 steps, less than two minutes


@pytest.mark.parametrize(("seconds", "text"), [(5, "about 2 min"), (200, "about 67 min"), (0.5, None)])
def test_the_bar_says_it_where_there_is_one(iris, step_seconds, capsys, seconds, text):
    X, y, _ = iris
    step_seconds(seconds)
    NetClassifier(max_epochs=10, verbose=1, random_state=0).fit(X, y)
    shown = capsys.readouterr().err
    assert "training" in shown
    assert ("about" in shown) == (text is not None)
    assert text is None or f"training, {text}" in shown


def test_a_net_from_outside(iris, step_seconds):
    X, y, _ = iris
    step_seconds(100)
    net = NeuralNetClassifier(
        torch.nn.Linear,
        module__in_features=4,
        module__out_features=3,
        criterion=torch.nn.CrossEntropyLoss,
        batch_size=50,
    )
    with pytest.warns(UserWarning, match="recording by NeuralNetClassifier will take about 50 min: 30 steps of 1e"):
        _, model = collect_dynamics(net, X.astype(np.float32), y, n_epochs=10, random_state=0)
    assert "time_estimate" not in dict(model.callbacks_)
