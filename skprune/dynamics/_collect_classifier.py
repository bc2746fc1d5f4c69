"""Record classifiers that are no nets: those with partial_fit, and staged ones. No torch."""

import inspect

import numpy as np
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB

from skprune.dynamics._builder import DynamicsBuilder
from skprune.dynamics._checks import check_length
from skprune.dynamics._reduce import first_not_finite

_NAIVE_BAYES = (BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB)
_STEADY = 1e-6


def collector_of(proxy):
    """Return the function that records a classifier, or say why there is none."""
    name = type(proxy).__name__
    if isinstance(proxy, _NAIVE_BAYES):
        raise ValueError(f"{name} learns all it can in one pass: its outputs do not change, and give no difficulty.")
    instance = hasattr(proxy, "get_params") and not isinstance(proxy, type)
    parameters = proxy.get_params(deep=False) if instance else {}
    if parameters.get("solver") == "lbfgs":
        raise ValueError(
            f"{name}(solver='lbfgs') trains in one call and shows no epochs. Use solver='adam' for MLPClassifier, and "
            "SGDClassifier(loss='log_loss') for a linear model."
        )
    staged = instance and (hasattr(proxy, "staged_predict_proba") or _prefix_keyword(proxy))
    partial = instance and hasattr(proxy, "partial_fit")
    if (staged or partial) and not hasattr(proxy, "predict_proba"):
        raise TypeError(f"proxy must give probabilities, and {name} has no predict_proba with these parameters.")
    if not staged and not partial:
        raise TypeError(
            "proxy must be a classifier whose training can be watched: one of skorch (such as "
            f"skprune.nets.NetClassifier), one with partial_fit, or one with staged_predict_proba; got {name}."
        )
    if staged and _stages_of(parameters) is None:
        raise TypeError(f"The number of stages of {name} is none of its parameters n_estimators and max_iter.")
    stop = "n_iter_no_change" if "early_stopping" not in parameters and "validation_fraction" in parameters else None
    for key in ("early_stopping", "early_stopping_rounds", stop):
        if parameters.get(key) not in (None, False, "auto"):
            raise ValueError(f"{key}={parameters[key]!r} of {name} stops the training early. Turn it off.")
    return collect_staged if staged else collect_partial_fit


def collect_partial_fit(model, X, y, *, n_epochs, schedule_epochs, recording, memmap_folder, seed, verbose):
    """Train a classifier by ``partial_fit``, and record it behind each pass."""
    rng = np.random.default_rng(seed)
    log = _Log(y, n_epochs, recording, memmap_folder, verbose)
    for _ in range(n_epochs):
        order = rng.permutation(len(y))
        model.partial_fit(X[order], y[order], classes=log.classes)
        log.add(lambda: model.predict_proba(X))
    return log.dynamics(model)


def collect_staged(model, X, y, *, n_epochs, schedule_epochs, recording, memmap_folder, seed, verbose):
    """Train a boosted classifier of `n_epochs` stages, and record each stage."""
    parameters = model.get_params(deep=False)
    model.set_params(**{_stages_of(parameters): n_epochs})
    if parameters.get("early_stopping") == "auto":
        model.set_params(early_stopping=False)
    log = _Log(y, n_epochs, recording, memmap_folder, verbose)
    keyword = _prefix_keyword(model)
    if keyword == "iteration_range" and log.classes[-1] >= len(log.classes):
        empty = np.setdiff1d(np.arange(log.classes[-1]), log.classes)[0]
        raise ValueError(f"{type(model).__name__} needs rows of every class, and class {empty} has none.")
    model.fit(X, y)
    if keyword is None:
        for proba in model.staged_predict_proba(X):
            log.add(lambda proba=proba: proba)
    else:
        for stage in range(1, n_epochs + 1):
            prefix = stage if keyword == "num_iteration" else (0, stage)
            log.add(lambda prefix=prefix: model.predict_proba(X, **{keyword: prefix}))
    return log.dynamics(model)


def _prefix_keyword(model):
    """Return the keyword by which LightGBM and XGBoost predict with their first stages, None for others."""
    known = inspect.signature(model.predict_proba).parameters if hasattr(model, "predict_proba") else ()
    return next((name for name in ("num_iteration", "iteration_range") if name in known), None)


def _stages_of(parameters):
    """Return which parameter is the number of stages, None where it is not known."""
    return next((name for name in ("n_estimators", "max_iter") if name in parameters), None)


class _Log:
    """The dynamics of a classifier that gives probabilities of all rows at once."""

    def __init__(self, y, n_epochs, recording, memmap_folder, verbose):
        self.classes, self.codes = np.unique(y, return_inverse=True)
        self.n_epochs, self.every = n_epochs, recording.every
        self.builder = DynamicsBuilder(
            len(y), n_epochs // recording.every, kl=recording.kl, memmap_folder=memmap_folder
        )
        self.bar = _bar(n_epochs) if verbose else None
        self.trained = 0

    def add(self, predict):
        """Count an epoch, and record it where its turn has come."""
        self.trained += 1
        if self.bar is not None:
            self.bar.update()
        if self.trained % self.every:
            return
        proba = np.asarray(predict())
        bad = first_not_finite(proba)
        if bad is not None:
            raise FloatingPointError(f"The proxy's output for row {bad} is not finite in epoch {self.trained}.")
        self.builder.start_epoch()
        last = self.trained > self.n_epochs - self.every
        self.builder.add(slice(None), proba, self.codes, logits=False, last=last)

    def dynamics(self, model):
        """Return the dynamics; refuse those that end early, or stand still."""
        if self.bar is not None:
            self.bar.close()
        check_length(self.trained, self.n_epochs)
        dynamics = self.builder.build()
        steady = all(np.abs(epoch - dynamics.target_proba[0]).max() < _STEADY for epoch in dynamics.target_proba)
        if steady and dynamics.n_epochs > 1:
            raise ValueError(
                f"The outputs of {type(model).__name__} do not change from epoch to epoch, and give no difficulty. Use a "
                "classifier that learns step by step."
            )
        return dynamics


def _bar(n_epochs):
    from tqdm.auto import tqdm

    return tqdm(total=n_epochs, desc="recording", unit="epoch", dynamic_ncols=True)
