"""The recorder: a skorch callback that turns a training run into TrainingDynamics."""

import numpy as np
import torch
from skorch.callbacks import Callback
from skorch.dataset import unpack_data

from skprune.dynamics._training_dynamics import DynamicsBuilder

_FLUSH_VALUES = 2**21


class DynamicsRecorder(Callback):
    """Record the training dynamics of a skorch classifier.

    Outputs are kept on the device and reduced in batches of about two million numbers, so that no training step waits.
    Memory: that of :class:`TrainingDynamics`; with `record_kl` two (n_samples, n_classes) float32 buffers besides.

    Parameters
    ----------
    record : {"train", "eval"}, default="train"
        "train" records each row as its batch passes: training-mode outputs of the augmented input, as published. "eval"
        makes an extra pass behind each epoch.
    record_kl : bool, default=False
        Whether to record ``kl_step``, for TDDS.
    order : iterator of index arrays, default=None
        The rows of the batches to come, for nets whose batches do not carry an "index", as skprune's do.
        :func:`collect_dynamics` sees to it.

    Attributes
    ----------
    dynamics_ : TrainingDynamics
        The dynamics, there when training has ended.

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

    def __init__(self, record="train", record_kl=False, order=None):
        self.record = record
        self.record_kl = record_kl
        self.order = order

    def on_train_begin(self, net, **kwargs):
        """Start anew."""
        if self.record not in ("train", "eval"):
            raise ValueError(f"record must be 'train' or 'eval', got {self.record!r}.")
        self.builder_ = None
        self.n_closed_ = 0

    def on_epoch_begin(self, net, dataset_train=None, **kwargs):
        """Open an epoch."""
        if self.builder_ is None:
            self.builder_ = DynamicsBuilder(len(dataset_train), kl=self.record_kl)
        self.builder_.start_epoch()
        self.waiting_ = []
        self.logits_ = _outputs_are_logits(net)

    def on_batch_end(self, net, batch=None, training=False, y_pred=None, **kwargs):
        """Keep the outputs of a training batch."""
        if training and self.record == "train":
            inputs, labels = unpack_data(batch)
            self._keep(net, self._rows(inputs), y_pred, labels)

    def on_epoch_end(self, net, dataset_train=None, **kwargs):
        """Close an epoch, after the extra pass where one is wanted."""
        if self.record == "eval":
            start = 0
            for batch in net.get_iterator(dataset_train, training=False):
                _, labels = unpack_data(batch)
                rows = torch.arange(start, start + len(labels))
                self._keep(net, rows, net.evaluation_step(batch), labels)
                start += len(labels)
        self._flush(net)
        self.n_closed_ += 1

    def on_train_end(self, net, **kwargs):
        """Build the dynamics."""
        self.dynamics_ = self.builder_.build()
        del self.builder_, self.waiting_

    def _rows(self, inputs):
        if isinstance(inputs, dict) and "index" in inputs:
            return inputs["index"]
        if self.order is None:
            raise ValueError(
                "DynamicsRecorder cannot tell which rows a batch holds: batches of this net carry no 'index'. Use "
                "skprune.dynamics.collect_dynamics, which takes care of it, or record='eval' with train_split=None."
            )
        return next(self.order)

    def _keep(self, net, rows, outputs, labels):
        outputs = outputs[0] if isinstance(outputs, tuple) else outputs
        self.waiting_.append((rows, outputs.detach(), labels))
        if sum(len(part[0]) for part in self.waiting_) * outputs.shape[1] > _FLUSH_VALUES:
            self._flush(net)

    def _flush(self, net):
        if not self.waiting_:
            return
        columns = zip(*self.waiting_, strict=True)
        rows, outputs, labels = (np.concatenate([_array(part) for part in column]) for column in columns)
        self.waiting_ = []
        bad = ~np.isfinite(outputs).all(axis=1)
        if bad.any():
            raise FloatingPointError(
                f"The proxy's output for row {int(rows[bad.argmax()])} is not finite in epoch "
                f"{self.n_closed_ + 1}, at a learning rate of {net.optimizer_.param_groups[0]['lr']:.3g}. Lower it."
            )
        self.builder_.add(rows, outputs, labels, logits=self.logits_)


def _array(values):
    if not isinstance(values, torch.Tensor):
        return np.asarray(values)
    values = values.float() if values.is_floating_point() else values
    return values.cpu().numpy()


def _outputs_are_logits(net):
    """Tell whether the module returns logits, by skorch's rule for its classifiers."""
    if isinstance(net.criterion_, torch.nn.CrossEntropyLoss):
        return True
    if isinstance(net.criterion_, torch.nn.NLLLoss):
        return False
    raise TypeError(
        f"criterion must be CrossEntropyLoss (the module returns logits) or NLLLoss (probabilities), got "
        f"{type(net.criterion_).__name__}."
    )
