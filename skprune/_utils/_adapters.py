"""Labelers and proxies: whether they are nets, what they read. torch is imported for nets alone."""

import sys
from contextlib import contextmanager

import numpy as np

from skprune._utils._pool import flat


def is_net(estimator):
    """Tell whether an estimator is a skorch net, without importing torch."""
    skorch = sys.modules.get("skorch")
    return skorch is not None and isinstance(estimator, skorch.NeuralNet)


def is_own_net(estimator):
    """Tell whether an estimator is a net of skprune, without importing torch."""
    return getattr(estimator, "_is_skprune_net", False)


def holds_net(estimator):
    """Tell whether an estimator is a skorch net or has one among its parameters."""
    return any(map(is_net, (estimator, *estimator.get_params(deep=True).values())))


def as_input(estimator, pool):
    """Return a pool as an estimator reads it."""
    if is_own_net(estimator):
        return pool
    return pool.astype(np.float32, copy=False) if is_net(estimator) else flat(pool)


def is_semi_supervised(estimator):
    """Tell whether an estimator is a semi-supervised net of skprune."""
    return getattr(estimator, "_semi_supervised", False)


@contextmanager
def torch_seeded(estimator, seed):
    """Seed torch's global generators within the block, where torch is in use at all."""
    if "torch" not in sys.modules:
        yield
        return
    from skprune._utils._device import resolve_device, seeded

    with seeded(seed, resolve_device(getattr(estimator, "device", "cpu"))):
        yield
