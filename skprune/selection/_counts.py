"""How many rows: for a ratio, and for each class."""

from numbers import Integral, Real

import numpy as np


def check_forced(n_forced, k, ratio):
    """Refuse more rows that must be kept than are kept."""
    if n_forced > k:
        raise ValueError(f"{n_forced} rows must be kept, above the {k} rows that ratio={ratio!r} keeps.")


def kept_count(ratio, n_samples):
    """Return k, the number of rows that a ratio keeps.

    Parameters
    ----------
    ratio : float in (0, 1] or int
        The fraction of rows to KEEP, or their number.
    n_samples : int
        The number of rows.

    Returns
    -------
    int
        ``round(ratio * n_samples)``, at least 1; a count is returned as it is.

    Raises
    ------
    ValueError
        The fraction is outside (0, 1], or the count is 1 or above `n_samples`.
    TypeError
        `ratio` is not a number.

    Examples
    --------
    >>> from skprune.selection import kept_count
    >>> kept_count(0.1, 50_000), kept_count(20, 64)
    (5000, 20)
    """
    if isinstance(ratio, (bool, np.bool_)) or not isinstance(ratio, Real):
        raise TypeError(f"ratio must be a float in (0, 1] or an int count of rows, got {ratio!r}.")
    if isinstance(ratio, Integral):
        if ratio == 1:
            raise ValueError("ratio=1 is ambiguous: write 1.0 for all rows, or a count of at least 2.")
        if not 2 <= ratio <= n_samples:
            raise ValueError(
                f"ratio={ratio} is a count of rows to keep; it must be between 2 and n_samples={n_samples}."
            )
        return int(ratio)
    if not 0.0 < ratio <= 1.0:
        raise ValueError(f"ratio={ratio!r} is the fraction of rows to keep; it must be within (0, 1].")
    return max(1, round(float(ratio) * n_samples))


def allocate(k, weights, lower, upper, rng):
    """Share k rows over classes in proportion to weights, within bounds."""
    weights = np.asarray(weights, dtype=np.float64)
    upper = np.where(weights > 0, upper, lower)
    if lower.sum() > k:
        raise ValueError(f"The least rows of each class add up to {int(lower.sum())}, above the {k} rows to keep.")
    if upper.sum() < k:
        raise ValueError(f"The classes with a weight hold {int(upper.sum())} rows, below the {k} rows to keep.")
    low, high = 0.0, 1.0
    while np.clip(weights * high, lower, upper).sum() < k:
        high *= 2.0
    for _ in range(200):
        middle = (low + high) / 2.0
        low, high = (middle, high) if np.clip(weights * middle, lower, upper).sum() < k else (low, middle)
    share = np.clip(weights * high, lower, upper)
    counts = np.floor(share + 1e-9).astype(np.int64)
    rest = np.round(share - counts, 9)
    while (left := k - counts.sum()) > 0:
        order = np.lexsort((rng.permutation(len(counts)), -rest))
        order = order[counts[order] < upper[order]][:left]
        counts[order] += 1
    return counts


def check_class_balanced(class_balanced):
    """Refuse what cannot share k among classes."""
    if not isinstance(class_balanced, dict):
        if class_balanced not in (None, "proportional", "uniform"):
            raise ValueError(
                f"class_balanced must be None, 'proportional', 'uniform' or a dict of weights, got {class_balanced!r}."
            )
        return
    weights = np.array(list(class_balanced.values()), dtype=np.float64)
    if weights.size == 0 or not np.isfinite(weights).all() or weights.min() < 0 or weights.max() == 0:
        raise ValueError(
            f"class_balanced must have finite weights of at least 0, one of them above 0, got {class_balanced!r}."
        )


def class_weights(class_balanced, sizes):
    """Return the weight of each class in the sharing of k, for classes of these sizes."""
    if isinstance(class_balanced, dict):
        unknown = sorted(set(class_balanced) - set(range(len(sizes))))
        if unknown:
            raise ValueError(f"class_balanced names classes that do not occur: {unknown}.")
        return np.array([class_balanced.get(code, 0.0) for code in range(len(sizes))], dtype=np.float64)
    if class_balanced == "proportional":
        return sizes.astype(np.float64)
    return (sizes > 0).astype(np.float64)


def most_kept(selector, codes):
    """Return how many rows of these classes a selector can keep."""
    sizes = np.bincount(codes)
    if getattr(selector, "class_balanced", None) is None or not hasattr(selector, "_capacity"):
        return int(capacity_of(selector, len(codes)))
    return int(np.sum(capacity_of(selector, sizes[class_weights(selector.class_balanced, sizes) > 0])))


def capacity_of(selector, n_samples):
    """Return how many of n rows a selector may keep, whatever their classes; one of a user may keep all."""
    return selector._capacity(n_samples) if hasattr(selector, "_capacity") else n_samples
