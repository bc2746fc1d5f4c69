"""From outputs that someone else recorded to the arrays of training dynamics."""

import numpy as np

from skprune._utils._labels import class_indices
from skprune._utils._parameter_checks import check_option, unmasked
from skprune.dynamics._builder import DynamicsBuilder
from skprune.dynamics._reduce import first_fault


def arrays_from_outputs(outputs, y, *, logits, seen, kl, memmap_folder):
    """Reduce recorded outputs, one epoch after the other."""
    check_option("kl", kl, (True, False))
    y = class_indices(y)
    seen = None if seen is None else _checked_seen(seen, len(y))
    n_epochs = len(outputs) if hasattr(outputs, "__len__") else None if seen is None else len(seen)
    if seen is not None and n_epochs != len(seen):
        raise ValueError(f"seen has {len(seen)} epochs, but the outputs have {n_epochs}.")
    if n_epochs is None and memmap_folder is not None:
        raise ValueError("memmap_folder needs outputs of known length. Pass a list or an array, not an iterator.")
    builder = DynamicsBuilder(len(y), n_epochs, kl=kl, memmap_folder=memmap_folder)
    last_epochs = _last_epochs(n_epochs, seen)
    n_read, n_classes = 0, None
    for t, epoch_outputs in enumerate(outputs):
        if seen is not None and t == len(seen):
            raise ValueError(f"seen has {len(seen)} epochs, but the outputs have more.")
        epoch_outputs = _checked_shape(epoch_outputs, y, t, n_classes)
        n_classes = epoch_outputs.shape[1]
        rows = slice(None) if seen is None else np.flatnonzero(seen[t])
        seen_outputs = epoch_outputs[rows]
        fault = first_fault(seen_outputs, logits=logits)
        if fault is not None:
            row = fault.row if seen is None else int(rows[fault.row])
            remedy = "Use from_logits for logits" if fault.is_finite else "Mark rows that were not seen with `seen`"
            raise ValueError(f"Row {row} {fault.what} in epoch {t}. {remedy}.")
        last = last_epochs is None or t in last_epochs
        builder.start_epoch()
        builder.add(rows, seen_outputs, y[rows], logits=logits, last=last)
        n_read = t + 1
    if seen is not None and n_read < len(seen):
        raise ValueError(f"seen has {len(seen)} epochs, but the outputs have {n_read}.")
    return builder.arrays()


def _checked_seen(seen, n_samples):
    seen = unmasked("seen", seen).astype(bool)
    if seen.ndim != 2 or seen.shape[1] != n_samples:
        raise ValueError(f"seen must be of shape (n_epochs, {n_samples}), got {seen.shape}.")
    return seen


def _checked_shape(outputs, y, epoch, n_classes):
    if np.ma.is_masked(outputs):  # what a mask hides is not known
        outputs = outputs.astype(np.float64).filled(np.nan)
    outputs = np.asarray(outputs)
    if outputs.ndim != 2 or outputs.shape[0] != len(y) or outputs.shape[1] < 2:
        raise ValueError(
            f"Epoch {epoch} must be of shape (n_samples, n_classes) = ({len(y)}, at least 2), got {outputs.shape}."
        )
    if n_classes not in (None, outputs.shape[1]):
        raise ValueError(f"Epoch {epoch} has {outputs.shape[1]} classes, but the epochs before have {n_classes}.")
    if y.max() >= outputs.shape[1]:
        raise ValueError(f"y must hold class indices 0..{outputs.shape[1] - 1}, got {y.max()}.")
    return outputs


def _last_epochs(n_epochs, seen):
    """Return the epochs that are the last one of some row, None if they cannot be known."""
    if seen is not None:
        return set(len(seen) - 1 - seen[::-1].argmax(axis=0))
    return None if n_epochs is None else {n_epochs - 1}
