"""The selection of SemiPrune: from names to selectors, and from the traces of a fit to a mask and its reasons."""

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from scipy.stats import rankdata

from skprune._pipeline._space import class_uncertainty
from skprune._utils._doc_links import see
from skprune._utils._labels import MISSING, codes_of_keys
from skprune._utils._parameter_checks import check_option
from skprune._utils._warnings import warn_user
from skprune.dynamics import TrainingDynamics
from skprune.dynamics._training_dynamics import dynamics_of_rows
from skprune.scores._registry import default_epochs, mean_difficulty
from skprune.selection import Beta, KMeans, Mixture, get_selector
from skprune.selection._base import needed_inputs
from skprune.selection._mixture import whole
from skprune.selection._own_selector import (
    bare_reasons,
    follows_select,
    hardest_of,
    names_forced,
    proposed_rows,
    selected_mask,
)
from skprune.selection._stratified import N_STRATA, strata

GOALS = ("auto", "annotate", "pseudo")
_LEAST_SHARE = 0.5  # min_per_class of "auto": a class that is easy or rare may vanish from a small coreset
_UNCERTAINTY = {"annotate": 4.0, "pseudo": 0.0}  # of "auto": uncertain rows are worth a label, and have wrong ones
_FROM_FEATURES = {"embedding", "uncertainty"}
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

    @cached_property
    def uncertainty(self):
        """How uncertain the class of each row is by the given labels, 0 if these tell too little; few selectors read it."""
        return class_uncertainty(self.embedding, np.where(self.labeled, self.y, MISSING), self.random_state)

    def among(self, rows):
        """Return what a selector may read of some rows."""
        arrays = {name: getattr(self, name)[rows] for name in ("y", "labeled", "embedding", "error_probability")}
        return SelectionInputs(dynamics=dynamics_of_rows(self.dynamics, rows), **arrays, random_state=self.random_state)

    def keywords(self, selector):
        """Return what a selector gets: the fields, and what it names besides."""
        keywords = {field.name: getattr(self, field.name) for field in fields(self)}
        return keywords | ({"uncertainty": self.uncertainty} if "uncertainty" in needed_inputs(selector) else {})


@dataclass(frozen=True)
class Choice:
    """One selection: a selector, what it reads, whether labeled rows must stay, and a warning about what it reads."""

    selector: object
    scores: np.ndarray
    ratio: float | int
    inputs: SelectionInputs
    keeps_labeled: bool
    warning: str | None

    @property
    def forced(self):
        """The mask of the rows that must stay."""
        return self.inputs.labeled & self.keeps_labeled

    def among(self, rows, k):
        """Return the choice of k of some rows, in the same way."""
        return replace(self, scores=self.scores[rows], ratio=k / len(rows), inputs=self.inputs.among(rows))

    def within(self, rows, k):
        """Return k of some rows, in the order of proposal, and the number of rows."""
        among = self.among(rows, k) if k else None
        return rows[among.order(among.mask())] if k else rows[:0], len(rows)

    def mask(self):
        """Return the mask of the kept rows, from a selector of skprune or of a user."""
        if self.warning is not None:
            warn_user(self.warning)
        if self._proposal is None:
            return selected_mask(self._asked, self.scores, self.ratio, self._keywords())
        mask = np.zeros(len(self.scores), dtype=bool)
        mask[self._proposal] = True
        return mask

    def order(self, mask):
        """Return the kept rows in the order of proposal; of a selector that has none, the hardest first."""
        return hardest_of(mask, self.scores) if self._proposal is None else self._proposal

    def reasons(self, mask):
        """Return why each row is kept or not, how probable that was, and its weight, the inverse."""
        if follows_select(self._asked, "explain"):
            found = self._asked.explain(self.scores, self.ratio, **self._keywords())
        else:
            found = bare_reasons(self.selector, mask)
        probability = np.asarray(found["probability"])
        return found | {"weight": 1.0 / np.where(probability > 0, probability, np.nan)}

    @cached_property
    def _proposal(self):
        """The kept rows in the order of proposal, None of a selector that has none."""
        if not follows_select(self._asked, "propose"):
            return None
        return proposed_rows(self._asked, self.scores, self.ratio, self._keywords())

    @cached_property
    def _asked(self):
        """The selector; where rows must stay, one of a user that does not name them is asked for the others alone."""
        return whole(self.selector) if self.keeps_labeled and not names_forced(self.selector) else self.selector

    def _keywords(self):
        keywords = self.inputs.keywords(self.selector)
        return keywords | {"must_keep": self.inputs.labeled} if self.keeps_labeled else keywords


def make_choice(settings, classes, repeats, inputs, *, is_image, features_warning=None, units=None):
    """Return the choice that the settings ask for, and the standard deviation of its scores over the repeats."""
    scores, spread = mean_difficulty(repeats, settings.difficulty)
    selector = selector_for(settings, classes, is_image=is_image)
    reads_features = not _FROM_FEATURES.isdisjoint(needed_inputs(selector))
    warning = features_warning if reads_features else None
    ratio = settings.ratio
    if units is not None:
        ratio = units.count(settings, inputs.labeled) / len(scores)
    elif settings.budget is not None:
        ratio = settings.count(inputs.labeled) / len(scores)
    choice = Choice(selector, scores, ratio, inputs, settings.keeps_labeled, warning)
    return choice if units is None else units.around(choice), spread


def selector_for(settings, classes, *, is_image):
    """Return a fresh selector; ``class_balanced`` dicts then name class indices instead of classes."""
    check_option("goal", settings.goal, GOALS)
    if isinstance(settings.selection, str) and settings.selection == "auto":
        return _auto_selector(settings, is_image)
    return _with_codes(get_selector(settings.selection), classes)


def _with_codes(selector, classes):
    """Let the ``class_balanced`` dict of a selector, or of those of a mixture, name class indices."""
    if isinstance(selector, Mixture):
        parts = {name: _with_codes(getattr(selector, name), classes) for name in ("first", "second")}
        return selector.set_params(**parts)
    weights = getattr(selector, "class_balanced", None)
    if not isinstance(weights, dict):
        return selector
    return selector.set_params(class_balanced=codes_of_keys(weights, classes, "class_balanced"))


def _auto_selector(settings, is_image):
    """Return the selection that examples/benchmarks/robust.py supports: coverage, and difficulty for images besides."""
    goal = "annotate" if settings.goal == "auto" else settings.goal
    if not is_image:
        return KMeans(_UNCERTAINTY[goal], min_per_class=_LEAST_SHARE)
    epochs = default_epochs(settings.difficulty)
    return Mixture(KMeans(), second=Beta("auto", n_epochs=epochs, trust=_TRUST[goal], min_per_class=_LEAST_SHARE))


LOST_CLASSES = "The coreset of .* holds no row of"
"""What the warning of :func:`warn_of_lost_classes` begins with, as a pattern."""


def warn_of_lost_classes(codes, mask, classes):
    """Warn where the coreset holds no row of a class."""
    lost = np.setdiff1d(codes, codes[mask])
    if lost.size:
        warn_user(
            f"The coreset of {int(mask.sum())} rows holds no row of {lost.size} of {len(classes)} classes, "
            f"{classes.tolist()[lost[0]]!r} among them. Keep more rows, or use a selector with "
            "class_balanced='proportional' or min_per_class=1." + see("selecting#classes")
        )


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
