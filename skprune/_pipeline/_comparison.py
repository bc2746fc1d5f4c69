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


def compare_coreset(settings, pool, proxy_training, held_out, inputs, mask):
    """Compare as the goal asks: with pseudo-labels on labels that were held out, or with labels that people may give."""
    must_keep = pool.labeled & settings.keeps_labeled
    training = None
    if not isinstance(settings.compare_with_random, bool):
        training = final_training(settings.compare_with_random, settings, pool.classes, proxy_training.seed)
    if settings.goal == "pseudo" or pool.labeled.all():
        return CoresetJudge(training or proxy_training, pool.rows, pool.codes, held_out).compare_with_random(
            mask, must_keep
        )
    seed = proxy_training.seed
    space, confidence = inputs.embedding, 1.0 - inputs.error_probability
    answers = possible_answers(space, pool.codes, inputs.y, confidence, held_out, seed)
    if training is not None:
        models = [FinalModel(training, pool.rows)]
    else:
        models = default_models(space, min(int(mask.sum()), int(pool.labeled.sum())), seed)
    return SimulatedAnnotation(models, answers, pool.labeled, seed).compare_with_random(mask, must_keep)


def final_training(classifier, settings, classes, seed):
    """Return the training of a classifier of the user on class indices."""
    rng = np.random.RandomState(seed)
    classifier = prepare(classifier, rng=rng, device=settings.device, n_jobs=settings.n_jobs, classes=classes)
    return FullTraining(classifier, None, seed)
