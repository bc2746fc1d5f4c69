"""Training dynamics: what a proxy's outputs did, epoch by epoch, for every row."""

from importlib import import_module

from skprune.dynamics._training_dynamics import TrainingDynamics

_NEED_TORCH = {"DynamicsRecorder": "_recorder", "collect_dynamics": "_collect"}

__all__ = ["TrainingDynamics", *_NEED_TORCH]


def __getattr__(name):
    if name in _NEED_TORCH:
        return getattr(import_module(f"{__name__}.{_NEED_TORCH[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
