"""DUAL's Beta sampling."""

import numpy as np
from scipy.optimize import brentq
from scipy.stats import beta as beta_distribution

from skprune._utils._docstrings import fill_docstring
from skprune._utils._parameter_checks import check_count, check_number
from skprune.selection._base import BaseSelector
from skprune.selection._ranked import hardest_first

_ANCHORS = 10
_CONCENTRATION = 15.0
_LATEST = 4.0  # the published c_d


@fill_docstring()
class Beta(BaseSelector):
    r"""Sample without replacement, with weights that move from hard to easy rows as less is kept (DUAL, arXiv 2502.06905).

    The weight of row i is its score times the density of a Beta distribution at its mean label probability
    :math:`\bar{p}_i`, with (section 4.2 and eq. 6)

    .. math:: b = 15 \, (1 - m) (1 - r^{c_d}), \qquad a = 16 - b,

    where :math:`r = 1 - k / n` and m is the mean of :math:`\bar{p}_i` over the 10 hardest rows. Scores below 0 are shifted
    to 0. Rows of weight 0 come last, by score.

    With `trust`, which is not in that paper, a row whose label is probably wrong weighs less, since its difficulty is that of
    another label.

    Parameters
    ----------
    c_d : float or "auto", default=4
        How late the distribution turns to easy rows; above 0. "auto", which is not in that paper, takes the odds of the mean
        label probability p of all rows, :math:`\min(4, p / (1 - p))`, so that it turns early in a pool that is hard to learn.
    n_epochs : int, default=None
        The number of epochs over which label probabilities are averaged: those of the score. None: all recorded ones.
    trust : float, default=0
        Weights are multiplied by ``(1 - error_probability) ** trust``; at least 0.
    $class_balanced
    $min_per_class

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

    _reason = "drawn"

    def __init__(self, c_d=4, *, n_epochs=None, trust=0, class_balanced=None, min_per_class=0):
        super().__init__(class_balanced=class_balanced, min_per_class=min_per_class)
        self.c_d = c_d
        self.n_epochs = n_epochs
        self.trust = trust

    def needs(self):
        """Name the inputs that `select` reads; see :meth:`BaseSelector.needs`."""
        needed = ("dynamics", *super().needs())
        return (*needed, "error_probability") if self.trust else needed

    def check(self, k, n_samples, n_epochs=None):
        """Refuse parameters that cannot work; see :meth:`BaseSelector.check`."""
        super().check(k, n_samples, n_epochs)
        check_count("n_epochs", self.n_epochs, optional=True)
        if n_epochs is not None and self.n_epochs is not None and self.n_epochs > n_epochs:
            raise ValueError(f"Beta reads n_epochs={self.n_epochs}, above the {n_epochs} epochs that are recorded.")
        check_number("c_d", self.c_d, 0, open_at=(0,), words=("auto",))
        check_number("trust", self.trust, 0)

    @property
    def _epochs_read(self):
        return self.n_epochs

    def _order(self, draw):
        hard = hardest_first(draw.scores, draw.rng)
        weights = self._weights(draw, hard)
        # The k largest of log(weight) + Gumbel noise are draws without replacement in proportion to the weights.
        noise = draw.rng.gumbel(size=len(weights))
        with np.errstate(divide="ignore"):
            keys = np.log(weights) + noise
        never = np.isneginf(keys)
        return np.concatenate([np.argsort(-keys, kind="stable")[: len(keys) - never.sum()], hard[never[hard]]])

    def _weights(self, draw, hard):
        """Return the sampling weights, given the order from hard to easy."""
        mean_proba = draw.inputs["mean_proba"]
        c_d = odds_of(mean_proba) if isinstance(self.c_d, str) else self.c_d
        weights = beta_weights(draw.scores, mean_proba, 1.0 - draw.k / len(draw.scores), c_d, hard[:_ANCHORS])
        return (1.0 - draw.inputs["error_probability"]) ** self.trust * weights if self.trust else weights

    def _lots(self, group):
        return self._weights(group.draw, np.argsort(-group.draw.scores, kind="stable"))

    def _chances(self, lots, kept, free, first):
        chances, k = np.zeros(len(lots)), int(kept[free].sum())
        if first is not None:
            chances = self._chances(self._lots(first), first.kept, free, None)
            if k == first.kept[free].sum():
                return chances
        chances[free] = race(lots[free], k, chances[free])
        return chances


def race(weights, k, done):
    """Return ``1 - (1 - done) * exp(-weight * t)``, the probability to be done by the time t when k rows are on average."""
    if k == 0:
        return np.zeros(len(weights))
    units = weights / (weights.max(initial=0.0) or 1.0)
    heavy = units > 1e-290
    rest = k - heavy.sum() - done[~heavy].sum()
    if rest >= 0:
        return np.where(heavy, 1.0, done + (1.0 - done) * rest / max(1.0, (1.0 - done[~heavy]).sum()))
    units[~heavy] = 0.0

    def done_by(log_t):
        return done - (1.0 - done) * np.expm1(-units * np.exp(log_t))

    return done_by(brentq(lambda log_t: done_by(log_t).sum() - k, -50.0, 700.0))


def odds_of(mean_proba):
    """Return the c_d of a pool: the odds of its mean label probability, at most the published one."""
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
