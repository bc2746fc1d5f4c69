"""Weak and strong augmentation of image batches."""

import math

import torch
from torch.nn import functional as F

from skprune._utils._device import send
from skprune._utils._parameter_checks import check_count, check_number
from skprune.augment._policy import Policy

_ROTATE, _SHEAR, _TRANSLATE, _FACTOR = math.pi / 6, 0.3, 0.6, 0.9


class ImageWeak(Policy):
    """Shift images by a few pixels and mirror half of them.

    Each image is padded by reflection and cropped back to its size at a random place, then mirrored with probability 0.5.

    Parameters
    ----------
    pad : int, default=None
        Largest shift in pixels, in each direction. None takes a sixteenth of the shorter side: 2 pixels for images of 28 or
        32, with which short runs learn better than with the usual 4.
    flip : bool, default=True
        Whether to mirror images; set it to False for digits and text.

    See Also
    --------
    ImageStrong : Changes of geometry and color, and cutout.

    Examples
    --------
    >>> import torch
    >>> from skprune.augment import ImageWeak
    >>> ImageWeak(flip=False)(torch.rand(4, 1, 8, 8), torch.Generator().manual_seed(0)).shape
    torch.Size([4, 1, 8, 8])
    """

    def __init__(self, pad=None, *, flip=True):
        self.pad = pad
        self.flip = flip

    def draw(self, shape, generator):
        """Draw shifts and mirrorings.

        Parameters
        ----------
        shape : tuple of int
            (n_samples, channels, height, width).
        generator : torch.Generator
            Source of all random numbers, on the CPU.

        Returns
        -------
        dict of str to torch.Tensor
            "shift" of shape (2, n_samples), int64, in pixels down and to the right of where the crop begins, and "mirror" of
            shape (n_samples,), bool.

        Raises
        ------
        ValueError
            `pad` is refused.
        """
        check_count("pad", self.pad, least=0, optional=True)
        pad = max(1, round(min(shape[2:]) / 16)) if self.pad is None else self.pad
        shift = torch.randint(-pad, pad + 1, (2, shape[0]), generator=generator)
        mirror = torch.rand(shape[0], generator=generator) < 0.5
        return {"shift": shift, "mirror": mirror & bool(self.flip)}

    def apply(self, x, drawn):
        """Shift and mirror images.

        Parameters
        ----------
        x : torch.Tensor of shape (n_samples, channels, height, width)
            Images.
        drawn : dict of str to torch.Tensor
            Parameters, as returned by :meth:`draw`.

        Returns
        -------
        torch.Tensor of shape (n_samples, channels, height, width)
            The augmented images.
        """
        n, channels, height, width = x.shape
        shift, mirror = send(drawn["shift"], x.device)[..., None], send(drawn["mirror"], x.device)[:, None]
        rows = _reflect(torch.arange(height, device=x.device) + shift[0], height)
        columns = _reflect(torch.arange(width, device=x.device) + shift[1], width)
        columns = torch.where(mirror, columns.flip(1), columns)
        pixels = (rows[:, :, None] * width + columns[:, None, :]).view(n, 1, -1).expand(-1, channels, -1)
        return x.reshape(n, channels, -1).gather(2, pixels).view(x.shape)


class ImageStrong(Policy):
    r"""Apply random changes of geometry and color to images, then cutout.

    A variant of RandAugment (Cubuk et al., arXiv 1909.13719) in which every image draws operations and strengths of its own.
    Each image draws `n_ops` times from 13 operations (12 unless it has three channels), and for each draw a strength
    :math:`s`, uniform on :math:`[-m, m]` with :math:`m` = `magnitude`:

    - identity
    - rotation by :math:`30 s` degrees
    - horizontal shear, vertical shear by :math:`0.3 s`
    - horizontal translation, vertical translation by :math:`0.3 s` of the side
    - brightness :math:`f x`, with :math:`f = 1 + 0.9 s`
    - contrast :math:`\bar{x} + f (x - \bar{x})`, where :math:`\bar{x}` is the mean of the image
    - autocontrast :math:`(x - \min x) / (\max x - \min x)` of each channel
    - posterize :math:`\lfloor 2^b x \rfloor / 2^b`, with :math:`b = 6 - 4 |s|` bits, rounded
    - solarize: :math:`1 - x` for pixels above :math:`1 - |s|`
    - sharpness :math:`\tilde{x} + f (x - \tilde{x})`, where :math:`\tilde{x}` is the image smoothed by a 3 x 3 filter
    - color, as contrast, with the mean of the channels at each pixel as :math:`\bar{x}`

    The changes of geometry come first, combined into one affine map per image. The other operations follow in the order in
    which they were drawn, with values clipped to [0, 1] after each of them. Cutout comes last.

    Parameters
    ----------
    n_ops : int, default=2
        Number of operations per image, at least 0.
    magnitude : float, default=1.0
        Largest strength :math:`m`, in (0, 1].
    cutout : float, default=0.5
        Largest side of the square that is cut out of each image, as a fraction of the image's sides, in [0, 1]; it is filled
        with the mean of each channel. 0 cuts nothing out.

    See Also
    --------
    ImageWeak : Shifts and mirrorings.

    Examples
    --------
    >>> import torch
    >>> from skprune.augment import ImageStrong
    >>> ImageStrong(n_ops=3)(torch.rand(4, 3, 8, 8), torch.Generator().manual_seed(0)).shape
    torch.Size([4, 3, 8, 8])
    """

    def __init__(self, n_ops=2, *, magnitude=1.0, cutout=0.5):
        self.n_ops = n_ops
        self.magnitude = magnitude
        self.cutout = cutout

    def draw(self, shape, generator):
        """Draw operations, strengths and squares.

        Parameters
        ----------
        shape : tuple of int
            (n_samples, channels, height, width).
        generator : torch.Generator
            Source of all random numbers, on the CPU.

        Returns
        -------
        dict of str to torch.Tensor
            "operation" of shape (n_ops, n_samples), int64, numbered from 0 in the order of the list above; "strength" of
            shape (n_ops, n_samples); "square" of shape (3, n_samples), the side as a fraction of `cutout`, and the row and column
            of the center in [0, 1].

        Raises
        ------
        ValueError
            `n_ops`, `magnitude` or `cutout` is refused.
        """
        check_count("n_ops", self.n_ops, least=0)
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
        x : torch.Tensor of shape (n_samples, channels, height, width)
            Images with values in [0, 1].
        drawn : dict of str to torch.Tensor
            Parameters, as returned by :meth:`draw`.

        Returns
        -------
        torch.Tensor of shape (n_samples, channels, height, width)
            The augmented images, with values in [0, 1].
        """
        names = _operations(x.shape[1])
        x = _geometry(x, names, drawn["operation"], drawn["strength"])
        for operation, strength in zip(drawn["operation"], drawn["strength"], strict=True):
            _color(x, names, operation, strength)
        if self.cutout:
            _cut(x, drawn["square"], self.cutout)
        return x


def _operations(channels):
    names = ("identity", *_GEOMETRY, *_COLOR)
    return names if channels == 3 else names[:-1]


def _reflect(index, size):
    if size == 1:
        return torch.zeros_like(index)
    index = index.abs() % (2 * size - 2)
    return torch.minimum(index, 2 * size - 2 - index)


def _geometry(x, names, operation, strength):
    """Return new images, each rotated, sheared and translated by the sums of the strengths it drew."""
    codes = torch.tensor([names.index(name) for name in _GEOMETRY])[:, None, None]
    angle, shear_x, shear_y, translate_x, translate_y = torch.where(operation == codes, strength, 0.0).sum(dim=1)
    cos, sin = (_ROTATE * angle).cos(), (_ROTATE * angle).sin()
    shear_x, shear_y = _SHEAR * shear_x, _SHEAR * shear_y
    n, _, height, width = x.shape
    aspect = height / width  # the map is one of pixels, the grid one of sides
    across = [cos - sin * shear_y, (cos * shear_x - sin) * aspect, _TRANSLATE * translate_x]
    down = [(sin + cos * shear_y) / aspect, sin * shear_x + cos, _TRANSLATE * translate_y]
    maps = send(torch.stack([*across, *down], dim=1), x.device)

    down_axis = (2 * torch.arange(height) + 1) / height - 1
    across_axis = (2 * torch.arange(width) + 1) / width - 1
    ones = torch.ones(height * width)
    places = send(torch.stack([across_axis.repeat(height), down_axis.repeat_interleave(width), ones]), x.device)
    grid = (maps.view(-1, 3) @ places).view(n, 2, height, width).permute(0, 2, 3, 1)
    return F.grid_sample(x.contiguous(), grid, padding_mode="border", align_corners=False).clamp_(0, 1)


def _color(x, names, operation, strength):
    """Change, in place, the images that drew a color operation: one gather, each operation on its slice, one scatter."""
    first = names.index(_FIRST_COLOR)
    sizes = operation.bincount(minlength=len(names)).tolist()
    rows = operation.argsort()[sum(sizes[:first]) :]
    names, sizes = names[first:], sizes[first:]
    strengths = zip(names, strength[rows].split(sizes), strict=True)
    amount = torch.cat([_AMOUNTS.get(name, _factor)(drawn) for name, drawn in strengths])  # on the CPU
    rows, amount = send(rows, x.device), send(amount, x.device)[:, None, None, None]
    images = x.index_select(0, rows)
    for name, group, group_amount in zip(names, images.split(sizes), amount.split(sizes), strict=True):
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


def _cut(x, square, size):
    """Fill a square of each image with the mean of each channel, in place."""
    height, width = x.shape[2:]
    half = (square[0] * size / 2)[:, None]
    rows = (torch.arange(height) + 0.5) / height
    columns = (torch.arange(width) + 0.5) / width
    inside_rows = send(((rows - square[1][:, None]).abs() < half).to(x.dtype), x.device)
    inside_columns = send(((columns - square[2][:, None]).abs() < half).to(x.dtype), x.device)
    kept = 1 - inside_rows[:, None, :, None] * inside_columns[:, None, None, :]
    mean = x.mean(dim=(2, 3), keepdim=True)
    x.sub_(mean).mul_(kept).add_(mean)
