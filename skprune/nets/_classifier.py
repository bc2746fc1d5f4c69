"""The supervised net: proxy, baseline, and classifier at the end of the main job."""

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from skprune.augment._defaults import default_policies
from skprune.nets._base import BaseNet
from skprune.nets._data import TrainBatches, n_batches
from skprune.nets._optimizer import NesterovSGD


class NetClassifier(BaseNet):
    """Supervised net for images and tables, as a scikit-learn classifier.

    The network is sized from the data, which it standardises itself; -1 is a class like any other here.

    Parameters
    ----------
    module : class, callable or str, default=None
        The network; its arguments as ``module__name``. None: SmallResNet for images, MLP for tables; a name: a residual net
        of torchvision, such as "resnet18".
    n_steps : int, default=None
        Optimiser steps an epoch, from one endless shuffled stream. None: each row once an epoch.
    batch_size : int, default=128
        Rows a step.
    max_epochs : int, default=30
        Epochs.
    schedule_epochs : int, default=None
        Epochs over which the learning rate falls to 0 along a cosine; None: `max_epochs`.
    lr : float, default=0.1
        Initial learning rate.
    optimizer : class, default=NesterovSGD
        Torch optimiser; its arguments as ``optimizer__name``. SGD with Nesterov momentum 0.9, weight decay 5e-4.
    augment : {"weak", "strong", None} or callable, default="weak"
        Augmentation, see :mod:`skprune.augment`; "strong" is weak, then strong. A callable takes and returns
        ``(x, generator)`` and ``x``, a batch on the device, images in [0, 1] and table rows standardised.
    ema : bool, default=False
        Whether to predict with an exponential moving average of the weights.
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
    compile : bool, default=False
        Whether ``torch.compile`` compiles the network; its arguments as ``compile__name``.
    verbose : int, default=0
        1 shows a progress bar.
    **kwargs
        ``module__``, ``criterion__``, ``optimizer__``, ``callbacks__`` or ``compile__`` followed by a name.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_features_in_ : int
        Numbers a row.
    module_ : torch.nn.Module
        The network.
    history_ : skorch.history.History
        ``train_loss`` of each epoch.

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
        optimizer=NesterovSGD,
        augment="weak",
        ema=False,
        image_shape=None,
        callbacks=None,
        random_state=None,
        device=None,
        precision="auto",
        compile=False,
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

    def _steps_per_epoch(self, n_samples):
        return self.n_steps or n_batches(n_samples, self.batch_size)

    def _train_batches(self, pool, seed):
        return TrainBatches(pool, self.batch_size, self.n_steps, self._augmentation(), seed)

    def _augmentation(self):
        if self.augment is None or callable(self.augment):
            return self.augment
        policies = default_policies(self.shape_)
        if self.augment == "weak":
            return policies["weak"]
        if self.augment == "strong":
            return lambda x, generator: policies["strong"](policies["weak"](x, generator), generator)
        raise ValueError(f"augment must be 'weak', 'strong', None or a callable, got {self.augment!r}.")
