"""From the parameters of SemiPrune to the calls of its expensive stages."""

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend
from sklearn.pipeline import Pipeline

from skprune import _stages
from skprune._labels import MISSING, warn_of_vanished
from skprune._store import StageStore
from skprune._validation import holds_net
from skprune._warnings import warn_user
from skprune.dynamics._collect import check_proxy


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
        _stages.check_name(labeler)
        labeler = None if labels_all else _stages.named_labeler(labeler)
    else:
        _stages.check_labeler(labeler)
    if is_labeler(proxy) and not getattr(labeler, "_semi_supervised", False):
        raise ValueError(
            f"proxy='labeler' records the run of a net of skprune.semi_supervised, and labeler is a {type(labeler).__name__}."
        )
    if proxy is None or is_labeler(proxy):
        proxy = _stages.default_proxy()
    check_proxy(proxy)
    if labeler is None:
        rng.randint(2**31 - 1)  # what the net would draw: the proxy's seed does not depend on it
    else:
        labeler = _stages.prepare(labeler, rng=rng, device=pruner.device, n_jobs=pruner.n_jobs)
    within = pruner.n_jobs if pruner.n_repeats == 1 else None  # the repeats share the cores
    proxy = _stages.prepare(proxy, rng=rng, device=pruner.device, n_jobs=within)
    if any(model is not None and holds_net(model) for model in (labeler, proxy)):
        from skprune.nets._device import resolve_device

        resolve_device(pruner.device)
    return labeler, proxy, int(rng.randint(2**31 - 1)), int(rng.randint(2**31 - 1))


def run_stages(pruner, labeler, proxy, pool, codes, classes, seed):
    """Label and record, or find what was labelled and recorded before.

    Parameters
    ----------
    pruner : SemiPrune
        With its parameters.
    labeler, proxy : classifier
        What :func:`prepare_models` returned.
    pool : ndarray of shape (n, d) or (n, C, H, W)
        The pool.
    codes : ndarray of shape (n,), int
        Class indices, -1 where unlabelled.
    classes : ndarray
        The classes, for warnings.
    seed : int
        Of the stages.

    Returns
    -------
    labelled : dict
        "codes" and "confidence" of all rows; "model" where a labeler was trained.
    recorded : list of dict
        "dynamics", "features", "model" of each repeat.
    judged : dict or None
        The labels that were held out.
    """
    store = StageStore(pruner.memory, pruner.checkpoint, pruner.device, pool.ndim == 4)
    given = codes != MISSING
    labelling = {"codes": codes, "pool": pool, "seed": seed}
    recording = {"n_epochs": int(pruner.n_epochs), "record_every": int(pruner.record_every), "record_kl": True}
    single = is_labeler(pruner.proxy)
    if given.all():
        labelled = {"codes": codes, "confidence": np.ones(len(codes))}
    else:
        stage, options = (_stages.label_and_record, recording) if single else (_stages.label_pool, {})
        labelled = store.run(stage, labeler, verbose=pruner.verbose, **labelling, **options)
        last = labeler[-1] if isinstance(labeler, Pipeline) else labeler
        warn_of_vanished(labelled["codes"][~given], classes, last)
    judged = None
    if pruner.estimate_accuracy and not given.all():
        judged = store.run(_stages.judge_labels, labeler, verbose=pruner.verbose, **labelling)
    if single:
        return labelled, [labelled], judged
    recording |= {"schedule_epochs": int(pruner.schedule_epochs), "record": pruner.record}
    recording |= {"codes": labelled["codes"], "pool": pool}
    return labelled, _record(pruner, store, proxy, recording, seed), judged


def _record(pruner, store, proxy, recording, seed):
    """Record each repeat, in processes where the user asks for them."""
    calls = [
        (one, recording | {"features": number == 0, "seed": its_seed})
        for number, (one, its_seed) in enumerate(_stages.repeats_of(proxy, seed, pruner.n_repeats))
    ]
    # Threads would share torch's global generator; inside the worker of a grid search, joblib has nothing else to give.
    only_threads = getattr(get_active_backend()[0], "supports_sharedmem", False)
    alone = len(calls) == 1 or effective_n_jobs(pruner.n_jobs) == 1 or only_threads
    recorded = Parallel(n_jobs=1 if alone else pruner.n_jobs)(
        delayed(store.run)(
            _stages.record_pool,
            one,
            store.key(_stages.record_pool, one, **options),
            verbose=pruner.verbose if alone else 0,
            **options,
        )
        for one, options in calls
    )
    errors = [one["dynamics"]["error"] for one in recorded]
    if len(errors) > 1 and all(np.array_equal(errors[0], error, equal_nan=True) for error in errors):
        warn_user(
            f"The {len(errors)} repeats are equal, since {type(proxy).__name__} draws nothing at random: score_std_ says "
            "nothing about luck."
        )
    return recorded
