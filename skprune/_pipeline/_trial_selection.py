"""The trial of difficulty and selection, on made-up dynamics.

Code of the user is refused only for errors that other numbers would not change; of others, a warning tells.
"""

from dataclasses import replace
from numbers import Integral

import numpy as np

from skprune._pipeline._selection import SelectionInputs, make_choice, selector_for
from skprune._pipeline._trial_rows import WHATEVER_THE_ROWS, few_rows, filled, refusal
from skprune._utils._labels import MISSING
from skprune.dynamics import TrainingDynamics
from skprune.scores._registry import NotFiniteScore, mean_difficulty
from skprune.selection import kept_count

_FEW_ROWS = 64
_MOST_COLUMNS = 128


def try_selection(settings, seed, pool, codes, classes, recorded, units=None):
    """Refuse a difficulty or a selection that cannot work; return a warning about one that may fail."""
    doubt = _try_on_dynamics(
        f"difficulty={settings.difficulty!r}",
        codes,
        lambda rows: mean_difficulty([_dynamics(settings, len(rows), len(classes), recorded)], settings.difficulty),
    )
    if doubt is None and _is_of_user(selector_for(settings, classes, is_image=pool.ndim == 4)):
        if units is not None:
            codes = codes[units.standing(codes)]
        doubt = _try_on_dynamics(
            f"selection={settings.selection!r}",
            codes,
            lambda rows: _select(settings, seed, pool, codes, classes, recorded, rows),
        )
    return doubt


def _is_of_user(selector):
    """Tell whether a selector, or one that it holds, is not of skprune, whose selectors check their parameters."""
    parts = [selector, *(selector.get_params(deep=True).values() if hasattr(selector, "get_params") else ())]
    return any(hasattr(part, "select") and not type(part).__module__.startswith("skprune.") for part in parts)


def _try_on_dynamics(what, codes, attempt):
    """Attempt on few rows, and where that fails on as many as there are: code of the user may know their number."""
    for size in sorted({min(_FEW_ROWS, len(codes)), len(codes)}):
        try:
            attempt(few_rows(codes, size))
            return None
        except NotFiniteScore:
            return None
        except Exception as error:
            failure = error
    if isinstance(failure, WHATEVER_THE_ROWS) or _raised_by_skprune(failure):
        raise refusal(what, failure, "on made-up dynamics") from failure
    return (
        f"{what} fails in a trial on made-up dynamics, so the fit may fail after its training: "
        f"{type(failure).__name__}: {failure}"
    )


def _raised_by_skprune(error):
    """Tell whether an error comes from skprune itself, not from code that it calls."""
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_globals.get("__name__", "").split(".")[0] == "skprune"


def _select(settings, seed, pool, codes, classes, recorded, rows):
    """Select by made-up dynamics, and order what is kept."""
    n_rows, is_image = len(rows), pool.ndim == 4
    labeled = codes[rows] != MISSING
    if settings.budget is not None:
        k = int(labeled.sum()) + round(settings.budget * n_rows / len(codes))
        settings = replace(settings, budget=None, include_labeled=True, ratio=min(1.0, k / n_rows))
    elif isinstance(settings.ratio, Integral):
        k = round(kept_count(settings.ratio, len(codes)) * n_rows / len(codes))
        settings = replace(settings, ratio=max(2, k))
    rng = np.random.default_rng(0)
    dynamics = _dynamics(settings, n_rows, len(classes), recorded)
    n_columns = _MOST_COLUMNS if is_image else min(int(np.prod(pool.shape[1:])), _MOST_COLUMNS)
    inputs = SelectionInputs(
        dynamics=dynamics,
        y=filled(codes, rows),
        labeled=labeled,
        embedding=rng.standard_normal((n_rows, n_columns), dtype=np.float32),
        error_probability=rng.uniform(0.0, 0.5, n_rows),
        random_state=seed,
    )
    choice, _ = make_choice(settings, classes, [dynamics], inputs, is_image=is_image)
    choice.order(choice.mask())


def _dynamics(settings, n_rows, n_classes, recorded):
    """Make up dynamics of rows that are learned early, late or not at all, of the arrays that the proxy would give."""
    recording = settings.recording(n_rows, n_classes)
    n_epochs = settings.n_epochs // recording.every
    rng = np.random.default_rng(0)
    learned = np.linspace(-2.0, 4.0, n_epochs)[:, None] + 2.0 * rng.standard_normal(n_rows)
    proba = 1.0 / (1.0 + (n_classes - 1) * np.exp(-learned - 0.5 * rng.standard_normal(learned.shape)))
    other = (1.0 - proba) / (n_classes - 1)  # of each other class
    margin, error = proba - other, (1.0 - proba) * np.sqrt(1.0 + 1.0 / (n_classes - 1))
    has_kl = recording.kl and n_epochs > 1
    more = {"logit_margin": 5.0 * margin, "grad_norm": 2.0 * error}
    return TrainingDynamics(
        proba,
        target_margin=margin,
        error=error,
        entropy=-proba[-1] * np.log(proba[-1]) - (n_classes - 1) * other[-1] * np.log(other[-1]),
        top_margin=np.abs(margin[-1]),
        kl_step=np.abs(np.diff(proba, axis=0)) if has_kl else None,
        **{name: array for name, array in more.items() if recorded is None or getattr(recorded, name) is not None},
    )
