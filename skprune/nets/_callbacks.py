"""Callbacks of skorch, whose nets hold out rows for validation and keep figures of each batch; those of skprune do neither."""

from contextlib import nullcontext
from copy import copy

from sklearn.metrics._scorer import _BaseScorer
from skorch.callbacks import (
    BatchScoring,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    EpochTimer,
    InputShapeSetter,
    LRScheduler,
    PassthroughScoring,
    ProgressBar,
)
from torch.optim.lr_scheduler import ReduceLROnPlateau

from skprune._utils._doc_links import see
from skprune.nets._moving_average import averaged
from skprune.nets._schedule import CosineSchedule

_SEE_AVERAGE = (Checkpoint, EarlyStopping, EpochScoring)
_COUNTS, _LOSSES = ("epoch", "n_steps"), ("train_loss", "train_loss_best")
_IMPOSSIBLE = {
    BatchScoring: "the history has no batches. Use EpochScoring with on_train=True",
    PassthroughScoring: "the history has no batches. It has train_loss and train_loss_best of each epoch already",
    ProgressBar: "the history has no batches. Set verbose=1, which shows a progress bar",
    InputShapeSetter: "the network is built to fit the data. Let its class take n_features or in_channels, which is filled in",
}


def check_callbacks(net):
    """Refuse entries that are no callbacks, and callbacks that would fail in training or have no effect."""
    if isinstance(net.callbacks, str):  # skorch's "disable"
        return
    for entry in net.callbacks or ():
        callback = entry[-1] if isinstance(entry, tuple) else entry
        if not hasattr(callback, "on_train_begin"):
            raise ValueError(f"callbacks must be None or a list of callbacks of skorch, got {entry!r} among them.")
    callbacks = list(_callbacks_of(net))
    figures = {*_COUNTS, *_LOSSES, *(["confident"] if hasattr(net, "mu") else [])}
    others = any(type(callback).__module__.partition(".")[0] not in ("skorch", "skprune") for callback in callbacks)
    for callback in callbacks:
        problem = _problem(net, callback, callbacks) or (None if others else _unknown_monitor(callback, figures))
        if problem is not None:
            name = type(callback).__name__
            raise ValueError(
                f"{name} among the callbacks does not work with {type(net).__name__}: {problem}."
                + see("extending#callbacks")
            )
        figures |= _recorded(callback)


def end_epoch(net, callback, **kwargs):
    """Tell a callback that an epoch has ended; those that keep or score the network see averaged weights if there are any."""
    if isinstance(callback, EpochScoring):  # which has collected the class indices of the batches
        callback.y_trues_ = [net.classes_[codes.cpu().numpy()] for codes in callback.y_trues_]
    with averaged(net) if isinstance(callback, _SEE_AVERAGE) else nullcontext():
        callback.on_epoch_end(net, **kwargs)


def _callbacks_of(net):
    """Yield copies of the callbacks, with their parameters, as skorch sets them up."""
    for name, callback in net._uniquely_named_callbacks():
        callback = getattr(net, f"callbacks__{name}", callback)
        if callback is not None:
            parameters = net.get_params_for(f"callbacks__{name}")
            if isinstance(callback, type):
                callback = callback(**parameters)
            else:
                callback = copy(callback)
                callback.set_params(**parameters)
            yield callback


def _problem(net, callback, callbacks):
    """Return why a callback cannot work, and what to do instead, or None."""
    for kind, problem in _IMPOSSIBLE.items():
        if isinstance(callback, kind):
            return problem
    if getattr(callback, "log_on_batch_end", False):
        return "the history has no batches. Set log_on_batch_end=False"
    if isinstance(callback, LRScheduler):
        return _scheduler_problem(callback, callbacks)
    return _scoring_problem(net, callback) if isinstance(callback, EpochScoring) else None


def _scheduler_problem(scheduler, callbacks):
    if any(isinstance(callback, CosineSchedule) for callback in callbacks):
        return "the net sets the learning rate itself at each step. Set callbacks__schedule=None as well"
    plateau = scheduler.policy in ("ReduceLROnPlateau", ReduceLROnPlateau)
    if plateau and scheduler.step_every == "batch" and not callable(scheduler.monitor):
        return "the history has no batches. Set step_every='epoch'"
    return None


def _scoring_problem(net, scoring):
    own_rows = "pass a function scoring(net, X, y) that scores rows of its own, with on_train=True, use_caching=False and a name"
    if not scoring.on_train:
        return f"no rows are held out for validation. Set on_train=True, or {own_rows}"
    if scoring.use_caching and not net._scores_batches():
        return (
            "it reads the outputs of training batches, one for each row, which only NetClassifier with n_steps=None has, in "
            f"a single process. Remove it, or {own_rows}"
        )
    metric = copy(scoring).initialize().scoring_
    if not scoring.use_caching and (not callable(metric) or isinstance(metric, _BaseScorer)):
        return f"with use_caching=False it has no labels. Set use_caching=True, or {own_rows}"
    return None


def _unknown_monitor(callback, figures):
    monitor = getattr(callback, "monitor", None)
    if not isinstance(monitor, str) or monitor in figures:
        return None
    *others, last = map(repr, sorted(figures.difference(_COUNTS)))
    return (
        f"the history has no {monitor!r}, and no rows are held out for validation. Set monitor to {', '.join(others)} or "
        f"{last}, or put an EpochScoring with on_train=True before it"
    )


def _recorded(callback):
    """Return the names under which a callback of skorch records figures."""
    if isinstance(callback, EpochScoring):
        name = copy(callback).initialize().name_
        return {name, f"{name}_best"}
    return {"dur"} if isinstance(callback, EpochTimer) else {getattr(callback, "event_name", None)} - {None}
