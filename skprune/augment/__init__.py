"""Random augmentation of whole batches, on the device of the data."""

from skprune.augment._images import ImageStrong, ImageWeak
from skprune.augment._policy import Policy
from skprune.augment._tabular import TabularStrong, TabularWeak

__all__ = ["ImageWeak", "ImageStrong", "TabularWeak", "TabularStrong", "Policy"]
