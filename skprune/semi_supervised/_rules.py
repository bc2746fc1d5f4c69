"""What the relatives differ in: target, weight a row, and loss.

A rule sees the teacher's class probabilities of the unlabelled rows of a step and answers with a target and a weight for
each; its loss compares the student's logits with them. State is made when a training begins, lives on the device and is
never read back. Averages over steps use the decay of :func:`~skprune.nets._callbacks.ema_decay`, so that they forget where
they started in runs of a thousand steps too.
"""

import math

import torch
from torch.nn import functional as F

from skprune._utils._checks import check_number
from skprune.nets._callbacks import ema_decay


class Rule:
    """Base: hard labels of weight 1, cross entropy."""

    aligned_targets = True

    def start(self, n_classes, n_rows, device):
        """Begin a training."""
        self.step_ = 0
        return self

    def ramp(self, progress):
        """Return the factor of the unlabelled loss."""
        return 1.0

    def __call__(self, proba, index):
        """Return targets and weights."""
        confidence, target = proba.max(dim=1)
        weight = self.weigh(confidence, target, proba, index)
        self.step_ += 1
        return target, weight

    def weigh(self, confidence, target, proba, index):
        """Return the weight of each row."""
        return torch.ones_like(confidence)

    def loss(self, logits, target, weight):
        """Return the unlabelled loss, a mean over all rows of the step."""
        return (F.cross_entropy(logits, target, reduction="none") * weight).mean()

    def _average(self, old, new, momentum):
        return old.lerp_(new, 1 - ema_decay(self.step_, momentum))


class RampedRule(Rule):
    """Hard labels of weight 1 whose loss grows linearly to its full weight (Lee 2013, eq. 16)."""

    def __init__(self, ramp_up):
        check_number("ramp_up", ramp_up, 0, 1)
        self.ramp_up = ramp_up

    def ramp(self, progress):
        """Return progress / ramp_up, at most 1."""
        return min(progress / self.ramp_up, 1.0) if self.ramp_up else 1.0


class MeanSquareRule(RampedRule):
    """The teacher's probabilities as targets, mean square, with a sigmoid ramp (arXiv 1703.01780)."""

    def ramp(self, progress):
        """Return exp(-5 (1 - progress / ramp_up)^2), at most 1."""
        return math.exp(-5.0 * (1.0 - super().ramp(progress)) ** 2)

    def __call__(self, proba, index):
        """Return the probabilities, and weights of 1."""
        return proba, torch.ones(len(proba), device=proba.device)

    def loss(self, logits, target, weight):
        """Return the mean square difference of the probabilities."""
        return F.mse_loss(logits.softmax(dim=1), target)


class FixedThreshold(Rule):
    """Weight 1 where the probability reaches a threshold (FixMatch, arXiv 2001.07685, eq. 4)."""

    def __init__(self, threshold):
        check_number("threshold", threshold, 0, 1)
        self.threshold = threshold

    def weigh(self, confidence, target, proba, index):
        """Return 1 at or above the threshold."""
        return (confidence >= self.threshold).float()


class CurriculumThreshold(FixedThreshold):
    """Thresholds by class that follow how much of it has been learnt (FlexMatch, arXiv 2110.08263, eq. 5 to 12)."""

    def __init__(self, threshold, warmup):
        super().__init__(threshold)
        self.warmup = warmup

    def start(self, n_classes, n_rows, device):
        """Begin with no row learnt, which -1 stands for; the last place takes what is not to be written."""
        self.learnt_ = torch.full((n_rows + 1,), -1, device=device)
        self.ones_ = torch.ones(n_rows, device=device)
        self.n_classes_ = n_classes
        return super().start(n_classes, n_rows, device)

    def weigh(self, confidence, target, proba, index):
        """Return 1 at or above the threshold of the predicted class, then count what is learnt."""
        counts = torch.zeros(self.n_classes_ + 1, device=proba.device)
        counts.scatter_add_(0, self.learnt_[:-1] + 1, self.ones_)
        most = counts.max() if self.warmup else counts[1:].max().clamp(min=1)
        beta = (counts[1:] / most)[target]
        self.learnt_[torch.where(confidence >= self.threshold, index, len(self.learnt_) - 1)] = target
        return (confidence >= self.threshold * beta / (2 - beta)).float()


class SelfAdaptiveThreshold(Rule):
    """Thresholds from the averages of the probabilities themselves (FreeMatch, arXiv 2205.07246, eq. 5 to 12)."""

    def __init__(self, momentum, fairness):
        check_number("momentum", momentum, 0, 1, open_at=(1,))
        check_number("fairness", fairness, 0)
        self.momentum, self.fairness = momentum, fairness

    def start(self, n_classes, n_rows, device):
        """Begin with uniform averages."""
        self.level_ = torch.tensor(1.0 / n_classes, device=device)
        self.share_ = torch.full((n_classes,), 1.0 / n_classes, device=device)
        self.histogram_ = self.share_.clone()
        return super().start(n_classes, n_rows, device)

    def weigh(self, confidence, target, proba, index):
        """Move the averages, then return 1 at or above the threshold of the predicted class."""
        self._average(self.level_, confidence.mean(), self.momentum)
        self._average(self.share_, proba.mean(dim=0), self.momentum)
        self._average(self.histogram_, _histogram(target, torch.ones_like(confidence), len(self.share_)), self.momentum)
        return (confidence >= self.level_ * (self.share_ / self.share_.max())[target]).float()

    def loss(self, logits, target, weight):
        """Return the cross entropy plus the fairness term."""
        own = super().loss(logits, target, weight)
        if not self.fairness:
            return own
        proba = logits.softmax(dim=1)
        confident = (proba * weight[:, None]).sum(dim=0) / weight.sum().clamp(min=1)
        histogram = _histogram(proba.argmax(dim=1), weight, len(confident))
        weak = _normalised(self.share_, self.histogram_)
        strong = _normalised(confident, histogram)
        term = (weak * (strong + 1e-12).log()).sum()
        return own + self.fairness * torch.where(weight.sum() > 0, term, 0.0)


class GaussianWeight(Rule):
    """Weights from a truncated Gaussian of the greatest probability (SoftMatch, arXiv 2301.10921, section 3)."""

    aligned_targets = False

    def __init__(self, momentum, n_sigma):
        check_number("momentum", momentum, 0, 1, open_at=(1,))
        check_number("n_sigma", n_sigma, 0, open_at=(0,))
        self.momentum, self.n_sigma = momentum, n_sigma

    def start(self, n_classes, n_rows, device):
        """Begin with mean 1 / n_classes and variance 1."""
        self.mean_ = torch.tensor(1.0 / n_classes, device=device)
        self.variance_ = torch.tensor(1.0, device=device)
        return super().start(n_classes, n_rows, device)

    def weigh(self, confidence, target, proba, index):
        """Move mean and variance, then return the Gaussian weight."""
        self._average(self.mean_, confidence.mean(), self.momentum)
        self._average(self.variance_, confidence.var(), self.momentum)
        below = (confidence - self.mean_).clamp(max=0)
        return torch.exp(-(below**2) * self.n_sigma**2 / (2 * self.variance_.clamp(min=1e-12)))


def _histogram(target, weight, n_classes):
    counts = torch.zeros(n_classes, device=target.device).scatter_add_(0, target, weight)
    return counts / counts.sum().clamp(min=1)


def _normalised(share, histogram):
    """Return share over histogram, 0 for classes that the histogram lacks, summing to 1."""
    ratio = torch.where(histogram > 0, share / histogram.clamp(min=1e-12), 0.0)
    return ratio / ratio.sum().clamp(min=1e-12)
