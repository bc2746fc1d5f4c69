"""The trainings of a fit, each with its share of the time, and what a selection reads of them."""

from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from skprune._pipeline._calibration import label_confidence
from skprune._pipeline._held_out import HeldOut, accuracy_interval, estimates_accuracy, hold_out_in_time
from skprune._pipeline._selection import SelectionInputs
from skprune._pipeline._space import coverage_space
from skprune._pipeline._stage_clock import StageClock
from skprune._pipeline._stages import StageResults, run_stages
from skprune._pipeline._time_plan import TimePlan, plan_time
from skprune._pipeline._trial import try_stages
from skprune.nets._features import features_warning


@dataclass(frozen=True)
class Trained:
    """What the trainings have found out, and what a selection reads; no accuracy and interval where none is estimated."""

    results: StageResults
    inputs: SelectionInputs
    held_out: HeldOut | None
    confidence: np.ndarray
    accuracy: float | None
    interval: tuple | None
    features_warning: str | None
    clock: StageClock
    plan: TimePlan | None


def train(prepared, start, whole_time):
    """Label and record, from the start of a warm fit if there is one, and label without a fifth of the labels where needed."""
    settings, models, pool, sets = prepared.settings, prepared.models, prepared.pool, prepared.sets
    held_out = None if start is None else start.held_out
    estimates = estimates_accuracy(settings, pool.codes, sets)
    holds_out = held_out is None and (estimates or settings.compares)
    plan = plan_time(
        settings,
        models,
        pool.codes,
        pool.classes,
        whole_time,
        is_image=prepared.is_image,
        labels_again=holds_out,
        goes_on=start is not None,
    )
    clock = StageClock()
    results = run_stages(
        settings,
        models,
        *prepared.read,
        known=prepared.spread,
        before=cache(partial(try_stages, settings, models, *prepared.read, prepared.units, prepared.final_model)),
        clock=clock,
        start=None if start is None else start.labeler,
        plan=plan,
    )
    if holds_out:
        held_out = hold_out_in_time(settings, models, pool, sets, clock, plan, results.cut)
    tells = estimates and held_out is not None
    accuracy, interval = accuracy_interval(held_out, pool.codes) if tells else (None, None)
    confidence = label_confidence(results.confidence, prepared.known, held_out if estimates else None)
    inputs = SelectionInputs(
        dynamics=results.dynamics,
        y=results.codes,
        labeled=pool.labeled,
        embedding=coverage_space(pool.rows, results.features, models.selection_seed),
        error_probability=1.0 - confidence,
        random_state=models.selection_seed,
    )
    return Trained(
        results=results,
        inputs=inputs,
        held_out=held_out,
        confidence=confidence,
        accuracy=accuracy,
        interval=interval,
        features_warning=features_warning(results.proxy, results.features),
        clock=clock,
        plan=plan,
    )
