"""From the parameters `labeler` and `proxy` to the models that are trained, with seeds, devices and jobs filled in."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skprune._pipeline._settings import NoLabeler
from skprune._utils._adapters import is_own_net, is_semi_supervised, read_class_indices
from skprune._utils._registry import lookup
from skprune._utils._seeds import seed_nested
from skprune.dynamics._collect import check_proxy

_LABELERS = {
    name.lower(): name for name in ("FixMatch", "FlexMatch", "FreeMatch", "SoftMatch", "PseudoLabel", "MeanTeacher")
}


@dataclass(frozen=True)
class Models:
    """Unfitted clones of labeler and proxy, the labeler None where all labels are given; seeds of stages and selection."""

    labeler: object
    proxy: object
    stage_seed: int
    selection_seed: int


def prepare_models(settings, rng, classes, *, all_labeled):
    """Return the models of a fit; seeds are drawn in a fixed order."""
    labeler, proxy = choose_models(settings, all_labeled=all_labeled)
    if labeler is None:
        rng.randint(2**31 - 1)  # what a net would draw: the seed of the proxy does not depend on it
    else:
        labeler = prepare(labeler, rng=rng, device=settings.device, n_jobs=settings.n_jobs, classes=classes)
    proxy_jobs = settings.n_jobs if settings.n_repeats == 1 else None  # repeats share the cores
    proxy = prepare(proxy, rng=rng, device=settings.device, n_jobs=proxy_jobs, classes=classes)
    return Models(labeler, proxy, int(rng.randint(2**31 - 1)), int(rng.randint(2**31 - 1)))


def choose_models(settings, *, all_labeled):
    """Return labeler and proxy before they are cloned; refuse those that cannot be trained."""
    labeler, proxy = settings.labeler, settings.proxy
    if labeler is NoLabeler:
        labeler = None
    elif isinstance(labeler, str):
        check_labeler_name(labeler)
        labeler = None if all_labeled else named_labeler(labeler)
    elif labeler is None:
        raise TypeError("labeler must be a name or a classifier, got None.")
    else:
        check_labeler(labeler)
    if settings.uses_labeler_run and not is_semi_supervised(labeler):
        raise ValueError(
            "proxy='labeler' records the training of a net of skprune.semi_supervised, and labeler is a "
            f"{type(labeler).__name__}."
        )
    if proxy is None or settings.uses_labeler_run:
        proxy = default_proxy()
    check_proxy(proxy)
    if not all_labeled:
        _check_own_net(labeler)
    _check_own_net(proxy, max_epochs=settings.n_epochs, schedule_epochs=settings.schedule_epochs)
    return labeler, proxy


def _check_own_net(model, **replaced):
    """Refuse parameters of a net of skprune that its fit would refuse; the pruner replaces some of them."""
    net = model[-1] if isinstance(model, Pipeline) else model
    if is_own_net(net):
        net = clone(net)
        names = net.get_params(deep=False)
        net.set_params(**{name: value for name, value in replaced.items() if name in names}).check_parameters()


def check_labeler_name(name):
    """Refuse a name that is no labeler's."""
    lookup(name, _LABELERS, "labeler")


def named_labeler(name):
    """Return a semi-supervised net with its defaults by its name in lower case."""
    class_name = lookup(name, _LABELERS, "labeler")
    from skprune import semi_supervised

    return getattr(semi_supervised, class_name)()


def check_labeler(labeler, name="labeler"):
    """Refuse a labeler that cannot give labels with a confidence."""
    for method in ("fit", "predict_proba"):
        if isinstance(labeler, type) or not hasattr(labeler, method):
            raise TypeError(
                f"{name} must be a classifier with fit and predict_proba, got {labeler!r} without {method}."
            )


def default_proxy():
    """Return the proxy of ``SemiPrune(proxy=None)``, a NetClassifier that learns slowly."""
    from skprune.nets import NetClassifier

    # Difficulties come from the epochs before the proxy fits. On Fashion-MNIST (10,000 rows, seeds 10 and 11) coresets
    # gained more over random rows with 0.01 than with 0.003 or 0.05.
    return NetClassifier(lr=0.01)


def prepare(estimator, *, rng, device, n_jobs, classes=None):
    """Clone an estimator; nested `random_state`, `device` and `n_jobs` that are None inherit; with `classes` it reads codes."""
    device = None if isinstance(device, str) and device == "auto" else device
    if device is not None:
        from skprune._utils._device import resolve_device

        resolve_device(device)  # refuses one that is not there, which scikit-learn's models would not read
    estimator = seed_nested(clone(estimator), rng)
    if classes is not None:
        read_class_indices(estimator, classes)
    inherited = {"device": device, "n_jobs": n_jobs}
    filled = {}
    for name, value in estimator.get_params(deep=True).items():
        parameter = name.rsplit("__", 1)[-1]
        if value is None and parameter in inherited and not name.startswith("callbacks"):
            filled[name] = inherited[parameter]
    estimator.set_params(**filled)
    return estimator


def repeats_of(proxy, seed, n_repeats):
    """Return (proxy, stage seed) of each repeat: the first as it is, each further one with seeds of its own."""
    repeats = [(proxy, seed)]
    for repeat in range(1, n_repeats):
        rng = np.random.RandomState([seed, repeat])
        repeats.append((seed_nested(clone(proxy), rng, anew=True), int(rng.randint(2**31 - 1))))
    return repeats
