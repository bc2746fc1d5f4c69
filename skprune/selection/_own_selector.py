"""Selectors of users, which need have no method but ``select``: what is said in place of the others."""

from inspect import signature

import numpy as np

from skprune.dynamics._training_dynamics import dynamics_of_rows
from skprune.selection._counts import check_forced, kept_count
from skprune.selection._draw import interleave
from skprune.selection._inputs import check_mask


def follows_select(selector, method):
    """Tell whether a selector has a method that fits its ``select``; a subclass may have changed the latter alone."""
    homes = {}
    for home in type(selector).__mro__:
        for name in {"select", method} & set(vars(home)):
            homes.setdefault(name, home)
    return method in homes and issubclass(homes[method], homes["select"])


def names_forced(selector):
    """Tell whether a selector names the rows that must stay among what its ``select`` reads."""
    return "must_keep" in signature(selector.select).parameters


def selected_mask(selector, scores, ratio, inputs):
    """Return the mask that a selector selects, refused where it is none."""
    mask = np.asarray(selector.select(scores, ratio, **inputs))
    if mask.shape != scores.shape or mask.dtype != bool or not mask.any():
        raise ValueError(
            f"selection must return a boolean mask of {len(scores)} rows with at least one True, which {selector!r} does not."
        )
    return mask


def proposed_rows(selector, scores, ratio, inputs):
    """Return the rows that a selector proposes, refused where there are none or one comes twice."""
    rows = np.asarray(selector.propose(scores, ratio, **inputs))
    if rows.size == 0 or rows.ndim != 1 or rows.dtype.kind not in "iu" or len(np.unique(rows)) != len(rows):
        raise ValueError(f"propose of {selector!r} must return the indices of one or more rows, each of them once.")
    return rows


def hardest_of(mask, scores):
    """Return the kept rows, the hardest first: the order of proposal of a selector that has none."""
    rows = np.flatnonzero(mask)
    return rows[np.argsort(-scores[rows], kind="stable")]


def bare_reasons(selector, mask):
    """Return why rows are kept by a selector that does not explain it."""
    name = type(selector).__name__
    why = np.where(mask, f"chosen by {name}", f"not chosen by {name}").astype(object)
    return {"kept": mask, "why": why, "probability": np.where(mask, 1.0, np.nan)}


class OwnSelector:
    """A selector of a user as a part of a mixture: it is asked for the rest, among the rows that need not stay."""

    min_per_class = 0

    def __init__(self, selector):
        self.selector = selector

    def check(self, k, n_samples, n_epochs=None):
        """Refuse nothing: its parameters are the user's."""

    def least_per_class(self, k, n_classes, *, n_forced=0):
        """Return 0: it promises no class a row."""
        return 0

    def select(self, scores, ratio, *, must_keep=None, **inputs):
        """Return the mask of the rows that must stay and those that it selects."""
        mask = np.zeros(len(scores), dtype=bool)
        mask[self.propose(scores, ratio, must_keep=must_keep, **inputs)] = True
        return mask

    def propose(self, scores, ratio, *, must_keep=None, **inputs):
        """Return the rows that must stay, spread over those that it selects, which come in its order or the hardest first."""
        forced = np.flatnonzero(check_mask("must_keep", must_keep, len(scores)))
        rows, scores, share, inputs = _left(scores, ratio, must_keep, inputs)
        if share == 0:
            return forced
        if follows_select(self.selector, "propose"):
            selected = proposed_rows(self.selector, scores, share, inputs)
        else:
            selected = hardest_of(selected_mask(self.selector, scores, share, inputs), scores)
        return interleave([forced, rows[selected]])

    def explain(self, scores, ratio, *, must_keep=None, **inputs):
        """Return what it says of the rows that need not stay."""
        kept = check_mask("must_keep", must_keep, len(scores)).copy()
        why, probability = np.full(len(kept), "must stay", dtype=object), np.ones(len(kept))
        rows, scores, share, inputs = _left(scores, ratio, must_keep, inputs)
        if share == 0:
            found = bare_reasons(self.selector, np.zeros(len(rows), dtype=bool))
        elif follows_select(self.selector, "explain"):
            found = self.selector.explain(scores, share, **inputs)
        else:
            found = bare_reasons(self.selector, selected_mask(self.selector, scores, share, inputs))
        kept[rows], why[rows], probability[rows] = found["kept"], found["why"], found["probability"]
        return {"kept": kept, "why": why, "probability": probability}


def _left(scores, ratio, must_keep, inputs):
    """Return the rows that need not stay, their scores, the share of them that is still to be kept, and their inputs."""
    scores = np.asarray(scores, dtype=np.float64)
    must_keep = check_mask("must_keep", must_keep, len(scores))
    rows = np.flatnonzero(~must_keep)
    k, n_forced = kept_count(ratio, len(scores)), int(must_keep.sum())
    check_forced(n_forced, k, ratio)
    n_left = k - n_forced
    return rows, scores[rows], n_left / max(1, len(rows)), {name: _among(name, inputs[name], rows) for name in inputs}


def _among(name, values, rows):
    if values is None or name == "random_state":
        return values
    return dynamics_of_rows(values, rows) if name == "dynamics" else np.asarray(values)[rows]
