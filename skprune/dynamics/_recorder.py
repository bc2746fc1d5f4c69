"""The recorder: a skorch callback that turns a training run into TrainingDynamics."""

import numpy as np
import torch
from skorch.callbacks import Callback
from skorch.dataset import unpack_data

from skprune._utils._ranks import ALONE
from skprune.dynamics._builder import DynamicsBuilder
from skprune.dynamics._checks import check_recording, is_cut
from skprune.dynamics._recording import as_recording
from skprune.dynamics._reduce import first_fault
from skprune.dynamics._training_dynamics import TrainingDynamics
from skprune.nets._last_layer import LastLayer

FLUSH_VALUES = 2**21
"""How many numbers of the outputs gather on the device before they are reduced."""

KNOWN_CRITERIA = "CrossEntropyLoss (the module returns logits) or NLLLoss (probabilities)"


class DynamicsRecorder(Callback):
    """Record the training dynamics of a skorch classifier.

    Outputs stay on the device until about two million numbers have gathered, and are then reduced in one piece, so that no
    training step waits. ``logit_margin`` is recorded from nets that return logits, and ``grad_norm`` from those whose last
    layer is linear and returns them.

    Parameters
    ----------
    record : {"train", "eval"} or Recording, default="train"
        What to record: a :class:`Recording`, or its mode.
    memmap_folder : path-like, default=None
        A new folder for memory-mapped arrays, one ``.npy`` file each; None keeps them in memory.
    order : iterator of index arrays, default=None
        The rows of the batches to come. skprune's nets do not need it, since their batches carry an "index". For other nets,
        use :func:`collect_dynamics`, which takes care of it, or ``record="eval"`` and ``train_split=None``.

    Attributes
    ----------
    dynamics_ : TrainingDynamics
        The dynamics, available when training has ended.

    Raises
    ------
    ValueError
        `record` is refused, it cannot be known which rows a batch holds, labels are missing, or the criterion is NLLLoss and
        the outputs are no probabilities.
    TypeError
        The criterion is neither CrossEntropyLoss nor NLLLoss.
    FloatingPointError
        The loss or an output is NaN or infinite; the message names the epoch, and row and learning rate of an output.

    See Also
    --------
    collect_dynamics : Train any supported classifier and record it.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.dynamics import DynamicsRecorder
    >>> from skprune.nets import NetClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> net = NetClassifier(max_epochs=3, callbacks=[("recorder", DynamicsRecorder())], random_state=0).fit(X, y)
    >>> dict(net.callbacks_)["recorder"].dynamics_
    TrainingDynamics(n_epochs=3, n_samples=150)
    """

    def __init__(self, record="train", *, memmap_folder=None, order=None):
        self.record = record
        self.memmap_folder = memmap_folder
        self.order = order

    def on_train_begin(self, net, **kwargs):
        """Forget an earlier recording."""
        self.recording_ = as_recording(self.record)
        check_recording(self.recording_, net.max_epochs)
        self.builder_ = self.resumed_ = self.rate_ = None
        self.n_closed_ = 0
        self.logits_ = _outputs_are_logits(net)
        self.head_ = LastLayer(net) if self.logits_ else None
        self.ranks_ = getattr(net, "ranks_", ALONE)  # outputs are those of this process's share of a batch
        if self.ranks_.n > 1 and self.memmap_folder is not None:
            raise ValueError("memmap_folder must be None within data_parallel, as each process keeps all rows.")

    def on_epoch_begin(self, net, dataset_train=None, **kwargs):
        """Open an epoch."""
        recording, state = self.recording_, self.resumed_
        if recording.mode == "eval" and isinstance(dataset_train, torch.utils.data.Subset):
            raise ValueError(
                "DynamicsRecorder(record='eval') needs all rows of X in training: set train_split=None on the net, or use "
                "skprune.dynamics.collect_dynamics."
            )
        if self.builder_ is None:
            n_epochs = net.max_epochs // recording.every
            self.builder_ = DynamicsBuilder(
                len(dataset_train), n_epochs, kl=recording.kl, memmap_folder=self.memmap_folder
            )
        if state is not None:
            self.builder_.load_state_dict(state["builder"])
        self.open_ = (self.n_closed_ + 1) % recording.every == 0
        self.gathered_, self.n_gathered_ = [], 0
        if state is not None:
            self.gathered_ = [tuple(part.to(net.device_) for part in parts) for parts in state["gathered"]]
            self.n_gathered_ = sum(outputs.numel() for _, outputs, *_ in self.gathered_)
            self.rate_ = net.optimizer_.param_groups[0]["lr"]
            self.resumed_ = None
        elif self.open_:
            self.builder_.start_epoch()

    def on_batch_end(self, net, batch=None, training=False, y_pred=None, **kwargs):
        """Keep the outputs of a training batch."""
        if training and self.recording_.mode == "train":
            inputs, labels = unpack_data(batch)
            rows = self._rows(inputs)
            if self.open_:
                self._keep(net, rows, y_pred, labels)

    def on_epoch_end(self, net, dataset_train=None, **kwargs):
        """Close an epoch, after the extra pass if there is one."""
        if self.open_ and self.recording_.mode == "eval":
            start = 0
            for batch in net.get_iterator(dataset_train, training=False):
                inputs, labels = unpack_data(batch)
                rows = torch.arange(start, start + len(labels))
                if self.ranks_.n > 1:
                    batch = self.ranks_.share(inputs), self.ranks_.share(labels)
                self._keep(net, rows, net.evaluation_step(batch), labels)
                start += len(labels)
        self._flush()
        self.n_closed_ += 1
        loss = net.history[-1].get("train_loss", 0.0)
        if not np.isfinite(loss):
            raise FloatingPointError(f"The proxy's loss is {loss} in epoch {self.n_closed_}. Lower its learning rate.")

    def on_train_end(self, net, **kwargs):
        """Build the dynamics."""
        self.abandon()
        if is_cut(self.n_closed_, net.max_epochs):
            self.builder_.drop_unfinished(self.n_closed_ // self.recording_.every)
        self.dynamics_ = TrainingDynamics._from_arrays(self.builder_.arrays())
        del self.builder_, self.gathered_, self.n_gathered_, self.resumed_, self.rate_

    def state_dict(self):
        """Return what has been recorded so far, for a training that goes on in another process.

        Within :func:`~skprune.nets.data_parallel`, all processes call it at the same step.

        Returns
        -------
        dict
            Arrays of the finished epochs, and what has gathered since.
        """
        if self.ranks_.n > 1:
            self._flush()  # each process has gathered its own share
        return {"builder": self.builder_.state_dict(), "n_closed": self.n_closed_, "gathered": self.gathered_}

    def load_state_dict(self, state):
        """Go on with the recording of a run before, within the epoch that comes.

        Parameters
        ----------
        state : dict
            What :meth:`state_dict` returned.
        """
        self.n_closed_, self.resumed_ = state["n_closed"], state

    def abandon(self):
        """Let go of the network's last layer."""
        if vars(self).get("head_") is not None:
            self.head_.remove()
        self.head_ = None

    def _rows(self, inputs):
        if isinstance(inputs, dict) and "index" in inputs:
            return inputs["index"]
        if self.order is None:
            raise ValueError(
                "DynamicsRecorder cannot tell which rows a batch holds, since batches of this net carry no 'index'. Use "
                "skprune.dynamics.collect_dynamics, which takes care of it, or record='eval' with train_split=None."
            )
        return next(self.order)

    def _keep(self, net, rows, outputs, labels):
        outputs = (outputs[0] if isinstance(outputs, tuple) else outputs).detach()
        norm = None if self.head_ is None else self.head_.norm(outputs)
        self.rate_ = net.optimizer_.param_groups[0]["lr"]
        self.gathered_.append((rows, outputs, labels) + (() if norm is None else (norm,)))
        self.n_gathered_ += len(rows) * outputs.shape[1]
        if self.n_gathered_ > FLUSH_VALUES:
            self._flush()

    def _flush(self):
        if not self.gathered_:
            return
        rows, outputs, labels, *norm = zip(*self.gathered_, strict=True)
        if self.ranks_.n > 1:  # at the same step in each process, as all count the same rows
            n_rows = [len(each) for each in rows]
            outputs, *norm = ([self.ranks_.whole(shares, n_rows)] for shares in (outputs, *norm))
        rows, outputs, labels, *norm = map(_joined, (rows, outputs, labels, *norm))
        self.gathered_, self.n_gathered_ = [], 0
        fault = first_fault(outputs, logits=self.logits_)
        if fault is not None:
            what = f"The proxy's output for row {int(rows[fault.row])} {fault.what} in epoch {self.n_closed_ + 1}"
            if fault.is_finite:
                raise ValueError(
                    f"{what}, but with NLLLoss, skorch takes outputs for probabilities. Let the module end in softmax, or use "
                    "CrossEntropyLoss, for logits and for log-probabilities."
                )
            raise FloatingPointError(f"{what}, at a learning rate of {self.rate_:.3g}. Lower it.")
        self.builder_.add(rows, outputs, labels, logits=self.logits_, feature_norm=norm[0] if norm else None)


def _joined(parts):
    """Join what batches left on the device, and bring it to the host in one piece."""
    if not isinstance(parts[0], torch.Tensor):
        return np.concatenate([np.asarray(part) for part in parts])
    whole = torch.cat(parts)
    return (whole.float() if whole.is_floating_point() else whole).cpu().numpy()


def _outputs_are_logits(net):
    """Tell whether the module returns logits, by skorch's rule for its classifiers."""
    if isinstance(net.criterion_, torch.nn.CrossEntropyLoss):
        return True
    if isinstance(net.criterion_, torch.nn.NLLLoss):
        return False
    raise TypeError(f"criterion must be {KNOWN_CRITERIA}, got {type(net.criterion_).__name__}.")
