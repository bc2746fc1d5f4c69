"""Pictures of a pool, its coreset and its pseudo-labels, drawn with matplotlib: ``pip install "skprune[plots]"``."""

from skprune.inspection._calibration import CalibrationDisplay
from skprune.inspection._contact_sheet import ContactSheetDisplay
from skprune.inspection._coreset_composition import CoresetCompositionDisplay
from skprune.inspection._data_map import DataMapDisplay
from skprune.inspection._difficulty import DifficultyDisplay
from skprune.inspection._pruning_curve import PruningCurveDisplay

__all__ = [
    "CalibrationDisplay",
    "ContactSheetDisplay",
    "CoresetCompositionDisplay",
    "DataMapDisplay",
    "DifficultyDisplay",
    "PruningCurveDisplay",
]
