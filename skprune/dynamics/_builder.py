"""The builder, which collects training dynamics a batch at a time."""

from pathlib import Path

import numpy as np

from skprune.dynamics._reduce import reduce_outputs
from skprune.dynamics._training_dynamics import EPOCH_ARRAYS, TrainingDynamics


class DynamicsBuilder:
    """Collect the dynamics a batch at a time: the same for every collector and for recorded arrays.

    Parameters
    ----------
    n_samples : int
        Rows.
    n_epochs : int, default=None
        The epochs that come at most; None: not known, so the arrays grow.
    kl : bool, default=False
        Whether to keep ``kl_step``; needs one (n_samples, n_classes) float32 buffer besides.
    memmap_folder : path-like, default=None
        A folder for the arrays of shape (n_epochs, n_samples), one ``.npy`` file each, memory-mapped; it must hold none of them
        yet, and needs `n_epochs`. None: in memory.

    Examples
    --------
    >>> import numpy as np
    >>> builder = DynamicsBuilder(2, 1)
    >>> builder.start_epoch()
    >>> builder.add(np.array([1, 0]), np.zeros((2, 3)), np.array([0, 2]), logits=True)
    >>> builder.build()
    TrainingDynamics(n_epochs=1, n_samples=2)
    """

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
        """Reduce the outputs of some rows. A row that comes twice in an epoch keeps its last outputs, and no ``kl_step``.

        Parameters
        ----------
        rows : ndarray of shape (n_rows,), int, or slice
            Which rows.
        outputs : ndarray of shape (n_rows, n_classes)
            Their logits or probabilities.
        y : ndarray of shape (n_rows,), int
            Their class indices.
        logits : bool
            Whether `outputs` are logits.
        last : bool, default=True
            Whether this may be the last epoch of these rows.
        feature_norm : ndarray of shape (n_rows,), default=None
            The norm of what enters the last layer, 1 for a bias included; gives ``grad_norm``.

        Raises
        ------
        ValueError
            A label is -1.
        """
        if (y < 0).any():
            raise ValueError("Dynamics need the label of every row, and some are -1: record a supervised classifier.")
        seen = self._arrays["seen"]
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
        """Return the dynamics of all epochs so far.

        Returns
        -------
        TrainingDynamics
            Checked, with unseen rows masked.
        """
        epochs = self.epoch + 1
        if epochs == 0:
            raise ValueError("No epoch was recorded.")
        arrays = {name: array[: epochs - (name == "kl_step")] for name, array in self._arrays.items()}
        if epochs < 2:
            arrays.pop("kl_step", None)
        return TrainingDynamics._of({name: arrays.get(name) for name in EPOCH_ARRAYS} | self._last)
