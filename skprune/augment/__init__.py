"""Batched augmentations: random parameters first, for each sample of its own, then one application to the batch."""

from skprune.augment._images import image_strong, image_weak
from skprune.augment._tabular import tabular_strong, tabular_weak

__all__ = ["image_strong", "image_weak", "tabular_strong", "tabular_weak"]
