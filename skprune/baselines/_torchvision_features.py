"""Features of a network of torchvision, with weights from a file."""

import os

import numpy as np

from skprune._utils._docstrings import fill_docstring
from skprune._utils._parameter_checks import check_count
from skprune._utils._pool import as_pool
from skprune.baselines._pool_transformer import PoolTransformer

_IMAGENET_MEAN_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@fill_docstring()
class TorchvisionFeatures(PoolTransformer):
    """Compute the features of a classification network of torchvision, with weights from a file.

    Images are expanded to three channels, resized to `size` and normalized as for ImageNet. The features are what enters the
    last linear layer.

    Parameters
    ----------
    model : str
        A name from ``torchvision.models.list_models(module=torchvision.models)``, such as "resnet50".
    weights : path-like
        A file with the state dict of the network, as written by ``torch.save``. It is read with ``weights_only=True``.
    size : int, default=224
        Height and width to which images are resized.
    batch_size : int, default=64
        Number of images processed at a time.
    $image_shape
    $device

    Attributes
    ----------
    network_ : torch.nn.Module
        The network without its last layer.
    n_features_in_ : int
        Number of features of a row of X.

    Examples
    --------
    >>> import tempfile, torch
    >>> from torchvision.models import mobilenet_v3_small
    >>> from skprune.baselines import TorchvisionFeatures
    >>> X = np.zeros((2, 8, 8), dtype=np.uint8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     torch.save(mobilenet_v3_small().state_dict(), f"{folder}/weights.pth")
    ...     embedding = TorchvisionFeatures("mobilenet_v3_small", weights=f"{folder}/weights.pth", size=32)
    ...     embedding.fit_transform(X).shape
    (2, 1024)
    """

    def __init__(self, model, *, weights, size=224, batch_size=64, image_shape=None, device=None):
        self.model = model
        self.weights = weights
        self.size = size
        self.batch_size = batch_size
        self.image_shape = image_shape
        self.device = device

    def fit(self, X, y=None):
        """Load the weights.

        Parameters
        ----------
        X : array-like
            Images; those of float values define the range that is scaled to [0, 1].
        y : object
            Ignored; present for API consistency.

        Returns
        -------
        self
            The fitted transformer.

        Raises
        ------
        ValueError
            X does not hold images of 1 or 3 channels, the model is unknown or has no linear layer, the file of weights holds no
            state dict or one that does not fit it, or another parameter is invalid.
        OSError
            The file of weights does not exist or cannot be opened.
        """
        import torch
        from torchvision import models

        from skprune._utils._device import resolve_device
        from skprune._utils._registry import lookup
        from skprune.nets._data import Scaling, pixel_range

        pool = as_pool(X, self.image_shape, estimator=self)
        check_count("size", self.size)
        check_count("batch_size", self.batch_size)
        if pool.ndim != 4:
            raise ValueError("TorchvisionFeatures needs images (n, C, H, W), or flat rows with image_shape=(C, H, W).")
        if pool.shape[1] not in (1, 3):
            raise ValueError(f"TorchvisionFeatures needs images of 1 or 3 channels, got {pool.shape[1]}.")
        names = {name: name for name in models.list_models(module=models)}
        network = models.get_model(lookup(self.model, names, "model"), weights=None)
        try:
            network.load_state_dict(_read_state(self.weights))
        except RuntimeError as error:
            raise ValueError(f"The weights in {self.weights} do not fit {self.model}: {error}") from error
        linear = [name for name, layer in network.named_modules() if isinstance(layer, torch.nn.Linear)]
        if not linear:
            raise ValueError(f"{self.model} has no linear layer.")
        network.set_submodule(linear[-1], torch.nn.Identity())
        self.network_ = network.eval().to(resolve_device(self.device))
        low, span, clip = pixel_range(pool)
        self._scaling = Scaling(low, span, mean=0.0, std=1.0, clip=clip)
        self._know_rows(pool)
        return self

    def transform(self, X):
        """Compute the features of images.

        Parameters
        ----------
        X : array-like
            Images of the same shape as in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float32
            What enters the last linear layer.
        """
        import torch
        from torch.nn import functional as F

        pool = self._check_pool(X)
        device = next(self.network_.parameters()).device
        mean, std = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in _IMAGENET_MEAN_STD)
        batches = []
        with torch.no_grad():
            for start in range(0, len(pool), self.batch_size):
                unit = self._scaling.to_unit(pool[start : start + self.batch_size]).astype(np.float32)
                x = torch.from_numpy(unit).to(device).expand(-1, 3, -1, -1)
                x = F.interpolate(x, (self.size, self.size), mode="bilinear", antialias=True, align_corners=False)
                batches.append(self.network_((x - mean) / std).flatten(1).float().cpu().numpy())
        return np.concatenate(batches)


def _read_state(file):
    """Return the state dict in a file; refuse a file that holds something else, and what is no file, such as the state dict."""
    import torch

    written = "torch.save(network.state_dict(), file) writes what is needed."
    if not isinstance(file, (str, os.PathLike)):
        raise ValueError(f"weights must be the path of a file, got a {type(file).__name__}. {written}")
    with open(file, "rb") as stream:
        try:
            state = torch.load(stream, map_location="cpu", weights_only=True)
        except Exception as error:  # of damaged files and of others, torch raises errors of many kinds
            raise ValueError(f"{file} is damaged, or holds more than weights, which is not read. {written}") from error
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise ValueError(f"{file} holds no state dict, but a {type(state).__name__}. {written}")
    return state
