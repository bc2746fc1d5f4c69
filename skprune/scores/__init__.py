"""Difficulty scores: plain functions of the training dynamics, and the table that orients them."""

from skprune.scores._functions import (
    aum,
    confidence,
    correctness,
    dual,
    dyn_unc,
    el2n,
    entropy,
    forgetting,
    least_confidence,
    loss,
    margin,
    tdds,
    variability,
)
from skprune.scores._registry import difficulty, min_epochs, names

__all__ = [
    "aum",
    "confidence",
    "correctness",
    "dual",
    "dyn_unc",
    "el2n",
    "entropy",
    "forgetting",
    "least_confidence",
    "loss",
    "margin",
    "tdds",
    "variability",
    "difficulty",
    "min_epochs",
    "names",
]
