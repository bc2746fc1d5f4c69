"""Splitters that know which rows can be scored."""

from skprune.model_selection._partial_label_kfold import PartialLabelKFold

__all__ = ["PartialLabelKFold"]
