"""Record a skorch net: the recorder among its callbacks, and batches whose rows are known."""

from collections import deque
from functools import partial

import numpy as np
import torch
from torch.utils.data import DataLoader

from skprune._utils._device import seeded
from skprune.dynamics._checks import check_length
from skprune.dynamics._recorder import DynamicsRecorder
from skprune.nets._base import BaseNet
from skprune.nets._callbacks import StageBar
from skprune.nets._data import n_batches


def collect_net(net, X, y, *, n_epochs, schedule_epochs, recording, memmap_folder, seed, verbose):
    """Train a skorch net and record it."""
    net.set_params(max_epochs=n_epochs)
    options = {"record": recording, "memmap_folder": memmap_folder}
    if isinstance(net, BaseNet):
        recorder = _fit_own(net, X, y, schedule_epochs, options, seed, verbose)
    else:
        recorder = _fit_foreign(net, X, y, options, seed, verbose)
    check_length(recorder.n_closed_, n_epochs)
    return recorder.dynamics_


def check_net(proxy):
    """Refuse a net that cannot be recorded."""
    name = type(proxy).__name__
    known = (torch.nn.CrossEntropyLoss, torch.nn.NLLLoss)
    if isinstance(proxy.criterion, type) and not issubclass(proxy.criterion, known):
        raise TypeError(
            f"criterion must be CrossEntropyLoss (the module returns logits) or NLLLoss (probabilities), got "
            f"{proxy.criterion.__name__}."
        )
    if not hasattr(proxy, "predict_proba") or getattr(proxy, "_semi_supervised", False):
        raise TypeError(f"proxy must be a supervised classifier; {name} belongs into labeler.")
    if not isinstance(proxy, BaseNet) and proxy.iterator_train is not DataLoader:
        raise ValueError(
            "The recording draws its own batches, with torch's DataLoader, and would leave out iterator_train="
            f"{proxy.iterator_train!r}. Put augmentation into `dataset`."
        )
    if isinstance(proxy.callbacks, str):
        raise ValueError(f"callbacks={proxy.callbacks!r} leaves no place for the recorder. Use None or a list.")


def _fit_own(net, X, y, schedule_epochs, recording, seed, verbose):
    if net.random_state is None:
        net.set_params(random_state=seed)
    if schedule_epochs is not None and "schedule_epochs" in net.get_params(deep=False):
        net.set_params(schedule_epochs=max(schedule_epochs, net.max_epochs))
    net._stage = "recording"
    given = net.callbacks
    net.set_params(
        verbose=verbose,
        callbacks=[("dynamics_recorder", DynamicsRecorder(**recording)), *(given or [])],
    )
    net.fit(X, y)
    recorder = _take_out(net, given)
    del net._stage
    return recorder


def _fit_foreign(net, X, y, recording, seed, verbose):
    order = _Order(seed)
    recorder = DynamicsRecorder(**recording, order=order)
    given, loader = net.callbacks, net.iterator_train
    extra = [("dynamics_recorder", recorder)] + ([("stage_bar", StageBar("recording"))] if verbose else [])
    net.set_params(
        verbose=0, train_split=None, callbacks=[*extra, *(given or [])], iterator_train=partial(_ordered_loader, order)
    )
    with seeded(seed, torch.device(net.device or "cpu")):
        net.fit(X.astype(np.float32, copy=False), y)
    recorder = _take_out(net, given)
    net.iterator_train = loader
    return recorder


def _take_out(net, given):
    """Remove the recorder from the fitted net, and return it."""
    recorder = dict(net.callbacks_)["dynamics_recorder"]
    net.callbacks = given
    net.callbacks_ = [(name, cb) for name, cb in net.callbacks_ if name not in ("dynamics_recorder", "stage_bar")]
    return recorder


class _Order:
    """A queue of the row indices of the batches that a loader has drawn and a recorder has not seen yet."""

    def __init__(self, seed):
        self.generator = np.random.default_rng(seed)
        self.queue = deque()

    def __next__(self):
        return self.queue.popleft()


class _OrderedBatchSampler:
    """Shuffled batches of nearly equal size, written down in the queue."""

    def __init__(self, n, batch_size, order):
        self.n, self.batch_size, self.order = n, batch_size, order

    def __len__(self):
        return n_batches(self.n, self.batch_size)

    def __iter__(self):
        self.order.queue.clear()
        for rows in np.array_split(self.order.generator.permutation(self.n), len(self)):
            self.order.queue.append(rows)
            yield rows.tolist()


def _ordered_loader(order, dataset, *, batch_size, shuffle=True, drop_last=False, **kwargs):
    """Build a DataLoader whose order the recorder knows; every row comes once an epoch whatever the net asked for."""
    return DataLoader(dataset, batch_sampler=_OrderedBatchSampler(len(dataset), batch_size, order), **kwargs)
