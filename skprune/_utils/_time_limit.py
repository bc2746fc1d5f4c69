"""How long a training may take: set by who starts it, asked after each step by what trains. No torch."""

import math
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter

_active = ContextVar("skprune_time_limit", default=None)


def now():
    """Return the time in seconds, for differences alone."""
    return perf_counter()


@contextmanager
def limited(limit):
    """Let trainings in the block end at a limit; None lets them run to their end."""
    token = _active.set(limit)
    try:
        yield limit
    finally:
        _active.reset(token)


def active_limit():
    """Return the limit of the trainings of the moment, None where there is none."""
    return _active.get()


@dataclass(frozen=True)
class Cut:
    """Where a training was cut."""

    n_done: int
    n_planned: int
    unit: str
    seconds: float

    def __str__(self):
        return f"{self.unit} {self.n_done} of {self.n_planned}"


class TimeLimit:
    """So many seconds from now on, `of` all that a fit may take, and a `reserve` for the epochs that are needed at least."""

    def __init__(self, seconds, *, of, least_epochs=1, n_epochs=1, reserve=0.0):
        self.seconds, self.of, self.reserve = seconds, of, reserve
        self.least_epochs, self.n_epochs = least_epochs, n_epochs
        self.cut = None
        self._start, self._n_counted = now(), 0

    def left(self):
        """Return the seconds that are left, below 0 where there are none."""
        return self.seconds - (now() - self._start)

    def cuts(self, n_done, n_planned, unit):
        """Count a step or an epoch, and tell whether the training is cut after it; the last one ends it anyway."""
        self._n_counted += 1
        left = self.left()
        has_enough = n_done * self.n_epochs >= n_planned * self.least_epochs
        if left + (0.0 if has_enough else self.reserve) > 0 or n_done >= n_planned:
            return False
        self.cut = Cut(n_done, n_planned, unit, self.seconds - left)
        return True

    def check_left(self, name):
        """Refuse to begin a training that cannot be cut where no time is left."""
        if self.left() <= 0:
            raise TimeoutError(
                f"time_limit={self.of:g} was over before {name} could be trained, which cannot be ended early. Raise it."
            )

    def check_epochs(self, n_trained, n_epochs):
        """Refuse a training that was cut before its difficulties can be read."""
        if n_trained >= self.least_epochs:
            return
        needed = self.cut.seconds / self._n_counted * self.cut.n_planned * self.least_epochs / n_epochs
        most = self.seconds + self.reserve
        # what is not measured, the trainings before, takes the same share of a longer limit
        total = self.of * needed / most if most > 0 else self.of - most + needed
        raise TimeoutError(
            f"time_limit={self.of:g} ended the recording after {n_trained} of {n_epochs} epochs, and {self.least_epochs} are "
            f"needed. About {math.ceil(total)} seconds would do, or fewer rows or a smaller net."
        )
