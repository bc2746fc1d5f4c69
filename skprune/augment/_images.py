"""Weak and strong augmentation of image batches, on the device of the data."""

import math

import torch
from torch.nn import functional as F

_GEOMETRY = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")
_COLOUR = ("brightness", "contrast", "autocontrast", "posterize", "solarize", "sharpness", "colour")
_ROTATE, _SHEAR, _TRANSLATE = math.pi / 6, 0.3, 0.3


def image_weak(x, generator, *, pad=None, flip=True):
    """Random crop after reflection padding, and horizontal flip.

    Parameters
    ----------
    x : torch.Tensor of shape (n, C, H, W)
        Images.
    generator : torch.Generator
        On the device of `x`.
    pad : int, default=None
        The largest shift in pixels; None: a sixteenth of the shorter side (2 of 28 or 32 pixels: short runs learn better
        than with the usual 4).
    flip : bool, default=True
        Whether half of the images are mirrored; turn it off for digits and text.

    Returns
    -------
    torch.Tensor of shape (n, C, H, W)
        New images.

    Examples
    --------
    >>> import torch
    >>> from skprune.augment import image_weak
    >>> image_weak(torch.rand(4, 1, 8, 8), torch.Generator().manual_seed(0)).shape
    torch.Size([4, 1, 8, 8])
    """
    n, _, height, width = x.shape
    pad = max(1, round(min(height, width) / 16)) if pad is None else pad
    shift = torch.randint(-pad, pad + 1, (2, n, 1), generator=generator, device=x.device)
    mirror = torch.rand(n, 1, generator=generator, device=x.device) < 0.5

    rows = _reflect(torch.arange(height, device=x.device) + shift[0], height)
    columns = _reflect(torch.arange(width, device=x.device) + shift[1], width)
    if flip:
        columns = torch.where(mirror, columns.flip(1), columns)
    sample = torch.arange(n, device=x.device)[:, None, None]
    picked = x.permute(0, 2, 3, 1)[sample, rows[:, :, None], columns[:, None, :]]
    return picked.permute(0, 3, 1, 2)


def image_strong(x, generator, *, n_ops=2, cutout=0.5):
    """Apply random operations of geometry and colour, then cutout, in the way of RandAugment (arXiv 1909.13719).

    Each image draws `n_ops` of 13 operations (12 without colour channels), each with a magnitude of its own: rotation,
    shear, translation, brightness, contrast, autocontrast, posterize, solarize, sharpness, colour, identity.

    Parameters
    ----------
    x : torch.Tensor of shape (n, C, H, W)
        Images with values in [0, 1].
    generator : torch.Generator
        On the device of `x`.
    n_ops : int, default=2
        Operations for each image.
    cutout : float, default=0.5
        The largest side of the cut square, as a fraction of the image's; it takes the image's mean. 0: none.

    Returns
    -------
    torch.Tensor of shape (n, C, H, W)
        New images, with values in [0, 1].

    Examples
    --------
    >>> import torch
    >>> from skprune.augment import image_strong
    >>> image_strong(torch.rand(4, 3, 8, 8), torch.Generator().manual_seed(0)).shape
    torch.Size([4, 3, 8, 8])
    """
    n = len(x)
    operations = ("identity", *_GEOMETRY, *(_COLOUR if x.shape[1] == 3 else _COLOUR[:-1]))
    drawn = torch.rand(n, len(operations), generator=generator, device=x.device)
    chosen = drawn >= drawn.kthvalue(len(operations) - n_ops + 1, dim=1, keepdim=True).values
    magnitude = 2 * torch.rand(n, len(operations), generator=generator, device=x.device) - 1
    square = torch.rand(3, n, generator=generator, device=x.device)

    on = dict(zip(operations, chosen.unbind(1), strict=True))
    strength = dict(zip(operations, magnitude.unbind(1), strict=True))
    x = _geometry(x, {name: torch.where(on[name], strength[name], 0.0) for name in _GEOMETRY})
    x = _colour(x, on, strength)
    return _cutout(x, square, cutout) if cutout else x


def _reflect(index, size):
    if size == 1:
        return torch.zeros_like(index)
    index = index.abs() % (2 * size - 2)
    return torch.minimum(index, 2 * size - 2 - index)


def _geometry(x, amount):
    angle = amount["rotate"] * _ROTATE
    cos, sin = angle.cos(), angle.sin()
    shear_x, shear_y = amount["shear_x"] * _SHEAR, amount["shear_y"] * _SHEAR
    first = torch.stack([cos - sin * shear_y, cos * shear_x - sin, amount["translate_x"] * 2 * _TRANSLATE], dim=1)
    second = torch.stack([sin + cos * shear_y, sin * shear_x + cos, amount["translate_y"] * 2 * _TRANSLATE], dim=1)
    grid = F.affine_grid(torch.stack([first, second], dim=1), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid.to(x.dtype), padding_mode="border", align_corners=False)


def _colour(x, on, strength):
    def factor(name):
        return torch.where(on[name], 1 + 0.9 * strength[name], 1.0)[:, None, None, None]

    def where(name, changed):
        return torch.where(on[name][:, None, None, None], changed, x)

    x = (x * factor("brightness")).clamp(0, 1)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    x = (mean + (x - mean) * factor("contrast")).clamp(0, 1)
    low, high = x.amin(dim=(2, 3), keepdim=True), x.amax(dim=(2, 3), keepdim=True)
    x = where("autocontrast", (x - low) / (high - low).clamp(min=1e-3))
    levels = (2 ** (4 + 2 * strength["posterize"]).round())[:, None, None, None]
    x = where("posterize", (x * levels).floor() / levels)
    threshold = (0.5 + 0.5 * strength["solarize"])[:, None, None, None]
    x = where("solarize", torch.where(x > threshold, 1 - x, x))
    blurred = F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
    x = blurred + (x - blurred) * factor("sharpness")
    if "colour" in on:
        grey = x.mean(dim=1, keepdim=True)
        x = grey + (x - grey) * factor("colour")
    return x.clamp(0, 1)


def _cutout(x, square, size):
    n, _, height, width = x.shape
    half = (square[0] * size / 2)[:, None]
    rows = (torch.arange(height, device=x.device) + 0.5) / height
    columns = (torch.arange(width, device=x.device) + 0.5) / width
    inside_rows = (rows - square[1][:, None]).abs() < half
    inside_columns = (columns - square[2][:, None]).abs() < half
    inside = (inside_rows[:, :, None] & inside_columns[:, None, :]).view(n, 1, height, width)
    return torch.where(inside, x.mean(dim=(2, 3), keepdim=True), x)
