"""TrainingDynamics: the arrays between the recording and the scores."""

import numpy as np

from skprune.dynamics._reduce import probabilities, reduce_outputs


class TrainingDynamics:
    """What a classifier's outputs did during training, reduced to a few numbers for each epoch and row.

    Memory: ``13 * n_epochs * n_samples`` bytes (three float32 arrays and a mask; 17 with `kl_step`), whatever the
    number of classes.

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
        ``sum_c |p_{t+1} (log p_{t+1} - log p_t)|``, for TDDS (arXiv 2311.13613).
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

    def __init__(self, target_proba, target_margin, error, *, entropy, top_margin, kl_step=None, seen=None):
        self.target_proba = np.array(target_proba, dtype=np.float32)
        if self.target_proba.ndim != 2 or 0 in self.target_proba.shape:
            raise ValueError(f"target_proba must be of shape (n_epochs, n_samples), got {self.target_proba.shape}.")
        self.target_margin = np.array(target_margin, dtype=np.float32)
        self.error = np.array(error, dtype=np.float32)
        self.entropy = np.array(entropy, dtype=np.float32)
        self.top_margin = np.array(top_margin, dtype=np.float32)
        self.kl_step = None if kl_step is None else np.array(kl_step, dtype=np.float32)
        shape = self.target_proba.shape
        self.seen = np.ones(shape, dtype=bool) if seen is None else np.array(seen, dtype=bool)
        self._check_shapes()
        self._check_rows()

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
    def from_proba(cls, proba, y, *, seen=None, kl=False):
        """Build from recorded probabilities.

        Parameters
        ----------
        proba : array-like of shape (n_epochs, n_samples, n_classes), or iterable of (n_samples, n_classes)
            Class probabilities of each epoch.
        y : array-like of shape (n_samples,), int
            Class indices 0..n_classes-1.
        seen : array-like of shape (n_epochs, n_samples), bool, default=None
            False where a row was not seen.
        kl : bool, default=False
            Whether to keep ``kl_step``, for TDDS.

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
        return cls._from_outputs(proba, y, logits=False, seen=seen, kl=kl)

    @classmethod
    def from_logits(cls, logits, y, *, seen=None, kl=False):
        """Build from recorded logits; parameters as in :meth:`from_proba`.

        Parameters
        ----------
        logits : array-like of shape (n_epochs, n_samples, n_classes), or iterable of (n_samples, n_classes)
            Logits of each epoch.
        y : array-like of shape (n_samples,), int
            Class indices 0..n_classes-1.
        seen : array-like of shape (n_epochs, n_samples), bool, default=None
            False where a row was not seen.
        kl : bool, default=False
            Whether to keep ``kl_step``, for TDDS.

        Returns
        -------
        TrainingDynamics
            The reduced dynamics.

        Examples
        --------
        >>> import numpy as np
        >>> TrainingDynamics.from_logits(np.zeros((3, 4, 2)), [0, 1, 0, 1]).n_samples
        4
        """
        return cls._from_outputs(logits, y, logits=True, seen=seen, kl=kl)

    @classmethod
    def _from_outputs(cls, outputs, y, *, logits, seen, kl):
        y = np.asarray(y)
        builder = DynamicsBuilder(len(y), kl=kl)
        for t, epoch in enumerate(outputs):
            epoch = np.asarray(epoch)
            if epoch.ndim != 2 or epoch.shape[0] != len(y) or epoch.shape[1] < 2:
                raise ValueError(
                    f"Epoch {t} must be of shape (n_samples, n_classes) = ({len(y)}, at least 2), got {epoch.shape}."
                )
            if y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= epoch.shape[1]:
                raise ValueError(f"y must hold class indices 0..{epoch.shape[1] - 1}.")
            rows = np.arange(len(y)) if seen is None else np.flatnonzero(np.asarray(seen)[t])
            bad = ~np.isfinite(epoch[rows]).all(axis=1)
            if bad.any():
                raise ValueError(
                    f"Row {int(rows[bad.argmax()])} is not finite in epoch {t}. Mark rows that were not seen with `seen`."
                )
            builder.start_epoch()
            builder.add(rows, epoch[rows], y[rows], logits=logits)
        return builder.build()

    def _check_shapes(self):
        epochs, n = self.target_proba.shape
        wanted = {
            "target_margin": (epochs, n),
            "error": (epochs, n),
            "seen": (epochs, n),
            "entropy": (n,),
            "top_margin": (n,),
            "kl_step": (epochs - 1, n),
        }
        for name, shape in wanted.items():
            array = getattr(self, name)
            if array is not None and array.shape != shape:
                raise ValueError(f"{name} must be of shape {shape} to fit target_proba, got {array.shape}.")

    def _check_rows(self):
        never = ~self.seen.any(axis=0)
        if never.any():
            raise ValueError(f"Row {int(never.argmax())} is not seen in any epoch ({int(never.sum())} such rows).")
        for name in ("target_proba", "target_margin", "error"):
            array = getattr(self, name)
            bad = ~np.isfinite(array) & self.seen
            if bad.any():
                epoch, row = (int(i) for i in np.argwhere(bad)[0])
                raise ValueError(
                    f"{name} of row {row} is not finite in epoch {epoch}. Mark rows that were not seen with `seen`."
                )
            array[~self.seen] = np.nan
        for name in ("entropy", "top_margin"):
            bad = ~np.isfinite(getattr(self, name))
            if bad.any():
                raise ValueError(f"{name} of row {int(bad.argmax())} is not finite.")
        if self.kl_step is not None:
            both = self.seen[1:] & self.seen[:-1]
            bad = ~np.isfinite(self.kl_step) & both
            if bad.any():
                raise ValueError(f"kl_step of row {int(np.argwhere(bad)[0][1])} is not finite.")
            self.kl_step[~both] = np.nan

    def __repr__(self):
        return f"TrainingDynamics(n_epochs={self.n_epochs}, n_samples={self.n_samples})"


class DynamicsBuilder:
    """Collect the dynamics a batch at a time: the same for a recorder and for recorded arrays.

    Parameters
    ----------
    n_samples : int
        The number of rows.
    kl : bool, default=False
        Whether to keep ``kl_step``; needs two (n_samples, n_classes) buffers besides.

    Examples
    --------
    >>> import numpy as np
    >>> builder = DynamicsBuilder(2)
    >>> builder.start_epoch()
    >>> builder.add(np.array([1, 0]), np.zeros((2, 3)), np.array([0, 2]), logits=True)
    >>> builder.build()
    TrainingDynamics(n_epochs=1, n_samples=2)
    """

    def __init__(self, n_samples, *, kl=False):
        self.n_samples = n_samples
        self.kl = kl
        self._epochs = {"target_proba": [], "target_margin": [], "error": [], "seen": []}
        self._kl_steps = []
        self._last = {"entropy": np.full(n_samples, np.nan, np.float32)}
        self._last["top_margin"] = self._last["entropy"].copy()
        self._before = None
        self._now = None

    def start_epoch(self):
        """Open the arrays of the next epoch."""
        for name, epochs in self._epochs.items():
            empty = np.zeros(self.n_samples, bool) if name == "seen" else np.full(self.n_samples, np.nan, np.float32)
            epochs.append(empty)
        if self.kl:
            self._before, self._now = self._now, None
            if len(self._epochs["seen"]) > 1:
                self._kl_steps.append(np.full(self.n_samples, np.nan, np.float32))

    def add(self, rows, outputs, y, *, logits):
        """Reduce the outputs of some rows. A row that comes twice in an epoch keeps its last outputs.

        Parameters
        ----------
        rows : ndarray of shape (n_rows,), int
            Which rows.
        outputs : ndarray of shape (n_rows, n_classes)
            Their logits or probabilities.
        y : ndarray of shape (n_rows,), int
            Their class indices.
        logits : bool
            Whether `outputs` are logits.
        """
        if (y < 0).any():
            raise ValueError("Dynamics need the label of every row, and some are -1: record a supervised classifier.")
        if self.kl:
            if self._now is None:
                self._now = np.full((self.n_samples, outputs.shape[1]), np.nan, np.float32)
            self._now[rows] = probabilities(outputs, logits=logits)
        before = None if self._before is None else self._before[rows]
        reduced = reduce_outputs(outputs, y, logits=logits, before=before)
        for name in ("target_proba", "target_margin", "error"):
            self._epochs[name][-1][rows] = reduced[name]
        self._epochs["seen"][-1][rows] = True
        for name, last in self._last.items():
            last[rows] = reduced[name]
        if before is not None:
            self._kl_steps[-1][rows] = reduced["kl_step"]

    def build(self):
        """Return the dynamics of all epochs so far.

        Returns
        -------
        TrainingDynamics
            Checked, with unseen rows masked.
        """
        epochs = {name: np.stack(arrays) for name, arrays in self._epochs.items()}
        kl_step = np.stack(self._kl_steps) if self.kl and self._kl_steps else None
        return TrainingDynamics(**epochs, **self._last, kl_step=kl_step)
