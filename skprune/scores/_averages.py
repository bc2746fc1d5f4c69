"""Scores that average or count over the epochs."""

import numpy as np

from skprune._utils._parameter_checks import check_option
from skprune.scores._epochs import first_epochs, in_blocks, mean_over
from skprune.scores._score import score

_TEN_EPOCHS = """n_epochs : int, default=10
    The number of epochs to use, from the first; None uses all recorded epochs."""


@score()
def aum(dynamics, *, n_epochs=None, on="proba"):
    r"""Area under the margin: how far the label is ahead of the other classes, on average.

    .. math:: \frac{1}{T} \sum_{t=1}^{T} \Bigl( z_{i,t,y_i} - \max_{c \neq y_i} z_{i,t,c} \Bigr)

    Here :math:`z_{i,t,c}` is the output for class c and row i at epoch t: the logit in Pleiss et al., arXiv 2001.10528, eq. 2,
    and the probability in CCS, arXiv 2210.15809, and in SemiPrune.

    Parameters
    ----------
    $dynamics
    $score_epochs
    on : {"proba", "logits"}, default="proba"
        Which outputs to use. Logits are recorded from nets that return them.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [-1, 1] for probabilities; low = hard. Hard and mislabeled rows have low or negative values.

    Raises
    ------
    ValueError
        `on` is something else, or the dynamics hold no logits.

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import aum
    >>> aum(TrainingDynamics.from_proba([[[0.75, 0.25]], [[0.25, 0.75]]], [0]))
    array([0.])
    """
    check_option("on", on, ("proba", "logits"))
    margins = dynamics.target_margin if on == "proba" else dynamics.logit_margin
    if margins is None:
        raise ValueError("aum on logits needs logit_margin, which nets that return logits record, and from_logits.")
    return mean_over(margins, n_epochs)


@score()
def confidence(dynamics, *, n_epochs=None):
    r"""Mean probability of the label over the epochs.

    .. math:: \mu_i = \frac{1}{T} \sum_{t=1}^{T} p_{i,t}

    Here :math:`p_{i,t}` is the probability of the label of row i at epoch t: Swayamdipta et al. (Dataset Cartography),
    arXiv 2009.10795, section 2.

    Parameters
    ----------
    $dynamics
    $score_epochs

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [0, 1]; low = hard.

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import confidence
    >>> confidence(TrainingDynamics.from_proba([[[0.75, 0.25]], [[0.25, 0.75]]], [0]))
    array([0.5])
    """
    return mean_over(dynamics.target_proba, n_epochs)


@score()
def variability(dynamics, *, n_epochs=None):
    r"""Standard deviation of the label's probability over the epochs.

    .. math:: \sigma_i = \sqrt{\frac{1}{T} \sum_{t=1}^{T} (p_{i,t} - \mu_i)^2}

    Here :math:`p_{i,t}` is the probability of the label of row i at epoch t and :math:`\mu_i` its mean: Swayamdipta et al.
    (Dataset Cartography), arXiv 2009.10795, section 2.

    Parameters
    ----------
    $dynamics
    $score_epochs

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [0, 0.5]; high = hard, or rather ambiguous.

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import variability
    >>> variability(TrainingDynamics.from_proba([[[0.75, 0.25]], [[0.25, 0.75]]], [0]))
    array([0.25])
    """
    return in_blocks(first_epochs(dynamics.target_proba, n_epochs), lambda proba: np.nanstd(proba, axis=0))


@score()
def correctness(dynamics, *, n_epochs=None):
    r"""Share of the epochs in which the label is predicted.

    .. math:: \frac{1}{T} \sum_{t=1}^{T} \mathbb{1} \Bigl[ p_{i,t} > \max_{c \neq y_i} p_{i,t,c} \Bigr]

    Here :math:`p_{i,t}` is the probability of the label :math:`y_i` of row i at epoch t: Swayamdipta et al. (Dataset
    Cartography), arXiv 2009.10795, section 2.

    Parameters
    ----------
    $dynamics
    $score_epochs

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [0, 1]; low = hard.

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import correctness
    >>> correctness(TrainingDynamics.from_proba([[[0.75, 0.25]], [[0.25, 0.75]]], [0]))
    array([0.5])
    """
    margins = first_epochs(dynamics.target_margin, n_epochs)
    return in_blocks(margins, lambda margin: (margin > 0).sum(axis=0) / (~np.isnan(margin)).sum(axis=0))


@score()
def forgetting(dynamics, *, n_epochs=None, never_learned=None):
    r"""Number of forgetting events: epochs with a right prediction that the next epoch gets wrong.

    .. math:: \sum_{t=1}^{T-1} \mathbb{1}[\mathrm{correct}_{i,t} > \mathrm{correct}_{i,t+1}]

    Toneva et al., arXiv 1812.05159, section 3. Epochs in which the row was not seen are skipped, and a row that is never
    predicted right is the hardest.

    Parameters
    ----------
    $dynamics
    $score_epochs
    never_learned : float, default=None
        The value for rows that are never predicted right; None takes the number of epochs.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [0, n_epochs]; high = hard.

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import forgetting
    >>> right, wrong = [0.9, 0.1], [0.1, 0.9]
    >>> forgetting(TrainingDynamics.from_proba([[right, wrong], [wrong, wrong], [right, wrong]], [0, 0]))
    array([1., 3.])
    """
    margins = first_epochs(dynamics.target_margin, n_epochs)
    was_right, learned = (np.zeros(dynamics.n_samples, dtype=bool) for _ in range(2))
    events = np.zeros(dynamics.n_samples)
    for margin in margins:
        right, seen = margin > 0, ~np.isnan(margin)
        events += was_right & ~right & seen
        was_right = np.where(seen, right, was_right)
        learned |= right
    events[~learned] = len(margins) if never_learned is None else never_learned
    return events


@score(score_epochs=_TEN_EPOCHS)
def el2n(dynamics, *, n_epochs=10):
    r"""Mean norm of the error vector over the first epochs.

    .. math:: \frac{1}{T} \sum_{t=1}^{T} \lVert p_t(x_i) - \mathrm{onehot}(y_i) \rVert_2

    Here :math:`p_t(x_i)` are the probabilities of all classes for row i at epoch t: Paul et al. (Deep Learning on a Data
    Diet), arXiv 2107.07075, definition 2.3.

    Parameters
    ----------
    $dynamics
    $score_epochs

    Returns
    -------
    ndarray of shape (n_samples,), float64
        In [0, sqrt(2)]; high = hard.

    Examples
    --------
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import el2n
    >>> el2n(TrainingDynamics.from_proba([[[1.0, 0.0]]], [1]), n_epochs=1).round(4)
    array([1.4142])
    """
    return mean_over(dynamics.error, n_epochs)


@score(score_epochs=_TEN_EPOCHS)
def grand(dynamics, *, n_epochs=10):
    r"""GraNd of the last layer: mean norm of the cross entropy's gradient with respect to its weights and bias.

    .. math:: \frac{1}{T} \sum_{t=1}^{T} \lVert p_t(x_i) - \mathrm{onehot}(y_i) \rVert_2 \, \lVert (h_t(x_i), 1) \rVert_2

    Here :math:`p_t(x_i)` are the probabilities of all classes for row i at epoch t and :math:`h_t(x_i)` is the input of the
    layer; the 1 stands for a bias, if there is one. Paul et al. (Deep Learning on a Data Diet), arXiv 2107.07075,
    definition 2.1, restricted to the last layer, which must be linear.

    Parameters
    ----------
    $dynamics
    $score_epochs

    Returns
    -------
    ndarray of shape (n_samples,), float64
        At least 0; high = hard.

    Raises
    ------
    ValueError
        The dynamics hold no ``grad_norm``.

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
        raise ValueError(
            "grand needs grad_norm, which is recorded from nets whose last layer is linear and gives the logits."
        )
    return mean_over(dynamics.grad_norm, n_epochs)
