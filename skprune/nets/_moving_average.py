"""The moving average of the weights, and the decay that all moving averages use."""

from contextlib import contextmanager, nullcontext
from copy import deepcopy

import torch
from skorch.callbacks import Callback


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

    def state_dict(self):
        """Return the step and the averaged network."""
        return {"step": self.step_, "module": self.module_.state_dict()}

    def load_state_dict(self, state):
        """Take over a step and an averaged network."""
        self.step_ = state["step"]
        self.module_.load_state_dict(state["module"])

    @contextmanager
    def loaded(self):
        """Let the network have the averaged weights within the block."""
        before = [tensor.clone() for tensor in self.current_.list()]
        self.current_.fill(self.averaged_.list())
        try:
            yield
        finally:
            self.current_.fill(before)

    def on_train_end(self, net, **kwargs):
        """Load the average."""
        self.current_.fill(self.averaged_.list())
        self.abandon()

    def abandon(self):
        """Drop the average."""
        for name in ("module_", "averaged_", "current_"):
            vars(self).pop(name, None)


def averaged(net):
    """Let a net in training have its averaged weights within the block, if there are any."""
    average = next((callback for _, callback in net.callbacks_ if isinstance(callback, MovingAverage)), None)
    return nullcontext() if average is None else average.loaded()


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

    def fill(self, values):
        """Copy values into the tensors."""
        with torch.no_grad():
            for tensor, value in zip(self.list(), values, strict=True):
                tensor.copy_(value)
