"""Selectors: from one difficulty a row to a mask of exactly k rows."""

from skprune.selection._base import BaseSelector
from skprune.selection._beta import Beta
from skprune.selection._counts import kept_count
from skprune.selection._cover import KCenter
from skprune.selection._graph import D2, FacilityLocation
from skprune.selection._names import get_selector, names
from skprune.selection._ranked import Cutoff, Easiest, Hardest, Moderate, Random, Window
from skprune.selection._stratified import Stratified

__all__ = [
    "D2",
    "BaseSelector",
    "Beta",
    "Cutoff",
    "Easiest",
    "FacilityLocation",
    "Hardest",
    "KCenter",
    "Moderate",
    "Random",
    "Stratified",
    "Window",
    "get_selector",
    "kept_count",
    "names",
]
