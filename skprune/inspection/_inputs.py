"""What displays read: fitted pruners, masks, class names."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skprune._base import BasePruner
from skprune._utils._docstrings import fill_docstring
from skprune._utils._labels import is_null, labels_at, missing_mask

_TEXTS = {
    "ax": """ax : matplotlib.axes.Axes, default=None
    The axes to draw into. None makes a new figure.""",
    "support": """support : array-like of shape (n_samples,), bool
    True for the rows that are kept.""",
    "display_attributes": """ax_ : matplotlib.axes.Axes
    The axes that were drawn into last.
figure_ : matplotlib.figure.Figure
    Their figure.""",
}


def fill_display(**texts):
    """Return a decorator that fills in what the docstrings of displays share."""
    return fill_docstring(**_TEXTS | texts)


def check_pruner(pruner, display, **needed):
    """Refuse what is no fitted pruner, or lacks an attribute; each is given with what it is for."""
    if not isinstance(pruner, BasePruner):
        hint = " Pass its pruner_." if hasattr(pruner, "pruner_") else ""
        raise TypeError(f"{display.__name__} needs a fitted pruner, got {pruner!r}.{hint}")
    check_is_fitted(pruner)
    for name, purpose in needed.items():
        if getattr(pruner, name, None) is None:
            raise ValueError(
                f"{display.__name__} needs {purpose}, {name}, which {type(pruner).__name__} does not have. Use a pruner that "
                "does, such as SemiPrune."
            )


def as_mask(mask, n_samples, name="support"):
    """Return a mask of the rows; refuse indices and masks of other lengths."""
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape != (n_samples,):
        raise ValueError(
            f"{name} must be a boolean mask of {n_samples} rows, got an array of shape {mask.shape} and dtype {mask.dtype}."
        )
    return mask


def read_truth(y_true, classes, missing_label="auto"):
    """Return true labels as objects, None where one is missing: as a mark among some classes says, or as the user does."""
    missing = missing_mask(y_true, missing_label, classes, name="y_true")
    truth = np.full(len(missing), None, dtype=object)
    truth[~missing] = labels_at(y_true, np.flatnonzero(~missing))
    return truth


def is_known(labels):
    """Return the mask of the labels that are there."""
    return np.array([not is_null(label) for label in labels], dtype=bool)


def is_correct(labels, y_true):
    """Tell which labels are the true ones; refuse true labels that are text where the others are not, or the reverse."""
    pairs = list(zip(np.asarray(labels).tolist(), np.asarray(y_true).tolist(), strict=True))
    for label, true in pairs:
        if isinstance(label, str) != isinstance(true, str):
            raise ValueError(
                f"y_true must hold labels of the same type as the pseudo-labels, got {true!r} and {label!r}."
            )
    return np.array([label == true for label, true in pairs], dtype=bool)
