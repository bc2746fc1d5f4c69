"""Several dynamics made one: rows concatenated, or proxies averaged. Parts are arrays by name."""

import numpy as np

from skprune.dynamics._arrays import EPOCH_ARRAYS, OPTIONAL


def concatenate_arrays(parts):
    """Return the rows of all parts, which must hold the same arrays."""
    if not parts:
        raise ValueError("concatenate needs at least one part.")
    lengths = sorted({len(part["target_proba"]) for part in parts})
    if len(lengths) > 1:
        raise ValueError(f"The parts must have the same number of epochs, got {lengths}.")
    for name in OPTIONAL:
        if 0 < sum(name in part for part in parts) < len(parts):
            raise ValueError(f"{name} was recorded in only some parts. Record it in all, or set it to None.")
    return {name: np.concatenate([part[name] for part in parts], axis=-1) for name in parts[0]}


def average_arrays(parts):
    """Return the means over the parts that saw a row, of the arrays that all parts hold."""
    shapes = sorted({part["target_proba"].shape for part in parts})
    if len(shapes) != 1:
        raise ValueError(f"average needs parts of one shape (n_epochs, n_samples), got {shapes}.")
    names = [name for name in parts[0] if name != "seen" and all(name in part for part in parts)]
    averages = {name: _nan_mean([part[name] for part in parts]) for name in names}
    return averages | {"seen": np.any([part["seen"] for part in parts], axis=0)}


def first_epochs_of(arrays, n_epochs):
    """Return arrays without the epochs after the first ones; what belongs to the last epoch stays."""
    lengths = dict.fromkeys(EPOCH_ARRAYS, n_epochs) | {"kl_step": n_epochs - 1}
    return {
        name: array[: lengths[name]] if name in lengths and array is not None else array
        for name, array in arrays.items()
    }


def _nan_mean(arrays):
    """Return the mean in float64 of the values that are not NaN, NaN where there are none, an epoch at a time."""
    mean = np.empty(arrays[0].shape, dtype=np.float32)
    for epoch, epochs in zip(np.atleast_2d(mean), zip(*map(np.atleast_2d, arrays), strict=True), strict=True):
        total, count = np.zeros(len(epoch)), np.zeros(len(epoch), dtype=int)
        for values in epochs:
            known = ~np.isnan(values)
            np.add(total, values, out=total, where=known)
            count += known
        with np.errstate(invalid="ignore"):
            epoch[:] = total / count
    return mean
