"""From the parameters `labeler` and `proxy` to the models that are trained, seeds set."""

import numpy as np
from sklearn.base import clone

from skprune._models import holds_net
from skprune._registry import lookup
from skprune._seeds import seed_nested
from skprune.dynamics._collect import check_proxy

_LABELERS = {
    name.lower(): name for name in ("FixMatch", "FlexMatch", "FreeMatch", "SoftMatch", "PseudoLabel", "MeanTeacher")
}


def is_labeler(proxy):
    """Tell whether the run of the labeler itself is recorded.

    Parameters
    ----------
    proxy : object
        The parameter.

    Returns
    -------
    bool
        Whether it is "labeler".
    """
    return isinstance(proxy, str) and proxy == "labeler"


def prepare_models(pruner, rng, labels_all):
    """Return labeler and proxy, and the seeds, drawn in a fixed order.

    Parameters
    ----------
    pruner : SemiPrune
        With its parameters.
    rng : numpy.random.RandomState
        Where seeds are drawn from.
    labels_all : bool
        Whether all labels are given: then a labeler that is a name is checked, and not made.

    Returns
    -------
    labeler, proxy : classifier
        Clones; what was None is inherited. The labeler is None where it was not made.
    stage_seed, selection_seed : int
        Of the stages, and of the selection.

    Raises
    ------
    ValueError, TypeError
        A model cannot do what it is for.
    """
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
        from skprune.nets._device import resolve_device

        resolve_device(pruner.device)
    return labeler, proxy, int(rng.randint(2**31 - 1)), int(rng.randint(2**31 - 1))


def check_name(name):
    """Refuse a name that is no labeler's.

    Parameters
    ----------
    name : str
        What the user gave.

    Raises
    ------
    ValueError
        There is none of that name.
    """
    lookup(name, _LABELERS, "labeler")


def named_labeler(name):
    """Return a semi-supervised net by its name in lower case.

    Parameters
    ----------
    name : str
        Such as "softmatch".

    Returns
    -------
    SemiSupervisedNet
        With its defaults.

    Raises
    ------
    ValueError
        There is none of that name.
    """
    name = lookup(name, _LABELERS, "labeler")
    from skprune import semi_supervised

    return getattr(semi_supervised, name)()


def check_labeler(labeler, name="labeler"):
    """Refuse a labeler that cannot give labels with a confidence.

    Parameters
    ----------
    labeler : object
        What the user gave.
    name : str, default="labeler"
        The parameter.

    Raises
    ------
    TypeError
        It has no ``fit`` or no ``predict_proba``.
    """
    for method in ("fit", "predict_proba"):
        if isinstance(labeler, type) or not hasattr(labeler, method):
            raise TypeError(
                f"{name} must be a classifier with fit and predict_proba, got {labeler!r} without {method}."
            )


def default_proxy():
    """Return the proxy that ``SemiPrune(proxy=None)`` trains: a NetClassifier that learns slowly.

    The selection by difficulty lives on what happens before the proxy fits. On Fashion-MNIST (10,000 rows, seeds 10 and 11)
    DUAL-Beta coresets gained more over random rows with a learning rate of 0.01 than with 0.003 or 0.05.

    Returns
    -------
    NetClassifier
        Sized from the data when it is fitted.
    """
    from skprune.nets import NetClassifier

    return NetClassifier(lr=0.01)


def prepare(estimator, *, rng, device, n_jobs):
    """Clone an estimator; nested `random_state`, `device` and `n_jobs` that are None inherit.

    Parameters
    ----------
    estimator : estimator
        A labeler or a proxy.
    rng : numpy.random.RandomState
        Where seeds are drawn from.
    device : str
        For `device` parameters that are None.
    n_jobs : int or None
        For `n_jobs` parameters that are None.

    Returns
    -------
    estimator
        The clone.
    """
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
    """Return proxies and stage seeds of the repeats: the first as it is, each further one with seeds of its own.

    Parameters
    ----------
    proxy : classifier
        The first one.
    seed : int
        Its stage's.
    n_repeats : int
        How many.

    Returns
    -------
    list of (classifier, int)
        The first ones are the same whatever `n_repeats` is.
    """
    found = [(proxy, seed)]
    for repeat in range(1, n_repeats):
        rng = np.random.RandomState([seed, repeat])
        found.append((seed_nested(clone(proxy), rng, anew=True), int(rng.randint(2**31 - 1))))
    return found
