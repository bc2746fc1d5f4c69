"""Semi-supervised nets as scikit-learn classifiers."""

from skprune.semi_supervised._fixmatch import FixMatch

__all__ = ["FixMatch"]
