"""Scores of sliding windows over the epochs."""

import warnings

import numpy as np

from skprune.scores._epochs import check_window, first_epochs, horizon


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


def dual(dynamics, *, window=10, n_epochs=None):
    """DUAL: mean over sliding windows of ``std * (1 - mean)`` of the label's probability (ddof 1). High = hard.

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
    >>> from skprune.scores import dual
    >>> steady, learnt = [0.9, 0.1], [0.1, 0.9]
    >>> scores = dual(TrainingDynamics.from_proba([[steady, learnt], [steady, steady]], [0, 0]), window=2)
    >>> bool(scores[0] < scores[1])
    True
    """
    return _windows(dynamics, window, n_epochs, lambda std, mean: std * (1.0 - mean))


def tdds(dynamics, *, window=10, n_epochs=None):
    """TDDS: how much the steps of the output differ within sliding windows, late windows counting most. High = hard.

    Zhang et al., arXiv 2311.13613, eq. 7 to 9. A window of J epochs holds J - 1 steps; its value is the norm of the
    steps less their mean, its weight ``0.9 * 0.1 ** (T - J - start)``.

    Parameters
    ----------
    dynamics : TrainingDynamics
        Dynamics recorded with ``kl_step``; a row must be seen in every epoch.
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
        ``kl_step`` was not recorded, the window is 1 or longer than the epochs, or a row was not seen in an epoch.

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import tdds
    >>> dynamics = TrainingDynamics.from_proba([[[0.5, 0.5]]] * 4, [0], kl=True)
    >>> tdds(dynamics, window=3)
    array([0.])
    """
    if dynamics.kl_step is None:
        raise ValueError("tdds needs kl_step: record with record_kl=True, or build the dynamics with kl=True.")
    epochs = horizon(dynamics.n_epochs, n_epochs)
    check_window(window, epochs)
    steps = dynamics.kl_step[: epochs - 1].astype(np.float64)
    bad = np.isnan(steps).any(axis=0)
    if bad.any():
        raise ValueError(f"tdds needs every row in every epoch; row {int(bad.argmax())} is missing in one.")
    total = np.zeros(dynamics.n_samples)
    for start in range(epochs - window + 1):
        part = steps[start : start + window - 1]
        total += 0.9 * 0.1 ** (epochs - window - start) * np.linalg.norm(part - part.mean(axis=0), axis=0)
    return total


def _windows(dynamics, window, n_epochs, value):
    """Average ``value(std, mean)`` over the sliding windows in which the row was seen at least twice."""
    proba = first_epochs(dynamics.target_proba, n_epochs).astype(np.float64)
    check_window(window, len(proba))
    complete = not np.isnan(proba).any()
    total, count = np.zeros(dynamics.n_samples), np.zeros(dynamics.n_samples)
    for start in range(len(proba) - window + 1):
        part = proba[start : start + window]
        if complete:
            total += value(part.std(axis=0, ddof=1), part.mean(axis=0))
            count += 1
            continue
        usable = (~np.isnan(part)).sum(axis=0) >= 2
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            here = value(np.nanstd(part, axis=0, ddof=1), np.nanmean(part, axis=0))
        total += np.where(usable, here, 0.0)
        count += usable
    if (count == 0).any():
        raise ValueError(f"Row {int((count == 0).argmax())} is not seen twice within any window of {window} epochs.")
    return total / count
