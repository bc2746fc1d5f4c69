"""The builder, which sizes networks to fit the data."""

import inspect
import math
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from skprune._utils._registry import lookup
from skprune.nets._modules import MLP, SmallResNet

_TORCHVISION = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "wide_resnet50_2")
_SMALL_IMAGE = 64
_CONVOLUTIONS = (F.conv1d, F.conv2d, F.conv3d, F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)


def build_module(module, shape, n_classes, chosen):
    """Build a network that fits the data."""
    if module is None:
        module = SmallResNet if len(shape) == 3 else MLP
    if isinstance(module, nn.Module):
        raise TypeError("module must be a class or a callable, not an instance; pass its arguments as module__name=...")
    if isinstance(module, str):
        module = _from_torchvision(module)
    accepted = inspect.signature(module).parameters
    factory = module.func if isinstance(module, partial) else module
    from_torchvision = getattr(factory, "__module__", None) == "torchvision.models.resnet"
    if len(shape) != 3 and (from_torchvision or "in_channels" in accepted):
        raise ValueError(
            f"{factory.__name__} is a network for images, but X is a table of {shape[0]} columns. Pass images (n, C, H, W), "
            "set image_shape=(C, H, W) for flat rows, or use MLP."
        )
    if from_torchvision:
        return _fit_resnet(module(**chosen), shape, n_classes, pretrained=chosen.get("weights") is not None)
    sizes = {"n_classes": n_classes, "in_channels": shape[0], "n_features": math.prod(shape)}
    if isinstance(module, type) and issubclass(module, SmallResNet):
        sizes["stem_stride"] = 2 if min(shape[1:]) >= 24 else 1
    return module(**{name: value for name, value in sizes.items() if name in accepted} | chosen)


def check_module(module, shape, n_classes):
    """Refuse a network that does not fit the data; tell whether a strided convolution reads maps no wider than its stride."""
    name = type(module).__name__
    module.eval()
    try:
        with torch.no_grad(), _StrideWatch() as watch:
            outputs = module(torch.zeros(2, *shape))
    except (RuntimeError, ValueError, TypeError) as error:
        raise ValueError(f"module {name} does not take rows of shape {shape}: {error}") from error
    module.train()
    if not isinstance(outputs, torch.Tensor):
        raise ValueError(
            f"module {name} returns a {type(outputs).__name__}, but must return the logits alone, a tensor (n, n_classes)."
        )
    if tuple(outputs.shape) != (2, n_classes):
        raise ValueError(
            f"module {name} returns outputs of shape {tuple(outputs.shape)} for two rows, but {n_classes} classes need "
            f"(2, {n_classes}). Take n_classes as an argument of the module; it is filled in."
        )
    return watch.narrow


class _StrideWatch(TorchFunctionMode):
    """Note, while active, whether a strided convolution of any module or function reads maps no wider than its stride."""

    narrow = False

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in _CONVOLUTIONS:
            read = kwargs["input"] if "input" in kwargs else args[0]
            stride = kwargs.get("stride", args[3] if len(args) > 3 else 1)
            longest = max(stride) if isinstance(stride, (tuple, list)) else stride
            self.narrow |= longest > 1 and min(read.shape[2:]) <= longest
        return function(*args, **kwargs)


def _from_torchvision(name):
    name = lookup(name, {known: known for known in _TORCHVISION}, "module")
    from torchvision import models

    return getattr(models, name)


def _fit_resnet(net, shape, n_classes, pretrained):
    """Fit the first and last layer of a torchvision residual network to the data."""
    channels, first = shape[0], net.conv1
    if pretrained and channels != first.in_channels:
        raise ValueError(f"torchvision's weights are for {first.in_channels} channels, but X has {channels}.")
    if min(shape[1:]) < _SMALL_IMAGE and not pretrained:
        net.conv1 = nn.Conv2d(channels, first.out_channels, 3, 1, 1, bias=False)
        net.maxpool = nn.Identity()
    elif channels != first.in_channels:
        net.conv1 = nn.Conv2d(channels, first.out_channels, first.kernel_size, first.stride, first.padding, bias=False)
    if net.fc.out_features != n_classes:
        net.fc = nn.Linear(net.fc.in_features, n_classes)
    return net
