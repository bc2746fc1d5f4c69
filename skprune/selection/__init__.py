"""Selectors: from a difficulty for each row to a mask of exactly k rows."""

from skprune.selection._base import BaseSelector
from skprune.selection._beta import Beta
from skprune.selection._counts import kept_count
from skprune.selection._cutoff import Cutoff
from skprune.selection._d2 import D2
from skprune.selection._facility_location import FacilityLocation
from skprune.selection._k_center import KCenter
from skprune.selection._k_means import KMeans
from skprune.selection._mixture import Mixture
from skprune.selection._random import Random
from skprune.selection._ranked import Easiest, Hardest, Moderate, Window
from skprune.selection._registry import get_selector, get_selector_names
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
    "KMeans",
    "Mixture",
    "Moderate",
    "Random",
    "Stratified",
    "Window",
    "get_selector",
    "get_selector_names",
    "kept_count",
]
