"""Scores that average or count over the epochs. p_t is the probability of the given or pseudo-label at epoch t."""

import numpy as np

from skprune.scores._epochs import first_epochs, in_blocks, mean_over


def aum(dynamics, *, n_epochs=None, on="proba"):
    """Area under the margin: ``mean_t (value of the label - max of the others)``.

    Low = hard: hard and mislabelled rows have a low or negative value. Pleiss et al., arXiv 2001.10528, eq. 2, of logits; of
    probabilities in CCS, arXiv 2210.15809, and in SemiPrune.

    Parameters
    ----------
    dynamics : TrainingDynamics
        The recorded dynamics.
    n_epochs : int, default=None
        Use the first `n_epochs` epochs; None: all recorded ones.
    on : {"proba", "logits"}, default="proba"
        The values. Logits are recorded from nets that return them.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [-1, 1] on probabilities.

    Raises
    ------
    ValueError
        Another `on`, or dynamics without logits.

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import aum
    >>> aum(TrainingDynamics.from_proba([[[0.75, 0.25]], [[0.25, 0.75]]], [0]))
    array([0.])
    """
    if on not in ("proba", "logits"):
        raise ValueError(f"on must be 'proba' or 'logits', got {on!r}.")
    margins = dynamics.target_margin if on == "proba" else dynamics.logit_margin
    if margins is None:
        raise ValueError("aum on logits needs logit_margin, which nets that return logits record, and from_logits.")
    return mean_over(margins, n_epochs)


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
    return in_blocks(first_epochs(dynamics.target_proba, n_epochs), lambda proba: np.nanstd(proba, axis=0))


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
    return in_blocks(margins, lambda margin: (margin > 0).sum(axis=0) / (~np.isnan(margin)).sum(axis=0))


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
    state, learned = (np.zeros(dynamics.n_samples, dtype=bool) for _ in range(2))
    events = np.zeros(dynamics.n_samples)
    for margin in margins:
        right, seen = margin > 0, ~np.isnan(margin)
        events += state & ~right & seen
        state = np.where(seen, right, state)
        learned |= right
    events[~learned] = len(margins) if never_learned is None else never_learned
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


def grand(dynamics, *, n_epochs=10):
    """GraNd of the last layer: mean norm of the cross entropy's gradient at its weights and bias. High = hard.

    Paul et al. (Deep Learning on a Data Diet), arXiv 2107.07075, definition 2.1, of the last linear layer alone: the norm of
    p - onehot(y) times that of what enters the layer, 1 for a bias included.

    Parameters
    ----------
    dynamics : TrainingDynamics
        Dynamics recorded from a net whose last layer is linear.
    n_epochs : int, default=10
        Use the first `n_epochs` epochs; None: all recorded ones.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        At least 0.

    Raises
    ------
    ValueError
        ``grad_norm`` was not recorded.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.dynamics import collect_dynamics
    >>> from skprune.nets import NetClassifier
    >>> from skprune.scores import grand
    >>> X, y = load_iris(return_X_y=True)
    >>> dynamics, _ = collect_dynamics(NetClassifier(), X, y, n_epochs=2, random_state=0)
    >>> grand(dynamics, n_epochs=2).shape
    (150,)
    """
    if dynamics.grad_norm is None:
        raise ValueError("grand needs grad_norm, which nets record whose last layer is linear and gives the logits.")
    return mean_over(dynamics.grad_norm, n_epochs)
