"""Embeddings for the baselines: a net trained without labels, or a network with weights from a file."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skprune._utils._checks import check_number
from skprune._utils._validation import as_pool

_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class _PoolTransformer(TransformerMixin, BaseEstimator):
    """A transformer that takes images as they are."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = True
        return tags

    def _pool(self, X):
        check_is_fitted(self)
        pool = as_pool(X, self.image_shape, estimator=self)
        if int(np.prod(pool.shape[1:])) != self.n_features_in_:
            raise ValueError(
                f"X has {int(np.prod(pool.shape[1:]))} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input."
            )
        return pool


class ContrastiveFeatures(_PoolTransformer):
    """Features of a net trained without labels, a small SimCLR (Chen et al., arXiv 2002.05709).

    Two strongly augmented views of each row are pulled together and pushed away from the others of the batch; the features are
    what enters the last layer, the projection.

    Parameters
    ----------
    module : class, callable or str, default=None
        The network, as in :class:`skprune.nets.NetClassifier`. Its last layer becomes the projection.
    n_steps : int, default=1000
        Optimiser steps.
    batch_size : int, default=256
        Rows a step, two views of each; at most those of the pool.
    lr : float, default=0.1
        Initial learning rate.
    temperature : float, default=0.5
        Of the loss.
    n_projected : int, default=64
        Numbers of the projection.
    image_shape : tuple of (C, H, W), default=None
        The shape of each row when images are given as flat rows.
    random_state : int, RandomState or None, default=None
        Of weights, order and augmentation.
    device : str or None, default=None
        None takes CUDA where there is one, else the CPU.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    net_ : skorch net
        The fitted net.
    n_features_in_ : int
        Numbers a row.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.baselines import ContrastiveFeatures, KCenterPruner
    >>> X, _ = load_iris(return_X_y=True)
    >>> embedding = ContrastiveFeatures(n_steps=20, random_state=0)
    >>> embedding.fit_transform(X).shape
    (150, 256)
    >>> KCenterPruner(0.1, embedding=embedding, random_state=0).fit_transform(X).shape
    (15, 4)
    """

    def __init__(
        self,
        module=None,
        *,
        n_steps=1000,
        batch_size=256,
        lr=0.1,
        temperature=0.5,
        n_projected=64,
        image_shape=None,
        random_state=None,
        device=None,
        verbose=0,
    ):
        self.module = module
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.lr = lr
        self.temperature = temperature
        self.n_projected = n_projected
        self.image_shape = image_shape
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    def fit(self, X, y=None):
        """Train on the rows.

        Parameters
        ----------
        X : array-like
            The pool, as for :class:`~skprune.SemiPrune`.
        y : object
            Ignored, here for the interface.

        Returns
        -------
        self
            The fitted transformer.
        """
        from skprune.baselines._contrastive import ContrastiveNet

        pool = as_pool(X, self.image_shape, estimator=self)
        check_number("temperature", self.temperature, 0, open_at=(0,))
        if isinstance(self.n_projected, bool) or not isinstance(self.n_projected, Integral) or self.n_projected < 2:
            raise ValueError(f"n_projected must be an integer of at least 2, got {self.n_projected!r}.")
        net = ContrastiveNet(
            self.module,
            n_steps=self.n_steps,
            batch_size=self.batch_size,
            lr=self.lr,
            temperature=self.temperature,
            n_projected=self.n_projected,
            random_state=self.random_state,
            device=self.device,
            verbose=self.verbose,
        )
        self.net_ = net.fit(pool, np.zeros(len(pool)))
        self.n_features_in_ = self.net_.n_features_in_
        return self

    def transform(self, X):
        """Return the features of rows.

        Parameters
        ----------
        X : array-like
            Rows as in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float32
            What enters the last layer.

        Raises
        ------
        ValueError
            The rows have another shape, or no linear layer gives the outputs of the network.
        """
        found = self.net_.features(self._pool(X))
        if found is None:
            raise ValueError(
                f"The last layer of {type(self.net_.module_).__name__} is not linear, so it has no features."
            )
        return found


class TorchvisionFeatures(_PoolTransformer):
    """Features of a classification network of torchvision, with weights from a file.

    Images are made 3-channel, scaled to `size`, and standardised as for ImageNet; the features are what enters the last linear
    layer.

    Parameters
    ----------
    model : str
        A name out of ``torchvision.models.list_models(module=torchvision.models)``, such as "resnet50".
    weights : path-like
        A file with its state dict, as ``torch.save`` writes it; it is read with ``weights_only=True``.
    size : int, default=224
        Height and width that images are scaled to.
    batch_size : int, default=64
        Images at a time.
    image_shape : tuple of (C, H, W), default=None
        The shape of each row when images are given as flat rows.
    device : str or None, default=None
        None takes CUDA where there is one, else the CPU.

    Attributes
    ----------
    network_ : torch.nn.Module
        The network without its last layer.
    n_features_in_ : int
        Numbers a row.

    Examples
    --------
    >>> import tempfile, torch
    >>> from torchvision.models import mobilenet_v3_small
    >>> from skprune.baselines import TorchvisionFeatures
    >>> X = np.zeros((2, 8, 8), dtype=np.uint8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     torch.save(mobilenet_v3_small().state_dict(), f"{folder}/weights.pth")
    ...     TorchvisionFeatures("mobilenet_v3_small", f"{folder}/weights.pth", size=32).fit_transform(X).shape
    (2, 1024)
    """

    def __init__(self, model, weights, *, size=224, batch_size=64, image_shape=None, device=None):
        self.model = model
        self.weights = weights
        self.size = size
        self.batch_size = batch_size
        self.image_shape = image_shape
        self.device = device

    def fit(self, X, y=None):
        """Read the weights.

        Parameters
        ----------
        X : array-like
            Images, of which the range of float values is taken.
        y : object
            Ignored, here for the interface.

        Returns
        -------
        self
            The fitted transformer.

        Raises
        ------
        ValueError
            X is a table, the model is unknown or has no linear layer, or the weights do not fit it.
        """
        import torch
        from torchvision import models

        from skprune._utils._device import resolve_device
        from skprune._utils._registry import lookup

        pool = as_pool(X, self.image_shape, estimator=self)
        if pool.ndim != 4:
            raise ValueError("TorchvisionFeatures needs images (n, C, H, W), or image_shape=(C, H, W) with flat rows.")
        if pool.shape[1] not in (1, 3):
            raise ValueError(f"TorchvisionFeatures needs images of 1 or 3 channels, got {pool.shape[1]}.")
        known = {name: name for name in models.list_models(module=models)}
        network = models.get_model(lookup(self.model, known, "model"), weights=None)
        state = torch.load(self.weights, map_location="cpu", weights_only=True)
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            raise ValueError(f"The weights in {self.weights} do not fit {self.model}: {error}") from error
        linear = [name for name, part in network.named_modules() if isinstance(part, torch.nn.Linear)]
        if not linear:
            raise ValueError(f"{self.model} has no linear layer.")
        network.set_submodule(linear[-1], torch.nn.Identity())
        self.network_ = network.eval().to(resolve_device(self.device))
        low, high = (0.0, 255.0) if pool.dtype == np.uint8 else (float(pool.min()), float(pool.max()))
        self._range = low, (high - low) or 1.0
        self.n_features_in_ = int(np.prod(pool.shape[1:]))
        return self

    def transform(self, X):
        """Return the features of images.

        Parameters
        ----------
        X : array-like
            Images as in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float32
            What enters the last linear layer.
        """
        import torch
        from torch.nn import functional as F

        pool = self._pool(X)
        device = next(self.network_.parameters()).device
        mean, std = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in _IMAGENET)
        low, span = self._range
        found = []
        with torch.no_grad():
            for start in range(0, len(pool), self.batch_size):
                x = torch.from_numpy(pool[start : start + self.batch_size]).to(device).float()
                x = ((x - low) / span).expand(-1, 3, -1, -1)
                x = F.interpolate(x, (self.size, self.size), mode="bilinear", antialias=True, align_corners=False)
                found.append(self.network_((x - mean) / std).flatten(1).float().cpu().numpy())
        return np.concatenate(found)
