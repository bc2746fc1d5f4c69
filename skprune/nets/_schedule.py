"""The learning-rate schedule of the nets."""

import math

from skorch.callbacks import Callback

from skprune.nets._resumable import Resumable


class CosineSchedule(Resumable, Callback):
    """Set the learning rate before each step: ``lr * cos(cycles * pi * step / total)``, or a half cosine down to 0."""

    def __init__(self, cycles):
        self.cycles = cycles

    def factor(self, progress):
        """Return the factor of the learning rate."""
        progress = min(progress, 1.0)
        if self.cycles is None:
            return (1 + math.cos(math.pi * progress)) / 2
        return math.cos(self.cycles * math.pi * progress)

    def on_train_begin(self, net, **kwargs):
        """Start at step 0."""
        self.step_ = 0

    def on_batch_begin(self, net, training=False, **kwargs):
        """Set the rates of the coming step; a parameter group with a rate of its own keeps its ratio to `lr`."""
        if training:
            factor = self.factor(self.step_ / net.n_steps_scheduled_)
            for group in net.optimizer_.param_groups:
                group["lr"] = group.get("initial_lr", net.lr) * factor
            self.step_ += 1
