"""Train a proxy and record it."""

from collections import deque
from functools import partial

import numpy as np
import torch
from sklearn.base import clone
from sklearn.utils import check_random_state
from skorch import NeuralNet
from torch.utils.data import DataLoader

from skprune.dynamics._recorder import DynamicsRecorder
from skprune.nets._base import BaseNet
from skprune.nets._callbacks import StageBar
from skprune.nets._data import n_batches
from skprune.nets._device import seeded


def collect_dynamics(
    proxy, X, y, *, n_epochs, schedule_epochs=None, record="train", record_kl=False, random_state=None, verbose=0
):
    """Train a clone of a proxy for `n_epochs`, and record its training dynamics.

    Parameters
    ----------
    proxy : skorch classifier
        :class:`skprune.nets.NetClassifier`, or any skorch classifier with a softmax output (NLLLoss) or logits
        (CrossEntropyLoss). It trains on all rows, shuffled, without a validation split.
    X : ndarray of shape (n_samples, ...)
        The pool; tables in float32 for nets that are not skprune's.
    y : array-like of shape (n_samples,), int
        Class indices 0..K-1: given and pseudo-labels.
    n_epochs : int
        Epochs to train and record.
    schedule_epochs : int, default=None
        Epochs that shape the learning rate of a NetClassifier, in place of its own `schedule_epochs`; None: its own, else
        `n_epochs`. Other nets bring their own schedule.
    record : {"train", "eval"}, default="train"
        As in :class:`DynamicsRecorder`.
    record_kl : bool, default=False
        As in :class:`DynamicsRecorder`.
    random_state : int, RandomState or None, default=None
        Seeds weights, order and augmentation of a net that has no `random_state` of its own, or None there.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    dynamics : TrainingDynamics
        The dynamics, `n_epochs` epochs long.
    proxy : skorch classifier
        The fitted clone, as it was after `n_epochs`.

    Raises
    ------
    TypeError
        The proxy is not a skorch classifier.
    FloatingPointError
        Loss or outputs turn NaN or infinite.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.dynamics import collect_dynamics
    >>> from skprune.nets import NetClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> dynamics, net = collect_dynamics(NetClassifier(), X, y, n_epochs=4, random_state=0)
    >>> dynamics
    TrainingDynamics(n_epochs=4, n_samples=150)
    """
    check_proxy(proxy)
    if np.ma.is_masked(y) or np.asarray(y).dtype.kind not in "iu" or np.asarray(y).min() < 0:
        raise ValueError("y must hold class indices 0..K-1, one for every row.")
    y = np.asarray(y, dtype=np.int64)
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    net = clone(proxy).set_params(max_epochs=n_epochs)
    fit = _fit_own if isinstance(net, BaseNet) else _fit_foreign
    recorder = fit(net, X, y, schedule_epochs, record, record_kl, seed, verbose)
    dynamics = recorder.dynamics_
    if recorder.n_closed_ != n_epochs:
        raise RuntimeError(
            f"The proxy stopped after {recorder.n_closed_} of {n_epochs} epochs (early stopping, or an interrupt?)."
        )
    return dynamics, net


def check_proxy(proxy):
    """Refuse a proxy that cannot be recorded.

    Parameters
    ----------
    proxy : object
        What the user gave.

    Raises
    ------
    TypeError
        It is not a skorch classifier.
    """
    if not isinstance(proxy, NeuralNet) or not hasattr(proxy, "predict_proba"):
        raise TypeError(
            f"proxy must be a skorch classifier (such as skprune.nets.NetClassifier), got {type(proxy).__name__}."
        )
    if getattr(proxy, "_semi_supervised", False):
        raise TypeError(f"proxy must be a supervised classifier; {type(proxy).__name__} belongs into labeler.")
    if not isinstance(proxy, BaseNet) and proxy.iterator_train is not DataLoader:
        raise ValueError(
            "The recording draws its own batches, with torch's DataLoader, and would leave out iterator_train="
            f"{proxy.iterator_train!r}. Put augmentation into `dataset`."
        )
    if isinstance(proxy.callbacks, str):
        raise ValueError(f"callbacks={proxy.callbacks!r} leaves no place for the recorder. Use None or a list.")


def net_input(net, X):
    """Return X as a net reads it: skprune's as it is, others in float32.

    Parameters
    ----------
    net : skorch classifier
        The net.
    X : ndarray
        The rows.

    Returns
    -------
    ndarray
        The rows.
    """
    return X if isinstance(net, BaseNet) else X.astype(np.float32, copy=False)


def _fit_own(net, X, y, schedule_epochs, record, record_kl, seed, verbose):
    if net.random_state is None:
        net.set_params(random_state=seed)
    if schedule_epochs is not None and "schedule_epochs" in net.get_params(deep=False):
        net.set_params(schedule_epochs=max(schedule_epochs, net.max_epochs))
    net._stage = "recording"
    given = net.callbacks
    net.set_params(
        verbose=verbose,
        callbacks=[("dynamics_recorder", DynamicsRecorder(record, record_kl)), *(given or [])],
    )
    net.fit(X, y)
    recorder = _take_out(net, given)
    del net._stage
    return recorder


def _fit_foreign(net, X, y, schedule_epochs, record, record_kl, seed, verbose):
    order = _Order(seed)
    recorder = DynamicsRecorder(record, record_kl, order=order)
    given, loader = net.callbacks, net.iterator_train
    extra = [("dynamics_recorder", recorder)] + ([("stage_bar", StageBar("recording"))] if verbose else [])
    net.set_params(
        verbose=0, train_split=None, callbacks=[*extra, *(given or [])], iterator_train=partial(_ordered_loader, order)
    )
    with seeded(seed, torch.device(net.device or "cpu")):
        net.fit(net_input(net, X), y)
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
        for rows in np.array_split(self.order.generator.permutation(self.n), len(self)):
            self.order.queue.append(rows)
            yield rows.tolist()


def _ordered_loader(order, dataset, *, batch_size, shuffle=True, drop_last=False, **kwargs):
    """Build a DataLoader whose order the recorder knows; every row comes once an epoch whatever the net asked for."""
    return DataLoader(dataset, batch_sampler=_OrderedBatchSampler(len(dataset), batch_size, order), **kwargs)
