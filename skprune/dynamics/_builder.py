"""The builder, which collects training dynamics a batch at a time."""

from pathlib import Path

import numpy as np

from skprune.dynamics._recording import keeps_kl
from skprune.dynamics._reduce import first_not_finite, reduce_outputs
from skprune.dynamics._training_dynamics import EPOCH_ARRAYS, TrainingDynamics


class DynamicsBuilder:
    """Collect the dynamics a batch at a time: the same for every collector and for recorded arrays."""

    def __init__(self, n_samples, n_epochs=None, *, kl=False, memmap_folder=None):
        self.n_samples, self.kl = n_samples, kl
        self.capacity = n_epochs or 16
        self.folder = None if memmap_folder is None else Path(memmap_folder)
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            old = [name for name in EPOCH_ARRAYS if (self.folder / f"{name}.npy").exists()]
            if old:
                raise ValueError(f"{self.folder} holds {old[0]}.npy already. Give each recording a folder of its own.")
        self.epoch = -1
        self._arrays = {"seen": np.zeros((self.capacity, n_samples), dtype=bool)}
        self._last = {name: np.full(n_samples, np.nan, np.float32) for name in ("entropy", "top_margin")}
        self._logs = None

    def start_epoch(self):
        """Go on to the next epoch."""
        self.epoch += 1
        if self.epoch == self.capacity and self.folder is not None:
            raise ValueError(f"More epochs came than the {self.capacity} that {self.folder} was made for.")
        if self.epoch == self.capacity:
            self.capacity *= 2
            for name, array in self._arrays.items():
                fill = False if name == "seen" else np.float32(np.nan)
                self._arrays[name] = np.concatenate(
                    [array, np.full_like(array, fill, shape=(self.capacity - len(array), self.n_samples))]
                )

    def add(self, rows, outputs, y, *, logits, last=True, feature_norm=None):
        """Reduce the outputs of some rows. A row that comes twice in an epoch keeps its last outputs, and no ``kl_step``."""
        if (y < 0).any():
            raise ValueError("Dynamics need the label of every row, and some are -1: record a supervised classifier.")
        seen = self._arrays["seen"]
        self.kl = keeps_kl(self.kl, self.n_samples, outputs.shape[1])
        if self.kl and self._logs is None:
            self._logs = np.zeros((outputs.shape[1], self.n_samples), dtype=np.float32)
        logs = self._logs[:, rows] if self.kl else None  # a view for a slice, else a copy
        reduced = reduce_outputs(
            outputs, y, logits=logits, last=last, log_before=logs if self.epoch else None, log_now=logs
        )
        if feature_norm is not None:
            reduced["grad_norm"] = reduced["error"] * feature_norm
        if self.kl and not isinstance(rows, slice):
            self._logs[:, rows] = logs
        if "kl_step" in reduced:
            reduced["kl_step"][~seen[self.epoch - 1][rows] | self._twice(rows)] = np.nan
            self._array("kl_step")[self.epoch - 1][rows] = reduced.pop("kl_step")
        for name, values in reduced.items():
            (self._last[name] if name in self._last else self._array(name)[self.epoch])[rows] = values
        seen[self.epoch][rows] = True

    def _twice(self, rows):
        """Tell which rows come more than once in this epoch: the outputs of the epoch before are overwritten for them."""
        here = self._arrays["seen"][self.epoch][rows]
        return here if isinstance(rows, slice) else here | (np.bincount(rows, minlength=self.n_samples) > 1)[rows]

    def _array(self, name):
        if name not in self._arrays:
            shape = (self.capacity, self.n_samples)
            if self.folder is None:
                self._arrays[name] = np.empty(shape, dtype=np.float32)
            else:
                file = self.folder / f"{name}.npy"
                self._arrays[name] = np.lib.format.open_memmap(file, mode="w+", dtype=np.float32, shape=shape)
            self._arrays[name][:] = np.nan
        return self._arrays[name]

    def build(self):
        """Return the dynamics of all epochs so far."""
        epochs = self.epoch + 1
        if epochs == 0:
            raise ValueError("No epoch was recorded.")
        arrays = {name: array[: epochs - (name == "kl_step")] for name, array in self._arrays.items()}
        if epochs < 2:
            arrays.pop("kl_step", None)
        return TrainingDynamics._of({name: arrays.get(name) for name in EPOCH_ARRAYS} | self._last)


def from_outputs(outputs, y, *, logits, seen, kl, memmap_folder):
    """Build dynamics from recorded outputs: the two ways of :meth:`TrainingDynamics.from_proba` and ``from_logits``."""
    y = np.asarray(y)
    if seen is not None:
        seen = np.asarray(seen, dtype=bool)
        if seen.shape != (len(seen), len(y)):
            raise ValueError(f"seen must be of shape (n_epochs, {len(y)}), got {seen.shape}.")
    n_epochs = len(outputs) if hasattr(outputs, "__len__") else None if seen is None else len(seen)
    if seen is not None and n_epochs != len(seen):
        raise ValueError(f"seen holds {len(seen)} epochs, and there are {n_epochs}.")
    if n_epochs is None and memmap_folder is not None:
        raise ValueError("memmap_folder needs outputs of known length: give a list or an array, not an iterator.")
    builder = DynamicsBuilder(len(y), n_epochs, kl=kl, memmap_folder=memmap_folder)
    ends = None if seen is None else set(len(seen) - 1 - seen[::-1].argmax(axis=0))
    t = -1
    for t, epoch in enumerate(outputs):
        if seen is not None and t == len(seen):
            raise ValueError(f"seen holds {len(seen)} epochs, and there are more.")
        epoch = np.asarray(epoch)
        if epoch.ndim != 2 or epoch.shape[0] != len(y) or epoch.shape[1] < 2:
            raise ValueError(
                f"Epoch {t} must be of shape (n_samples, n_classes) = ({len(y)}, at least 2), got {epoch.shape}."
            )
        if y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= epoch.shape[1]:
            raise ValueError(f"y must hold class indices 0..{epoch.shape[1] - 1}.")
        rows = slice(None) if seen is None else np.flatnonzero(seen[t])
        shown = epoch[rows]
        bad = first_not_finite(shown)
        if bad is not None:
            row = bad if seen is None else int(rows[bad])
            raise ValueError(f"Row {row} is not finite in epoch {t}. Mark rows that were not seen with `seen`.")
        if not logits and not np.allclose(shown.sum(axis=1), 1.0, atol=1e-2):
            raise ValueError(f"Rows of epoch {t} do not sum to 1. Use from_logits for logits.")
        last = n_epochs is None or t == n_epochs - 1 if ends is None else t in ends
        builder.start_epoch()
        builder.add(rows, shown, y[rows], logits=logits, last=last)
    if seen is not None and t + 1 < len(seen):
        raise ValueError(f"seen holds {len(seen)} epochs, and there are {t + 1}.")
    return builder.build()
