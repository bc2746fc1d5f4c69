"""The fitted state of a net: restored when training fails, in pickles, and as arrays."""

from contextlib import contextmanager
from copy import deepcopy

import torch

from skprune._utils._device import resolve_device, seeded
from skprune._utils._saving import VersionedPickle, save
from skprune.nets._data import Scaling


class KeptState(VersionedPickle):
    """Keep, restore and convert the fitted state of a net."""

    def save(self, file):
        """Write the fitted net to a file, without pickles, whole or not at all.

        Parameters
        ----------
        file : path-like
            The file, which is replaced if it exists.

        Raises
        ------
        TypeError
            A parameter can only be pickled; the message names it.
        OSError
            The file cannot be written; it stays as it was.

        See Also
        --------
        skprune.load : Read the file.
        """
        save(self, file)

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
        """Restore the state from before the block if it raises: attributes, history, and weights that are trained further."""
        before = dict(vars(self))
        history = deepcopy(self.history_)
        trained = () if anew else ("module_", "optimizer_")
        states = {name: deepcopy(before[name].state_dict()) for name in trained if name in before}
        try:
            yield
        except BaseException:
            for _, callback in getattr(self, "callbacks_", ()):
                if hasattr(callback, "abandon"):
                    callback.abandon()
            vars(self).clear()
            vars(self).update(before)
            self.history_ = history
            for name, state in states.items():
                getattr(self, name).load_state_dict(state)
            raise

    def to_arrays(self):
        """Return the fitted state as arrays, from which :meth:`from_arrays` rebuilds the net.

        Returns
        -------
        dict
            Classes, shape of a row, standardization, seed, history and weights.
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

    def _continue_history(self, rows):
        """Append epochs to the history."""
        for row in rows:
            self.history.append({"batches": [{}], **row})

    def from_arrays(self, state):
        """Take over the fitted state that :meth:`to_arrays` returned.

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
        self._continue_history(state["history"])
        self.module_.load_state_dict({name: torch.tensor(array) for name, array in state["weights"].items()})
        return self


def _is_automatic(device):
    return device is None or (isinstance(device, str) and device == "auto")
