"""The supervised net, used as proxy, as baseline and as final classifier."""

import numpy as np
import torch
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from skprune._utils._docstrings import fill_docstring
from skprune._utils._ranks import active_ranks
from skprune.augment._defaults import default_policies
from skprune.nets._base import BaseNet
from skprune.nets._data import TrainBatches, n_batches
from skprune.nets._docstrings import NET_TEXTS
from skprune.nets._optimizer import NesterovSGD


@fill_docstring(**NET_TEXTS)
class NetClassifier(BaseNet):
    """Supervised neural network for images and tables, as a scikit-learn classifier.

    The network is built to fit the data and standardizes them itself, so rows need no scaling. Every label is a class; -1 has
    no special meaning here.

    Parameters
    ----------
    $module
    n_steps : int, default=None
        Optimizer steps per epoch, with rows from an endless shuffled stream. None uses every row once per epoch.
    batch_size : int, default=128
        Rows per step, at least 2. Predictions take at most 8 times as many rows at once, and at most 1,024.
    max_epochs : int, default=30
        Number of epochs.
    schedule_epochs : int, default=None
        Epochs over which the learning rate falls to 0 along a cosine, at least `max_epochs`. None stands for `max_epochs`.
    lr : float, default=0.1
        Initial learning rate.
    micro_batch : int, default=None
        Largest number of rows in each forward and backward pass, at least 2: gradients of the parts of a step add up to those
        of its batch, in less memory. None takes the batch at once. Batch normalization sees each part separately.
    $optimizer
    augment : {"weak", "strong", None} or callable, default="weak"
        Augmentation of the training batches, see :mod:`skprune.augment`; "strong" is the weak one followed by the strong one.
        A callable is called as ``augment(x, generator)`` and returns the new batch; `x` is a tensor on the device, with
        images in [0, 1] or standardized table rows.
    ema : bool, default=False
        Whether to predict with an exponential moving average of the weights.
    $image_shape
    $callbacks
    $random_state
    $device
    $precision
    $compile
    $warm_start
    $verbose
    $net_keywords

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The class labels, sorted.
    n_features_in_ : int
        Number of values per row.
    module_ : torch.nn.Module
        The trained network.
    history_ : skorch.history.History
        ``n_steps``, ``train_loss`` and ``train_loss_best`` of each epoch, the latter whether none before had a lower loss.
    precision_ : str
        The number format in use, "bf16" or "fp32".

    See Also
    --------
    skprune.semi_supervised.SoftMatch : A net that learns from unlabeled rows too.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.nets import NetClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> net = NetClassifier(max_epochs=20, random_state=0).fit(X, y)
    >>> bool(net.score(X, y) > 0.9)
    True
    """

    def __init__(
        self,
        module=None,
        *,
        n_steps=None,
        batch_size=128,
        max_epochs=30,
        schedule_epochs=None,
        lr=0.1,
        micro_batch=None,
        optimizer=NesterovSGD,
        augment="weak",
        ema=False,
        image_shape=None,
        callbacks=None,
        random_state=None,
        device=None,
        precision="auto",
        compile=False,
        warm_start=False,
        verbose=0,
        **kwargs,
    ):
        self._store(locals())

    def _encode(self, y, classes=None):
        if y is None:
            raise ValueError("This NetClassifier estimator requires y to be passed, but the target y is None.")
        if np.ma.is_masked(y):
            raise ValueError("y has masked labels. NetClassifier needs a label for every row; SoftMatch does not.")
        y = column_or_1d(y, warn=True)
        if y.dtype.kind == "f" and not np.isfinite(y).all():
            raise ValueError("y contains NaN or infinity (inf). NetClassifier needs a label for every row.")
        check_classification_targets(y)
        classes = np.unique(y) if classes is None else np.unique(classes)
        if len(classes) < 2:
            raise ValueError(f"y holds one class only ({classes.tolist()[0]!r}); at least two are needed.")
        codes = np.searchsorted(classes, y)
        unknown = classes[np.minimum(codes, len(classes) - 1)] != y
        if unknown.any():
            raise ValueError(
                f"The label {y[unknown].tolist()[0]!r} of row {int(unknown.argmax())} is not among the classes."
            )
        return codes.astype(np.int64), classes

    def _scores_batches(self):
        return self.n_steps is None and active_ranks().n == 1

    def _steps_per_epoch(self, codes):
        return self.n_steps or n_batches(len(codes), self.batch_size)

    def _train_batches(self, pool, seed):
        return TrainBatches(pool, self.batch_size, self.n_steps, self._augmentation(), seed)

    def train_step_single(self, batch, **fit_params):
        """Run a forward and a backward pass (skorch's hook), in parts of at most `micro_batch` rows if that is set."""
        if self.micro_batch is None and self.ranks_.n == 1:
            return super().train_step_single(batch, **fit_params)
        self._set_training(True)
        inputs, y = batch
        x, own_y = self.ranks_.share(inputs["X"]), self.ranks_.share(y)
        n_parts = 1 if self.micro_batch is None else min(-(-len(x) // self.micro_batch), max(len(x) // 2, 1))
        losses, outputs = [], []
        for part, part_y in zip(x.tensor_split(n_parts), own_y.tensor_split(n_parts), strict=True):
            logits = self.infer(part)
            loss = self._share(part_y, y) * self.get_loss(logits, part_y, X=part, training=True)
            loss.backward()
            losses.append(loss.detach())
            outputs.append(logits.detach())
        loss = self.ranks_.join(self.module_, torch.stack(losses).sum())
        return {"loss": loss, "y_pred": torch.cat(outputs)}

    def _augmentation(self):
        if self.augment is None or callable(self.augment):
            return self.augment
        policies = default_policies(self.shape_)
        if self.augment == "weak":
            return policies["weak"]
        if self.augment == "strong":
            return lambda x, generator: policies["strong"](policies["weak"](x, generator), generator)
        raise ValueError(f"augment must be 'weak', 'strong', None or a callable, got {self.augment!r}.")
