"""The training loop of skprune's nets: skorch's, without waiting for the device at each step."""

import math

import torch

from skprune._utils._adapters import stops_training
from skprune._utils._time_limit import active_limit
from skprune.nets._callbacks import end_epoch
from skprune.nets._loss_watch import LossWatch
from skprune.nets._progress import StageBar

_WATCH_STEPS = 25


class StoppedEarly(Exception):
    """A callback or a time limit ended the training."""


class TrainingLoop:
    """Mixin for skorch classifiers: epochs whose losses are read in blocks, and an end in order where the time is over."""

    _is_cut = False

    def notify(self, method_name, **kwargs):
        """Notify the callbacks (skorch's hook).

        skorch's EarlyStopping raises KeyboardInterrupt at the end of an epoch, and skorch swallows every KeyboardInterrupt.
        Here only that one ends the training early; the user's Ctrl-C does not leave a half-trained net behind.
        """
        if method_name != "on_epoch_end":
            super().notify(method_name, **kwargs)
            return
        self.on_epoch_end(self, **kwargs)
        stops = False
        for _, callback in self.callbacks_:
            try:
                end_epoch(self, callback, **kwargs)
            except KeyboardInterrupt as interrupt:
                if not stops_training(interrupt):
                    raise
                stops = True
        if stops or self._is_cut:
            raise StoppedEarly

    def on_epoch_begin(self, net, **kwargs):
        """Begin an epoch of the history (skorch's hook), with an empty batch for callbacks that look at the last one."""
        super().on_epoch_begin(net, **kwargs)
        self.history.new_batch()

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        """Do nothing (skorch's hook): the history holds figures of epochs, not of batches."""

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Run an epoch (skorch's hook); losses are read every 25 steps, on CUDA 25 steps later, so that no step waits."""
        if iterator is None:
            return
        watch = LossWatch(_WATCH_STEPS, lagging=self.device_.type == "cuda")
        self._resume_epoch(watch)
        for batch in iterator:
            self.notify("on_batch_begin", batch=batch, training=training)
            rate = self.optimizer_.param_groups[-1]["lr"]
            step = {name: value.detach() for name, value in step_fn(batch, **fit_params).items()}
            self.notify("on_batch_end", batch=batch, training=training, **step)
            for block in watch.add(step["loss"], self.confident_, rate):
                self._look_at(block, len(iterator))
            self._is_cut = self._runs_out_of_time(len(watch.losses), len(iterator))
            self._keep(iterator, watch, now=self._is_cut)
            if self._is_cut:
                break
        for block in watch.finish():
            self._look_at(block, len(iterator))
        self.history.record("n_steps", len(watch.losses))
        self._record_loss(prefix + "_loss", torch.stack(watch.losses).double().mean().item())
        if watch.confident[0] is not None:
            self.history.record("confident", torch.stack(watch.confident).mean().item())
        if len(watch.losses) < len(iterator):
            raise StoppedEarly

    def _record_loss(self, name, loss):
        """Record the loss of an epoch, and whether none before had a lower one."""
        before = [row[name] for row in self.history[:-1]]
        self.history.record(name, loss)
        self.history.record(f"{name}_best", loss < min(before, default=math.inf))

    def _runs_out_of_time(self, n_steps, n_steps_of_epoch):
        """Tell whether the training ends after so many steps of the present epoch."""
        limit = active_limit()
        if limit is None:
            return False
        n_epochs = len(self.history) - self._first_epoch - 1
        return limit.cuts(n_epochs * n_steps_of_epoch + n_steps, self.n_steps_planned_, "step")

    def _look_at(self, block, n_steps):
        """Stop at a loss that is not finite, and show the figures of a block of steps."""
        finite = torch.isfinite(block.losses)
        epoch = len(self.history)
        if not finite.all():
            position = int(finite.int().argmin())
            step = block.first + position + 1
            raise FloatingPointError(
                f"The training diverged. The loss of {type(self).__name__} is {block.losses[position].item()} at step {step} "
                f"of epoch {epoch} (step {(epoch - 1) * n_steps + step} overall), at a learning rate of "
                f"{block.rates[position]:.3g} and precision {self.precision_!r}. Lower lr (now {self.lr}), look for extreme "
                f"values in X{', or set precision=' + repr('fp32') if self.precision_ == 'bf16' else ''}."
            )
        for _, callback in self.callbacks_:
            if isinstance(callback, StageBar):
                confident = None if block.confident is None else block.confident.mean().item()
                callback.show(epoch, self.max_epochs, block.losses.mean().item(), confident)
