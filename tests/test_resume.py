"""Training that was killed goes on where it has stopped: bit for bit as if nothing had happened."""

import errno
import signal
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from skprune import SemiPrune
from skprune._utils import _state_files
from skprune._utils._labels import VANISHED
from skprune.baselines import SupervisedPruner
from skprune.datasets import make_partial_labels
from skprune.dynamics import DynamicsRecorder, Recording, collect_dynamics
from skprune.nets import NetClassifier
from skprune.nets._loss_watch import LossWatch
from skprune.nets._running import RunningTraining, kept_in
from skprune.semi_supervised import FixMatch, FlexMatch, FreeMatch, MeanTeacher, PseudoLabel, SoftMatch


class Killed(BaseException):
    """The process is gone; no handler of errors catches it."""


class Bomb(Callback):
    """End the training at a step; it has no state, as it is not there in the run that goes on."""

    def __init__(self, step):
        self.step = step

    def on_train_begin(self, net, **kwargs):
        self.n_done_ = 0

    def on_batch_end(self, net, training=False, **kwargs):
        self.n_done_ += training
        if self.n_done_ > self.step:
            raise Killed

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


def fit(net, X, y, file, every=0.0):
    with kept_in(file, every):
        return net.fit(X, y)


def weights_of(net):
    return {name: tensor.numpy() for name, tensor in net.module_.state_dict().items()}


def assert_same_net(net, expected):
    for name, weight in weights_of(expected).items():
        np.testing.assert_array_equal(weights_of(net)[name], weight, err_msg=name)
    for row, expected_row in zip(net.history, expected.history, strict=True):
        assert row == expected_row


def resumed(make, X, y, file, *steps):
    """Train a net that is killed at some steps, one after another, and then to its end."""
    for number, step in enumerate(steps):
        with pytest.raises(Killed):
            fit(make([("bomb", Bomb(step))]), X, y, file)
        assert file.exists() == (number + step > 0)
    counter = Bomb(10**9)
    return fit(make([("bomb", counter)]), X, y, file)


LABELERS = {
    "softmatch": SoftMatch(),
    "fixmatch, with moving teacher": FixMatch(teacher="ema", alignment="learned", threshold=0.4),
    "flexmatch, balanced": FlexMatch(balanced=True, threshold=0.4),
    "freematch, micro-batches": FreeMatch(micro_batch=8),
    "mean teacher": MeanTeacher(),
    "pseudo-label, no average": PseudoLabel(ema=False, optimizer=torch.optim.Adam, lr=0.01),
    "dropout": SoftMatch(module__dropout=0.3),
}


@pytest.mark.filterwarnings(f"ignore:{VANISHED}")
@pytest.mark.parametrize("name", LABELERS)
def test_labelers_go_on(iris, tmp_path, name):
    X, _, partial = iris

    def make(callbacks):
        net = deepcopy(LABELERS[name])
        return net.set_params(
            n_steps=7, max_epochs=2, batch_size=8, mu=1, module__width=8, random_state=0, callbacks=callbacks
        )

    expected = make([]).fit(X, partial)
    net = resumed(make, X, partial, tmp_path / "running", 0, 4, 3, 5)
    assert_same_net(net, expected)
    np.testing.assert_array_equal(net.predict_proba(X), expected.predict_proba(X))


@pytest.mark.filterwarnings(f"ignore:{VANISHED}")
def test_labelers_of_images_go_on(images, tmp_path):
    X, _, partial = images

    def make(callbacks):
        return SoftMatch(n_steps=6, batch_size=4, mu=2, module__width=8, random_state=0, callbacks=callbacks)

    assert_same_net(resumed(make, X, partial, tmp_path / "running", 2, 2), make([]).fit(X, partial))


@pytest.mark.parametrize("n_steps", [None, 4])
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_recordings_go_on(iris, tmp_path, mode, n_steps):
    X, y, _ = iris

    def make(callbacks):
        recorder = ("recorder", DynamicsRecorder(Recording(mode, kl=True, every=2)))
        options = {"ema": True, "n_steps": n_steps, "schedule_epochs": 9, "augment": "strong"}
        return NetClassifier(
            max_epochs=6, batch_size=40, module__width=8, random_state=0, callbacks=[recorder, *callbacks], **options
        )

    def dynamics_of(net):
        return vars(dict(net.callbacks_)["recorder"].dynamics_)

    expected = make([]).fit(X, y)
    net = resumed(make, X, y, tmp_path / "running", 1, 6, 8)
    assert_same_net(net, expected)
    for name, array in dynamics_of(expected).items():
        np.testing.assert_array_equal(dynamics_of(net)[name], array, err_msg=name)


def test_steps_that_are_done_are_not_done_again(iris, tmp_path):
    X, y, _ = iris
    file, counter = tmp_path / "running", Bomb(10**9)

    def make(callback):
        return NetClassifier(max_epochs=3, batch_size=30, module__width=8, random_state=0, callbacks=[("b", callback)])

    with pytest.raises(Killed):
        fit(make(Bomb(6)), X, y, file)
    net = fit(make(counter), X, y, file)
    assert dict(net.callbacks_)["b"].n_done_ == 15 - 6


def test_a_state_at_the_last_step_needs_no_more_steps(iris, tmp_path):
    X, y, _ = iris
    file = tmp_path / "running"

    def make():
        return NetClassifier(max_epochs=2, batch_size=50, module__width=8, random_state=0)

    expected = fit(make(), X, y, file)
    assert_same_net(fit(make(), X, y, file), expected)


def test_another_seed_begins_again(iris, tmp_path):
    X, y, _ = iris

    def make(seed):
        return NetClassifier(max_epochs=2, batch_size=50, module__width=8, random_state=seed)

    fit(make(0), X, y, tmp_path / "running")
    assert_same_net(fit(make(1), X, y, tmp_path / "running"), make(1).fit(X, y))


def test_a_damaged_state_is_refused_by_name(iris, tmp_path):
    X, y, _ = iris
    file = tmp_path / "running"
    net = NetClassifier(max_epochs=1, module__width=8, random_state=0)
    fit(net, X, y, file)
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(
        ValueError, match=rf"The checkpoint {file} cannot be read: .*Delete it to begin its stage again"
    ):
        fit(net, X, y, file)


class WithoutState(Callback):
    """A callback of a user, whose state nobody knows."""


def test_nets_with_callbacks_of_users_keep_nothing(iris, tmp_path):
    X, y, _ = iris
    net = NetClassifier(max_epochs=1, module__width=8, random_state=0, callbacks=[("own", WithoutState())])
    fit(net, X, y, tmp_path / "running")
    assert not (tmp_path / "running").exists()


def test_partial_fit_and_later_nets_keep_nothing(iris, tmp_path):
    X, y, _ = iris
    file, options = tmp_path / "running", {"max_epochs": 1, "module__width": 8, "random_state": 0}
    with kept_in(file, 0.0):
        first = NetClassifier(**options).fit(X, y)
        kept = file.read_bytes()
        NetClassifier(**options | {"random_state": 1}).fit(X, y)
        first.partial_fit(X, y)
    assert file.read_bytes() == kept


def test_a_full_disk_costs_one_warning_and_leaves_the_state_before(iris, tmp_path, monkeypatch):
    X, y, _ = iris
    file, net = tmp_path / "running", NetClassifier(max_epochs=3, module__width=8, random_state=0)
    expected = deepcopy(net).fit(X, y)
    real, calls = _state_files.save_file, []

    def fill_up(*args, **kwargs):
        calls.append(args)
        if len(calls) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*args, **kwargs)

    monkeypatch.setattr(_state_files, "save_file", fill_up)
    with pytest.warns(UserWarning, match="does not keep the state of a training: .*No space left") as caught:
        fit(net, X, y, file)
    assert len(caught) == 1
    assert len(calls) > 3
    assert_same_net(net, expected)
    state = RunningTraining(file, 0.0).read(net.seed_)
    assert (state["epochs"], state["steps"]) == (0, 2)


def test_writing_takes_a_small_share_of_the_time(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("skprune.nets._running.monotonic", lambda: now[0])

    def slow(*args, **kwargs):
        now[0] += 3.0

    monkeypatch.setattr("skprune.nets._running.write_state", slow)
    running = RunningTraining(tmp_path / "running", 60.0)
    now[0] = 59.0
    assert not running.is_due()
    now[0] = 60.0
    assert running.is_due()
    running.write({})
    now[0] += 149.0
    assert not running.is_due()
    now[0] += 1.0
    assert running.is_due()


@pytest.mark.parametrize("lagging", [False, True])
def test_a_watch_goes_on_with_what_it_has_not_shown(lagging):
    losses = [torch.tensor(float(step)) for step in range(23)]

    def shown(watch, steps):
        return [block for step in steps for block in watch.add(losses[step], losses[step] / 2, step)]

    watch = LossWatch(5, lagging=lagging)
    shown(watch, range(13))
    again = LossWatch(5, lagging=lagging)
    again.load_state_dict(watch.state_dict(), torch.device("cpu"))
    blocks = shown(again, range(13, 23)) + list(again.finish())
    assert torch.equal(torch.stack(again.losses), torch.stack(losses))
    rates = [rate for block in blocks for rate in block.rates]
    assert rates == list(range(5 if lagging else 10, 23))
    assert [float(loss) for block in blocks for loss in block.losses] == rates


class Fuse:
    """A method of a classifier that ends the training after some calls."""

    def __init__(self, n_calls):
        self.n_left = n_calls

    def around(self, method):
        def fused(*args, **kwargs):
            self.n_left -= 1
            if self.n_left < 0:
                raise Killed
            return method(*args, **kwargs)

        return fused


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize(
    "proxy",
    [SGDClassifier(loss="log_loss", average=True), make_pipeline(StandardScaler(), MLPClassifier((4,)))],
    ids=["sgd", "perceptron"],
)
def test_classifiers_go_on_after_an_epoch(iris, tmp_path, monkeypatch, proxy):
    X, y, _ = iris
    kind = type(proxy[-1] if isinstance(proxy, Pipeline) else proxy)

    def collect():
        return collect_dynamics(proxy, X, y, n_epochs=9, record=Recording(every=2), random_state=0)

    expected, model = collect()
    for n_calls in (0, 4, 3):
        with monkeypatch.context() as context, kept_in(tmp_path / "running", 0.0):
            context.setattr(kind, "partial_fit", Fuse(n_calls).around(kind.partial_fit))
            with pytest.raises(Killed):
                collect()
    with kept_in(tmp_path / "running", 0.0):
        again, last = collect()
    for name, array in vars(expected).items():
        np.testing.assert_array_equal(vars(again)[name], array, err_msg=name)
    np.testing.assert_array_equal(last.predict_proba(X), model.predict_proba(X))


# Through the pruners


SCRIPT = """
import os, signal, sys
import numpy as np
import torch
from skprune.nets._running import RunningTraining
sys.path.insert(0, {tests!r})
from test_resume import fit_pruner
torch.set_num_threads(1)
write, n_written = RunningTraining.write, [0]
def counted(self, state):
    write(self, state)
    n_written[0] += 1
    if n_written[0] == {step}:
        os.kill(os.getpid(), signal.SIGKILL)
RunningTraining.write = counted
fit_pruner(checkpoint={folder!r}, checkpoint_every=0.0)
"""


def fit_pruner(**params):
    """Fit a pruner of two nets: 10 steps of labeling, and 20 of recording."""
    X, y = load_iris(return_X_y=True)
    return SemiPrune(
        labeler=SoftMatch(n_steps=10, batch_size=8, mu=1, module__width=8),
        proxy=NetClassifier(module__width=8),
        n_epochs=10,
        estimate_accuracy=False,
        random_state=0,
        **params,
    ).fit(X, make_partial_labels(y, n_labeled=15, random_state=0))


def test_a_killed_process_goes_on(tmp_path, monkeypatch):
    folder, n_written = tmp_path / "kept", []
    for step in (4, 13):
        script = SCRIPT.format(tests=str(Path(__file__).parent), step=step, folder=str(folder))
        killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert len(list(folder.glob("*.running"))) == 1
    write = RunningTraining.write
    monkeypatch.setattr(RunningTraining, "write", lambda self, state: n_written.append(write(self, state)))
    again, expected = fit_pruner(checkpoint=folder, checkpoint_every=0.0), fit_pruner()
    assert len(n_written) == 10 + 20 - 4 - 13
    assert not list(folder.glob("*.running"))
    np.testing.assert_array_equal(again.difficulty_scores_, expected.difficulty_scores_)
    np.testing.assert_array_equal(again.support_, expected.support_)
    assert_same_net(again.labeler_, expected.labeler_)
    assert_same_net(again.proxy_, expected.proxy_)


@pytest.mark.parametrize("every", [-1.0, None, "often", float("nan")])
def test_a_wrong_interval_is_refused(iris, every):
    X, y, _ = iris
    with pytest.raises(ValueError, match="checkpoint_every must be at least 0"):
        SupervisedPruner(checkpoint_every=every).fit(X, y)
