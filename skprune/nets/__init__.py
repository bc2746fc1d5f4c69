"""Small torch modules, and the supervised skorch classifier that trains them."""

from importlib import import_module

__all__ = ["MLP", "NetClassifier", "ResNet9", "SmallResNet", "WhitenedResNet", "WideResNet", "data_parallel"]

_HOMES = {"NetClassifier": "_classifier", "data_parallel": "_data_parallel"}


def __getattr__(name):
    if name in __all__:  # torch is imported only when a net is asked for
        return getattr(import_module(f"skprune.nets.{_HOMES.get(name, '_modules')}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
