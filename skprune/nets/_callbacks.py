"""Callbacks of skprune's nets: learning rate, moving average of the weights, progress bar."""

import math
from copy import deepcopy

import torch
from skorch.callbacks import Callback
from tqdm import tqdm


class CosineSchedule(Callback):
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


def ema_decay(step, most=0.999):
    """Return the decay of a moving average at a step; it is small at first, so that the start fades in short runs too."""
    return min(most, (1 + step) / (10 + step))


class MovingAverage(Callback):
    """Keep an exponential moving average of the network, and load it when training ends."""

    def on_train_begin(self, net, **kwargs):
        """Start from the present weights."""
        self.step_ = 0
        self.module_ = net.torch_compile(deepcopy(net.module_).requires_grad_(False).train(), name="module")
        self.averaged_, self.current_ = FloatTensors(self.module_), FloatTensors(net.module_)

    def on_batch_end(self, net, training=False, **kwargs):
        """Move toward the present weights."""
        if training:
            with torch.no_grad():
                torch._foreach_lerp_(self.averaged_.list(), self.current_.list(), 1 - ema_decay(self.step_))
            self.step_ += 1

    def on_train_end(self, net, **kwargs):
        """Load the average."""
        with torch.no_grad():
            for tensor, average in zip(self.current_.list(), self.averaged_.list(), strict=True):
                tensor.copy_(average)
        self.abandon()

    def abandon(self):
        """Drop the average."""
        for name in ("module_", "averaged_", "current_"):
            vars(self).pop(name, None)


class FloatTensors:
    """The floating-point weights and buffers of a module, shared ones once; the tree is walked once."""

    def __init__(self, module):
        places = [
            (owner, name, tensor)
            for owner in module.modules()
            for name, tensor in (*owner.named_parameters(recurse=False), *owner.named_buffers(recurse=False))
        ]
        distinct = {id(tensor): (owner, name) for owner, name, tensor in places if tensor.is_floating_point()}
        self._places = list(distinct.values())

    def list(self):
        """Return the tensors of the moment: a forward pass may put a new one in the place of a buffer."""
        return [getattr(owner, name) for owner, name in self._places]


class StageBar(Callback):
    """Show a progress bar with epoch, loss and, where there are pseudo-labels, the share of confident ones."""

    def __init__(self, stage):
        self.stage = stage

    def on_train_begin(self, net, **kwargs):
        """Open the bar, which counts steps for skprune's nets and epochs for others."""
        self.in_steps_ = hasattr(net, "n_steps_planned_")
        total = net.n_steps_planned_ if self.in_steps_ else net.max_epochs
        self.bar_ = tqdm(total=total, desc=self.stage, unit="step" if self.in_steps_ else "epoch", dynamic_ncols=True)

    def on_batch_end(self, net, training=False, **kwargs):
        """Advance by a step."""
        if training and self.in_steps_:
            self.bar_.update()

    def on_epoch_end(self, net, **kwargs):
        """Show the figures of the epoch, and advance by one where epochs count."""
        self.show(len(net.history), net.max_epochs, net.history[-1]["train_loss"], net.history[-1].get("confident"))
        if not self.in_steps_:
            self.bar_.update()

    def on_train_end(self, net, **kwargs):
        """Close the bar."""
        self.abandon()

    def abandon(self):
        """Close the bar if it is open."""
        if hasattr(self, "bar_"):
            self.bar_.close()
            del self.bar_

    def show(self, epoch, n_epochs, loss, confident=None):
        """Set the text next to the bar."""
        text = {"epoch": f"{epoch}/{n_epochs}", "loss": f"{loss:.4f}"}
        if confident is not None:
            text["confident"] = f"{confident:.0%}"
        self.bar_.set_postfix(text, refresh=False)
