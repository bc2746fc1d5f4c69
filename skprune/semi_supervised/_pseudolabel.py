"""Pseudo-Label."""

from skprune.semi_supervised._base import SemiSupervisedNet
from skprune.semi_supervised._rules import RampedRule


class PseudoLabel(SemiSupervisedNet):
    """Pseudo-Label (Lee, ICML 2013 workshop on challenges in representation learning), anew in each step.

    The class of the greatest probability of an unlabelled row is its target (eq. 14), whatever that probability; the weight
    of the unlabelled loss grows linearly (eq. 15 and 16; there to 3, here to `unlabeled_weight`). Unlabelled rows are weakly
    augmented, and the net learns from the same view that it has labelled.

    Parameters
    ----------
    $module
    ramp_up : float, default=0.4
        The part of all steps in which the unlabelled weight grows to its full value, in [0, 1].
    $parameters

    Attributes
    ----------
    $attributes

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.datasets import make_partial_labels
    >>> from skprune.semi_supervised import PseudoLabel
    >>> X, y = load_iris(return_X_y=True)
    >>> y_partial = make_partial_labels(y, n_labeled=15, random_state=0)
    >>> net = PseudoLabel(n_steps=100, batch_size=16, random_state=0).fit(X, y_partial)
    >>> bool(net.score(X, y) > 0.8)
    True
    """

    _student_view = None

    def __init__(self, module=None, *, ramp_up=0.4, **kwargs):
        super().__init__(module, ramp_up=ramp_up, **kwargs)

    def _rule(self):
        return RampedRule(self.ramp_up)
