"""Distribution alignment of pseudo-labels (ReMixMatch, arXiv 1911.09785, section 3.1)."""

import torch

from skprune.nets._callbacks import ema_decay

ALIGNMENTS = ("uniform", "labels", "learnt")


class Alignment:
    """Move class probabilities so that their running mean comes to a target distribution."""

    def __init__(self, kind, frequencies):
        self.kind = kind
        uniform = torch.full_like(frequencies, 1.0 / len(frequencies))
        self.target = frequencies.clone() if kind == "labels" else uniform.clone()
        self.mean = uniform
        self.step = self.learnt = 0

    def __call__(self, proba):
        """Align probabilities, and move their running mean."""
        self.mean.lerp_(proba.mean(dim=0), 1 - ema_decay(self.step))
        self.step += 1
        moved = proba * ((self.target + 1e-6) / (self.mean + 1e-6))
        return moved / moved.sum(dim=1, keepdim=True)

    def learn(self, labelled):
        """Move the target of "learnt" for the steps to come."""
        if self.kind == "learnt":
            self.target.lerp_(labelled.mean(dim=0), 1 - ema_decay(self.learnt))
            self.learnt += 1
