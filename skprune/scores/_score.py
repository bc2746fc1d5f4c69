"""What all scores have in common."""

from functools import wraps

from skprune._utils._docstrings import fill_docstring
from skprune.dynamics import TrainingDynamics


def score(**texts):
    """Return a decorator of a score: its docstring is filled, and it reads dynamics only."""

    def decorate(function):
        @wraps(function)
        def checked(dynamics, **params):
            check_dynamics(dynamics, function.__name__)
            return function(dynamics, **params)

        return fill_docstring(**texts)(checked)

    return decorate


def check_dynamics(dynamics, reader):
    """Refuse anything but training dynamics."""
    if not isinstance(dynamics, TrainingDynamics):
        raise TypeError(
            f"{reader} reads TrainingDynamics, got {type(dynamics).__name__}. TrainingDynamics.from_proba and from_logits make "
            "them of recorded outputs, and SemiPrune has them as dynamics_."
        )
