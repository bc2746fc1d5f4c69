"""How many rows each of several pools gives: a threshold on all their scores, found by sketches, or shares by size."""

import numpy as np

from skprune.selection._counts import allocate

_N_POINTS = 1000  # of a sketch
_N_KNOTS = 101


def shares_of_top(keys, k, rng):
    """Return how many of the k highest keys each array holds, whose keys fall; chance decides between equal ones."""
    rising = [-array for array in keys]
    sketches = [array[np.linspace(0, len(array) - 1, _N_POINTS).astype(np.int64)] for array in rising if len(array)]
    points = np.unique(np.concatenate(sketches))
    low, high = -1, len(points) - 1  # the rows up to points[high] are enough, those up to points[low] are not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _up_to(rising, points[middle]).sum() >= k else (middle, high)
    start = _up_to(rising, points[low]) if low >= 0 else np.zeros(len(keys), dtype=np.int64)
    between = np.concatenate(
        [
            array[first : np.searchsorted(array, points[high], side="right")]
            for array, first in zip(rising, start, strict=True)
        ]
    )
    threshold = np.partition(between, k - start.sum() - 1)[k - start.sum() - 1]
    below = np.array([np.searchsorted(array, threshold, side="left") for array in rising])
    equal = _up_to(rising, threshold) - below
    return below + rng.multivariate_hypergeometric(equal, k - below.sum())


def shares_by_size(sizes, k, rng):
    """Return shares of k in proportion to the sizes, rounded so that they add up to k."""
    return allocate(k, sizes, np.zeros_like(sizes), sizes, rng)


def _up_to(rising, value):
    return np.array([np.searchsorted(array, value, side="right") for array in rising])


def knots_of(scores):
    """Return quantiles of the scores of rows that several pools share."""
    return np.quantile(scores, np.linspace(0.0, 1.0, _N_KNOTS))


def calibrations(knots):
    """Return for each pool a function that brings its scores to the mean scale, on which its quantiles are those of all."""
    common = np.sort(np.stack(knots), axis=0).mean(axis=0)
    return [lambda scores, own=own: scores + np.interp(scores, own, common - own) for own in knots]
