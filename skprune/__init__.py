"""skprune: prune training sets when few labels exist.

The names below are loaded on first use, so that ``import skprune`` stays cheap and brings in no torch.
"""

from importlib import import_module

__version__ = "0.2.0.dev0"

_HOMES = {
    "SemiPrune": "_semi_prune",
    "PrunedClassifier": "_pruned_classifier",
    "PruningSampler": "_pruning_sampler",
    "AnnotationLoop": "_annotation._loop",
    "suggest_first_labels": "_annotation._first_labels",
    "prune_shards": "_prune_shards",
    "load": "_utils._saving",
    "ShardedCoreset": "_prune_shards",
    "signed_memory": "_utils._signed_memory",
}
_MODULES = (
    "augment",
    "baselines",
    "datasets",
    "dynamics",
    "inspection",
    "labeling",
    "model_selection",
    "nets",
    "scores",
    "selection",
    "semi_supervised",
)

__all__ = [*_HOMES, *_MODULES]


def __getattr__(name):
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *__all__])
