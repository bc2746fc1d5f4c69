"""Features that are log-probabilities: said where features are used, and only there. Warnings are errors in all tests."""

import warnings

import numpy as np
import pytest
import torch
from skorch import NeuralNetClassifier

from skprune.baselines import ELFSPruner
from skprune.nets import MLP, NetClassifier
from skprune.nets._features import features_warning
from skprune.selection import Hardest, KCenter, Mixture

MESSAGE = "its features of a row are the row's log-probabilities"


class Probabilities(torch.nn.Module):
    """A module that returns probabilities, for skorch's default NLLLoss."""

    def __init__(self, n_features=4, n_classes=3):
        super().__init__()
        self.net = MLP(n_features, n_classes, width=8)

    def forward(self, X):
        return self.net(X.flatten(1)).softmax(dim=1)


class Scaled(MLP):
    """A module whose last layer does not return its outputs."""

    def __init__(self, n_features, n_classes):
        super().__init__(64, n_classes, width=8)

    def forward(self, x):
        return 2 * super().forward(x.flatten(1))


@pytest.fixture
def tables(quick, iris):
    X, _, y_partial = iris
    return quick(proxy=NeuralNetClassifier(Probabilities, lr=0.1)).fit(X, y_partial), X, y_partial


def raised_by(call):
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        call()
    return [str(warning.message) for warning in raised if MESSAGE in str(warning.message)]


def test_no_warning_where_no_features_are_used(tables):
    pruner, X, y_partial = tables
    for selection in ("auto", Hardest(), KCenter()):  # rows of tables are near one another in their own columns
        assert pruner.set_params(selection=selection).fit(X, y_partial).support_.sum() == 75
        assert pruner.select(0.2).sum() == 30
    pruner.explain()


def test_predicted_difficulties_use_features(tables):
    pruner, X, _ = tables
    with pytest.warns(UserWarning, match=f"NeuralNetClassifier with module Probabilities .*{MESSAGE}"):
        pruner.predict_difficulty(X[:3])


@pytest.mark.parametrize("selection", ["auto", KCenter(), Mixture(KCenter(), second=Hardest())], ids=str)
def test_coverage_of_images_uses_features(quick, images, selection, tmp_path):
    X, _, y_partial = images
    options = {"selection": selection, "n_epochs": 12, "memory": str(tmp_path)}
    pruner = quick(proxy=NetClassifier(Scaled), **options)
    for _ in ("recorded", "found in the cache"):
        assert len(raised_by(lambda: pruner.fit(X, y_partial))) == 1
    assert len(raised_by(lambda: pruner.select(0.3))) == 1
    assert raised_by(lambda: pruner.select(0.3, selection="hardest")) == []
    assert raised_by(lambda: pruner.set_params(selection="hardest").fit(X, y_partial)) == []


def test_clusters_of_rows_use_features(iris):
    X, _, _ = iris
    options = {"proxy": NeuralNetClassifier(Probabilities, lr=0.1), "n_epochs": 10, "random_state": 0}
    assert raised_by(lambda: ELFSPruner(n_clusters=3, selection="hardest", **options).fit(X)) == []
    with pytest.warns(UserWarning, match=MESSAGE):
        ELFSPruner(n_clusters=3, selection=KCenter(), **options).fit(X)


def test_what_counts_as_log_probabilities(iris):
    X, y, _ = iris
    net = NetClassifier(max_epochs=1, random_state=0).fit(X, y)
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.full(3, 0.01), size=50)
    assert MESSAGE in features_warning(net, np.log(np.maximum(proba, 1e-12)).astype(np.float32))
    for features in (proba, -proba, rng.normal(scale=100, size=(50, 3)), np.zeros((50, 128))):
        assert features_warning(net, features.astype(np.float32)) is None
