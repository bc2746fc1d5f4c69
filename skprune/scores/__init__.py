"""Difficulty scores: plain functions of the training dynamics, and the table of their orientations."""

from skprune.scores._averages import aum, confidence, correctness, el2n, forgetting, grand, variability
from skprune.scores._last import entropy, least_confidence, loss, margin
from skprune.scores._registry import difficulty, get_score_names, min_epochs
from skprune.scores._windows import dual, dyn_unc, tdds

__all__ = [
    "aum",
    "confidence",
    "correctness",
    "dual",
    "dyn_unc",
    "el2n",
    "entropy",
    "forgetting",
    "grand",
    "least_confidence",
    "loss",
    "margin",
    "tdds",
    "variability",
    "difficulty",
    "get_score_names",
    "min_epochs",
]
