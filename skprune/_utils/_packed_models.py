"""Fitted models as what caches and files hold: nets as arrays, others as they are."""

from sklearn.base import clone

from skprune._utils._adapters import is_net, is_own_net


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
        net.module_.load_state_dict({name: torch.tensor(array) for name, array in packed["weights"].items()})
        net.classes_inferred_ = packed["classes"]
        return net
    return packed
