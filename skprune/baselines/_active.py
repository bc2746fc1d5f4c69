"""Active learning: rows of which a net trained on the few labels knows least."""

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import _get_feature_names

from skprune._pipeline._models import check_labeler, prepare
from skprune._utils._adapters import as_input, is_net, torch_seeded
from skprune._utils._labels import MISSING, encode_labels
from skprune._utils._validation import as_pool, check_equal_length
from skprune.baselines._base import ReselectingPruner
from skprune.nets._features import entering
from skprune.selection import kept_count


class ActivePruner(ReselectingPruner):
    """Keep the labelled rows, and those that active learning would have annotated, in one round.

    A supervised classifier is trained on the labelled rows. "margin" adds the rows with the smallest difference of its two
    largest probabilities (Scheffer et al., 2001). "badge" draws rows by k-means++ on the gradient of the last layer for the
    predicted label, so that they are uncertain and differ (Ash et al., BADGE, arXiv 1906.03671, algorithm 1).

    Parameters
    ----------
    ratio : float in (0, 1] or int, default=0.5
        The fraction KEPT, or a count of rows; the labelled rows count.
    strategy : {"badge", "margin"}, default="badge"
        How rows are chosen.
    include_labeled : bool, default=True
        False chooses among all rows, as if the labelled ones had no label.
    classifier : classifier, default=None
        With ``predict_proba``; None: ``NetClassifier(n_steps=1000, max_epochs=1, augment="strong", ema=True)``. It is cloned. For
        "badge" a net whose last layer is linear and gives the logits has the gradient of that layer; any other classifier that of
        the logits' intercepts, ``p - onehot``.
    image_shape : tuple of (C, H, W), default=None
        The shape of each row when images are given as flat rows.
    device : str, default="auto"
        As in :class:`~skprune.SemiPrune`.
    random_state : int, RandomState or None, default=None
        Of everything that is drawn.

    Attributes
    ----------
    classifier_ : classifier
        Trained on the labelled rows, in class indices.
    pseudo_labels_ : ndarray of shape (n_samples,)
        Given labels, and those of the classifier.
    pseudo_label_confidence_ : ndarray of shape (n_samples,), float64
        The classifier's probability of its label, in [0, 1]; 1 for given labels.
    difficulty_scores_ : ndarray of shape (n_samples,), float64
        1 less the margin, in [0, 1]; for "badge" the number of added rows for the row drawn first, 1 for the last, else 0.

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
        device="auto",
        random_state=None,
    ):
        self.ratio = ratio
        self.strategy = strategy
        self.include_labeled = include_labeled
        self.classifier = classifier
        self.image_shape = image_shape
        self.device = device
        self.random_state = random_state

    def fit(self, X, y):
        """Train on the labelled rows, and choose.

        Parameters
        ----------
        X : array-like
            The pool.
        y : array-like of shape (n_samples,)
            Labels, some missing.

        Returns
        -------
        self
            The fitted pruner.

        Raises
        ------
        ValueError, TypeError
            Bad input or a bad parameter, or more labelled rows than are kept.
        """
        pool = as_pool(X, self.image_shape, estimator=self)
        codes, classes = encode_labels(y)
        check_equal_length(pool, codes)
        _get_feature_names(X)
        given = codes != MISSING
        kept = given & bool(self.include_labeled)
        self._count(self.ratio, kept)
        if self.strategy not in ("badge", "margin"):
            raise ValueError(f"strategy must be 'badge' or 'margin', got {self.strategy!r}.")
        model = default_classifier() if self.classifier is None else self.classifier
        check_labeler(model, "classifier")
        rng = check_random_state(self.random_state)
        model = prepare(clone(model), rng=rng, device=self.device, n_jobs=None)
        seed = int(rng.randint(2**31 - 1))
        rows = as_input(model, pool)
        with torch_seeded(model, seed):
            model.fit(rows[given], codes[given])
        proba = np.asarray(model.predict_proba(rows), dtype=np.float64)
        seen = {"proba": proba, "kept": kept}
        if self.strategy == "badge":
            entered = entering(model, rows) if is_net(model) else None
            seen["features"] = np.ones((len(pool), 1)) if entered is None else entered.astype(np.float64)
        scores, mask = self._choose(seen, self.ratio, seed)
        self.classes_ = classes
        self.classifier_ = model
        self.pseudo_labels_ = classes[np.where(given, codes, np.asarray(model.classes_)[proba.argmax(axis=1)])]
        self.pseudo_label_confidence_ = np.where(given, 1.0, proba.max(axis=1))
        self.difficulty_scores_ = scores
        self._seen, self._selection_seed = seen, seed
        self._keep_mask(X, pool, given, mask)
        return self

    def _count(self, ratio, kept):
        """Return how many rows are added to those that are kept anyway."""
        k = kept_count(ratio, len(kept))
        if kept.sum() > k:
            raise ValueError(
                f"include_labeled=True keeps {int(kept.sum())} labelled rows, above the {k} rows that ratio={ratio!r} keeps."
            )
        return k - int(kept.sum())

    def _choose(self, seen, ratio, seed):
        kept, proba = seen["kept"], seen["proba"]
        n_added = self._count(ratio, kept)
        others = np.flatnonzero(~kept)
        mask = kept.copy()
        rng = np.random.default_rng(seed)
        if self.strategy == "margin":
            two = np.sort(proba, axis=1)[:, -2:]
            scores = 1.0 - (two[:, 1] - two[:, 0])
            mask[others[np.lexsort((rng.random(len(others)), -scores[others]))[:n_added]]] = True
        else:
            added = others[plus_plus(proba[others], seen["features"][others], n_added, rng)]
            scores = np.zeros(len(kept))
            scores[added] = np.arange(n_added, 0, -1)
            mask[added] = True
        return scores, mask


def default_classifier():
    """Return the classifier that is trained on the labelled rows by default."""
    from skprune.nets import NetClassifier

    return NetClassifier(n_steps=1000, max_epochs=1, batch_size=64, augment="strong", ema=True)


def plus_plus(proba, features, k, rng):
    """Draw rows by k-means++ on the gradients ``(p - onehot(argmax p)) x features``, which are never written out."""
    error = proba.copy()
    error[np.arange(len(proba)), proba.argmax(axis=1)] -= 1.0
    squares = np.einsum("ij,ij->i", error, error) * np.einsum("ij,ij->i", features, features)
    nearest, order = np.full(len(proba), np.inf), np.zeros(k, dtype=np.int64)
    free = np.ones(len(proba), dtype=bool)
    for step in range(k):
        if step == 0:
            place = int(squares.argmax())
        else:
            weights = np.where(free, nearest, 0.0)
            total = weights.sum()
            weights = weights / total if total > 0 else free / free.sum()
            place = int(rng.choice(len(proba), p=weights))
        order[step], free[place] = place, False
        away = squares + squares[place] - 2.0 * (error @ error[place]) * (features @ features[place])
        np.minimum(nearest, np.maximum(away, 0.0), out=nearest)
    return order
