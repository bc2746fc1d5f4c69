"""Partial labels, long tails, wrong labels, corruptions, and loaders of real images."""

from skprune.datasets._corrupt import corrupt_images
from skprune.datasets._load import load_cifar10, load_cifar100, load_fashion_mnist, load_image_folder, load_npz
from skprune.datasets._make import make_label_noise, make_long_tailed, make_partial_labels

__all__ = [
    "corrupt_images",
    "load_cifar10",
    "load_cifar100",
    "load_fashion_mnist",
    "load_image_folder",
    "load_npz",
    "make_label_noise",
    "make_long_tailed",
    "make_partial_labels",
]
