"""The state of a training that is running, in a file, so that a run that was killed goes on within it. No torch.

Where several processes train together, the main one writes the state of all, and all of them read it.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from time import monotonic

from skprune._utils._ranks import active_ranks
from skprune._utils._shared_files import check_shared
from skprune._utils._state_files import UnreadableState, read_state, write_state
from skprune._utils._warnings import warn_user

_MOST_SHARE = 0.02  # of the time that writing may take
_KIND = "running training"
_running = ContextVar("skprune_running_training", default=None)


@contextmanager
def kept_in(file, every):
    """Let the first model that is trained step by step in the block keep its state in a file, every so many seconds."""
    token = _running.set(RunningTraining(file, every))
    try:
        yield
    finally:
        _running.reset(token)


def take_running():
    """Return where a model that is trained now keeps its state; None where nothing is kept, or another has taken it."""
    running = _running.get()
    if running is not None:
        _running.set(None)
    return running


class RunningTraining:
    """The file of a training, and when it is written next: not so often that it takes more than 2 % of the time."""

    def __init__(self, file, every):
        self.file, self.every = Path(file), every
        self._cost, self._last, self._has_failed = 0.0, monotonic(), False

    def read(self, seed, trusted=()):
        """Return the state that a run before with this seed has left, None if there is none; refuse a damaged one."""
        try:
            state = read_state(self.file, _KIND, trusted) if self.file.exists() else None
        except UnreadableState as error:
            raise ValueError(
                f"The checkpoint {self.file} cannot be read: {error}. Delete it to begin its stage again."
            ) from error
        check_shared(self.file)
        return state if state is not None and state["seed"] == seed else None

    def is_due(self):
        """Tell whether it is time to write; with 0 seconds, it always is."""
        return not self.every or monotonic() - self._last >= max(self.every, self._cost / _MOST_SHARE)

    def write(self, state):
        """Write a state; one that cannot be written is worth one warning, and the state before stays."""
        if not active_ranks().is_main:
            return
        start = monotonic()
        try:
            write_state(self.file, state, _KIND)
        except Exception as error:
            if not self._has_failed:
                warn_user(f"The checkpoint {self.file.parent} does not keep the state of a training: {error!r}")
            self._has_failed = True
        self._last = monotonic()
        self._cost = self._last - start
