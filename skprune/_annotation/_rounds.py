"""What a round asks for, and what it was told in the end."""

from dataclasses import dataclass

import numpy as np

from skprune._annotation._accuracy import estimate_accuracy
from skprune._annotation._state import SKIPPED, WAITING, AskedRound
from skprune._utils._labels import MISSING


@dataclass(frozen=True)
class AnnotationRound:
    """What a round of an annotation loop asked and was told; see :attr:`AnnotationLoop.history_`."""

    round: int
    n_labeled: int
    n_asked: int
    n_told: int
    n_skipped: int
    n_changed: int
    new_classes: tuple
    accuracy: float | None
    low: float | None
    high: float | None


def open_rows(state, twins):
    """Return which rows need a label and were not skipped, as equals of others neither."""
    return ~np.isin(twins, twins[state.codes != MISSING]) & ~skipped_rows(state, twins)


def skipped_rows(state, twins):
    """Return which rows were skipped, or are equal to one that was, and have no label."""
    return np.isin(twins, twins[state.skipped]) & ~np.isin(twins, twins[state.codes != MISSING])


def asked_round(pruner, rows, state):
    """Return what a fitted pruner says of rows that are asked for."""
    weights, why = np.ones(len(state.codes)), pruner.explain()["why"]
    weights[pruner.support_] = pruner.sample_weight_
    code_of = {label: code for code, label in enumerate(state.classes)}
    return AskedRound(
        rows=np.asarray(rows, dtype=np.int64),
        predicted=np.array([code_of[label] for label in pruner.pseudo_labels_[rows].tolist()], dtype=np.int64),
        confidence=pruner.pseudo_label_confidence_[rows],
        difficulty=pruner.difficulty_scores_[rows],
        weight=weights[rows],
        why=np.asarray(why, dtype=str)[rows],
        answers=np.full(len(rows), WAITING, dtype=np.int64),
        n_labeled=int((state.codes != MISSING).sum()),
        n_classes=len(state.classes),
        mean_confidence=float(pruner.pseudo_label_confidence_[state.codes == MISSING].mean()),
    )


def summary(number, asked, new_classes):
    """Return what a round asked and was told."""
    told = asked.answers >= 0
    estimate = estimate_accuracy(asked)
    return AnnotationRound(
        round=number,
        n_labeled=asked.n_labeled,
        n_asked=len(asked.rows),
        n_told=int(told.sum()),
        n_skipped=int((asked.answers == SKIPPED).sum()),
        n_changed=int((asked.answers[told] != asked.predicted[told]).sum()),
        new_classes=new_classes,
        accuracy=estimate and estimate.accuracy,
        low=estimate and estimate.low,
        high=estimate and estimate.high,
    )
