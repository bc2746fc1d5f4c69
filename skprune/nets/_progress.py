"""The progress bar of a stage, and how long the stage will take."""

from contextlib import contextmanager
from time import monotonic

from skorch.callbacks import Callback
from tqdm import tqdm

from skprune._utils._doc_links import see
from skprune._utils._warnings import warn_user
from skprune.nets._data import n_batches

_MEASURED_SECONDS = 5
_WORTH_A_WORD = 60
_WORTH_A_WARNING = 600


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

    def state_dict(self):
        """Return how far the bar is."""
        return {"n_done": self.bar_.n}

    def load_state_dict(self, state):
        """Show that so much was done by a run before."""
        self.bar_.update(state["n_done"])

    def announce(self, seconds):
        """Say before the bar how long the stage will take."""
        self.bar_.set_description(f"{self.stage}, about {_duration(seconds)}")

    def show(self, epoch, n_epochs, loss, confident=None):
        """Set the text next to the bar."""
        text = {"epoch": f"{epoch}/{n_epochs}", "loss": f"{loss:.4f}"}
        if confident is not None:
            text["confident"] = f"{confident:.0%}"
        self.bar_.set_postfix(text, refresh=False)


class TimeEstimate(Callback):
    """Say after some seconds how long a stage will take: in the bar where there is one, else in a warning if it is long."""

    def __init__(self, stage):
        self.stage = stage

    def on_train_begin(self, net, X=None, **kwargs):
        """Count the steps to come."""
        planned = getattr(net, "n_steps_planned_", None)
        self.n_steps_ = n_batches(len(X), net.batch_size) * net.max_epochs if planned is None else planned
        self.n_done_, self.start_, self.told_ = 0, None, False

    def on_batch_end(self, net, training=False, **kwargs):
        """Take the time from the second step on: the first one may compile or choose algorithms."""
        if not training or self.told_:
            return
        now = monotonic()
        if self.start_ is None:
            self.start_ = now
            return
        self.n_done_ += 1
        if now - self.start_ >= _MEASURED_SECONDS:
            self.told_ = True
            self._tell(net, (now - self.start_) / self.n_done_ * self.n_steps_)

    def state_dict(self):
        """Return nothing: time is measured anew."""
        return {}

    def load_state_dict(self, state):
        """Do nothing."""

    def _tell(self, net, seconds):
        bar = next((callback for _, callback in net.callbacks_ if isinstance(callback, StageBar)), None)
        if bar is not None and seconds > _WORTH_A_WORD:
            bar.announce(seconds)
        elif bar is None and seconds > _WORTH_A_WARNING:
            warn_user(
                f"The {self.stage} by {type(net).__name__} will take about {_duration(seconds)}: {self.n_steps_} steps of "
                f"{seconds / self.n_steps_:.2g} s. Embed images first, as with skprune.baselines.TorchvisionFeatures, take "
                "fewer steps (n_steps, n_epochs), or use a smaller net (module__width); verbose=1 shows the progress."
                + see("costs#how-to-pay-less")
            )


def _duration(seconds):
    """Return a length of time in words."""
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.0f} h"


@contextmanager
def named_stage(net, stage):
    """Let the progress bar of a net of skprune show another stage within the block."""
    net._stage = stage
    try:
        yield
    finally:
        del net._stage
