"""How accurate pseudo-labels were on rows that people labeled afterward, and will be with more labels."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

LEVEL = 0.9
"""The probability that an accuracy lies in the interval of an estimate."""

_N_PSEUDO_ROWS = 2.0
# Weights above twice their mean are cut: without that, one row may decide. And no estimate is surer than its own bias, since the
# rows of a round lie at the centers of clusters. Both were chosen on seeds 10 to 12 of loops of four rounds, with nets on images
# (digits, Fashion-MNIST, CIFAR-10) and models of scikit-learn on six tables: the root mean squared error fell from 5.3 and 5.9
# to 4.7 and 5.3 points, and 89 and 96 % of the intervals of 90 %, which are narrower, hold the truth.
_LARGEST_WEIGHT = 2.0
_BIAS = 0.02
# The error falls as a power of the number of labels, by this exponent before any round has told more, and a relative misfit. In
# 12 loops of four rounds (six problems of examples/benchmarks/loop.py, 1,000 rows, seeds 10 and 11, LabelSpreading), the
# exponents were 0.28 on average, with a standard deviation of 0.2.
_SLOPE, _SLOPE_STD = 0.3, 0.25
_MISFIT = 0.1
_LEAST_ERROR = 1e-3


@dataclass(frozen=True)
class AccuracyEstimate:
    """An accuracy, and the interval in which it lies with the probability that was asked for."""

    accuracy: float
    low: float
    high: float


def estimate_accuracy(asked):
    """Estimate the accuracy of the pseudo-labels of all unlabeled rows from the labels told of some; None without any."""
    # A difference estimator: the mean confidence of all, corrected by how far it is off where rows were told, weighted by the
    # inverse probability of being chosen. Their own accuracy is not that of all, since they were not drawn at random: in the
    # loops of which the slope is, its interval of 90 % held the truth in 54 % of the rounds, and this one in 90 %.
    told = asked.answers >= 0
    if not told.any():
        return None
    weights = np.minimum(asked.weight[told], _LARGEST_WEIGHT * asked.weight[told].mean())
    weights /= weights.sum()
    off = (asked.answers == asked.predicted)[told] - asked.confidence[told]
    mean_off, n = weights @ off, 1.0 / (weights @ weights)
    accuracy = float(np.clip(asked.mean_confidence + mean_off, 0.0, 1.0))
    chance = np.clip(accuracy, 0.5 / (n + 1.0), 1.0 - 0.5 / (n + 1.0))
    variance = (n * (weights @ (off - mean_off) ** 2) + _N_PSEUDO_ROWS * chance * (1.0 - chance)) / (n + _N_PSEUDO_ROWS)
    return AccuracyEstimate(accuracy, *_wilson(chance, chance * (1.0 - chance) / (variance / n + _BIAS**2), accuracy))


def _wilson(chance, n, accuracy):
    """Return the Wilson interval of a fraction of n rows, which holds the accuracy too."""
    z = norm.ppf(0.5 + LEVEL / 2.0)
    middle = (chance + z**2 / (2.0 * n)) / (1.0 + z**2 / n)
    half = z / (1.0 + z**2 / n) * np.sqrt(chance * (1.0 - chance) / n + z**2 / (4.0 * n**2))
    return float(min(middle - half, accuracy)), float(max(middle + half, accuracy))


def forecast_accuracy(measured, n, level):
    """Forecast the accuracy with n labels from those measured: a line of log errors, with a prior of its slope."""
    n_labeled, estimates = zip(*measured, strict=True)
    errors = np.array([max(1.0 - estimate.accuracy, _LEAST_ERROR) for estimate in estimates])
    widths = np.array([estimate.high - estimate.low for estimate in estimates])
    noise = (widths / (2.0 * norm.ppf(0.5 + LEVEL / 2.0)) / errors) ** 2 + _MISFIT**2
    places = np.log(np.array(n_labeled) / n)  # 0 where the forecast is
    design = np.stack([np.ones(len(errors)), -places], axis=1)
    precision = design.T @ (design / noise[:, None]) + np.diag([0.0, _SLOPE_STD**-2])
    moments = design.T @ (np.log(errors) / noise) + np.array([0.0, _SLOPE * _SLOPE_STD**-2])
    covariance = np.linalg.inv(precision)
    level_of_error, slope = covariance @ moments
    if slope < 0.0:  # more labels do no harm
        level_of_error = np.average(np.log(errors), weights=1.0 / noise)
    half = norm.ppf(0.5 + level / 2.0) * np.sqrt(covariance[0, 0] + _MISFIT**2)
    logs = level_of_error + np.array([0.0, half, -half])
    return AccuracyEstimate(*(1.0 - np.exp(np.minimum(logs, 0.0))).tolist())
