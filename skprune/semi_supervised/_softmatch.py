"""SoftMatch: soft weights instead of a threshold."""

import torch

from skprune._utils._docstrings import fill_docstring
from skprune._utils._parameter_checks import check_number
from skprune.semi_supervised._base import SemiSupervisedNet
from skprune.semi_supervised._docstrings import net_texts
from skprune.semi_supervised._rules import Rule


class GaussianWeight(Rule):
    """Weights from a truncated Gaussian of the largest probability (arXiv 2301.10921, section 3)."""

    aligned_targets = False

    def __init__(self, momentum, n_sigma):
        check_number("momentum", momentum, 0, 1, open_at=(1,))
        check_number("n_sigma", n_sigma, 0, open_at=(0,))
        self.momentum, self.n_sigma = momentum, n_sigma

    def start(self, n_classes, n_rows, device):
        """Start with mean 1 / n_classes and variance 1."""
        self.mean_ = torch.tensor(1.0 / n_classes, device=device)
        self.variance_ = torch.tensor(1.0, device=device)
        return super().start(n_classes, n_rows, device)

    def weigh(self, confidence, target, proba, index):
        """Update mean and variance, then return the Gaussian weight."""
        self._average(self.mean_, confidence.mean(), self.momentum)
        self._average(self.variance_, confidence.var(), self.momentum)
        below_mean = (confidence - self.mean_).clamp(max=0)
        return torch.exp(-(below_mean**2) * self.n_sigma**2 / (2 * self.variance_.clamp(min=1e-12)))


@fill_docstring(**net_texts(alignment='"labels"'))
class SoftMatch(SemiSupervisedNet):
    r"""SoftMatch (Chen et al., arXiv 2301.10921): FixMatch with soft weights instead of a threshold.

    A pseudo-label with probability p is weighted by a truncated Gaussian (section 3)

    .. math::

        \lambda(p) = \exp\left(-\frac{n_\sigma^2 \min(p - \mu, 0)^2}{2 \sigma^2}\right)

    where :math:`\mu` and :math:`\sigma^2` are the running mean and variance of the largest class probability. Aligned
    probabilities decide the weights but not the targets (section 3, uniform alignment). The paper aligns toward equal shares
    of the classes. The default here, the class frequencies of the labeled rows, is the same if these are equal and works
    better if they are not.

    Parameters
    ----------
    $module
    momentum : float, default=0.999
        Largest decay of the running means, in [0, 1). At step k the decay is at most (1 + k) / (10 + k), as for `ema`.
    n_sigma : float, default=1.0
        Steepness :math:`n_\sigma` of the weights, above 0. 1 is the paper's formula, 2 the authors' code.
    $training_parameters

    Attributes
    ----------
    $attributes

    See Also
    --------
    FixMatch : A fixed threshold.
    FreeMatch : Thresholds that adapt to the predictions.

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
