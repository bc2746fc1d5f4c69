"""What the baselines share: the pool in features, the labels that are given, a choice at any ratio."""

from abc import abstractmethod

import numpy as np
from sklearn.cluster import KMeans
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.validation import _get_feature_names, check_is_fitted

from skprune._base import BasePruner
from skprune._pipeline._models import prepare
from skprune._utils._labels import labels_at, missing_mask
from skprune._utils._validation import as_pool, check_equal_length, flat
from skprune.selection import BaseSelector, get_selector, kept_count


class ReselectingPruner(BasePruner):
    """A pruner whose ``fit`` keeps what it has seen in ``_seen``, so that another ratio needs no other fit."""

    def select(self, ratio=None):
        """Choose again from the same fit.

        Parameters
        ----------
        ratio : float in (0, 1] or int, default=None
            The fraction KEPT, or a count; None: that of the estimator.

        Returns
        -------
        ndarray of shape (n_samples,), bool
            A new mask; the fitted attributes stay as they are.
        """
        check_is_fitted(self)
        return self._choose(self._seen, self.ratio if ratio is None else ratio, self._selection_seed)[1]

    @abstractmethod
    def _choose(self, seen, ratio, seed):
        """Return the scores, and the mask of the rows that a ratio keeps."""


class LabelFreePruner(ReselectingPruner):
    """Base of the pruners that read no label."""

    def fit(self, X, y=None):
        """Look at the pool, and choose.

        Parameters
        ----------
        X : array-like
            The pool, as for :class:`~skprune.SemiPrune`.
        y : array-like of shape (n_samples,), default=None
            Labels, some missing; None: none is given.

        Returns
        -------
        self
            The fitted pruner.

        Raises
        ------
        ValueError, TypeError
            Bad input or a bad parameter.
        """
        pool = as_pool(X, self.image_shape, estimator=self)
        given = np.zeros(len(pool), dtype=bool)
        if y is not None:
            check_equal_length(pool, y)
            given = ~missing_mask(y)
        labels = labels_at(y, np.flatnonzero(given)) if given.any() else np.array([])
        _get_feature_names(X)
        kept_count(self.ratio, len(pool))
        rng = check_random_state(self.random_state)
        seen = self._look(pool, np.unique(labels), rng)
        seed = int(rng.randint(2**31 - 1))
        scores, mask = self._choose(seen, self.ratio, seed)
        self.classes_ = np.unique(labels)
        if given.all():
            self.pseudo_labels_ = labels
        else:
            self.pseudo_labels_ = np.full(len(pool), None, dtype=object)
            self.pseudo_labels_[given] = labels
        self.difficulty_scores_ = scores
        self._seen, self._selection_seed = seen, seed
        self._keep_mask(X, pool, given, mask)
        return self

    @abstractmethod
    def _look(self, pool, classes, rng):
        """Return what the choice needs of the pool."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        return tags


def embed(embedding, pool, rng, device="auto"):
    """Return the features of a pool."""
    if embedding is None:
        return flat(pool).astype(np.float64)
    both = hasattr(embedding, "fit") and hasattr(embedding, "transform")
    if isinstance(embedding, type) or not (both or hasattr(embedding, "fit_transform")):
        raise TypeError(f"embedding must be a transformer with fit and transform, or None, got {embedding!r}.")
    transformer = prepare(embedding, rng=rng, device=device, n_jobs=None)
    rows = pool if get_tags(transformer).input_tags.three_d_array else flat(pool)
    joint = hasattr(transformer, "fit_transform")
    found = transformer.fit_transform(rows) if joint else transformer.fit(rows, None).transform(rows)
    found = found.toarray() if hasattr(found, "toarray") else found
    features = np.asarray(found, dtype=np.float64)
    if features.ndim != 2 or len(features) != len(pool) or not np.isfinite(features).all():
        raise ValueError(
            f"The embedding {type(embedding).__name__} must give {len(pool)} finite rows of numbers, got shape {features.shape}."
        )
    return features


class ScoredPruner(LabelFreePruner):
    """A pruner that gives each row a score and lets a selection choose; a subclass defines ``_score``."""

    def select(self, ratio=None, selection=None):
        """Choose again from the same fit.

        Parameters
        ----------
        ratio : float in (0, 1] or int, default=None
            The fraction KEPT, or a count; None: that of the estimator.
        selection : str or selector, default=None
            None: that of the estimator.

        Returns
        -------
        ndarray of shape (n_samples,), bool
            A new mask; the fitted attributes stay as they are.
        """
        check_is_fitted(self)
        ratio = self.ratio if ratio is None else ratio
        return self._select(self._seen, ratio, self.selection if selection is None else selection, self._selection_seed)

    def _look(self, pool, classes, rng):
        n, selector = len(pool), get_selector(self.selection)
        if isinstance(selector, BaseSelector):  # what cannot work is refused before the embedding is trained
            selector.check(kept_count(self.ratio, n), n)
            selector._read(n, dynamics=None, embedding=np.empty((n, 0)), error_probability=None)
        self._check(classes)
        features = embed(self.embedding, pool, rng)
        scores, groups = self._score(features, classes, int(rng.randint(2**31 - 1)))
        return {"scores": scores, "groups": groups, "features": features}

    def _choose(self, seen, ratio, seed):
        return seen["scores"], self._select(seen, ratio, self.selection, seed)

    def _select(self, seen, ratio, selection, seed):
        selector = get_selector(selection)
        return selector.select(seen["scores"], ratio, y=seen["groups"], embedding=seen["features"], random_state=seed)

    def _check(self, classes):
        """Refuse bad parameters before anything is computed."""

    @abstractmethod
    def _score(self, features, classes, seed):
        """Return the scores, and the groups that ``class_balanced`` balances, or None."""


class GreedyPruner(LabelFreePruner):
    """A pruner that picks one row after another, so that what is kept is nested; a subclass defines ``_order``."""

    def _look(self, pool, classes, rng):
        self._check(classes)
        features = embed(self.embedding, pool, rng)
        features = features - features.mean(axis=0)  # distances stay, and large offsets cost no digits
        places = rng.permutation(len(pool))  # equal rows are picked by chance
        return {"places": places} | self._prepare(features[places], classes, int(rng.randint(2**31 - 1)))

    def _choose(self, seen, ratio, seed):
        n = len(seen["places"])
        k = kept_count(ratio, n)
        if len(seen.get("order", ())) < k:
            seen["order"] = seen["places"][self._order(seen, k, np.random.default_rng(seed))]
        order = seen["order"][:k]
        scores, mask = np.zeros(n), np.zeros(n, dtype=bool)
        scores[order] = np.arange(k, 0, -1)
        mask[order] = True
        return scores, mask

    def _check(self, classes):
        """Refuse bad parameters before anything is computed."""

    def _prepare(self, features, classes, seed):
        return {"features": features}

    @abstractmethod
    def _order(self, seen, k, rng):
        """Return k positions, those picked first in front."""


def count_clusters(n_clusters, classes):
    """Return the number of clusters."""
    if n_clusters is None:
        if len(classes) < 2:
            raise ValueError(
                "n_clusters=None takes the number of classes of y, and y names fewer than two. Give n_clusters."
            )
        return len(classes)
    if isinstance(n_clusters, bool) or not isinstance(n_clusters, (int, np.integer)) or n_clusters < 1:
        raise ValueError(f"n_clusters must be an integer of at least 1, got {n_clusters!r}.")
    return int(n_clusters)


def cluster(features, n_clusters, seed):
    """Divide rows by k-means."""
    if n_clusters > len(features):
        raise ValueError(f"n_clusters={n_clusters} is above the {len(features)} rows.")
    means = KMeans(n_clusters, random_state=seed).fit(features)
    return means.labels_.astype(np.int64), np.linalg.norm(features - means.cluster_centers_[means.labels_], axis=1)
