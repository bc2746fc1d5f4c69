"""DUAL's Beta sampling."""

from numbers import Real

import numpy as np
from scipy.optimize import brentq
from scipy.stats import beta as beta_distribution

from skprune._utils._checks import check_number
from skprune.selection._base import BaseSelector
from skprune.selection._kinds import hardest_first, label_probabilities

_ANCHORS = 10
_CONCENTRATION = 15.0
_LATEST = 4.0  # the published c_d


class Beta(BaseSelector):
    """Sample without replacement, with weights that move from hard to easy rows as less is kept (DUAL, arXiv 2502.06905).

    The weight of a row is its score times the density at its mean label probability of a Beta distribution with
    ``b = 15 (1 - m) (1 - r ** c_d)`` and ``a = 16 - b``, where r = 1 - k / n and m is the mean label probability of the
    10 hardest rows (section 4.2 and eq. 6). Scores below 0 are shifted to 0. Rows of weight 0 come last, by score.

    With `trust`, which is not of that paper, a row whose label is probably wrong weighs less: its difficulty is that of another
    label.

    Parameters
    ----------
    c_d : float or "auto", default=4
        How late the distribution turns to easy rows; above 0. "auto", which is not of that paper, is the odds of the mean label
        probability p of all rows, ``min(4, p / (1 - p))``: in a pool that is hard to learn it turns early.
    n_epochs : int, default=None
        The epochs over which the label probability is averaged: those of the score. None: all recorded ones.
    trust : float, default=0
        Weights are multiplied by ``(1 - error_probability) ** trust``; at least 0.
    class_balanced : None, "proportional", "uniform" or dict, default=None
        How k is shared over the classes; r, m and p are then those of each class.
    min_per_class : int or float, default=0
        The least number of kept rows of each class; a float: that part of an even share.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import difficulty
    >>> from skprune.selection import Beta
    >>> p = np.random.default_rng(0).uniform(size=(12, 40))
    >>> dynamics = TrainingDynamics.from_proba(np.stack([p, 1 - p], axis=2), np.zeros(40, dtype=int))
    >>> int(Beta().select(difficulty(dynamics, "dual"), 0.5, dynamics=dynamics, random_state=0).sum())
    20
    """

    def __init__(self, c_d=4, n_epochs=None, trust=0, class_balanced=None, min_per_class=0):
        super().__init__(class_balanced=class_balanced, min_per_class=min_per_class)
        self.c_d = c_d
        self.n_epochs = n_epochs
        self.trust = trust

    def check(self, k, n_samples, n_epochs=None):
        """Refuse a `c_d` of 0 or less, a `trust` below 0, and more epochs than recorded; see :meth:`BaseSelector.check`."""
        super().check(k, n_samples, n_epochs)
        if n_epochs is not None and self.n_epochs is not None and self.n_epochs > n_epochs:
            raise ValueError(f"Beta reads n_epochs={self.n_epochs}, above the {n_epochs} epochs that are recorded.")
        auto = isinstance(self.c_d, str) and self.c_d == "auto"
        if not auto and (isinstance(self.c_d, bool) or not isinstance(self.c_d, Real) or not self.c_d > 0):
            raise ValueError(f"c_d must be above 0 or 'auto', got {self.c_d!r}.")
        check_number("trust", self.trust, 0)

    def _read(self, n_samples, *, dynamics, embedding, error_probability):
        mean_proba = label_probabilities(dynamics, n_samples, "Beta", self.n_epochs)
        trusted = np.ones(n_samples)
        if self.trust:
            if error_probability is None:
                raise ValueError("Beta(trust=...) needs error_probability, the probability that a label is wrong.")
            trusted = 1.0 - np.asarray(error_probability, dtype=np.float64)
            if trusted.shape != (n_samples,) or not ((trusted >= 0.0) & (trusted <= 1.0)).all():
                raise ValueError(f"error_probability must hold {n_samples} numbers within [0, 1].")
        return np.stack([mean_proba, trusted**self.trust], axis=1)

    _reason = "drawn"

    def _weights(self, scores, k, read, hard):
        mean_proba, trusted = read.T
        c_d = odds_of(mean_proba) if isinstance(self.c_d, str) else self.c_d
        return trusted * beta_weights(scores, mean_proba, 1.0 - k / len(scores), c_d, hard[:_ANCHORS])

    def _chances(self, scores, k, read, kept, free, cut):
        weights = self._weights(scores, k, read, np.argsort(-scores, kind="stable"))
        chances = np.ones(len(scores))
        chances[free] = race(weights[free], int(kept[free].sum()))
        return chances

    def _order(self, scores, k, read, rng):
        hard = hardest_first(scores, rng)
        weights = self._weights(scores, k, read, hard)
        # The k largest of log(weight) + Gumbel noise are draws without replacement in proportion to the weights.
        noise = rng.gumbel(size=len(scores))
        with np.errstate(divide="ignore"):
            keys = np.log(weights) + noise
        never = np.isneginf(keys)
        return np.concatenate([np.argsort(-keys, kind="stable")[: len(keys) - never.sum()], hard[never[hard]]])


def race(weights, k):
    """Return the probability of each row to be among the first k of an exponential race, ``1 - exp(-weight * t)``."""
    if k == 0:
        return np.zeros(len(weights))
    units = weights / (weights.max(initial=0.0) or 1.0)
    heavy = units > 1e-290
    rest = len(weights) - heavy.sum()
    if heavy.sum() <= k:
        return np.where(heavy, 1.0, (k - heavy.sum()) / max(1, rest))
    units[~heavy] = 0.0
    log_t = brentq(lambda x: -np.expm1(-units * np.exp(x)).sum() - k, -50.0, 700.0)
    return -np.expm1(-units * np.exp(log_t))


def odds_of(mean_proba):
    """Return the c_d of rows: the odds of their mean label probability, no more than the published one."""
    p = np.clip(mean_proba.mean(), 1e-3, 1.0 - 1e-3)
    return float(min(_LATEST, p / (1.0 - p)))


def beta_weights(scores, mean_proba, removed, c_d, anchors):
    """Return the sampling weights: score times Beta density."""
    scores = scores - min(scores.min(), 0.0)
    b = _CONCENTRATION * (1.0 - mean_proba[anchors].mean()) * (1.0 - removed**c_d)
    b = max(b, 1e-6)
    a = _CONCENTRATION + 1.0 - b
    density = beta_distribution.pdf(np.clip(mean_proba, 1e-6, 1.0 - 1e-6), a, b)
    return scores * density
