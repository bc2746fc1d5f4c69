"""The two expensive stages, labelling and recording: kept by key, arrays in and arrays out.

Stages return arrays, network weights among them, from which fitted nets are rebuilt; other models are returned as they
are and go through joblib where they are kept.
"""

import os
import tempfile
from pathlib import Path

import joblib
import numpy as np
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_memory
from skorch import NeuralNet

from skprune._labels import MISSING
from skprune._validation import flat
from skprune.dynamics import TrainingDynamics, collect_dynamics
from skprune.dynamics._collect import net_input
from skprune.nets import NetClassifier
from skprune.nets._base import BaseNet
from skprune.nets._device import resolve_device, resolve_precision, seeded
from skprune.semi_supervised import FixMatch

CACHE_VERSION = 1
LABELERS = {"fixmatch": FixMatch}
_NOT_IN_KEYS = ("verbose", "n_jobs")


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
    with seeded(seed, resolve_device(getattr(labeler, "device", "cpu"))):
        labeler.fit(X, codes)
    classes = np.asarray(labeler.classes_)
    if MISSING in classes:
        raise ValueError(
            f"The labeler {type(labeler).__name__} took -1 for a class. Use a semi-supervised classifier, which reads it as "
            "unlabelled, such as FixMatch, LabelSpreading or SelfTrainingClassifier(your_classifier)."
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


class StageStore:
    """Run a stage once: in the joblib cache `memory`, in the folder `checkpoint`, or in neither.

    Parameters
    ----------
    memory : None, str or joblib.Memory
        As in ``sklearn.pipeline.Pipeline``.
    checkpoint : None or path-like
        A folder; each finished stage is one file in it, written whole or not at all.
    device : str
        Of the nets, for the keys.
    is_image : bool
        Whether the pool holds images, for the keys.
    """

    def __init__(self, memory, checkpoint, device, is_image):
        self.memory = check_memory(memory)
        self.checkpoint = None if checkpoint is None else Path(checkpoint)
        if self.checkpoint is not None and self.checkpoint.exists() and not self.checkpoint.is_dir():
            raise ValueError(f"checkpoint must name a folder, and {self.checkpoint} is a file.")
        self.kept = memory is not None or checkpoint is not None
        device = resolve_device(device)
        self.context = (CACHE_VERSION, device.type, resolve_precision("auto", device, is_image))

    def run(self, stage, model, /, *, verbose, **arguments):
        """Return the result of a stage, made now or before.

        Parameters
        ----------
        stage : callable
            ``label_pool`` or ``record_pool``.
        model : estimator
            Unfitted, its first argument.
        verbose : int
            Its argument that is not part of the key.
        **arguments
            Its other arguments, all part of the key.

        Returns
        -------
        dict
            The result.
        """
        if not self.kept:
            return stage(model, verbose=verbose, **arguments)
        key = self._key(stage, model, arguments)
        if self.checkpoint is None:
            return self._cached(stage, key, model, verbose, arguments)
        file = self.checkpoint / f"{stage.__name__}-{key}.joblib"
        if file.exists():
            return self._read(file)
        result = self._cached(stage, key, model, verbose, arguments)
        self._write(result, file)
        return result

    def _cached(self, stage, key, model, verbose, arguments):
        call = self.memory.cache(_call, ignore=["model", "verbose", "arguments", "stage"])
        return call(stage.__name__, key, stage=stage, model=model, verbose=verbose, arguments=arguments)

    def _key(self, stage, model, arguments):
        try:
            return joblib.hash((self.context, stage.__name__, describe(model), sorted(arguments.items())))
        except Exception as error:
            raise ValueError(
                f"The parameters of {type(model).__name__} cannot be hashed, which memory and checkpoint need: {error}. Use "
                "functions and classes defined at the top of a module instead of lambdas and instances."
            ) from error

    def _read(self, file):
        try:
            return joblib.load(file)
        except Exception as error:
            raise ValueError(
                f"The checkpoint {file} cannot be read: {error!r}. Delete it to run its stage again."
            ) from error

    def _write(self, result, file):
        self.checkpoint.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=self.checkpoint, prefix=file.stem, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                joblib.dump(result, stream)
            os.replace(unfinished, file)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise


def _call(name, key, *, stage, model, verbose, arguments):
    return stage(model, verbose=verbose, **arguments)


def describe(value):
    """Turn an estimator and what it holds into plain tuples that hash the same in every process.

    Parameters
    ----------
    value : object
        An estimator, or a parameter of one.

    Returns
    -------
    object
        Estimators as (class name, parameters), without `verbose` and `n_jobs`.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> describe(GaussianNB())[0]
    'sklearn.naive_bayes.GaussianNB'
    """
    if isinstance(value, (torch.nn.Module, torch.Tensor)):
        raise TypeError(f"an instance of {type(value).__name__}")
    if (
        getattr(type(value), "__sklearn_clone__", BaseEstimator.__sklearn_clone__)
        is not BaseEstimator.__sklearn_clone__
    ):
        return value  # a frozen estimator: what it has learnt is part of the key
    if hasattr(value, "get_params") and not isinstance(value, type):
        kind, parameters = type(value), []
        for name, item in sorted(value.get_params(deep=False).items()):
            if name == "device" and isinstance(value, NeuralNet):
                item = resolve_device(item).type
            if name not in _NOT_IN_KEYS:
                parameters.append((name, describe(item)))
        return f"{kind.__module__}.{kind.__qualname__}", parameters
    if isinstance(value, (list, tuple)):
        return [describe(item) for item in value]
    if isinstance(value, dict):
        return [(str(key), describe(item)) for key, item in value.items()]
    return value


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
