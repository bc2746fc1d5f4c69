"""Active learning: rows about which a net trained on the few labels knows least."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import _num_samples

from skprune._base import read_labeled_pool
from skprune._pipeline._models import check_labeler, prepare
from skprune._utils._adapters import as_input, check_readable, is_net, tell_axes, torch_seeded
from skprune._utils._docstrings import fill_docstring
from skprune._utils._parameter_checks import check_option
from skprune._utils._seeds import random_state_of
from skprune.baselines._base import ReselectingPruner
from skprune.nets._features import entering
from skprune.selection import kept_count


@dataclass(frozen=True)
class Predictions:
    """The trace of an ActivePruner: the rows kept anyway, probabilities, and what enters the last layer, for "badge"."""

    kept: np.ndarray
    proba: np.ndarray
    features: np.ndarray | None


@fill_docstring()
class ActivePruner(ReselectingPruner):
    """Keep the labeled rows, and those that one round of active learning would have annotated.

    A classifier is trained on the labeled rows. The strategy "margin" adds the rows with the smallest difference between the
    two largest class probabilities (Scheffer et al., 2001). "badge" draws rows by k-means++ on the gradients of the last layer
    for the predicted labels, so that they are both uncertain and diverse (Ash et al., BADGE, arXiv 1906.03671, algorithm 1).

    Parameters
    ----------
    $ratio
        The labeled rows count toward it.
    strategy : {"badge", "margin"}, default="badge"
        How rows are chosen.
    include_labeled : bool, default=True
        Whether all labeled rows are kept; False chooses among all rows, as if none had a label.
    classifier : classifier, default=None
        A classifier with ``predict_proba``; it is cloned. None takes ``NetClassifier(n_steps=1000, max_epochs=1,
        augment="strong", ema=True)``. For "badge", a net whose last layer is linear and gives the logits has the gradients of
        that layer; for any other classifier they are those of the intercepts of the logits, ``p - onehot``.
    $image_shape
    $missing_label
    $device
    $random_state

    Attributes
    ----------
    classifier_ : classifier
        The classifier trained on the labeled rows, in class indices.
    pseudo_labels_ : ndarray of shape (n_samples,)
        The given labels, and the predictions of the classifier where none was given.
    pseudo_label_confidence_ : ndarray of shape (n_samples,), float64
        The classifier's probability of the label, in [0, 1]; 1 for given labels.
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        For "margin", 1 minus the margin, in [0, 1]. For "badge", the order of the draws: the number of added rows for the row
        drawn first, 1 for the last, 0 for rows that were not drawn.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skprune.baselines import ActivePruner
    >>> from skprune.datasets import make_partial_labels
    >>> X, y = load_iris(return_X_y=True)
    >>> y_partial = make_partial_labels(y, n_labeled=15, random_state=0)
    >>> pruner = ActivePruner(0.2, classifier=LogisticRegression(max_iter=1000), random_state=0).fit(X, y_partial)
    >>> len(pruner.annotation_indices_)
    15
    """

    def __init__(
        self,
        ratio=0.5,
        *,
        strategy="badge",
        include_labeled=True,
        classifier=None,
        image_shape=None,
        missing_label="auto",
        device=None,
        random_state=None,
    ):
        self.ratio = ratio
        self.strategy = strategy
        self.include_labeled = include_labeled
        self.classifier = classifier
        self.image_shape = image_shape
        self.missing_label = missing_label
        self.device = device
        self.random_state = random_state

    def fit(self, X, y):
        """Train the classifier on the labeled rows, and choose the rows to keep.

        Parameters
        ----------
        X : array-like
            The pool, as for :class:`~skprune.SemiPrune`.
        y : array-like of shape (n_samples,)
            Labels, some missing.

        Returns
        -------
        self
            The fitted pruner.

        Raises
        ------
        ValueError, TypeError
            The input or a parameter is invalid, or there are more labeled rows than rows to keep.
        """
        pool = read_labeled_pool(self, X, y)
        check_option("strategy", self.strategy, ("badge", "margin"))
        check_option("include_labeled", self.include_labeled, (True, False))
        kept = pool.labeled & bool(self.include_labeled)
        self._count_added(self.ratio, kept)
        classifier = default_classifier() if self.classifier is None else self.classifier
        check_labeler(classifier, "classifier")
        rng = random_state_of(self.random_state)
        classifier = prepare(clone(classifier), rng=rng, device=self.device, n_jobs=None, classes=pool.classes)
        seed = int(rng.randint(2**31 - 1))
        tell_axes(classifier, pool.rows)
        check_readable(classifier, pool.rows)
        rows = as_input(classifier, pool.rows)
        with torch_seeded(classifier, seed):
            classifier.fit(as_input(classifier, pool.rows[pool.labeled]), pool.codes[pool.labeled])
        proba = np.asarray(classifier.predict_proba(rows), dtype=np.float64)
        features = last_layer_inputs(classifier, rows) if self.strategy == "badge" else None
        trace = Predictions(kept, proba, features)
        scores, mask = self._choose(trace, self.ratio, seed)
        predicted = np.asarray(classifier.classes_)[proba.argmax(axis=1)]
        self.classes_ = pool.classes
        self.classifier_ = classifier
        self.pseudo_labels_ = pool.classes[np.where(pool.labeled, pool.codes, predicted)]
        self.pseudo_label_confidence_ = np.where(pool.labeled, 1.0, proba.max(axis=1))
        self.difficulty_scores_ = scores
        self._trace, self._selection_seed = trace, seed
        self._keep_mask(X, pool.rows, pool.labeled, mask)
        return self

    def _count_added(self, ratio, kept):
        """Return how many rows are added to those that are kept anyway."""
        k, n_kept = kept_count(ratio, len(kept)), int(kept.sum())
        if n_kept > k:
            raise ValueError(
                f"include_labeled=True keeps {n_kept} labeled rows, and ratio={ratio!r} keeps only {k} rows."
            )
        return k - n_kept

    def _choose(self, trace, ratio, seed):
        n_added = self._count_added(ratio, trace.kept)
        others = np.flatnonzero(~trace.kept)
        mask = trace.kept.copy()
        rng = np.random.default_rng(seed)
        if self.strategy == "margin":
            largest = np.sort(trace.proba, axis=1)[:, -2:]
            scores = 1.0 - (largest[:, 1] - largest[:, 0])
            added = others[np.lexsort((rng.random(len(others)), -scores[others]))[:n_added]]
        else:
            added = others[plus_plus(trace.proba[others], trace.features[others], n_added, rng)]
            scores = np.zeros(len(mask))
            scores[added] = np.arange(n_added, 0, -1)
        mask[added] = True
        return scores, mask


def last_layer_inputs(classifier, rows):
    """Return what enters the last layer of a net; a constant where there is no such layer."""
    entered = entering(classifier, rows) if is_net(classifier) else None
    return np.ones((_num_samples(rows), 1)) if entered is None else entered.astype(np.float64)


def default_classifier():
    """Return the classifier that ``ActivePruner(classifier=None)`` trains on the labeled rows."""
    from skprune.nets import NetClassifier

    return NetClassifier(n_steps=1000, max_epochs=1, batch_size=64, augment="strong", ema=True)


def plus_plus(proba, features, k, rng):
    """Draw rows by k-means++ on the gradients ``(p - onehot(argmax p)) x features``, which are never written out."""
    error = proba.copy()
    error[np.arange(len(proba)), proba.argmax(axis=1)] -= 1.0
    squares = np.einsum("ij,ij->i", error, error) * np.einsum("ij,ij->i", features, features)
    nearest, drawn = np.full(len(proba), np.inf), np.zeros(k, dtype=np.int64)
    free = np.ones(len(proba), dtype=bool)
    for step in range(k):
        if step == 0:
            place = int(squares.argmax())
        else:
            weights = np.where(free, nearest, 0.0)
            total = weights.sum()
            weights = weights / total if total > 0 else free / free.sum()
            place = int(rng.choice(len(proba), p=weights))
        drawn[step], free[place] = place, False
        distances = squares + squares[place] - 2.0 * (error @ error[place]) * (features @ features[place])
        np.minimum(nearest, np.maximum(distances, 0.0), out=nearest)
    return drawn
