"""Confidence that can be believed: a labeler's own, corrected by labeled rows that it did not know."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from skprune._utils._labels import MISSING

_CLIP = 1e-3, 1.0 - 1e-4  # log-odds stay finite, and a few rows that are sure do not outweigh all others


def label_confidence(confidence, codes, held_out):
    """Return the probability of the label of each row, 1 of given ones; calibrated where labels were held out."""
    if confidence is None:
        return np.ones(len(codes))
    confidence = confidence.astype(np.float64)
    if held_out is not None:
        is_correct = held_out.codes[held_out.rows] == codes[held_out.rows]
        confidence = calibrated(confidence, held_out.confidence, is_correct)
    return np.where(codes == MISSING, confidence, 1.0)


def calibrated(confidence, known_confidence, is_correct):
    """Return the probability that a label is correct, by logistic regression on the log-odds of the confidence (Platt)."""
    # The temperature of the softmax, learned by the log loss of all classes, calibrates worse: the error of highest
    # probabilities on letter and novels was 12 and 6 % with it, and 5 and 4 % so (LabelSpreading, seeds 10 to 14).
    log_odds = _log_odds(known_confidence)
    sign = np.where(is_correct, 1.0, -1.0)

    def loss(line):  # with a normal prior around no change: slope 1 and intercept 0
        slope, intercept = line
        losses = np.logaddexp(0.0, -sign * (slope * log_odds + intercept))
        return losses.sum() + ((slope - 1.0) ** 2 + intercept**2) / 2.0

    slope, intercept = minimize(loss, [1.0, 0.0], method="BFGS").x
    return expit(max(slope, 0.0) * _log_odds(confidence) + intercept)


def _log_odds(confidence):
    return logit(np.clip(np.asarray(confidence, dtype=np.float64), *_CLIP))
