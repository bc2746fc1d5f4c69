"""Scores of the last epoch in which a row was seen."""

import numpy as np

from skprune.scores._epochs import last_seen
from skprune.scores._score import score


@score()
def entropy(dynamics):
    r"""Entropy of the output at the last epoch, in nats.

    .. math:: -\sum_c p_{i,c} \log p_{i,c}

    Here :math:`p_{i,c}` is the probability of class c for row i: Coleman et al. (Selection via Proxy), arXiv 1906.11829,
    section 3.

    Parameters
    ----------
    $dynamics

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [0, log n_classes]; high = hard.

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import entropy
    >>> entropy(TrainingDynamics.from_proba([[[0.5, 0.5]]], [0])).round(4)
    array([0.6931])
    """
    return dynamics.entropy.astype(np.float64)


@score()
def margin(dynamics):
    r"""Largest minus second largest probability at the last epoch.

    .. math:: \max_c p_{i,c} - \max_{c \neq \hat{y}_i} p_{i,c}

    Here :math:`p_{i,c}` is the probability of class c for row i, and :math:`\hat{y}_i` is the predicted class: Coleman et al.
    (Selection via Proxy), arXiv 1906.11829, section 3.

    Parameters
    ----------
    $dynamics

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [0, 1]; low = hard.

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import margin
    >>> margin(TrainingDynamics.from_proba([[[0.25, 0.75]]], [0]))
    array([0.5])
    """
    return dynamics.top_margin.astype(np.float64)


@score()
def least_confidence(dynamics):
    r"""One minus the largest probability at the last epoch.

    .. math:: 1 - \max_c p_{i,c}

    Here :math:`p_{i,c}` is the probability of class c for row i: Coleman et al. (Selection via Proxy), arXiv 1906.11829,
    section 3.

    Parameters
    ----------
    $dynamics

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [0, 1); high = hard.

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import least_confidence
    >>> least_confidence(TrainingDynamics.from_proba([[[0.25, 0.75]]], [0]))
    array([0.25])
    """
    proba, margins = last_seen(dynamics, dynamics.target_proba), last_seen(dynamics, dynamics.target_margin)
    return 1.0 - np.maximum(proba, proba - margins)


@score()
def loss(dynamics):
    r"""Cross entropy at the last epoch.

    .. math:: -\log p_i

    Here :math:`p_i` is the probability of the label of row i; below 1e-30 it counts as 1e-30.

    Parameters
    ----------
    $dynamics

    Returns
    -------
    ndarray of shape (n_samples,), float64
        At least 0; high = hard.

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import loss
    >>> loss(TrainingDynamics.from_proba([[[0.5, 0.5]]], [0])).round(4)
    array([0.6931])
    """
    return -np.log(np.clip(last_seen(dynamics, dynamics.target_proba), 1e-30, 1.0))
