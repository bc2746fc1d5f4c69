"""The progress bar of a stage."""

from contextlib import contextmanager

from skorch.callbacks import Callback
from tqdm import tqdm


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


@contextmanager
def named_stage(net, stage):
    """Let the progress bar of a net of skprune show another stage within the block."""
    net._stage = stage
    try:
        yield
    finally:
        del net._stage
