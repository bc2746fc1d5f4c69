"""ELFS: pseudo-labels by clustering, then training dynamics and a cutoff of the hardest rows."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skprune._pipeline._models import choose_models, prepare_models
from skprune._pipeline._refusals import check_parameters
from skprune._pipeline._selection import SelectionInputs, make_choice
from skprune._pipeline._settings import Settings
from skprune._pipeline._stage_cache import StageCache
from skprune._pipeline._stages import run_stages
from skprune._pipeline._trial import try_stages
from skprune._utils._adapters import class_keyed, tell_axes
from skprune._utils._docstrings import fill_docstring
from skprune.baselines._base import LabelFreePruner, cluster, count_clusters, embed
from skprune.baselines._docstrings import BASELINE_TEXTS
from skprune.nets._features import features_warning
from skprune.selection import Cutoff


@dataclass(frozen=True)
class ClusterDynamics:
    """The trace of an ELFSPruner: the clusters, and what the proxy that was trained on them shows."""

    clusters: np.ndarray
    classes: np.ndarray
    repeats: list
    inputs: SelectionInputs
    features_warning: str | None


@fill_docstring(**BASELINE_TEXTS)
class ELFSPruner(LabelFreePruner):
    """Prune by training dynamics on clusters instead of labels (Zheng et al., ELFS, arXiv 2406.04273).

    The features are clustered, and the clusters serve as pseudo-labels. A proxy is trained on them; its training dynamics give
    the difficulties, and the hardest rows are cut off. The paper clusters the features of a large self-supervised network by
    TEMI; here they are clustered by k-means, in the features of `embedding`.

    Parameters
    ----------
    $ratio
    $n_clusters
        At least 2.
    $embedding
    selection : str or selector, default="auto"
        As in :class:`~skprune.SemiPrune`, except that "auto" is ``Cutoff("auto", min_per_class=0.5)``; the paper searches the
        fraction of the hardest rows to drop. The classes are the clusters, which count as certain: ``Beta(trust=...)`` has no
        effect.
    proxy : classifier, default=None
        As in :class:`~skprune.SemiPrune`.
    difficulty : str, callable or list, default="aum"
        As in :class:`~skprune.SemiPrune`.
    n_epochs, schedule_epochs, memory : object
        As in :class:`~skprune.SemiPrune`.
    $image_shape
    $missing_label
    $device
    $random_state
    n_jobs, verbose : object
        As in :class:`~skprune.SemiPrune`.

    Attributes
    ----------
    clusters_ : ndarray of shape (n_samples,), int
        The cluster of each row, on which the proxy was trained.
    dynamics_ : TrainingDynamics
        The recorded dynamics of the proxy.
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        Higher means harder.

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
        selection="auto",
        proxy=None,
        difficulty="aum",
        n_epochs=30,
        schedule_epochs=200,
        memory=None,
        image_shape=None,
        missing_label="auto",
        device=None,
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
        self.missing_label = missing_label
        self.device = device
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @property
    def clusters_(self):
        """The cluster of each row, on which the proxy was trained."""
        return self._trace.clusters

    @property
    def dynamics_(self):
        """The recorded dynamics of the proxy."""
        return self._trace.repeats[0]

    def select(self, ratio=None, selection=None, difficulty=None):
        """Choose again from the same fit, without any training.

        Parameters
        ----------
        ratio : float in (0, 1] or int, default=None
            The fraction of rows to KEEP, or their number; None takes the `ratio` of the pruner.
        selection : str or selector, default=None
            As the parameter of the pruner, which None takes.
        difficulty : str, callable or list, default=None
            As the parameter of the pruner, which None takes.

        Returns
        -------
        ndarray of shape (n_samples,), bool
            A new mask; the fitted attributes do not change.
        """
        check_is_fitted(self)
        changes = {"ratio": ratio, "selection": selection, "difficulty": difficulty}
        changes = {name: value for name, value in changes.items() if value is not None}
        return self._make_choice(self._trace, **changes).mask()

    def _settings(self, **changes):
        """Return the parameters that the stages read, with "auto" spelled out."""
        settings = replace(Settings.of(self), **changes)
        is_auto = isinstance(settings.selection, str) and settings.selection == "auto"
        return replace(settings, selection=Cutoff("auto", min_per_class=0.5)) if is_auto else settings

    def _inspect(self, rows, classes, rng):
        n_clusters = count_clusters(self.n_clusters, classes)
        if n_clusters < 2:
            raise ValueError("ELFSPruner needs n_clusters of at least 2, because a proxy cannot learn one class.")
        settings = self._settings()
        codes = np.arange(len(rows)) % n_clusters
        check_parameters(settings, codes, np.arange(n_clusters), is_image=False)
        _, proxy = choose_models(settings, all_labeled=True)  # refuses a proxy before an embedding is trained
        for name, weights in class_keyed(proxy).items():
            raise ValueError(
                f"{name}={weights!r} of the proxy names classes, and ELFSPruner trains it on clusters. Leave it out."
            )
        models = prepare_models(settings, np.random.RandomState(0), np.arange(n_clusters), all_labeled=True)
        tell_axes(models.proxy, rows)
        StageCache(settings, is_image=rows.ndim == 4)  # refuses places that are none
        try_stages(settings, models, rows, codes, np.arange(n_clusters))  # before an embedding is trained
        features = embed(self.embedding, rows, rng, self.device)
        clusters, _ = cluster(features, n_clusters, int(rng.randint(2**31 - 1)))
        found, codes = np.unique(clusters, return_inverse=True)
        if len(found) < 2:
            raise ValueError("ELFSPruner found a single cluster, and a proxy cannot learn one class.")
        seed = int(rng.randint(2**31 - 1))
        models = prepare_models(settings, np.random.RandomState(seed), found, all_labeled=True)
        tell_axes(models.proxy, rows)
        results = run_stages(settings, models, rows, codes, found)
        inputs = SelectionInputs(
            dynamics=results.dynamics,
            y=codes,
            labeled=np.ones(len(rows), dtype=bool),
            embedding=results.features,
            error_probability=np.zeros(len(rows)),
            random_state=models.selection_seed,
        )
        warning = features_warning(results.proxy, results.features)
        return ClusterDynamics(clusters, found, results.repeats, inputs, warning)

    def _choose(self, trace, ratio, seed):
        choice = self._make_choice(trace, ratio=ratio)
        return choice.scores, choice.mask()

    def _make_choice(self, trace, **changes):
        settings = self._settings(**changes)
        # "auto", which would depend on the kind of data, is spelled out above
        choice, _ = make_choice(
            settings,
            trace.classes,
            trace.repeats,
            trace.inputs,
            is_image=False,
            features_warning=trace.features_warning,
        )
        return choice
