"""The processes that train a net together, and what they exchange."""

from contextlib import contextmanager
from contextvars import ContextVar

_ACTIVE = ContextVar("ranks")


class Ranks:
    """This process among those that train together; each takes its share of the rows of every batch, in the order of ranks."""

    def __init__(self, rank=0, n=1, sync_batch_norm=True):
        self.rank, self.n, self.sync_batch_norm = rank, n, sync_batch_norm

    @property
    def is_main(self):
        """Whether this is the process that talks to the user."""
        return self.rank == 0

    def share(self, tensor):
        """Return the rows of this process."""
        return tensor.tensor_split(self.n)[self.rank]

    def whole(self, shares, n_rows):
        """Return the rows of all processes in one piece, from the shares of this one in batches of `n_rows` rows."""
        import torch

        if self.n == 1:
            return torch.cat(shares)
        whole = shares[0].new_zeros((sum(n_rows), *shares[0].shape[1:]))
        for batch, own in zip(whole.split(n_rows), shares, strict=True):
            self.share(batch).copy_(own)
        return self.total(whole)

    def total(self, tensor):
        """Sum a tensor over the processes, in place."""
        import torch.distributed

        if self.n > 1:
            torch.distributed.all_reduce(tensor)
        return tensor

    def all_say(self, value):
        """Return what each process calls this with, once all of them have."""
        import torch.distributed

        said = [value] * self.n
        if self.n > 1:
            torch.distributed.all_gather_object(said, value)
        return said

    def join(self, module, loss):
        """Sum gradients and loss over the processes, and average the buffers of a module, in one exchange; return the loss."""
        import torch

        if self.n == 1:
            return loss
        summed = [parameter.grad for parameter in module.parameters() if parameter.grad is not None]
        averaged = [buffer for buffer in module.buffers() if buffer.is_floating_point()]
        with torch.no_grad():
            flat = torch.cat([tensor.reshape(-1) for tensor in (*summed, loss, *averaged)])
            self.total(flat)
            for tensor, values in zip(
                (*summed, loss, *averaged),
                flat.split([tensor.numel() for tensor in (*summed, loss, *averaged)]),
                strict=True,
            ):
                tensor.copy_(values.view_as(tensor))
            for buffer in averaged:
                buffer /= self.n
        return loss


ALONE = Ranks()


def active_ranks():
    """Return the processes that train together here."""
    return _ACTIVE.get(ALONE)


@contextmanager
def training_with(ranks):
    """Let nets be trained by some processes within the block."""
    token = _ACTIVE.set(ranks)
    try:
        yield
    finally:
        _ACTIVE.reset(token)
