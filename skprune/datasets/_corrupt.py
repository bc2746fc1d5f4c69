"""Corruptions of images."""

import numpy as np
from scipy.ndimage import convolve1d, gaussian_filter, zoom

from skprune._utils._parameter_checks import check_number
from skprune._utils._seeds import generator_for

KINDS = ("low_resolution", "black_rectangle", "gaussian_noise", "fog", "motion_blur")


def corrupt_images(X, *, fraction=0.3, return_kinds=False, random_state=None):
    """Corrupt a fraction of the images with five kinds of corruption, in equal shares.

    The kinds are low resolution (a quarter of the side), a black rectangle (a quarter to a half of each side), Gaussian noise
    (standard deviation 0.2 of the range), fog (smooth white clouds, 0.4 to 0.8 opaque) and horizontal or vertical motion blur
    (over a quarter of the side).

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_channels, height, width) or (n_samples, height, width)
        Images, uint8 or float; the range of float images is taken from the data.
    fraction : float, default=0.3
        The fraction of images to corrupt, in [0, 1].
    return_kinds : bool, default=False
        Whether to return the kind of each image as well.
    random_state : int, RandomState or None, default=None
        Determines which images are corrupted, and how.

    Returns
    -------
    corrupted : ndarray of the shape and dtype of X
        A new array; `X` is not modified.
    kinds : ndarray of shape (n_samples,), str
        "clean", or the name of the corruption. Only returned if `return_kinds` is True.

    Raises
    ------
    ValueError
        X does not hold images, or holds NaN or infinity, or `fraction` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.datasets import corrupt_images
    >>> X = np.full((100, 1, 8, 8), 128, dtype=np.uint8)
    >>> _, kinds = corrupt_images(X, return_kinds=True, random_state=0)
    >>> int((kinds == "fog").sum()), int((kinds == "clean").sum())
    (6, 70)
    """
    X = np.asarray(X)
    if X.ndim not in (3, 4) or X.dtype.kind not in "uf":
        raise ValueError(
            f"X must be images (n, C, H, W) or (n, H, W), uint8 or float, got {X.dtype} of shape {X.shape}."
        )
    if X.dtype.kind == "f":
        broken = ~np.isfinite(X).reshape(len(X), -1).all(axis=1)
        if broken.any():
            raise ValueError(
                f"X holds NaN or infinity in {int(broken.sum())} images, first in image {int(broken.argmax())}. Replace these "
                "values, or leave the images out."
            )
    check_number("fraction", fraction, 0, 1)
    rng = generator_for("corrupt_images", random_state)
    low, high = (0.0, 255.0) if X.dtype == np.uint8 else (float(X.min()), float(X.max()))
    out = X.copy()
    kinds = np.full(len(X), "clean", dtype=f"U{max(map(len, KINDS))}")
    chosen = rng.permutation(len(X))[: round(fraction * len(X))]
    for kind, rows in zip(KINDS, np.array_split(chosen, len(KINDS)), strict=True):
        kinds[rows] = kind
        for row in rows:
            image = (X[row].astype(np.float64) - low) / ((high - low) or 1.0)
            image = np.clip(_CORRUPTIONS[kind](image, rng), 0.0, 1.0) * (high - low) + low
            out[row] = np.round(image) if X.dtype.kind == "u" else image
    return (out, kinds) if return_kinds else out


def _low_resolution(image, rng):
    height, width = image.shape[-2:]
    rows = np.linspace(0, height, max(2, height // 4) + 1).astype(int)
    columns = np.linspace(0, width, max(2, width // 4) + 1).astype(int)
    small = np.add.reduceat(np.add.reduceat(image, rows[:-1], axis=-2), columns[:-1], axis=-1)
    small /= np.outer(np.diff(rows), np.diff(columns))
    return np.repeat(np.repeat(small, np.diff(rows), axis=-2), np.diff(columns), axis=-1)


def _black_rectangle(image, rng):
    image = image.copy()
    height, width = image.shape[-2:]
    tall, wide = (rng.integers(side // 4, side // 2 + 1) for side in (height, width))
    top, left = rng.integers(height - tall + 1), rng.integers(width - wide + 1)
    image[..., top : top + tall, left : left + wide] = 0.0
    return image


def _gaussian_noise(image, rng):
    return image + rng.normal(0.0, 0.2, size=image.shape)


def _fog(image, rng):
    height, width = image.shape[-2:]
    clouds = zoom(gaussian_filter(rng.random((6, 6)), 0.7), (height / 6, width / 6), order=1)[:height, :width]
    clouds = 0.4 + 0.4 * (clouds - clouds.min()) / (np.ptp(clouds) or 1.0)
    return image * (1.0 - clouds) + clouds


def _motion_blur(image, rng):
    axis = -1 - rng.integers(2)
    length = max(3, image.shape[axis] // 4)
    return convolve1d(image, np.full(length, 1.0 / length), axis=axis, mode="nearest")


_CORRUPTIONS = dict(zip(KINDS, (_low_resolution, _black_rectangle, _gaussian_noise, _fog, _motion_blur), strict=True))
