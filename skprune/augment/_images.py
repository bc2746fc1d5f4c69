"""Weak and strong augmentation of image batches, on the device of the data."""

import math

import torch
from torch.nn import functional as F

from skprune._utils._checks import check_number
from skprune._utils._device import send
from skprune.augment._policy import Policy

_ROTATE, _SHEAR, _TRANSLATE, _FACTOR = math.pi / 6, 0.3, 0.6, 0.9


class ImageWeak(Policy):
    """Random crop after reflection padding, and horizontal flip.

    Parameters
    ----------
    pad : int, default=None
        The largest shift in pixels; None: a sixteenth of the shorter side (2 of 28 or 32 pixels: short runs learn better
        than with the usual 4).
    flip : bool, default=True
        Whether half of the images are mirrored; turn it off for digits and text.

    Examples
    --------
    >>> import torch
    >>> from skprune.augment import ImageWeak
    >>> ImageWeak(flip=False)(torch.rand(4, 1, 8, 8), torch.Generator().manual_seed(0)).shape
    torch.Size([4, 1, 8, 8])
    """

    def __init__(self, pad=None, flip=True):
        self.pad = pad
        self.flip = flip

    def draw(self, shape, generator):
        """Draw shifts in pixels, "shift" (2, n), and "mirror" (n,).

        Parameters
        ----------
        shape : tuple
            (n, C, H, W).
        generator : torch.Generator
            On the CPU.

        Returns
        -------
        dict
            The parameters.
        """
        pad = max(1, round(min(shape[2:]) / 16)) if self.pad is None else self.pad
        check_number("pad", pad, 0)
        shift = torch.randint(-pad, pad + 1, (2, shape[0]), generator=generator)
        mirror = torch.rand(shape[0], generator=generator) < 0.5
        return {"shift": shift, "mirror": mirror & bool(self.flip)}

    def apply(self, x, drawn):
        """Shift and mirror.

        Parameters
        ----------
        x : torch.Tensor of shape (n, C, H, W)
            Images.
        drawn : dict
            What :meth:`draw` returned.

        Returns
        -------
        torch.Tensor of shape (n, C, H, W)
            New images.
        """
        n, channels, height, width = x.shape
        shift, mirror = send(drawn["shift"], x.device)[..., None], send(drawn["mirror"], x.device)[:, None]
        rows = _reflect(torch.arange(height, device=x.device) + shift[0], height)
        columns = _reflect(torch.arange(width, device=x.device) + shift[1], width)
        columns = torch.where(mirror, columns.flip(1), columns)
        pixels = (rows[:, :, None] * width + columns[:, None, :]).view(n, 1, -1).expand(-1, channels, -1)
        return x.reshape(n, channels, -1).gather(2, pixels).view(x.shape)


class ImageStrong(Policy):
    """Random operations of geometry and colour, then cutout, in the way of RandAugment (arXiv 1909.13719).

    Each image draws `n_ops` times one of 13 operations (12 without colour channels), each with a magnitude of its own:
    identity, rotation, shear, translation, brightness, contrast, autocontrast, posterize, solarize, sharpness, colour.
    The operations of geometry come first, as one map of each image; the others are applied to the images that drew them.

    Parameters
    ----------
    n_ops : int, default=2
        Operations for each image.
    magnitude : float, default=1.0
        The largest magnitude, in (0, 1]: at 1 rotation by 30 degrees, shear and translation by 0.3, factors from 0.1 to
        1.9 of brightness, contrast, sharpness and colour, 2 bits of posterize, solarize of all pixels. Autocontrast has none.
    cutout : float, default=0.5
        The largest side of the cut square, as a fraction of the image's; it takes the image's mean. 0: none.

    Examples
    --------
    >>> import torch
    >>> from skprune.augment import ImageStrong
    >>> ImageStrong(n_ops=3)(torch.rand(4, 3, 8, 8), torch.Generator().manual_seed(0)).shape
    torch.Size([4, 3, 8, 8])
    """

    def __init__(self, n_ops=2, magnitude=1.0, cutout=0.5):
        self.n_ops = n_ops
        self.magnitude = magnitude
        self.cutout = cutout

    def draw(self, shape, generator):
        """Draw "operation" (n_ops, n), "strength" (n_ops, n) in [-magnitude, magnitude], and "square" (3, n).

        Parameters
        ----------
        shape : tuple
            (n, C, H, W).
        generator : torch.Generator
            On the CPU.

        Returns
        -------
        dict
            The parameters; a square is its side, as a part of `cutout`, and the row and column of its centre in [0, 1].
        """
        check_number("n_ops", self.n_ops, 0)
        check_number("magnitude", self.magnitude, 0, 1, open_at=(0,))
        check_number("cutout", self.cutout, 0, 1)
        drawn = (self.n_ops, shape[0])
        strength = 2 * torch.rand(drawn, generator=generator) - 1
        return {
            "operation": torch.randint(len(_operations(shape[1])), drawn, generator=generator),
            "strength": self.magnitude * strength,
            "square": torch.rand(3, shape[0], generator=generator),
        }

    def apply(self, x, drawn):
        """Apply the operations and the cutout.

        Parameters
        ----------
        x : torch.Tensor of shape (n, C, H, W)
            Images with values in [0, 1].
        drawn : dict
            What :meth:`draw` returned.

        Returns
        -------
        torch.Tensor of shape (n, C, H, W)
            New images, with values in [0, 1].
        """
        names = _operations(x.shape[1])
        x = _geometry(x, names, drawn["operation"], drawn["strength"])
        for operation, strength in zip(drawn["operation"], drawn["strength"], strict=True):
            self._colour(x, names, operation, strength)
        if self.cutout:
            _cut(x, send(drawn["square"], x.device), self.cutout)
        return x

    @staticmethod
    def _colour(x, names, operation, strength):
        """Change the images that drew an operation of colour, in place, group by group."""
        order = operation.argsort()
        sizes = operation.bincount(minlength=len(names)).tolist()
        strength = send(strength[order], x.device)[:, None, None, None]
        groups = zip(names, send(order, x.device).split(sizes), strength.split(sizes), strict=True)
        for name, rows, amount in groups:
            if name in _COLOUR and len(rows):
                x.index_copy_(0, rows, _COLOUR[name](x.index_select(0, rows), amount).clamp_(0, 1))


def _operations(channels):
    names = ("identity", *_GEOMETRY, *_COLOUR)
    return names if channels == 3 else names[:-1]


def _reflect(index, size):
    if size == 1:
        return torch.zeros_like(index)
    index = index.abs() % (2 * size - 2)
    return torch.minimum(index, 2 * size - 2 - index)


def _geometry(x, names, operation, strength):
    """Return new images, each rotated, sheared and shifted by the sum of what it drew."""
    amount = {name: torch.where(operation == names.index(name), strength, 0.0).sum(0) for name in _GEOMETRY}
    cos, sin = (_ROTATE * amount["rotate"]).cos(), (_ROTATE * amount["rotate"]).sin()
    shear_x, shear_y = _SHEAR * amount["shear_x"], _SHEAR * amount["shear_y"]
    n, _, height, width = x.shape
    aspect = height / width  # the map is one of pixels, the grid one of sides
    across = [cos - sin * shear_y, (cos * shear_x - sin) * aspect, _TRANSLATE * amount["translate_x"]]
    down = [(sin + cos * shear_y) / aspect, sin * shear_x + cos, _TRANSLATE * amount["translate_y"]]
    maps = send(torch.stack([*across, *down], dim=1), x.device)

    down_axis = (2 * torch.arange(height, device=x.device) + 1) / height - 1
    across_axis = (2 * torch.arange(width, device=x.device) + 1) / width - 1
    ones = torch.ones(height * width, device=x.device)
    places = torch.stack([across_axis.repeat(height), down_axis.repeat_interleave(width), ones])
    grid = (maps.view(-1, 3) @ places).view(n, 2, height, width).permute(0, 2, 3, 1)
    return F.grid_sample(x.contiguous(), grid, padding_mode="border", align_corners=False).clamp_(0, 1)


def _scale_around(x, centre, amount):
    return x.sub_(centre).mul_(1 + _FACTOR * amount).add_(centre)


def _autocontrast(x, amount):
    low, high = x.amin(dim=(2, 3), keepdim=True), x.amax(dim=(2, 3), keepdim=True)
    return x.sub_(low).div_((high - low).clamp_(min=1e-3))


def _posterize(x, amount):
    levels = 2 ** (6 - 4 * amount.abs()).round()
    return x.mul_(levels).floor_().div_(levels)


def _sharpness(x, amount):
    """Move each inner pixel away from, or towards, the mean of its 3 x 3 neighbours in which it counts five times."""
    columns = x[:, :, :-2] + x[:, :, 1:-1] + x[:, :, 2:]
    inner = x[:, :, 1:-1, 1:-1]
    smooth = (columns[..., :-2] + columns[..., 1:-1]).add_(columns[..., 2:]).add_(inner, alpha=4).div_(13)
    _scale_around(inner, smooth, amount)
    return x


_GEOMETRY = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")
_COLOUR = {
    "brightness": lambda x, amount: x.mul_(1 + _FACTOR * amount),
    "contrast": lambda x, amount: _scale_around(x, x.mean(dim=(1, 2, 3), keepdim=True), amount),
    "autocontrast": _autocontrast,
    "posterize": _posterize,
    "solarize": lambda x, amount: torch.where(x > 1 - amount.abs(), 1 - x, x),
    "sharpness": _sharpness,
    "colour": lambda x, amount: _scale_around(x, x.mean(dim=1, keepdim=True), amount),
}


def _cut(x, square, size):
    """Fill a square of each image with the image's mean, in place."""
    height, width = x.shape[2:]
    half = (square[0] * size / 2)[:, None]
    rows = (torch.arange(height, device=x.device) + 0.5) / height
    columns = (torch.arange(width, device=x.device) + 0.5) / width
    inside_rows = (rows - square[1][:, None]).abs() < half
    inside_columns = (columns - square[2][:, None]).abs() < half
    kept = (~(inside_rows[:, None, :, None] & inside_columns[:, None, None, :])).to(x.dtype)
    mean = x.mean(dim=(2, 3), keepdim=True)
    x.sub_(mean).mul_(kept).add_(mean)


image_weak = ImageWeak()
image_strong = ImageStrong()
