"""Scores of sliding windows over the epochs."""

import warnings

import numpy as np

from skprune._utils._parameter_checks import check_number, check_option
from skprune.scores._epochs import check_window, first_epochs, horizon, in_blocks
from skprune.scores._score import score


@score()
def dyn_unc(dynamics, *, window=10, n_epochs=None):
    r"""Dynamic uncertainty: mean standard deviation of the label's probability within sliding windows.

    .. math:: \frac{1}{T - J + 1} \sum_{k=1}^{T-J+1} \sigma_{i,k}, \qquad
        \sigma_{i,k} = \sqrt{\frac{1}{J - 1} \sum_{t=k}^{k+J-1} (p_{i,t} - \mu_{i,k})^2}

    Here :math:`p_{i,t}` is the probability of the label of row i at epoch t and :math:`\mu_{i,k}` is its mean in window k:
    He et al., arXiv 2306.05175, eq. 3 and 4, without the factor of 10 of the published code. Where a row was not seen, windows
    use the epochs in which it was, and those that saw it fewer than twice do not count.

    Parameters
    ----------
    $dynamics
    window : int, default=10
        The number of epochs in a window, J; at least 2.
    $score_epochs

    Returns
    -------
    ndarray of shape (n_samples,), float64
        At least 0; high = hard.

    Raises
    ------
    ValueError
        The window is shorter than 2 or longer than the epochs, or no window saw a row twice.

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import dyn_unc
    >>> dyn_unc(TrainingDynamics.from_proba([[[0.5, 0.5]], [[0.5, 0.5]], [[0.5, 0.5]]], [0]), window=2)
    array([0.])
    """
    return _mean_over_windows(dynamics, window, n_epochs, lambda std, mean: std)


@score()
def dual(dynamics, *, window=10, n_epochs=None, ddof=1, power=1.0):
    r"""DUAL: difficulty and uncertainty of the label's probability within sliding windows, in one number.

    .. math:: \frac{1}{T - J + 1} \sum_{k=1}^{T-J+1} \sigma_{i,k} \, (1 - \mu_{i,k})

    Here :math:`\mu_{i,k}` and :math:`\sigma_{i,k}` are mean and standard deviation of the label's probability of row i in
    window k: Cho et al., arXiv 2502.06905, eq. 3 and 4, without the factor of 10 of the published code. It is meaningful
    from about 30 epochs on. Where a row was not seen, windows use the epochs in which it was, and those that saw it fewer
    than twice do not count.

    Parameters
    ----------
    $dynamics
    window : int, default=10
        The number of epochs in a window, J; at least 2.
    $score_epochs
    ddof : {0, 1}, default=1
        The delta degrees of freedom of the standard deviation. SemiPrune's code for ImageNet takes 0.
    power : float, default=1.0
        The power of the standard deviation, above 0. SemiPrune's code for ImageNet offers 0.5 and 2.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        At least 0; high = hard.

    Raises
    ------
    ValueError
        The window is shorter than 2 or longer than the epochs, no window saw a row twice, or `ddof` or `power` is out of
        range.

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import dual
    >>> right, wrong = [0.9, 0.1], [0.1, 0.9]
    >>> scores = dual(TrainingDynamics.from_proba([[right, wrong], [right, right]], [0, 0]), window=2)
    >>> bool(scores[0] < scores[1])
    True
    """
    check_option("ddof", ddof, (0, 1))
    check_number("power", power, 0, open_at=(0,))
    return _mean_over_windows(dynamics, window, n_epochs, lambda std, mean: std**power * (1.0 - mean), ddof)


@score()
def tdds(dynamics, *, window=10, n_epochs=None):
    r"""TDDS: how much the steps of the output vary within sliding windows, with late windows counting most.

    .. math:: \sum_{k=1}^{T-J+1} 0.9 \cdot 0.1^{\,T-J+1-k}
        \sqrt{\sum_{t=k}^{k+J-2} (\Delta_{i,t} - \bar{\Delta}_{i,k})^2}, \qquad
        \Delta_{i,t} = \sum_c \Bigl| p_{i,t+1,c} \log \frac{p_{i,t+1,c}}{p_{i,t,c}} \Bigr|

    Here :math:`p_{i,t,c}` is the probability of class c for row i at epoch t, and :math:`\bar{\Delta}_{i,k}` is the mean of
    the J - 1 steps in window k: Zhang et al., arXiv 2311.13613, eq. 7 to 9. The dynamics must hold the steps, ``kl_step``,
    and every row must be seen in every epoch.

    Parameters
    ----------
    $dynamics
    window : int, default=10
        The number of epochs in a window, J; at least 3, so that a window holds two steps.
    $score_epochs

    Returns
    -------
    ndarray of shape (n_samples,), float64
        At least 0; high = hard.

    Raises
    ------
    ValueError
        The dynamics hold no ``kl_step``, the window is shorter than 3 or longer than the epochs, or a row was not seen in an
        epoch.

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
    incomplete = np.zeros(dynamics.n_samples, dtype=bool)
    for step in steps:
        incomplete |= np.isnan(step)
    if incomplete.any():
        raise ValueError(
            f"tdds needs every row once in every epoch; row {int(incomplete.argmax())} is missing or doubled in one."
        )

    def weighted_norms(block):
        total = np.zeros(block.shape[1])
        for start in range(epochs - window + 1):
            part = block[start : start + window - 1]
            part = part - part.mean(axis=0)
            total += 0.9 * 0.1 ** (epochs - window - start) * np.sqrt(np.einsum("ij,ij->j", part, part))
        return total

    return in_blocks(steps, weighted_norms)


def _mean_over_windows(dynamics, window, n_epochs, value, ddof=1):
    """Average ``value(std, mean)`` over the sliding windows in which the row was seen at least twice."""
    proba = first_epochs(dynamics.target_proba, n_epochs)
    check_window(window, len(proba))

    def average(block):
        return (_complete if not np.isnan(block).any() else _with_gaps)(block, window, value, ddof)

    averages = in_blocks(proba, average)
    undefined = np.isnan(averages)
    if undefined.any():
        raise ValueError(f"Row {int(undefined.argmax())} is not seen twice within any window of {window} epochs.")
    return averages


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
            of_window = value(np.nanstd(part, axis=0, ddof=ddof), np.nanmean(part, axis=0))
            usable = (~np.isnan(part)).sum(axis=0) >= 2
            total += np.where(usable, of_window, 0.0)
            count += usable
        return total / count
