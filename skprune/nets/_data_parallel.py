"""Training by several processes: each one computes the gradient of its share of every batch."""

import os
from contextlib import contextmanager
from functools import partial

import joblib
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from skprune._utils._parameter_checks import check_option
from skprune._utils._ranks import Ranks, active_ranks, training_with

_SAMPLED_ROWS = 1024


@contextmanager
def data_parallel(*, sync_batch_norm=True):
    """Let the processes of ``accelerate launch`` or ``torchrun`` train nets together within the block.

    Each process runs the same program on the same data. All draw the same batches; each computes the gradient of its share of
    the rows, and the sum of the gradients makes the step. So each process ends with the same weights, pseudo-labels and
    dynamics: those of a single process but for rounding, which long trainings amplify. Nets of skprune are trained so, on
    their own or inside other estimators; what else runs within the block, runs in each process. Started as a single process,
    the block changes nothing.

    Parameters
    ----------
    sync_batch_norm : bool, default=True
        Whether batch normalization takes mean and variance over the rows of all processes, at the cost of two exchanges per
        layer and step. With False each process takes those of its own rows, and the running means are averaged after each step;
        the result then depends on the number of processes.

    Yields
    ------
    accelerate.PartialState
        The state of the process, with ``is_main_process``, ``process_index`` and ``num_processes``.

    Raises
    ------
    ImportError
        accelerate is not installed.
    RuntimeError
        accelerate does not see the processes that were started.

    Notes
    -----
    `random_state` must be an integer. The trainings raise a ValueError if the processes were given different data, labels or
    seeds, if a batch has fewer rows than there are processes, or with ``compile=True``. A `checkpoint` must lie in a folder that
    all processes share; `memory` and `time_limit` are refused.

    Examples
    --------
    Save this as ``train.py`` and run ``accelerate launch --multi_gpu --num_processes 2 train.py``, or without GPUs
    ``torchrun --nproc-per-node 2 train.py``:

    >>> from sklearn.datasets import load_iris
    >>> from skprune.nets import NetClassifier, data_parallel
    >>> X, y = load_iris(return_X_y=True)
    >>> with data_parallel() as state:
    ...     net = NetClassifier(random_state=0).fit(X, y)
    >>> if state.is_main_process:
    ...     print(net.score(X, y) > 0.9)
    True
    """
    check_option("sync_batch_norm", sync_batch_norm, (True, False))
    try:
        from accelerate import PartialState
        from accelerate.utils import parse_flag_from_env
    except ImportError as error:
        raise ImportError("data_parallel needs accelerate: pip install 'skprune[accelerate]'.") from error
    state = PartialState(cpu=parse_flag_from_env("ACCELERATE_USE_CPU") or not torch.accelerator.is_available())
    n_started = int(os.environ.get("WORLD_SIZE", 1))
    if state.num_processes != n_started:
        raise RuntimeError(
            f"{n_started} processes were started, and accelerate sees {state.num_processes}. Leave its PartialState to "
            "data_parallel, or make it with cpu=True where there is no GPU."
        )
    with training_with(Ranks(state.process_index, state.num_processes, sync_batch_norm)):
        yield state


@contextmanager
def together(net, pool, codes):
    """Let a net be trained by the active processes within the block, after a check that all of them do the same."""
    ranks = active_ranks()
    if ranks.n == 1:
        yield
        return
    if net.compile:
        raise ValueError(
            f"compile=True does not go with data_parallel: {type(net).__name__} exchanges figures in a pass."
        )
    smallest = len(pool) // net._steps_per_epoch(codes) if net.n_steps is None else net.batch_size
    if smallest < ranks.n:
        raise ValueError(
            f"Batches of {smallest} rows cannot be shared by {ranks.n} processes. Raise batch_size, or start fewer processes."
        )
    _check_same(ranks, net, pool, codes)
    torch.manual_seed(net._epoch_seed() + ranks.rank)  # for dropout; within the block that seeds the training
    layers = (
        [layer for layer in net.module_.modules() if isinstance(layer, _BatchNorm)] if ranks.sync_batch_norm else []
    )
    for layer in layers:
        layer.forward = partial(_normalized, ranks, layer)
    net.ranks_ = ranks
    try:
        yield
    finally:
        del net.ranks_
        for layer in layers:
            del layer.forward


def _check_same(ranks, net, pool, codes):
    """Refuse to train in processes that were given different data, labels or seeds."""
    sample = pool[:: -(-len(pool) // _SAMPLED_ROWS)]
    number = int(joblib.hash((sample, pool.shape, codes, net.seed_, net.batch_size, net.max_epochs))[:12], 16)
    numbers = ranks.whole([torch.tensor([number], device=net.device_)], [ranks.n])
    if (numbers != number).any():
        raise ValueError(
            "The processes of data_parallel were given different data, labels, seeds, or lengths of training. Give each the "
            "same X, y and parameters, and an integer random_state."
        )


class _Total(torch.autograd.Function):
    """The sum over the processes, with its gradient."""

    @staticmethod
    def forward(ctx, ranks, tensor):
        ctx.ranks = ranks
        return ranks.total(tensor.clone())

    @staticmethod
    def backward(ctx, gradient):
        return None, ctx.ranks.total(gradient.clone())


def _normalized(ranks, layer, x):
    """Return what a layer of batch normalization returns for the rows of all processes."""
    if not layer.training:
        return type(layer).forward(layer, x)
    axes = [axis for axis in range(x.ndim) if axis != 1]
    values = x.float()
    var, mean = (moment.double() for moment in torch.var_mean(values, axes, correction=0))
    n_own = x.numel() // x.shape[1]
    count = mean.new_full((1,), n_own)
    count, total, squares = _Total.apply(ranks, torch.cat([count, n_own * mean, n_own * (var + mean.square())])).split(
        [1, len(mean), len(mean)]
    )
    mean = total / count
    var = (squares / count - mean.square()).clamp(min=0)
    if layer.track_running_stats:
        with torch.no_grad():
            layer.num_batches_tracked += 1
            momentum = 1 / float(layer.num_batches_tracked) if layer.momentum is None else layer.momentum
            layer.running_mean.lerp_(mean.to(layer.running_mean), momentum)
            layer.running_var.lerp_((var * count / (count - 1)).to(layer.running_var), momentum)
    shape = [1, -1] + [1] * (x.ndim - 2)
    scale = (var + layer.eps).rsqrt().float()
    mean = mean.float()
    if layer.affine:
        scale = scale * layer.weight
        return ((values - mean.view(shape)) * scale.view(shape) + layer.bias.view(shape)).to(x.dtype)
    return ((values - mean.view(shape)) * scale.view(shape)).to(x.dtype)
