"""Losses of an epoch, read in blocks so that the host seldom waits for the device."""

from collections import deque
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class StepBlock:
    """Consecutive steps of an epoch: where they start, and for each one the loss, the confident share and the rate."""

    first: int
    losses: torch.Tensor
    confident: torch.Tensor | None
    rates: list


class LossWatch:
    """Collect losses and hand them out in blocks; a lagging watch holds each block back until the next one is complete."""

    def __init__(self, block_steps, *, lagging):
        self.losses, self.confident = [], []
        self._rates = []
        self._block_steps, self._lagging = block_steps, lagging
        self._copies = deque()

    def state_dict(self):
        """Return what has been collected, and the rates of the steps that have not been handed out."""
        waiting = [rate for block, _ in self._copies for rate in block.rates] + self._rates
        confident = None if self.confident[0] is None else torch.stack(self.confident)
        return {"losses": torch.stack(self.losses), "confident": confident, "rates": waiting}

    def load_state_dict(self, state, device):
        """Go on where another watch has stopped."""
        self.losses = list(state["losses"].to(device))
        confident = state["confident"]
        self.confident = [None] * len(self.losses) if confident is None else list(confident.to(device))
        self._rates = list(state["rates"])

    def add(self, loss, confident, rate):
        """Note a step; yield the blocks that can be read now."""
        self.losses.append(loss)
        self.confident.append(confident)
        self._rates.append(rate)
        if len(self._rates) >= self._block_steps:
            self._start_copy()
            yield from self._arrived(held_back=int(self._lagging))

    def finish(self):
        """Yield the blocks that remain at the end of an epoch."""
        if self._rates:
            self._start_copy()
        yield from self._arrived(held_back=0)

    def _start_copy(self):
        """Copy the latest steps to the host, without waiting for the copy where the watch lags."""
        first = len(self.losses) - len(self._rates)
        losses, confident = self.losses[first:], self.confident[first:]
        block = StepBlock(first, self._to_host(losses), self._to_host(confident), self._rates)
        done = None
        if losses[0].is_cuda:
            done = torch.cuda.Event()
            done.record(torch.cuda.current_stream(losses[0].device))
        self._copies.append((block, done))
        self._rates = []

    def _to_host(self, values):
        return None if values[0] is None else torch.stack(values).to("cpu", non_blocking=self._lagging)

    def _arrived(self, held_back):
        while len(self._copies) > held_back:
            block, done = self._copies.popleft()
            if done is not None:
                done.synchronize()
            yield block
