"""What selectors read: the check of each input, and the refusal of one that is missing."""

from functools import partial

import numpy as np
from scipy.sparse import issparse

from skprune._utils._labels import class_indices
from skprune._utils._mapped import row_chunks
from skprune._utils._parameter_checks import unmasked
from skprune.scores import confidence

MEANINGS = {
    "dynamics": "the recorded training dynamics",
    "y": "the class index of each row",
    "embedding": "the features of the rows",
    "error_probability": "the probability that each label is wrong",
    "uncertainty": "how uncertain the class of each row is",
    "labeled": "whether each label was given",
}

_MOST_BITS = 40
"""The exponents of two up to which squares of features are neither infinite nor 0 in single precision."""


def check_needs(selector, needed, offered):
    """Refuse a selector that needs an input which is not among the names offered."""
    for name in needed:
        if name not in offered:
            raise ValueError(f"{repr(selector).removesuffix('()')} needs {name}: {MEANINGS[name]}.")


def check_scores(scores):
    """Return finite scores as a new float64 array."""
    scores = np.array(unmasked("scores", scores), dtype=np.float64)
    if scores.ndim != 1 or scores.size == 0:
        raise ValueError(f"scores must be of shape (n_samples,), got {scores.shape}.")
    bad = ~np.isfinite(scores)
    if bad.any():
        raise ValueError(f"The score of row {int(bad.argmax())} is not finite ({int(bad.sum())} such rows).")
    return scores


def check_mask(name, mask, n_samples):
    """Return a boolean mask; None marks no row."""
    if mask is None:
        return np.zeros(n_samples, dtype=bool)
    mask = unmasked(name, mask)
    if mask.shape != (n_samples,) or mask.dtype != bool:
        raise ValueError(
            f"{name} must be a boolean mask of {n_samples} rows, got dtype {mask.dtype}, shape {mask.shape}."
        )
    return mask


def check_classes(y, n_samples):
    """Return class indices as an array."""
    codes = class_indices(y)
    if len(codes) != n_samples:
        raise ValueError(f"y must hold {n_samples} class indices, one for each row, got {len(codes)}.")
    return codes


def check_embedding(embedding, n_samples):
    """Return finite features, a row for each sample: in float32 those that are, so that they are not copied, else in float64."""
    if issparse(embedding):
        raise TypeError(
            "embedding is sparse, and rows are compared in dense features. Pass TruncatedSVD().fit_transform(embedding)."
        )
    features = unmasked("embedding", embedding)
    if features.dtype != np.float32:
        features = features.astype(np.float64, copy=False)
    extent = _extent(features) if features.ndim == 2 and features.size else np.nan
    if not np.isfinite(extent) or len(features) != n_samples:
        raise ValueError(f"embedding must be {n_samples} finite rows of numbers, got shape {features.shape}.")
    exponent = int(np.frexp(extent)[1])
    if extent and abs(exponent) > _MOST_BITS:
        return np.ldexp(features, -exponent)  # rounds nothing, and no choice depends on the unit
    return features


def _extent(table):
    """Return the largest absolute value, NaN where there is one."""
    parts = [table[rows] for rows in row_chunks(table)]
    return np.max([np.maximum(part.max(), -part.min()) for part in parts])


def check_fractions(name, values, n_samples):
    """Return numbers within [0, 1] in float64."""
    values = np.asarray(unmasked(name, values), dtype=np.float64)
    if values.shape != (n_samples,) or not ((values >= 0.0) & (values <= 1.0)).all():
        raise ValueError(f"{name} must hold {n_samples} numbers within [0, 1], got shape {values.shape}.")
    return values


CHECKS = {
    "y": check_classes,
    "embedding": check_embedding,
    "error_probability": partial(check_fractions, "error_probability"),
    "uncertainty": partial(check_fractions, "uncertainty"),
    "labeled": partial(check_mask, "labeled"),
}


def mean_label_probability(dynamics, n_samples, n_epochs=None):
    """Return the mean probability of each row's label over the epochs, from dynamics of as many rows."""
    if dynamics.n_samples != n_samples:
        raise ValueError(f"dynamics holds {dynamics.n_samples} rows, and scores {n_samples}.")
    return confidence(dynamics, n_epochs=n_epochs)
