"""Fits that go on from the last weights: nets, SemiPrune, and the annotation loop."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.semi_supervised import LabelSpreading

from skprune import AnnotationLoop, SemiPrune
from skprune._annotation import _folder
from skprune.datasets import make_partial_labels
from skprune.nets import NetClassifier
from skprune.semi_supervised import FixMatch


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=90)
    return rng.normal(size=(90, 4)) + 3 * np.eye(4)[y], y, make_partial_labels(y, n_labeled=30, random_state=0)


class CountingFixMatch(FixMatch):
    """A labeler that notes the steps of each fit; a class attribute survives clones."""

    steps = []

    def fit(self, X, y):
        super().fit(X, y)
        self.steps.append(self.n_steps_planned_)
        return self


class CountingProxy(NetClassifier):
    """A proxy that notes the epochs of each fit."""

    epochs = []

    def fit(self, X, y):
        super().fit(X, y)
        self.epochs.append(self.max_epochs)
        return self


@pytest.fixture
def counted():
    """Make a SemiPrune whose steps and epochs are counted."""
    CountingFixMatch.steps.clear()
    CountingProxy.epochs.clear()

    def make(**params):
        labeler = CountingFixMatch(n_steps=20, batch_size=8, mu=2)
        defaults = {"labeler": labeler, "proxy": CountingProxy(module__width=8), "n_epochs": 10, "difficulty": "aum"}
        return SemiPrune(**defaults | {"random_state": 0, "warm_start": True} | params)

    return make


def weights_of(net):
    return torch.cat([tensor.detach().flatten().float() for tensor in net.module_.state_dict().values()])


@pytest.mark.parametrize(
    ("net", "share", "n_epochs"),
    [
        (NetClassifier(max_epochs=10, random_state=0), 0.5, 15),
        (NetClassifier(max_epochs=10, schedule_epochs=20, random_state=0), 0.5, 15),
        (NetClassifier(n_steps=10, max_epochs=1, random_state=0), 0.5, 2),
        (FixMatch(n_steps=10, batch_size=8, mu=2, random_state=0), 0.5, 2),
        (FixMatch(n_steps=3, max_epochs=10, batch_size=8, mu=2, random_state=0), 0.5, 15),
    ],
)
def test_a_net_goes_on_with_a_short_schedule(net, share, n_epochs, table):
    X, y, partial = table
    labels = partial if isinstance(net, FixMatch) else y
    net = clone(net).set_params(warm_start=True).fit(X, labels)
    parameters, planned, scheduled = net.get_params(deep=False), net.n_steps_planned_, net.n_steps_scheduled_
    before, module = weights_of(net), net.module_
    net.fit(X, labels)
    assert net.n_steps_planned_ == share * planned
    assert net.n_steps_scheduled_ == share * scheduled
    assert len(net.history) == n_epochs
    assert net.module_ is module
    assert not torch.equal(weights_of(net), before)
    assert net.get_params(deep=False) == parameters


def test_without_warm_start_a_fit_begins_anew(table):
    X, y, _ = table
    net = NetClassifier(max_epochs=2, random_state=0).fit(X, y)
    before = weights_of(net)
    assert torch.equal(weights_of(net.fit(X, y)), before)


@pytest.mark.parametrize("change", ["class", "columns", "width", "unfitted"])
def test_a_net_begins_anew_where_it_cannot_go_on(change, table):
    X, y, _ = table
    net = NetClassifier(max_epochs=4, random_state=0, warm_start=True)
    if change != "unfitted":
        net.fit(X, y)
    if change == "class":
        y = np.where(np.arange(90) < 9, 3, y)
    elif change == "columns":
        X = X[:, :3]
    elif change == "width":
        net.set_params(module__width=8)
    net.fit(X, y)
    assert len(net.history) == 4
    new = clone(net).set_params(warm_start=False).fit(X, y)
    assert torch.equal(weights_of(net), weights_of(new))


def test_a_failure_leaves_weights_and_parameters(table):
    X, y, _ = table
    net = NetClassifier(max_epochs=4, random_state=0, warm_start=True).fit(X, y)
    before = weights_of(net)
    net.set_params(lr=1e30)
    with pytest.raises(FloatingPointError, match="The training diverged"):
        net.fit(X, y)
    assert torch.equal(weights_of(net), before)
    assert (net.max_epochs, len(net.history)) == (4, 4)


def test_what_is_refused(table, counted):
    X, _, partial = table
    with pytest.raises(ValueError, match="warm_start must be True or False, got 1"):
        NetClassifier(warm_start=1).fit(X, partial)
    with pytest.raises(ValueError, match="warm_start must be True or False, got 'yes'"):
        counted(warm_start="yes").fit(X, partial)
    with pytest.raises(ValueError, match="and labeler is a LabelSpreading"):
        counted(labeler=LabelSpreading()).fit(X, partial)
    with pytest.raises(ValueError, match="warm_start=True needs a proxy of its own"):
        counted(proxy="labeler").fit(X, partial)
    assert CountingFixMatch.steps == []


def test_a_warm_fit_costs_a_third(table, counted):
    X, y, partial = table
    pruner = counted().fit(X, partial)
    cold_steps, cold_epochs = sum(CountingFixMatch.steps), sum(CountingProxy.epochs)
    held_out, accuracy = pruner._held_out, pruner.pseudo_label_accuracy_
    CountingFixMatch.steps.clear()
    CountingProxy.epochs.clear()
    more = np.where(np.arange(90) < 20, y, partial)
    pruner.fit(X, more)
    assert sum(CountingFixMatch.steps) <= 0.4 * cold_steps
    assert sum(CountingProxy.epochs) <= 0.4 * cold_epochs
    assert pruner._held_out is held_out
    assert pruner.pseudo_label_accuracy_ == accuracy
    np.testing.assert_array_equal(pruner.pseudo_labels_[more >= 0], more[more >= 0])


def test_a_warm_fit_goes_on_from_the_weights_of_the_labeler(table, counted):
    X, _, partial = table
    pruner = counted(estimate_accuracy=False).fit(X, partial)
    net = clone(pruner.labeler_).set_params(warm_start=True).from_arrays(pruner.labeler_.to_arrays())
    expected = net.fit(X.astype(np.float32), partial)
    pruner.fit(X, partial)
    assert len(pruner.labeler_.history) == 2
    torch.testing.assert_close(weights_of(pruner.labeler_), weights_of(expected), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("change", ["class", "columns", "width"])
def test_a_fit_is_a_full_one_where_it_cannot_go_on(change, table, counted):
    X, _, partial = table
    pruner = counted(estimate_accuracy=False).fit(X, partial)
    if change == "class":
        partial = np.where(np.arange(90) < 5, 3, partial)
    elif change == "columns":
        X = X[:, :3]
    else:
        pruner.set_params(labeler__module__width=8)
    pruner.fit(X, partial)
    assert CountingFixMatch.steps == [20, 20]
    assert CountingProxy.epochs == [10, 10]
    full = clone(pruner).set_params(warm_start=False).fit(X, partial)
    np.testing.assert_array_equal(pruner.support_, full.support_)


def test_other_labels_are_held_out_of_another_pool(table, counted):
    X, _, partial = table
    pruner = counted().fit(X, partial)
    held_out = pruner._held_out
    pruner.fit(X + 1.0, partial)
    assert pruner._held_out is not held_out
    assert CountingFixMatch.steps == [20, 20, 10, 20]
    fewer = np.where(np.arange(90) == pruner._held_out.rows[0], -1, partial)
    pruner.fit(X + 1.0, fewer)
    assert CountingFixMatch.steps[4:] == [10, 20]


@pytest.mark.parametrize(
    ("params", "n_epochs"), [({"selection": "beta"}, 10), ({"difficulty": "dual", "n_epochs": 20}, 10)]
)
def test_epochs_that_are_needed(params, n_epochs, table, counted):
    X, _, partial = table
    pruner = counted(estimate_accuracy=False, **params).fit(X, partial).fit(X, partial)
    assert CountingProxy.epochs == [pruner.n_epochs, n_epochs]
    assert pruner.dynamics_.n_epochs == n_epochs


def test_a_cached_warm_fit_is_not_a_cold_one(table, counted, tmp_path):
    X, _, partial = table
    pruner = counted(estimate_accuracy=False, checkpoint=tmp_path).fit(X, partial)
    cold = weights_of(pruner.labeler_)
    warm = weights_of(pruner.fit(X, partial).labeler_)
    assert not torch.equal(cold, warm)
    n_fits = len(CountingFixMatch.steps)
    again = counted(estimate_accuracy=False, checkpoint=tmp_path).fit(X, partial)
    torch.testing.assert_close(weights_of(again.labeler_), cold)
    torch.testing.assert_close(weights_of(again.fit(X, partial).labeler_), warm)
    assert len(CountingFixMatch.steps) == n_fits


def test_rounds_of_a_loop_go_on(table, counted):
    X, y, partial = table
    loop = AnnotationLoop(counted(estimate_accuracy=False), 12, n_rounds=3).start(X, partial)
    while len(rows := loop.ask()):
        loop.tell(rows, y[rows])
    assert CountingFixMatch.steps == [20, 10, 10]
    assert CountingProxy.epochs == [10, 3, 3]
    assert len(loop.pruner_.labeler_.history) == 3
    loop.start(X, partial).ask()
    assert CountingFixMatch.steps[3:] == [20]


def test_a_loop_that_is_resumed_goes_on_from_the_weights(table, tmp_path):
    X, y, partial = table
    parts = {"labeler": FixMatch(n_steps=10, batch_size=8, mu=2), "proxy": NetClassifier(module__width=8)}
    pruner = SemiPrune(n_epochs=5, difficulty="aum", random_state=0, warm_start=True, **parts)

    def answered(loop):
        rows = loop.ask()
        loop.tell(rows, y[rows])
        return rows

    whole = AnnotationLoop(pruner, 12, n_rounds=3).start(X, partial)
    AnnotationLoop(pruner, 12, n_rounds=3, folder=tmp_path).start(X, partial)
    for number in range(1, 4):
        part = AnnotationLoop(pruner, 12, n_rounds=3, folder=tmp_path).resume(X)
        np.testing.assert_array_equal(answered(part), answered(whole))
        torch.testing.assert_close(weights_of(part.pruner_.labeler_), weights_of(whole.pruner_.labeler_))
        assert len(part.pruner_.labeler_.history) == number
        assert [file.name for file in tmp_path.glob("*.skprune")] == [f"round-{number}.skprune"]


def test_weights_name_the_classes_of_the_pruner_alone(table, counted, tmp_path):
    X, y, partial = table
    loop = AnnotationLoop(counted(), 12, folder=tmp_path).start(X, partial)
    rows = loop.ask()
    loop.tell(rows, y[rows])
    loop = AnnotationLoop(counted(), 12, folder=tmp_path).resume(X)
    assert type(loop.pruner_.labeler_).__name__ == "CountingFixMatch"
    with pytest.warns(UserWarning, match="The next round begins with new weights. .*it names .*CountingFixMatch"):
        loop = AnnotationLoop(SemiPrune(warm_start=True), 12, folder=tmp_path).resume(X)
    assert not hasattr(loop, "pruner_")


def test_weights_that_cannot_be_kept(table, counted, tmp_path, monkeypatch):
    X, y, partial = table

    def refuse(pruner, file):
        raise TypeError("A Proxy can only be pickled.")

    monkeypatch.setattr(_folder, "write", refuse)
    loop = AnnotationLoop(counted(), 12, folder=tmp_path).start(X, partial)
    with pytest.warns(UserWarning, match="keeps no weights, .* A Proxy can only be pickled"):
        loop.ask()
    loop = AnnotationLoop(counted(), 12, folder=tmp_path).resume(X)
    assert len(loop.ask()) == 4
