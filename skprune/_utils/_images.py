"""Image files and PIL images, as arrays with their channels first."""

from contextlib import contextmanager
from pathlib import Path

import numpy as np

_GRAY = ("1", "L")


def image_suffixes():
    """Return the suffixes of the files that Pillow reads."""
    from PIL import Image

    return {suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN}


def image_files(folder, *, subfolders):
    """Return the images in a folder, sorted, with or without subfolders; links are followed, hidden names are left out."""
    return sorted(_images_in(Path(folder), image_suffixes(), subfolders, ()))


def _images_in(folder, suffixes, subfolders, around):
    around = (*around, folder.resolve())
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.suffix.lower() in suffixes and path.is_file():
            yield path
        elif subfolders and path.is_dir() and path.resolve() not in around:  # else a link to a folder that it is in
            yield from _images_in(path, suffixes, subfolders, around)


def are_gray(files):
    """Tell whether all image files are gray, without reading their pixels."""
    from PIL import Image

    for file in files:
        with _named(file), Image.open(file) as image:
            if image.mode not in _GRAY:
                return False
    return True


def read_image(file, *, gray=None, size=None):
    """Return the pixels of an image file, turned as its EXIF says."""
    from PIL import Image, ImageOps

    with _named(file), Image.open(file) as opened:
        image = ImageOps.exif_transpose(opened)  # which reads the pixels
    return image_pixels(image, file, gray=gray, size=size)


def image_pixels(image, name, *, gray=None, size=None):
    """Return the pixels (C, H, W) of a PIL image, uint8; `gray=None` leaves gray images gray."""
    from PIL import ImageOps

    with _named(name):
        image.load()
    if image.mode.startswith(("I", "F")):
        raise ValueError(f"{name} has more than 8 bits per channel (mode {image.mode}), which uint8 cannot hold.")
    if gray is None:
        gray = image.mode in _GRAY
    image = image.convert("L" if gray else "RGB")
    pixels = np.asarray(image if size is None else ImageOps.fit(image, (size, size)))
    return pixels[None] if gray else pixels.transpose(2, 0, 1)


@contextmanager
def _named(name):
    """Name the image that Pillow cannot read; its errors are of many kinds, and most name nothing."""
    from PIL import UnidentifiedImageError

    try:
        yield
    except Exception as error:
        if (
            isinstance(error, MemoryError) or getattr(error, "filename", None) is not None
        ):  # the file is lost, for example
            raise
        known = not isinstance(error, UnidentifiedImageError)
        reason = str(error).rstrip(".") if known else "Pillow knows no format that it is in"
        raise ValueError(f"{name} cannot be read as an image: {reason}.") from error
