"""Train a proxy and record it: a skorch net, a classifier with partial_fit, or a staged one."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skprune._utils._adapters import is_net, items_as_input
from skprune._utils._columns import is_frame, is_texts
from skprune._utils._labels import class_indices
from skprune._utils._parameter_checks import check_count
from skprune._utils._pool import check_equal_length, flat
from skprune._utils._seeds import random_state_of, seed_nested
from skprune.dynamics._checks import check_recording
from skprune.dynamics._collect_classifier import classifier_collector
from skprune.dynamics._recording import as_recording
from skprune.dynamics._run import RecordedRun


def collect_dynamics(
    proxy,
    X,
    y,
    *,
    n_epochs,
    schedule_epochs=None,
    record="train",
    memmap_folder=None,
    random_state=None,
    verbose=0,
):
    """Train a clone of a proxy and record its training dynamics.

    Parameters
    ----------
    proxy : classifier
        One of

        - a skorch classifier that returns logits (CrossEntropyLoss) or probabilities (NLLLoss), such as
          :class:`skprune.nets.NetClassifier`; it trains on all rows, shuffled, without a validation split;
        - a classifier with ``partial_fit`` and ``predict_proba``, such as ``SGDClassifier(loss="log_loss")`` or
          ``MLPClassifier``; an epoch is one pass over all rows by ``partial_fit``, of an array in pieces of 16 MB,
          in a new order each time;
        - a classifier with ``staged_predict_proba``, such as ``HistGradientBoostingClassifier``, or ``LGBMClassifier`` or
          ``XGBClassifier``; an epoch is a boosting stage;
        - a Pipeline that ends in one of the last two; the steps before are fitted once.

        The last three do not need torch and receive images as flat rows.
    X : array-like of shape (n_samples, ...)
        The pool. Nets receive an array, those from outside skprune one of float32. Others receive a DataFrame, a sparse table
        or a list of texts as it is. Datasets and lists of items are read into an array.
    y : array-like of shape (n_samples,), int
        Class indices 0..K-1, given or pseudo-labels.
    n_epochs : int
        The number of epochs to train, which replaces the proxy's own.
    schedule_epochs : int, default=None
        The number of epochs that shapes the learning rate of a NetClassifier, instead of its own `schedule_epochs`. None
        leaves it at its own, or `n_epochs` if that is None. Other proxies bring their own schedule.
    record : {"train", "eval"} or Recording, default="train"
        What to record: a :class:`Recording`, or its mode.
    memmap_folder : path-like, default=None
        A new folder for memory-mapped arrays, one ``.npy`` file each; None keeps them in memory.
    random_state : int, RandomState or None, default=None
        Seeds the weights, order and augmentation of a proxy whose own `random_state` is None or missing.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    dynamics : TrainingDynamics
        The dynamics, ``n_epochs // record.every`` epochs long.
    proxy : classifier
        The clone after `n_epochs` epochs.

    Raises
    ------
    TypeError
        The proxy is none of these.
    ValueError
        The outputs of the proxy do not change from epoch to epoch, as with naive Bayes, or are no probabilities where these
        are expected; `y` does not hold class indices, one per row; or a parameter is out of range.
    RuntimeError
        The proxy stopped early.
    FloatingPointError
        The loss or an output is NaN or infinite.

    See Also
    --------
    DynamicsRecorder : Record a skorch net as it trains.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import GradientBoostingClassifier
    >>> from skprune.dynamics import collect_dynamics
    >>> X, y = load_iris(return_X_y=True)
    >>> dynamics, model = collect_dynamics(GradientBoostingClassifier(), X, y, n_epochs=4, random_state=0)
    >>> dynamics
    TrainingDynamics(n_epochs=4, n_samples=150)
    """
    collect = check_proxy(proxy)
    recording = as_recording(record)
    check_recording(recording, n_epochs)
    check_count("schedule_epochs", schedule_epochs, optional=True)
    as_given = not is_net(proxy) and (issparse(X) or is_frame(X) or is_texts(X))
    model = classifier = clone(proxy)
    X = X if as_given else np.asarray(items_as_input(model, X))
    check_equal_length(X, y)
    codes = class_indices(y)
    seed = int(random_state_of(random_state).randint(2**31 - 1))
    if not is_net(model):
        X = X if as_given else flat(X)
        seed_nested(model, np.random.RandomState(seed))
    if isinstance(model, Pipeline):
        classifier = model[-1]
        if len(model) > 1:
            transformer = model[:-1]
            X = transformer.fit_transform(X, codes)
            X = X if issparse(X) or hasattr(X, "columns") else np.asarray(X)  # the classifier sees it again in predict
            model.steps[:-1] = transformer.steps  # with memory= the fitted steps are clones
    run = RecordedRun(int(n_epochs), schedule_epochs, recording, memmap_folder, seed, verbose)
    return collect(classifier, X, codes, run), model


def check_proxy(proxy):
    """Refuse a proxy that cannot be recorded, and return the function that records it."""
    classifier = proxy[-1] if isinstance(proxy, Pipeline) else proxy
    if is_net(classifier) and classifier is not proxy:
        raise TypeError(
            f"A Pipeline used as proxy must not end in a net, got {type(classifier).__name__}. Transform X in steps before "
            "SemiPrune instead."
        )
    if is_net(classifier):
        from skprune.dynamics._collect_net import check_net, collect_net

        check_net(classifier)
        return collect_net
    return classifier_collector(classifier)
