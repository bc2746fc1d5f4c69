"""The choice of SemiPrune: a mask from a selector, and its reasons as a table."""

import numpy as np
from scipy.stats import rankdata

from skprune.selection import BaseSelector
from skprune.selection._stratified import N_STRATA, strata


def choose(selector, scores, ratio, read):
    """Return the mask of a selector, of the package or of a user."""
    mask = np.asarray(selector.select(scores, ratio, **read))
    if mask.shape != scores.shape or mask.dtype != bool or not mask.any():
        raise ValueError(
            f"The selection {selector!r} must return a boolean mask of {len(scores)} rows, one at least being True."
        )
    return mask


def reasons(selector, scores, ratio, read, mask):
    """Return why each row is kept or not, and how probable that was."""
    if isinstance(selector, BaseSelector) and type(selector).select is BaseSelector.select:
        return selector.explain(scores, ratio, **read)
    name = type(selector).__name__
    return {
        "kept": mask,
        "why": np.where(mask, f"chosen by {name}", f"not chosen by {name}").astype(object),
        "probability": np.where(mask, 1.0, np.nan),
    }


def table_of(pruner, scores, why):
    """Return what a fitted pruner knows of each row."""
    hard = pruner.difficulty_scores_
    columns = {
        "row": np.arange(len(hard)),
        "label": pruner.pseudo_labels_,
        "given": pruner._given,
        "label_confidence": pruner.pseudo_label_confidence_,
        "difficulty": hard,
        **scores,
        "rank": rankdata(-hard, method="min").astype(np.int64),
        "stratum": strata(hard, N_STRATA),
        "kept": why["kept"],
        "probability": why["probability"],
        "why": why["why"],
    }
    try:
        import pandas as pd
    except ImportError:
        return {name: np.array(column) for name, column in columns.items()}
    return pd.DataFrame(columns)
