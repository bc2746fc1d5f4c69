"""Distribution alignment of pseudo-labels (ReMixMatch, arXiv 1911.09785, section 3.1)."""

import torch

from skprune.nets._moving_average import ema_decay
from skprune.nets._resumable import Resumable

ALIGNMENTS = ("uniform", "labels", "learned")


class Alignment(Resumable):
    """Shift class probabilities so that their running mean approaches a target distribution."""

    def __init__(self, kind, frequencies):
        self.kind = kind
        uniform = torch.full_like(frequencies, 1.0 / len(frequencies))
        self.target = frequencies.clone() if kind == "labels" else uniform.clone()
        self.mean = uniform
        self.n_aligned = self.n_learned = 0

    def __call__(self, proba):
        """Update the running mean, and return the aligned probabilities."""
        self.mean.lerp_(proba.mean(dim=0), 1 - ema_decay(self.n_aligned))
        self.n_aligned += 1
        shifted = proba * ((self.target + 1e-6) / (self.mean + 1e-6))
        return shifted / shifted.sum(dim=1, keepdim=True)

    def learn(self, labeled_proba):
        """Update the target of "learned" for the steps to come."""
        if self.kind == "learned":
            self.target.lerp_(labeled_proba.mean(dim=0), 1 - ema_decay(self.n_learned))
            self.n_learned += 1
