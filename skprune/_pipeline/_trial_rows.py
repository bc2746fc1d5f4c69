"""The rows of a trial, and how it refuses."""

import numpy as np

from skprune._utils._labels import MISSING

WHATEVER_THE_ROWS = (TypeError, AttributeError, NameError, ImportError, NotImplementedError)
"""Errors that more rows, or other numbers, would not change."""


def few_rows(codes, size, most_classes=None):
    """Return some rows, ascending: a few of each class, at most as many classes as asked for, and unlabeled ones."""
    if size >= len(codes):
        return np.arange(len(codes))
    rng = np.random.default_rng(0)
    classes, counts = np.unique(codes[codes != MISSING], return_counts=True)
    if most_classes is not None:
        classes = classes[np.argsort(-counts, kind="stable")[: min(most_classes, max(2, size // 2))]]
    has_unlabeled = bool((codes == MISSING).any())
    each = max(1, size // (len(classes) * (1 + has_unlabeled)))
    labeled = [rng.permutation(np.flatnonzero(codes == code))[:each] for code in classes]
    chosen = np.concatenate(labeled)
    unlabeled = rng.permutation(np.flatnonzero(codes == MISSING))[: max(size - len(chosen), size // 4)]
    return np.sort(np.concatenate([chosen, unlabeled]))


def filled(codes, rows):
    """Return the classes of some rows, those of unlabeled ones drawn at random from those of the others."""
    shown = codes[rows]
    missing = shown == MISSING
    drawn = np.random.default_rng(0).choice(np.unique(shown[~missing]), int(missing.sum()))
    shown[missing] = drawn
    return shown


def refusal(what, error, how):
    """Return the error that says where another one was found."""
    kind = TypeError if isinstance(error, TypeError) and not isinstance(error, ValueError) else ValueError
    named = str(error) if isinstance(error, (ValueError, TypeError)) else f"{type(error).__name__}: {error}"
    return kind(f"{what} fails in a trial {how}, before any training. {named}")
