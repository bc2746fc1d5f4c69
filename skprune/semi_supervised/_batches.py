"""Batches of labelled and unlabelled rows."""

import torch

from skprune.nets._data import index_stream


class SemiSupervisedBatches:
    """Batches with rows [labelled B | weak mu * B | strong mu * B], the last two being views of the same rows.

    Unlabelled rows are drawn from the whole pool, as in the reference implementations; labels of those are -1.

    Parameters
    ----------
    pool : TensorPool
        The pool, with -1 for unlabelled rows.
    batch_size, mu, n_steps : int
        B, mu, and batches an epoch.
    weak, strong : callable
        ``augment(x, generator) -> x``; the strong view is made of weakly augmented rows.
    n_strong : int
        Labelled rows of a batch that are strongly augmented too, at its end of the labelled part.
    seed : int
        Of the order and of the augmentation.
    """

    def __init__(self, pool, batch_size, mu, n_steps, weak, strong, n_strong, seed):
        self.pool, self.n_steps, self.weak, self.strong, self.n_strong = pool, n_steps, weak, strong, n_strong
        order = torch.Generator().manual_seed(seed)
        self._noise = torch.Generator(pool.X.device).manual_seed(seed)
        labelled = torch.nonzero(pool.y >= 0).squeeze(1).cpu()
        self._labelled = index_stream(labelled, batch_size, order)
        self._unlabelled = index_stream(torch.arange(len(pool)), mu * batch_size, order)

    def __len__(self):
        return self.n_steps

    def __iter__(self):
        for _ in range(self.n_steps):
            labelled = next(self._labelled).to(self.pool.X.device)
            unlabelled = next(self._unlabelled).to(self.pool.X.device)
            raw = self.pool.raw(torch.cat([labelled, unlabelled, unlabelled]))
            views = self.weak(raw, self._noise)
            plain, strengthened, weak, strong = views.split(
                [len(labelled) - self.n_strong, self.n_strong, len(unlabelled), len(unlabelled)]
            )
            made = self.strong(torch.cat([strengthened, strong]), self._noise)
            x = torch.cat([plain, made[: self.n_strong], weak, made[self.n_strong :]])
            y = torch.full((len(x),), -1, device=x.device)
            y[: len(labelled)] = self.pool.y[labelled]
            yield {"X": self.pool.finish(x), "index": torch.cat([labelled, unlabelled, unlabelled])}, y
