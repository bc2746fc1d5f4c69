"""Which augmentations fit which data."""

from skprune.augment._images import ImageStrong, ImageWeak
from skprune.augment._tabular import TabularStrong, TabularWeak


def augmentations(shape):
    """Return the default augmentations for rows of a shape.

    Parameters
    ----------
    shape : tuple
        (d,) for a table, (C, H, W) for images.

    Returns
    -------
    dict
        "weak" and "strong": ``augment(x, generator) -> x``; the strong one reads what the weak one returned.

    Examples
    --------
    >>> augmentations((4,))["weak"]
    TabularWeak()
    """
    if len(shape) == 3:
        return {"weak": ImageWeak(), "strong": ImageStrong()}
    return {"weak": TabularWeak(), "strong": TabularStrong()}
