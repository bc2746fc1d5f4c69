"""Callbacks of skorch in skprune's nets: each of them works, or is refused before any training with what to use instead."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, make_scorer
from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    Freezer,
    InputShapeSetter,
    LoadInitState,
    LRScheduler,
    PassthroughScoring,
    ProgressBar,
    TensorBoard,
    TrainEndCheckpoint,
    Unfreezer,
)
from torch.optim.lr_scheduler import ReduceLROnPlateau

from skprune import SemiPrune
from skprune._utils._ranks import Ranks, training_with
from skprune.nets import NetClassifier
from skprune.semi_supervised import SoftMatch

QUICK = {"max_epochs": 3, "module__width": 8, "random_state": 0}
QUIET = {"sink": lambda *_: None}
pytestmark = pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")


class Weights(Callback):
    """Keep the weights and their average at the end of each epoch, and the learning rates of the steps."""

    def on_train_begin(self, net, **kwargs):
        self.raw_, self.averages_, self.rates_ = [], [], []

    def on_batch_end(self, net, training=False, y_pred=None, loss=None, **kwargs):
        assert not y_pred.requires_grad
        assert not loss.requires_grad
        self.rates_.append(net.optimizer_.param_groups[0]["lr"])

    def on_epoch_end(self, net, **kwargs):
        self.raw_.append(weights_of(net.module_))
        average = dict(net.callbacks_).get("moving_average")
        if average is not None:
            self.averages_.append(weights_of(average.module_))


def weights_of(module):
    return torch.cat([weight.detach().flatten().clone() for weight in module.parameters()])


def fit_with(*callbacks, **options):
    def fit(X, y):
        return NetClassifier(callbacks=list(callbacks), **QUICK | options).fit(X, y)

    return fit


@pytest.mark.parametrize("thawed", [False, True])
def test_frozen_layers_stay_and_the_rest_is_trained(iris, thawed):
    X, y, _ = iris
    seen = Weights()
    callbacks = [Freezer("*0*"), *([Unfreezer("*0*", at=3)] if thawed else []), seen]
    net = fit_with(*callbacks)(X, y)
    names = [name for name, _ in net.module_.named_parameters()]
    assert any("0" in name for name in names)
    assert net.score(X, y) > 0.6
    first, second, last = (dict(zip(names, split(net.module_, raw), strict=True)) for raw in seen.raw_)
    for name in names:
        assert torch.equal(first[name], second[name]) == ("0" in name)
        assert torch.equal(second[name], last[name]) == ("0" in name and not thawed)


def split(module, weights):
    return weights.split([weight.numel() for weight in module.parameters()])


def test_a_scheduler_of_the_learning_rate_takes_the_place_of_the_cosine_or_is_refused(iris):
    X, y, partial = iris
    scheduler = LRScheduler("StepLR", step_size=1, gamma=0.1)
    for net, labels in ((NetClassifier(**QUICK), y), (SoftMatch(n_steps=2, batch_size=8, **QUICK), partial)):
        net.set_params(callbacks=[scheduler])
        with pytest.raises(
            ValueError, match="LRScheduler .* with .*: the net sets the learning rate .*callbacks__schedule=None"
        ):
            net.fit(X, labels)
        seen = Weights()
        net.set_params(callbacks=[scheduler, seen], callbacks__schedule=None).fit(X, labels)
        n_steps = len(seen.rates_) // 3
        assert seen.rates_[::n_steps] == pytest.approx([0.1, 0.01, 0.001])


def test_a_scheduler_may_step_with_each_batch(iris):
    X, y, _ = iris
    seen = Weights()
    scheduler = LRScheduler("StepLR", step_size=1, gamma=0.5, step_every="batch")
    fit_with(seen, scheduler, callbacks__schedule=None, max_epochs=1)(X, y)
    assert seen.rates_ == pytest.approx([0.1, 0.05])


def test_early_stopping_restores_averaged_weights_of_the_best_epoch(iris):
    X, _, y = iris
    seen = Weights()
    stop = EarlyStopping("confident", patience=99, load_best=True, lower_is_better=True, **QUIET)
    net = SoftMatch(n_steps=10, batch_size=16, callbacks=[seen, stop], **QUICK | {"max_epochs": 6}).fit(X, y)
    best = int(np.argmin(net.history[:, "confident"]))
    assert best < 5
    assert torch.equal(weights_of(net.module_), seen.averages_[best])
    assert not torch.equal(seen.averages_[best], seen.raw_[best])


def test_weights_in_training_are_not_those_that_callbacks_see(iris):
    X, _, y = iris
    options = {"n_steps": 4, "batch_size": 8} | QUICK
    plain = SoftMatch(**options).fit(X, y)
    watched = SoftMatch(callbacks=[EarlyStopping("train_loss", patience=99, load_best=False)], **options).fit(X, y)
    assert torch.equal(weights_of(plain.module_), weights_of(watched.module_))


def test_without_an_average_the_raw_weights_of_the_best_epoch_are_restored(iris):
    X, _, y = iris
    seen, stop = Weights(), EarlyStopping("confident", patience=99, load_best=True, **QUIET)
    net = SoftMatch(n_steps=10, batch_size=16, ema=False, callbacks=[seen, stop], **QUICK | {"max_epochs": 6}).fit(X, y)
    assert torch.equal(weights_of(net.module_), seen.raw_[int(np.argmin(net.history[:, "confident"]))])


@pytest.mark.parametrize("weighted", [False, True])
def test_parts_of_a_step_add_up_to_a_sum(iris, weighted):
    X, y, _ = iris
    options = {"criterion__reduction": "sum", "lr": 1e-3, "augment": None, "batch_size": 150, "random_state": 0}
    options |= {"criterion__weight": torch.tensor([1.0, 2.0, 3.0])} if weighted else {}
    whole, parts = (NetClassifier(Plain, micro_batch=size, max_epochs=2, **options).fit(X, y) for size in (None, 50))
    assert parts.history[:, "train_loss"] == pytest.approx(whole.history[:, "train_loss"], rel=1e-5)
    assert torch.allclose(weights_of(whole.module_), weights_of(parts.module_), atol=1e-6)


class Plain(torch.nn.Sequential):
    """A net without batch normalization, which sees parts separately."""

    def __init__(self, n_features, n_classes):
        super().__init__(torch.nn.Linear(n_features, n_classes))


def test_a_loss_that_is_not_one_number_is_refused(iris):
    X, y, _ = iris
    net = NetClassifier(criterion__reduction="none")
    with pytest.raises(ValueError, match="criterion__reduction must be 'mean' or 'sum', got 'none'"):
        net.fit(X, y)


@pytest.mark.parametrize("monitor", [None, "train_loss_best", lambda net: True])
def test_checkpoints_are_written_and_loaded(iris, tmp_path, monitor):
    X, y, _ = iris
    seen = Weights()
    checkpoint = Checkpoint(monitor=monitor, dirname=tmp_path, load_best=True, f_pickle=None)
    net = fit_with(seen, checkpoint, ema=True)(X, y)
    losses = net.history[:, "train_loss"]
    assert net.history[:, "train_loss_best"] == [
        loss < min(losses[:i], default=np.inf) for i, loss in enumerate(losses)
    ]
    assert torch.equal(weights_of(net.module_), seen.averages_[int(np.argmin(losses)) if monitor else -1])
    net.load_params(checkpoint=checkpoint)
    fit_with(LoadInitState(checkpoint))(X, y)
    net.partial_fit(X, y)


def test_a_checkpoint_of_each_epoch_has_its_name(iris, tmp_path):
    X, y, _ = iris
    checkpoint = Checkpoint(
        None, f_params="{last_epoch[epoch]}.pt", f_optimizer=None, f_criterion=None, dirname=tmp_path
    )
    fit_with(checkpoint)(X, y)
    assert sorted(path.name for path in tmp_path.glob("*.pt")) == ["1.pt", "2.pt", "3.pt"]


def test_the_checkpoint_at_the_end_has_averaged_weights(iris, tmp_path):
    X, _, y = iris
    net = SoftMatch(n_steps=4, batch_size=8, callbacks=[TrainEndCheckpoint(dirname=tmp_path)], **QUICK).fit(X, y)
    state = torch.load(tmp_path / "train_end_params.pt")
    assert all(torch.equal(state[name], tensor) for name, tensor in net.module_.state_dict().items())


@pytest.mark.parametrize("scoring", ["accuracy", None, accuracy_score, make_scorer(accuracy_score)])
@pytest.mark.parametrize("micro_batch", [None, 20])
def test_scores_of_the_training_batches_compare_labels(iris, scoring, micro_batch):
    X, codes, _ = iris
    y = np.array(["no", "perhaps", "yes"])[codes]
    score = EpochScoring(scoring, on_train=True, lower_is_better=False, name="score")
    stop = EarlyStopping("score", lower_is_better=False)
    net = fit_with(score, stop, micro_batch=micro_batch, batch_size=50, max_epochs=5)(X, y)
    assert 0.6 < net.history[-1, "score"] <= 1
    assert net.history[0, "score_best"]


@pytest.mark.parametrize("use_caching", [False, True])
def test_a_score_of_held_out_rows_sees_the_averaged_weights(iris, use_caching):
    X, y, _ = iris

    def held_out(net, *_):
        return net.predict_proba(X[100:])[:, 0].sum()

    score = EpochScoring(held_out, on_train=True, use_caching=use_caching)
    net = fit_with(score, EarlyStopping("held_out"), ema=True)(X[:140], y[:140])
    assert net.history[-1, "held_out"] == pytest.approx(held_out(net))


def test_a_score_of_held_out_rows_works_for_semi_supervised_nets(iris):
    X, y, partial = iris
    score = EpochScoring(lambda net, *_: net.score(X, y), False, True, name="held_out", use_caching=False)
    checked = EarlyStopping("held_out", lower_is_better=False)
    net = SoftMatch(n_steps=4, batch_size=8, callbacks=[score, checked], **QUICK).fit(X, partial)
    assert net.history[-1, "held_out"] == net.score(X, y)


OWN_ROWS = "a function scoring\\(net, X, y\\) that scores rows of its own"


@pytest.mark.parametrize(
    ("callback", "message"),
    [
        (EarlyStopping(), "EarlyStopping .* NetClassifier: the history has no 'valid_loss', and no rows are held out"),
        (
            EarlyStopping("train_los"),
            "Set monitor to 'train_loss' or 'train_loss_best', or put an EpochScoring",
        ),
        (EarlyStopping, "EarlyStopping .* no 'valid_loss'"),
        (Checkpoint(), "Checkpoint .* no 'valid_loss_best'"),
        (LRScheduler(monitor="valid_loss"), "LRScheduler .* Set callbacks__schedule=None"),
        (ProgressBar(), "ProgressBar .* the history has no batches. Set verbose=1"),
        (BatchScoring("accuracy", on_train=True), "BatchScoring .* Use EpochScoring with on_train=True"),
        (PassthroughScoring("train_loss", on_train=True), "PassthroughScoring .* has train_loss and train_loss_best"),
        (InputShapeSetter(), "InputShapeSetter .* n_features"),
        (EpochScoring("accuracy"), f"EpochScoring .* Set on_train=True, or pass {OWN_ROWS}"),
        (EpochScoring("accuracy", on_train=True, use_caching=False), "has no labels. Set use_caching=True"),
    ],
)
def test_what_cannot_work_is_refused_before_training(iris, callback, message):
    X, y, _ = iris
    with pytest.raises(ValueError, match=message):
        NetClassifier(callbacks=[callback]).check_parameters()
    with pytest.raises(ValueError, match=f"(?s){message}.*extending.html#callbacks"):
        NetClassifier(callbacks=[("a", callback)], max_epochs=1).fit(X, y)


def test_loggers_of_batches_are_refused():
    class Logger(TensorBoard):
        log_on_batch_end = True

    with pytest.raises(ValueError, match="Logger .* Set log_on_batch_end=False"):
        NetClassifier(callbacks=[Logger(None)]).check_parameters()


def test_a_plateau_is_looked_for_after_epochs():
    plateau = LRScheduler(ReduceLROnPlateau, step_every="batch")
    with pytest.raises(ValueError, match="Set step_every='epoch'"):
        NetClassifier(callbacks=[plateau], callbacks__schedule=None).check_parameters()
    plateau.step_every = "epoch"
    NetClassifier(callbacks=[plateau], callbacks__schedule=None).check_parameters()


def test_scores_of_batches_need_one_output_for_each_row():
    score = EpochScoring("accuracy", on_train=True)
    message = f"EpochScoring .* only NetClassifier with n_steps=None has.* Remove it, or pass {OWN_ROWS}"
    for net in (NetClassifier(n_steps=3), SoftMatch()):
        with pytest.raises(ValueError, match=message):
            net.set_params(callbacks=[score]).check_parameters()
    net = NetClassifier(callbacks=[score])
    net.check_parameters()
    with training_with(Ranks(0, 2, True)), pytest.raises(ValueError, match="in a single process"):
        net.check_parameters()


def test_parameters_of_callbacks_by_name_count():
    net = NetClassifier(callbacks=[EarlyStopping], callbacks__EarlyStopping__monitor="train_loss")
    net.check_parameters()
    with pytest.raises(ValueError, match="no 'nothing'"):
        net.set_params(callbacks__EarlyStopping__monitor="nothing").check_parameters()
    net.set_params(callbacks__EarlyStopping=None).check_parameters()
    NetClassifier(callbacks="disable").check_parameters()


def test_callbacks_of_users_may_record_what_others_monitor(iris):
    class Records(Callback):
        def on_epoch_end(self, net, **kwargs):
            net.history.record("valid_loss", 1.0)

    X, y, _ = iris
    assert len(fit_with(Records(), EarlyStopping(patience=1))(X, y).history) == 2


def test_the_order_of_monitor_and_score_counts():
    score, stop = EpochScoring("accuracy", on_train=True), EarlyStopping("accuracy")
    NetClassifier(callbacks=[score, stop]).check_parameters()
    with pytest.raises(ValueError, match="no 'accuracy'"):
        NetClassifier(callbacks=[stop, score]).check_parameters()


def test_a_proxy_with_a_wrong_callback_is_refused_before_the_labeling(iris):
    class Untouched(Callback):
        def on_train_begin(self, net, **kwargs):
            raise AssertionError

    X, _, y = iris
    pruner = SemiPrune(
        0.5, labeler=SoftMatch(callbacks=[Untouched()]), proxy=NetClassifier(callbacks=[EarlyStopping()])
    )
    with pytest.raises(ValueError, match="EarlyStopping .* no 'valid_loss'"):
        pruner.fit(X, y)


def test_checking_starts_nothing(tmp_path):
    folder = tmp_path / "new"
    checkpoint = Checkpoint(monitor=None, dirname=str(folder))
    score = EpochScoring("accuracy", on_train=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        NetClassifier(callbacks=[checkpoint, score]).check_parameters()
    assert not folder.exists()
    assert not hasattr(score, "scoring_")
