"""Shards of a pool: how they are read, and what is known of each before it is scored."""

import os
import warnings
from dataclasses import dataclass

import joblib
import numpy as np
from sklearn.base import clone

from skprune._base import read_labeled_pool
from skprune._pipeline._preparation import prepare_fit
from skprune._pipeline._settings import Settings
from skprune._utils._items import is_dataset, is_item_list
from skprune._utils._labels import MISSING, encode_labels, labels_at, mark_of, missing_mask
from skprune._utils._mapped import empty_rows, is_mapped
from skprune._utils._npz_files import read_npz
from skprune._utils._pool import check_equal_length, check_mask

_NAMED_ROWS = 64


@dataclass(frozen=True)
class Outline:
    """What is known of a shard before it is scored: its size, a name by its content, its labeled rows, and what marks others."""

    size: int
    name: str
    rows: np.ndarray
    labels: np.ndarray
    mark: object

    @property
    def n_unlabeled(self):
        """The number of rows without a label."""
        return self.size - len(self.labels)


def read_shard(shard):
    """Return the rows and labels of a shard."""
    if isinstance(shard, (str, os.PathLike)):
        shard = tuple(read_npz(shard, ("X", "y")).values())
    elif callable(shard):
        shard = shard()
    if not isinstance(shard, (tuple, list)) or len(shard) != 2:
        raise TypeError(f"a shard must be a pair (X, y), a callable that returns one, or an .npz file, got {shard!r}.")
    X, y = shard
    if hasattr(X, "columns"):
        raise TypeError(f"X of a shard must be an array, got a {type(X).__name__}. Use X.to_numpy().")
    if is_dataset(X) or is_item_list(X):
        raise TypeError(
            f"X of a shard must be an array, got a {type(X).__name__}{'' if is_dataset(X) else ' of items of a Dataset'}. Read "
            "it once, as in np.stack([np.asarray(x) for x, _ in dataset]), and save it to an .npz file if it is large."
        )
    X = np.asarray(X) if not hasattr(X, "dtype") or not hasattr(X, "shape") else X
    if not isinstance(X, np.ndarray):
        raise TypeError(f"X of a shard must be an array, got a {type(X).__name__}.")
    check_mask(X)
    check_equal_length(X, y)
    if len(X) == 0:
        raise ValueError("X holds 0 samples, and at least one is needed.")
    return X, y


def outline_of(number, shard, missing_label):
    """Return the outline of a shard."""
    X, y = naming_shard(number, read_shard, shard)
    labeled = np.flatnonzero(~naming_shard(number, missing_mask, y, missing_label))
    some = np.linspace(0, len(X) - 1, _NAMED_ROWS).astype(np.int64)
    rows, labels = np.array(X[labeled]), np.asarray(labels_at(y, labeled))
    name = joblib.hash((len(X), np.array(X[some]), rows, labels))
    return Outline(len(X), name, rows, labels, mark_of(y, missing_label))


def check_outlines(pruner, outlines):
    """Refuse shards whose rows or labels are not of one kind; return the type that holds the rows of all."""
    first = outlines[0].rows
    for number, outline in enumerate(outlines):
        rows = outline.rows
        if rows.shape[1:] != first.shape[1:]:
            raise ValueError(
                f"The rows of the shards must have one shape, got {first.shape[1:]} in shard 0 and {rows.shape[1:]} in shard "
                f"{number}."
            )
        if (rows.ndim > 2 or pruner.image_shape is not None) and rows.dtype != first.dtype:
            raise ValueError(
                f"Shard 0 holds images of {first.dtype}, and shard {number} of {rows.dtype}, which may have another range. Use "
                "one dtype for all."
            )
    _check_labels(outlines, pruner.missing_label)
    return np.result_type(*(outline.rows for outline in outlines))


def _check_labels(outlines, missing_label):
    """Refuse labels that all shards together may not have, and marks that do not mean the same in all of them."""
    labels = np.concatenate([outline.labels.astype(object) for outline in outlines])
    n_unlabeled = sum(outline.n_unlabeled for outline in outlines)
    with_nulls = [number for number, outline in enumerate(outlines) if outline.mark is None]
    by_number = [number for number, outline in enumerate(outlines) if outline.mark == MISSING and outline.n_unlabeled]
    is_auto = isinstance(missing_label, str) and missing_label == "auto"
    if is_auto and with_nulls and by_number:
        raise ValueError(
            f"Shard {with_nulls[0]} marks unlabeled rows by None or NaN, so that -1 would be a class, and shard {by_number[0]} "
            "holds -1 and neither of them. Set missing_label=None if -1 is a class, or use one mark in all shards."
        )
    mark = outlines[0].mark if not with_nulls else None
    encode_labels(np.append(labels, np.full(n_unlabeled, mark, dtype=object)), missing_label, warn=True)


def with_shared(pruner, number, shard, others, dtype):
    """Return the rows of a shard and the labeled ones of others, with None as the label of the unlabeled ones."""
    X, y = naming_shard(number, read_shard, shard)
    shared = np.concatenate([outline.labels.astype(object) for outline in others]) if others else np.zeros(0, object)
    labels = np.full(len(X) + len(shared), None, dtype=object)
    labeled = np.flatnonzero(~missing_mask(y, pruner.missing_label))
    labels[labeled], labels[len(X) :] = labels_at(y, labeled), shared
    if not len(shared):
        return X, labels
    rows = empty_rows((len(labels), *X.shape[1:]), dtype, mapped=is_mapped(X))
    rows[: len(X)], rows[len(X) :] = X, np.concatenate([outline.rows for outline in others])
    return rows, labels


def check_fit(pruner, number, shard, others, share, dtype):
    """Refuse what the fit of a shard would refuse before its trainings."""
    X, labels = with_shared(pruner, number, shard, others, dtype)
    pruner = clone(pruner).set_params(missing_label=None)
    if share:
        pruner.set_params(ratio=share / len(labels))

    def prepare():
        prepare_fit(Settings.of(pruner), X, read_labeled_pool(pruner, X, labels), None)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the fit warns
        naming_shard(number, prepare)


def naming_shard(number, function, *arguments):
    """Call a function, and say in its error which shard it is about."""
    try:
        return function(*arguments)
    except (ValueError, TypeError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"Shard {number}: {error}") from error
