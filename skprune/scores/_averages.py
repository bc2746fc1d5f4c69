"""Scores that average or count over the epochs. p_t is the probability of the given or pseudo-label at epoch t."""

import numpy as np

from skprune.scores._epochs import first_epochs, mean_over


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
    return mean_over(dynamics.target_margin, n_epochs)


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
    return mean_over(dynamics.target_proba, n_epochs)


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
    return np.nanstd(first_epochs(dynamics.target_proba, n_epochs), axis=0, dtype=np.float64)


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
    margins = first_epochs(dynamics.target_margin, n_epochs)
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
    margins = first_epochs(dynamics.target_margin, n_epochs)
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
    return mean_over(dynamics.error, n_epochs)
