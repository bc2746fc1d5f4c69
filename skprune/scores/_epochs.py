"""The epochs that a score reads, and rows that were not seen in some of them."""

from numbers import Integral

import numpy as np


def horizon(recorded, n_epochs):
    """Return how many epochs are used.

    Parameters
    ----------
    recorded : int
        Epochs that were recorded.
    n_epochs : int or None
        Epochs that are asked for; None: all.

    Returns
    -------
    int
        The number.

    Raises
    ------
    ValueError
        It is not a positive integer, or above `recorded`.
    """
    if n_epochs is None:
        return recorded
    if not isinstance(n_epochs, Integral) or not n_epochs >= 1:
        raise ValueError(f"n_epochs must be a positive integer or None, got {n_epochs!r}.")
    if n_epochs > recorded:
        raise ValueError(f"n_epochs={n_epochs} asks for more epochs than the {recorded} that were recorded.")
    return int(n_epochs)


def first_epochs(array, n_epochs):
    """Return the first epochs; every row must be seen in them."""
    part = array[: horizon(len(array), n_epochs)]
    if part.dtype.kind == "f":
        never = np.isnan(part).all(axis=0)
        if never.any():
            raise ValueError(f"Row {int(never.argmax())} is not seen in the first {len(part)} epochs.")
    return part


def mean_over(array, n_epochs):
    """Average over the epochs in which a row was seen, in float64."""
    return np.nanmean(first_epochs(array, n_epochs), axis=0, dtype=np.float64)


def last_seen(dynamics, array):
    """Return each row's value at the last epoch in which it was seen."""
    epoch = dynamics.n_epochs - 1 - dynamics.seen[::-1].argmax(axis=0)
    return array[epoch, np.arange(dynamics.n_samples)].astype(np.float64)


def check_window(window, epochs):
    """Refuse a window of a single epoch, or one that is longer than the epochs used."""
    if not isinstance(window, Integral) or window < 2:
        raise ValueError(
            f"window must be an integer of at least 2 (a std over one epoch says nothing), got {window!r}."
        )
    if window > epochs:
        raise ValueError(f"window={window} is longer than the {epochs} epochs used.")
