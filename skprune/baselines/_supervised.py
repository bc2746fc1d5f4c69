"""The upper bound: the same scores and selections, with all labels known."""

import numpy as np

from skprune._semi_prune import SemiPrune
from skprune._utils._labels import missing_mask


class SupervisedPruner(SemiPrune):
    """Prune with all labels known: any difficulty, any selection, no labeler.

    Parameters
    ----------
    ratio : float in (0, 1] or int, default=0.5
        The fraction KEPT, or a count of rows.
    proxy, difficulty, selection, n_epochs, schedule_epochs, n_repeats, record
        As in :class:`~skprune.SemiPrune`.
    image_shape, memory, checkpoint, device, random_state, n_jobs, verbose
        As in :class:`~skprune.SemiPrune`.

    Attributes
    ----------
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        Higher = harder; all other attributes are those of :class:`~skprune.SemiPrune`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.baselines import SupervisedPruner
    >>> X, y = load_iris(return_X_y=True)
    >>> SupervisedPruner(0.2, random_state=0).fit_transform(X, y).shape
    (30, 4)
    """

    def __init__(
        self,
        ratio=0.5,
        *,
        proxy=None,
        difficulty="dual",
        selection="beta",
        n_epochs=30,
        schedule_epochs=200,
        n_repeats=1,
        record="train",
        image_shape=None,
        memory=None,
        checkpoint=None,
        device="auto",
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.ratio = ratio
        self.proxy = proxy
        self.difficulty = difficulty
        self.selection = selection
        self.n_epochs = n_epochs
        self.schedule_epochs = schedule_epochs
        self.n_repeats = n_repeats
        self.record = record
        self.image_shape = image_shape
        self.memory = memory
        self.checkpoint = checkpoint
        self.device = device
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    labeler = "softmatch"  # what SemiPrune reads and never makes, since all labels are given
    goal = "annotate"
    include_labeled = estimate_accuracy = gate = False

    def fit(self, X, y):
        """Record the proxy, score and select.

        Parameters
        ----------
        X : array-like
            The pool.
        y : array-like of shape (n_samples,)
            Labels, none missing.

        Returns
        -------
        self
            The fitted pruner.

        Raises
        ------
        ValueError, TypeError
            A label is missing; and what :class:`~skprune.SemiPrune` refuses.
        """
        missing = missing_mask(y)
        if missing.any():
            raise ValueError(
                f"SupervisedPruner needs all labels, and {int(missing.sum())} are missing, first that of row "
                f"{int(np.flatnonzero(missing)[0])}. Use SemiPrune."
            )
        return super().fit(X, y)
