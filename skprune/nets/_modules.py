"""Networks for images and tables."""

import torch
from torch import nn
from torch.nn import functional as F

_IMAGES_AT_ONCE = 32
_LEAST_VARIANCE = 0.05


class MLP(nn.Module):
    """Multilayer perceptron with batch normalization, for tables.

    Parameters
    ----------
    n_features : int
        Number of columns.
    n_classes : int
        Number of classes.
    width : int, default=256
        Units per hidden layer.
    depth : int, default=2
        Number of hidden layers.
    dropout : float, default=0.0
        Dropout probability after each hidden layer.

    Examples
    --------
    >>> import torch
    >>> from skprune.nets import MLP
    >>> MLP(n_features=5, n_classes=3)(torch.zeros(2, 5)).shape
    torch.Size([2, 3])
    """

    def __init__(self, n_features, n_classes, *, width=256, depth=2, dropout=0.0):
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
            Standardized rows; images are flattened.

        Returns
        -------
        torch.Tensor of shape (n, n_classes)
            Logits.
        """
        return self.head(self.body(x.flatten(1)))


class _ImageNet(nn.Module):
    """A stem, a body, the mean over all pixels, and a linear head."""

    def forward(self, x):
        """Return the logits. The last layer computes in float32 even under autocast.

        Parameters
        ----------
        x : torch.Tensor of shape (n, in_channels, H, W)
            Standardized images.

        Returns
        -------
        torch.Tensor of shape (n, n_classes)
            Logits.
        """
        features = self._pool(self.body(self.stem(x)))
        with torch.autocast(x.device.type, enabled=False):
            return self.head(features.float())

    def _pool(self, x):
        return x.mean(dim=(2, 3))


class SmallResNet(_ImageNet):
    """Residual network of three blocks, small enough for a CPU.

    Parameters
    ----------
    in_channels : int
        Number of image channels.
    n_classes : int
        Number of classes.
    width : int, default=16
        Channels of the first block; the other two have twice and four times as many.
    stem_stride : int, default=2
        Stride of the first convolution. Nets of skprune set 1 for images with a side below 24 pixels.

    Examples
    --------
    >>> import torch
    >>> from skprune.nets import SmallResNet
    >>> SmallResNet(in_channels=1, n_classes=10)(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """

    def __init__(self, in_channels, n_classes, *, width=16, stem_stride=2):
        super().__init__()
        self.stem = _conv_norm_relu(in_channels, width, stem_stride)
        self.body = nn.Sequential(_Block(width, width, 1), _Block(width, 2 * width, 2), _Block(2 * width, 4 * width, 2))
        self.head = nn.Linear(4 * width, n_classes)


class WhitenedResNet(SmallResNet):
    r"""The small residual network with a first layer that whitens patches and is not trained, which learns in fewer steps.

    The filters of the first layer are the principal components :math:`v_j` of patches of 3 x 3 pixels, each divided by
    :math:`\sqrt{\lambda_j + 0.05}`, where :math:`\lambda_j` is its variance, and the same with the opposite sign: Jordan,
    arXiv 2404.00498, section 3.2. Nets of skprune find them in some images of the pool when they build the network. Elsewhere,
    call :meth:`whiten` before the training: until then the first layer is random.

    Parameters
    ----------
    in_channels : int
        Number of image channels.
    n_classes : int
        Number of classes.
    width : int, default=16
        Twice the number of components, of which there are at most 9 per image channel; channels of the first block. The other
        two blocks have twice and four times as many.
    stem_stride : int, default=2
        Stride of the first convolution. Nets of skprune set 1 for images with a side below 24 pixels.

    Examples
    --------
    >>> import torch
    >>> from skprune.nets import WhitenedResNet
    >>> net = WhitenedResNet(in_channels=1, n_classes=10)
    >>> net.whiten(torch.randn(100, 1, 28, 28))
    >>> net(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """

    def __init__(self, in_channels, n_classes, *, width=16, stem_stride=2):
        super().__init__(in_channels, n_classes, width=width, stem_stride=stem_stride)
        n_filters = 2 * max(1, min(width // 2, 9 * in_channels))
        self.stem = _conv_norm_relu(in_channels, n_filters, stem_stride)
        self.stem[0].requires_grad_(False)
        if n_filters != width:
            self.body[0] = _Block(n_filters, width, 1)

    @torch.no_grad()
    def whiten(self, x):
        """Find the filters of the first layer.

        Parameters
        ----------
        x : torch.Tensor of shape (n, in_channels, H, W)
            Standardized images of at least 3 pixels per side.

        Raises
        ------
        ValueError
            The images are smaller.
        """
        if min(x.shape[2:]) < 3:
            raise ValueError(f"WhitenedResNet needs images of at least 3 x 3 pixels, got {x.shape[2]} x {x.shape[3]}.")
        filters = self.stem[0].weight
        parts = x.float().split(_IMAGES_AT_ONCE)
        moments = sum(_patch_moments(part) * len(part) for part in parts) / len(x)
        variances, components = torch.linalg.eigh(moments.cpu().double())
        found = components.flip(1)[:, : len(filters) // 2].T  # the largest variances first
        found = found * found.gather(1, found.abs().argmax(dim=1, keepdim=True)).sign()  # eigenvectors have either sign
        found = found / (variances.flip(0)[: len(found), None] + _LEAST_VARIANCE).sqrt()
        filters.copy_(torch.cat([found, -found]).view_as(filters))


def _patch_moments(images):
    """Return the mean outer product of the patches of 3 x 3 pixels with themselves."""
    patches = F.unfold(images, 3).transpose(1, 2).flatten(0, 1)
    return patches.T @ patches / len(patches)


class WideResNet(_ImageNet):
    """Wide residual network for small images (Zagoruyko and Komodakis, arXiv 1605.07146).

    The default, WRN-28-2, is the network of the FixMatch paper (arXiv 2001.07685).

    Parameters
    ----------
    in_channels : int
        Number of image channels.
    n_classes : int
        Number of classes.
    depth : int, default=28
        Number of layers with weights on the longest path, :math:`6 m + 4` for m blocks per group: 10, 16, 22, 28, ...
    widen_factor : int, default=2
        Factor of the channels, which are 16, 32 and 64 at 1.

    Examples
    --------
    >>> import torch
    >>> from skprune.nets import WideResNet
    >>> WideResNet(in_channels=3, n_classes=10, depth=16)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(self, in_channels, n_classes, *, depth=28, widen_factor=2):
        super().__init__()
        if depth < 10 or (depth - 4) % 6:
            raise ValueError(f"depth must be 6 m + 4, such as 16 or 28, got {depth!r}.")
        widths = [16, 16 * widen_factor, 32 * widen_factor, 64 * widen_factor]
        blocks = []
        for group in range(3):
            for position in range((depth - 4) // 6):
                inputs = widths[group] if position == 0 else widths[group + 1]
                blocks.append(_PreactivatedBlock(inputs, widths[group + 1], 2 if group and position == 0 else 1))
        self.stem = nn.Conv2d(in_channels, 16, 3, 1, 1, bias=False)
        self.body = nn.Sequential(*blocks, nn.BatchNorm2d(widths[-1]), nn.ReLU(inplace=True))
        self.head = nn.Linear(widths[-1], n_classes)


class ResNet9(_ImageNet):
    """Nine-layer residual network of the DAWNBench speed records, for images of at least 8 pixels per side.

    Parameters
    ----------
    in_channels : int
        Number of image channels.
    n_classes : int
        Number of classes.
    width : int, default=64
        Channels of the first layer; the last one has eight times as many.

    Examples
    --------
    >>> import torch
    >>> from skprune.nets import ResNet9
    >>> ResNet9(in_channels=3, n_classes=10, width=8)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(self, in_channels, n_classes, *, width=64):
        super().__init__()
        self.stem = _conv_norm_relu(in_channels, width)
        self.body = nn.Sequential(
            _pooled(width, 2 * width),
            _Residual(2 * width),
            _pooled(2 * width, 4 * width),
            _pooled(4 * width, 8 * width),
            _Residual(8 * width),
        )
        self.head = nn.Linear(8 * width, n_classes, bias=False)

    def _pool(self, x):
        return 0.125 * x.amax(dim=(2, 3))


def _conv_norm_relu(inputs, outputs, stride=1):
    convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def _pooled(inputs, outputs):
    return nn.Sequential(*_conv_norm_relu(inputs, outputs), nn.MaxPool2d(2))


class _Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.body = nn.Sequential(_conv_norm_relu(channels, channels), _conv_norm_relu(channels, channels))

    def forward(self, x):
        return x + self.body(x)


class _Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = _shortcut(inputs, outputs, stride)

    def forward(self, x):
        out = F.relu(self.norm1(self.conv1(x)), inplace=True)
        return F.relu(self.norm2(self.conv2(out)).add_(self.shortcut(x)), inplace=True)


class _PreactivatedBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.shortcut = _shortcut(inputs, outputs, stride)

    def forward(self, x):
        out = F.relu(self.norm1(x), inplace=True)
        skipped = x if isinstance(self.shortcut, nn.Identity) else self.shortcut(out)
        out = F.relu(self.norm2(self.conv1(out)), inplace=True)
        return self.conv2(out).add_(skipped)


def _shortcut(inputs, outputs, stride):
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return (_PooledProjection if inputs < 8 else nn.Conv2d)(inputs, outputs, 1, stride, bias=False)


class _PooledProjection(nn.Conv2d):
    """A strided 1 x 1 convolution that skips pixels first: limited to AVX2, oneDNN crashes in one of 4 input channels."""

    def forward(self, x):
        return F.conv2d(F.avg_pool2d(x, 1, self.stride), self.weight)
