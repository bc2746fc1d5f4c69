"""Batched augmentations: random parameters first, for each sample of its own, then one application to the batch."""

from skprune.augment._images import ImageStrong, ImageWeak, image_strong, image_weak
from skprune.augment._policy import Policy
from skprune.augment._tabular import TabularStrong, TabularWeak, tabular_strong, tabular_weak

__all__ = [
    "ImageWeak",
    "ImageStrong",
    "TabularWeak",
    "TabularStrong",
    "Policy",
    "image_weak",
    "image_strong",
    "tabular_weak",
    "tabular_strong",
]
