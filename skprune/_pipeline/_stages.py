"""The expensive stages, labeling and recording: arrays in and arrays out, each call through the store.

Stages return arrays, network weights among them, from which fitted nets are rebuilt; other models are returned as they
are, and are written without pickles where a checkpoint keeps them. torch is imported where a net is used, and only there.
"""

import warnings
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend
from sklearn.base import clone

from skprune._pipeline._divergence import with_rate
from skprune._pipeline._models import repeats_of
from skprune._pipeline._outputs import warn_of_no_learning
from skprune._pipeline._stage_cache import StageCache
from skprune._pipeline._stage_clock import StageClock
from skprune._pipeline._time_plan import warn_of_cut
from skprune._utils._adapters import as_input, is_net, is_own_net, last_step, renumber_classes, tell_axes, torch_seeded
from skprune._utils._labels import MISSING, VANISHED, warn_of_vanished
from skprune._utils._packed_models import pack, unpack
from skprune._utils._parallel import shipped_once
from skprune._utils._proba import proba_parts
from skprune._utils._ranks import active_ranks
from skprune._utils._seeds import seed_nested
from skprune._utils._time_limit import limited
from skprune._utils._warnings import warn_user
from skprune.dynamics import TrainingDynamics, collect_dynamics
from skprune.dynamics._checks import check_length
from skprune.dynamics._combine import first_epochs_of
from skprune.dynamics._training_dynamics import dynamics_from
from skprune.nets._features import proxy_features


@dataclass(frozen=True)
class StageResults:
    """What the stages found out about each row, and the fitted models; no confidence and labeler where all labels are given."""

    codes: np.ndarray
    confidence: np.ndarray | None
    repeats: list
    features: np.ndarray
    labeler: object
    proxy: object
    cut: dict

    @property
    def dynamics(self):
        """The dynamics, averaged over the repeats."""
        return self.repeats[0] if len(self.repeats) == 1 else TrainingDynamics.average(self.repeats)


class ReadsNoMissingLabels(ValueError):
    """A labeler that takes -1 for a class."""


def run_stages(
    settings, models, pool, codes, classes, *, known=None, before=lambda: None, clock=None, start=None, plan=None
):
    """Label, from the weights of a packed net `start` if there is one, and record, or find that; known labels replace others."""
    clock = clock or StageClock()
    store = StageCache(settings, is_image=pool.ndim == 4)
    recording = {"n_epochs": int(settings.n_epochs), "record": settings.recording(len(codes), len(classes))}
    labeled, cut = {"codes": codes, "confidence": None}, {}
    if (codes == MISSING).any():
        stage, options = label_pool, {} if start is None else {"start": start}
        if settings.uses_labeler_run:
            recording["record"].set_params(mode="eval")  # as it is recorded whatever the mode says: one key
            stage, options = label_and_record, recording | ({} if known is None else {"known": known})
        with clock.time("labeling"):
            labeled = store.run(
                stage,
                models.labeler,
                verbose=settings.verbose,
                before=before,
                limit=plan and partial(plan.limit, "labeling"),
                pool=pool,
                codes=codes,
                seed=models.stage_seed,
                **options,
            )
        if "cut" in labeled:
            cut["labeling"] = labeled["cut"]
            store = store.keeping_nothing()  # the next fit goes on with the labeling, and records other labels
            warn_of_cut(settings.time_limit, "labeling", labeled["cut"])
        last = last_step(models.labeler)
        _warn_of_undecided(labeled["undecided"][codes == MISSING], last)
        warn_of_vanished(labeled["codes"][codes == MISSING], classes, last)
    if known is not None:
        labeled = labeled | {"codes": np.where(known == MISSING, labeled["codes"], known)}
    labeler = _fitted(models.labeler, labeled) if "model" in labeled else None
    if settings.uses_labeler_run:
        recorded, proxy = [labeled], labeler
    else:
        recording |= {"schedule_epochs": int(settings.schedule_epochs), "pool": pool, "codes": labeled["codes"]}
        with clock.time("recording"):
            recorded = _record_repeats(settings, store, models, recording, before, plan)
        proxy = _fitted(models.proxy, recorded[0])
    shortest = min(len(result["dynamics"]["target_proba"]) for result in recorded)
    where = next((result["cut"] for result in recorded if "cut" in result), None)
    if where is not None and not settings.uses_labeler_run:
        n_done = shortest * recording["record"].every
        cut["recording"] = replace(where, n_done=n_done, n_planned=recording["n_epochs"], unit="epoch")
        warn_of_cut(settings.time_limit, "recording", cut["recording"])
    repeats = [dynamics_from(first_epochs_of(result["dynamics"], shortest)) for result in recorded]
    warn_of_no_learning(repeats[0], labeled["codes"], proxy)
    return StageResults(
        codes=labeled["codes"],
        confidence=labeled["confidence"],
        repeats=repeats,
        features=recorded[0]["features"],
        labeler=labeler,
        proxy=proxy,
        cut=cut,
    )


def _fitted(template, result):
    """Rebuild the model of a result, with the learning rate that it was trained with."""
    return unpack(with_rate(template, result.get("lr")), result["model"])


def _warn_of_undecided(undecided, labeler):
    """Warn of rows to which a labeler gives equal probabilities."""
    if undecided.any():
        hint = ", or let it see more neighbors" if hasattr(labeler, "n_neighbors") else ""
        warn_user(
            f"{type(labeler).__name__} cannot tell the class of {int(undecided.sum())} of {len(undecided)} rows without a label: "
            f"all classes are equally probable. Label rows near them{hint}."
        )


def _record_repeats(settings, store, models, recording, before, plan):
    """Record each repeat, in processes where the user asks for them."""
    calls = [
        (proxy, recording | {"features": number == 0, "seed": seed})
        for number, (proxy, seed) in enumerate(repeats_of(models.proxy, models.stage_seed, settings.n_repeats))
    ]
    # Threads would share torch's global generator; inside the worker of a grid search, joblib has nothing else to give.
    only_threads = getattr(get_active_backend()[0], "supports_sharedmem", False)
    divided = active_ranks().n > 1
    in_turn = len(calls) == 1 or effective_n_jobs(settings.n_jobs) == 1 or only_threads or divided
    keys = [store.key(record_pool, proxy, **options) for proxy, options in calls]
    n_at_once = 1 if in_turn else effective_n_jobs(settings.n_jobs)
    limits = [None] * len(calls) if plan is None else plan.limits("recording", len(calls), n_at_once)
    if in_turn:  # here, whatever the engine: Dask would send off a single call too
        recorded = [
            store.run(record_pool, proxy, key, verbose=settings.verbose, before=before, limit=limit, **options)
            for (proxy, options), key, limit in zip(calls, keys, limits, strict=True)
        ]
    else:
        before()  # not in each process
        pool, codes = shipped_once(recording["pool"], recording["codes"], n_jobs=settings.n_jobs)
        recorded = Parallel(n_jobs=settings.n_jobs)(
            delayed(store.run)(
                record_pool, proxy, key, verbose=0, limit=limit, **options | {"pool": pool, "codes": codes}
            )
            for (proxy, options), key, limit in zip(calls, keys, limits, strict=True)
        )
    errors = [result["dynamics"]["error"] for result in recorded]
    if len(errors) > 1 and all(np.array_equal(errors[0], error, equal_nan=True) for error in errors):
        warn_user(
            f"The {len(errors)} repeats are equal because {type(models.proxy).__name__} draws nothing at random: score_std_ "
            "says nothing about luck."
        )
    return recorded


def label_pool(labeler, pool, codes, seed, verbose, start=None):
    """Fit a labeler, from the weights of a packed net where there is one, and label every row."""
    labeler = clone(labeler) if start is None else unpack(labeler, start).set_params(warm_start=True)
    return _fit_labeler(labeler, pool, codes, seed, verbose)


def _fit_labeler(labeler, pool, codes, seed, verbose):
    if is_own_net(labeler):
        labeler.set_params(verbose=verbose)
    X = as_input(labeler, pool)
    inner = nullcontext() if is_own_net(last_step(labeler)) else limited(None)  # nets within others: all or none
    with inner, torch_seeded(labeler, seed), warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.filterwarnings("ignore", VANISHED)  # SemiPrune warns, of all rows and in the classes of y
        labeler.fit(X, codes)
    classes = np.asarray(labeler.classes_)
    if MISSING in classes:
        raise ReadsNoMissingLabels(
            f"The labeler {type(labeler).__name__} took -1 for a class. Use a semi-supervised classifier, which reads it as "
            "unlabeled, such as SoftMatch, LabelSpreading or SelfTrainingClassifier(your_classifier)."
        )
    predicted, confidence = np.empty(len(codes), dtype=classes.dtype), np.zeros(len(codes), dtype=np.float32)
    unreached, alike = np.zeros(len(codes), dtype=bool), np.zeros(len(codes), dtype=bool)
    with np.errstate(invalid="ignore"):  # LabelSpreading divides by 0 where no label arrives
        for rows, proba in proba_parts(labeler, X, len(classes)):
            unreached[rows] = ~(np.isfinite(proba).all(axis=1) & (proba.sum(axis=1) > 0))
            predicted[rows] = classes[proba.argmax(axis=1)]
            confidence[rows] = proba.max(axis=1).clip(0.0, 1.0)
            alike[rows] = confidence[rows] == proba.min(axis=1).astype(np.float32)
    if unreached.all():
        raise ValueError(
            f"The labeler {type(labeler).__name__} gives no finite probabilities to any row: it diverged. Scale the columns "
            "first, in a Pipeline with StandardScaler, or lower its learning rate."
        )
    confidence[unreached] = 1.0 / len(classes)
    predicted[unreached] = np.random.default_rng(seed).choice(
        classes, int(unreached.sum())
    )  # else all of the first class
    return {
        "codes": np.where(codes != MISSING, codes, predicted).astype(np.int64),
        "confidence": confidence,
        "undecided": (unreached | alike) & (len(classes) == codes.max() + 1),
        "model": pack(labeler),
    }


def record_pool(proxy, pool, codes, n_epochs, schedule_epochs, record, features, seed, verbose):
    """Train a proxy, and record its dynamics and, if asked, the features that it gives the rows."""
    dynamics, model = collect_dynamics(
        proxy,
        as_input(proxy, pool),
        codes,
        n_epochs=n_epochs,
        schedule_epochs=schedule_epochs,
        record=record,
        random_state=seed,
        verbose=verbose,
    )
    embedding = proxy_features(model, as_input(model, pool)) if features else None
    return {"dynamics": vars(dynamics), "features": embedding, "model": pack(model)}


def label_and_record(labeler, pool, codes, n_epochs, record, seed, verbose, known=None):
    """Fit a semi-supervised net in `n_epochs` parts, label every row, and record the training."""
    from skprune.dynamics._snapshots import Snapshots, replay
    from skprune.semi_supervised._steps import resolve_steps

    if isinstance(labeler.callbacks, str):
        raise ValueError(
            f"callbacks must be None or a list, to which the recorder is added, got {labeler.callbacks!r}."
        )
    n_steps = -(-resolve_steps(labeler, codes) * labeler.max_epochs // n_epochs)
    net = clone(labeler).set_params(max_epochs=n_epochs, n_steps=n_steps)
    net.set_params(callbacks=[*(net.callbacks or []), ("snapshots", Snapshots(record.every))])
    labeled = _fit_labeler(net, pool, codes, seed, verbose)
    states = dict(net.callbacks_)["snapshots"].states_
    check_length(len(states) * record.every, n_epochs // record.every * record.every)
    X = as_input(net, pool)
    targets = labeled["codes"] if known is None else np.where(known == MISSING, labeled["codes"], known)
    dynamics = replay(net, states, X, targets, kl=record.kl)
    return labeled | {"dynamics": vars(dynamics), "features": proxy_features(net, X)}


@dataclass(frozen=True)
class FullTraining:
    """How a classifier is trained: a proxy that is a net of skprune for its whole schedule, others as their parameters say."""

    proxy: object
    schedule_epochs: int | None
    seed: int

    def fit(self, pool, codes):
        """Return a fitted clone of the proxy."""
        proxy = clone(self.proxy)
        if is_own_net(proxy) and self.schedule_epochs is not None:
            proxy.set_params(max_epochs=self.schedule_epochs)
        elif is_net(proxy) and not is_own_net(proxy):
            proxy.set_params(train_split=None, verbose=0)
        with torch_seeded(proxy, self.seed):
            return tell_axes(proxy, pool).fit(as_input(proxy, pool), codes)

    def predict(self, pool, train, codes, test):
        """Return the class indices of some rows, by a model trained on others; their only class where they have but one."""
        classes, labels = np.unique(codes[train], return_inverse=True)
        if len(classes) < 2:
            return np.full(len(test), classes[0] if classes.size else MISSING)
        model = self.of_classes(classes).fit(pool[train], labels)
        return classes[model.predict(as_input(model, pool[test]))]

    def of_classes(self, codes):
        """Return the same training on labels that are positions among some class indices."""
        proxy = clone(self.proxy)
        renumber_classes(proxy, codes)
        return replace(self, proxy=proxy)

    def reseeded(self, seed):
        """Return the same training with another seed, and with new seeds in all that the proxy holds."""
        proxy = seed_nested(clone(self.proxy), np.random.RandomState(seed), anew=True)
        return replace(self, proxy=proxy, seed=seed)
