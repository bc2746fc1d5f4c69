"""Rows that stay where they are: a memory-mapped pool of which each batch is read by index."""

import numpy as np
import torch

from skprune._utils._device import send
from skprune._utils._mapped import is_mapped


class RowsByIndex:
    """Rows of a pool as a tensor on the device, scaled when they are read; of a tensor, what batches ask for."""

    def __init__(self, pool, scaling, device):
        self.pool, self.scaling, self.device = pool, scaling, device
        self.shape, self.ndim = torch.Size(pool.shape), pool.ndim

    def __len__(self):
        return len(self.pool)

    def __getitem__(self, rows):
        if isinstance(rows, torch.Tensor):
            rows = rows.cpu().numpy()
        return send(self.scaling.to_tensor(np.asarray(self.pool[rows])), self.device)


def rows_for_net(pool, scaling, device):
    """Return a pool as one tensor on the device; one that is memory-mapped stays on disk."""
    return RowsByIndex(pool, scaling, device) if is_mapped(pool) else scaling.to_tensor(pool).to(device)
