"""What a fit takes over from the last one: the weights of the labeler, and labels that were held out."""

from dataclasses import dataclass, replace

import numpy as np

from skprune._pipeline._held_out import HeldOut
from skprune._utils._adapters import is_semi_supervised
from skprune._utils._given_rows import fingerprint
from skprune._utils._packed_models import pack
from skprune._utils._parameter_checks import check_option
from skprune.scores import min_epochs

_RECORDED_SHARE = 0.3  # of the epochs of a full fit


@dataclass(frozen=True)
class LastFit:
    """What a fit leaves behind: the classes, a hash of the pool, the labeler, and what was held out."""

    classes: np.ndarray
    fingerprint: str
    labeler: object
    held_out: HeldOut | None

    def start_of(self, pool, given, labeler):
        """Return the start of a fit to a pool, made of the given rows; None where its labeler cannot go on from here."""
        if labeler is None or self.labeler is None or not np.array_equal(self.classes, pool.classes):
            return None
        if _network(labeler) != _network(self.labeler) or self.labeler.shape_ != pool.rows.shape[1:]:
            return None
        return Start(pack(self.labeler), self.held_out if self._still_holds(pool, given) else None)

    def _still_holds(self, pool, given):
        """Tell whether what was held out still is a labeled row of the same pool."""
        if self.held_out is None or fingerprint(given) != self.fingerprint:
            return False
        return bool(pool.labeled[self.held_out.rows].all())


@dataclass(frozen=True)
class Start:
    """Where a fit begins: the packed labeler, and the labels held out before, None where they must be anew."""

    labeler: dict
    held_out: HeldOut | None


def check_warm_start(settings, labeler):
    """Refuse a labeler without weights to go on from."""
    check_option("warm_start", settings.warm_start, (True, False))
    if not settings.warm_start or labeler is None:
        return
    if not is_semi_supervised(labeler):
        raise ValueError(
            f"warm_start=True goes on from the weights of a net of skprune.semi_supervised, and labeler is a "
            f"{type(labeler).__name__}."
        )
    if settings.uses_labeler_run:
        raise ValueError(
            "warm_start=True needs a proxy of its own: proxy='labeler' would read difficulties off a training that goes on."
        )


def short_recording(settings):
    """Return settings that record fewer epochs, where nothing that reads them asks for more."""
    if not isinstance(settings.selection, str) or settings.selection != "auto" or callable(settings.difficulty):
        return settings
    every = getattr(settings.record, "every", 1)
    n_epochs = max(int(np.ceil(_RECORDED_SHARE * settings.n_epochs)), min_epochs(settings.difficulty) * every)
    return replace(settings, n_epochs=min(n_epochs, settings.n_epochs))


def _network(labeler):
    """Return what the network of a labeler is built from."""
    parameters = labeler.get_params(deep=False)
    return type(labeler), {name: value for name, value in parameters.items() if name.split("__")[0] == "module"}
