"""The problems of robust.py: pools of images, tables, text and embeddings, with few labels and a test set."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import StandardScaler

from skprune.baselines import ContrastiveFeatures
from skprune.datasets import corrupt_images, make_long_tailed, make_partial_labels

CHOSEN_ON = ("digits", "letter", "novels", "shuttle", "fashion", "cifar10")
"""Problems that settings were chosen on; the others were looked at only when all was settled."""


@dataclass(frozen=True)
class Problem:
    """A pool with true and given labels, its test set, and the space in which rows are near one another."""

    kind: str
    X: np.ndarray
    y: np.ndarray
    partial: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray

    def flat(self):
        """Return pool and test set as standardized tables."""
        scaler = StandardScaler().fit(self.X.reshape(len(self.X), -1))
        return tuple(scaler.transform(rows.reshape(len(rows), -1)).astype(np.float32) for rows in (self.X, self.X_test))


@dataclass(frozen=True)
class Recipe:
    """How many rows a problem has: in the pool, in the test set, and with a label."""

    kind: str
    n_pool: int
    n_test: int
    n_labeled: int


RECIPES = {
    "digits": Recipe("table", 1200, 597, 60),
    "letter": Recipe("table", 6000, 4000, 520),
    "satellite": Recipe("table", 4400, 2000, 60),
    "shuttle": Recipe("table", 6000, 6000, 140),
    "novels": Recipe("text", 6000, 4000, 240),
    "spam": Recipe("table", 3000, 1601, 60),
    "dna": Recipe("table", 2100, 1086, 90),
    "vowel": Recipe("table", 660, 330, 110),
    "diamonds": Recipe("table", 6000, 4000, 150),
    "clusters": Recipe("embedding", 5000, 5000, 100),
    "contrastive": Recipe("embedding", 6000, 4000, 150),
    "digit images": Recipe("images", 1200, 597, 60),
    "fashion": Recipe("images", 10_000, 10_000, 250),
    "fashion corrupted": Recipe("images", 10_000, 10_000, 250),
    "fashion longtail": Recipe("images", 10_000, 10_000, 250),
    "cifar10": Recipe("images", 10_000, 4000, 500),
    "solar cells": Recipe("images", 2099, 525, 100),
}


def load(name, seed, data_home):
    """Return a problem; another seed is another pool with other labels."""
    recipe, rng = RECIPES[name], np.random.default_rng(seed)
    X, y, X_test, y_test = _LOADERS.get(name, _table)(name, recipe, rng, Path(data_home), seed)
    partial = make_partial_labels(y, n_labeled=recipe.n_labeled, random_state=seed)
    return Problem(recipe.kind, X, y, partial, X_test, y_test)


def _divide(X, y, recipe, rng):
    """Divide rows at random into a pool and a test set."""
    order = rng.permutation(len(X))
    pool, test = order[: recipe.n_pool], order[recipe.n_pool : recipe.n_pool + recipe.n_test]
    return X[pool], y[pool], X[test], y[test]


def _codes(y):
    return np.unique(y, return_inverse=True)[1]


def _table(name, recipe, rng, data_home, seed):
    with np.load(data_home / f"{name}.npz") as arrays:
        return _divide(arrays["x"].astype(np.float64), _codes(arrays["y"]), recipe, rng)


def _digits(name, recipe, rng, data_home, seed):
    X, y = load_digits(return_X_y=True)
    if recipe.kind == "images":
        X = (X.reshape(-1, 1, 8, 8) / 16 * 255).astype(np.uint8)
    return _divide(X, y, recipe, rng)


def _novels(name, recipe, rng, data_home, seed):
    with np.load(data_home / "novels.npz", allow_pickle=True) as arrays:
        texts, y, test_texts, y_test = _divide(arrays["x"], _codes(arrays["y"]), recipe, rng)
    words = TfidfVectorizer(min_df=3, sublinear_tf=True)
    components = TruncatedSVD(100, random_state=seed)
    X = components.fit_transform(words.fit_transform(texts))
    return X, y, components.transform(words.transform(test_texts)), y_test


def _clusters(name, recipe, rng, data_home, seed):
    """Draw 40 Gaussian clusters of unequal sizes, four a class on average."""
    centers, weights = rng.normal(size=(40, 20)) * 1.2, rng.dirichlet(np.full(40, 0.7))
    labels = rng.permutation(np.arange(40) % 10)
    members = rng.choice(40, p=weights, size=recipe.n_pool + recipe.n_test)
    X = centers[members] + rng.normal(size=(len(members), 20))
    return _divide(X, _codes(labels[members]), recipe, rng)


def _images(name, recipe, rng, data_home, seed):
    dataset, _, protocol = name.partition(" ")
    file = "fashion_mnist" if dataset == "fashion" else name.replace(" ", "_")
    with np.load(data_home / f"{file}.npz") as arrays:
        X, y, X_test, y_test = (arrays[key] for key in ("x_train", "y_train", "x_test", "y_test"))
    rows = rng.permutation(len(X))
    if protocol == "longtail":
        rows = rows[make_long_tailed(y[rows], imbalance=100, random_state=seed)]
        rows = rng.permutation(rows)
    rows = rows[: recipe.n_pool]
    X, y = X[rows], y[rows]
    if protocol == "corrupted":
        X = corrupt_images(X, fraction=0.3, random_state=seed)
    return X, y, X_test[: recipe.n_test], y_test[: recipe.n_test]


def _contrastive(name, recipe, rng, data_home, seed):
    """Return features of Fashion-MNIST from a net that was trained without labels on the pool."""
    X, y, X_test, y_test = _images("fashion", recipe, rng, data_home, seed)
    net = ContrastiveFeatures(n_steps=300, random_state=seed).fit(X)
    return net.transform(X), y, net.transform(X_test), y_test


_LOADERS = {
    "digits": _digits,
    "digit images": _digits,
    "novels": _novels,
    "clusters": _clusters,
    "contrastive": _contrastive,
    **dict.fromkeys(("fashion", "fashion corrupted", "fashion longtail", "cifar10", "solar cells"), _images),
}
