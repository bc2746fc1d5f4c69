"""The builder, which turns outputs into the arrays of training dynamics, one batch at a time."""

from pathlib import Path

import numpy as np

from skprune.dynamics._arrays import EPOCH_ARRAYS, LAST_ARRAYS
from skprune.dynamics._recording import keeps_kl
from skprune.dynamics._reduce import reduce_outputs


class DynamicsBuilder:
    """Build the arrays of training dynamics one batch at a time, for every collector and for recorded outputs alike."""

    def __init__(self, n_samples, n_epochs=None, *, kl=False, memmap_folder=None):
        self.n_samples, self.kl = n_samples, kl
        self.capacity = n_epochs or 16
        self.folder = None if memmap_folder is None else Path(memmap_folder)
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            present = [name for name in EPOCH_ARRAYS if (self.folder / f"{name}.npy").exists()]
            if present:
                raise ValueError(f"{self.folder} already holds {present[0]}.npy. Give each recording its own folder.")
        self.epoch = -1
        self._epoch_arrays = {"seen": np.zeros((self.capacity, n_samples), dtype=bool)}
        self._last_arrays = {name: np.full(n_samples, np.nan, np.float32) for name in LAST_ARRAYS}
        self._last_before = self._last_arrays  # those of the epochs that are whole
        self._logs = None  # log-probabilities of the latest outputs of each row, of shape (n_classes, n_samples)

    def start_epoch(self):
        """Go on to the next epoch."""
        self.epoch += 1
        self._last_before = {name: array.copy() for name, array in self._last_arrays.items()}
        if self.epoch < self.capacity:
            return
        if self.folder is not None:
            raise ValueError(f"More epochs arrived than the {self.capacity} that {self.folder} was created for.")
        self.capacity *= 2
        for name, array in self._epoch_arrays.items():
            fill = False if name == "seen" else np.float32(np.nan)
            added = np.full_like(array, fill, shape=(self.capacity - len(array), self.n_samples))
            self._epoch_arrays[name] = np.concatenate([array, added])

    def add(self, rows, outputs, y, *, logits, last=True, feature_norm=None):
        """Reduce the outputs of some rows; a row that comes twice in an epoch keeps its last outputs and no ``kl_step``."""
        if (y < 0).any():
            raise ValueError(
                "Dynamics need a label for every row, but some labels are -1. Record a supervised classifier, or use "
                "SemiPrune(proxy='labeler')."
            )
        seen = self._epoch_arrays["seen"]
        self.kl = keeps_kl(self.kl, self.n_samples, outputs.shape[1])
        if self.kl and self._logs is None:
            self._logs = np.zeros((outputs.shape[1], self.n_samples), dtype=np.float32)
        logs = self._logs[:, rows] if self.kl else None  # a view if rows is a slice, else a copy
        reduced = reduce_outputs(
            outputs, y, logits=logits, last=last, log_before=logs if self.epoch else None, log_now=logs
        )
        if feature_norm is not None:
            reduced["grad_norm"] = reduced["error"] * feature_norm
        if self.kl and not isinstance(rows, slice):
            self._logs[:, rows] = logs
        if "kl_step" in reduced:
            unknown = ~seen[self.epoch - 1][rows] | self._repeated(rows)
            self._array("kl_step")[self.epoch - 1][rows] = np.where(unknown, np.float32(np.nan), reduced.pop("kl_step"))
        for name, values in reduced.items():
            target = self._last_arrays[name] if name in self._last_arrays else self._array(name)[self.epoch]
            target[rows] = values
        seen[self.epoch][rows] = True

    def drop_unfinished(self, n_epochs):
        """Forget an epoch that was begun after so many whole ones."""
        if self.epoch + 1 > n_epochs:
            self.epoch, self._last_arrays = n_epochs - 1, self._last_before

    def _repeated(self, rows):
        """Tell which rows come twice in this epoch, so that their outputs of the epoch before are lost."""
        earlier = self._epoch_arrays["seen"][self.epoch][rows]
        if isinstance(rows, slice):
            return earlier
        return earlier | (np.bincount(rows, minlength=self.n_samples) > 1)[rows]

    def _array(self, name):
        """Return an array over epochs and rows, created when it is first asked for."""
        if name not in self._epoch_arrays:
            shape = (self.capacity, self.n_samples)
            if self.folder is None:
                array = np.empty(shape, dtype=np.float32)
            else:
                file = self.folder / f"{name}.npy"
                array = np.lib.format.open_memmap(file, mode="w+", dtype=np.float32, shape=shape)
            array[:] = np.nan
            self._epoch_arrays[name] = array
        return self._epoch_arrays[name]

    def state_dict(self):
        """Return what has been built so far."""
        return {
            "epoch": self.epoch,
            "kl": self.kl,
            "epochs": {name: array[: self.epoch + 1] for name, array in self._epoch_arrays.items()},
            "last": self._last_arrays,
            "last_before": self._last_before,
            "logs": self._logs,
        }

    def load_state_dict(self, state):
        """Go on with what another builder has built."""
        self.epoch, self.kl, self._logs = state["epoch"], state["kl"], state["logs"]
        for name, array in state["epochs"].items():
            target = self._epoch_arrays["seen"] if name == "seen" else self._array(name)
            target[: len(array)] = array
        self._last_arrays, self._last_before = state["last"], state["last_before"]

    def arrays(self):
        """Return the arrays of all epochs so far by name, None for those that were not recorded."""
        n_epochs = self.epoch + 1
        if n_epochs == 0:
            raise ValueError("No epoch was recorded.")
        lengths = dict.fromkeys(EPOCH_ARRAYS, n_epochs) | {"kl_step": n_epochs - 1}
        recorded = {name: array[: lengths[name]] for name, array in self._epoch_arrays.items() if lengths[name]}
        return {name: recorded.get(name) for name in EPOCH_ARRAYS} | self._last_arrays
