"""What SemiPrune refuses before any training."""

import os
from numbers import Integral

import numpy as np
from sklearn.pipeline import Pipeline

from skprune._pipeline._divergence import ON_DIVERGENCE
from skprune._pipeline._held_out import NONE_TO_HOLD_OUT, can_hold_out
from skprune._pipeline._image_size import check_image_size
from skprune._pipeline._selection import selector_for
from skprune._utils._adapters import is_net, is_own_net
from skprune._utils._doc_links import see
from skprune._utils._labels import MISSING
from skprune._utils._parameter_checks import check_count, check_number, check_option
from skprune.dynamics._checks import check_recording
from skprune.scores import min_epochs
from skprune.scores._registry import score_names
from skprune.selection import BaseSelector, Mixture
from skprune.selection._base import needed_inputs


def check_parameters(settings, codes, classes, *, is_image, units=None, sets=None):
    """Refuse settings that cannot work for these labels."""
    k = settings.count(codes != MISSING) if units is None else units.count(settings, codes != MISSING)
    _check_stages(settings)
    check_image_size(settings.image_size, is_image=is_image)
    n_recorded = _check_recording(settings, len(codes), len(classes))
    _check_proxy(settings, codes)
    _check_selection(settings, codes, classes, k, n_recorded, is_image=is_image, units=units)
    _check_held_out(settings, codes, sets)
    check_option("on_divergence", settings.on_divergence, ON_DIVERGENCE)
    check_number("checkpoint_every", settings.checkpoint_every, 0)
    if settings.time_limit is not None:
        check_number("time_limit", settings.time_limit, 0, open_at=(0,))
    if settings.random_state is None and (settings.memory is not None or settings.checkpoint is not None):
        raise ValueError(
            "memory and checkpoint need a random_state: without one, no run finds its results again."
            + see("composition#one-expensive-fit")
        )


def _check_stages(settings):
    check_option("include_labeled", settings.include_labeled, (True, False))
    final_model = settings.compare_with_random
    if not isinstance(final_model, bool) and (isinstance(final_model, type) or not hasattr(final_model, "predict")):
        raise ValueError(f"compare_with_random must be True, False or a classifier, got {final_model!r}.")
    check_option("estimate_accuracy", settings.estimate_accuracy, (True, False, "auto"))
    for name in ("memory", "checkpoint"):
        value = getattr(settings, name)
        if isinstance(value, (str, os.PathLike)) and not os.fspath(value):
            raise ValueError(f"{name} must name a folder, got {value!r}.")
    if not isinstance(settings.checkpoint, (str, os.PathLike, type(None))):
        raise TypeError(f"checkpoint must be None or a path, got {settings.checkpoint!r}.")
    if not isinstance(settings.verbose, (Integral, np.bool_)) or settings.verbose < 0:
        raise ValueError(f"verbose must be an integer of at least 0, got {settings.verbose!r}.")
    for name in ("n_epochs", "schedule_epochs", "n_repeats"):
        check_count(name, getattr(settings, name))
    check_count("schedule_epochs", settings.schedule_epochs, least=settings.n_epochs)
    if settings.n_jobs is not None:
        if isinstance(settings.n_jobs, bool) or not isinstance(settings.n_jobs, Integral) or settings.n_jobs == 0:
            raise ValueError(f"n_jobs must be None or an integer other than 0, got {settings.n_jobs!r}.")
        check_count("n_jobs", abs(settings.n_jobs))


def _check_recording(settings, n_samples, n_classes):
    """Refuse a recording that the difficulty cannot be read from; return how many epochs are recorded."""
    recording = settings.recording(n_samples, n_classes)
    check_recording(recording, settings.n_epochs)
    n_recorded = settings.n_epochs // recording.every
    needed = min_epochs(settings.difficulty)
    if needed > n_recorded:
        raise ValueError(
            f"difficulty={settings.difficulty!r} needs {needed} epochs, and n_epochs={settings.n_epochs} with "
            f"every={recording.every} records {n_recorded}. Record more epochs, or pass partial(...) with a smaller window."
        )
    if "tdds" in score_names(settings.difficulty) and not recording.kl:
        raise ValueError("difficulty='tdds' reads kl_step, which would not be recorded. Use record=Recording(kl=True).")
    return n_recorded


def _check_proxy(settings, codes):
    if isinstance(settings.proxy, type):
        raise TypeError(f"proxy must be a classifier, 'labeler' or None, got {settings.proxy!r}.")
    proxy = settings.proxy[-1] if isinstance(settings.proxy, Pipeline) else settings.proxy
    if isinstance(proxy, str):
        if not settings.uses_labeler_run:
            raise ValueError(f"proxy must be a classifier, 'labeler' or None, got {proxy!r}.")
        if (codes != MISSING).all():
            raise ValueError("proxy='labeler' needs unlabeled rows: where all labels are given, no labeler is trained.")
        if settings.n_repeats > 1:
            raise ValueError(
                f"proxy='labeler' records a single training; n_repeats must be 1, got {settings.n_repeats}."
            )
    n_steps = proxy.n_steps if is_own_net(proxy) else None
    if n_steps not in (None, "auto") and settings.recording(len(codes), 2).mode == "train":
        n_seen = n_steps * proxy.batch_size * settings.n_epochs
        if n_seen < len(codes):
            raise ValueError(
                f"n_steps={n_steps} of {type(proxy).__name__} shows the proxy {n_seen} of the {len(codes)} rows. Leave n_steps "
                "out, or use record='eval'."
            )
    if "grand" in score_names(settings.difficulty) and proxy is not None:
        if not is_net(proxy):
            kind = repr(proxy) if isinstance(proxy, str) else type(proxy).__name__
            raise ValueError(f"difficulty='grand' needs a skorch net as proxy, got {kind}.")
        if getattr(proxy, "compile", False):
            raise ValueError("difficulty='grand' watches the last layer, which compile=True hides. Use compile=False.")


def _check_selection(settings, codes, classes, k, n_recorded, *, is_image, units):
    selector, labeled = selector_for(settings, classes, is_image=is_image), codes != MISSING
    if settings.include_labeled and labeled.sum() > k:
        raise ValueError(
            f"include_labeled=True keeps {int(labeled.sum())} labeled rows, and ratio={settings.ratio!r} keeps only {k} rows."
        )
    needed_inputs(selector)  # refuses names of inputs that there are not; all others are given
    if isinstance(selector, (BaseSelector, Mixture)):
        selector.check(k, len(codes), n_recorded)
        if units is not None:
            k, codes = units.reduced(k, codes, labeled & settings.keeps_labeled, selector)
            selector.check(k, len(codes), n_recorded)
        least = selector.least_per_class(k, len(classes))
        least = _least_kept(least, codes, len(classes))
        if least > k:
            raise ValueError(
                f"min_per_class={selector.min_per_class} needs at least {least} rows of the {len(classes)} classes, and "
                f"{settings.size} keeps {k}{'' if units is None else ' that differ'}."
            )


def _least_kept(least, codes, n_classes):
    """Return how many rows a minimum of each class keeps at least, whatever the classes of the unlabeled rows turn out to be."""
    given = np.bincount(codes[codes != MISSING], minlength=n_classes)
    kept, if_all_others = np.minimum(least, given), np.minimum(least, given + (codes == MISSING).sum())
    return int(kept.sum() + (if_all_others - kept).min())


def _check_held_out(settings, codes, sets):
    labeled = codes != MISSING
    estimates = isinstance(settings.estimate_accuracy, bool) and settings.estimate_accuracy and not labeled.all()
    for name, is_asked in {"estimate_accuracy": estimates, "compare_with_random": settings.compares}.items():
        if is_asked and not can_hold_out(codes, sets):
            raise ValueError(f"{name} holds labeled rows out, and {NONE_TO_HOLD_OUT}.")
