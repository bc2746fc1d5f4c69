"""Real images from a folder, or through torchvision's download."""

import os
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from skprune._utils._validation import check_equal_length


def load_fashion_mnist(*, data_home=None, download_if_missing=True):
    """Load Fashion-MNIST: 60,000 and 10,000 grey images of clothes in 10 classes (Xiao et al., arXiv 1708.07747).

    Parameters
    ----------
    data_home : path-like, default=None
        The folder with ``fashion_mnist.npz``; None takes ``$SKPRUNE_DATA``, else ``~/.cache/skprune``.
    download_if_missing : bool, default=True
        Whether torchvision downloads the images when the file is not there; the file is then written.

    Returns
    -------
    Bunch
        ``x_train`` (60000, 1, 28, 28) and ``x_test`` (10000, 1, 28, 28), uint8; ``y_train`` and ``y_test``, int64.

    Raises
    ------
    FileNotFoundError
        The file is not there, and `download_if_missing` is False.

    Examples
    --------
    >>> from skprune.datasets import load_fashion_mnist
    >>> load_fashion_mnist(data_home="/nowhere", download_if_missing=False)
    Traceback (most recent call last):
    ...
    FileNotFoundError: /nowhere/fashion_mnist.npz is not there. ...
    """
    return _load("fashion_mnist", "FashionMNIST", data_home, download_if_missing)


def load_cifar10(*, data_home=None, download_if_missing=True):
    """Load CIFAR-10: 50,000 and 10,000 colour images in 10 classes (Krizhevsky, 2009).

    Parameters
    ----------
    data_home : path-like, default=None
        The folder with ``cifar10.npz``; None takes ``$SKPRUNE_DATA``, else ``~/.cache/skprune``.
    download_if_missing : bool, default=True
        Whether torchvision downloads the images when the file is not there; the file is then written.

    Returns
    -------
    Bunch
        ``x_train`` (50000, 3, 32, 32) and ``x_test`` (10000, 3, 32, 32), uint8; ``y_train`` and ``y_test``, int64.

    Raises
    ------
    FileNotFoundError
        The file is not there, and `download_if_missing` is False.

    Examples
    --------
    >>> from skprune.datasets import load_cifar10
    >>> load_cifar10(data_home="/nowhere", download_if_missing=False)
    Traceback (most recent call last):
    ...
    FileNotFoundError: /nowhere/cifar10.npz is not there. ...
    """
    return _load("cifar10", "CIFAR10", data_home, download_if_missing)


def load_cifar100(*, data_home=None, download_if_missing=True):
    """Load CIFAR-100: 50,000 and 10,000 colour images in 100 classes (Krizhevsky, 2009).

    Parameters
    ----------
    data_home : path-like, default=None
        The folder with ``cifar100.npz``; None takes ``$SKPRUNE_DATA``, else ``~/.cache/skprune``.
    download_if_missing : bool, default=True
        Whether torchvision downloads the images when the file is not there; the file is then written.

    Returns
    -------
    Bunch
        ``x_train`` (50000, 3, 32, 32) and ``x_test`` (10000, 3, 32, 32), uint8; ``y_train`` and ``y_test``, int64.

    Raises
    ------
    FileNotFoundError
        The file is not there, and `download_if_missing` is False.

    Examples
    --------
    >>> from skprune.datasets import load_cifar100
    >>> load_cifar100(data_home="/nowhere", download_if_missing=False)
    Traceback (most recent call last):
    ...
    FileNotFoundError: /nowhere/cifar100.npz is not there. ...
    """
    return _load("cifar100", "CIFAR100", data_home, download_if_missing)


def load_image_folder(folder, *, size, grey=False):
    """Load the images of a folder that holds one folder for each class, and one more for images without a label.

    Parameters
    ----------
    folder : path-like
        ``folder/class/image.png``; images in a folder named ``unlabeled`` have no label. Formats are those of Pillow.
    size : int
        Height and width: images are cropped to a square in the middle, then scaled.
    grey : bool, default=False
        Whether to make images grey, of one channel.

    Returns
    -------
    Bunch
        ``x`` (n, 3, size, size) or (n, 1, size, size), uint8; ``y`` (n,), the names of the folders, None for images
        without a label; ``files`` (n,), the paths in the order of the rows.

    Raises
    ------
    FileNotFoundError
        There is no such folder, or no image in it.
    ValueError
        An image has more than 8 bits a channel.

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
    ...     data = load_image_folder(folder, size=16)
    >>> data.x.shape, data.y.tolist()
    ((3, 3, 16, 16), ['cat', 'dog', None])
    """
    from PIL import Image, ImageOps

    known = {suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    files = sorted(file for file in Path(folder).glob("*/**/*") if file.suffix.lower() in known and file.is_file())
    if not files:
        raise FileNotFoundError(f"{folder} holds no images in folders of classes.")
    x = np.empty((len(files), 1 if grey else 3, size, size), dtype=np.uint8)
    for row, file in zip(x, files, strict=True):
        with Image.open(file) as image:
            if image.mode.startswith(("I", "F")):
                raise ValueError(f"{file} has more than 8 bits a channel ({image.mode}), which uint8 does not hold.")
            image = ImageOps.exif_transpose(image).convert("L" if grey else "RGB")
            pixels = np.asarray(ImageOps.fit(image, (size, size)))
        row[:] = pixels if grey else pixels.transpose(2, 0, 1)
    names = [file.relative_to(folder).parts[0] for file in files]
    y = np.array([None if name == "unlabeled" else name for name in names], dtype=object)
    return Bunch(x=x, y=y, files=files)


def load_npz(file):
    """Load arrays of your own from a ``.npz`` file, as the loaders of images return theirs; no pickles are read.

    Parameters
    ----------
    file : path-like
        With ``x_train`` and ``y_train``, and whatever else.

    Returns
    -------
    Bunch
        The arrays by name.

    Raises
    ------
    ValueError
        There is no ``x_train`` or ``y_train``, their lengths differ, or an array is pickled.

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


def _load(name, torchvision_name, data_home, download_if_missing):
    folder = Path(data_home or os.environ.get("SKPRUNE_DATA") or "~/.cache/skprune").expanduser()
    file = folder / f"{name}.npz"
    if not file.exists():
        if not download_if_missing:
            raise FileNotFoundError(
                f"{file} is not there. Put it there, name its folder in data_home or $SKPRUNE_DATA, or pass "
                "download_if_missing=True."
            )
        _download(torchvision_name, folder, file)
    with np.load(file) as arrays:
        return Bunch(**{key: arrays[key] for key in ("x_train", "y_train", "x_test", "y_test")})


def _download(torchvision_name, folder, file):
    from torchvision import datasets

    folder.mkdir(parents=True, exist_ok=True)
    arrays = {}
    for part, train in (("train", True), ("test", False)):
        source = getattr(datasets, torchvision_name)(folder / "torchvision", train=train, download=True)
        images = np.asarray(source.data)
        images = images[:, None] if images.ndim == 3 else np.ascontiguousarray(images.transpose(0, 3, 1, 2))
        arrays[f"x_{part}"] = images
        arrays[f"y_{part}"] = np.asarray(source.targets, dtype=np.int64)
    unfinished = file.with_suffix(".part.npz")
    np.savez(unfinished, **arrays)
    unfinished.rename(file)
