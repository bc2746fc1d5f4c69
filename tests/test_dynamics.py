"""TrainingDynamics and the recorder."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skorch import NeuralNetClassifier

from skprune.dynamics import DynamicsRecorder, Recording, TrainingDynamics, collect_dynamics
from skprune.dynamics._builder import DynamicsBuilder
from skprune.nets import MLP, NetClassifier
from skprune.nets._features import proxy_features
from skprune.scores import tdds


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


def outputs(seed=0, epochs=12, n=40, n_classes=4):
    rng = np.random.default_rng(seed)
    return rng.normal(scale=3, size=(epochs, n, n_classes)), rng.integers(n_classes, size=n)


def same(one, other):
    for name, array in vars(one).items():
        np.testing.assert_array_equal(array, getattr(other, name), err_msg=name)


@pytest.mark.parametrize("kl", [False, True])
def test_arrays_and_files_hold_the_same(tmp_path, kl):
    logits, y = outputs()
    seen = np.random.default_rng(1).random((12, 40)) < 0.8
    dynamics = TrainingDynamics.from_logits(logits, y, seen=seen, kl=kl)
    same(dynamics, TrainingDynamics.from_logits(logits, y, seen=seen, kl=kl, memmap_folder=tmp_path / "maps"))
    same(dynamics, TrainingDynamics.from_logits(list(logits), y, seen=seen, kl=kl))
    same(dynamics, TrainingDynamics.from_logits(iter(logits), y, seen=seen, kl=kl))
    dynamics.save(tmp_path / "dynamics.npz")
    same(dynamics, TrainingDynamics.load(tmp_path / "dynamics.npz"))
    same(dynamics, TrainingDynamics.load(tmp_path / "dynamics"))
    frame = dynamics.to_frame()
    assert len(frame) == 40
    np.testing.assert_array_equal(frame["target_margin_3"], dynamics.target_margin[3])
    np.testing.assert_array_equal(frame["entropy"], dynamics.entropy)


def test_iterators_of_many_epochs():
    logits, y = outputs(epochs=40)
    same(TrainingDynamics.from_logits(iter(logits), y, kl=True), TrainingDynamics.from_logits(logits, y, kl=True))


def test_memory_maps_are_files(tmp_path):
    logits, y = outputs()
    dynamics = TrainingDynamics.from_logits(logits, y, memmap_folder=tmp_path)
    assert isinstance(dynamics.target_proba, np.memmap)
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"target_proba.npy", "target_margin.npy", "error.npy", "logit_margin.npy"}
    with pytest.raises(ValueError, match="needs outputs of known length"):
        TrainingDynamics.from_logits(iter(logits), y, memmap_folder=tmp_path)


def test_files_that_hold_something_else(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(ValueError, match=r"other.npz holds no TrainingDynamics: its arrays are \['a'\]"):
        TrainingDynamics.load(tmp_path / "other.npz")
    np.savez(tmp_path / "pickle.npz", a=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        TrainingDynamics.load(tmp_path / "pickle.npz")


def test_parts_of_a_pool_make_the_whole():
    logits, y = outputs()
    parts = [TrainingDynamics.from_logits(logits[:, rows], y[rows], kl=True) for rows in (slice(0, 15), slice(15, 40))]
    same(TrainingDynamics.concatenate(parts), TrainingDynamics.from_logits(logits, y, kl=True))
    with pytest.raises(ValueError, match=r"same number of epochs, got \[11, 12\]"):
        TrainingDynamics.concatenate([parts[0], TrainingDynamics.from_logits(logits[1:], y)])
    with pytest.raises(ValueError, match="kl_step was recorded in some parts only"):
        TrainingDynamics.concatenate([parts[0], TrainingDynamics.from_logits(logits, y)])
    with pytest.raises(ValueError, match="one part at least"):
        TrainingDynamics.concatenate([])


def test_probabilities_that_are_none():
    logits, y = outputs()
    with pytest.raises(ValueError, match="Rows of epoch 0 do not sum to 1. Use from_logits"):
        TrainingDynamics.from_proba(logits, y)
    with pytest.raises(ValueError, match="seen holds 3 epochs, and there are 12"):
        TrainingDynamics.from_logits(logits, y, seen=np.ones((3, 40), bool))
    with pytest.raises(ValueError, match=r"seen must be of shape \(n_epochs, 40\)"):
        TrainingDynamics.from_logits(logits, y, seen=np.ones((12, 4), bool))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**16), size=st.integers(1, 40))
def test_batches_in_any_order_make_the_same_dynamics(seed, size):
    """Rows 20 and 21 of the faults: a last batch of one row, and each row counted once."""
    logits, y = outputs(seed)
    rng = np.random.default_rng(seed)
    builder = DynamicsBuilder(40, 12, kl=True)
    for epoch in logits:
        builder.start_epoch()
        order = rng.permutation(40)
        for start in range(0, 40, size):
            rows = order[start : start + size]
            builder.add(rows, epoch[rows], y[rows], logits=True)
    same(builder.build(), TrainingDynamics.from_logits(logits, y, kl=True))


def test_a_row_twice_in_an_epoch():
    logits, y = outputs(epochs=2)
    twice = np.array([3, 5, 3])
    builder = DynamicsBuilder(40, 2)
    builder.start_epoch()
    builder.add(np.arange(40), logits[0], y, logits=True)
    builder.add(twice[1:], logits[1][twice[1:]], y[twice[1:]], logits=True)
    later = TrainingDynamics.from_logits(logits[1:], y)
    np.testing.assert_array_equal(builder.build().target_proba[0, [3, 5]], later.target_proba[0, [3, 5]])
    builder = DynamicsBuilder(40, 2, kl=True)
    for epoch in logits:
        builder.start_epoch()
        builder.add(np.arange(40), epoch, y, logits=True)
    builder.add(twice, logits[1][twice], y[twice], logits=True)
    known = np.isfinite(builder.build().kl_step[0])
    assert np.flatnonzero(~known).tolist() == [3, 5]


def test_a_net_that_draws_rows_twice_is_recorded(iris):
    X, y, _ = iris
    options = {"n_epochs": 3, "random_state": 0}
    dynamics, _ = collect_dynamics(NetClassifier(n_steps=4, batch_size=50), X, y, **options)
    assert dynamics.seen[0].all()
    with pytest.raises(ValueError, match=r"tdds needs every row once in every epoch; row \d+ is missing or doubled"):
        tdds(dynamics, window=3)


def test_gradients_of_the_last_layer(iris):
    X, y, _ = iris
    dynamics, net = collect_dynamics(NetClassifier(), X, y, n_epochs=3, record="eval", random_state=0)
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
    same(one, other)
    assert isinstance(other.error, np.memmap)


def test_a_folder_holds_one_recording(tmp_path):
    logits, y = outputs()
    first = TrainingDynamics.from_logits(logits, y, memmap_folder=tmp_path)
    with pytest.raises(ValueError, match=r"holds target_proba.npy already. Give each recording a folder of its own"):
        TrainingDynamics.from_logits(logits, y, memmap_folder=tmp_path)
    same(first, TrainingDynamics.from_logits(logits, y))
    builder = DynamicsBuilder(40, 1, memmap_folder=tmp_path / "new")
    builder.start_epoch()
    with pytest.raises(ValueError, match="More epochs came than the 1"):
        builder.start_epoch()
    with pytest.raises(ValueError, match="holds no TrainingDynamics"):
        TrainingDynamics.load(tmp_path / "target_proba.npy")


@pytest.mark.parametrize("length", [10, 14])
def test_an_iterator_of_another_length_than_seen(length):
    logits, y = outputs(epochs=length)
    with pytest.raises(ValueError, match="seen holds 12 epochs, and there are (10|more)"):
        TrainingDynamics.from_logits(iter(logits), y, seen=np.ones((12, 40), bool))


def test_averages_of_parts():
    logits, y = outputs()
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
    assert proxy_features(net, X.astype(np.float32)).shape == (150, 128 if there else 3)
