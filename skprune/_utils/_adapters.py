"""Labelers and proxies: whether they are nets, what they read, how they are kept. torch is imported for nets alone."""

import sys
from contextlib import contextmanager

import numpy as np
from sklearn.base import clone

from skprune._utils._validation import flat


def is_net(estimator):
    """Tell whether an estimator is a skorch net, without importing torch."""
    skorch = sys.modules.get("skorch")
    return skorch is not None and isinstance(estimator, skorch.NeuralNet)


def is_own_net(estimator):
    """Tell whether an estimator is a net of skprune, without importing torch."""
    if not is_net(estimator):
        return False
    from skprune.nets._base import BaseNet

    return isinstance(estimator, BaseNet)


def holds_net(estimator):
    """Tell whether an estimator is a skorch net or has one among its parameters."""
    return any(map(is_net, (estimator, *estimator.get_params(deep=True).values())))


def as_input(estimator, pool):
    """Return a pool as an estimator reads it."""
    if is_own_net(estimator):
        return pool
    return pool.astype(np.float32, copy=False) if is_net(estimator) else flat(pool)


def pack(model):
    """Return a fitted model as arrays where it is a net, else as it is."""
    if is_own_net(model):
        return model.to_arrays()
    if is_net(model):
        weights = {name: tensor.cpu().numpy().copy() for name, tensor in model.module_.state_dict().items()}
        return {"classes": model.classes_, "weights": weights}
    return model


def unpack(template, packed):
    """Rebuild a fitted model."""
    if is_own_net(template):
        return clone(template).from_arrays(packed)
    if is_net(template):
        import torch

        from skprune._utils._device import seeded

        net = clone(template)
        with seeded(0, torch.device(net.device or "cpu")):
            net.initialize()
        net.module_.load_state_dict({name: torch.from_numpy(array) for name, array in packed["weights"].items()})
        net.classes_inferred_ = packed["classes"]
        return net
    return packed


@contextmanager
def torch_seeded(estimator, seed):
    """Seed torch's global generators within the block, where torch is in use at all."""
    if "torch" not in sys.modules:
        yield
        return
    from skprune._utils._device import resolve_device, seeded

    with seeded(seed, resolve_device(getattr(estimator, "device", "cpu"))):
        yield
