"""The upper bound: the same scores and selections, with all labels known."""

from skprune._semi_prune import SemiPrune
from skprune._utils._docstrings import fill_docstring
from skprune._utils._labels import minus_one_hint, missing_mask
from skprune._utils._pool import check_equal_length


@fill_docstring()
class SupervisedPruner(SemiPrune):
    """Prune with all labels known, by any difficulty and any selection.

    It is :class:`~skprune.SemiPrune` without a labeler, and the upper bound of what pruning with few labels can reach.

    Parameters
    ----------
    $ratio
    proxy, difficulty, selection, duplicates, n_epochs, schedule_epochs, n_repeats, record : object
        As in :class:`~skprune.SemiPrune`.
    $image_shape
    $missing_label
    $image_size
    memory, checkpoint, checkpoint_every, on_divergence, time_limit : object
        As in :class:`~skprune.SemiPrune`.
    $device
    $random_state
    n_jobs, verbose : object
        As in :class:`~skprune.SemiPrune`.

    Attributes
    ----------
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        Higher means harder. All other attributes are those of :class:`~skprune.SemiPrune`.

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
        selection="auto",
        duplicates="propose_one",
        n_epochs=30,
        schedule_epochs=200,
        n_repeats=1,
        record="train",
        image_shape=None,
        missing_label="auto",
        image_size="auto",
        memory=None,
        checkpoint=None,
        checkpoint_every=60.0,
        on_divergence="raise",
        time_limit=None,
        device=None,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.ratio = ratio
        self.proxy = proxy
        self.difficulty = difficulty
        self.selection = selection
        self.duplicates = duplicates
        self.n_epochs = n_epochs
        self.schedule_epochs = schedule_epochs
        self.n_repeats = n_repeats
        self.record = record
        self.image_shape = image_shape
        self.missing_label = missing_label
        self.image_size = image_size
        self.memory = memory
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every
        self.on_divergence = on_divergence
        self.time_limit = time_limit
        self.device = device
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X, y):
        """Record the proxy, score the rows, and select the coreset.

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
            A label is missing, or :class:`~skprune.SemiPrune` would refuse the input or a parameter.
        """
        if y is not None:
            check_equal_length(X, y)
        missing = missing_mask(y, self.missing_label)
        if missing.any():
            raise ValueError(
                f"SupervisedPruner needs all labels, and {int(missing.sum())} are missing, the first in row "
                f"{int(missing.argmax())}. Use SemiPrune.{minus_one_hint(y, self.missing_label, missing)}"
            )
        return super().fit(X, y)
