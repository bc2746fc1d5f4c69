"""TrainingDynamics: the arrays between recording and scores."""

from pathlib import Path

import numpy as np

from skprune._utils._files import whole_file
from skprune.dynamics._arrays import EPOCH_ARRAYS, LAST_ARRAYS
from skprune.dynamics._combine import average_arrays, concatenate_arrays
from skprune.dynamics._files import read_arrays, refused, with_suffix
from skprune.dynamics._outputs import arrays_from_outputs


def dynamics_from(arrays):
    """Return dynamics that take over recorded arrays, by name, without a copy where they can be written to."""
    writable = {name: a if a is None or a.flags.writeable else a.copy() for name, a in arrays.items()}
    return TrainingDynamics._from_arrays(writable)


def dynamics_of_rows(dynamics, rows):
    """Return the dynamics of some rows."""
    return TrainingDynamics(**{name: array[..., rows] for name, array in dynamics._recorded().items()})


class TrainingDynamics:
    r"""The outputs of a classifier during training, reduced to a few numbers per epoch and row.

    In the equations, :math:`p_t` are the class probabilities of a row in epoch t, and y is its given or pseudo-label.

    Memory: :math:`13\,T n` bytes for T epochs of n rows, three float32 arrays and a mask, whatever the number of classes, and
    :math:`4\,T n` bytes more for each optional array. Recorded dynamics hold `kl_step` unless
    :class:`Recording` leaves it out, and those of nets usually `logit_margin` and `grad_norm`: 25 bytes per epoch and row.

    Parameters
    ----------
    target_proba : array-like of shape (n_epochs, n_samples)
        The probability of the label, :math:`p_{t,y}`.
    target_margin : array-like of shape (n_epochs, n_samples)
        :math:`p_{t,y} - \max_{c \ne y} p_{t,c}`, above 0 where the row is predicted correctly.
    error : array-like of shape (n_epochs, n_samples)
        :math:`\lVert p_t - \mathrm{onehot}(y) \rVert_2`, EL2N of a single epoch (arXiv 2107.07075).
    entropy : array-like of shape (n_samples,)
        The entropy :math:`-\sum_c p_{t,c} \log p_{t,c}` in nats, in the last epoch in which the row was seen.
    top_margin : array-like of shape (n_samples,)
        The largest minus the second largest probability, in the last epoch in which the row was seen.
    kl_step : array-like of shape (n_epochs - 1, n_samples), default=None
        :math:`\sum_c \lvert p_{t+1,c} (\log p_{t+1,c} - \log p_{t,c}) \rvert`, with 1e-8 added to probabilities within the
        logarithms, for TDDS (arXiv 2311.13613); NaN where it is not known.
    logit_margin : array-like of shape (n_epochs, n_samples), default=None
        Like `target_margin`, but of the logits, for AUM on logits (arXiv 2001.10528).
    grad_norm : array-like of shape (n_epochs, n_samples), default=None
        The norm of the gradient of the cross entropy with respect to the last layer, for GraNd (arXiv 2107.07075).
    seen : array-like of shape (n_epochs, n_samples), bool, default=None
        False where a row was not seen in an epoch; values there are ignored. None means every row in every epoch.

    Attributes
    ----------
    n_epochs, n_samples : int
        The number of recorded epochs and of rows.
    correct : ndarray of shape (n_epochs, n_samples), bool
        Where the row is predicted correctly; False where it was not seen.

    Raises
    ------
    ValueError
        Shapes differ, a row is never seen, or a value of a row that was seen is not finite (the message names the row).

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.dynamics import TrainingDynamics
    >>> proba = np.array([[[0.5, 0.5], [0.25, 0.75]], [[1.0, 0.0], [0.5, 0.5]]])
    >>> dynamics = TrainingDynamics.from_proba(proba, [0, 0])
    >>> dynamics
    TrainingDynamics(n_epochs=2, n_samples=2)
    >>> dynamics.target_proba.tolist()
    [[0.5, 0.25], [1.0, 0.5]]
    """

    def __init__(
        self,
        target_proba,
        *,
        target_margin,
        error,
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
    def _from_arrays(cls, arrays):
        """Take over arrays of the right types without a copy."""
        dynamics = cls.__new__(cls)
        dynamics._set(arrays)
        return dynamics

    def _set(self, arrays):
        for name in (*EPOCH_ARRAYS, *LAST_ARRAYS):
            setattr(self, name, arrays[name])
        self._check_shapes()
        self._check_rows()

    def _recorded(self):
        """Return the arrays that were recorded, by name."""
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
        """Where the row is predicted correctly, of shape (n_epochs, n_samples); False where it was not seen."""
        return self.target_margin > 0

    @classmethod
    def from_proba(cls, proba, y, *, seen=None, kl=False, memmap_folder=None):
        """Build dynamics from recorded probabilities.

        Parameters
        ----------
        proba : array-like of shape (n_epochs, n_samples, n_classes), or sequence or iterator of (n_samples, n_classes)
            Class probabilities of each epoch, read one epoch at a time. What rounding has taken below 0 counts as 0.
        y : array-like of shape (n_samples,), int
            Class indices 0..n_classes-1.
        seen : array-like of shape (n_epochs, n_samples), bool, default=None
            False where a row was not seen. None means every row in every epoch.
        kl : bool, default=False
            Whether to keep ``kl_step``, for TDDS.
        memmap_folder : path-like, default=None
            A new folder for memory-mapped arrays, one ``.npy`` file each; None keeps them in memory. Iterators of unknown
            length are refused. To keep dynamics beyond the process, use :meth:`save`.

        Returns
        -------
        TrainingDynamics
            The reduced dynamics.

        Raises
        ------
        ValueError
            Shapes or lengths do not fit, `y` holds no class indices, or the outputs of a row that was seen are not finite,
            masked, clearly below 0, or do not sum to 1 (the message names row and epoch).

        Examples
        --------
        >>> import numpy as np
        >>> from skprune.dynamics import TrainingDynamics
        >>> TrainingDynamics.from_proba(np.full((3, 4, 2), 0.5), [0, 1, 0, 1]).n_epochs
        3
        """
        arrays = arrays_from_outputs(proba, y, logits=False, seen=seen, kl=kl, memmap_folder=memmap_folder)
        return cls._from_arrays(arrays)

    @classmethod
    def from_logits(cls, logits, y, *, seen=None, kl=False, memmap_folder=None):
        """Build dynamics from recorded logits.

        Parameters
        ----------
        logits : array-like of shape (n_epochs, n_samples, n_classes), or sequence or iterator of (n_samples, n_classes)
            Logits of each epoch, read one epoch at a time.
        y : array-like of shape (n_samples,), int
            Class indices 0..n_classes-1.
        seen : array-like of shape (n_epochs, n_samples), bool, default=None
            False where a row was not seen. None means every row in every epoch.
        kl : bool, default=False
            Whether to keep ``kl_step``, for TDDS.
        memmap_folder : path-like, default=None
            As in :meth:`from_proba`.

        Returns
        -------
        TrainingDynamics
            The reduced dynamics, with ``logit_margin``.

        Raises
        ------
        ValueError
            As in :meth:`from_proba`.

        Examples
        --------
        >>> import numpy as np
        >>> from skprune.dynamics import TrainingDynamics
        >>> TrainingDynamics.from_logits(np.zeros((3, 4, 2)), [0, 1, 0, 1]).n_samples
        4
        """
        arrays = arrays_from_outputs(logits, y, logits=True, seen=seen, kl=kl, memmap_folder=memmap_folder)
        return cls._from_arrays(arrays)

    @classmethod
    def concatenate(cls, parts):
        """Concatenate the rows of several dynamics, such as those of the parts of a pool.

        Parameters
        ----------
        parts : sequence of TrainingDynamics
            Dynamics with the same number of epochs.

        Returns
        -------
        TrainingDynamics
            All rows, in memory.

        Raises
        ------
        ValueError
            There are no parts, their numbers of epochs differ, or only some of them hold an optional array.

        Examples
        --------
        >>> import numpy as np
        >>> from skprune.dynamics import TrainingDynamics
        >>> part = TrainingDynamics.from_proba(np.full((3, 4, 2), 0.5), [0, 1, 0, 1])
        >>> TrainingDynamics.concatenate([part, part])
        TrainingDynamics(n_epochs=3, n_samples=8)
        """
        return cls(**concatenate_arrays([part._recorded() for part in parts]))

    @classmethod
    def average(cls, parts):
        """Average the dynamics of several proxies on the same rows.

        Parameters
        ----------
        parts : sequence of TrainingDynamics
            Dynamics of the same shape.

        Returns
        -------
        TrainingDynamics
            Means over the parts that saw a row, with the optional arrays that all parts hold.

        Raises
        ------
        ValueError
            There are no parts, or their shapes differ.

        Examples
        --------
        >>> import numpy as np
        >>> from skprune.dynamics import TrainingDynamics
        >>> low, high = (TrainingDynamics.from_proba(np.full((1, 1, 2), [p, 1 - p]), [0]) for p in (0.5, 1.0))
        >>> TrainingDynamics.average([low, high]).target_proba
        array([[0.75]], dtype=float32)
        """
        averages = average_arrays([part._recorded() for part in parts])
        return cls._from_arrays(dict.fromkeys((*EPOCH_ARRAYS, *LAST_ARRAYS)) | averages)

    def save(self, file):
        """Write the arrays to a ``.npz`` file, whole or not at all, without pickles.

        Parameters
        ----------
        file : path-like
            The file; ``.npz`` is appended if it is missing.

        See Also
        --------
        load : Read the file.
        """
        with whole_file(with_suffix(file)) as unfinished, open(unfinished, "wb") as stream:
            np.savez(stream, **self._recorded())

    @classmethod
    def load(cls, file):
        """Read dynamics from a file written by :meth:`save`; nothing in the file is executed.

        Parameters
        ----------
        file : path-like
            The file; ``.npz`` may be left out.

        Returns
        -------
        TrainingDynamics
            The same arrays.

        Raises
        ------
        ValueError
            The file holds something else, or it is truncated or damaged.
        OSError
            The file does not exist or cannot be opened.

        Examples
        --------
        >>> import tempfile
        >>> import numpy as np
        >>> from skprune.dynamics import TrainingDynamics
        >>> dynamics = TrainingDynamics.from_proba(np.full((3, 4, 2), 0.5), [0, 1, 0, 1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     dynamics.save(f"{folder}/dynamics.npz")
        ...     loaded = TrainingDynamics.load(f"{folder}/dynamics.npz")
        >>> loaded
        TrainingDynamics(n_epochs=3, n_samples=4)
        """
        file = file if Path(file).exists() else with_suffix(file)
        arrays = read_arrays(file)
        try:
            return cls(**arrays)
        except (TypeError, ValueError) as error:
            raise refused(file, error) from error

    def to_frame(self):
        """Return the dynamics as a pandas DataFrame with one row per sample.

        Returns
        -------
        pandas.DataFrame
            Columns ``target_proba_0``, ``target_proba_1``, ... for each array and epoch, and ``entropy``, ``top_margin``.

        Examples
        --------
        >>> import numpy as np
        >>> from skprune.dynamics import TrainingDynamics
        >>> dynamics = TrainingDynamics.from_proba(np.full((2, 3, 2), 0.5), [0, 1, 0])
        >>> list(dynamics.to_frame())[:4]
        ['target_proba_0', 'target_proba_1', 'target_margin_0', 'target_margin_1']
        """
        import pandas as pd

        columns = {}
        for name, array in self._recorded().items():
            columns |= {name: array} if array.ndim == 1 else {f"{name}_{t}": epoch for t, epoch in enumerate(array)}
        return pd.DataFrame(columns)

    def _check_shapes(self):
        if self.target_proba.ndim != 2 or 0 in self.target_proba.shape:
            raise ValueError(f"target_proba must be of shape (n_epochs, n_samples), got {self.target_proba.shape}.")
        n_epochs, n_samples = self.target_proba.shape
        shapes = dict.fromkeys(EPOCH_ARRAYS, (n_epochs, n_samples)) | dict.fromkeys(LAST_ARRAYS, (n_samples,))
        for name, shape in (shapes | {"kl_step": (n_epochs - 1, n_samples)}).items():
            array = getattr(self, name)
            if array is not None and array.shape != shape:
                raise ValueError(f"{name} must be of shape {shape} to fit target_proba, got {array.shape}.")

    def _check_rows(self):
        """Refuse seen values that are not finite, one epoch at a time, and mask values that were not seen."""
        never = ~self.seen.any(axis=0)
        if never.any():
            raise ValueError(f"Row {int(never.argmax())} is not seen in any epoch ({int(never.sum())} such rows).")
        for name, array in self._recorded().items():
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
