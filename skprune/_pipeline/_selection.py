"""The selection of SemiPrune: from names to selectors, and from the traces of a fit to a mask and its reasons."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from skprune._utils._parameter_checks import check_option
from skprune.dynamics import TrainingDynamics
from skprune.scores._registry import default_epochs, mean_difficulty
from skprune.selection import BaseSelector, Beta, get_selector
from skprune.selection._stratified import N_STRATA, strata

GOALS = ("auto", "annotate", "pseudo")
_LEAST_SHARE = 0.5  # min_per_class of "auto": a class that is easy or rare may vanish from a small coreset
_TRUST = {"annotate": 0, "pseudo": 10}  # of "auto": a wrong label hurts where it is trained on


@dataclass(frozen=True)
class SelectionInputs:
    """What a selector may read besides the scores and the ratio; fields are keywords of ``select``."""

    dynamics: TrainingDynamics
    y: np.ndarray
    labeled: np.ndarray
    embedding: np.ndarray
    error_probability: np.ndarray
    random_state: int


@dataclass(frozen=True)
class Choice:
    """One selection: a selector, what it reads, and whether labeled rows must stay."""

    selector: object
    scores: np.ndarray
    ratio: float | int
    inputs: SelectionInputs
    include_labeled: bool

    def mask(self):
        """Return the mask of the kept rows, from a selector of skprune or of a user."""
        mask = np.asarray(self.selector.select(self.scores, self.ratio, **self._keywords()))
        if mask.shape != self.scores.shape or mask.dtype != bool or not mask.any():
            raise ValueError(
                f"selection must return a boolean mask of {len(self.scores)} rows with at least one True, which "
                f"{self.selector!r} does not."
            )
        return mask

    def reasons(self, mask):
        """Return why each row is kept or not, and how probable that was."""
        if isinstance(self.selector, BaseSelector) and type(self.selector).select is BaseSelector.select:
            return self.selector.explain(self.scores, self.ratio, **self._keywords())
        name = type(self.selector).__name__
        return {
            "kept": mask,
            "why": np.where(mask, f"chosen by {name}", f"not chosen by {name}").astype(object),
            "probability": np.where(mask, 1.0, np.nan),
        }

    def _keywords(self):
        keywords = vars(self.inputs).copy()
        return keywords | {"must_keep": self.inputs.labeled} if self.include_labeled else keywords


def make_choice(settings, classes, repeats, inputs):
    """Return the choice that the settings ask for, and the standard deviation of its scores over the repeats."""
    scores, spread = mean_difficulty(repeats, settings.difficulty)
    selector = selector_for(settings, classes)
    return Choice(selector, scores, settings.ratio, inputs, bool(settings.include_labeled)), spread


def selector_for(settings, classes):
    """Return a fresh selector; a ``class_balanced`` dict then names class indices instead of classes."""
    check_option("goal", settings.goal, GOALS)
    if isinstance(settings.selection, str) and settings.selection == "auto":
        goal = "annotate" if settings.goal == "auto" else settings.goal
        epochs = default_epochs(settings.difficulty)
        return Beta("auto", n_epochs=epochs, trust=_TRUST[goal], min_per_class=_LEAST_SHARE)
    selector = get_selector(settings.selection)
    weights = getattr(selector, "class_balanced", None)
    if not isinstance(weights, dict):
        return selector
    codes = {label: code for code, label in enumerate(classes.tolist())}
    unknown = [label for label in weights if label not in codes]
    if unknown:
        raise ValueError(f"class_balanced names {unknown[0]!r}, which is not among the classes {classes.tolist()}.")
    return selector.set_params(class_balanced={codes[label]: weight for label, weight in weights.items()})


def explanation_table(columns, scores, reasons):
    """Return what is known of each row as a DataFrame, or as a dict of arrays where there is no pandas."""
    difficulty = columns["difficulty"]
    table = {
        "row": np.arange(len(difficulty)),
        **columns,
        **scores,
        "rank": rankdata(-difficulty, method="min").astype(np.int64),
        "stratum": strata(difficulty, N_STRATA),
        **{name: reasons[name] for name in ("kept", "probability", "why")},
    }
    try:
        import pandas as pd
    except ImportError:
        return {name: np.array(column) for name, column in table.items()}
    return pd.DataFrame(table)
