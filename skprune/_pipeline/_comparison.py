"""The comparison of a coreset with random rows and with the given labels alone, for what it is meant for."""

import numpy as np

from skprune._pipeline._models import prepare
from skprune._pipeline._random_comparison import CoresetJudge
from skprune._pipeline._simulated_annotation import (
    FinalModel,
    SimulatedAnnotation,
    default_models,
    possible_answers,
)
from skprune._pipeline._stages import FullTraining
from skprune._utils._given_rows import rows_of_coreset
from skprune._utils._labels import MISSING


def compare_coreset(settings, pool, mask, *, held_out, proxy_model, final_model, inputs, known, confidence, groups):
    """Compare as the goal asks: with pseudo-labels on labels that were held out, or with labels that people may give."""
    must_keep = pool.labeled & settings.keeps_labeled
    if groups is not None:
        must_keep = np.isin(groups, groups[must_keep])
    if settings.goal == "pseudo" or pool.labeled.all():
        model = final_model or proxy_model
        judge = CoresetJudge(model.training, model.rows, pool.codes, held_out, groups)
        return judge.compare_with_random(mask, must_keep)
    seed, space = proxy_model.training.seed, inputs.embedding
    answers = possible_answers(space, pool.codes, inputs.y, confidence, held_out, seed)
    answers = [np.where(known == MISSING, answer, known) for answer in answers]
    models = default_models(space, seed) if final_model is None else [final_model]
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
