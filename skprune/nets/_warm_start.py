"""Training that goes on from the last weights, with a short schedule."""

from contextlib import contextmanager

import numpy as np

WARM_SHARE = 0.5
"""The share of a fit that training from the last weights takes, in steps."""


class WarmStart:
    """Mixin for nets whose ``fit`` may go on from the last weights."""

    def _goes_on(self, shape, classes):
        """Tell whether ``fit`` goes on from the last weights: those of the same network, for rows and classes as these."""
        if not (self.warm_start and self.initialized_):
            return False
        same_data = self.shape_ == tuple(shape) and np.array_equal(self.classes_, classes)
        return bool(same_data and self.built_from_ == self._network())

    def _network(self):
        """Return the parameters that the network is built from."""
        return self.module, self.get_params_for("module")

    @contextmanager
    def _shortened(self, is_short, codes):
        """Shorten the training within the block: fewer epochs, or fewer steps where there is but one."""
        names = [name for name in ("max_epochs", "schedule_epochs", "n_steps") if hasattr(self, name)]
        before = {name: getattr(self, name) for name in names}
        if is_short and self.max_epochs == 1:
            self.n_steps = _share_of(self._steps_per_epoch(codes))
        elif is_short:
            self.max_epochs = _share_of(self.max_epochs)
            if before.get("schedule_epochs") is not None:
                self.schedule_epochs = _share_of(self.schedule_epochs)
        try:
            yield
        finally:
            vars(self).update(before)


def _share_of(count):
    """Return how many of so many epochs or steps training takes that goes on from the last weights."""
    return int(np.ceil(WARM_SHARE * count))
