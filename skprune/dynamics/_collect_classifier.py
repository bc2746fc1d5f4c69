"""Record classifiers other than nets: those with partial_fit and staged ones. No torch."""

import inspect

import numpy as np
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from tqdm import tqdm

from skprune._utils._mapped import row_chunks
from skprune._utils._pool import take_rows
from skprune._utils._proba import proba_parts
from skprune._utils._time_limit import active_limit
from skprune._utils._trusted import names_in
from skprune.dynamics._builder import DynamicsBuilder
from skprune.dynamics._checks import check_length
from skprune.dynamics._reduce import first_fault
from skprune.dynamics._training_dynamics import TrainingDynamics
from skprune.nets._running import take_running

_NAIVE_BAYES = (BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB)
_NEARLY_ALL = 0.98  # of the labels
_LEAST_CHANGE = 1e-6
_STAGES = ("n_estimators", "max_iter", "iterations")
_ALIASES = (  # CatBoost's and LightGBM's, which win
    "num_trees",
    "num_boost_round",
    "num_iterations",
    "num_iteration",
    "n_iter",
    "num_tree",
    "num_round",
    "num_rounds",
    "nrounds",
)


def classifier_collector(proxy):
    """Return the function that records a classifier, or say why there is none."""
    name = type(proxy).__name__
    if isinstance(proxy, _NAIVE_BAYES):
        raise ValueError(
            f"proxy must learn step by step, and {name} learns everything in one pass: its outputs do not change and so show no "
            "difficulty."
        )
    is_instance = hasattr(proxy, "get_params") and not isinstance(proxy, type)
    parameters = proxy.get_params(deep=False) if is_instance else {}
    if parameters.get("solver") == "lbfgs":
        raise ValueError(
            f"proxy must learn step by step, and {name}(solver='lbfgs') trains in one call and shows no epochs. Use "
            "solver='adam' for MLPClassifier, and SGDClassifier(loss='log_loss') for a linear model."
        )
    is_staged = is_instance and (hasattr(proxy, "staged_predict_proba") or _prefix_keyword(proxy))
    is_partial = is_instance and hasattr(proxy, "partial_fit")
    if parameters.get("booster") == "gblinear":
        raise ValueError(
            f"proxy must learn step by step, and {name}(booster='gblinear') predicts with all its rounds at once. Use another "
            "booster, or SGDClassifier(loss='log_loss') for a linear model."
        )
    if (is_staged or is_partial) and not hasattr(proxy, "predict_proba"):
        raise TypeError(f"proxy must give probabilities, but {name} has no predict_proba with these parameters.")
    if not is_staged and not is_partial:
        raise TypeError(
            "proxy must be a classifier whose training can be watched: one of skorch (such as "
            f"skprune.nets.NetClassifier), one with partial_fit, or one with staged_predict_proba; got {name}."
        )
    if is_staged and not _stages_parameters(proxy):
        raise TypeError(
            f"proxy must have its number of stages in a parameter such as n_estimators or max_iter, and {name} has none."
        )
    stop = "n_iter_no_change" if "early_stopping" not in parameters and "validation_fraction" in parameters else None
    for key in ("early_stopping", "early_stopping_rounds", stop):
        if parameters.get(key) not in (None, False, "auto"):
            raise ValueError(f"{key}={parameters[key]!r} of the proxy {name} stops the training early. Turn it off.")
    return collect_staged if is_staged else collect_partial_fit


def collect_partial_fit(model, X, y, run):
    """Train a classifier by ``partial_fit``, and record it after each pass."""
    rng, running = np.random.default_rng(run.seed), take_running()
    state = None if running is None else running.read(run.seed, names_in(model))
    order_chunks = row_chunks(X) if isinstance(X, np.ndarray) else [slice(0, len(y))]
    with ClassifierRecorder(y, run) as recorder:
        if state is not None:
            vars(model).update(vars(state["model"]))
            rng.bit_generator.state = state["generator"]
            recorder.load_state_dict(state["recorder"])
        for _ in range(recorder.n_trained, run.n_epochs):
            order = rng.permutation(len(y))
            for rows in (order[chunk] for chunk in order_chunks):
                model.partial_fit(take_rows(X, rows), y[rows], classes=recorder.classes)
            is_last = recorder.is_cut()
            recorder.record(proba_parts(model, X, len(recorder.classes)))
            if running is not None and (is_last or running.is_due()):
                parts = {"recorder": recorder.state_dict(), "generator": rng.bit_generator.state}
                running.write({"seed": run.seed, "model": model, **parts})
            if is_last:
                break
        return recorder.dynamics(model)


def collect_staged(model, X, y, run):
    """Train a boosted classifier of as many stages as epochs, and record each stage."""
    parameters = model.get_params(deep=False)
    model.set_params(**dict.fromkeys(_stages_parameters(model), run.n_epochs))
    if parameters.get("early_stopping") == "auto":
        model.set_params(early_stopping=False)
    keyword = _prefix_keyword(model)
    with ClassifierRecorder(y, run) as recorder:
        if keyword == "iteration_range" and recorder.classes[-1] >= len(recorder.classes):
            empty = np.setdiff1d(np.arange(recorder.classes[-1]), recorder.classes)[0]
            raise ValueError(f"{type(model).__name__} needs rows of every class, but class {empty} has none.")
        if recorder.limit is not None:
            recorder.limit.check_left(type(model).__name__)
        model.fit(X, y)
        if keyword is None:
            for proba in model.staged_predict_proba(X):
                recorder.record([(slice(0, len(y)), proba)])
        else:
            for stage in range(1, run.n_epochs + 1):
                prefix = stage if keyword == "num_iteration" else (0, stage)
                recorder.record(_stage(model, X, len(y), **{keyword: prefix}))
        return recorder.dynamics(model)


def _stage(model, X, n_rows, **prefix):
    """Yield all rows and what a model predicts for them with its first stages."""
    yield slice(0, n_rows), model.predict_proba(X, **prefix)


def _prefix_keyword(model):
    """Return the keyword by which LightGBM and XGBoost predict with their first stages, None for others."""
    known = inspect.signature(model.predict_proba).parameters if hasattr(model, "predict_proba") else ()
    return next((name for name in ("num_iteration", "iteration_range") if name in known), None)


def _stages_parameters(model):
    """Return the names of parameters that are the number of stages; CatBoost and LightGBM list some once they are set."""
    known = model.get_params(deep=False), inspect.signature(type(model).__init__).parameters
    for names in known:
        found = [name for name in _STAGES if name in names][:1] + [name for name in _ALIASES if name in names]
        if found:
            return found
    return []


class ClassifierRecorder:
    """Record a classifier that predicts all rows after an epoch; its progress bar closes with the block."""

    def __init__(self, y, run):
        self.classes, self.codes = np.unique(y, return_inverse=True)
        self.run, self.every = run, run.recording.every
        self.builder = DynamicsBuilder(
            len(y), run.n_epochs // self.every, kl=run.recording.kl, memmap_folder=run.memmap_folder
        )
        self.n_trained, self.limit = 0, active_limit()

    def __enter__(self):
        self.bar = tqdm(
            total=self.run.n_epochs, desc="recording", unit="epoch", dynamic_ncols=True, disable=not self.run.verbose
        )
        return self

    def __exit__(self, *error):
        self.bar.close()

    def state_dict(self):
        """Return what has been recorded so far."""
        return {"builder": self.builder.state_dict(), "n_trained": self.n_trained}

    def load_state_dict(self, state):
        """Go on with the recording of a run before."""
        self.builder.load_state_dict(state["builder"])
        self.n_trained = state["n_trained"]
        self.bar.update(self.n_trained)

    def is_cut(self):
        """Tell whether a time limit ends the training after the present epoch."""
        return self.limit is not None and self.limit.cuts(self.n_trained + 1, self.run.n_epochs, "epoch")

    def record(self, parts):
        """Count an epoch, and record the predictions if its turn has come: slices of rows, and their probabilities."""
        self.n_trained += 1
        self.bar.update()
        if self.n_trained % self.every:
            return
        self.builder.start_epoch()
        last = self.limit is not None or self.n_trained > self.run.n_epochs - self.every  # any may be the last
        for rows, proba in parts:
            proba = np.asarray(proba)
            fault = first_fault(proba, logits=False)
            if fault is not None:
                error = ValueError if fault.is_finite else FloatingPointError
                row = rows.start + fault.row
                advice = "" if fault.is_finite else " Scale the columns of X, in a Pipeline with StandardScaler."
                raise error(f"The proxy's output for row {row} {fault.what} in epoch {self.n_trained}.{advice}")
            self.builder.add(rows, proba, self.codes[rows], logits=False, last=last)

    def _advice(self, model, proba):
        """Return what may help a classifier whose probabilities of the labels stand still."""
        n_alike = int(np.bincount(self.codes).max())
        if n_alike > _NEARLY_ALL * len(proba):
            return (
                f"{n_alike} of {len(proba)} labels are of one class. If a labeler gave them, give it more labels of the others, "
                "or use another one."
            )
        if np.minimum(proba, 1.0 - proba).max() < _LEAST_CHANGE:
            return (
                "They are 0 or 1 from the first epoch on: scale the columns of X, in a Pipeline with StandardScaler, or lower "
                "the learning rate."
            )
        if hasattr(model, "staged_predict_proba") or _prefix_keyword(model):
            return (
                f"No stage divides the {len(proba)} rows, which may be too few: lower its least number of rows in a leaf "
                "(min_samples_leaf, min_child_samples, min_child_weight)."
            )
        return "Use a classifier that learns step by step."

    def dynamics(self, model):
        """Return the dynamics; refuse those that ended early or stand still."""
        check_length(self.n_trained, self.run.n_epochs)
        dynamics = TrainingDynamics._from_arrays(self.builder.arrays())
        first = dynamics.target_proba[0]
        if dynamics.n_epochs > 1 and all(
            np.abs(epoch - first).max() < _LEAST_CHANGE for epoch in dynamics.target_proba
        ):
            raise ValueError(
                f"The outputs of {type(model).__name__} do not change from epoch to epoch and so show no difficulty. "
                f"{self._advice(model, first)}"
            )
        return dynamics
