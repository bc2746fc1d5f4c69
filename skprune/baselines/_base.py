"""What the baselines share: optional labels, features, clusters, and a trace from which they choose at any ratio."""

from abc import abstractmethod
from dataclasses import dataclass, field

import numpy as np
from sklearn.cluster import KMeans
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skprune._base import BasePruner, LabeledPool
from skprune._pipeline._models import prepare
from skprune._utils._adapters import as_input, tell_axes
from skprune._utils._columns import check_column_names
from skprune._utils._given_rows import GivenRows
from skprune._utils._labels import MISSING, encode_any_labels
from skprune._utils._parameter_checks import check_count
from skprune._utils._pool import check_equal_length, flat
from skprune._utils._saving import need_rows
from skprune._utils._seeds import random_state_of
from skprune.selection import BaseSelector, Mixture, get_selector, kept_count
from skprune.selection._base import needed_inputs


class ReselectingPruner(BasePruner):
    """A pruner whose ``fit`` keeps a trace, from which any ratio is chosen without another fit."""

    def select(self, ratio=None):
        """Choose again from the same fit.

        Parameters
        ----------
        ratio : float in (0, 1] or int, default=None
            The fraction of rows to KEEP, or their number; None takes the `ratio` of the pruner.

        Returns
        -------
        ndarray of shape (n_samples,), bool
            A new mask; the fitted attributes do not change.
        """
        check_is_fitted(self)
        trace = need_rows(self._trace, self)
        return self._choose(trace, self.ratio if ratio is None else ratio, self._selection_seed)[1]

    @abstractmethod
    def _choose(self, trace, ratio, seed):
        """Return the scores, and the mask of the rows that a ratio keeps."""


class LabelFreePruner(ReselectingPruner):
    """A pruner that chooses without labels."""

    def fit(self, X, y=None):
        """Inspect the pool, and choose the rows to keep.

        Parameters
        ----------
        X : array-like
            The pool, as for :class:`~skprune.SemiPrune`.
        y : array-like of shape (n_samples,), default=None
            Labels, all, some or none of them missing. They do not influence which rows are kept, apart from the number of
            classes where `n_clusters` is None.

        Returns
        -------
        self
            The fitted pruner.

        Raises
        ------
        ValueError, TypeError
            The input or a parameter is invalid.
        """
        check_column_names(X)
        pool = read_pool(self._read_rows(X), y, self.missing_label)
        kept_count(self.ratio, len(pool.rows))
        rng = random_state_of(self.random_state)
        trace = self._inspect(pool.rows, pool.classes, rng)
        seed = int(rng.randint(2**31 - 1))
        scores, mask = self._choose(trace, self.ratio, seed)
        self.classes_ = pool.classes
        self.pseudo_labels_ = given_labels(pool)
        self.difficulty_scores_ = scores
        self._trace, self._selection_seed = trace, seed
        self._keep_mask(X, pool.rows, pool.labeled, mask)
        return self

    @abstractmethod
    def _inspect(self, rows, classes, rng):
        """Return the trace from which ``_choose`` chooses; of the labels, the classes alone are known."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        return tags


@dataclass(frozen=True)
class ScoredRows:
    """The trace of a :class:`ScoredPruner`; the groups are those that ``class_balanced`` balances, or None."""

    scores: np.ndarray
    groups: np.ndarray | None
    features: np.ndarray


class ScoredPruner(LabelFreePruner):
    """A pruner that scores each row and lets a selector choose; a subclass defines ``_score``."""

    _has_groups = False

    def select(self, ratio=None, selection=None):
        """Choose again from the same fit.

        Parameters
        ----------
        ratio : float in (0, 1] or int, default=None
            The fraction of rows to KEEP, or their number; None takes the `ratio` of the pruner.
        selection : str or selector, default=None
            How rows are chosen by their scores; None takes the `selection` of the pruner.

        Returns
        -------
        ndarray of shape (n_samples,), bool
            A new mask; the fitted attributes do not change.
        """
        check_is_fitted(self)
        trace, ratio = need_rows(self._trace, self), self.ratio if ratio is None else ratio
        return self._select(trace, ratio, self.selection if selection is None else selection, self._selection_seed)

    def __saved_state__(self, rows):
        """Return the attributes that a file keeps; the trace holds features of all rows."""
        return super().__saved_state__(rows) | ({} if rows else {"_trace": None})

    def _inspect(self, rows, classes, rng):
        self._check_selector(get_selector(self.selection), self.ratio, len(rows))
        self._check(classes)
        features = embed(self.embedding, rows, rng)
        scores, groups = self._score(features, classes, int(rng.randint(2**31 - 1)))
        return ScoredRows(scores, groups, features)

    def _choose(self, trace, ratio, seed):
        return trace.scores, self._select(trace, ratio, self.selection, seed)

    def _select(self, trace, ratio, selection, seed):
        selector = get_selector(selection)
        self._check_selector(selector, ratio, len(trace.scores))
        return selector.select(trace.scores, ratio, y=trace.groups, embedding=trace.features, random_state=seed)

    def _check_selector(self, selector, ratio, n_samples):
        """Refuse a selector that cannot work, before an embedding is trained."""
        if isinstance(selector, (BaseSelector, Mixture)):
            selector.check(kept_count(ratio, n_samples), n_samples)
        provided = ("embedding", "random_state", *(("y",) if self._has_groups else ()))
        lacking = [name for name in needed_inputs(selector) if name not in provided]
        if lacking:
            raise ValueError(
                f"selection={selector!r} needs {lacking[0]}, which {type(self).__name__} does not provide. Use another selection."
            )

    def _check(self, classes):
        """Refuse invalid parameters before anything is computed."""

    @abstractmethod
    def _score(self, features, classes, seed):
        """Return the scores, and the group of each row or None."""


@dataclass
class Picks:
    """The trace of a :class:`GreedyPruner`: what it picks by, and the order of the picks, longer once a ratio asks for more."""

    places: np.ndarray
    inputs: object
    order: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


class GreedyPruner(LabelFreePruner):
    """A pruner that picks row after row, so that coresets of all ratios are nested; a subclass defines ``_pick``."""

    def __saved_state__(self, rows):
        """Return the attributes that a file keeps; the trace holds features of all rows."""
        return super().__saved_state__(rows) | ({} if rows else {"_trace": None})

    def _inspect(self, rows, classes, rng):
        self._check(classes)
        features = embed(self.embedding, rows, rng)
        features = features - features.mean(axis=0)  # distances stay, and large offsets cost no digits
        places = rng.permutation(len(rows))  # equal rows are picked by chance
        return Picks(places, self._prepare(features[places], classes, int(rng.randint(2**31 - 1))))

    def _choose(self, trace, ratio, seed):
        n_samples = len(trace.places)
        k = kept_count(ratio, n_samples)
        if len(trace.order) < k:
            trace.order = trace.places[self._pick(trace.inputs, k, np.random.default_rng(seed))]
        picked = trace.order[:k]
        scores, mask = np.zeros(n_samples), np.zeros(n_samples, dtype=bool)
        scores[picked] = np.arange(k, 0, -1)
        mask[picked] = True
        return scores, mask

    def _check(self, classes):
        """Refuse invalid parameters before anything is computed."""

    def _prepare(self, features, classes, seed):
        """Return what ``_pick`` reads: the features, where a subclass does not say otherwise."""
        return features

    @abstractmethod
    def _pick(self, inputs, k, rng):
        """Return k positions in the order in which they are picked."""


def read_pool(rows, y, missing_label):
    """Read what ``fit`` of a label-free pruner gets: any labels may be missing, and y itself may be None."""
    codes, classes = np.full(len(rows), MISSING, dtype=np.int64), np.array([])
    if y is not None:
        check_equal_length(rows, y)
        codes, classes = encode_any_labels(y, missing_label)
    return LabeledPool(rows, codes, classes)


def given_labels(pool):
    """Return the given labels, None elsewhere."""
    if pool.labeled.all():
        return pool.classes[pool.codes]
    labels = np.full(len(pool.codes), None, dtype=object)
    labels[pool.labeled] = pool.classes[pool.codes[pool.labeled]]
    return labels


def embed(embedding, rows, rng, device=None):
    """Return the features of rows."""
    if embedding is None:
        rows = rows.as_array("embedding=None") if isinstance(rows, GivenRows) else flat(rows)
        return rows.astype(np.float64)
    in_two_steps = hasattr(embedding, "fit") and hasattr(embedding, "transform")
    if isinstance(embedding, type) or not (in_two_steps or hasattr(embedding, "fit_transform")):
        raise TypeError(f"embedding must be a transformer with fit and transform, or None, got {embedding!r}.")
    transformer = prepare(embedding, rng=rng, device=device, n_jobs=None)
    tell_axes(transformer, rows)
    reads_images = get_tags(transformer).input_tags.three_d_array and rows.ndim == 4
    X = rows if reads_images else as_input(transformer, rows)
    in_one_step = hasattr(transformer, "fit_transform")
    features = transformer.fit_transform(X) if in_one_step else transformer.fit(X, None).transform(X)
    features = features.toarray() if hasattr(features, "toarray") else features
    features = np.asarray(features, dtype=np.float64)
    if features.ndim != 2 or len(features) != len(rows) or not np.isfinite(features).all():
        raise ValueError(
            f"The embedding {type(embedding).__name__} must give {len(rows)} rows of finite numbers, got an array of shape "
            f"{features.shape}{'' if np.isfinite(features).all() else ' with values that are not finite'}."
        )
    return features


def count_clusters(n_clusters, classes):
    """Return the number of clusters."""
    check_count("n_clusters", n_clusters, optional=True)
    if n_clusters is not None:
        return int(n_clusters)
    if len(classes) < 2:
        raise ValueError(
            "n_clusters=None takes the number of classes in y, and y names fewer than two. Set n_clusters."
        )
    return len(classes)


def cluster(features, n_clusters, seed):
    """Divide rows by k-means; return the cluster of each row, and its distance to the center."""
    if n_clusters > len(features):
        raise ValueError(f"n_clusters={n_clusters} is above the {len(features)} rows.")
    means = KMeans(n_clusters, random_state=seed).fit(features)
    return means.labels_.astype(np.int64), np.linalg.norm(features - means.cluster_centers_[means.labels_], axis=1)
