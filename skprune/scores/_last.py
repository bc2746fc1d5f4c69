"""Scores of the last epoch in which a row was seen."""

import numpy as np

from skprune.scores._epochs import last_seen


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
    target, difference = last_seen(dynamics, dynamics.target_proba), last_seen(dynamics, dynamics.target_margin)
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
    return -np.log(np.clip(last_seen(dynamics, dynamics.target_proba), 1e-30, 1.0))
