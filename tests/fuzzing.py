"""What the tests by random use share: small pools, models that train in milliseconds, and what holds of a fitted SemiPrune."""

import random
import warnings
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from sklearn.tree import DecisionTreeClassifier

from skprune.selection import Beta, Cutoff, KMeans, Mixture, Random, Stratified

LABELERS = [
    LabelSpreading(),
    make_pipeline(StandardScaler(), LabelSpreading(kernel="knn", n_neighbors=5)),
    SelfTrainingClassifier(GaussianNB()),
    SelfTrainingClassifier(DecisionTreeClassifier(max_depth=2)),
]
PROXIES = [
    SGDClassifier(loss="log_loss"),
    make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.01)),
    GradientBoostingClassifier(max_depth=1),
]
DIFFICULTIES = [
    *("aum", "confidence", "correctness", "el2n", "entropy", "forgetting", "least_confidence", "loss", "margin"),
    *("dual", "dyn_unc", "tdds", "variability", ["aum", "entropy"]),
]
SELECTIONS = [
    *("auto", "beta", "cutoff", "d2", "easiest", "facility_location", "hardest", "k_center", "k_means", "moderate"),
    *("random", "stratified", "window"),
    Beta("auto", trust=10),
    Beta(class_balanced="proportional"),
    Cutoff("auto"),
    Cutoff(hard_cutoff=0.3, class_balanced="uniform"),
    KMeans(2, min_per_class=0.5),
    Mixture(KMeans(), second=Beta("auto")),
    Random(min_per_class=1),
    Stratified(hard_cutoff=0.1, min_per_class=2),
]


@dataclass(repr=False)
class Pool:
    """Rows, all labels as class indices, which of them are given, and the groups of the rows."""

    X: np.ndarray
    y: np.ndarray
    given: np.ndarray
    groups: np.ndarray
    made_from: tuple

    def __repr__(self):
        return f"make_pool{self.made_from}"

    def labels(self, encoding="-1"):
        """Return the labels that are given, in one of the ways to write them."""
        if encoding == "-1":
            return np.where(self.given, self.y, -1)
        if encoding == "NaN":
            return np.where(self.given, self.y, np.nan)
        return np.array([f"class {code}" if given else None for code, given in zip(self.y, self.given, strict=True)])


def make_pool(seed, n, n_classes, n_labeled, kind="clusters"):
    """Make a table whose rows are clusters, noise, or whole numbers of which many are equal; labels are of all classes."""
    rng = np.random.default_rng(seed)
    order, y = rng.permutation(n), np.empty(n, dtype=int)
    y[order] = np.arange(n) % n_classes
    X = rng.normal(size=(n, 3))
    if kind != "noise":
        X[:, 0] += 3 * y
    if kind == "equal rows":
        X = np.round(X)
    return Pool(
        X,
        y,
        np.isin(np.arange(n), order[:n_labeled]),
        rng.integers(max(1, n // 2), size=n),
        (seed, n, n_classes, n_labeled, kind),
    )


@contextmanager
def global_states_untouched():
    """Check that nothing draws from a global generator; what is not about numbers may warn."""
    before = np.random.get_state()[1].copy(), random.getstate(), torch.get_rng_state()  # noqa: NPY002
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert random.getstate() == before[1]
    assert torch.equal(torch.get_rng_state(), before[2])


def assert_sound(pruner, pool, labels):
    """Check what holds of every fitted SemiPrune, given the pool and labels of its fit."""
    n, mask = len(pool.X), pruner.support_
    given = pool.given
    assert (mask.dtype, mask.shape) == (np.dtype(bool), (n,))
    assert mask.any()
    assert pruner.difficulty_scores_.shape == (n,)
    assert np.isfinite(pruner.difficulty_scores_).all()
    assert set(pruner.pseudo_labels_) <= set(pruner.classes_)
    np.testing.assert_array_equal(pruner.pseudo_labels_[given], labels[given])
    confidence = pruner.pseudo_label_confidence_
    assert ((confidence >= 0) & (confidence <= 1)).all()
    assert (confidence[given] == 1).all()
    np.testing.assert_array_equal(pruner.coreset_indices_, np.flatnonzero(mask))
    np.testing.assert_array_equal(pruner.coreset_labels_, pruner.pseudo_labels_[mask])
    np.testing.assert_array_equal(pruner.transform(pool.X), pool.X[mask])

    asked = pruner.annotation_indices_
    assert len(set(asked.tolist())) == len(asked)
    assert (mask & ~given)[asked].all()
    if pruner.duplicates == "ignore":
        assert len(asked) == (mask & ~given).sum()
    weights = pruner.sample_weight_
    assert len(weights) == mask.sum()
    assert (np.isfinite(weights) & (weights > 0)).all()
    np.testing.assert_allclose(weights.mean(), 1)
    np.testing.assert_array_equal(pruner.explain()["kept"], mask)


def assert_size(mask, pool, params, groups=None):
    """Check how many rows a mask keeps, and that it keeps what must stay."""
    budget, ratio = params.get("budget"), params.get("ratio", 0.5)
    is_one = params.get("groups_select") == "one"
    if budget is not None or params.get("include_labeled"):
        assert mask[pool.given].all()
    if groups is not None and not is_one:
        assert not set(groups[mask]) & set(groups[~mask])
    n_units = len(np.unique(groups)) if groups is not None and is_one else len(mask)
    k = max(1, round(ratio * n_units)) if isinstance(ratio, float) else ratio
    if budget is not None:
        k = pool.given.sum() + budget
    if groups is None or is_one:
        assert mask.sum() == k
    else:
        assert 0 < mask.sum() <= k
