"""The fitted state of a net: kept when training fails, in pickles, and as arrays."""

from contextlib import contextmanager
from copy import deepcopy

import torch

from skprune._utils._device import resolve_device, seeded
from skprune.nets._data import Scaling


class KeptState:
    """What a net does with its fitted state, besides learning it."""

    def initialize(self):
        """Build module, criterion and optimizer (skorch's hook)."""
        with self._device_for_skorch():
            return super().initialize()

    def load_params(self, *args, **kwargs):
        """Load what skorch's ``save_params`` saved (skorch's hook)."""
        with self._device_for_skorch():
            return super().load_params(*args, **kwargs)

    @contextmanager
    def _device_for_skorch(self):
        """Let skorch, which knows neither "auto" nor what None means here, read the device that is chosen."""
        chosen = self.device
        if _is_automatic(chosen):
            self.device = str(resolve_device(chosen))
        try:
            yield
        finally:
            if _is_automatic(chosen):
                self.device = chosen

    def __setstate__(self, state):
        chosen = state["device"]
        if _is_automatic(chosen):  # as a new net would choose, whatever machine wrote the pickle
            state["device"] = str(resolve_device(chosen))
        super().__setstate__(state)
        if _is_automatic(chosen):
            self.device = chosen
        if hasattr(self, "module_"):
            self.device_ = resolve_device(self.device)
            self._resolve_precision()

    @contextmanager
    def _all_or_nothing(self, anew):
        before = dict(vars(self))
        trained = ("module_", "optimizer_", "history_")
        saved = {name: deepcopy(before[name]) for name in trained if name == "history_" and name in before}
        saved |= {name: deepcopy(before[name].state_dict()) for name in trained[:2] if name in before and not anew}
        try:
            yield
        except BaseException:
            for _, callback in getattr(self, "callbacks_", ()):
                if hasattr(callback, "abandon"):
                    callback.abandon()
            vars(self).clear()
            vars(self).update(before)
            for name, state in saved.items():
                if name == "history_":
                    self.history_ = state
                else:
                    getattr(self, name).load_state_dict(state)
            raise

    def to_arrays(self):
        """Return the fitted state as arrays, from which :meth:`from_arrays` rebuilds it.

        Returns
        -------
        dict
            Classes, shape, standardisation, history and weights.
        """
        weights = {name: tensor.detach().cpu().numpy().copy() for name, tensor in self.module_.state_dict().items()}
        return {
            "classes": self.classes_,
            "shape": self.shape_,
            "scaling": vars(self.scaling_).copy(),
            "seed": self.seed_,
            "history": [{key: value for key, value in row.items() if key != "batches"} for row in self.history],
            "weights": weights,
        }

    def from_arrays(self, state):
        """Become the fitted net that :meth:`to_arrays` described.

        Parameters
        ----------
        state : dict
            What :meth:`to_arrays` returned.

        Returns
        -------
        self
            The fitted net.
        """
        self._prepare(state["shape"], state["classes"], Scaling(**state["scaling"]))
        self.seed_ = state["seed"]
        with seeded(self.seed_, self.device_):
            self.initialized_ = False
            self.initialize()
        for row in state["history"]:
            self.history.new_epoch()
            for key, value in row.items():
                self.history.record(key, value)
        self.module_.load_state_dict({name: torch.from_numpy(array) for name, array in state["weights"].items()})
        return self


def _is_automatic(device):
    return device is None or (isinstance(device, str) and device == "auto")
