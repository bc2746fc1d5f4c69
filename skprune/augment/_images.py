"""Weak and strong augmentation of image batches."""

import torch

from skprune._utils._device import send_together
from skprune._utils._parameter_checks import check_count, check_number
from skprune.augment._image_operations import Groups, affine_maps, cut_out, cutout_sides, move, operations
from skprune.augment._policy import Policy, check_floating


def _check_images(policy, shape):
    """Refuse a batch that holds no images."""
    if len(shape) != 4:
        raise ValueError(
            f"{type(policy).__name__} augments images (n, C, H, W), got a batch of shape {tuple(shape)}. TabularWeak and "
            "TabularStrong augment tables."
        )


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
        _check_images(self, shape)
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
        shift, mirror = send_together([drawn["shift"][..., None], drawn["mirror"].long()[:, None]], x.device)
        rows = _reflect(torch.arange(height, device=x.device) + shift[0], height)
        columns = _reflect(torch.arange(width, device=x.device) + shift[1], width)
        columns = torch.where(mirror.bool(), columns.flip(1), columns)
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
        _check_images(self, shape)
        check_count("n_ops", self.n_ops, least=0)
        check_number("magnitude", self.magnitude, 0, 1, open_at=(0,))
        check_number("cutout", self.cutout, 0, 1)
        drawn = (self.n_ops, shape[0])
        strength = 2 * torch.rand(drawn, generator=generator) - 1
        return {
            "operation": torch.randint(len(operations(shape[1])), drawn, generator=generator),
            "strength": self.magnitude * strength,
            "square": torch.rand(3, shape[0], generator=generator),
        }

    def apply(self, x, drawn):
        """Apply the operations and the cutout.

        Parameters
        ----------
        x : torch.Tensor of shape (n_samples, channels, height, width)
            Images with values in [0, 1], of any floating type; they are computed in single precision.
        drawn : dict of str to torch.Tensor
            Parameters, as returned by :meth:`draw`.

        Returns
        -------
        torch.Tensor of shape (n_samples, channels, height, width)
            The augmented images, with values in [0, 1].

        Raises
        ------
        TypeError
            `x` does not hold floating numbers.
        """
        check_floating(self, x)
        names = operations(x.shape[1])
        groups = [Groups(names, *one) for one in zip(drawn["operation"], drawn["strength"], strict=True)]
        on_host = [
            affine_maps(x.shape, drawn["operation"], drawn["strength"]),
            *cutout_sides(x.shape, drawn["square"], self.cutout),
            *(group.amount for group in groups),
        ]
        maps, inside_rows, inside_columns, *amounts = send_together(on_host, x.device)
        all_rows = send_together([group.rows for group in groups], x.device)
        dtype, x = x.dtype, move(x.float(), maps)
        for group, rows, amount in zip(groups, all_rows, amounts, strict=True):
            group.color(x, rows, amount)
        if self.cutout:
            cut_out(x, inside_rows, inside_columns)
        return x.to(dtype)


def _reflect(index, size):
    if size == 1:
        return torch.zeros_like(index)
    index = index.abs() % (2 * size - 2)
    return torch.minimum(index, 2 * size - 2 - index)
