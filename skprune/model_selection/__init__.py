"""Splitters and a scorer for partly labeled data, and the pruning curve."""

from skprune.model_selection._curve_results import PruningCurve
from skprune.model_selection._partial_label_kfold import PartialLabelKFold
from skprune.model_selection._partial_label_scorer import partial_label_scorer
from skprune.model_selection._partial_label_shuffle_split import PartialLabelShuffleSplit
from skprune.model_selection._pruning_curve import pruning_curve

__all__ = ["PartialLabelKFold", "PartialLabelShuffleSplit", "PruningCurve", "partial_label_scorer", "pruning_curve"]
