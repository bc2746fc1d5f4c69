"""Data of your own: images in folders, arrays in a file."""

from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from skprune._utils._parameter_checks import check_count
from skprune._utils._pool import check_equal_length

_UNLABELED = ("unlabeled", "unlabelled")


def load_image_folder(folder, *, size, gray=False, return_X_y=False):
    """Load images from a folder with one subfolder for each class and, optionally, one for unlabeled images.

    Parameters
    ----------
    folder : path-like
        Holds ``class_name/image.png`` and the like, at any depth below the class; images in a subfolder named ``unlabeled``
        (or ``unlabelled``) have no label. All formats that Pillow reads are supported.
    size : int
        Height and width of the result: images are cropped to a centered square, then resized.
    gray : bool, default=False
        Whether to convert the images to gray, with a single channel.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    data : Bunch
        A dictionary with attribute access:

        data : ndarray of shape (n_samples, 3, size, size) or (n_samples, 1, size, size), uint8
            The images, sorted by path.
        target : ndarray of shape (n_samples,), object
            The name of the subfolder of each image; None for unlabeled images.
        filenames : list of pathlib.Path of length n_samples
            The file of each image.
    (data, target) : tuple of ndarray
        If `return_X_y` is True.

    Raises
    ------
    FileNotFoundError
        The folder does not exist or holds no images in subfolders.
    ValueError
        An image has more than 8 bits per channel, or `size` is not an integer of at least 1.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from skprune.datasets import load_image_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("cat", "dog", "unlabeled"):
    ...         (Path(folder) / name).mkdir()
    ...         Image.new("RGB", (40, 30)).save(f"{folder}/{name}/1.png")
    ...     X, y = load_image_folder(folder, size=16, return_X_y=True)
    >>> X.shape, y.tolist()
    ((3, 3, 16, 16), ['cat', 'dog', None])
    """
    from PIL import Image, ImageOps

    check_count("size", size)
    suffixes = {suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    files = sorted(file for file in Path(folder).glob("*/**/*") if file.suffix.lower() in suffixes and file.is_file())
    if not files:
        raise FileNotFoundError(f"{folder} holds no images in subfolders named after classes.")
    data = np.empty((len(files), 1 if gray else 3, size, size), dtype=np.uint8)
    for row, file in zip(data, files, strict=True):
        with Image.open(file) as image:
            if image.mode.startswith(("I", "F")):
                raise ValueError(
                    f"{file} has more than 8 bits per channel (mode {image.mode}), which uint8 cannot hold."
                )
            image = ImageOps.exif_transpose(image).convert("L" if gray else "RGB")
            pixels = np.asarray(ImageOps.fit(image, (size, size)))
        row[:] = pixels if gray else pixels.transpose(2, 0, 1)
    names = [file.relative_to(folder).parts[0] for file in files]
    target = np.array([None if name.casefold() in _UNLABELED else name for name in names], dtype=object)
    return (data, target) if return_X_y else Bunch(data=data, target=target, filenames=files)


def load_npz(file):
    """Load arrays from an ``.npz`` file without unpickling anything.

    Parameters
    ----------
    file : path-like
        Must hold the arrays ``x_train`` and ``y_train``; may hold ``x_test``, ``y_test`` and any others.

    Returns
    -------
    Bunch
        All arrays by name.

    Raises
    ------
    ValueError
        ``x_train`` or ``y_train`` is missing, the lengths of images and labels differ, or an array is pickled.

    Examples
    --------
    >>> import tempfile
    >>> from skprune.datasets import load_npz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/mine.npz", x_train=np.zeros((3, 2)), y_train=[0, 1, -1])
    ...     load_npz(f"{folder}/mine.npz").y_train
    array([ 0,  1, -1])
    """
    with np.load(file, allow_pickle=False) as arrays:
        data = Bunch(**{name: arrays[name] for name in arrays.files})
    if not {"x_train", "y_train"} <= set(data):
        raise ValueError(f"{Path(file).name} must hold x_train and y_train; it holds {sorted(data)}.")
    for part in ("train", "test"):
        if f"x_{part}" in data and f"y_{part}" in data:
            check_equal_length(data[f"x_{part}"], data[f"y_{part}"], f"y_{part}")
    return data
