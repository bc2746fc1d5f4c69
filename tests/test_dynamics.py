"""TrainingDynamics and the recorder."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from skorch import NeuralNetClassifier

from skprune.dynamics import DynamicsRecorder, TrainingDynamics, collect_dynamics
from skprune.nets import MLP, NetClassifier


def test_masked_rows_are_nan_and_never_zero():
    p = np.tile([0.8, 0.2], (3, 2, 1))
    seen = np.array([[1, 1], [1, 0], [1, 1]], bool)
    dynamics = TrainingDynamics.from_proba(p, [0, 0], seen=seen, kl=True)
    for name in ("target_proba", "target_margin", "error"):
        assert np.isnan(getattr(dynamics, name)).tolist() == (~seen).tolist()
    assert np.isnan(dynamics.kl_step).tolist() == [[False, True], [False, True]]
    assert not dynamics.correct[1, 1]


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


class Spy(DynamicsRecorder):
    """A recorder that keeps what passed, to compare."""

    def on_train_begin(self, net, **kwargs):
        self.log = []
        super().on_train_begin(net, **kwargs)

    def on_epoch_begin(self, net, **kwargs):
        self.log.append({})
        super().on_epoch_begin(net, **kwargs)

    def on_batch_end(self, net, batch=None, training=False, y_pred=None, **kwargs):
        for row, out in zip(batch[0]["index"].tolist(), y_pred.detach().softmax(1).numpy(), strict=True):
            self.log[-1][row] = out
        super().on_batch_end(net, batch=batch, training=training, y_pred=y_pred, **kwargs)


def test_recorder_keeps_what_passed(iris):
    X, y, _ = iris
    net = NetClassifier(max_epochs=3, callbacks=[("spy", Spy())], random_state=0, batch_size=149).fit(X, y)
    spy = dict(net.callbacks_)["spy"]
    for t, epoch in enumerate(spy.log):
        assert sorted(epoch) == list(range(150))
        expected = [epoch[row][y[row]] for row in range(150)]
        np.testing.assert_allclose(spy.dynamics_.target_proba[t], expected, rtol=1e-5)


def test_eval_records_the_net_as_it_is(iris):
    X, y, _ = iris
    dynamics, net = collect_dynamics(NetClassifier(), X, y, n_epochs=3, record="eval", random_state=0)
    expected = net.predict_proba(X)[np.arange(150), y]
    np.testing.assert_allclose(dynamics.target_proba[-1], expected, rtol=1e-5)


def test_recording_does_not_change_training(iris):
    X, y, _ = iris
    _, recorded = collect_dynamics(NetClassifier(), X, y, n_epochs=3, random_state=5)
    alone = NetClassifier(max_epochs=3, random_state=recorded.random_state).fit(X, y)
    np.testing.assert_array_equal(recorded.predict_proba(X), alone.predict_proba(X))
    assert recorded.get_params()["callbacks"] is None


class Softmax(torch.nn.Module):
    """A module of a user that returns probabilities, for skorch's default NLLLoss."""

    def __init__(self):
        super().__init__()
        self.net = MLP(4, 3, width=8)

    def forward(self, X):
        return self.net(X).softmax(dim=1)


@pytest.mark.parametrize("criterion", [torch.nn.NLLLoss, torch.nn.CrossEntropyLoss])
@pytest.mark.parametrize("record", ["train", "eval"])
def test_any_skorch_classifier(iris, criterion, record):
    X, y, _ = iris
    module = Softmax if criterion is torch.nn.NLLLoss else MLP
    sizes = {} if module is Softmax else {"module__n_features": 4, "module__n_classes": 3, "module__width": 8}
    proxy = NeuralNetClassifier(module, criterion=criterion, lr=0.1, batch_size=149, **sizes)
    first, net = collect_dynamics(proxy, X, y, n_epochs=4, record=record, random_state=0)
    second, _ = collect_dynamics(proxy, X, y, n_epochs=4, record=record, random_state=0)
    assert first.seen.all()
    np.testing.assert_array_equal(first.target_proba, second.target_proba)
    assert (first.target_proba >= 0).all()
    assert (first.target_proba <= 1).all()
    assert first.target_margin[-1].mean() > first.target_margin[0].mean()
    if record == "eval":
        proba = net.predict_proba(X.astype(np.float32))
        np.testing.assert_allclose(first.target_proba[-1], proba[np.arange(150), y], rtol=1e-4)


def test_a_recorder_in_a_foreign_net_says_what_to_do(iris):
    X, y, _ = iris
    net = NeuralNetClassifier(Softmax, callbacks=[DynamicsRecorder()], verbose=0, train_split=None, max_epochs=1)
    with pytest.raises(ValueError, match="collect_dynamics"):
        net.fit(X.astype(np.float32), y)


def test_other_criteria_are_refused(iris):
    X, y, _ = iris
    proxy = NeuralNetClassifier(MLP, criterion=torch.nn.MultiMarginLoss, module__n_features=4, module__n_classes=3)
    with pytest.raises(TypeError, match="criterion must be CrossEntropyLoss"):
        collect_dynamics(proxy, X, y, n_epochs=1)


def test_labels_of_minus_one_are_refused(iris):
    from skprune.semi_supervised import FixMatch

    X, _, partial = iris
    net = FixMatch(n_steps=2, batch_size=4, mu=1, callbacks=[DynamicsRecorder()], random_state=0)
    with pytest.raises(ValueError, match="record a supervised classifier"):
        net.fit(X, partial)


def test_early_stopping_loses_no_record(iris):
    from skorch.callbacks import EarlyStopping

    X, y, _ = iris
    stop = EarlyStopping(monitor="train_loss", patience=2, threshold=10.0, sink=lambda *_: None)
    net = NetClassifier(callbacks=[stop, ("recorder", DynamicsRecorder())], random_state=0).fit(X, y)
    dynamics = dict(net.callbacks_)["recorder"].dynamics_
    assert dynamics.n_epochs == len(net.history) < 30
    assert dynamics.seen.all()


def test_early_stopping_in_the_last_epoch_loses_no_record(iris):
    from skorch.callbacks import EarlyStopping

    X, y, _ = iris
    stop = EarlyStopping(monitor="train_loss", patience=2, threshold=10.0, sink=lambda *_: None)
    proxy = NeuralNetClassifier(
        MLP, criterion=torch.nn.CrossEntropyLoss, callbacks=[stop], module__n_features=4, module__n_classes=3
    )
    dynamics, _ = collect_dynamics(proxy, X, y, n_epochs=3, random_state=0)
    assert dynamics.seen.all()
    with pytest.raises(RuntimeError, match="stopped after 3 of 4 epochs"):
        collect_dynamics(proxy, X, y, n_epochs=4, random_state=0)


@pytest.mark.parametrize("y", [[0, 1, -1, 1], [0.0, 1.0, 1.5, 0.0], np.ma.MaskedArray([0, 1, 0, 1], mask=[0, 0, 1, 0])])
def test_collecting_needs_class_indices(y):
    with pytest.raises(ValueError, match=r"class indices 0\.\.K-1, one for every row"):
        collect_dynamics(NetClassifier(), np.zeros((4, 2)), y, n_epochs=2)


def test_a_loader_of_the_user_is_refused(iris):
    X, y, _ = iris
    proxy = NeuralNetClassifier(Softmax, iterator_train=lambda *a, **k: None)
    with pytest.raises(ValueError, match="would leave out iterator_train"):
        collect_dynamics(proxy, X, y, n_epochs=1)


def test_bytes_reach_a_foreign_net_as_floats(images):
    X, y, _ = images

    class Flat(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(64, 10)

        def forward(self, x):
            return self.layer(x.flatten(1) / 255)

    proxy = NeuralNetClassifier(Flat, criterion=torch.nn.CrossEntropyLoss)
    assert collect_dynamics(proxy, X[:, None], y, n_epochs=2, random_state=0)[0].seen.all()


def test_early_stopping_is_noticed(iris):
    from skorch.callbacks import EarlyStopping

    X, y, _ = iris
    stop = EarlyStopping(monitor="train_loss", patience=2, threshold=10.0, sink=lambda *_: None)
    with pytest.raises(RuntimeError, match=r"stopped after \d of 8 epochs"):
        collect_dynamics(NetClassifier(callbacks=[stop]), X, y, n_epochs=8, random_state=0)


def test_rows_not_seen_are_masked(iris):
    X, y, _ = iris
    net = NetClassifier(n_steps=4, batch_size=50)
    dynamics, _ = collect_dynamics(net, X, y, n_epochs=3, random_state=0)
    seen = dynamics.seen.sum(axis=1)
    assert seen[0] == 150
    dynamics, _ = collect_dynamics(NetClassifier(n_steps=2, batch_size=50), X, y, n_epochs=6, random_state=0)
    seen = dynamics.seen
    assert (seen.sum(axis=1) <= 100).all()
    assert np.isnan(dynamics.target_proba[~seen]).all()


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
