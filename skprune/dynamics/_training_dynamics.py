"""TrainingDynamics: the arrays between the recording and the scores."""

from pathlib import Path

import numpy as np

REQUIRED = ("target_proba", "target_margin", "error")
OPTIONAL = ("kl_step", "logit_margin", "grad_norm")
EPOCH_ARRAYS = (*REQUIRED, *OPTIONAL, "seen")
LAST_ARRAYS = ("entropy", "top_margin")


class TrainingDynamics:
    """What a classifier's outputs did during training, reduced to a few numbers for each epoch and row.

    Memory: ``13 * n_epochs * n_samples`` bytes, three float32 arrays and a mask, and ``4 * n_epochs * n_samples`` more for each
    optional array; whatever the number of classes.

    Parameters
    ----------
    target_proba : array-like of shape (n_epochs, n_samples)
        p_y: the probability of the given or pseudo-label.
    target_margin : array-like of shape (n_epochs, n_samples)
        p_y less the largest probability of another class; above 0 where the row is predicted right.
    error : array-like of shape (n_epochs, n_samples)
        The norm of p - onehot(y) (EL2N of one epoch, arXiv 2107.07075).
    entropy, top_margin : array-like of shape (n_samples,)
        Entropy in nats, and the largest less the second largest probability, at the last epoch in which the row was
        seen.
    kl_step : array-like of shape (n_epochs - 1, n_samples), default=None
        ``sum_c |p_{t+1} (log p_{t+1} - log p_t)|``, for TDDS (arXiv 2311.13613); NaN where it is not known.
    logit_margin : array-like of shape (n_epochs, n_samples), default=None
        As `target_margin`, of the logits, for AUM on logits (arXiv 2001.10528).
    grad_norm : array-like of shape (n_epochs, n_samples), default=None
        The norm of the gradient of the cross entropy at the last layer, for GraNd (arXiv 2107.07075).
    seen : array-like of shape (n_epochs, n_samples), bool, default=None
        False where a row was not seen in an epoch; what stands there is ignored. None: every row in every epoch.

    Attributes
    ----------
    n_epochs, n_samples : int
        The shape.
    correct : ndarray of shape (n_epochs, n_samples), bool
        Where the row is predicted right; False where it was not seen.

    Raises
    ------
    ValueError
        Shapes differ, a row is never seen, or a value of a row that was seen is not finite (the message names the row).

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.dynamics import TrainingDynamics
    >>> proba = np.array([[[0.5, 0.5], [0.2, 0.8]], [[0.9, 0.1], [0.4, 0.6]]])
    >>> dynamics = TrainingDynamics.from_proba(proba, [0, 0])
    >>> dynamics
    TrainingDynamics(n_epochs=2, n_samples=2)
    >>> dynamics.target_proba.round(2).tolist() == np.float32([[0.5, 0.2], [0.9, 0.4]]).round(2).tolist()
    True
    """

    def __init__(
        self,
        target_proba,
        target_margin,
        error,
        *,
        entropy,
        top_margin,
        kl_step=None,
        logit_margin=None,
        grad_norm=None,
        seen=None,
    ):
        arrays = {
            "target_proba": target_proba,
            "target_margin": target_margin,
            "error": error,
            "kl_step": kl_step,
            "logit_margin": logit_margin,
            "grad_norm": grad_norm,
            "entropy": entropy,
            "top_margin": top_margin,
        }
        arrays = {name: None if array is None else np.array(array, np.float32) for name, array in arrays.items()}
        shape = arrays["target_proba"].shape
        self._set(arrays | {"seen": np.ones(shape, dtype=bool) if seen is None else np.array(seen, dtype=bool)})

    @classmethod
    def _of(cls, arrays):
        """Take arrays of the right types as they are, without a copy."""
        dynamics = cls.__new__(cls)
        dynamics._set(arrays)
        return dynamics

    def _set(self, arrays):
        for name in (*EPOCH_ARRAYS, *LAST_ARRAYS):
            setattr(self, name, arrays[name])
        self._check_shapes()
        self._check_rows()

    def _arrays(self):
        """Return the arrays that are there, by name."""
        return {name: array for name, array in vars(self).items() if array is not None}

    @property
    def n_epochs(self):
        """The number of recorded epochs."""
        return self.target_proba.shape[0]

    @property
    def n_samples(self):
        """The number of rows."""
        return self.target_proba.shape[1]

    @property
    def correct(self):
        """Where the row is predicted right, of shape (n_epochs, n_samples); False where it was not seen."""
        return self.target_margin > 0

    @classmethod
    def from_proba(cls, proba, y, *, seen=None, kl=False, memmap_folder=None):
        """Build from recorded probabilities.

        Parameters
        ----------
        proba : array-like of shape (n_epochs, n_samples, n_classes), or sequence or iterator of (n_samples, n_classes)
            Class probabilities of each epoch; one epoch at a time is read.
        y : array-like of shape (n_samples,), int
            Class indices 0..n_classes-1.
        seen : array-like of shape (n_epochs, n_samples), bool, default=None
            False where a row was not seen. None: every row in every epoch.
        kl : bool, default=False
            Whether to keep ``kl_step``, for TDDS.
        memmap_folder : path-like, default=None
            A new folder for memory-mapped arrays, one ``.npy`` file each; None keeps them in memory. An iterator of unknown
            length is refused. :meth:`save` is what keeps dynamics beyond the process.

        Returns
        -------
        TrainingDynamics
            The reduced dynamics.

        Examples
        --------
        >>> import numpy as np
        >>> TrainingDynamics.from_proba(np.full((3, 4, 2), 0.5), [0, 1, 0, 1]).n_epochs
        3
        """
        from skprune.dynamics._builder import from_outputs

        return from_outputs(proba, y, logits=False, seen=seen, kl=kl, memmap_folder=memmap_folder)

    @classmethod
    def from_logits(cls, logits, y, *, seen=None, kl=False, memmap_folder=None):
        """Build from recorded logits; parameters as in :meth:`from_proba`.

        Parameters
        ----------
        logits : array-like of shape (n_epochs, n_samples, n_classes), or sequence or iterator of (n_samples, n_classes)
            Logits of each epoch.
        y : array-like of shape (n_samples,), int
            Class indices 0..n_classes-1.
        seen : array-like of shape (n_epochs, n_samples), bool, default=None
            False where a row was not seen. None: every row in every epoch.
        kl : bool, default=False
            Whether to keep ``kl_step``, for TDDS.
        memmap_folder : path-like, default=None
            As in :meth:`from_proba`.

        Returns
        -------
        TrainingDynamics
            The reduced dynamics, with ``logit_margin``.

        Examples
        --------
        >>> import numpy as np
        >>> TrainingDynamics.from_logits(np.zeros((3, 4, 2)), [0, 1, 0, 1]).n_samples
        4
        """
        from skprune.dynamics._builder import from_outputs

        return from_outputs(logits, y, logits=True, seen=seen, kl=kl, memmap_folder=memmap_folder)

    @classmethod
    def concatenate(cls, parts):
        """Put the rows of several dynamics one behind the other, such as those of parts of a pool.

        Parameters
        ----------
        parts : sequence of TrainingDynamics
            Of the same number of epochs.

        Returns
        -------
        TrainingDynamics
            All rows, in memory.

        Raises
        ------
        ValueError
            The numbers of epochs differ, or an optional array is in some parts only.

        Examples
        --------
        >>> import numpy as np
        >>> part = TrainingDynamics.from_proba(np.full((3, 4, 2), 0.5), [0, 1, 0, 1])
        >>> TrainingDynamics.concatenate([part, part])
        TrainingDynamics(n_epochs=3, n_samples=8)
        """
        parts = list(parts)
        if not parts:
            raise ValueError("concatenate needs one part at least.")
        lengths = sorted({part.n_epochs for part in parts})
        if len(lengths) > 1:
            raise ValueError(f"The parts must have the same number of epochs, got {lengths}.")
        here = [part._arrays() for part in parts]
        for name in OPTIONAL:
            if 0 < sum(name in arrays for arrays in here) < len(parts):
                raise ValueError(f"{name} was recorded in some parts only. Record it in all, or set it to None.")
        return cls(**{name: np.concatenate([arrays[name] for arrays in here], axis=-1) for name in here[0]})

    @classmethod
    def average(cls, parts):
        """Average the dynamics of several proxies on the same rows.

        Parameters
        ----------
        parts : sequence of TrainingDynamics
            Of the same shape.

        Returns
        -------
        TrainingDynamics
            The means over the parts that saw a row; optional arrays where all parts have them.

        Raises
        ------
        ValueError
            There are no parts, or their shapes differ.

        Examples
        --------
        >>> import numpy as np
        >>> low, high = (TrainingDynamics.from_proba(np.full((1, 1, 2), [p, 1 - p]), [0]) for p in (0.5, 1.0))
        >>> TrainingDynamics.average([low, high]).target_proba
        array([[0.75]], dtype=float32)
        """
        parts = list(parts)
        shapes = sorted({(part.n_epochs, part.n_samples) for part in parts})
        if len(shapes) != 1:
            raise ValueError(f"average needs parts of one shape (n_epochs, n_samples), got {shapes}.")
        here = [part._arrays() for part in parts]
        result = {}
        for name in here[0]:
            arrays = [arrays[name] for arrays in here if name in arrays]
            if name == "seen":
                result[name] = np.any(arrays, axis=0)
            elif len(arrays) == len(here):
                total, count = np.zeros(arrays[0].shape), np.zeros(arrays[0].shape, dtype=int)
                for array in arrays:
                    np.add(total, array, out=total, where=~np.isnan(array))
                    count += ~np.isnan(array)
                with np.errstate(invalid="ignore"):
                    result[name] = total / count
        return cls(**result)

    def save(self, file):
        """Write the arrays to a ``.npz`` file, without pickles.

        Parameters
        ----------
        file : path-like
            The file; ``.npz`` is added where it is missing.
        """
        np.savez(_npz(file), **self._arrays())

    @classmethod
    def load(cls, file):
        """Read what :meth:`save` wrote; nothing in the file is executed.

        Parameters
        ----------
        file : path-like
            The file.

        Returns
        -------
        TrainingDynamics
            The same arrays.

        Raises
        ------
        ValueError
            The file holds something else.

        Examples
        --------
        >>> import tempfile, numpy as np
        >>> dynamics = TrainingDynamics.from_proba(np.full((3, 4, 2), 0.5), [0, 1, 0, 1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     dynamics.save(f"{folder}/dynamics.npz")
        ...     again = TrainingDynamics.load(f"{folder}/dynamics.npz")
        >>> again
        TrainingDynamics(n_epochs=3, n_samples=4)
        """
        file = file if Path(file).exists() else _npz(file)
        arrays = np.load(file, allow_pickle=False)
        found = {}
        if not isinstance(arrays, np.ndarray):
            with arrays:
                found = dict(arrays)
        known = {*EPOCH_ARRAYS, *LAST_ARRAYS}
        if not {*REQUIRED, "seen", *LAST_ARRAYS} <= set(found) <= known:
            raise ValueError(f"{Path(file).name} holds no TrainingDynamics: its arrays are {sorted(found)}.")
        return cls(**found)

    def to_frame(self):
        """Return a pandas DataFrame of one row a sample.

        Returns
        -------
        pandas.DataFrame
            Columns ``target_proba_0``, ``target_proba_1``, ... for each array and epoch, and ``entropy``, ``top_margin``.

        Examples
        --------
        >>> import numpy as np
        >>> dynamics = TrainingDynamics.from_proba(np.full((2, 3, 2), 0.5), [0, 1, 0])
        >>> list(dynamics.to_frame())[:4]
        ['target_proba_0', 'target_proba_1', 'target_margin_0', 'target_margin_1']
        """
        import pandas as pd

        columns = {}
        for name, array in self._arrays().items():
            columns |= {name: array} if array.ndim == 1 else {f"{name}_{t}": epoch for t, epoch in enumerate(array)}
        return pd.DataFrame(columns)

    def _check_shapes(self):
        if self.target_proba.ndim != 2 or 0 in self.target_proba.shape:
            raise ValueError(f"target_proba must be of shape (n_epochs, n_samples), got {self.target_proba.shape}.")
        epochs, n = self.target_proba.shape
        shapes = dict.fromkeys(EPOCH_ARRAYS, (epochs, n)) | dict.fromkeys(LAST_ARRAYS, (n,))
        for name, shape in (shapes | {"kl_step": (epochs - 1, n)}).items():
            array = getattr(self, name)
            if array is not None and array.shape != shape:
                raise ValueError(f"{name} must be of shape {shape} to fit target_proba, got {array.shape}.")

    def _check_rows(self):
        """Refuse what is not finite though it was seen, an epoch at a time, and mask what was not seen."""
        never = ~self.seen.any(axis=0)
        if never.any():
            raise ValueError(f"Row {int(never.argmax())} is not seen in any epoch ({int(never.sum())} such rows).")
        for name, array in self._arrays().items():
            if name == "seen":
                continue
            for t, epoch in enumerate(np.atleast_2d(array)):
                known = self.seen[t] if array.ndim == 2 else np.True_
                if name == "kl_step":
                    known = known & self.seen[t + 1] & ~np.isnan(epoch)
                bad = ~np.isfinite(epoch) & known
                if bad.any():
                    where = f" in epoch {t}. Mark rows that were not seen with `seen`." if array.ndim == 2 else "."
                    raise ValueError(f"{name} of row {int(bad.argmax())} is not finite{where}")
                if not known.all():
                    epoch[~known] = np.nan

    def __repr__(self):
        return f"TrainingDynamics(n_epochs={self.n_epochs}, n_samples={self.n_samples})"


def _npz(file):
    """Return a path that ends in ``.npz``."""
    file = Path(file)
    return file if file.suffix == ".npz" else file.with_name(file.name + ".npz")
