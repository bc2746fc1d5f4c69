"""What recorded outputs and labels must be, whoever records them: probabilities, class indices, and nothing masked."""

import numpy as np
import pytest
import torch
from conftest import recorded_logits
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import SGDClassifier
from skorch import NeuralNetClassifier

from skprune.dynamics import DynamicsRecorder, Recording, TrainingDynamics, collect_dynamics
from skprune.nets import NetClassifier
from skprune.scores import difficulty
from skprune.selection import Cutoff

PROBABILITIES = (
    "with NLLLoss, skorch takes outputs for probabilities. Let the module end in softmax, or use CrossEntropyLoss"
)


class Linear(torch.nn.Module):
    """A linear layer with a last function of choice."""

    def __init__(self, last="identity", n_features=4, n_classes=3):
        super().__init__()
        self.layer, self.last = torch.nn.Linear(n_features, n_classes), last

    def forward(self, x):
        z = self.layer(x)
        return {"log_softmax": z.log_softmax(1), "softmax": z.softmax(1), "identity": z}[self.last]


# Nets


@pytest.mark.parametrize("last", ["log_softmax", "identity"])
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_outputs_of_a_net_with_nll_loss_must_be_probabilities(iris, last, mode):
    X, y, _ = iris
    net = NeuralNetClassifier(Linear, module__last=last, criterion=torch.nn.NLLLoss)
    what = r"The proxy's output for row \d+ (sums to \S+ and not to 1|holds the probability \S+) in epoch 1, but "
    with pytest.raises(ValueError, match=what + PROBABILITIES):
        collect_dynamics(net, X, y, n_epochs=2, record=mode, random_state=0)


def test_log_probabilities_are_recorded_with_cross_entropy(iris):
    X, y, _ = iris
    net = NeuralNetClassifier(Linear, criterion=torch.nn.CrossEntropyLoss, lr=0.1)
    logits, _ = collect_dynamics(net, X, y, n_epochs=3, random_state=0)
    logs, _ = collect_dynamics(net.set_params(module__last="log_softmax"), X, y, n_epochs=3, random_state=0)
    np.testing.assert_allclose(logs.target_proba, logits.target_proba, atol=1e-4)
    np.testing.assert_allclose(logs.logit_margin, logits.logit_margin, atol=1e-4)


def test_the_recorder_in_a_net_of_a_user_looks_at_probabilities(iris):
    X, y, _ = iris
    recorder = DynamicsRecorder("eval")
    net = NeuralNetClassifier(Linear, criterion=torch.nn.NLLLoss, callbacks=[recorder], train_split=None, verbose=0)
    with pytest.raises(ValueError, match=PROBABILITIES):
        net.fit(X.astype(np.float32), y)


def test_epochs_that_are_not_recorded_are_not_looked_at(iris):
    X, y, _ = iris
    net = NeuralNetClassifier(Linear, criterion=torch.nn.NLLLoss, module__last="softmax")
    dynamics, _ = collect_dynamics(net, X, y, n_epochs=4, record=Recording(every=2), random_state=0)
    assert dynamics.n_epochs == 2


class NotANumber(torch.nn.CrossEntropyLoss):
    """A loss that is NaN, with finite gradients."""

    def forward(self, outputs, y):
        return super().forward(outputs, y) + float("nan")


def test_a_loss_that_is_not_finite_is_refused(iris):
    X, y, _ = iris
    net = NeuralNetClassifier(Linear, criterion=NotANumber)
    with pytest.raises(FloatingPointError, match=r"The proxy's loss is nan in epoch 1\. Lower its learning rate"):
        collect_dynamics(net, X, y, n_epochs=2, random_state=0)


def test_semi_prune_refuses_such_a_proxy_before_any_training(quick, iris):
    X, _, y_partial = iris

    class Untrained(BaseEstimator, ClassifierMixin):
        def fit(self, X, y):
            if len(X) == 150:
                raise AssertionError("trained")
            self.classes_ = np.unique(y[y >= 0])
            return self

        def predict_proba(self, X):
            return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    net = NeuralNetClassifier(Linear, module__last="log_softmax", criterion=torch.nn.NLLLoss)
    with pytest.raises(ValueError, match=r"proxy NeuralNetClassifier .*with NLLLoss"):
        quick(labeler=Untrained(), proxy=net, estimate_accuracy=False).fit(X, y_partial)


# Classifiers


class NoProbabilities(SGDClassifier):
    """A classifier whose predict_proba returns scores."""

    def predict_proba(self, X):
        return self.decision_function(X)


def test_outputs_of_a_classifier_must_be_probabilities(iris):
    X, y, _ = iris
    with pytest.raises(ValueError, match=r"output for row 0 (sums to \S+ and not to 1|holds .*) in epoch 1\."):
        collect_dynamics(NoProbabilities(), X, y, n_epochs=2, random_state=0)


def test_linear_boosters_are_refused_by_name(iris):
    xgboost = pytest.importorskip("xgboost")
    X, y, _ = iris
    message = (
        r"XGBClassifier\(booster='gblinear'\) predicts with all its rounds at once. Use another booster, or SGDClass"
    )
    with pytest.raises(ValueError, match=message):
        collect_dynamics(xgboost.XGBClassifier(booster="gblinear"), X, y, n_epochs=12)


# Recorded outputs


@pytest.mark.parametrize("kl", [False, True])
def test_negative_probabilities_are_refused_by_row_and_epoch(kl):
    proba = np.full((3, 5, 2), 0.5)
    proba[1, 3] = [-0.3, 1.3]
    with pytest.raises(ValueError, match=r"Row 3 holds the probability -0\.3 in epoch 1\. Use from_logits for logits"):
        TrainingDynamics.from_proba(proba, np.zeros(5, int), kl=kl)
    proba[1, 2] = [0.9, 0.5]
    with pytest.raises(ValueError, match=r"Row 2 sums to 1\.4 and not to 1 in epoch 1"):
        TrainingDynamics.from_proba(proba, np.zeros(5, int), kl=kl)
    seen = np.ones((3, 5), bool)
    seen[1, [0, 2]] = False
    with pytest.raises(ValueError, match=r"Row 3 holds the probability -0\.3 in epoch 1"):
        TrainingDynamics.from_proba(proba, np.zeros(5, int), seen=seen)
    seen[1, 3] = False
    assert TrainingDynamics.from_proba(proba, np.zeros(5, int), seen=seen).seen.sum() == 12


def test_what_rounding_leaves_below_0_counts_as_0():
    logits, y = recorded_logits(n_classes=2)
    proba = softmax(logits, axis=2)
    proba[::2, 4], proba[1::2, 4] = [-1e-5, 1 + 1e-5], [0.2, 0.8]
    clipped = proba.clip(0, 1)
    rounded, exact = (TrainingDynamics.from_proba(each, y, kl=True) for each in (proba, clipped))
    np.testing.assert_allclose(rounded.target_proba, exact.target_proba, atol=2e-5)
    assert rounded.target_proba.min() >= 0
    assert np.isfinite(difficulty(rounded, "tdds")).all()
    np.testing.assert_allclose(rounded.kl_step, exact.kl_step, atol=1e-3)


def test_sums_in_half_precision_are_not_mistaken():
    proba = softmax(np.random.default_rng(0).normal(size=(2, 20, 1000)), axis=2).astype(np.float16)
    assert TrainingDynamics.from_proba(proba, np.zeros(20, int)).n_epochs == 2


@pytest.mark.parametrize("read", [TrainingDynamics.from_logits, TrainingDynamics.from_proba])
def test_labels_of_recorded_outputs(read):
    proba = softmax(recorded_logits(n=6, n_classes=3)[0], axis=2)
    y = np.array([0, 1, 2, 0, 1, 2])
    expected = read(proba, y).target_proba
    for same in (y.tolist(), y.astype(np.uint8), np.ma.array(y), torch.tensor(y)):
        np.testing.assert_array_equal(read(proba, same).target_proba, expected)
    with pytest.warns(DataConversionWarning, match="column-vector"):
        np.testing.assert_array_equal(read(proba, y[:, None]).target_proba, expected)
    with pytest.raises(ValueError, match=r"y should be a 1d array, got an array of shape \(6, 3\)"):
        read(proba, np.eye(3, dtype=int)[y])
    with pytest.raises(ValueError, match=r"y should be a 1d array, got an array of shape \(6, 3\)"):
        read(proba, torch.eye(3)[y])
    for bad in (np.ma.array(y, mask=y == 1), [None, 1, 2, 0, 1, 2], y.astype(float), list("abcabc"), y - 1, y > 1):
        with pytest.raises(ValueError, match=r"y must hold class indices 0\.\.K-1, one for each row"):
            read(proba, bad)
    with pytest.raises(ValueError, match=r"y must hold class indices 0\.\.2, got 3"):
        read(proba, y + 1)


@pytest.mark.parametrize("kl", [False, True])
def test_a_number_of_classes_that_changes_is_refused(kl):
    epochs = [np.full((4, 2), 0.5), np.full((4, 4), 0.25)]
    with pytest.raises(ValueError, match=r"Epoch 1 has 4 classes, but the epochs before have 2"):
        TrainingDynamics.from_proba(epochs, [0, 1, 0, 1], kl=kl)


def test_masked_outputs_are_not_read_beneath_the_mask():
    logits, y = recorded_logits(epochs=2, n=5, n_classes=2)
    masked = np.ma.array(logits, mask=np.zeros(logits.shape, bool))
    assert TrainingDynamics.from_logits(masked, y).n_epochs == 2
    masked[1, 3, 0] = np.ma.masked
    with pytest.raises(ValueError, match=r"Row 3 is not finite in epoch 1\. Mark rows that were not seen with `seen`"):
        TrainingDynamics.from_logits(masked, y)
    seen = np.array([[True] * 5, [True] * 3 + [False, True]])
    assert TrainingDynamics.from_logits(masked, y, seen=seen).seen.sum() == 9
    with pytest.raises(ValueError, match="seen must be known everywhere, and 1 of .* are masked"):
        TrainingDynamics.from_logits(logits, y, seen=np.ma.array(seen, mask=~seen))


# Labels of collect_dynamics and of selectors


@pytest.mark.parametrize("proxy", [SGDClassifier(loss="log_loss"), NetClassifier()], ids=["classifier", "net"])
def test_a_column_of_labels_is_read_as_labels(iris, proxy):
    X, y, _ = iris
    expected, _ = collect_dynamics(proxy, X, y, n_epochs=2, random_state=0)
    with pytest.warns(DataConversionWarning, match="column-vector"):
        found, _ = collect_dynamics(proxy, X, y[:, None], n_epochs=2, random_state=0)
    np.testing.assert_array_equal(found.target_proba, expected.target_proba)
    with pytest.raises(ValueError, match="y should be a 1d array"):
        collect_dynamics(proxy, X, np.eye(3, dtype=int)[y], n_epochs=2)


def test_selectors_read_a_column_of_labels_too():
    y = np.array([[0], [0], [1], [1]])
    with pytest.warns(DataConversionWarning, match="column-vector"):
        assert Cutoff(class_balanced="uniform").select(np.arange(4.0), 2, y=y).tolist() == [False, True, False, True]


@pytest.mark.parametrize(
    ("y", "found"),
    [
        ([0, None, 1], "1 missing ones"),
        ([0.0, 1.0, 1.0], "float64 of which the least is 0.0"),
        ([-1, 0, 1], "int64 of which the least is -1"),
        (np.array([], dtype=int), "none"),
    ],
)
def test_labels_that_are_no_class_indices_are_refused_by_what_they_are(y, found):
    with pytest.raises(ValueError, match=f"y must hold class indices 0..K-1, one for each row, got {found}"):
        TrainingDynamics.from_proba(np.full((2, 3, 2), 0.5), y)
