"""ELFS: pseudo-labels by clustering, then training dynamics and the double-end cutoff."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skprune._pipeline._parameters import check_parameters
from skprune.baselines._base import LabelFreePruner, cluster, count_clusters, embed
from skprune.baselines._supervised import SupervisedPruner


class ELFSPruner(LabelFreePruner):
    """Prune by the training dynamics on clusters instead of labels (Zheng et al., ELFS, arXiv 2406.04273).

    The clusters of the features are pseudo-labels; a proxy is trained on them, and its dynamics give the difficulties, of which
    the hardest are cut off. The paper clusters the features of a large self-supervised network by TEMI; here it is k-means in
    the features of `embedding`.

    Parameters
    ----------
    ratio : float in (0, 1] or int, default=0.5
        The fraction KEPT, or a count of rows.
    n_clusters : int, default=None
        Clusters; None: the number of classes of y.
    embedding : transformer, default=None
        Makes the features; None: the rows themselves.
    selection : str or selector, default="cutoff"
        As in :class:`~skprune.SemiPrune`; the paper searches the fraction of the hardest rows that is dropped. Classes are the
        clusters, which count as certain: ``Beta(trust=...)`` changes nothing.
    proxy, difficulty, n_epochs, schedule_epochs, memory
        As in :class:`~skprune.SemiPrune`; the difficulty is "aum" by default.
    image_shape : tuple of (C, H, W), default=None
        The shape of each row when images are given as flat rows.
    device : str, default="auto"
        As in :class:`~skprune.SemiPrune`.
    random_state : int, RandomState or None, default=None
        Of everything that is drawn.
    n_jobs, verbose
        As in :class:`~skprune.SemiPrune`.

    Attributes
    ----------
    clusters_ : ndarray of shape (n_samples,), int
        The clusters, on which the proxy was trained.
    dynamics_ : TrainingDynamics
        What was recorded of it.
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        Higher = harder.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import SGDClassifier
    >>> from skprune.baselines import ELFSPruner
    >>> X, y = load_iris(return_X_y=True)
    >>> ELFSPruner(0.2, proxy=SGDClassifier(loss="log_loss"), random_state=0).fit_transform(X, y).shape
    (30, 4)
    """

    def __init__(
        self,
        ratio=0.5,
        *,
        n_clusters=None,
        embedding=None,
        selection="cutoff",
        proxy=None,
        difficulty="aum",
        n_epochs=30,
        schedule_epochs=200,
        memory=None,
        image_shape=None,
        device="auto",
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.ratio = ratio
        self.n_clusters = n_clusters
        self.embedding = embedding
        self.selection = selection
        self.proxy = proxy
        self.difficulty = difficulty
        self.n_epochs = n_epochs
        self.schedule_epochs = schedule_epochs
        self.memory = memory
        self.image_shape = image_shape
        self.device = device
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @property
    def clusters_(self):
        """The clusters, on which the proxy was trained."""
        return self._seen["clusters"]

    @property
    def dynamics_(self):
        """What was recorded of the proxy."""
        return self._seen["inner"].dynamics_

    def select(self, ratio=None, selection=None, difficulty=None):
        """Choose again from the same fit, without any training; parameters as in :meth:`SemiPrune.select`.

        Parameters
        ----------
        ratio : float in (0, 1] or int, default=None
            The fraction KEPT, or a count; None: that of the estimator.
        selection : str or selector, default=None
            None: that of the estimator.
        difficulty : str, callable or list, default=None
            None: that of the estimator.

        Returns
        -------
        ndarray of shape (n_samples,), bool
            A new mask; the fitted attributes stay as they are.
        """
        check_is_fitted(self)
        ratio = self.ratio if ratio is None else ratio
        return self._seen["inner"].select(ratio, self.selection if selection is None else selection, difficulty)

    def _look(self, pool, classes, rng):
        n_clusters = count_clusters(self.n_clusters, classes)
        if n_clusters < 2:
            raise ValueError("ELFSPruner needs n_clusters of at least 2: a proxy cannot learn one class.")
        names = (
            "proxy",
            "difficulty",
            "selection",
            "n_epochs",
            "schedule_epochs",
            "memory",
            "device",
            "n_jobs",
            "verbose",
        )
        inner = SupervisedPruner(self.ratio, random_state=0, **{name: getattr(self, name) for name in names})
        if self.memory is not None and self.random_state is None:
            raise ValueError("memory needs a random_state: without one, no run finds its results again.")
        check_parameters(inner, np.arange(len(pool)) % n_clusters, np.arange(n_clusters))
        features = embed(self.embedding, pool, rng, self.device)
        clusters, _ = cluster(features, n_clusters, int(rng.randint(2**31 - 1)))
        seed = int(rng.randint(2**31 - 1))
        inner.set_params(random_state=seed, ratio=1.0, selection="hardest")  # all rows: the choice is made by _choose
        return {"clusters": clusters, "inner": inner.fit(pool, clusters)}

    def _choose(self, seen, ratio, seed):
        inner = seen["inner"]
        return inner.difficulty_scores_, inner.select(ratio, self.selection)
