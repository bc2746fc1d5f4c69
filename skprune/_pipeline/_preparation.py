"""What a fit needs to know before it trains anything: all that can be refused has been."""

from dataclasses import dataclass, replace

import numpy as np

from skprune._base import LabeledPool
from skprune._pipeline._comparison import final_model_of
from skprune._pipeline._groups import read_groups
from skprune._pipeline._held_out import held_out_together
from skprune._pipeline._image_size import scale_images, scaled_side
from skprune._pipeline._models import Models, prepare_models
from skprune._pipeline._refusals import check_parameters
from skprune._pipeline._row_sets import find_equal_rows
from skprune._pipeline._settings import Settings
from skprune._pipeline._stages import FullTraining
from skprune._pipeline._warm_start import check_warm_start
from skprune._utils._adapters import check_readable, tell_axes
from skprune._utils._seeds import random_state_of


@dataclass(frozen=True)
class Prepared:
    """The pool, as nets see it and as it was given, the models, and which rows belong together."""

    settings: Settings
    pool: LabeledPool
    given: object
    side: int | None
    models: Models
    known: np.ndarray
    sets: np.ndarray | None
    units: object
    final_model: object

    @property
    def is_image(self):
        """Whether the rows are images."""
        return self.pool.rows.ndim == 4

    @property
    def read(self):
        """The rows, their codes and the classes, which the stages read."""
        return self.pool.rows, self.pool.codes, self.pool.classes

    @property
    def spread(self):
        """The codes with those of equal rows, None where these add nothing."""
        return None if (self.known == self.pool.codes).all() else self.known

    @property
    def training(self):
        """How a classifier is trained on the coreset where the user names none."""
        return FullTraining(self.models.proxy, int(self.settings.schedule_epochs), self.models.stage_seed)


def prepare_fit(settings, X, pool, groups):
    """Check everything that can be before a training, and return what it takes."""
    is_image, all_labeled = pool.rows.ndim == 4, bool(pool.labeled.all())
    equal = find_equal_rows(settings.duplicates, pool, pool.classes)
    of_groups = read_groups(groups, pool.labeled, settings.groups_select)
    sets, units = held_out_together(equal, of_groups), of_groups or equal
    check_parameters(settings, pool.codes, pool.classes, is_image=is_image, units=units, sets=sets)
    models = prepare_models(settings, random_state_of(settings.random_state), pool.classes, all_labeled=all_labeled)
    check_warm_start(settings, models.labeler)
    final_model = final_model_of(settings, X, pool, models.stage_seed)
    for model in (models.labeler, models.proxy, final_model and final_model.training.proxy):
        if model is not None:
            check_readable(model, pool.rows)
    given, side = pool.rows, scaled_side(settings.image_size, models, pool.rows)
    pool = replace(pool, rows=scale_images(given, side))
    for model in (models.labeler, models.proxy):
        if model is not None:
            tell_axes(model, pool.rows)
    return Prepared(
        settings=settings,
        pool=pool,
        given=given,
        side=side,
        models=models,
        known=pool.codes if equal is None else equal.codes,
        sets=sets,
        units=units,
        final_model=final_model,
    )
