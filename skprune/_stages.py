"""The two expensive stages, labelling and recording: arrays in and arrays out.

Stages return arrays, network weights among them, from which fitted nets are rebuilt; other models are returned as they
are and go through joblib where they are kept. torch is imported where a net is used, and only there.
"""

import sys
import warnings
from contextlib import contextmanager

import numpy as np
from sklearn.base import clone

from skprune._labels import MISSING, VANISHED
from skprune._registry import lookup
from skprune._seeds import seed_nested
from skprune._validation import flat, is_net
from skprune.dynamics import collect_dynamics
from skprune.dynamics._collect import check_length
from skprune.dynamics._features import proxy_features

_LABELERS = {
    name.lower(): name for name in ("FixMatch", "FlexMatch", "FreeMatch", "SoftMatch", "PseudoLabel", "MeanTeacher")
}
_HELD_OUT = 0.2


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
    return estimator.set_params(**found)


def check_labeler(labeler):
    """Refuse a labeler that cannot give labels with a confidence.

    Parameters
    ----------
    labeler : object
        What the user gave.

    Raises
    ------
    TypeError
        It has no ``fit`` or no ``predict_proba``.
    """
    for method in ("fit", "predict_proba"):
        if isinstance(labeler, type) or not hasattr(labeler, method):
            raise TypeError(
                f"labeler must be a classifier with fit and predict_proba, got {labeler!r} without {method}."
            )


def label_pool(labeler, pool, codes, seed, verbose):
    """Fit a labeler, and label every row.

    Parameters
    ----------
    labeler : classifier
        Unfitted; reads -1 as unlabelled.
    pool : ndarray of shape (n, d) or (n, C, H, W)
        The pool; other estimators than nets get it as a table.
    codes : ndarray of shape (n,), int
        Class indices, -1 where unlabelled.
    seed : int
        For torch's global generators.
    verbose : int
        1 shows a bar.

    Returns
    -------
    dict
        "codes" (n,), given labels unchanged; "confidence" (n,) in [0, 1]; "model".
    """
    return _fit_labeler(clone(labeler), pool, codes, seed, verbose)


def _fit_labeler(labeler, pool, codes, seed, verbose):
    if is_own_net(labeler):
        labeler.set_params(verbose=verbose)
    X = as_input(labeler, pool)
    with _torch_seeded(labeler, seed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", VANISHED)  # SemiPrune warns, of all rows and in the classes of y
        labeler.fit(X, codes)
    classes = np.asarray(labeler.classes_)
    if MISSING in classes:
        raise ValueError(
            f"The labeler {type(labeler).__name__} took -1 for a class. Use a semi-supervised classifier, which reads it as "
            "unlabelled, such as SoftMatch, LabelSpreading or SelfTrainingClassifier(your_classifier)."
        )
    proba = np.asarray(labeler.predict_proba(X), dtype=np.float64)
    bad = ~np.isfinite(proba).all(axis=1)
    if bad.any():
        raise ValueError(
            f"The labeler {type(labeler).__name__} gives no finite probabilities for row {int(bad.argmax())} "
            f"({int(bad.sum())} rows). Scale the columns first, by a Pipeline with StandardScaler; LabelSpreading(kernel='knn') "
            "gives probabilities to rows far from all others."
        )
    given = codes != MISSING
    return {
        "codes": np.where(given, codes, classes[proba.argmax(axis=1)]).astype(np.int64),
        "confidence": np.where(given, 1.0, np.clip(proba.max(axis=1), 0.0, 1.0)),
        "model": pack(labeler),
    }


def held_out_rows(codes, seed):
    """Choose labelled rows to hold out: a fifth of each class, of which one row at least stays.

    Parameters
    ----------
    codes : ndarray of shape (n,), int
        Class indices, -1 where unlabelled.
    seed : int
        Of the draw.

    Returns
    -------
    ndarray of int
        Ascending; empty where no class has two labelled rows.

    Examples
    --------
    >>> held_out_rows(np.array([0, 0, 0, 0, 0, 1, -1]), seed=0).size
    1
    """
    rng = np.random.default_rng(seed)
    members = [rng.permutation(np.flatnonzero(codes == code)) for code in np.unique(codes[codes != MISSING])]
    counts = [min(max(1, round(_HELD_OUT * len(rows))), len(rows) - 1) for rows in members]
    return np.sort(np.concatenate([rows[:count] for rows, count in zip(members, counts, strict=True)]))


def judge_labels(labeler, pool, codes, seed, verbose):
    """Fit a labeler without a fifth of the labels, and label these rows.

    Parameters
    ----------
    labeler, pool, codes, seed, verbose
        As in :func:`label_pool`.

    Returns
    -------
    dict
        "rows", those held out; "codes" and "confidence" of them, as predicted.
    """
    rows = held_out_rows(codes, seed)
    hidden = codes.copy()
    hidden[rows] = MISSING
    labelled = label_pool(labeler, pool, hidden, seed, verbose)
    return {"rows": rows, "codes": labelled["codes"][rows], "confidence": labelled["confidence"][rows]}


def record_pool(
    proxy, pool, codes, n_epochs, schedule_epochs, record, record_every, record_kl, features, seed, verbose
):
    """Train a proxy, and record its dynamics.

    Parameters
    ----------
    proxy : classifier
        Unfitted.
    pool : ndarray of shape (n, d) or (n, C, H, W)
        The pool.
    codes : ndarray of shape (n,), int
        Class indices.
    n_epochs, schedule_epochs, record, record_every, record_kl, verbose
        As in ``collect_dynamics``.
    features : bool
        Whether to return the features of the rows.
    seed : int
        For proxies without a `random_state`.

    Returns
    -------
    dict
        "dynamics", the arrays of a TrainingDynamics; "features" (n, f) of the rows, or None; "model".
    """
    dynamics, model = collect_dynamics(
        proxy,
        pool,
        codes,
        n_epochs=n_epochs,
        schedule_epochs=schedule_epochs,
        record=record,
        record_every=record_every,
        record_kl=record_kl,
        random_state=seed,
        verbose=verbose,
    )
    found = proxy_features(model, as_input(model, pool)) if features else None
    return {"dynamics": vars(dynamics), "features": found, "model": pack(model)}


def label_and_record(labeler, pool, codes, n_epochs, record_every, record_kl, seed, verbose):
    """Fit a semi-supervised net in `n_epochs` parts, label every row, and record the run.

    Parameters
    ----------
    labeler : SemiSupervisedNet
        Unfitted; its steps are divided among the epochs.
    pool, codes, seed, verbose
        As in :func:`label_pool`.
    n_epochs, record_every, record_kl
        As in :func:`record_pool`.

    Returns
    -------
    dict
        What both return.
    """
    from skprune.dynamics._snapshots import Snapshots, replay

    if isinstance(labeler.callbacks, str):
        raise ValueError(f"callbacks={labeler.callbacks!r} leaves no place for the recorder. Use None or a list.")
    n_steps = -(-labeler.n_steps * labeler.max_epochs // n_epochs)
    net = clone(labeler).set_params(max_epochs=n_epochs, n_steps=n_steps)
    net.set_params(callbacks=[*(net.callbacks or []), ("snapshots", Snapshots(record_every))])
    labelled = _fit_labeler(net, pool, codes, seed, verbose)
    states = dict(net.callbacks_)["snapshots"].states_
    check_length(len(states) * record_every, n_epochs // record_every * record_every)
    dynamics = replay(net, states, pool, labelled["codes"], record_kl=record_kl)
    return labelled | {"dynamics": vars(dynamics), "features": proxy_features(net, pool)}


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


def pack(model):
    """Return a fitted model as arrays where it is a net, else as it is.

    Parameters
    ----------
    model : fitted estimator
        The model.

    Returns
    -------
    object
        What :func:`unpack` takes.
    """
    if is_own_net(model):
        return model.to_arrays()
    if is_net(model):
        weights = {name: tensor.cpu().numpy().copy() for name, tensor in model.module_.state_dict().items()}
        return {"classes": model.classes_, "weights": weights}
    return model


def unpack(template, packed):
    """Rebuild a fitted model.

    Parameters
    ----------
    template : estimator
        The unfitted estimator.
    packed : object
        What :func:`pack` returned.

    Returns
    -------
    fitted estimator
        The model.
    """
    if is_own_net(template):
        return clone(template).from_arrays(packed)
    if is_net(template):
        import torch

        from skprune.nets._device import seeded

        net = clone(template)
        with seeded(0, torch.device(net.device or "cpu")):
            net.initialize()
        net.module_.load_state_dict({name: torch.from_numpy(array) for name, array in packed["weights"].items()})
        net.classes_inferred_ = packed["classes"]
        return net
    return packed


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


def train_fully(proxy, pool, codes, schedule_epochs, seed):
    """Train a proxy as a classifier: a NetClassifier for its whole schedule, others as their parameters say.

    Parameters
    ----------
    proxy : classifier
        Unfitted.
    pool : ndarray of shape (n, d) or (n, C, H, W)
        Training rows.
    codes : ndarray of shape (n,), int
        Class indices.
    schedule_epochs : int
        Epochs of a NetClassifier.
    seed : int
        For torch's global generators.

    Returns
    -------
    classifier
        The fitted proxy.
    """
    proxy = clone(proxy)
    if is_own_net(proxy):
        proxy.set_params(max_epochs=schedule_epochs)
    elif is_net(proxy):
        proxy.set_params(train_split=None, verbose=0)
    with _torch_seeded(proxy, seed):
        return proxy.fit(as_input(proxy, pool), codes)


def is_own_net(estimator):
    """Tell whether an estimator is a net of skprune, without importing torch.

    Parameters
    ----------
    estimator : object
        Anything.

    Returns
    -------
    bool
        Whether it is.
    """
    if not is_net(estimator):
        return False
    from skprune.nets._base import BaseNet

    return isinstance(estimator, BaseNet)


def as_input(estimator, pool):
    """Return a pool as an estimator reads it.

    Parameters
    ----------
    estimator : estimator
        A labeler or a proxy.
    pool : ndarray of shape (n, d) or (n, C, H, W)
        Rows.

    Returns
    -------
    ndarray
        As it is for skprune's nets, in float32 for others, a table for all else.
    """
    if is_own_net(estimator):
        return pool
    return pool.astype(np.float32, copy=False) if is_net(estimator) else flat(pool)


@contextmanager
def _torch_seeded(estimator, seed):
    """Seed torch's global generators within the block, where torch is in use at all."""
    if "torch" not in sys.modules:
        yield
        return
    from skprune.nets._device import resolve_device, seeded

    with seeded(seed, resolve_device(getattr(estimator, "device", "cpu"))):
        yield
