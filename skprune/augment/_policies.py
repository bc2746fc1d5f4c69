"""Which augmentations fit which data."""

from skprune.augment._images import image_strong, image_weak
from skprune.augment._tabular import tabular_strong, tabular_weak


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
        return {"weak": image_weak, "strong": image_strong}
    return {"weak": tabular_weak, "strong": tabular_strong}
