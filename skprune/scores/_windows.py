"""Scores of sliding windows over the epochs."""

import warnings

import numpy as np

from skprune.scores._epochs import check_window, first_epochs, horizon, in_blocks


def dyn_unc(dynamics, *, window=10, n_epochs=None):
    """Dynamic uncertainty: mean over sliding windows of the label probability's std (ddof 1). High = hard.

    He et al., arXiv 2306.05175, eq. 3 and 4, without the published code's factor of 10.

    Parameters
    ----------
    dynamics : TrainingDynamics
        The recorded dynamics.
    window : int, default=10
        Epochs a window, J; at least 2.
    n_epochs : int, default=None
        Use the first `n_epochs` epochs; None: all recorded ones.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        At least 0.

    Raises
    ------
    ValueError
        The window is 1 or longer than the epochs, or no window saw a row twice.

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import dyn_unc
    >>> dyn_unc(TrainingDynamics.from_proba([[[0.5, 0.5]], [[0.5, 0.5]], [[0.5, 0.5]]], [0]), window=2)
    array([0.])
    """
    return _windows(dynamics, window, n_epochs, lambda std, mean: std)


def dual(dynamics, *, window=10, n_epochs=None, ddof=1, power=1.0):
    """DUAL: mean over sliding windows of ``std ** power * (1 - mean)`` of the label's probability. High = hard.

    Cho et al., arXiv 2502.06905, eq. 3 and 4, without the published code's factor of 10. Difficulty and uncertainty in
    one number, meaningful after the first 30 epochs or so.

    Parameters
    ----------
    dynamics : TrainingDynamics
        The recorded dynamics.
    window : int, default=10
        Epochs a window, J; at least 2.
    n_epochs : int, default=None
        Use the first `n_epochs` epochs (T in the paper); None: all recorded ones.
    ddof : {0, 1}, default=1
        Of the std. SemiPrune's code for ImageNet takes 0.
    power : float, default=1.0
        Of the std, above 0. SemiPrune's code for ImageNet offers 0.5 and 2.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        At least 0.

    Raises
    ------
    ValueError
        The window is 1 or longer than the epochs, no window saw a row twice, or `ddof` or `power` is something else.

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import dual
    >>> steady, learnt = [0.9, 0.1], [0.1, 0.9]
    >>> scores = dual(TrainingDynamics.from_proba([[steady, learnt], [steady, steady]], [0, 0]), window=2)
    >>> bool(scores[0] < scores[1])
    True
    """
    if ddof not in (0, 1):
        raise ValueError(f"ddof must be 0 or 1, got {ddof!r}.")
    if isinstance(power, (bool, str)) or not 0 < power < np.inf:
        raise ValueError(f"power must be a number above 0, got {power!r}.")
    return _windows(dynamics, window, n_epochs, lambda std, mean: std**power * (1.0 - mean), ddof)


def tdds(dynamics, *, window=10, n_epochs=None):
    """TDDS: how much the steps of the output differ within sliding windows, late windows counting most. High = hard.

    Zhang et al., arXiv 2311.13613, eq. 7 to 9. A window of J epochs holds J - 1 steps; its value is the norm of the
    steps less their mean, its weight ``0.9 * 0.1 ** (T - J - start)``.

    Parameters
    ----------
    dynamics : TrainingDynamics
        Dynamics recorded with ``kl_step``; a row must be seen in every epoch.
    window : int, default=10
        Epochs a window, J; at least 3, which are two steps.
    n_epochs : int, default=None
        Use the first `n_epochs` epochs; None: all recorded ones.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        At least 0.

    Raises
    ------
    ValueError
        ``kl_step`` was not recorded, the window is below 3 or longer than the epochs, or a row was not seen in an epoch.

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import tdds
    >>> dynamics = TrainingDynamics.from_proba([[[0.5, 0.5]]] * 4, [0], kl=True)
    >>> tdds(dynamics, window=3)
    array([0.])
    """
    if dynamics.kl_step is None:
        raise ValueError(
            "tdds needs kl_step: record with record=Recording(kl=True), or build the dynamics with kl=True."
        )
    epochs = horizon(dynamics.n_epochs, n_epochs)
    check_window(window, epochs, least=3)
    steps = dynamics.kl_step[: epochs - 1]
    bad = np.zeros(dynamics.n_samples, dtype=bool)
    for step in steps:
        bad |= np.isnan(step)
    if bad.any():
        raise ValueError(
            f"tdds needs every row once in every epoch; row {int(bad.argmax())} is missing or doubled in one."
        )

    def weighted(block):
        total = np.zeros(block.shape[1])
        for start in range(epochs - window + 1):
            part = block[start : start + window - 1]
            part = part - part.mean(axis=0)
            total += 0.9 * 0.1 ** (epochs - window - start) * np.sqrt(np.einsum("ij,ij->j", part, part))
        return total

    return in_blocks(steps, weighted)


def _windows(dynamics, window, n_epochs, value, ddof=1):
    """Average ``value(std, mean)`` over the sliding windows in which the row was seen at least twice."""
    proba = first_epochs(dynamics.target_proba, n_epochs)
    check_window(window, len(proba))

    def average(block):
        return (_complete if not np.isnan(block).any() else _with_gaps)(block, window, value, ddof)

    result = in_blocks(proba, average)
    bad = np.isnan(result)
    if bad.any():
        raise ValueError(f"Row {int(bad.argmax())} is not seen twice within any window of {window} epochs.")
    return result


def _complete(proba, window, value, ddof):
    total, n_windows = np.zeros(proba.shape[1]), len(proba) - window + 1
    for start in range(n_windows):
        part = proba[start : start + window]
        mean = part.mean(axis=0)
        part = part - mean
        total += value(np.sqrt(np.einsum("ij,ij->j", part, part) / (window - ddof)), mean)
    return total / n_windows


def _with_gaps(proba, window, value, ddof):
    total, count = np.zeros(proba.shape[1]), np.zeros(proba.shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # rows that a window has not seen, or not twice
        for start in range(len(proba) - window + 1):
            part = proba[start : start + window]
            here = value(np.nanstd(part, axis=0, ddof=ddof), np.nanmean(part, axis=0))
            usable = (~np.isnan(part)).sum(axis=0) >= 2
            total += np.where(usable, here, 0.0)
            count += usable
        return total / count
