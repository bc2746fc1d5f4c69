"""The two expensive stages, labelling and recording: arrays in and arrays out.

Stages return arrays, network weights among them, from which fitted nets are rebuilt; other models are returned as they
are and go through joblib where they are kept.
"""

import warnings

import numpy as np
import torch
from sklearn.base import clone
from skorch import NeuralNet

from skprune._labels import MISSING, VANISHED
from skprune._validation import flat
from skprune.dynamics import TrainingDynamics, collect_dynamics
from skprune.dynamics._collect import net_input
from skprune.nets import NetClassifier
from skprune.nets._base import BaseNet
from skprune.nets._device import resolve_device, seeded
from skprune.semi_supervised import FixMatch, FlexMatch, FreeMatch, MeanTeacher, PseudoLabel, SoftMatch

LABELERS = {
    "fixmatch": FixMatch,
    "flexmatch": FlexMatch,
    "freematch": FreeMatch,
    "softmatch": SoftMatch,
    "pseudolabel": PseudoLabel,
    "meanteacher": MeanTeacher,
}
_HELD_OUT = 0.2


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
    estimator = clone(estimator)
    inherited = {
        "random_state": lambda: int(rng.randint(2**31 - 1)),
        "device": lambda: None if device == "auto" else device,
        "n_jobs": lambda: n_jobs,
    }
    found = {}
    for name, value in sorted(estimator.get_params(deep=True).items()):
        last = name.rsplit("__", 1)[-1]
        if value is None and last in inherited and not name.startswith("callbacks"):
            found[name] = inherited[last]()
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
    labeler = clone(labeler)
    if isinstance(labeler, BaseNet):
        labeler.set_params(verbose=verbose)
    X = net_input(labeler, pool) if isinstance(labeler, NeuralNet) else flat(pool)
    with seeded(seed, resolve_device(getattr(labeler, "device", "cpu"))), warnings.catch_warnings():
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
            f"({int(bad.sum())} rows)."
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


def record_pool(proxy, pool, codes, n_epochs, schedule_epochs, record, record_kl, seed, verbose):
    """Train a proxy, and record its dynamics.

    Parameters
    ----------
    proxy : skorch classifier
        Unfitted.
    pool : ndarray of shape (n, d) or (n, C, H, W)
        The pool.
    codes : ndarray of shape (n,), int
        Class indices.
    n_epochs, schedule_epochs, record, record_kl, verbose
        As in ``collect_dynamics``.
    seed : int
        For nets without a `random_state`.

    Returns
    -------
    dict
        "dynamics", the arrays of a TrainingDynamics, and "model".
    """
    dynamics, net = collect_dynamics(
        proxy,
        pool,
        codes,
        n_epochs=n_epochs,
        schedule_epochs=schedule_epochs,
        record=record,
        record_kl=record_kl,
        random_state=seed,
        verbose=verbose,
    )
    return {"dynamics": vars(dynamics), "model": pack(net)}


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
    if isinstance(model, BaseNet):
        return model.to_arrays()
    if isinstance(model, NeuralNet):
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
    if isinstance(template, BaseNet):
        return clone(template).from_arrays(packed)
    if isinstance(template, NeuralNet):
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
    return NetClassifier(lr=0.01)


def train_fully(proxy, pool, codes, schedule_epochs, seed):
    """Train a proxy for its whole schedule.

    Parameters
    ----------
    proxy : skorch classifier
        Unfitted; nets that are not skprune's keep their own number of epochs.
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
    skorch classifier
        The fitted proxy.
    """
    proxy = clone(proxy)
    if isinstance(proxy, BaseNet):
        proxy.set_params(max_epochs=schedule_epochs)
    else:
        proxy.set_params(train_split=None, verbose=0)
    with seeded(seed, resolve_device(proxy.device)):
        return proxy.fit(net_input(proxy, pool), codes)


def to_dynamics(result):
    """Return the TrainingDynamics of a recording stage.

    Parameters
    ----------
    result : dict
        What ``record_pool`` returned.

    Returns
    -------
    TrainingDynamics
        The dynamics.
    """
    return TrainingDynamics(**result["dynamics"])
