"""Mean Teacher: consistency with an averaged network."""

import math

import torch
from torch.nn import functional as F

from skprune._utils._docstrings import fill_docstring
from skprune.semi_supervised._base import SemiSupervisedNet
from skprune.semi_supervised._docstrings import net_texts
from skprune.semi_supervised._rules import RampedRule


class MeanSquareRule(RampedRule):
    """The teacher's probabilities as targets, mean squared error, with a sigmoid ramp (arXiv 1703.01780)."""

    def ramp(self, progress):
        """Return exp(-5 (1 - progress / ramp_up)^2), at most 1."""
        return math.exp(-5.0 * (1.0 - super().ramp(progress)) ** 2)

    def __call__(self, proba, index):
        """Return the probabilities, and weights of 1."""
        return proba, torch.ones(len(proba), device=proba.device)

    def loss(self, logits, target, weight):
        """Return the mean squared difference of the probabilities."""
        return F.mse_loss(logits.softmax(dim=1), target)


@fill_docstring(**net_texts(unlabeled_weight="50.0", teacher='"ema"'))
class MeanTeacher(SemiSupervisedNet):
    r"""Mean Teacher (Tarvainen and Valpola, arXiv 1703.01780): consistency with the average of the weights.

    The probabilities :math:`f_\theta` of one weakly augmented view approach those that the moving average
    :math:`\theta'` of the weights predicts for another view (section 2). The unlabeled loss is the mean over rows and classes
    of

    .. math::

        (f_\theta(x)_c - f_{\theta'}(x')_c)^2

    and its weight, at a fraction t of the ramp, is :math:`\exp(-5 (1 - t)^2)` times `unlabeled_weight`. Squared differences of
    probabilities are small, hence the usual weight of 50.

    Parameters
    ----------
    $module
    ramp_up : float, default=0.4
        Fraction of all steps during which the unlabeled weight grows, in [0, 1].
    $training_parameters

    Attributes
    ----------
    $attributes

    See Also
    --------
    FixMatch : Pseudo-labels above a threshold, for strongly augmented rows.
    PseudoLabel : The network's own most probable classes.

    Notes
    -----
    With ``teacher="student"`` it is the Pi model (Laine and Aila, arXiv 1610.02242) without a gradient through the target.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.datasets import make_partial_labels
    >>> from skprune.semi_supervised import MeanTeacher
    >>> X, y = load_iris(return_X_y=True)
    >>> y_partial = make_partial_labels(y, n_labeled=15, random_state=0)
    >>> net = MeanTeacher(n_steps=100, batch_size=16, random_state=0).fit(X, y_partial)
    >>> bool(net.score(X, y) > 0.8)
    True
    """

    _second_view = "weak"

    def __init__(self, module=None, *, ramp_up=0.4, unlabeled_weight=50.0, teacher="ema", **kwargs):
        super().__init__(module, ramp_up=ramp_up, unlabeled_weight=unlabeled_weight, teacher=teacher, **kwargs)

    def _rule(self):
        return MeanSquareRule(self.ramp_up)
