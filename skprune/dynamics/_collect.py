"""Train a proxy and record it: a skorch net, a classifier with partial_fit, or a staged one."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from skprune._utils._adapters import is_net
from skprune._utils._seeds import seed_nested
from skprune._utils._validation import check_equal_length, flat
from skprune.dynamics._checks import check_recording
from skprune.dynamics._recording import as_recording


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
    """Train a clone of a proxy for `n_epochs`, and record its training dynamics.

    Parameters
    ----------
    proxy : classifier
        One of

        - a skorch classifier, such as :class:`skprune.nets.NetClassifier`, with a softmax output (NLLLoss) or logits
          (CrossEntropyLoss); it trains on all rows, shuffled, without a validation split;
        - a classifier with ``partial_fit`` and ``predict_proba``, such as ``SGDClassifier(loss="log_loss")`` or
          ``MLPClassifier``: an epoch is one call of ``partial_fit`` on all rows in a new order;
        - a classifier with ``staged_predict_proba``, such as ``HistGradientBoostingClassifier``, or ``LGBMClassifier`` or
          ``XGBClassifier``: an epoch is a boosting stage;
        - a Pipeline that ends in one of the last two; the steps before are fitted once.

        The last three need no torch, and get images as flat rows.
    X : ndarray of shape (n_samples, ...)
        The pool; tables in float32 for nets that are not skprune's.
    y : array-like of shape (n_samples,), int
        Class indices 0..K-1: given and pseudo-labels.
    n_epochs : int
        Epochs to train.
    schedule_epochs : int, default=None
        Epochs that shape the learning rate of a NetClassifier, in place of its own `schedule_epochs`; None: its own, else
        `n_epochs`. Other proxies bring their own schedule.
    record : {"train", "eval"} or Recording, default="train"
        What is recorded: a :class:`Recording`, or its mode.
    memmap_folder : path-like, default=None
        A new folder for memory-mapped arrays, one ``.npy`` file each; None keeps them in memory.
    random_state : int, RandomState or None, default=None
        Seeds weights, order and augmentation of a proxy that has no `random_state` of its own, or None there.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    dynamics : TrainingDynamics
        The dynamics, ``n_epochs // record.every`` epochs long.
    proxy : classifier
        The fitted clone, as it was after `n_epochs`.

    Raises
    ------
    TypeError
        The proxy is none of these.
    ValueError
        The outputs of the proxy do not change from epoch to epoch, as those of naive Bayes; or `y` or
        `record` is refused.
    RuntimeError
        The proxy stopped early.
    FloatingPointError
        Loss or outputs turn NaN or infinite.

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
    X = np.asarray(X)
    check_equal_length(X, y)
    if np.ma.is_masked(y) or np.asarray(y).dtype.kind not in "iu" or np.asarray(y).min() < 0:
        raise ValueError("y must hold class indices 0..K-1, one for every row.")
    y = np.asarray(y, dtype=np.int64)
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    model = last = clone(proxy)
    if not is_net(model):
        X = flat(X)
        seed_nested(model, np.random.RandomState(seed))
    if isinstance(model, Pipeline):
        last = model[-1]
        if len(model) > 1:
            front = model[:-1]
            X = front.fit_transform(X, y)
            X = X if issparse(X) else np.asarray(X)
            model.steps[:-1] = front.steps  # with memory= the fitted ones are clones
    dynamics = collect(
        last,
        X,
        y,
        n_epochs=int(n_epochs),
        schedule_epochs=schedule_epochs,
        recording=recording,
        memmap_folder=memmap_folder,
        seed=seed,
        verbose=verbose,
    )
    return dynamics, model


def check_proxy(proxy):
    """Refuse a proxy that cannot be recorded, and find the function that records it."""
    last = proxy[-1] if isinstance(proxy, Pipeline) else proxy
    if is_net(last) and last is not proxy:
        raise TypeError(
            f"A Pipeline as proxy ends in a classifier that is no net, got {type(last).__name__}. Transform X first, by steps "
            "before SemiPrune."
        )
    if is_net(last):
        from skprune.dynamics._collect_net import check_net, collect_net

        check_net(last)
        return collect_net
    from skprune.dynamics import _collect_classifier

    return _collect_classifier.collector_of(last)
