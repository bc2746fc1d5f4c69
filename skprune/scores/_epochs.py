"""The epochs that a score reads, and rows that were not seen in some of them."""

from numbers import Integral

import numpy as np

_BLOCK_ROWS = 2048


def horizon(recorded, n_epochs):
    """Return how many epochs are used."""
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
    never = np.isnan(part[0])
    for epoch in part[1:]:
        if not never.any():
            break
        never &= np.isnan(epoch)
    if never.any():
        raise ValueError(f"Row {int(never.argmax())} is not seen in the first {len(part)} epochs.")
    return part


def mean_over(array, n_epochs):
    """Average over the epochs in which a row was seen, in float64, an epoch at a time."""
    total, count = np.zeros(array.shape[1]), np.zeros(array.shape[1])
    for epoch in first_epochs(array, n_epochs):
        seen = ~np.isnan(epoch)
        np.add(total, epoch, out=total, where=seen)
        count += seen
    return total / count


def in_blocks(array, function):
    """Apply a function to blocks of rows in float64: ``(n_epochs, n_rows) -> (n_rows,)``."""
    result = np.empty(array.shape[1])
    for start in range(0, array.shape[1], _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        result[rows] = function(array[:, rows].astype(np.float64))
    return result


def last_seen(dynamics, array):
    """Return each row's value at the last epoch in which it was seen."""
    epoch = dynamics.n_epochs - 1 - dynamics.seen[::-1].argmax(axis=0)
    return array[epoch, np.arange(dynamics.n_samples)].astype(np.float64)


def check_window(window, epochs, least=2):
    """Refuse a window of which no spread can be taken, or one that is longer than the epochs used."""
    if not isinstance(window, Integral) or window < least:
        raise ValueError(f"window must be an integer of at least {least} (a spread needs two values), got {window!r}.")
    if window > epochs:
        raise ValueError(f"window={window} is longer than the {epochs} epochs used.")
