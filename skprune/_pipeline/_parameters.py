"""What SemiPrune refuses before any training."""

from numbers import Integral

import numpy as np
from joblib import effective_n_jobs
from sklearn.pipeline import Pipeline

from skprune._utils._adapters import is_net
from skprune._utils._labels import MISSING
from skprune.dynamics._checks import check_recording
from skprune.dynamics._recording import as_recording, keeps_kl
from skprune.scores import min_epochs
from skprune.scores._registry import default_epochs
from skprune.selection import BaseSelector, get_selector, kept_count

_LEAST_SHARE = 0.5  # of each class, by name: a class that is easy or rare may vanish from a small coreset
_BY_NAME = {"beta": {"c_d": "auto"}, "cutoff": {"hard_cutoff": "auto"}, "stratified": {"hard_cutoff": "auto"}}
_TRUST = {"annotate": 0, "pseudo": 10}  # of "beta" by name: a wrong label hurts where it is trained on


def check_parameters(pruner, codes, classes):
    """Refuse what cannot work, before any training."""
    given = codes != MISSING
    n = len(given)
    k = kept_count(pruner.ratio, n)
    for name in ("n_epochs", "schedule_epochs", "n_repeats"):
        value = getattr(pruner, name)
        if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
            raise ValueError(f"{name} must be an integer of at least 1, got {value!r}.")
    if pruner.schedule_epochs < pruner.n_epochs:
        raise ValueError(f"schedule_epochs={pruner.schedule_epochs} must be at least n_epochs={pruner.n_epochs}.")
    effective_n_jobs(pruner.n_jobs)  # refuses 0
    recording = as_recording(pruner.record)
    check_recording(recording, pruner.n_epochs)
    recorded = int(pruner.n_epochs) // recording.every
    needed = min_epochs(pruner.difficulty)
    if needed > recorded:
        raise ValueError(
            f"difficulty={pruner.difficulty!r} needs {needed} epochs, above the {recorded} that n_epochs={pruner.n_epochs} and "
            f"every={recording.every} record. Record more epochs, or pass a partial(...) with a smaller window."
        )
    if "tdds" in difficulties(pruner) and not keeps_kl(recording.kl, n, len(classes)):
        raise ValueError("difficulty='tdds' reads kl_step, which would not be recorded. Use record=Recording(kl=True).")
    _check_proxy(pruner, given)
    if pruner.goal == "pseudo" and not is_default(pruner.selection):
        raise ValueError(
            f"goal='pseudo' weights the rows of selection='beta', and selection={pruner.selection!r} would not read it. "
            "Leave the goal out; Beta has trust=..., and others may read error_probability."
        )
    selector = selector_for(pruner.selection, classes, pruner.difficulty, pruner.goal)
    if isinstance(selector, BaseSelector):
        selector.check(k, n, recorded)
        least = selector.least_per_class(k, len(classes))
        least = int(np.minimum(least, np.bincount(codes[given])).sum())
        if least > k:
            raise ValueError(
                f"min_per_class={selector.min_per_class} needs {least} rows of the {len(classes)} classes at least, above "
                f"the {k} rows that ratio={pruner.ratio!r} keeps."
            )
    if pruner.include_labeled and given.sum() > k:
        raise ValueError(
            f"include_labeled=True keeps {int(given.sum())} labelled rows, above the {k} rows that "
            f"ratio={pruner.ratio!r} keeps."
        )
    for name in ("estimate_accuracy", "gate"):
        asked = getattr(pruner, name) and (name == "gate" or not given.all())
        if asked and np.bincount(codes[given]).max() < 2:
            raise ValueError(f"{name} holds labelled rows out, and no class has two of them.")
    if pruner.random_state is None and (pruner.memory is not None or pruner.checkpoint is not None):
        raise ValueError("memory and checkpoint need a random_state: without one, no run finds its results again.")


def _check_proxy(pruner, given):
    proxy = pruner.proxy[-1] if isinstance(pruner.proxy, Pipeline) else pruner.proxy
    if isinstance(proxy, str):
        if proxy != "labeler":
            raise ValueError(f"proxy must be a classifier, 'labeler' or None, got {proxy!r}.")
        if given.all():
            raise ValueError("proxy='labeler' needs rows without a label: where all are given, no labeler is trained.")
        if pruner.n_repeats > 1:
            raise ValueError("proxy='labeler' records the one run of the labeler; use n_repeats=1.")
    if "grand" in difficulties(pruner) and proxy is not None:
        if not is_net(proxy):
            kind = repr(proxy) if isinstance(proxy, str) else type(proxy).__name__
            raise ValueError(f"difficulty='grand' needs a net as proxy, and {kind} is none.")
        if getattr(proxy, "compile", False):
            raise ValueError("difficulty='grand' watches the last layer, which compile=True hides. Use compile=False.")


def difficulties(pruner):
    """Return the difficulties of a pruner as a list."""
    return pruner.difficulty if isinstance(pruner.difficulty, (list, tuple)) else [pruner.difficulty]


def is_default(selection):
    """Return whether a selection is "beta" by name, which has other settings than ``Beta()``."""
    return isinstance(selection, str) and selection == "beta"


def selector_for(selection, classes, difficulty, goal):
    """Return a fresh selector that fits the fit."""
    if goal not in _TRUST:
        raise ValueError(f"goal must be 'annotate' or 'pseudo', got {goal!r}.")
    selector = get_selector(selection)
    if isinstance(selection, str) and selection in _BY_NAME:
        selector.set_params(min_per_class=_LEAST_SHARE, **_BY_NAME[selection])
    if is_default(selection):
        selector.set_params(n_epochs=default_epochs(difficulty), trust=_TRUST[goal])
    wanted = getattr(selector, "class_balanced", None)
    if not isinstance(wanted, dict):
        return selector
    place = {label: code for code, label in enumerate(classes.tolist())}
    unknown = [label for label in wanted if label not in place]
    if unknown:
        raise ValueError(f"class_balanced names {unknown[0]!r}, which is not among the classes {classes.tolist()}.")
    return selector.set_params(class_balanced={place[label]: weight for label, weight in wanted.items()})
