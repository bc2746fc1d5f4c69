"""Record a skorch net: the recorder becomes one of its callbacks, and the rows of its batches are known."""

from collections import deque
from functools import partial

import numpy as np
import torch
from skorch.callbacks import Callback
from torch.utils.data import DataLoader

from skprune._utils._adapters import interruptible, is_semi_supervised
from skprune._utils._device import seeded
from skprune._utils._time_limit import active_limit
from skprune.dynamics._checks import check_length
from skprune.dynamics._recorder import KNOWN_CRITERIA, DynamicsRecorder
from skprune.nets._base import BaseNet
from skprune.nets._data import n_batches
from skprune.nets._progress import StageBar, TimeEstimate, named_stage

_ADDED = ("dynamics_recorder", "stage_bar", "time_estimate", "time_limit")


def collect_net(net, X, y, run):
    """Train a skorch net and record it."""
    net.set_params(max_epochs=run.n_epochs)
    fit = _fit_own if isinstance(net, BaseNet) else _fit_foreign
    recorder = fit(net, X, y, run)
    check_length(recorder.n_closed_, run.n_epochs)
    return recorder.dynamics_


def check_net(proxy):
    """Refuse a net that cannot be recorded."""
    name = type(proxy).__name__
    known = (torch.nn.CrossEntropyLoss, torch.nn.NLLLoss)
    if isinstance(proxy.criterion, type) and not issubclass(proxy.criterion, known):
        raise TypeError(f"criterion must be {KNOWN_CRITERIA}, got {proxy.criterion.__name__}.")
    if is_semi_supervised(proxy):
        raise TypeError(
            f"proxy must be a supervised classifier, got {name}. Use SemiPrune(labeler={name}(), proxy='labeler') to record "
            "how it trains."
        )
    if not isinstance(proxy, BaseNet) and proxy.iterator_train is not DataLoader:
        raise ValueError(
            "iterator_train must be torch's DataLoader, since recording draws its own batches with it, got "
            f"{proxy.iterator_train!r}. Put augmentation into `dataset`."
        )
    if isinstance(proxy.callbacks, str):
        raise ValueError(f"callbacks must be None or a list, to which the recorder is added, got {proxy.callbacks!r}.")


def _fit_own(net, X, y, run):
    """Record a net of skprune, whose batches say which rows they hold."""
    if net.random_state is None:
        net.set_params(random_state=run.seed)
    if run.schedule_epochs is not None and "schedule_epochs" in net.get_params(deep=False):
        net.set_params(schedule_epochs=max(run.schedule_epochs, net.max_epochs))
    recorder = DynamicsRecorder(run.recording, memmap_folder=run.memmap_folder)
    callbacks = net.callbacks
    net.set_params(verbose=run.verbose, callbacks=[("dynamics_recorder", recorder), *(callbacks or [])])
    with named_stage(net, "recording"):
        net.fit(X, y)
    _restore_callbacks(net, callbacks)
    return recorder


def _fit_foreign(net, X, y, run):
    """Record a net from outside skprune, with batches whose order is known."""
    order = _Order(run.seed)
    recorder = DynamicsRecorder(run.recording, memmap_folder=run.memmap_folder, order=order)
    bar = StageBar("recording")
    callbacks, loader = net.callbacks, net.iterator_train
    estimate = ("time_estimate", TimeEstimate("recording"))
    added = [("dynamics_recorder", recorder), *([("stage_bar", bar)] if run.verbose else []), estimate]
    net.set_params(
        verbose=0,
        train_split=None,
        callbacks=[*added, *(callbacks or []), ("time_limit", _StopAtLimit())],
        iterator_train=partial(_ordered_loader, order),
    )
    try:
        with seeded(run.seed, torch.device(net.device or "cpu")), interruptible(net):
            net.fit(X.astype(np.float32, copy=False), y)
    finally:
        recorder.abandon()
        bar.abandon()
    _restore_callbacks(net, callbacks)
    net.iterator_train = loader
    return recorder


def _restore_callbacks(net, callbacks):
    """Take what was added for the recording out of the fitted net."""
    net.callbacks = callbacks
    net.callbacks_ = [(name, cb) for name, cb in net.callbacks_ if name not in _ADDED]


class _StopAtLimit(Callback):
    """End the training after an epoch, as skorch's EarlyStopping does, where its time is over."""

    def on_epoch_end(self, net, **kwargs):
        """Look at the time."""
        limit = active_limit()
        if limit is not None and limit.cuts(len(net.history), net.max_epochs, "epoch"):
            raise KeyboardInterrupt


class _Order:
    """A queue of the rows of the batches that a loader has drawn and the recorder has not seen yet."""

    def __init__(self, seed):
        self.generator = np.random.default_rng(seed)
        self.queue = deque()

    def __next__(self):
        return self.queue.popleft()


class _OrderedBatchSampler:
    """Shuffled batches of nearly equal size, whose rows are queued."""

    def __init__(self, n_samples, batch_size, order):
        self.n_samples, self.batch_size, self.order = n_samples, batch_size, order

    def __len__(self):
        return n_batches(self.n_samples, self.batch_size)

    def __iter__(self):
        self.order.queue.clear()
        for rows in np.array_split(self.order.generator.permutation(self.n_samples), len(self)):
            self.order.queue.append(rows)
            yield rows.tolist()


def _ordered_loader(order, dataset, *, batch_size, shuffle=True, drop_last=False, **kwargs):
    """Build a DataLoader whose order the recorder knows; each row comes once per epoch, whatever the net asked for."""
    return DataLoader(dataset, batch_sampler=_OrderedBatchSampler(len(dataset), batch_size, order), **kwargs)
