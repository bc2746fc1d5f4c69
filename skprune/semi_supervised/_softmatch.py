"""SoftMatch."""

from skprune.semi_supervised._base import SemiSupervisedNet
from skprune.semi_supervised._rules import GaussianWeight


class SoftMatch(SemiSupervisedNet):
    """SoftMatch (Chen et al., arXiv 2301.10921): FixMatch with soft weights instead of a threshold.

    A pseudo-label of probability p has the weight 1 above mu and ``exp(-(p - mu)^2 n_sigma^2 / (2 sigma^2))`` below it, with
    the running mean mu and variance sigma^2 of the greatest probability (section 3, truncated Gaussian). Aligned probabilities
    make the weights, not the targets (section 3, uniform alignment). The paper aligns to equal shares; the default here, the
    class frequencies of the labelled rows, is the same where these are equal and better where they are not.

    Parameters
    ----------
    $module
    momentum : float, default=0.999
        The decay that the running means come to, in [0, 1); they begin as in `ema`, with a decay of (1 + k) / (10 + k).
    n_sigma : float, default=1.0
        Steepness of the weight, above 0: 1 is the paper's formula, 2 what its authors' code does.
    $parameters

    Attributes
    ----------
    $attributes

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.datasets import make_partial_labels
    >>> from skprune.semi_supervised import SoftMatch
    >>> X, y = load_iris(return_X_y=True)
    >>> y_partial = make_partial_labels(y, n_labeled=15, random_state=0)
    >>> net = SoftMatch(n_steps=100, batch_size=16, random_state=0).fit(X, y_partial)
    >>> bool(net.score(X, y) > 0.8)
    True
    """

    def __init__(self, module=None, *, momentum=0.999, n_sigma=1.0, alignment="labels", **kwargs):
        super().__init__(module, momentum=momentum, n_sigma=n_sigma, alignment=alignment, **kwargs)

    def _rule(self):
        return GaussianWeight(self.momentum, self.n_sigma)
