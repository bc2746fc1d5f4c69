"""The networks, and the builder that sizes them from the data."""

import inspect

import torch
from torch import nn
from torch.nn import functional as F


class MLP(nn.Module):
    """Multilayer perceptron with batch normalisation, for tables.

    Parameters
    ----------
    n_features : int
        Columns.
    n_classes : int
        Outputs.
    width : int, default=256
        Units of a hidden layer.
    depth : int, default=2
        Hidden layers.
    dropout : float, default=0.0
        Dropout probability behind each hidden layer.

    Examples
    --------
    >>> import torch
    >>> from skprune.nets import MLP
    >>> MLP(n_features=5, n_classes=3)(torch.zeros(2, 5)).shape
    torch.Size([2, 3])
    """

    def __init__(self, n_features, n_classes, width=256, depth=2, dropout=0.0):
        super().__init__()
        layers = []
        for layer in range(depth):
            layers += [nn.Linear(width if layer else n_features, width, bias=False), nn.BatchNorm1d(width), nn.ReLU()]
            if dropout:
                layers.append(nn.Dropout(dropout))
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(width if depth else n_features, n_classes)

    def forward(self, x):
        """Return the logits.

        Parameters
        ----------
        x : torch.Tensor of shape (n, n_features)
            Standardised rows; images are flattened.

        Returns
        -------
        torch.Tensor of shape (n, n_classes)
            Logits.
        """
        return self.head(self.body(x.flatten(1)))


class SmallResNet(nn.Module):
    """Residual net of three blocks, small enough for a CPU.

    Parameters
    ----------
    in_channels : int
        Channels of the images.
    n_classes : int
        Outputs.
    width : int, default=16
        Channels of the first block; the others have twice and four times as many.
    stem_stride : int, default=2
        Stride of the first convolution; the builder takes 1 for images below 24 pixels.

    Examples
    --------
    >>> import torch
    >>> from skprune.nets import SmallResNet
    >>> SmallResNet(in_channels=1, n_classes=10)(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """

    def __init__(self, in_channels, n_classes, width=16, stem_stride=2):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, width, 3, stem_stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.body = nn.Sequential(_Block(width, width, 1), _Block(width, 2 * width, 2), _Block(2 * width, 4 * width, 2))
        self.head = nn.Linear(4 * width, n_classes)

    def forward(self, x):
        """Return the logits; the last layer runs in float32 under autocast too.

        Parameters
        ----------
        x : torch.Tensor of shape (n, in_channels, H, W)
            Standardised images.

        Returns
        -------
        torch.Tensor of shape (n, n_classes)
            Logits.
        """
        features = self.body(self.stem(x)).mean(dim=(2, 3))
        with torch.autocast(x.device.type, enabled=False):
            return self.head(features.float())


class _Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        out = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(out)) + self.shortcut(x))


def build_module(module, shape, n_classes, chosen):
    """Make a network that fits the data.

    Parameters
    ----------
    module : None, class or callable
        None takes SmallResNet for images and MLP for tables.
    shape : tuple
        The shape of one row: (d,) or (C, H, W).
    n_classes : int
        Classes.
    chosen : dict
        Keyword arguments that the user chose; those named `n_features`, `in_channels`, `n_classes` and `stem_stride` are
        filled in where the module takes them and the user did not.

    Returns
    -------
    torch.nn.Module
        The network.

    Examples
    --------
    >>> type(build_module(None, (1, 28, 28), 10, {})).__name__
    'SmallResNet'
    """
    if module is None:
        module = SmallResNet if len(shape) == 3 else MLP
    if isinstance(module, nn.Module):
        raise TypeError("module must be a class or a callable, not an instance; pass its arguments as module__name=...")
    sizes = {"n_classes": n_classes, "in_channels": shape[0], "n_features": 1}
    for side in shape:
        sizes["n_features"] *= side
    if module is SmallResNet and len(shape) == 3:
        sizes["stem_stride"] = 2 if min(shape[1:]) >= 24 else 1
    taken = inspect.signature(module).parameters
    return module(**{name: value for name, value in sizes.items() if name in taken} | chosen)
