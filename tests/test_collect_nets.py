"""Skorch nets as proxies: the recorder, and collect_dynamics."""

import signal

import numpy as np
import pytest
import torch
from conftest import assert_same
from sklearn.semi_supervised import LabelSpreading
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EarlyStopping

from skprune import SemiPrune
from skprune._utils._adapters import torch_seeded
from skprune.dynamics import DynamicsRecorder, Recording, _recorder, collect_dynamics
from skprune.nets import MLP, NetClassifier
from skprune.nets._features import features_warning, proxy_features
from skprune.nets._progress import StageBar, named_stage
from skprune.scores import tdds
from skprune.semi_supervised import SoftMatch


class Spy(DynamicsRecorder):
    """A recorder that keeps what passed, to compare."""

    def on_train_begin(self, net, **kwargs):
        self.log = []
        super().on_train_begin(net, **kwargs)

    def on_epoch_begin(self, net, **kwargs):
        self.log.append({})
        super().on_epoch_begin(net, **kwargs)

    def on_batch_end(self, net, batch=None, training=False, y_pred=None, **kwargs):
        for row, out in zip(batch[0]["index"].tolist(), y_pred.detach().softmax(1).cpu().numpy(), strict=True):
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


def test_a_split_of_a_foreign_net_is_refused(iris):
    X, y, _ = iris
    net = NeuralNetClassifier(Softmax, callbacks=[DynamicsRecorder("eval")], verbose=0, max_epochs=1)
    with pytest.raises(ValueError, match="set train_split=None"):
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
    with pytest.raises(ValueError, match="Record a supervised classifier"):
        net.fit(X, partial)


def test_early_stopping_loses_no_record(iris):
    X, y, _ = iris
    stop = EarlyStopping(monitor="train_loss", patience=2, threshold=10.0, sink=lambda *_: None)
    net = NetClassifier(callbacks=[stop, ("recorder", DynamicsRecorder())], random_state=0).fit(X, y)
    dynamics = dict(net.callbacks_)["recorder"].dynamics_
    assert dynamics.n_epochs == len(net.history) < 30
    assert dynamics.seen.all()


def test_early_stopping_in_the_last_epoch_loses_no_record(iris):
    X, y, _ = iris
    stop = EarlyStopping(monitor="train_loss", patience=2, threshold=10.0, sink=lambda *_: None)
    proxy = NeuralNetClassifier(
        MLP, criterion=torch.nn.CrossEntropyLoss, callbacks=[stop], module__n_features=4, module__n_classes=3
    )
    dynamics, _ = collect_dynamics(proxy, X, y, n_epochs=3, random_state=0)
    assert dynamics.seen.all()
    with pytest.raises(RuntimeError, match="stopped after 3 of 4 epochs"):
        collect_dynamics(proxy, X, y, n_epochs=4, random_state=0)


@pytest.mark.parametrize(
    "y", [[0, 1, -1, 1], np.array([], int), [0.0, 1.0, 1.5, 0.0], np.ma.MaskedArray([0, 1, 0, 1], mask=[0, 0, 1, 0])]
)
def test_collecting_needs_class_indices(y):
    with pytest.raises(ValueError, match=r"class indices 0\.\.K-1, one for each row"):
        collect_dynamics(NetClassifier(), np.zeros((len(y), 2)), y, n_epochs=2)


def test_a_loader_of_the_user_is_refused(iris):
    X, y, _ = iris
    proxy = NeuralNetClassifier(Softmax, iterator_train=lambda *a, **k: None)
    with pytest.raises(ValueError, match="iterator_train must be torch's DataLoader"):
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


def test_a_net_that_draws_rows_twice_is_recorded(iris):
    X, y, _ = iris
    options = {"n_epochs": 3, "random_state": 0}
    dynamics, _ = collect_dynamics(NetClassifier(n_steps=4, batch_size=50), X, y, **options)
    assert dynamics.seen[0].all()
    with pytest.raises(ValueError, match=r"tdds needs every row once in every epoch; row \d+ is missing or doubled"):
        tdds(dynamics, window=3)


def test_gradients_of_the_last_layer(iris):
    X, y, _ = iris
    dynamics, net = collect_dynamics(NetClassifier(device="cpu"), X, y, n_epochs=3, record="eval", random_state=0)
    module, criterion = net.module_, torch.nn.CrossEntropyLoss()
    for row in (0, 70, 149):
        module.zero_grad()
        logits = net.forward(X[row : row + 1], training=False)
        entered = []
        hook = module.head.register_forward_pre_hook(lambda layer, inputs, entered=entered: entered.append(inputs[0]))
        net.forward(X[row : row + 1], training=False)
        hook.remove()
        weight, bias = module.head.weight.detach().requires_grad_(), module.head.bias.detach().requires_grad_()
        criterion(torch.nn.functional.linear(entered[0], weight, bias), torch.tensor([y[row]])).backward()
        expected = torch.cat([weight.grad.flatten(), bias.grad]).norm().item()
        assert dynamics.grad_norm[-1, row] == pytest.approx(expected, rel=1e-4)
        own = logits[0, y[row]] - logits[0].masked_fill(torch.arange(3) == int(y[row]), -np.inf).max()
        assert dynamics.logit_margin[-1, row] == pytest.approx(own.item(), rel=1e-4)
    assert not module.head._forward_hooks


@pytest.mark.parametrize("record", ["train", "eval"])
def test_every_second_epoch(iris, record):
    X, y, _ = iris
    options = {"n_epochs": 5, "record": Recording(record), "random_state": 0}
    every, _ = collect_dynamics(NetClassifier(), X, y, **options)
    second, _ = collect_dynamics(NetClassifier(), X, y, **options | {"record": Recording(record, every=2)})
    assert second.n_epochs == 2
    np.testing.assert_array_equal(second.target_proba, every.target_proba[1:4:2])
    with pytest.raises(ValueError, match="record__every must be an integer from 1 to 5, got 6"):
        collect_dynamics(NetClassifier(), X, y, **options | {"record": Recording(every=6)})


def test_recording_into_files(iris, tmp_path):
    X, y, _ = iris
    options = {"n_epochs": 3, "random_state": 0}
    one, _ = collect_dynamics(NetClassifier(), X, y, **options)
    other, _ = collect_dynamics(NetClassifier(), X, y, memmap_folder=tmp_path, **options)
    assert_same(other, one)
    assert isinstance(other.error, np.memmap)
    collect_dynamics(NetClassifier(), X, y, memmap_folder=tmp_path / "second", record=Recording(every=3), **options)
    assert np.load(tmp_path / "second" / "error.npy", mmap_mode="r").shape == (1, 150)


@pytest.mark.parametrize(
    ("proxy", "there"),
    [
        (NetClassifier(), True),
        (NeuralNetClassifier(Softmax, lr=0.1), False),
        (
            NeuralNetClassifier(MLP, criterion=torch.nn.CrossEntropyLoss, module__n_features=4, module__n_classes=3),
            True,
        ),
    ],
    ids=["own", "probabilities", "logits"],
)
def test_gradients_need_logits(iris, proxy, there):
    X, y, _ = iris
    dynamics, net = collect_dynamics(proxy, X, y, n_epochs=2, random_state=0)
    assert (dynamics.grad_norm is not None) == (dynamics.logit_margin is not None) == there
    features = proxy_features(net, X.astype(np.float32))
    assert (features_warning(net, features) is None) == there
    assert features.shape == (150, 128 if there else 3)


@pytest.mark.parametrize("record", ["train", "eval"])
@pytest.mark.parametrize("flush_values", [0, 1, 100, 149, 150, 300, 449])
def test_any_size_of_the_buffer_records_the_same(iris, monkeypatch, record, flush_values):
    X, y, _ = iris
    options = {"n_epochs": 2, "record": record, "random_state": 0}
    expected, _ = collect_dynamics(NetClassifier(batch_size=20), X, y, **options)
    flushed = []
    flush = DynamicsRecorder._flush
    monkeypatch.setattr(_recorder, "FLUSH_VALUES", flush_values)
    monkeypatch.setattr(DynamicsRecorder, "_flush", lambda self: (flushed.append(0), flush(self)))
    dynamics, _ = collect_dynamics(NetClassifier(batch_size=20), X, y, **options)
    assert dynamics.seen.all()
    assert_same(dynamics, expected, atol=1e-6)
    assert len(flushed) > 2, "the buffer was never full"


class Explosive(MLP):
    """A module whose outputs turn infinite in the third epoch."""

    def forward(self, X):
        self.passes = getattr(self, "passes", 0) + 1
        return super().forward(X) / (0.0 if self.passes > 2 * 8 else 1.0)


@pytest.mark.parametrize("verbose", [0, 1])
def test_errors_close_the_bar_and_leave_no_hook(iris, monkeypatch, verbose):
    X, y, _ = iris
    recorders, bars = [], []
    begin, show = DynamicsRecorder.on_train_begin, StageBar.on_train_begin

    def begun(self, net, **kwargs):
        begin(self, net, **kwargs)
        recorders.append((self, net.module_.head))

    def shown(self, net, **kwargs):
        show(self, net, **kwargs)
        bars.append(self.bar_)

    monkeypatch.setattr(DynamicsRecorder, "on_train_begin", begun)
    monkeypatch.setattr(StageBar, "on_train_begin", shown)
    sizes = {"module__n_features": 4, "module__n_classes": 3, "module__width": 8}
    proxy = NeuralNetClassifier(Explosive, criterion=torch.nn.CrossEntropyLoss, batch_size=20, **sizes)
    with pytest.raises(FloatingPointError, match=r"output for row \d+ is not finite in epoch 3, at a learning rate"):
        collect_dynamics(proxy, X, y, n_epochs=4, random_state=0, verbose=verbose)
    [(recorder, layer)] = recorders
    assert recorder.head_ is None
    assert not layer._forward_hooks
    assert [bar.disable for bar in bars] == [True] * verbose  # a bar of tqdm is disabled when it is closed


def test_semi_supervised_nets_are_refused(iris):
    X, y, _ = iris
    with pytest.raises(TypeError, match=r"got SoftMatch. Use SemiPrune\(labeler=SoftMatch\(\), proxy='labeler'\)"):
        collect_dynamics(SoftMatch(), X, y, n_epochs=2)


def test_the_bar_shows_recording_within_a_recording_alone(iris, capsys):
    X, y, _ = iris
    _, net = collect_dynamics(NetClassifier(), X, y, n_epochs=2, random_state=0, verbose=1)
    assert capsys.readouterr().err.startswith("\rrecording:")
    net.partial_fit(X, y)
    net.fit(X, y)
    assert "\rtraining:" in capsys.readouterr().err
    failing = NetClassifier()
    with pytest.raises(ZeroDivisionError), named_stage(failing, "recording"):
        raise ZeroDivisionError
    assert "_stage" not in vars(failing)


class Interrupted(torch.nn.Linear):
    """A network during whose second forward pass someone presses Ctrl-C."""

    passes = 0

    def forward(self, x):
        self.passes += 1
        if self.passes == 2:
            raise KeyboardInterrupt
        return super().forward(x)


def test_ctrl_c_ends_the_training_of_a_net_from_elsewhere(iris):
    X, y, partial = iris
    net = NeuralNetClassifier(
        Interrupted, module__in_features=4, module__out_features=3, criterion=torch.nn.CrossEntropyLoss, verbose=0
    )
    with pytest.raises(KeyboardInterrupt):
        collect_dynamics(net, X, y, n_epochs=4, random_state=0)
    pruner = SemiPrune(labeler=LabelSpreading(kernel="knn"), proxy=net, n_epochs=11, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        pruner.fit(X, partial)
    assert not hasattr(pruner, "support_")
    with pytest.raises(KeyboardInterrupt), torch_seeded(net, 0):
        net.fit(X.astype(np.float32), y)
    assert "fit_loop" not in vars(net)


class PressedAfterEpoch(Callback):
    """A callback during which someone presses Ctrl-C."""

    def on_epoch_end(self, net, **kwargs):
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # which processes in the background ignore
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("is_own", [True, False])
def test_ctrl_c_during_a_callback_stops_no_training_early(iris, is_own):
    X, y, _ = iris
    pressed = [("pressed", PressedAfterEpoch())]
    net = NetClassifier(callbacks=pressed)
    if not is_own:
        net = NeuralNetClassifier(
            torch.nn.Linear,
            module__in_features=4,
            module__out_features=3,
            criterion=torch.nn.CrossEntropyLoss,
            verbose=0,
            callbacks=pressed,
        )
    with pytest.raises(KeyboardInterrupt):
        collect_dynamics(net, X, y, n_epochs=4, random_state=0)


def test_callbacks_may_still_stop_a_net_from_elsewhere(iris):
    X, y, _ = iris
    stop = EarlyStopping(monitor="train_loss", patience=2, threshold=10.0, sink=lambda *_: None)
    net = NeuralNetClassifier(
        torch.nn.Linear,
        module__in_features=4,
        module__out_features=3,
        criterion=torch.nn.CrossEntropyLoss,
        callbacks=[("stop", stop)],
        verbose=0,
    )
    with torch_seeded(net, 0):
        assert net.fit(X.astype(np.float32), y).predict(X.astype(np.float32)).shape == (150,)
    with pytest.raises(RuntimeError, match=r"stopped after \d of 8 epochs"):
        collect_dynamics(net, X, y, n_epochs=8, random_state=0)
