"""FixMatch."""

import numpy as np
import torch
from torch.nn import functional as F

from skprune._labels import encode_labels
from skprune.augment._policies import augmentations
from skprune.nets._base import BaseNet
from skprune.nets._optimizer import NesterovSGD
from skprune.semi_supervised._batches import SemiSupervisedBatches


class FixMatch(BaseNet):
    """FixMatch (Sohn et al., arXiv 2001.07685) as a scikit-learn classifier, for images and for tables.

    Each step takes `batch_size` labelled rows and ``mu * batch_size`` rows of the whole pool. The class that the net
    gives to the weakly augmented row is the target of the strongly augmented one, where its probability reaches
    `threshold` (eq. 3 and 4). The loss is the sum of both cross entropies (section 2.2, unlabelled weight 1).
    The learning rate is ``lr * cos(7 pi k / 16 K)`` at step k of K (section 2.4). Predictions come from an exponential
    moving average of the weights with decay ``min(0.999, (1 + k) / (10 + k))``.

    Parameters
    ----------
    module : class or callable, default=None
        The network; its arguments as ``module__name``. None: SmallResNet for images, MLP for tables.
    n_steps : int, default=1000
        Optimiser steps an epoch.
    batch_size : int, default=64
        Labelled rows a step.
    mu : int, default=7
        Unlabelled rows a step, for each labelled one.
    threshold : float, default=0.95
        The least probability of a pseudo-label that counts, in [0, 1].
    max_epochs : int, default=1
        Epochs.
    lr : float, default=0.1
        Initial learning rate. The paper's 0.03 is for runs a thousand times as long.
    optimizer : class, default=NesterovSGD
        Torch optimiser; its arguments as ``optimizer__name``. SGD with Nesterov momentum 0.9, weight decay 5e-4.
    weak, strong : {"auto"} or callable, default="auto"
        Augmentations ``augment(x, generator) -> x`` of a batch on the device, images in [0, 1] and table rows
        standardised; "auto" takes those of :mod:`skprune.augment`. The strong one gets weakly augmented rows.
    labeled_strong : float or "auto", default="auto"
        The part of the labelled rows of a step that is strongly augmented too, in [0, 1]. The paper's is 0; "auto" takes 0.5
        for images, where 0 overfits the labels in short runs, and 0 for tables.
    ema : bool, default=True
        Whether to predict with the moving average of the weights.
    image_shape : tuple of (C, H, W), default=None
        The shape of each row when images come as flat rows.
    callbacks : list, default=None
        Further skorch callbacks.
    random_state : int, RandomState or None, default=None
        Initial weights, order and augmentation.
    device : str or None, default=None
        None takes CUDA where there is one, else the CPU.
    precision : {"auto", "bf16", "fp32"}, default="auto"
        "auto" computes convolutional nets in bfloat16 where the hardware multiplies it natively.
    verbose : int, default=0
        1 shows a progress bar.
    **kwargs
        ``module__``, ``criterion__``, ``optimizer__`` or ``callbacks__`` followed by a name.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels that occur; never the mark of unlabelled rows.
    n_features_in_ : int
        Numbers a row.
    module_ : torch.nn.Module
        The network, with averaged weights.
    history_ : skorch.history.History
        ``train_loss`` and ``confident`` of each epoch, the share of unlabelled rows at or above the threshold.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skprune.datasets import make_partial_labels
    >>> from skprune.semi_supervised import FixMatch
    >>> X, y = load_iris(return_X_y=True)
    >>> y_partial = make_partial_labels(y, n_labeled=15, random_state=0)
    >>> net = FixMatch(n_steps=100, batch_size=16, random_state=0).fit(X, y_partial)
    >>> bool(net.score(X, y) > 0.8)
    True
    """

    _cycles = 7 / 16
    _stage = "labelling"
    _semi_supervised = True

    def __init__(
        self,
        module=None,
        *,
        n_steps=1000,
        batch_size=64,
        mu=7,
        threshold=0.95,
        max_epochs=1,
        lr=0.1,
        optimizer=NesterovSGD,
        weak="auto",
        strong="auto",
        labeled_strong="auto",
        ema=True,
        image_shape=None,
        callbacks=None,
        random_state=None,
        device=None,
        precision="auto",
        verbose=0,
        **kwargs,
    ):
        super().__init__(
            module,
            n_steps=n_steps,
            batch_size=batch_size,
            mu=mu,
            threshold=threshold,
            max_epochs=max_epochs,
            lr=lr,
            optimizer=optimizer,
            weak=weak,
            strong=strong,
            labeled_strong=labeled_strong,
            ema=ema,
            image_shape=image_shape,
            callbacks=callbacks,
            random_state=random_state,
            device=device,
            precision=precision,
            verbose=verbose,
            **kwargs,
        )

    def _encode(self, y, classes=None):
        return encode_labels(y, classes=None if classes is None else np.unique(classes))

    def _steps_per_epoch(self, n_samples):
        return self.n_steps

    def _check_parameters(self):
        super()._check_parameters()
        if self.n_steps is None:
            raise ValueError("n_steps must be an integer of at least 1: FixMatch's batches have no natural end.")
        if not 0.0 <= self.threshold <= 1.0:
            raise ValueError(f"threshold must be within [0, 1], got {self.threshold!r}.")
        part = self.labeled_strong
        if part != "auto" and (isinstance(part, str) or not 0.0 <= part <= 1.0):
            raise ValueError(f"labeled_strong must be 'auto' or within [0, 1], got {part!r}.")

    def _train_batches(self, pool, seed):
        weak, strong = (self._policy(name, default) for name, default in augmentations(self.shape_).items())
        part = (0.5 if len(self.shape_) == 3 else 0.0) if self.labeled_strong == "auto" else self.labeled_strong
        n_strong = round(part * self.batch_size)
        return SemiSupervisedBatches(pool, self.batch_size, self.mu, self.n_steps, weak, strong, n_strong, seed)

    def _policy(self, name, default):
        policy = getattr(self, name)
        if callable(policy):
            return policy
        if policy != "auto":
            raise ValueError(f"{name} must be 'auto' or a callable, got {policy!r}.")
        return default

    def infer(self, x, **fit_params):
        """Return the logits of a batch (skorch's hook); the weak rows of a training batch need no gradient."""
        if not (isinstance(x, dict) and self.module_.training):
            return super().infer(x, **fit_params)
        labelled, weak, strong = self._split(x["X"])
        with torch.no_grad():
            weak = super().infer(weak)
        trained = super().infer(torch.cat([labelled, strong]))
        return torch.cat([trained[: self.batch_size], weak, trained[self.batch_size :]])

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Return the labelled plus the unlabelled cross entropy (skorch's hook)."""
        if not training:
            return super().get_loss(y_pred, y_true, X=X, training=training)
        labelled, weak, strong = self._split(y_pred)
        target, weight = self._pseudo_label(weak)
        self.confident_ = (weight > 0).float().mean()
        unlabelled = (F.cross_entropy(strong, target, reduction="none") * weight).mean()
        return self.criterion_(labelled, y_true[: self.batch_size]) + unlabelled

    def _pseudo_label(self, weak_logits):
        """Return the target and the weight of each unlabelled row (eq. 4)."""
        confidence, target = weak_logits.softmax(dim=1).max(dim=1)
        return target, (confidence >= self.threshold).float()

    def _split(self, rows):
        unlabelled = self.mu * self.batch_size
        return rows.split([self.batch_size, unlabelled, unlabelled])
