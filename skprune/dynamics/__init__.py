"""Training dynamics: what a proxy's outputs did, epoch by epoch, for every row."""

from skprune.dynamics._collect import collect_dynamics
from skprune.dynamics._recording import Recording
from skprune.dynamics._training_dynamics import TrainingDynamics

__all__ = ["TrainingDynamics", "DynamicsRecorder", "Recording", "collect_dynamics"]


def __getattr__(name):
    if name == "DynamicsRecorder":  # it needs torch
        from skprune.dynamics._recorder import DynamicsRecorder

        return DynamicsRecorder
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
