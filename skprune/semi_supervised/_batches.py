"""Batches of labeled and unlabeled rows."""

import torch

from skprune.nets._data import ResumableBatches, index_stream, on_device


class SemiSupervisedBatches(ResumableBatches):
    """Batches of rows [labeled B | first view mu * B | second view mu * B], two views of the same unlabeled rows."""

    def __init__(self, pool, *, batch_size, mu, n_steps, weak, strong, second_view, n_labeled_strong, balanced, seed):
        self.pool, self.n_steps, self.weak, self.strong = pool, n_steps, weak, strong
        self.second_view, self.n_labeled_strong = second_view, n_labeled_strong
        self._sizes = [batch_size, mu * batch_size]
        order = torch.Generator().manual_seed(seed)
        self._noise = torch.Generator().manual_seed(seed)
        labeled = torch.nonzero(pool.codes >= 0).squeeze(1)
        streams = (
            index_stream(labeled, batch_size, order, pool.codes[labeled] if balanced else None),
            index_stream(torch.arange(len(pool)), mu * batch_size, order),
        )
        self._rows = map(torch.cat, zip(*streams, strict=True))

    def __len__(self):
        return self.n_steps

    def __iter__(self):
        for rows in on_device(self._rows, self.n_steps - self._take_first(), self.pool.X.device):
            labeled, unlabeled = rows.split(self._sizes)
            rows = rows if self.second_view is None else torch.cat([rows, unlabeled])
            x = self._augmented(self.pool.raw(rows), len(labeled), len(unlabeled))
            y = torch.full((len(x),), -1, device=x.device)
            y[: len(labeled)] = self.pool.y[labeled]
            yield {"X": self.pool.finish(x), "index": rows}, y

    def _skip(self, n_epochs, n_steps):
        for _ in range(n_epochs * self.n_steps + n_steps):
            next(self._rows)

    def _augmented(self, x, n_labeled, n_unlabeled):
        """Augment all rows weakly, and the last labeled rows and a strong second view strongly too."""
        sizes = [n_labeled - self.n_labeled_strong, self.n_labeled_strong, n_unlabeled]
        labeled, labeled_strong, first, second = self.weak(x, self._noise).split([*sizes, len(x) - sum(sizes)])
        if self.second_view == "strong":
            strong = self.strong(torch.cat([labeled_strong, second]), self._noise)
            labeled_strong, second = strong.split([self.n_labeled_strong, n_unlabeled])
        elif self.n_labeled_strong:
            labeled_strong = self.strong(labeled_strong, self._noise)
        return torch.cat([labeled, labeled_strong, first, second])
