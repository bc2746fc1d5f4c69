"""The size at which models see images: photos are scaled down where a net on the CPU would take hours."""

import numpy as np

from skprune._utils._adapters import is_own_net
from skprune._utils._doc_links import see
from skprune._utils._mapped import empty_rows, is_mapped, row_chunks
from skprune._utils._parameter_checks import check_count
from skprune._utils._warnings import warn_user

_MOST_PIXELS = 96
_SMALLER = 64


def check_image_size(image_size, *, is_image):
    """Refuse what is no size, and a size for a table."""
    if isinstance(image_size, str) and image_size == "auto":
        return
    if isinstance(image_size, str):
        raise ValueError(f"image_size must be 'auto', None or an integer of at least 1, got {image_size!r}.")
    check_count("image_size", image_size, optional=True)
    if image_size is not None and not is_image:
        raise ValueError(
            f"image_size={image_size!r} is the size of images, and X is a table. Set image_shape=(C, H, W) for flat rows."
        )


def scaled_side(image_size, models, pool):
    """Return the length to which the shorter side of the images is scaled, None if they stay as they are."""
    if pool.ndim != 4 or image_size is None:
        return None
    shorter = min(pool.shape[2:])
    if not isinstance(image_size, str):
        return int(image_size) if image_size < shorter else None
    nets = [model for model in (models.labeler, models.proxy) if model is not None]
    if shorter <= _MOST_PIXELS or not all(_is_default_on_cpu(net) for net in nets):
        return None
    height, width = _sides(pool.shape[2:], _SMALLER)
    warn_user(
        f"The nets see the images of {pool.shape[2]} x {pool.shape[3]} pixels scaled to {height} x {width}, since larger ones "
        "take hours on a CPU. The kept rows are those of X, as they are. image_size=None changes nothing, an integer sets "
        "the shorter side." + see("labeling#photos")
    )
    return _SMALLER


def scale_images(pool, side):
    """Return images with a shorter side of so many pixels, of the same dtype; None leaves them as they are."""
    if side is None:
        return pool
    import torch

    sides = _sides(pool.shape[2:], side)
    scaled = empty_rows((*pool.shape[:2], *sides), pool.dtype, mapped=is_mapped(pool))
    for rows in row_chunks(pool, np.float32):
        part = torch.from_numpy(pool[rows].astype(np.float32))
        part = torch.nn.functional.interpolate(part, size=sides, mode="bilinear", antialias=True).numpy()
        scaled[rows] = part.round().clip(0, 255) if pool.dtype == np.uint8 else part
    return np.asarray(scaled)


def _sides(sides, shorter):
    """Return height and width of images that are scaled to a shorter side."""
    return tuple(max(1, round(side * shorter / min(sides))) for side in sides)


def _is_default_on_cpu(model):
    """Tell whether a model is a net of skprune without a network chosen by the user, and trains on the CPU."""
    if not is_own_net(model) or model.module is not None:
        return False
    from skprune._utils._device import resolve_device

    return resolve_device(model.device).type == "cpu"
