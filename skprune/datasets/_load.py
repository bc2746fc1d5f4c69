"""Real images from a folder, or through torchvision's download."""

import os
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch


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
