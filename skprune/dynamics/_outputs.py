"""From outputs that someone else recorded to the arrays of training dynamics."""

import numpy as np

from skprune._utils._parameter_checks import check_option
from skprune.dynamics._builder import DynamicsBuilder
from skprune.dynamics._reduce import first_not_finite


def arrays_from_outputs(outputs, y, *, logits, seen, kl, memmap_folder):
    """Reduce recorded outputs, one epoch after the other."""
    check_option("kl", kl, (True, False))
    y = np.asarray(y)
    seen = None if seen is None else _checked_seen(seen, len(y))
    n_epochs = len(outputs) if hasattr(outputs, "__len__") else None if seen is None else len(seen)
    if seen is not None and n_epochs != len(seen):
        raise ValueError(f"seen has {len(seen)} epochs, but the outputs have {n_epochs}.")
    if n_epochs is None and memmap_folder is not None:
        raise ValueError("memmap_folder needs outputs of known length. Pass a list or an array, not an iterator.")
    builder = DynamicsBuilder(len(y), n_epochs, kl=kl, memmap_folder=memmap_folder)
    last_epochs = _last_epochs(n_epochs, seen)
    n_read = 0
    for t, epoch_outputs in enumerate(outputs):
        if seen is not None and t == len(seen):
            raise ValueError(f"seen has {len(seen)} epochs, but the outputs have more.")
        epoch_outputs = _checked_shape(epoch_outputs, y, t)
        rows = slice(None) if seen is None else np.flatnonzero(seen[t])
        seen_outputs = epoch_outputs[rows]
        bad = first_not_finite(seen_outputs)
        if bad is not None:
            row = bad if seen is None else int(rows[bad])
            raise ValueError(f"Row {row} is not finite in epoch {t}. Mark rows that were not seen with `seen`.")
        if not logits and not np.allclose(seen_outputs.sum(axis=1), 1.0, atol=1e-2):
            raise ValueError(f"Rows of epoch {t} do not sum to 1. Use from_logits for logits.")
        last = last_epochs is None or t in last_epochs
        builder.start_epoch()
        builder.add(rows, seen_outputs, y[rows], logits=logits, last=last)
        n_read = t + 1
    if seen is not None and n_read < len(seen):
        raise ValueError(f"seen has {len(seen)} epochs, but the outputs have {n_read}.")
    return builder.arrays()


def _checked_seen(seen, n_samples):
    seen = np.asarray(seen, dtype=bool)
    if seen.ndim != 2 or seen.shape[1] != n_samples:
        raise ValueError(f"seen must be of shape (n_epochs, {n_samples}), got {seen.shape}.")
    return seen


def _checked_shape(outputs, y, epoch):
    outputs = np.asarray(outputs)
    if outputs.ndim != 2 or outputs.shape[0] != len(y) or outputs.shape[1] < 2:
        raise ValueError(
            f"Epoch {epoch} must be of shape (n_samples, n_classes) = ({len(y)}, at least 2), got {outputs.shape}."
        )
    if y.dtype.kind not in "iu" or y.size == 0 or y.min() < 0 or y.max() >= outputs.shape[1]:
        raise ValueError(f"y must hold class indices 0..{outputs.shape[1] - 1}.")
    return outputs


def _last_epochs(n_epochs, seen):
    """Return the epochs that are the last one of some row, None if they cannot be known."""
    if seen is not None:
        return set(len(seen) - 1 - seen[::-1].argmax(axis=0))
    return None if n_epochs is None else {n_epochs - 1}
