"""Labelers and proxies: whether they are nets, what they read. torch is imported for nets alone."""

import sys
from contextlib import contextmanager
from dis import opname

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin
from sklearn.dummy import DummyClassifier
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from skprune._utils._axes import has_plain_axes
from skprune._utils._columns import describe_columns
from skprune._utils._given_rows import GivenRows, holds_numbers
from skprune._utils._items import is_items, tensor_as_array
from skprune._utils._labels import MISSING, codes_of_keys
from skprune._utils._pool import ENCODE_FIRST, VECTORIZE_FIRST, NotNumbers, as_pool, flat

_SELF_TRAINING = "SelfTrainingClassifier"  # which reads X itself, as others around an estimator do not
_READ_COLUMNS = ("ColumnTransformer", "FeatureUnion", "FunctionTransformer", "SimpleImputer")

_KEYED_BY_CLASS = ("class_weight", "sampling_strategy")  # of scikit-learn and LightGBM, of imbalanced-learn


def is_net(estimator):
    """Tell whether an estimator is a skorch net, without importing torch."""
    skorch = sys.modules.get("skorch")
    return skorch is not None and isinstance(estimator, skorch.NeuralNet)


def is_own_net(estimator):
    """Tell whether an estimator is a net of skprune, without importing torch."""
    return getattr(estimator, "_is_skprune_net", False)


def holds_net(estimator):
    """Tell whether an estimator is a skorch net or has one among its parameters."""
    return any(map(is_net, (estimator, *estimator.get_params(deep=True).values())))


def or_constant(classifier, labels):
    """Return a classifier, or where all labels are of one class, which many classifiers refuse, one that predicts that class."""
    return DummyClassifier() if (labels == labels[0]).all() else classifier


def last_step(estimator):
    """Return what a Pipeline ends in, and any other estimator as it is."""
    return estimator[-1] if isinstance(estimator, Pipeline) else estimator


def clones_itself(value):
    """Tell whether an object has a way of its own to be cloned, as a frozen estimator, which is returned as it is."""
    ways = getattr(type(value), "__sklearn_clone__", BaseEstimator.__sklearn_clone__)
    return ways is not BaseEstimator.__sklearn_clone__


def as_input(estimator, pool):
    """Return a pool as an estimator reads it: nets get arrays, all others what the user gave."""
    is_given = isinstance(pool, GivenRows)
    if is_net(estimator):
        array = pool.as_array(estimator) if is_given else pool
        return array if is_own_net(estimator) else array.astype(np.float32, copy=False)
    if not is_given:
        return flat(pool)
    if issparse(pool.given) and not all(map(_reads_sparse, _first_readers(estimator))):
        return pool.as_array()
    return pool.given


def tell_axes(estimator, pool):
    """Set `image_shape` where it is None, for images of a pool whose axes would be read in another way."""
    if isinstance(pool, GivenRows) or pool.ndim != 4 or has_plain_axes(pool.shape[1:]):
        return estimator
    shapes = {
        name: pool.shape[1:]
        for name, value in estimator.get_params(deep=True).items()
        if name.rsplit("__", 1)[-1] == "image_shape" and value is None
    }
    estimator.set_params(**shapes)
    return estimator


def items_as_input(estimator, X, like=()):
    """Return Datasets, images and tensors as an array that an estimator reads, once it knows the axes; other data as they are."""
    if hasattr(X, "detach"):
        return tensor_as_array(X)
    if not is_items(X):
        return X
    pool = as_pool(X, like=like)
    return as_input(tell_axes(estimator, pool), pool)


def check_readable(estimator, pool):
    """Refuse a pool that an estimator cannot read, by the columns that it cannot; of unknown estimators nothing is said."""
    if holds_numbers(pool):
        return
    if is_net(estimator):
        pool.as_array(estimator)
    for step in _first_readers(estimator):
        name, parameters = type(step).__name__, step.get_params(deep=False)
        is_open = name in _READ_COLUMNS or "categorical_features" in parameters
        passes_on = "estimator" in parameters and name != _SELF_TRAINING
        if is_open or passes_on or not type(step).__module__.startswith("sklearn."):
            return
        tags = get_tags(step).input_tags
        reads_text = tags.string or tags.categorical
        if pool.is_texts and not reads_text:
            raise NotNumbers(f"X holds texts, and {name} reads numbers only. {VECTORIZE_FIRST}")
        if pool.is_texts or reads_text:
            return
        columns = pool.columns()
        allows_nan = tags.allow_nan or name == _SELF_TRAINING
        bad = [column for column in columns if column.kind != "number" or (column.missing.any() and not allows_nan)]
        if bad:
            raise NotNumbers(f"X holds {describe_columns(bad)}, and {name} does not read them. {ENCODE_FIRST}")


def _reads_sparse(estimator):
    return hasattr(estimator, "__sklearn_tags__") and get_tags(estimator).input_tags.sparse


def _first_readers(estimator):
    """Return the steps that read X, the first one and those after steps that leave the kind of its cells as it is."""
    readers = []
    for _, step in estimator.steps if isinstance(estimator, Pipeline) else [("", estimator)]:
        if step is None or step == "passthrough":
            continue
        if isinstance(step, Pipeline):
            return readers + _first_readers(step)
        readers.append(step)
        inner = step.get_params(deep=False).get("estimator")
        if hasattr(inner, "get_params"):
            return readers + _first_readers(inner)
        if not isinstance(step, (OneToOneFeatureMixin, SelectorMixin)):
            break
    return readers


def is_semi_supervised(estimator):
    """Tell whether an estimator is a semi-supervised net of skprune."""
    return getattr(estimator, "_semi_supervised", False)


def class_keyed(estimator):
    """Return the dicts keyed by class among the parameters of an estimator, by the names of these, at any depth."""
    return {
        name: value
        for name, value in estimator.get_params(deep=True).items()
        if isinstance(value, dict) and name.rsplit("__", 1)[-1] in _KEYED_BY_CLASS
    }


def read_class_indices(estimator, classes):
    """Set what names classes of y, or the mark of a missing label, in an estimator that is given class indices."""
    changes = {name: MISSING for name in estimator.get_params(deep=True) if name.rsplit("__", 1)[-1] == "missing_label"}
    for name, value in class_keyed(estimator).items():
        changes[name] = codes_of_keys(value, classes, name)
        if name.rsplit("__", 1)[-1] == "class_weight":  # one for each class, as a fit may lack some
            changes[name] = dict.fromkeys(range(len(classes)), 1) | changes[name]
    estimator.set_params(**changes)


@contextmanager
def torch_seeded(estimator, seed):
    """Seed torch's global generators within the block, where torch is in use at all; Ctrl-C ends it for every net."""
    if "torch" not in sys.modules:
        yield
        return
    from skprune._utils._device import resolve_device, seeded

    with seeded(seed, resolve_device(getattr(estimator, "device", "cpu"))), interruptible(estimator):
        yield


def renumber_classes(estimator, codes):
    """Set what names class indices in an estimator that is given their positions among some of them."""
    changes = {
        name: {position: value[code] for position, code in enumerate(codes.tolist()) if code in value}
        for name, value in class_keyed(estimator).items()
    }
    estimator.set_params(**changes)


def stops_training(interrupt):
    """Tell the KeyboardInterrupt that a callback raises after an epoch, as skorch's EarlyStopping does, from Ctrl-C meanwhile."""
    names, place = [], interrupt.__traceback__
    while True:
        code = place.tb_frame.f_code
        names.append(code.co_name)
        if place.tb_next is None:
            break
        place = place.tb_next
    return "on_epoch_end" in names and opname[code.co_code[place.tb_lasti]] == "RAISE_VARARGS"


class _Interrupted(BaseException):
    """A KeyboardInterrupt under a name that skorch does not swallow."""


@contextmanager
def interruptible(estimator):
    """Let Ctrl-C end the block though a skorch net swallows it; its callbacks may still stop the training early."""
    if not is_net(estimator) or is_own_net(estimator):
        yield
        return
    fit_loop = estimator.fit_loop

    def watched(*args, **kwargs):
        try:
            return fit_loop(*args, **kwargs)
        except KeyboardInterrupt as interrupt:
            if stops_training(interrupt):
                raise
            raise _Interrupted from interrupt

    estimator.fit_loop = watched
    try:
        yield
    except _Interrupted as error:
        raise KeyboardInterrupt from error.__cause__
    finally:
        vars(estimator).pop("fit_loop", None)
