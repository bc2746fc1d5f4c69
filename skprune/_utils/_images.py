"""Image files and PIL images, as arrays with their channels first."""

import numpy as np

_GRAY = ("1", "L")


def image_suffixes():
    """Return the suffixes of the files that Pillow reads."""
    from PIL import Image

    return {suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN}


def are_gray(files):
    """Tell whether all image files are gray, without reading their pixels."""
    from PIL import Image

    for file in files:
        with Image.open(file) as image:
            if image.mode not in _GRAY:
                return False
    return True


def read_image(file, *, gray=None, size=None):
    """Return the pixels of an image file, turned as its EXIF says."""
    from PIL import Image, ImageOps

    with Image.open(file) as image:
        return image_pixels(ImageOps.exif_transpose(image), file, gray=gray, size=size)


def image_pixels(image, name, *, gray=None, size=None):
    """Return the pixels (C, H, W) of a PIL image, uint8; `gray=None` leaves gray images gray."""
    from PIL import ImageOps

    if image.mode.startswith(("I", "F")):
        raise ValueError(f"{name} has more than 8 bits per channel (mode {image.mode}), which uint8 cannot hold.")
    if gray is None:
        gray = image.mode in _GRAY
    image = image.convert("L" if gray else "RGB")
    pixels = np.asarray(image if size is None else ImageOps.fit(image, (size, size)))
    return pixels[None] if gray else pixels.transpose(2, 0, 1)
