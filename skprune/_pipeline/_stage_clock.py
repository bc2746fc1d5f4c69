"""How long each stage of a fit took."""

from contextlib import contextmanager

from skprune._utils._time_limit import now


class StageClock:
    """The seconds of each stage, in the order in which they ended."""

    def __init__(self):
        self.seconds = {}

    @contextmanager
    def time(self, stage):
        """Add the time of the block to that of a stage."""
        start = now()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now() - start
