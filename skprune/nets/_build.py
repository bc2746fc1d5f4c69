"""The builder, which sizes networks from the data."""

import inspect
from functools import partial

import torch
from torch import nn

from skprune._utils._registry import lookup
from skprune.nets._modules import MLP, SmallResNet

_TORCHVISION = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "wide_resnet50_2")
_SMALL_IMAGE = 64


def build_module(module, shape, n_classes, chosen):
    """Make a network that fits the data."""
    if module is None:
        module = SmallResNet if len(shape) == 3 else MLP
    if isinstance(module, nn.Module):
        raise TypeError("module must be a class or a callable, not an instance; pass its arguments as module__name=...")
    if isinstance(module, str):
        module = _from_torchvision(module)
    taken = inspect.signature(module).parameters
    made = module.func if isinstance(module, partial) else module
    foreign = getattr(made, "__module__", None) == "torchvision.models.resnet"
    if len(shape) != 3 and (foreign or "in_channels" in taken):
        raise ValueError(
            f"{made.__name__} is a network for images, and X is a table of {shape[0]} columns. Give images (n, C, H, W), or "
            "image_shape=(C, H, W) with flat rows, or use MLP."
        )
    if foreign:
        return _fit_resnet(module(**chosen), shape, n_classes, pretrained=chosen.get("weights") is not None)
    sizes = {"n_classes": n_classes, "in_channels": shape[0], "n_features": 1}
    for side in shape:
        sizes["n_features"] *= side
    if module is SmallResNet:
        sizes["stem_stride"] = 2 if min(shape[1:]) >= 24 else 1
    return module(**{name: value for name, value in sizes.items() if name in taken} | chosen)


def check_module(module, shape, n_classes):
    """Refuse a network that does not take the data or does not give a logit for each class."""
    name = type(module).__name__
    module.eval()
    try:
        with torch.no_grad():
            found = tuple(module(torch.zeros(2, *shape)).shape)
    except (RuntimeError, ValueError, TypeError) as error:
        raise ValueError(f"module {name} does not take rows of shape {shape}: {error}") from error
    module.train()
    if found != (2, n_classes):
        raise ValueError(
            f"module {name} gives outputs of shape {found} for two rows, and (2, {n_classes}) is needed for {n_classes} classes. "
            "Take n_classes as an argument, which is filled in."
        )


def _from_torchvision(name):
    name = lookup(name, {known: known for known in _TORCHVISION}, "module")
    from torchvision import models

    return getattr(models, name)


def _fit_resnet(net, shape, n_classes, pretrained):
    """Give a residual net of torchvision its ends."""
    channels, first = shape[0], net.conv1
    if pretrained and channels != first.in_channels:
        raise ValueError(f"Weights of torchvision are for {first.in_channels} channels, and X has {channels}.")
    if min(shape[1:]) < _SMALL_IMAGE and not pretrained:
        net.conv1 = nn.Conv2d(channels, first.out_channels, 3, 1, 1, bias=False)
        net.maxpool = nn.Identity()
    elif channels != first.in_channels:
        net.conv1 = nn.Conv2d(channels, first.out_channels, first.kernel_size, first.stride, first.padding, bias=False)
    if net.fc.out_features != n_classes:
        net.fc = nn.Linear(net.fc.in_features, n_classes)
    return net
