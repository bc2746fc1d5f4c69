"""From the parameters `labeler` and `proxy` to the models that are trained, seeds set."""

import numpy as np
from sklearn.base import clone

from skprune._utils._adapters import holds_net
from skprune._utils._registry import lookup
from skprune._utils._seeds import seed_nested
from skprune.dynamics._collect import check_proxy

_LABELERS = {
    name.lower(): name for name in ("FixMatch", "FlexMatch", "FreeMatch", "SoftMatch", "PseudoLabel", "MeanTeacher")
}


def is_labeler(proxy):
    """Tell whether the run of the labeler itself is recorded."""
    return isinstance(proxy, str) and proxy == "labeler"


def prepare_models(pruner, rng, labels_all):
    """Return labeler and proxy, and the seeds, drawn in a fixed order."""
    labeler, proxy = pruner.labeler, pruner.proxy
    if isinstance(labeler, str):
        check_name(labeler)
        labeler = None if labels_all else named_labeler(labeler)
    else:
        check_labeler(labeler)
    if is_labeler(proxy) and not getattr(labeler, "_semi_supervised", False):
        raise ValueError(
            f"proxy='labeler' records the run of a net of skprune.semi_supervised, and labeler is a {type(labeler).__name__}."
        )
    if proxy is None or is_labeler(proxy):
        proxy = default_proxy()
    check_proxy(proxy)
    if labeler is None:
        rng.randint(2**31 - 1)  # what the net would draw: the proxy's seed does not depend on it
    else:
        labeler = prepare(labeler, rng=rng, device=pruner.device, n_jobs=pruner.n_jobs)
    within = pruner.n_jobs if pruner.n_repeats == 1 else None  # the repeats share the cores
    proxy = prepare(proxy, rng=rng, device=pruner.device, n_jobs=within)
    if any(model is not None and holds_net(model) for model in (labeler, proxy)):
        from skprune._utils._device import resolve_device

        resolve_device(pruner.device)
    return labeler, proxy, int(rng.randint(2**31 - 1)), int(rng.randint(2**31 - 1))


def check_name(name):
    """Refuse a name that is no labeler's."""
    lookup(name, _LABELERS, "labeler")


def named_labeler(name):
    """Return a semi-supervised net by its name in lower case."""
    name = lookup(name, _LABELERS, "labeler")
    from skprune import semi_supervised

    return getattr(semi_supervised, name)()


def check_labeler(labeler, name="labeler"):
    """Refuse a labeler that cannot give labels with a confidence."""
    for method in ("fit", "predict_proba"):
        if isinstance(labeler, type) or not hasattr(labeler, method):
            raise TypeError(
                f"{name} must be a classifier with fit and predict_proba, got {labeler!r} without {method}."
            )


def default_proxy():
    """Return the proxy that ``SemiPrune(proxy=None)`` trains: a NetClassifier that learns slowly."""
    from skprune.nets import NetClassifier

    return NetClassifier(lr=0.01)


def prepare(estimator, *, rng, device, n_jobs):
    """Clone an estimator; nested `random_state`, `device` and `n_jobs` that are None inherit."""
    estimator = seed_nested(clone(estimator), rng)
    inherited = {"device": None if device == "auto" else device, "n_jobs": n_jobs}
    found = {}
    for name, value in estimator.get_params(deep=True).items():
        last = name.rsplit("__", 1)[-1]
        if value is None and last in inherited and not name.startswith("callbacks"):
            found[name] = inherited[last]
    estimator.set_params(**found)
    return estimator


def repeats_of(proxy, seed, n_repeats):
    """Return proxies and stage seeds of the repeats: the first as it is, each further one with seeds of its own."""
    found = [(proxy, seed)]
    for repeat in range(1, n_repeats):
        rng = np.random.RandomState([seed, repeat])
        found.append((seed_nested(clone(proxy), rng, anew=True), int(rng.randint(2**31 - 1))))
    return found
