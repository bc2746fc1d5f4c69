"""Pseudo-Label: the most probable class, whatever its probability."""

from skprune._utils._docstrings import fill_docstring
from skprune.semi_supervised._base import SemiSupervisedNet
from skprune.semi_supervised._docstrings import net_texts
from skprune.semi_supervised._rules import RampedRule


@fill_docstring(**net_texts())
class PseudoLabel(SemiSupervisedNet):
    r"""Pseudo-Label (Lee, ICML 2013 workshop on challenges in representation learning), updated at every step.

    The most probable class of an unlabeled row is its target, whatever its probability (eq. 14). The weight of the unlabeled
    loss grows linearly from 0 at the first step to `unlabeled_weight` (the paper's 3, eq. 16) after a fraction `ramp_up` of
    all steps. Unlabeled rows are augmented weakly, and the network learns from the view it has labeled.

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
    MeanTeacher : Consistency with an averaged network.

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

    _second_view = None

    def __init__(self, module=None, *, ramp_up=0.4, **kwargs):
        super().__init__(module, ramp_up=ramp_up, **kwargs)

    def _rule(self):
        return RampedRule(self.ramp_up)
