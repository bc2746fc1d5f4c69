"""How the time of a fit is divided among its trainings, where the user limits it."""

from functools import partial

from skprune._pipeline._selection import selector_for
from skprune._utils._adapters import is_net, is_own_net, is_semi_supervised, last_step
from skprune._utils._ranks import active_ranks
from skprune._utils._time_limit import TimeLimit, limited
from skprune._utils._warnings import warn_user
from skprune.nets._warm_start import WARM_SHARE
from skprune.scores import min_epochs
from skprune.selection import BaseSelector, Mixture

LABELING_AGAIN = "labeling without a fifth of the labels"
_WITHOUT_GRADIENT = 1 / 3  # of the time of a row with one
_WITHOUT_NET = 1 / 100  # of the time that a net takes for a row
_LEAST_RECORDING = 1 / 10  # of the time of the labeling: a step has a cost of its own, whatever the number of its rows
_MEANS = {
    "labeling": "The pseudo-labels are those of the weights so far.",
    "recording": "The difficulties are read off these epochs.",
    LABELING_AGAIN: "The accuracy of the pseudo-labels is estimated with the weights so far.",
}


class TimeLimited:
    """A stage whose training ends early where its time is over; the result says where it was cut."""

    def __init__(self, stage, begin):
        self.stage, self.begin, self.__name__ = stage, begin, stage.__name__

    def __call__(self, model, **options):
        """Run the stage."""
        with limited(self.begin()) as limit:
            result = self.stage(model, **options)
        return result if limit.cut is None else result | {"cut": limit.cut}


class TimePlan:
    """Divides the time that is left among the trainings to come, by the rows that each works on; the epochs needed come first."""

    def __init__(self, whole, work, *, recording_stage, least_epochs, n_epochs):
        self._whole, self._work, self._recording_stage = whole, work, recording_stage
        self._least_epochs, self._n_epochs = least_epochs, n_epochs

    def left(self):
        """Return the seconds that are left of the fit."""
        return self._whole.left()

    def share(self, stage, n_runs=1):
        """Return the seconds of a run of a stage, of which there are still some to come."""
        names = list(self._work)
        later = sum(self._work[name] for name in names[names.index(stage) + 1 :])
        own = self._work[stage]
        total = own * n_runs + later
        return self.left() * own / total if total else self.left()

    def limit(self, stage, n_runs=1, most=None):
        """Return the limit of a run of a stage that begins now."""
        seconds = self.share(stage, n_runs)
        return self._limit_of(stage, n_runs, seconds if most is None else min(seconds, most))

    def _limit_of(self, stage, n_runs, seconds):
        """Return the limit of a run of a stage that begins now, with a reserve where epochs are recorded in it."""
        if stage != self._recording_stage:
            return TimeLimit(seconds, of=self._whole.seconds)
        return TimeLimit(
            seconds,
            of=self._whole.seconds,
            least_epochs=self._least_epochs,
            n_epochs=self._n_epochs,
            reserve=max(0.0, self.left() / n_runs - seconds),
        )

    def begins_again(self, cut):
        """Return what begins the limit of the labeling that comes last: as long as the first one where that was cut."""
        return partial(self.limit, LABELING_AGAIN, most=None if cut is None else cut.seconds)

    def can_label_again(self, labeler, seconds):
        """Tell whether time is left for a labeling that took so many seconds; that of a net can be cut."""
        if labeler is None:
            return True
        return self.left() > (0 if is_own_net(last_step(labeler)) else seconds)

    def limits(self, stage, n_runs, n_at_once):
        """Return what begins the limit of each run of a stage: in turn, or as many at once as are equal then."""
        if n_at_once == 1:
            return [partial(self.limit, stage, n_runs - number) for number in range(n_runs)]
        n_in_turn = -(-n_runs // n_at_once)
        return [partial(self._limit_of, stage, n_in_turn, self.share(stage, n_in_turn))] * n_runs


def plan_time(settings, models, codes, classes, whole, *, is_image, labels_again, goes_on):
    """Divide the time of a fit; None where it is not limited."""
    if settings.time_limit is None:
        return None
    if active_ranks().n > 1:
        raise ValueError("time_limit must be None within data_parallel, where processes wait for one another.")
    n_rows, work = len(codes), {}
    if models.labeler is not None:
        labeling = _labeling_work(models.labeler, codes)
        work["labeling"] = labeling * (WARM_SHARE if goes_on else 1)
    if settings.uses_labeler_run:
        work["recording"] = n_rows * settings.n_epochs * _WITHOUT_GRADIENT
    else:
        recording = _recording_work(last_step(models.proxy), n_rows, settings)
        work["recording"] = max(recording, _LEAST_RECORDING * work.get("labeling", 0))
    if labels_again and models.labeler is not None:
        work[LABELING_AGAIN] = labeling
    return TimePlan(
        whole,
        work,
        recording_stage="labeling" if settings.uses_labeler_run else "recording",
        least_epochs=_least_epochs(settings, n_rows, classes, is_image),
        n_epochs=settings.n_epochs,
    )


def warn_of_cut(limit, stage, cut):
    """Warn of a stage that was cut."""
    warn_user(f"time_limit={limit:g} ended the {stage} after {cut}. {_MEANS[stage]}")


def _labeling_work(labeler, codes):
    """Return how many rows a labeler works on; 0 for others than nets, which take what they take."""
    net = last_step(labeler)
    if not is_own_net(net):
        return 0
    if not is_semi_supervised(net):
        return len(codes) * net.max_epochs
    from skprune.semi_supervised._steps import resolve_steps

    rows_a_step = net.batch_size * (1 + net.mu * (1 + _WITHOUT_GRADIENT))
    return resolve_steps(net, codes) * net.max_epochs * rows_a_step


def _recording_work(proxy, n_rows, settings):
    """Return how many rows a proxy works on."""
    if not is_net(proxy):
        return n_rows * settings.n_epochs * _WITHOUT_NET
    n_steps = proxy.n_steps if is_own_net(proxy) else None
    rows_an_epoch = n_rows if n_steps is None else n_steps * proxy.batch_size
    return (rows_an_epoch + n_rows * _WITHOUT_GRADIENT * (_mode(settings) == "eval")) * settings.n_epochs


def _mode(settings):
    return settings.recording(1, 1).mode


def _least_epochs(settings, n_rows, classes, is_image):
    """Return how many epochs difficulty and selection need, and a proxy that does not see all rows in each."""
    every = settings.recording(1, 1).every
    n_recorded = settings.n_epochs // every
    least = min_epochs(settings.difficulty)
    selector = selector_for(settings, classes, is_image=is_image)
    if isinstance(selector, (BaseSelector, Mixture)):
        enough = (n for n in range(least, n_recorded + 1) if _can_select(selector, n_rows, n))
        least = next(enough, least)
    proxy = settings.proxy
    if _mode(settings) == "train" and is_own_net(proxy) and proxy.n_steps is not None:
        least = max(least, -(-n_rows // (proxy.n_steps * proxy.batch_size)))
    return least * every


def _can_select(selector, n_rows, n_epochs):
    try:
        selector.check(1, n_rows, n_epochs)
    except ValueError:
        return False
    return True
