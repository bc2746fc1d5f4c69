"""Partial labels, long tails, corruptions, and loaders of real images."""

from skprune.datasets._corrupt import corrupt_images
from skprune.datasets._load import load_cifar10, load_fashion_mnist
from skprune.datasets._make import make_long_tailed, make_partial_labels

__all__ = ["corrupt_images", "load_cifar10", "load_fashion_mnist", "make_long_tailed", "make_partial_labels"]
