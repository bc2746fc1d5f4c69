"""Data of your own: images in folders, arrays in a file."""

from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from skprune._utils._csv_files import check_names, numbered_cells
from skprune._utils._images import image_files, read_image
from skprune._utils._npz_files import read_npz
from skprune._utils._parameter_checks import check_count
from skprune._utils._pool import check_equal_length

UNLABELED_FOLDERS = ("unlabeled", "unlabelled")


def load_image_folder(folder, *, size, gray=False, return_X_y=False):
    """Load images from a folder with one subfolder for each class and, optionally, one for unlabeled images.

    Parameters
    ----------
    folder : path-like
        Holds ``class_name/image.png`` and the like, at any depth below the class; images in a subfolder named ``unlabeled``
        (or ``unlabelled``) have no label. All formats that Pillow reads are supported. Links are followed; files and folders
        whose names begin with a dot are left out.
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
        An image is broken or has more than 8 bits per channel, or `size` is not an integer of at least 1.

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
    check_count("size", size)
    folder = Path(folder)
    files = [file for file in image_files(folder, subfolders=True) if file.parent != folder]
    if not files:
        raise FileNotFoundError(
            f"{folder} holds no images in subfolders named after classes. For images side by side and a file of labels, use "
            "load_images."
        )
    data = read_image_files(files, size, gray)
    names = [file.relative_to(folder).parts[0] for file in files]
    target = np.array([None if name.casefold() in UNLABELED_FOLDERS else name for name in names], dtype=object)
    return (data, target) if return_X_y else Bunch(data=data, target=target, filenames=files)


def load_images(folder, labels="labels.csv", *, size=None, gray=False, return_X_y=False):
    """Load the images of a folder, and their labels from a CSV file of names and labels.

    Parameters
    ----------
    folder : path-like
        Holds the images themselves, in any formats that Pillow reads. Subfolders are not read, nor are files whose names
        begin with a dot.
    labels : path-like, default="labels.csv"
        A CSV file with the columns ``filename`` (or ``id``, as the command line writes it) and ``label``, separated by commas,
        semicolons or tabs; a path that is not absolute starts in `folder`. Images that it does not name, or whose label is
        empty, have no label.
    size : int, default=None
        Height and width of the result: images are cropped to a centered square, then resized. None leaves them as they are,
        and all must be of the same size.
    gray : bool, default=False
        Whether to convert the images to gray, with a single channel.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    data : Bunch
        A dictionary with attribute access:

        data : ndarray of shape (n_samples, 3, height, width) or (n_samples, 1, height, width), uint8
            The images, sorted by name.
        target : ndarray of shape (n_samples,), object
            The label of each image, a str; None for unlabeled images.
        filenames : list of pathlib.Path of length n_samples
            The file of each image.
    (data, target) : tuple of ndarray
        If `return_X_y` is True.

    Raises
    ------
    FileNotFoundError
        The folder holds no images, or `labels` does not exist or names an image that does not.
    ValueError
        `labels` lacks a column, gives an image two labels, or is not a CSV file in UTF-8; images differ in size and `size` is
        None; an image is broken or has more than 8 bits per channel; or `size` is not an integer of at least 1.

    See Also
    --------
    load_image_folder : Load images from one subfolder for each class.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from skprune.datasets import load_images
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("1.png", "2.png", "3.png"):
    ...         Image.new("RGB", (40, 30)).save(f"{folder}/{name}")
    ...     _ = Path(folder, "labels.csv").write_text("filename,label\\n1.png,cat\\n3.png,dog\\n")
    ...     X, y = load_images(folder, size=16, return_X_y=True)
    >>> X.shape, y.tolist()
    ((3, 3, 16, 16), ['cat', None, 'dog'])
    """
    check_count("size", size, optional=True)
    folder = Path(folder)
    files = image_files(folder, subfolders=False)
    if not files:
        raise FileNotFoundError(
            f"{folder} holds no images. For images in subfolders named after classes, use load_image_folder."
        )
    label_of = _read_labels(folder / labels)
    lost = sorted(set(label_of) - {file.name for file in files})
    if lost:
        raise FileNotFoundError(
            f"{labels} names {len(lost)} images that are not in {folder}: {', '.join(map(repr, lost[:3]))}"
            f"{' and more' if len(lost) > 3 else ''}."
        )
    data = read_image_files(files, size, gray)
    target = np.array([label_of.get(file.name) for file in files], dtype=object)
    return (data, target) if return_X_y else Bunch(data=data, target=target, filenames=files)


def read_image_files(files, size, gray):
    """Return the images of files as one array; without a size, all must have that of the first."""
    first = read_image(files[0], gray=gray, size=size)
    data = np.empty((len(files), *first.shape), dtype=np.uint8)
    for row, file in enumerate(files):
        image = first if row == 0 else read_image(file, gray=gray, size=size)
        if image.shape != first.shape:
            raise ValueError(
                f"{file} is {image.shape[2]} x {image.shape[1]} pixels, and {files[0]} {first.shape[2]} x {first.shape[1]}. "
                "Set size=, to which all images are cropped and resized."
            )
        data[row] = image
    return data


def _read_labels(file):
    """Return the label of each name in a CSV file; None where it is empty."""
    lines = numbered_cells(file)
    _, columns = next(lines, (1, []))
    check_names(columns, file)
    names = [name for name in ("filename", "id") if name in columns]
    if not names or "label" not in columns:
        raise ValueError(f"{file} must have the columns filename (or id) and label; its first line names {columns}.")
    labels = {}
    for _, cells in lines:
        line = dict(zip(columns, cells, strict=True))
        name, label = line[names[0]], line["label"].strip() or None
        if labels.setdefault(name, label) != label:
            raise ValueError(f"{file} gives {name!r} two labels, {labels[name]!r} and {label!r}.")
    return labels


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
        ``x_train`` or ``y_train`` is missing, the lengths of images and labels differ, an array is pickled, or the file is
        damaged or no ``.npz`` file.

    Examples
    --------
    >>> import tempfile
    >>> from skprune.datasets import load_npz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/mine.npz", x_train=np.zeros((3, 2)), y_train=[0, 1, -1])
    ...     load_npz(f"{folder}/mine.npz").y_train
    array([ 0,  1, -1])
    """
    data = Bunch(**read_npz(file, ("x_train", "y_train"), others=True))
    for part in ("train", "test"):
        if f"x_{part}" in data and f"y_{part}" in data:
            check_equal_length(data[f"x_{part}"], data[f"y_{part}"], f"y_{part}")
    return data
