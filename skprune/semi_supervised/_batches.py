"""Batches of labelled and unlabelled rows."""

import torch

from skprune._utils._device import send
from skprune.nets._data import index_stream


class SemiSupervisedBatches:
    """Batches with rows [labelled B | first view mu * B | second view mu * B], two views of the same unlabelled rows."""

    def __init__(self, pool, batch_size, mu, n_steps, weak, strong, second, n_strong, balanced, seed):
        self.pool, self.n_steps, self.weak, self.strong = pool, n_steps, weak, strong
        self.second, self.n_strong = second, n_strong
        order = torch.Generator().manual_seed(seed)
        self._noise = torch.Generator().manual_seed(seed)
        codes = pool.y.cpu()
        labelled = torch.nonzero(codes >= 0).squeeze(1)
        self._labelled = index_stream(labelled, batch_size, order, codes[labelled] if balanced else None)
        self._unlabelled = index_stream(torch.arange(len(pool)), mu * batch_size, order)

    def __len__(self):
        return self.n_steps

    def __iter__(self):
        device = self.pool.X.device
        for _ in range(self.n_steps):
            labelled, unlabelled = send(next(self._labelled), device), send(next(self._unlabelled), device)
            views = 1 if self.second is None else 2
            rows = torch.cat([labelled, *[unlabelled] * views])
            x = self.weak(self.pool.raw(rows), self._noise)
            plain, first = len(labelled) - self.n_strong, len(unlabelled)
            if self.second == "strong":
                middle = len(labelled) + first
                made = self.strong(torch.cat([x[plain : len(labelled)], x[middle:]]), self._noise)
                x = torch.cat([x[:plain], made[: self.n_strong], x[len(labelled) : middle], made[self.n_strong :]])
            elif self.n_strong:
                x = torch.cat([x[:plain], self.strong(x[plain : len(labelled)], self._noise), x[len(labelled) :]])
            y = torch.full((len(x),), -1, device=device)
            y[: len(labelled)] = self.pool.y[labelled]
            yield {"X": self.pool.finish(x), "index": rows}, y
