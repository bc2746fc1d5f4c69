"""The epochs that a score reads, and rows that were not seen in some of them."""

import numpy as np

from skprune._utils._parameter_checks import check_count


def horizon(recorded, n_epochs):
    """Return how many epochs are used."""
    check_count("n_epochs", n_epochs, optional=True)
    if n_epochs is None:
        return recorded
    if n_epochs > recorded:
        raise ValueError(f"n_epochs={n_epochs} asks for more epochs than the {recorded} that were recorded.")
    return int(n_epochs)


def first_epochs(array, n_epochs):
    """Return the first epochs; every row must be seen in one of them."""
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


def in_blocks(array, function, *, block_rows=2048):
    """Apply a function to blocks of rows in float64: ``(n_epochs, n_rows) -> (n_rows,)``."""
    result = np.empty(array.shape[1])
    for start in range(0, array.shape[1], block_rows):
        rows = slice(start, start + block_rows)
        result[rows] = function(array[:, rows].astype(np.float64))
    return result


def last_seen(dynamics, array):
    """Return each row's value at the last epoch in which it was seen."""
    epoch = dynamics.n_epochs - 1 - dynamics.seen[::-1].argmax(axis=0)
    return array[epoch, np.arange(dynamics.n_samples)].astype(np.float64)


def check_window(window, n_epochs, *, least=2):
    """Refuse a window too short for a spread, or longer than the epochs used."""
    check_count("window", window, least=least)
    if window > n_epochs:
        raise ValueError(f"window={window} is longer than the {n_epochs} epochs used.")
