"""Splitters and a scorer for partly labeled data, the pruning curve, and the stability of coresets."""

from skprune.model_selection._coreset_stability import coreset_stability
from skprune.model_selection._curve_results import PruningCurve
from skprune.model_selection._partial_label_kfold import PartialLabelKFold
from skprune.model_selection._partial_label_scorer import partial_label_scorer
from skprune.model_selection._partial_label_shuffle_split import PartialLabelShuffleSplit
from skprune.model_selection._pruning_curve import pruning_curve

__all__ = [
    "PartialLabelKFold",
    "PartialLabelShuffleSplit",
    "PruningCurve",
    "coreset_stability",
    "partial_label_scorer",
    "pruning_curve",
]
