"""FlexMatch: a curriculum of per-class thresholds."""

import torch

from skprune._utils._docstrings import fill_docstring
from skprune.semi_supervised._base import SemiSupervisedNet
from skprune.semi_supervised._docstrings import net_texts
from skprune.semi_supervised._rules import FixedThreshold


class CurriculumThreshold(FixedThreshold):
    """Per-class thresholds that follow how well each class has been learned (arXiv 2110.08263, eq. 5 to 12)."""

    def __init__(self, threshold, warmup):
        super().__init__(threshold)
        self.warmup = warmup

    def start(self, n_classes, n_rows, device):
        """Start with no row learned, marked by -1; the last entry takes the writes for rows that are not confident."""
        self.learned_ = torch.full((n_rows + 1,), -1, device=device)
        self.ones_ = torch.ones(n_rows, device=device)
        self.n_classes_ = n_classes
        return super().start(n_classes, n_rows, device)

    def weigh(self, confidence, target, proba, index):
        """Return 1 at or above the threshold of the predicted class, then record the confident predictions."""
        counts = torch.zeros(self.n_classes_ + 1, device=proba.device)
        counts.scatter_add_(0, self.learned_[:-1] + 1, self.ones_)  # the rows that are not learned come first
        largest = counts.max() if self.warmup else counts[1:].max().clamp(min=1)
        beta = (counts[1:] / largest)[target]
        self.learned_[torch.where(confidence >= self.threshold, index, len(self.learned_) - 1)] = target
        return (confidence >= self.threshold * beta / (2 - beta)).float()


@fill_docstring(**net_texts())
class FlexMatch(SemiSupervisedNet):
    r"""FlexMatch (Zhang et al., arXiv 2110.08263): FixMatch with a curriculum of per-class thresholds.

    Let :math:`\sigma(c)` be the number of rows of the pool whose most recent prediction with a probability of at least
    :math:`\tau` was class c (eq. 5), and :math:`\beta(c)` that number divided by the largest of them (eq. 6; see `warmup`). A
    prediction of class c counts if its probability reaches (eq. 12)

    .. math::

        \mathcal{T}(c) = \frac{\beta(c)}{2 - \beta(c)} \, \tau

    Parameters
    ----------
    $module
    threshold : float, default=0.95
        Threshold :math:`\tau` of the class that has been learned best, in [0, 1].
    warmup : bool, default=True
        Whether to divide by the number of rows without a confident prediction so far if that is larger than every
        :math:`\sigma(c)` (eq. 11), so that thresholds rise from 0.
    $training_parameters

    Attributes
    ----------
    $attributes

    See Also
    --------
    FixMatch : One fixed threshold.
    FreeMatch : Thresholds that adapt to the predictions.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.datasets import make_partial_labels
    >>> from skprune.semi_supervised import FlexMatch
    >>> X, y = load_iris(return_X_y=True)
    >>> y_partial = make_partial_labels(y, n_labeled=15, random_state=0)
    >>> net = FlexMatch(n_steps=100, batch_size=16, random_state=0).fit(X, y_partial)
    >>> bool(net.score(X, y) > 0.8)
    True
    """

    def __init__(self, module=None, *, threshold=0.95, warmup=True, **kwargs):
        super().__init__(module, threshold=threshold, warmup=warmup, **kwargs)

    def _rule(self):
        return CurriculumThreshold(self.threshold, self.warmup)
