"""Which augmentations fit which data."""

from skprune.augment._images import ImageStrong, ImageWeak
from skprune.augment._tabular import TabularStrong, TabularWeak


def augmentations(shape):
    """Return the default augmentations for rows of a shape."""
    if len(shape) == 3:
        return {"weak": ImageWeak(), "strong": ImageStrong()}
    return {"weak": TabularWeak(), "strong": TabularStrong()}
