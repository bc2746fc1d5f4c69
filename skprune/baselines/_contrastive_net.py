"""A net trained without labels: two views of a row are mapped close to each other, far from other rows."""

import numpy as np
import torch
from torch.nn import functional as F

from skprune._utils._adapters import as_input
from skprune.augment._defaults import default_policies
from skprune.nets._base import BaseNet
from skprune.nets._data import TrainBatches
from skprune.nets._features import entering
from skprune.nets._optimizer import NesterovSGD


class ContrastiveNet(BaseNet):
    """The net of :class:`ContrastiveFeatures`; its "classes" are the outputs of the projection."""

    _stage = "contrasting"

    def __init__(
        self,
        module=None,
        *,
        n_steps=1000,
        batch_size=256,
        max_epochs=1,
        lr=0.1,
        temperature=0.5,
        n_projected=64,
        optimizer=NesterovSGD,
        ema=True,
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
        return np.zeros(len(y), dtype=np.int64), np.arange(self.n_projected)

    def _steps_per_epoch(self, codes):
        return self.n_steps

    def _train_batches(self, pool, seed):
        policies = default_policies(self.shape_)

        def two_views(x, generator):
            return torch.cat([policies["strong"](policies["weak"](x, generator), generator) for _ in range(2)])

        return TrainBatches(pool, min(self.batch_size, len(pool)), self.n_steps, two_views, seed)

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Return the loss of a batch of pairs (skorch's hook)."""
        return nt_xent(y_pred, self.temperature)

    def features(self, X):
        """Return what enters the last layer, the projection."""
        return entering(self, as_input(self, X))


def nt_xent(views, temperature):
    """Return the normalized, temperature-scaled cross entropy (Chen et al., SimCLR, arXiv 2002.05709, eq. 1)."""
    views = F.normalize(views, dim=1)
    cosines = views @ views.T / temperature
    cosines.fill_diagonal_(-torch.inf)
    n = len(views) // 2
    partners = torch.arange(2 * n, device=views.device).roll(n)
    return F.cross_entropy(cosines, partners)
