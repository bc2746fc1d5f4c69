"""Splitters that know which rows can be scored, and a scorer for those who bring their own."""

from skprune.model_selection._partial_label_kfold import PartialLabelKFold
from skprune.model_selection._partial_label_scorer import partial_label_scorer
from skprune.model_selection._partial_label_shuffle_split import PartialLabelShuffleSplit

__all__ = ["PartialLabelKFold", "PartialLabelShuffleSplit", "partial_label_scorer"]
