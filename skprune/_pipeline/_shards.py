"""Shards of a pool: how they are read, and what is known of each before it is scored."""

import os
from dataclasses import dataclass

import joblib
import numpy as np

from skprune._utils._labels import labels_at, missing_mask
from skprune._utils._pool import check_equal_length

_NAMED_ROWS = 64


@dataclass(frozen=True)
class Outline:
    """What is known of a shard before it is scored: its size, a name by its content, and its labeled rows."""

    size: int
    name: str
    rows: np.ndarray
    labels: np.ndarray


def read_shard(shard):
    """Return the rows and labels of a shard."""
    if isinstance(shard, (str, os.PathLike)):
        with np.load(shard) as arrays:
            shard = arrays["X"], arrays["y"]
    elif callable(shard):
        shard = shard()
    if not isinstance(shard, (tuple, list)) or len(shard) != 2:
        raise TypeError(f"a shard must be a pair (X, y), a callable that returns one, or an .npz file, got {shard!r}.")
    X, y = shard
    X = np.asarray(X) if not hasattr(X, "dtype") or not hasattr(X, "shape") else X
    if not isinstance(X, np.ndarray):
        raise TypeError(f"X of a shard must be an array, got a {type(X).__name__}.")
    check_equal_length(X, y)
    return X, y


def outline_of(number, shard, missing_label):
    X, y = naming_shard(number, read_shard, shard)
    labeled = np.flatnonzero(~missing_mask(y, missing_label))
    some = np.linspace(0, len(X) - 1, _NAMED_ROWS).astype(np.int64)
    rows, labels = np.array(X[labeled]), np.asarray(labels_at(y, labeled))
    return Outline(len(X), joblib.hash((len(X), np.array(X[some]), rows, labels)), rows, labels)


def check_shapes(outlines):
    shapes = {outline.rows.shape[1:] for outline in outlines}
    if len(shapes) > 1:
        raise ValueError(f"The rows of the shards must have one shape, got {' and '.join(map(str, sorted(shapes)))}.")


def naming_shard(number, function, *arguments):
    """Call a function, and say in its error which shard it is about."""
    try:
        return function(*arguments)
    except (ValueError, TypeError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"Shard {number}: {error}") from error
