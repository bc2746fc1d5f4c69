"""The policies that nets use by default for each kind of data."""

from skprune.augment._images import ImageStrong, ImageWeak
from skprune.augment._tabular import TabularStrong, TabularWeak


def default_policies(shape):
    """Return the default "weak" and "strong" policies for rows of a shape."""
    if len(shape) == 3:
        return {"weak": ImageWeak(), "strong": ImageStrong()}
    return {"weak": TabularWeak(), "strong": TabularStrong()}
