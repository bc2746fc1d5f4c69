"""Semi-supervised nets as scikit-learn classifiers."""

from skprune.semi_supervised._fixmatch import FixMatch
from skprune.semi_supervised._flexmatch import FlexMatch
from skprune.semi_supervised._freematch import FreeMatch
from skprune.semi_supervised._meanteacher import MeanTeacher
from skprune.semi_supervised._pseudolabel import PseudoLabel
from skprune.semi_supervised._softmatch import SoftMatch

__all__ = ["FixMatch", "FlexMatch", "FreeMatch", "SoftMatch", "PseudoLabel", "MeanTeacher"]
