"""FreeMatch: thresholds that adapt to the predictions."""

import torch

from skprune._utils._docstrings import fill_docstring
from skprune._utils._parameter_checks import check_number
from skprune.semi_supervised._base import SemiSupervisedNet
from skprune.semi_supervised._docstrings import net_texts
from skprune.semi_supervised._rules import Rule


class SelfAdaptiveThreshold(Rule):
    """Thresholds from running means of the probabilities (arXiv 2205.07246, eq. 5 to 12)."""

    def __init__(self, momentum, fairness):
        check_number("momentum", momentum, 0, 1, open_at=(1,))
        check_number("fairness", fairness, 0)
        self.momentum, self.fairness = momentum, fairness

    def start(self, n_classes, n_rows, device):
        """Start with uniform means."""
        self.threshold_ = torch.tensor(1.0 / n_classes, device=device)
        self.share_ = torch.full((n_classes,), 1.0 / n_classes, device=device)
        self.histogram_ = self.share_.clone()
        return super().start(n_classes, n_rows, device)

    def weigh(self, confidence, target, proba, index):
        """Update the means, then return 1 at or above the threshold of the predicted class."""
        self._average(self.threshold_, confidence.mean(), self.momentum)
        self._average(self.share_, proba.mean(dim=0), self.momentum)
        self._average(self.histogram_, _histogram(target, torch.ones_like(confidence), len(self.share_)), self.momentum)
        return (confidence >= self.threshold_ * (self.share_ / self.share_.max())[target]).float()

    def loss(self, logits, target, weight):
        """Return the cross-entropy plus the fairness term, which is 0 if no row counts."""
        cross_entropy = super().loss(logits, target, weight)
        if not self.fairness:
            return cross_entropy
        proba = logits.softmax(dim=1)
        strong_share = (proba * weight[:, None]).sum(dim=0) / weight.sum().clamp(min=1)
        strong_histogram = _histogram(proba.argmax(dim=1), weight, len(strong_share))
        weak = _normalized_ratio(self.share_, self.histogram_)
        strong = _normalized_ratio(strong_share, strong_histogram)
        term = (weak * (strong + 1e-12).log()).sum()
        return cross_entropy + self.fairness * torch.where(weight.sum() > 0, term, 0.0)


def _histogram(target, weight, n_classes):
    counts = torch.zeros(n_classes, device=target.device).scatter_add_(0, target, weight)
    return counts / counts.sum().clamp(min=1)


def _normalized_ratio(share, histogram):
    """Return share / histogram, 0 for classes missing from the histogram, scaled to sum to 1."""
    ratio = torch.where(histogram > 0, share / histogram.clamp(min=1e-12), 0.0)
    return ratio / ratio.sum().clamp(min=1e-12)


@fill_docstring(**net_texts())
class FreeMatch(SemiSupervisedNet):
    r"""FreeMatch (Wang et al., arXiv 2205.07246): FixMatch with thresholds that adapt to the predictions.

    The global threshold :math:`\tau` is a running mean of the largest class probability of weakly augmented rows (eq. 5), and
    :math:`\tilde{p}(c)` is a running mean of the probability of class c (eq. 6). A prediction of class c counts if its
    probability reaches (eq. 7)

    .. math::

        \tau(c) = \frac{\tilde{p}(c)}{\max_{c'} \tilde{p}(c')} \, \tau

    The unlabeled loss contains `fairness` times a term that keeps predictions from collapsing onto a few classes (eq. 9 to
    12),

    .. math::

        \mathcal{L}_f = \sum_c \operatorname{SumNorm}(\tilde{p} / \tilde{h})_c \,
            \log \operatorname{SumNorm}(\bar{p} / \bar{h})_c

    where :math:`\tilde{h}` is a running histogram of the predicted classes, :math:`\bar{p}` and :math:`\bar{h}` are the mean
    probabilities and the histogram of the strongly augmented rows that count, and SumNorm divides a vector by its sum.

    Parameters
    ----------
    $module
    momentum : float, default=0.999
        Largest decay of the running means, in [0, 1). At step k the decay is at most (1 + k) / (10 + k), as for `ema`.
    fairness : float, default=0.001
        Weight of the fairness term within the unlabeled loss, at least 0. The authors' code uses 0.001.
    $training_parameters

    Attributes
    ----------
    $attributes

    See Also
    --------
    FixMatch : One fixed threshold.
    FlexMatch : Per-class thresholds that follow how well each class has been learned.
    SoftMatch : Weights instead of a threshold.

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
