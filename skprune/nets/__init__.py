"""Small torch modules, and the supervised skorch classifier that trains them."""

from importlib import import_module

__all__ = ["MLP", "NetClassifier", "ResNet9", "SmallResNet", "WideResNet"]


def __getattr__(name):
    if name in __all__:  # torch is imported only when a net is asked for
        home = "_classifier" if name == "NetClassifier" else "_modules"
        return getattr(import_module(f"skprune.nets.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
