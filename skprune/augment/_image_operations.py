"""The operations of ImageStrong: what they need is computed on the host, so that no step waits to learn what was drawn."""

import math
from functools import lru_cache

import torch
from torch.nn import functional as F

_ROTATE, _SHEAR, _TRANSLATE, _FACTOR = math.pi / 6, 0.3, 0.6, 0.9


def operations(channels):
    """Return the names of the operations for images of so many channels."""
    names = ("identity", *_GEOMETRY, *_COLOR)
    return names if channels == 3 else names[:-1]


def affine_maps(shape, operation, strength):
    """Return an affine map for each image: rotated, sheared and translated by the sums of the strengths it drew."""
    codes = torch.arange(1, len(_GEOMETRY) + 1)[:, None, None]
    angle, shear_x, shear_y, translate_x, translate_y = torch.where(operation == codes, strength, 0.0).sum(dim=1)
    cos, sin = (_ROTATE * angle).cos(), (_ROTATE * angle).sin()
    shear_x, shear_y = _SHEAR * shear_x, _SHEAR * shear_y
    aspect = shape[2] / shape[3]  # the map is one of pixels, the grid one of sides
    across = [cos - sin * shear_y, (cos * shear_x - sin) * aspect, _TRANSLATE * translate_x]
    down = [(sin + cos * shear_y) / aspect, sin * shear_x + cos, _TRANSLATE * translate_y]
    return torch.stack([*across, *down], dim=1)


def move(x, maps):
    """Return new images, moved by affine maps."""
    n, _, height, width = x.shape
    grid = (maps.view(-1, 3) @ _places(height, width, x.device)).view(n, 2, height, width).permute(0, 2, 3, 1)
    return F.grid_sample(x.contiguous(), grid, padding_mode="border", align_corners=False).clamp_(0, 1)


@lru_cache(maxsize=8)
def _places(height, width, device):
    """Return the places of the pixels of images, in [-1, 1], with a 1 below each."""
    down_axis = (2 * torch.arange(height) + 1) / height - 1
    across_axis = (2 * torch.arange(width) + 1) / width - 1
    ones = torch.ones(height * width)
    return torch.stack([across_axis.repeat(height), down_axis.repeat_interleave(width), ones]).to(device)


class Groups:
    """The images that drew a color operation, in the order of the operations, with what each operation reads."""

    def __init__(self, names, operation, strength):
        first = names.index(_FIRST_COLOR)
        sizes = operation.bincount(minlength=len(names)).tolist()
        self.rows = operation.argsort()[sum(sizes[:first]) :]
        self._names, self._sizes = names[first:], sizes[first:]
        strengths = zip(self._names, strength[self.rows].split(self._sizes), strict=True)
        self.amount = torch.cat([_AMOUNTS.get(name, _factor)(drawn) for name, drawn in strengths])

    def color(self, x, rows, amount):
        """Change, in place, the images that drew an operation: one gather, each operation on its slice, one scatter."""
        images, amount = x.index_select(0, rows), amount[:, None, None, None]
        for name, group, group_amount in zip(
            self._names, images.split(self._sizes), amount.split(self._sizes), strict=True
        ):
            if len(group):
                _COLOR[name](group, group_amount)
        x.index_copy_(0, rows, images.clamp_(0, 1))


def _factor(strength):
    return 1 + _FACTOR * strength


def _levels(strength):
    return 2 ** (6 - 4 * strength.abs()).round()


def _solarize_threshold(strength):
    return 1 - strength.abs()


def _scale_around(x, center, factor):
    x.sub_(center).mul_(factor).add_(center)


def _brightness(x, factor):
    x.mul_(factor)


def _contrast(x, factor):
    _scale_around(x, x.mean(dim=(1, 2, 3), keepdim=True), factor)


def _autocontrast(x, factor):
    low, high = x.amin(dim=(2, 3), keepdim=True), x.amax(dim=(2, 3), keepdim=True)
    x.sub_(low).div_((high - low).clamp_(min=1e-3))


def _posterize(x, levels):
    x.mul_(levels).floor_().div_(levels)


def _solarize(x, threshold):
    torch.where(x > threshold, 1 - x, x, out=x)


def _sharpness(x, factor):
    """Move each inner pixel away from the mean of its 3 x 3 neighborhood, in which it counts five times, or toward it."""
    columns = x[:, :, :-2] + x[:, :, 1:-1] + x[:, :, 2:]
    inner = x[:, :, 1:-1, 1:-1]
    smooth = (columns[..., :-2] + columns[..., 1:-1]).add_(columns[..., 2:]).add_(inner, alpha=4).div_(13)
    _scale_around(inner, smooth, factor)


def _saturation(x, factor):
    _scale_around(x, x.mean(dim=1, keepdim=True), factor)


_GEOMETRY = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")
_FIRST_COLOR = "brightness"
_COLOR = {
    "brightness": _brightness,
    "contrast": _contrast,
    "autocontrast": _autocontrast,
    "posterize": _posterize,
    "solarize": _solarize,
    "sharpness": _sharpness,
    "color": _saturation,
}
_AMOUNTS = {"posterize": _levels, "solarize": _solarize_threshold}


def cutout_sides(shape, square, size):
    """Return, for each image, which rows and which columns a square covers."""
    height, width = shape[2:]
    half = (square[0] * size / 2)[:, None]
    rows = (torch.arange(height) + 0.5) / height
    columns = (torch.arange(width) + 0.5) / width
    return ((rows - square[1][:, None]).abs() < half).float(), ((columns - square[2][:, None]).abs() < half).float()


def cut_out(x, inside_rows, inside_columns):
    """Fill a square of each image with the mean of each channel, in place."""
    kept = 1 - inside_rows[:, None, :, None] * inside_columns[:, None, None, :]
    mean = x.mean(dim=(2, 3), keepdim=True)
    x.sub_(mean).mul_(kept).add_(mean)
