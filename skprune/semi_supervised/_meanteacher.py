"""Mean Teacher."""

from skprune.semi_supervised._base import SemiSupervisedNet
from skprune.semi_supervised._rules import MeanSquareRule


class MeanTeacher(SemiSupervisedNet):
    """Mean Teacher (Tarvainen and Valpola, arXiv 1703.01780): consistency with the average of the weights.

    The net's probabilities of one weakly augmented view come close, in mean square, to those that the moving average of its
    weights gives to another one (section 2). The weight of that loss grows as ``exp(-5 (1 - t)^2)``, with the part t of the
    ramp that is done; the usual 50 is for mean squares of probabilities, which are small.

    Parameters
    ----------
    $module
    ramp_up : float, default=0.4
        The part of all steps in which the unlabelled weight grows to its full value, in [0, 1].
    $parameters

    Attributes
    ----------
    $attributes

    Notes
    -----
    ``teacher="student"`` makes it the Pi model (arXiv 1610.02242), without a gradient through the target.

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

    _student_view = "weak"

    def __init__(self, module=None, *, ramp_up=0.4, unlabeled_weight=50.0, teacher="ema", **kwargs):
        super().__init__(module, ramp_up=ramp_up, unlabeled_weight=unlabeled_weight, teacher=teacher, **kwargs)

    def _rule(self):
        return MeanSquareRule(self.ramp_up)
