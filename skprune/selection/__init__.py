"""Selectors: from one difficulty a row to a mask of exactly k rows."""

from skprune.selection._base import BaseSelector, get_selector, kept_count, names
from skprune.selection._beta import Beta
from skprune.selection._ranked import Cutoff, Easiest, Hardest, Moderate, Random
from skprune.selection._stratified import Stratified

__all__ = [
    "BaseSelector",
    "Beta",
    "Cutoff",
    "Easiest",
    "Hardest",
    "Moderate",
    "Random",
    "Stratified",
    "get_selector",
    "kept_count",
    "names",
]
