"""Selectors that cut, selectors that look at features, and what they share: ranks and weights."""

from abc import abstractmethod
from numbers import Real

import numpy as np

from skprune.scores import confidence
from skprune.selection._base import BaseSelector

# mean label probability behind an automatic cutoff, chosen on seeds 0 to 2 of examples/benchmarks/selection.py
_DESIRABLE = 0.75


class EmbeddingSelector(BaseSelector):
    """A selector that looks at features; a subclass defines ``_pick``, which returns k positions in the order of the picks."""

    _reason = "picked for its place and difficulty"

    def _read(self, n_samples, *, dynamics, embedding, error_probability):
        if embedding is None:
            raise ValueError(f"{type(self).__name__} needs embedding: the features of the rows.")
        features = np.asarray(embedding, dtype=np.float64)
        if features.ndim != 2 or len(features) != n_samples or not np.isfinite(features).all():
            raise ValueError(f"embedding must be {n_samples} finite rows of numbers, got shape {features.shape}.")
        return features

    def _order(self, scores, k, read, rng):
        places = rng.permutation(len(scores))  # equal rows are picked by chance
        features = read[places]
        return places[self._pick(scores[places], k, features - features.mean(axis=0))]

    @abstractmethod
    def _pick(self, scores, k, features):
        """Return k positions, those picked first in front; the features have mean 0."""


class CutoffSelector(BaseSelector):
    """A selector that drops the hardest rows first."""

    def __init__(self, hard_cutoff=0.0, class_balanced=None, min_per_class=0):
        super().__init__(class_balanced=class_balanced, min_per_class=min_per_class)
        self.hard_cutoff = hard_cutoff

    def check(self, k, n_samples, n_epochs=None):
        """Refuse a cutoff that leaves fewer than k rows; see :meth:`BaseSelector.check`."""
        super().check(k, n_samples, n_epochs)
        if not self._auto():
            dropped_count(self.hard_cutoff, k, n_samples)

    def _auto(self):
        return isinstance(self.hard_cutoff, str) and self.hard_cutoff == "auto"

    def _read(self, n_samples, *, dynamics, embedding, error_probability):
        return label_probabilities(dynamics, n_samples, "hard_cutoff='auto'") if self._auto() else None

    def _dropped(self, order, k, read):
        return desirable_cut(read[order], k) if self._auto() else dropped_count(self.hard_cutoff, k, len(order))

    def _capacity(self, n_samples):
        if self._auto():
            return n_samples
        return n_samples - np.floor(self.hard_cutoff * n_samples + 1e-9).astype(np.int64)


class RankedSelector(BaseSelector):
    """A selector that keeps ranks, where chance decides between equal scores alone."""

    def _chances(self, scores, k, read, kept, free, cut):
        _, group = np.unique(self._ranked_by(scores), return_inverse=True)
        sizes, taken = (np.bincount(group[rows], minlength=group.max() + 1) for rows in (free, free & kept))
        return np.where(taken[group] > 0, taken[group] / np.maximum(sizes[group], 1), np.nan)

    def _ranked_by(self, scores):
        """Return the values that are ranked."""
        return scores


def weights_of(scores, power):
    """Turn difficulties into weights within [0, 1]: shifted to 0 where some are below, in units of the highest."""
    shifted = scores - min(scores.min(), 0.0)
    return (shifted / shifted.max()) ** power if shifted.max() > 0.0 else np.ones(len(scores))


def hardest_first(scores, rng):
    """Order rows from hard to easy, ties by chance."""
    chances = rng.random(len(scores))
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    return np.lexsort((chances, -scores)) if (ranked[1:] == ranked[:-1]).any() else order


def label_probabilities(dynamics, n_samples, reader, n_epochs=None):
    """Return the mean probability of each row's label, after a check that there are dynamics of these rows."""
    if dynamics is None:
        raise ValueError(f"{reader} needs dynamics: it reads each row's mean label probability.")
    if dynamics.n_samples != n_samples:
        raise ValueError(f"dynamics holds {dynamics.n_samples} rows, scores {n_samples}.")
    return confidence(dynamics, n_epochs=n_epochs)


def desirable_cut(mean_proba, k):
    """Return how many of the hardest rows to drop, so that the proxy is neither sure of the next k nor lost."""
    ahead = np.concatenate([[0.0], np.cumsum(mean_proba - _DESIRABLE)])
    return int(np.abs(ahead[k:] - ahead[:-k]).argmin())


def dropped_count(hard_cutoff, k, n):
    """Return how many of the hardest rows a cutoff drops, after a check that k rows are left."""
    if isinstance(hard_cutoff, bool) or not isinstance(hard_cutoff, Real) or not 0.0 <= hard_cutoff < 1.0:
        raise ValueError(f"hard_cutoff must be within [0, 1) or 'auto', got {hard_cutoff!r}.")
    dropped = int(np.floor(hard_cutoff * n + 1e-9))
    if dropped + k > n:
        raise ValueError(
            f"hard_cutoff={hard_cutoff} drops {dropped} of {n} rows, and a ratio of {k / n:.3g} keeps {k}: together above "
            f"{n}. Lower one of the two."
        )
    return dropped
