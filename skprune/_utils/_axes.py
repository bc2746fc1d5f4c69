"""The axes of images: which one holds the channels."""

from numbers import Integral

import numpy as np

_CHANNELS = (1, 3, 4)


def has_plain_axes(shape):
    """Tell whether images of a shape (C, H, W) are read as such."""
    return _last_axis_holds_channels(*shape) is False


def _last_axis_holds_channels(first, second, third):
    """Tell whether the last axis holds the channels and not the first; None where nothing decides."""
    squares = (second == third, first == second)
    if squares == (True, True):
        return None if first > 1 else False
    if any(squares):
        return squares[1]
    if first in _CHANNELS:
        return False
    return True if third in _CHANNELS else None


def channels_first(array):
    """Return images (n, C, H, W) or (n, H, W, C) with their channels first; refuse those whose axes may be either."""
    first, second, third = array.shape[1:]
    is_last = _last_axis_holds_channels(first, second, third)
    if is_last is None:
        shapes = " or ".join(map(str, dict.fromkeys([(first, second, third), (third, first, second)])))
        raise ValueError(
            f"X of shape {array.shape} may hold images (n, C, H, W) or (n, H, W, C): no two sides tell which axis holds the "
            f"channels. Set image_shape=(C, H, W), here {shapes}."
        )
    return array.transpose(0, 3, 1, 2) if is_last else array


def _is_side(side):
    return isinstance(side, Integral) and not isinstance(side, (bool, np.bool_)) and side > 0


def check_image_shape(image_shape):
    """Return an image shape as a tuple, and refuse what is none."""
    sides = image_shape if isinstance(image_shape, (tuple, list, np.ndarray)) else ()
    if len(sides) != 3 or not all(map(_is_side, sides)):
        raise ValueError(f"image_shape must be (C, H, W), got {image_shape!r}.")
    return tuple(int(side) for side in sides)


def as_image_shape(array, image_shape):
    """Give rows the shape that the user named; images may come with their channels last."""
    shape = check_image_shape(image_shape)
    if array.ndim == 2:
        if int(np.prod(shape)) != array.shape[1]:
            raise ValueError(f"image_shape={shape} needs {int(np.prod(shape))} columns, X has {array.shape[1]}.")
        return array.reshape(len(array), *shape)
    if array.ndim == 3 and (1, *array.shape[1:]) == shape:
        return array[:, None]
    if array.ndim == 4 and array.shape[1:] != shape and (array.shape[3], *array.shape[1:3]) == shape:
        return array.transpose(0, 3, 1, 2)
    if array.shape[1:] != shape:
        raise ValueError(f"image_shape={shape} does not match images of shape {array.shape[1:]}.")
    return array
