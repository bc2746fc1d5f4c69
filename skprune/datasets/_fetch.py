"""Public image data sets: read from a folder, downloaded once where they are missing."""

import os
from pathlib import Path
from uuid import uuid4

import numpy as np
from sklearn.utils import Bunch

from skprune._utils._docstrings import fill_docstring
from skprune._utils._locks import lock_of
from skprune._utils._parameter_checks import check_option

_fill = fill_docstring(
    subset="""subset : {"train", "test"}, default="train"
    Which part of the data set to return.""",
    data_home="""data_home : path-like, default=None
    The folder that holds the file; None takes the environment variable ``SKPRUNE_DATA`` if set, else
    ``~/.cache/skprune``.""",
    download_if_missing="""download_if_missing : bool, default=True
    Whether to download the images through torchvision, and write the file, if it does not exist. Processes that need the
    same file at the same time download it once.""",
    return_X_y="""return_X_y : bool, default=False
    Whether to return ``(data, target)`` instead of a Bunch.""",
    target="""target : ndarray of shape (n_samples,), int64
    The class of each image, 0 to n_classes - 1.""",
    errors="""ValueError
    `subset` is neither "train" nor "test", or the images must be downloaded and `data_home` cannot be written to.
FileNotFoundError
    The file does not exist and `download_if_missing` is False.""",
)


@_fill
def fetch_fashion_mnist(*, subset="train", data_home=None, download_if_missing=True, return_X_y=False):
    """Load Fashion-MNIST, gray images of clothes in 10 classes (Xiao et al., arXiv 1708.07747).

    The training set has 60,000 images, the test set 10,000. They are stored in ``fashion_mnist.npz``.

    Parameters
    ----------
    $subset
    $data_home
    $download_if_missing
    $return_X_y

    Returns
    -------
    data : Bunch
        A dictionary with attribute access:

        data : ndarray of shape (n_samples, 1, 28, 28), uint8
            The images.
        $target
    (data, target) : tuple of ndarray
        If `return_X_y` is True.

    Raises
    ------
    $errors

    Examples
    --------
    >>> from skprune.datasets import fetch_fashion_mnist
    >>> X, y = fetch_fashion_mnist(return_X_y=True)  # doctest: +SKIP
    >>> X.shape  # doctest: +SKIP
    (60000, 1, 28, 28)
    >>> fetch_fashion_mnist(data_home="/nowhere", download_if_missing=False)
    Traceback (most recent call last):
    ...
    FileNotFoundError: /nowhere/fashion_mnist.npz does not exist. ...
    """
    return _fetch("fashion_mnist", "FashionMNIST", subset, data_home, download_if_missing, return_X_y)


@_fill
def fetch_cifar10(*, subset="train", data_home=None, download_if_missing=True, return_X_y=False):
    """Load CIFAR-10, color images in 10 classes (Krizhevsky, 2009).

    The training set has 50,000 images, the test set 10,000. They are stored in ``cifar10.npz``.

    Parameters
    ----------
    $subset
    $data_home
    $download_if_missing
    $return_X_y

    Returns
    -------
    data : Bunch
        A dictionary with attribute access:

        data : ndarray of shape (n_samples, 3, 32, 32), uint8
            The images.
        $target
    (data, target) : tuple of ndarray
        If `return_X_y` is True.

    Raises
    ------
    $errors

    Examples
    --------
    >>> from skprune.datasets import fetch_cifar10
    >>> X, y = fetch_cifar10(return_X_y=True)  # doctest: +SKIP
    >>> X.shape  # doctest: +SKIP
    (50000, 3, 32, 32)
    >>> fetch_cifar10(data_home="/nowhere", download_if_missing=False)
    Traceback (most recent call last):
    ...
    FileNotFoundError: /nowhere/cifar10.npz does not exist. ...
    """
    return _fetch("cifar10", "CIFAR10", subset, data_home, download_if_missing, return_X_y)


@_fill
def fetch_cifar100(*, subset="train", data_home=None, download_if_missing=True, return_X_y=False):
    """Load CIFAR-100, color images in 100 classes (Krizhevsky, 2009).

    The training set has 50,000 images, the test set 10,000. They are stored in ``cifar100.npz``.

    Parameters
    ----------
    $subset
    $data_home
    $download_if_missing
    $return_X_y

    Returns
    -------
    data : Bunch
        A dictionary with attribute access:

        data : ndarray of shape (n_samples, 3, 32, 32), uint8
            The images.
        $target
    (data, target) : tuple of ndarray
        If `return_X_y` is True.

    Raises
    ------
    $errors

    Examples
    --------
    >>> from skprune.datasets import fetch_cifar100
    >>> X, y = fetch_cifar100(return_X_y=True)  # doctest: +SKIP
    >>> X.shape  # doctest: +SKIP
    (50000, 3, 32, 32)
    >>> fetch_cifar100(data_home="/nowhere", download_if_missing=False)
    Traceback (most recent call last):
    ...
    FileNotFoundError: /nowhere/cifar100.npz does not exist. ...
    """
    return _fetch("cifar100", "CIFAR100", subset, data_home, download_if_missing, return_X_y)


def _fetch(name, torchvision_name, subset, data_home, download_if_missing, return_X_y):
    check_option("subset", subset, ("train", "test"))
    folder = Path(data_home or os.environ.get("SKPRUNE_DATA") or "~/.cache/skprune").expanduser()
    file = folder / f"{name}.npz"
    if not file.exists():
        if not download_if_missing:
            raise FileNotFoundError(
                f"{file} does not exist. Put it there, name its folder in data_home or $SKPRUNE_DATA, or pass "
                "download_if_missing=True."
            )
        with lock_of(folder / "locks" / f"{name}.lock"):
            if not file.exists():  # another process may have written it meanwhile
                _write(read_from_torchvision(torchvision_name, folder / "torchvision"), file)
    with np.load(file) as arrays:
        data, target = arrays[f"x_{subset}"], arrays[f"y_{subset}"]
    return (data, target) if return_X_y else Bunch(data=data, target=target)


def read_from_torchvision(torchvision_name, folder):
    """Return both subsets of a data set that torchvision downloads."""
    from torchvision import datasets

    arrays = {}
    for subset in ("train", "test"):
        source = getattr(datasets, torchvision_name)(folder, train=subset == "train", download=True)
        images = np.asarray(source.data)
        images = images[:, None] if images.ndim == 3 else np.ascontiguousarray(images.transpose(0, 3, 1, 2))
        arrays[f"x_{subset}"] = images
        arrays[f"y_{subset}"] = np.asarray(source.targets, dtype=np.int64)
    return arrays


def _write(arrays, file):
    """Write a file, under a temporary name until it is complete."""
    unfinished = file.with_name(f"{file.stem}-{uuid4().hex}.part")
    try:
        with unfinished.open("wb") as stream:
            np.savez(stream, **arrays)
        os.replace(unfinished, file)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
