"""The trial before any training: labeler, proxy and classifier at work on a few rows.

What fails on few rows may work on all: a model is refused only if it fails on more rows too, in the end on all of them.
"""

import random
import sys
import warnings
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import replace
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils._param_validation import InvalidParameterError

from skprune._pipeline._memory import warn_of_memory
from skprune._pipeline._stages import ReadsNoMissingLabels, label_pool
from skprune._pipeline._trial_rows import WHATEVER_THE_ROWS, few_rows, filled, refusal
from skprune._pipeline._trial_selection import try_selection
from skprune._utils._adapters import (
    as_input,
    clones_itself,
    holds_net,
    is_net,
    is_own_net,
    is_semi_supervised,
    items_as_input,
    torch_seeded,
)
from skprune._utils._given_rows import GivenRows
from skprune._utils._labels import MISSING
from skprune._utils._packed_models import unpack
from skprune._utils._pool import check_magnitude, take_rows
from skprune._utils._ranks import ALONE, training_with
from skprune._utils._state_tree import check_savable
from skprune._utils._trusted import UntrustedNames
from skprune._utils._warnings import warn_user
from skprune.dynamics import Recording, collect_dynamics

_FEW_ROWS, _FEW_ROWS_OF_NETS, _MORE_ROWS = 64, 8, 500
_FEW_CLASSES = 16
_AT_ONCE = (InvalidParameterError, ReadsNoMissingLabels)


def try_stages(settings, models, pool, codes, classes, units=None, final_model=None):
    """Refuse models, a difficulty or a selection that cannot work; nothing is kept, and no random state is moved."""
    warn_of_memory(settings, models, pool, codes, classes, in_groups=units is not None)
    table = pool.array if isinstance(pool, GivenRows) else pool
    if table is not None:
        check_magnitude(table)
    n_classes, recorded, doubts = len(classes), None, []
    with untouched():
        if models.labeler is not None and (codes == MISSING).any():
            labeler = models.labeler
            fitted = _climb("labeler", labeler, codes, lambda *step: _label(labeler, pool, codes, n_classes, *step))
            _check_kept(settings, "labeler", fitted)
        if not settings.uses_labeler_run:
            proxy, mode = models.proxy, settings.recording(len(codes), n_classes).mode
            recorded, fitted = _climb(
                "proxy", proxy, codes, lambda *step: _record(proxy, pool, codes, n_classes, mode, *step), doubts
            ) or (None, None)
            _check_kept(settings, "proxy", fitted)
        if final_model is not None:
            training = final_model.training
            _climb(
                "final model", training.proxy, codes, lambda *step: _predict(training, final_model.rows, codes, *step)
            )
        doubts.append(try_selection(settings, models.selection_seed, pool, codes, classes, recorded, units))
    for doubt in filter(None, doubts):
        warn_user(doubt)


def try_classifier(classifier, X, codes, classes, fit_params):
    """Refuse a classifier that cannot be fitted to rows of X; `fit_params` returns what its fit gets for some rows."""

    def fit(rows, few):
        model, labels = _quick(classifier, few), classes[filled(codes, rows)]
        shown = items_as_input(model, take_rows(X, rows))
        with torch_seeded(model, 0):
            if is_own_net(model):
                model.partial_fit(shown, labels, classes=classes)
            else:
                model.fit(shown, labels, **fit_params(rows))

    with untouched():
        _climb("estimator", classifier, codes, fit)


@contextmanager
def untouched():
    """Keep warnings to itself, leave the global random states as they were, and train in this process alone."""
    torch = sys.modules.get("torch")
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
    cuda = list(range(torch.cuda.device_count())) if torch is not None and torch.cuda.is_initialized() else []
    try:
        with nullcontext() if torch is None else torch.random.fork_rng(devices=cuda), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with training_with(ALONE):
                yield
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)


def _climb(role, model, codes, attempt, doubts=None):
    """Return what an attempt on few rows gives, else one on more; refuse what fails on all, or whatever the rows."""
    name = f"The {role} {type(model).__name__}"
    few = _FEW_ROWS_OF_NETS if holds_net(model) else _FEW_ROWS
    sizes = sorted({min(size, len(codes)) for size in (few, _MORE_ROWS, len(codes))})
    before = None
    for size in sizes:
        rows = few_rows(codes, size, most_classes=_FEW_CLASSES if size == few else None)
        try:
            return attempt(rows, size == few)
        except MemoryError:
            return None
        except FloatingPointError as error:  # numbers of other rows, or after more steps, may be finite
            if size == sizes[-1] and doubts is not None:  # a labeler, trained first, would say so soon itself
                doubts.append(f"{name} fails in a trial on {len(rows)} rows, so the fit may fail after hours: {error}")
        except Exception as error:
            again = type(error) is type(before) and isinstance(error, WHATEVER_THE_ROWS)
            if isinstance(error, _AT_ONCE) or again or size == sizes[-1]:
                raise refusal(name, error, f"on {len(rows)} rows") from error
            before = error
    return None


def _check_kept(settings, role, fitted):
    """Refuse a model that a checkpoint cannot keep; None is one of which nothing is known."""
    if settings.checkpoint is None or fitted is None:
        return
    try:
        check_savable(fitted)
    except Exception as error:
        reason = str(error).rstrip(".")
        if isinstance(error, UntrustedNames):
            reason = f"skprune does not know what reading {', '.join(error.names)} would do"
        raise TypeError(
            f"checkpoint= keeps no pickles, and cannot keep the {role} {type(fitted).__name__}: {reason}. Use memory= in its "
            "place, and define classes and functions at the top of a module."
        ) from error


def _label(labeler, pool, codes, n_classes, rows, few):
    """Fit a labeler to some rows, and return it."""
    model, shown = _quick(labeler, few), codes[rows]
    steps, net = (model[:-1], model[-1]) if isinstance(model, Pipeline) else (None, model)
    if not is_own_net(net):
        return unpack(model, label_pool(model, pool[rows], shown, 0, 0)["model"])
    X = as_input(model, pool[rows])
    X = X if steps is None or not len(steps) else steps.fit_transform(X, shown)
    net.partial_fit(X, shown, classes=np.arange(n_classes)).predict_proba(X)
    return model


def _record(proxy, pool, codes, n_classes, mode, rows, few):
    """Train a proxy on some rows for an epoch, and return its dynamics and the proxy."""
    model, labels = _quick(proxy, few), filled(codes, rows)
    recording = Recording(mode, kl=False)
    if not is_own_net(model):
        labels = np.unique(labels, return_inverse=True)[1]
        return collect_dynamics(
            model, as_input(model, pool[rows]), labels, n_epochs=1, record=recording, random_state=0
        )
    from skprune.dynamics import DynamicsRecorder

    recorder = ("dynamics_recorder", DynamicsRecorder(recording))
    model.set_params(callbacks=[recorder, *(model.callbacks or [])])
    X = as_input(model, pool[rows])
    model.partial_fit(X, labels, classes=np.arange(n_classes)).predict_proba(X)
    return dict(model.callbacks_)["dynamics_recorder"].dynamics_, model


def _predict(training, pool, codes, rows, few):
    """Train a final model on some rows, and predict them."""
    shown = codes.copy()
    shown[rows] = filled(codes, rows)
    replace(training, proxy=_quick(training.proxy, few)).predict(pool, rows, shown, rows)


def _quick(model, few):
    """Return an unfitted copy that trains for a step or an epoch, in silence, in one process and without compiling."""
    parts = {"": model, **model.get_params(deep=True)}
    model = deepcopy(model) if any(map(clones_itself, parts.values())) else clone(model)
    changes = {}
    for name, value in parts.items():
        parameter = name.rsplit("__", 1)[-1]
        if parameter == "verbose" and isinstance(value, Integral) and value > 0:
            changes[name] = 0
        elif parameter == "n_jobs" and value is not None:
            changes[name] = 1
        if is_net(value):
            prefix = name and f"{name}__"
            changes |= {f"{prefix}{key}": item for key, item in _quick_net(value, few).items()}
    model.set_params(**changes)
    return model


def _quick_net(net, few):
    """Return the parameters of a net for a trial; on few rows, with small batches and without the user's callbacks."""
    changes = {"max_epochs": 1, "compile": False, "verbose": 0}
    if is_own_net(net):
        changes["n_steps"] = 1 if is_semi_supervised(net) else None
    if few and not isinstance(net.callbacks, str):
        changes["callbacks"] = None
    if few and is_own_net(net):
        changes["batch_size"] = min(net.batch_size, _FEW_ROWS_OF_NETS // 2)
    if few and is_semi_supervised(net):
        changes["mu"] = 1
    return changes
