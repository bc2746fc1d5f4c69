"""FreeMatch."""

from skprune.semi_supervised._base import SemiSupervisedNet
from skprune.semi_supervised._rules import SelfAdaptiveThreshold


class FreeMatch(SemiSupervisedNet):
    """FreeMatch (Wang et al., arXiv 2205.07246): FixMatch with thresholds that adapt themselves.

    The global threshold tau is the running mean of the greatest probability of the weak views (eq. 5); with p(c) the running
    mean probability of class c (eq. 6), a prediction c counts where it reaches ``tau * p(c) / max p`` (eq. 7). A fairness term
    (eq. 9 to 12) compares the class distributions of weak and of confident strong views.

    Parameters
    ----------
    $module
    momentum : float, default=0.999
        The decay that the running means come to, in [0, 1); they begin as in `ema`, with a decay of (1 + k) / (10 + k).
    fairness : float, default=0.001
        Weight of the fairness term within the unlabelled loss, at least 0; 0.001 is that of the authors' code.
    $parameters

    Attributes
    ----------
    $attributes

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.datasets import make_partial_labels
    >>> from skprune.semi_supervised import FreeMatch
    >>> X, y = load_iris(return_X_y=True)
    >>> y_partial = make_partial_labels(y, n_labeled=15, random_state=0)
    >>> net = FreeMatch(n_steps=100, batch_size=16, random_state=0).fit(X, y_partial)
    >>> bool(net.score(X, y) > 0.8)
    True
    """

    def __init__(self, module=None, *, momentum=0.999, fairness=0.001, **kwargs):
        super().__init__(module, momentum=momentum, fairness=fairness, **kwargs)

    def _rule(self):
        return SelfAdaptiveThreshold(self.momentum, self.fairness)
