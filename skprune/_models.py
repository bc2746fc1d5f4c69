"""Labelers and proxies: whether they are nets, what they read, how they are kept. torch is imported for nets alone."""

import sys
from contextlib import contextmanager

import numpy as np
from sklearn.base import clone

from skprune._validation import flat


def is_net(estimator):
    """Tell whether an estimator is a skorch net, without importing torch.

    Parameters
    ----------
    estimator : object
        Anything.

    Returns
    -------
    bool
        False where skorch has not been imported: nothing can be a net then.

    Examples
    --------
    >>> from sklearn.linear_model import SGDClassifier
    >>> is_net(SGDClassifier())
    False
    """
    skorch = sys.modules.get("skorch")
    return skorch is not None and isinstance(estimator, skorch.NeuralNet)


def is_own_net(estimator):
    """Tell whether an estimator is a net of skprune, without importing torch.

    Parameters
    ----------
    estimator : object
        Anything.

    Returns
    -------
    bool
        Whether it is.
    """
    if not is_net(estimator):
        return False
    from skprune.nets._base import BaseNet

    return isinstance(estimator, BaseNet)


def holds_net(estimator):
    """Tell whether an estimator is a skorch net or has one among its parameters.

    Parameters
    ----------
    estimator : estimator
        A labeler or a proxy.

    Returns
    -------
    bool
        Whether its results depend on the device.
    """
    return any(map(is_net, (estimator, *estimator.get_params(deep=True).values())))


def as_input(estimator, pool):
    """Return a pool as an estimator reads it.

    Parameters
    ----------
    estimator : estimator
        A labeler or a proxy.
    pool : ndarray of shape (n, d) or (n, C, H, W)
        Rows.

    Returns
    -------
    ndarray
        As it is for skprune's nets, in float32 for others, a table for all else.
    """
    if is_own_net(estimator):
        return pool
    return pool.astype(np.float32, copy=False) if is_net(estimator) else flat(pool)


def pack(model):
    """Return a fitted model as arrays where it is a net, else as it is.

    Parameters
    ----------
    model : fitted estimator
        The model.

    Returns
    -------
    object
        What :func:`unpack` takes.
    """
    if is_own_net(model):
        return model.to_arrays()
    if is_net(model):
        weights = {name: tensor.cpu().numpy().copy() for name, tensor in model.module_.state_dict().items()}
        return {"classes": model.classes_, "weights": weights}
    return model


def unpack(template, packed):
    """Rebuild a fitted model.

    Parameters
    ----------
    template : estimator
        The unfitted estimator.
    packed : object
        What :func:`pack` returned.

    Returns
    -------
    fitted estimator
        The model.
    """
    if is_own_net(template):
        return clone(template).from_arrays(packed)
    if is_net(template):
        import torch

        from skprune.nets._device import seeded

        net = clone(template)
        with seeded(0, torch.device(net.device or "cpu")):
            net.initialize()
        net.module_.load_state_dict({name: torch.from_numpy(array) for name, array in packed["weights"].items()})
        net.classes_inferred_ = packed["classes"]
        return net
    return packed


@contextmanager
def torch_seeded(estimator, seed):
    """Seed torch's global generators within the block, where torch is in use at all.

    Parameters
    ----------
    estimator : estimator
        Whose device is seeded too.
    seed : int
        The seed.
    """
    if "torch" not in sys.modules:
        yield
        return
    from skprune.nets._device import resolve_device, seeded

    with seeded(seed, resolve_device(getattr(estimator, "device", "cpu"))):
        yield
