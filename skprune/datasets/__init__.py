"""Partial labels, long tails, label noise, image corruptions, and real data sets."""

from skprune.datasets._corrupt import corrupt_images
from skprune.datasets._fetch import fetch_cifar10, fetch_cifar100, fetch_fashion_mnist
from skprune.datasets._local import load_image_folder, load_images, load_npz
from skprune.datasets._make import make_label_noise, make_long_tailed, make_partial_labels

__all__ = [
    "corrupt_images",
    "fetch_cifar10",
    "fetch_cifar100",
    "fetch_fashion_mnist",
    "load_image_folder",
    "load_images",
    "load_npz",
    "make_label_noise",
    "make_long_tailed",
    "make_partial_labels",
]
