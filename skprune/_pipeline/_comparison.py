"""The comparison of a coreset with random rows and with the given labels alone, for what it is meant for."""

import numpy as np

from skprune._pipeline._calibration import label_confidence
from skprune._pipeline._groups import WholeGroups
from skprune._pipeline._models import prepare
from skprune._pipeline._random_comparison import CoresetJudge
from skprune._pipeline._simulated_annotation import (
    FinalModel,
    SimulatedAnnotation,
    default_models,
    possible_answers,
)
from skprune._pipeline._stages import FullTraining
from skprune._utils._doc_links import see
from skprune._utils._given_rows import rows_of_coreset
from skprune._utils._labels import MISSING
from skprune._utils._warnings import warn_user


def compare_coreset(prepared, trained, mask):
    """Compare the coreset with random rows where the user asks and time is left; a warning says what would be better."""
    settings, plan = prepared.settings, trained.plan
    if not settings.compares:
        return None
    if trained.held_out is None or (plan is not None and plan.left() <= 0):
        warn_user(f"time_limit={settings.time_limit:g} leaves no time for compare_with_random.")
        return None
    with trained.clock.time("comparison"):
        comparison = _compare(prepared, trained, mask)
    if (message := comparison.warning()) is not None:
        warn_user(message + see("when_not_to_prune"))
    return comparison


def _compare(prepared, trained, mask):
    """Compare as the goal asks: with pseudo-labels on labels that were held out, or with labels that people may give."""
    settings, pool, known, held_out = prepared.settings, prepared.pool, prepared.known, trained.held_out
    groups = prepared.units.numbers if isinstance(prepared.units, WholeGroups) else None
    must_keep = pool.labeled & settings.keeps_labeled
    if groups is not None:
        must_keep = np.isin(groups, groups[must_keep])
    if settings.goal == "pseudo" or pool.labeled.all():
        model = prepared.final_model or FinalModel(prepared.training, pool.rows)
        judge = CoresetJudge(model.training, model.rows, pool.codes, held_out, groups)
        return judge.compare_with_random(mask, must_keep)
    seed, space = prepared.training.seed, trained.inputs.embedding
    confidence = label_confidence(trained.results.confidence, known, held_out)
    answers = possible_answers(space, pool.codes, trained.inputs.y, confidence, held_out, seed)
    answers = [np.where(known == MISSING, answer, known) for answer in answers]
    models = default_models(space, seed) if prepared.final_model is None else [prepared.final_model]
    return SimulatedAnnotation(models, answers, pool.labeled, seed, groups).compare_with_random(mask, must_keep)


def final_model_of(settings, X, pool, seed):
    """Return the classifier that `compare_with_random` names and the rows as it gets them, None where it names none."""
    if isinstance(settings.compare_with_random, bool):
        return None
    training = final_training(settings.compare_with_random, settings, pool.classes, seed)
    return FinalModel(training, rows_of_coreset(X, pool.rows))


def final_training(classifier, settings, classes, seed):
    """Return the training of a classifier of the user on class indices."""
    rng = np.random.RandomState(seed)
    classifier = prepare(classifier, rng=rng, device=settings.device, n_jobs=settings.n_jobs, classes=classes)
    return FullTraining(classifier, None, seed)
