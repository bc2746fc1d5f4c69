"""The published scores. p_t is the probability of the given or pseudo-label at epoch t; unseen epochs do not count."""

import warnings
from numbers import Integral

import numpy as np


def aum(dynamics, *, n_epochs=None):
    """Area under the margin, on probabilities: ``mean_t (p_y - max of the others)``.

    Low = hard: hard and mislabelled rows have a low or negative value. Pleiss et al., arXiv 2001.10528, eq. 2; on
    probabilities, as in CCS, arXiv 2210.15809.

    Parameters
    ----------
    dynamics : TrainingDynamics
        The recorded dynamics.
    n_epochs : int, default=None
        Use the first `n_epochs` epochs; None: all recorded ones.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [-1, 1].

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import aum
    >>> aum(TrainingDynamics.from_proba([[[0.75, 0.25]], [[0.25, 0.75]]], [0]))
    array([0.])
    """
    return _mean(dynamics.target_margin, n_epochs)


def confidence(dynamics, *, n_epochs=None):
    """Mean probability of the label over the epochs. Low = hard.

    Swayamdipta et al. (Dataset Cartography), arXiv 2009.10795, section 2.

    Parameters
    ----------
    dynamics : TrainingDynamics
        The recorded dynamics.
    n_epochs : int, default=None
        Use the first `n_epochs` epochs; None: all recorded ones.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [0, 1].

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import confidence
    >>> confidence(TrainingDynamics.from_proba([[[0.75, 0.25]], [[0.25, 0.75]]], [0]))
    array([0.5])
    """
    return _mean(dynamics.target_proba, n_epochs)


def variability(dynamics, *, n_epochs=None):
    """Standard deviation (ddof 0) of the label's probability over the epochs. High = ambiguous.

    Swayamdipta et al. (Dataset Cartography), arXiv 2009.10795, section 2.

    Parameters
    ----------
    dynamics : TrainingDynamics
        The recorded dynamics.
    n_epochs : int, default=None
        Use the first `n_epochs` epochs; None: all recorded ones.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [0, 0.5].

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import variability
    >>> variability(TrainingDynamics.from_proba([[[0.75, 0.25]], [[0.25, 0.75]]], [0]))
    array([0.25])
    """
    return np.nanstd(_first(dynamics.target_proba, n_epochs), axis=0, dtype=np.float64)


def correctness(dynamics, *, n_epochs=None):
    """Share of the epochs in which the row is predicted right. Low = hard.

    Swayamdipta et al. (Dataset Cartography), arXiv 2009.10795, section 2.

    Parameters
    ----------
    dynamics : TrainingDynamics
        The recorded dynamics.
    n_epochs : int, default=None
        Use the first `n_epochs` epochs; None: all recorded ones.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [0, 1].

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import correctness
    >>> correctness(TrainingDynamics.from_proba([[[0.75, 0.25]], [[0.25, 0.75]]], [0]))
    array([0.5])
    """
    margins = _first(dynamics.target_margin, n_epochs)
    return (margins > 0).sum(axis=0) / (~np.isnan(margins)).sum(axis=0)


def forgetting(dynamics, *, n_epochs=None, never_learned=None):
    """Number of forgetting events: right in one epoch and wrong in the next. High = hard.

    Toneva et al., arXiv 1812.05159, section 3. Epochs in which the row was not seen are skipped. A row that is never
    predicted right is the hardest.

    Parameters
    ----------
    dynamics : TrainingDynamics
        The recorded dynamics.
    n_epochs : int, default=None
        Use the first `n_epochs` epochs; None: all recorded ones.
    never_learned : float, default=None
        The value of rows that are never predicted right; None: the number of epochs.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [0, n_epochs].

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import forgetting
    >>> once, never = [0.9, 0.1], [0.1, 0.9]
    >>> forgetting(TrainingDynamics.from_proba([[once, never], [never, never], [once, never]], [0, 0]))
    array([1., 3.])
    """
    margins = _first(dynamics.target_margin, n_epochs)
    correct, seen = margins > 0, ~np.isnan(margins)
    state = np.zeros(dynamics.n_samples, dtype=bool)
    events = np.zeros(dynamics.n_samples)
    for right, here in zip(correct, seen, strict=True):
        events += state & ~right & here
        state = np.where(here, right, state)
    events[~correct.any(axis=0)] = len(correct) if never_learned is None else never_learned
    return events


def el2n(dynamics, *, n_epochs=10):
    """Mean norm of the error vector p - onehot(y) over the first epochs. High = hard.

    Paul et al. (Deep Learning on a Data Diet), arXiv 2107.07075, definition 2.3.

    Parameters
    ----------
    dynamics : TrainingDynamics
        The recorded dynamics.
    n_epochs : int, default=10
        Use the first `n_epochs` epochs; None: all recorded ones.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [0, sqrt(2)].

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import el2n
    >>> el2n(TrainingDynamics.from_proba([[[1.0, 0.0]]], [1]), n_epochs=1).round(4)
    array([1.4142])
    """
    return _mean(dynamics.error, n_epochs)


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
    epochs = _horizon(dynamics.n_epochs, n_epochs)
    _check_window(window, epochs)
    steps = dynamics.kl_step[: epochs - 1].astype(np.float64)
    bad = np.isnan(steps).any(axis=0)
    if bad.any():
        raise ValueError(f"tdds needs every row in every epoch; row {int(bad.argmax())} is missing in one.")
    total = np.zeros(dynamics.n_samples)
    for start in range(epochs - window + 1):
        part = steps[start : start + window - 1]
        total += 0.9 * 0.1 ** (epochs - window - start) * np.linalg.norm(part - part.mean(axis=0), axis=0)
    return total


def entropy(dynamics):
    """Entropy of the output at the last epoch, in nats. High = hard.

    As in Coleman et al. (Selection via Proxy), arXiv 1906.11829, section 3.

    Parameters
    ----------
    dynamics : TrainingDynamics
        The recorded dynamics.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [0, log n_classes].

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import entropy
    >>> entropy(TrainingDynamics.from_proba([[[0.5, 0.5]]], [0])).round(4)
    array([0.6931])
    """
    return dynamics.entropy.astype(np.float64)


def margin(dynamics):
    """Largest less second largest probability at the last epoch. Low = hard.

    As in Coleman et al. (Selection via Proxy), arXiv 1906.11829, section 3.

    Parameters
    ----------
    dynamics : TrainingDynamics
        The recorded dynamics.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [0, 1].

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import margin
    >>> margin(TrainingDynamics.from_proba([[[0.25, 0.75]]], [0]))
    array([0.5])
    """
    return dynamics.top_margin.astype(np.float64)


def least_confidence(dynamics):
    """One less the largest probability at the last epoch. High = hard.

    As in Coleman et al. (Selection via Proxy), arXiv 1906.11829, section 3.

    Parameters
    ----------
    dynamics : TrainingDynamics
        The recorded dynamics.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [0, 1).

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import least_confidence
    >>> least_confidence(TrainingDynamics.from_proba([[[0.25, 0.75]]], [0]))
    array([0.25])
    """
    target, difference = _last(dynamics, dynamics.target_proba), _last(dynamics, dynamics.target_margin)
    return 1.0 - np.maximum(target, target - difference)


def loss(dynamics):
    """Cross entropy -log p_y at the last epoch. High = hard.

    Parameters
    ----------
    dynamics : TrainingDynamics
        The recorded dynamics; p_y below 1e-30 counts as 1e-30.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        At least 0.

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import loss
    >>> loss(TrainingDynamics.from_proba([[[0.5, 0.5]]], [0])).round(4)
    array([0.6931])
    """
    return -np.log(np.clip(_last(dynamics, dynamics.target_proba), 1e-30, 1.0))


def _horizon(recorded, n_epochs):
    if n_epochs is None:
        return recorded
    if not isinstance(n_epochs, Integral) or not n_epochs >= 1:
        raise ValueError(f"n_epochs must be a positive integer or None, got {n_epochs!r}.")
    if n_epochs > recorded:
        raise ValueError(f"n_epochs={n_epochs} asks for more epochs than the {recorded} that were recorded.")
    return int(n_epochs)


def _first(array, n_epochs):
    """Return the first epochs; every row must be seen in them."""
    part = array[: _horizon(len(array), n_epochs)]
    if part.dtype.kind == "f":
        never = np.isnan(part).all(axis=0)
        if never.any():
            raise ValueError(f"Row {int(never.argmax())} is not seen in the first {len(part)} epochs.")
    return part


def _mean(array, n_epochs):
    return np.nanmean(_first(array, n_epochs), axis=0, dtype=np.float64)


def _last(dynamics, array):
    """Return each row's value at the last epoch in which it was seen."""
    epoch = dynamics.n_epochs - 1 - dynamics.seen[::-1].argmax(axis=0)
    return array[epoch, np.arange(dynamics.n_samples)].astype(np.float64)


def _check_window(window, epochs):
    if not isinstance(window, Integral) or window < 2:
        raise ValueError(
            f"window must be an integer of at least 2 (a std over one epoch says nothing), got {window!r}."
        )
    if window > epochs:
        raise ValueError(f"window={window} is longer than the {epochs} epochs used.")


def _windows(dynamics, window, n_epochs, value):
    """Average ``value(std, mean)`` over the sliding windows in which the row was seen at least twice."""
    proba = _first(dynamics.target_proba, n_epochs).astype(np.float64)
    _check_window(window, len(proba))
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
