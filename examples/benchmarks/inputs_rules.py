"""Cases of inputs.py: what a case is, the clean table that all start from, and the models that are trained."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from skprune import PrunedClassifier, SemiPrune
from skprune.baselines import KCenterPruner, RandomPruner

WORKS, WARNS, REFUSED = "works", "warns", "refused"

TRAINED = []
"""What began to train since it was emptied."""

N_ROWS = 60


@dataclass(frozen=True)
class Case:
    """A call, what its kind has to come to, what the message has to name, and a check of what works."""

    kind: str
    name: str
    call: object
    expected: str
    names: str = ""
    check: object = None


class WatchedPCA(PCA):
    """An embedding that notes its training."""

    def fit_transform(self, X, y=None):
        """Fit, and note it."""
        TRAINED.append("embedding")
        return super().fit_transform(X)


class WatchedClassifier(LogisticRegression):
    """A classifier that notes its training."""

    def fit(self, X, y, sample_weight=None):
        """Fit, and note it."""
        TRAINED.append("classifier")
        return super().fit(X, y, sample_weight)


@cache
def table():
    """Return rows of whole numbers within 0..15, which every dtype holds, all unlike each other, and their classes."""
    rng = np.random.default_rng(0)
    y = np.arange(N_ROWS) % 3
    X = np.array([[2, 4, 6, 8], [9, 3, 11, 2], [6, 12, 1, 13]])[y] + rng.integers(-2, 3, (N_ROWS, 4))
    X = np.clip(X, 0, 15).astype(float)
    assert len(np.unique(X, axis=0)) == N_ROWS
    return X, y


@cache
def partial_labels():
    """Return the classes with -1 for two thirds of the rows."""
    y = table()[1].copy()
    y[np.random.default_rng(1).permutation(N_ROWS)[20:]] = -1
    return y


def labeler(first=None):
    """Return a labeler for tables."""
    return make_pipeline(first or StandardScaler(), SelfTrainingClassifier(LogisticRegression()))


def proxy(first=None):
    """Return a proxy for tables."""
    return make_pipeline(first or StandardScaler(), SGDClassifier(loss="log_loss"))


def semi_prune(ratio=0.5, **params):
    """Return a pruner with models that train in a moment."""
    defaults = {"labeler": labeler(), "proxy": proxy(), "n_epochs": 10, "difficulty": "aum", "random_state": 0}
    return SemiPrune(ratio, **defaults | {"estimate_accuracy": False} | params)


def pruned_classifier(**params):
    """Return a classifier around it."""
    return PrunedClassifier(make_pipeline(MaxAbsScaler(), LogisticRegression()), semi_prune(**params))


PRUNERS = {
    "SemiPrune": semi_prune,
    "PrunedClassifier": pruned_classifier,
    "KCenterPruner": lambda **params: KCenterPruner(random_state=0, **params),
    "RandomPruner": lambda **params: RandomPruner(random_state=0, **params),
}


def pruner_of(fitted):
    """Return the fitted pruner, which a classifier holds."""
    return fitted.pruner_ if hasattr(fitted, "pruner_") else fitted


@cache
def expected_mask(name, dtype):
    """Return the mask of the clean table of a dtype, by which models of scikit-learn compute in float32 or float64."""
    return pruner_of(PRUNERS[name]().fit(table()[0].astype(dtype), partial_labels())).support_


def complaint_about(fitted, name, *, same, given=None, X=None, dtype=np.float64):
    """Say what is wrong with what a pruner kept: its number, its labels, the rows that `transform` gives, or the mask."""
    pruner = pruner_of(fitted)
    mask = pruner.support_
    k = max(1, round(0.5 * len(mask)))
    if mask.sum() != k:
        return f"{int(mask.sum())} rows are kept, not {k}"
    if same and not np.array_equal(mask, expected_mask(name, dtype)):
        return (
            f"the mask differs from that of the clean table in {int((mask != expected_mask(name, dtype)).sum())} rows"
        )
    if X is not None:
        kept = pruner.transform(X)
        n_kept = kept.shape[0] if hasattr(kept, "shape") else len(kept)
        if n_kept != k:
            return f"transform gives {n_kept} rows, not {k}"
    labels = np.asarray(pruner.pseudo_labels_, dtype=object)
    has_label = np.array([label is not None for label in labels])
    if name in ("SemiPrune", "PrunedClassifier") and not set(labels) <= set(pruner.classes_.tolist()):
        return "labels that are no classes"
    if given is not None:
        for row, label in enumerate(given):
            if label is not None and (not has_label[row] or labels[row] != label):
                return f"row {row} was given {label!r} and has {labels[row]!r}"
    return None
