"""What a method does with unlabeled rows: their targets, weights and loss. Each rule is in the file of its net or here.

A rule takes the teacher's class probabilities for the unlabeled rows of a step and returns a target and a weight for each; its
loss compares the student's logits with them. Its state is made when training starts, stays on the device and is never read
back. Running means use the decay of :func:`~skprune.nets._moving_average.ema_decay`, so that their initial values fade even in
runs of a thousand steps.
"""

import torch
from torch.nn import functional as F

from skprune._utils._parameter_checks import check_number
from skprune.nets._moving_average import ema_decay
from skprune.nets._resumable import Resumable


class Rule(Resumable):
    """Base class: hard labels of weight 1, cross-entropy."""

    aligned_targets = True

    def start(self, n_classes, n_rows, device):
        """Make the state for a training run."""
        self.step_ = 0
        return self

    def ramp(self, progress):
        """Return the factor of the unlabeled loss, given the fraction of steps that are done."""
        return 1.0

    def __call__(self, proba, index):
        """Return the targets and weights of rows, given their probabilities and their indices in the pool."""
        confidence, target = proba.max(dim=1)
        weight = self.weigh(confidence, target, proba, index)
        self.step_ += 1
        return target, weight

    def weigh(self, confidence, target, proba, index):
        """Return the weight of each row."""
        return torch.ones_like(confidence)

    def loss(self, logits, target, weight):
        """Return the unlabeled loss, a mean over all unlabeled rows of the step."""
        return (F.cross_entropy(logits, target, reduction="none") * weight).mean()

    def _average(self, mean, value, momentum):
        return mean.lerp_(value, 1 - ema_decay(self.step_, momentum))


class RampedRule(Rule):
    """Hard labels of weight 1 whose loss grows linearly to its full weight (Lee 2013, eq. 16)."""

    def __init__(self, ramp_up):
        check_number("ramp_up", ramp_up, 0, 1)
        self.ramp_up = ramp_up

    def ramp(self, progress):
        """Return progress / ramp_up, at most 1."""
        return min(progress / self.ramp_up, 1.0) if self.ramp_up else 1.0


class FixedThreshold(Rule):
    """Weight 1 where the probability reaches a threshold (FixMatch, arXiv 2001.07685, eq. 4)."""

    def __init__(self, threshold):
        check_number("threshold", threshold, 0, 1)
        self.threshold = threshold

    def weigh(self, confidence, target, proba, index):
        """Return 1 at or above the threshold, else 0."""
        return (confidence >= self.threshold).float()
