"""The two expensive stages, labelling and recording: arrays in and arrays out.

Stages return arrays, network weights among them, from which fitted nets are rebuilt; other models are returned as they
are and go through joblib where they are kept. torch is imported where a net is used, and only there.
"""

import warnings

import numpy as np
from sklearn.base import clone

from skprune._utils._adapters import as_input, is_net, is_own_net, pack, torch_seeded
from skprune._utils._labels import MISSING, VANISHED
from skprune.dynamics import collect_dynamics
from skprune.dynamics._checks import check_length
from skprune.nets._features import proxy_features


def label_pool(labeler, pool, codes, seed, verbose):
    """Fit a labeler, and label every row."""
    return _fit_labeler(clone(labeler), pool, codes, seed, verbose)


def _fit_labeler(labeler, pool, codes, seed, verbose):
    if is_own_net(labeler):
        labeler.set_params(verbose=verbose)
    X = as_input(labeler, pool)
    with torch_seeded(labeler, seed), warnings.catch_warnings():
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


def record_pool(proxy, pool, codes, n_epochs, schedule_epochs, record, features, seed, verbose):
    """Train a proxy, and record its dynamics."""
    dynamics, model = collect_dynamics(
        proxy,
        pool,
        codes,
        n_epochs=n_epochs,
        schedule_epochs=schedule_epochs,
        record=record,
        random_state=seed,
        verbose=verbose,
    )
    found = proxy_features(model, as_input(model, pool)) if features else None
    return {"dynamics": vars(dynamics), "features": found, "model": pack(model)}


def label_and_record(labeler, pool, codes, n_epochs, record, seed, verbose):
    """Fit a semi-supervised net in `n_epochs` parts, label every row, and record the run."""
    from skprune.dynamics._snapshots import Snapshots, replay

    if isinstance(labeler.callbacks, str):
        raise ValueError(f"callbacks={labeler.callbacks!r} leaves no place for the recorder. Use None or a list.")
    n_steps = -(-labeler.n_steps * labeler.max_epochs // n_epochs)
    net = clone(labeler).set_params(max_epochs=n_epochs, n_steps=n_steps)
    net.set_params(callbacks=[*(net.callbacks or []), ("snapshots", Snapshots(record.every))])
    labelled = _fit_labeler(net, pool, codes, seed, verbose)
    states = dict(net.callbacks_)["snapshots"].states_
    check_length(len(states) * record.every, n_epochs // record.every * record.every)
    dynamics = replay(net, states, pool, labelled["codes"], kl=record.kl)
    return labelled | {"dynamics": vars(dynamics), "features": proxy_features(net, pool)}


def train_fully(proxy, pool, codes, schedule_epochs, seed):
    """Train a proxy as a classifier: a NetClassifier for its whole schedule, others as their parameters say."""
    proxy = clone(proxy)
    if is_own_net(proxy):
        proxy.set_params(max_epochs=schedule_epochs)
    elif is_net(proxy):
        proxy.set_params(train_split=None, verbose=0)
    with torch_seeded(proxy, seed):
        return proxy.fit(as_input(proxy, pool), codes)
