"""Warnings that point at the user's line."""

import sys
import warnings

_BETWEEN = ("skprune", "sklearn", "skorch", "joblib")


def warn_user(message):
    """Raise a UserWarning for the nearest line outside skprune, scikit-learn, skorch and joblib."""
    depth, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in _BETWEEN:
        depth, frame = depth + 1, frame.f_back
    warnings.warn(message, UserWarning, stacklevel=depth)
