"""The calls of the expensive stages, in their order, each through the store."""

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend
from sklearn.pipeline import Pipeline

from skprune._pipeline import _stages
from skprune._pipeline._held_out import hold_out
from skprune._pipeline._models import is_labeler, repeats_of
from skprune._pipeline._store import StageStore
from skprune._utils._labels import MISSING, warn_of_vanished
from skprune._utils._warnings import warn_user
from skprune.dynamics._recording import as_recording


def run_stages(pruner, labeler, proxy, pool, codes, classes, seed):
    """Label and record, or find what was labelled and recorded before."""
    store = StageStore(pruner.memory, pruner.checkpoint, pruner.device, pool.ndim == 4)
    given = codes != MISSING
    labelling = {"codes": codes, "pool": pool, "seed": seed}
    record = as_recording(pruner.record)
    single = is_labeler(pruner.proxy)
    if single:
        record.set_params(mode="eval")  # as it is recorded whatever the mode says: one key
    recording = {"n_epochs": int(pruner.n_epochs), "record": record}
    if given.all():
        labelled = {"codes": codes, "confidence": np.ones(len(codes))}
    else:
        stage, options = (_stages.label_and_record, recording) if single else (_stages.label_pool, {})
        labelled = store.run(stage, labeler, verbose=pruner.verbose, **labelling, **options)
        last = labeler[-1] if isinstance(labeler, Pipeline) else labeler
        warn_of_vanished(labelled["codes"][~given], classes, last)
    held = None
    if pruner.gate or (pruner.estimate_accuracy and not given.all()):
        held = hold_out(pruner, labeler, pool, codes, seed)
    if single:
        return labelled, [labelled], held
    recording |= {"schedule_epochs": int(pruner.schedule_epochs), "codes": labelled["codes"], "pool": pool}
    return labelled, _record(pruner, store, proxy, recording, seed), held


def _record(pruner, store, proxy, recording, seed):
    """Record each repeat, in processes where the user asks for them."""
    calls = [
        (one, recording | {"features": number == 0, "seed": its_seed})
        for number, (one, its_seed) in enumerate(repeats_of(proxy, seed, pruner.n_repeats))
    ]
    # Threads would share torch's global generator; inside the worker of a grid search, joblib has nothing else to give.
    only_threads = getattr(get_active_backend()[0], "supports_sharedmem", False)
    alone = len(calls) == 1 or effective_n_jobs(pruner.n_jobs) == 1 or only_threads
    recorded = Parallel(n_jobs=1 if alone else pruner.n_jobs)(
        delayed(store.run)(
            _stages.record_pool,
            one,
            store.key(_stages.record_pool, one, **options),
            verbose=pruner.verbose if alone else 0,
            **options,
        )
        for one, options in calls
    )
    errors = [one["dynamics"]["error"] for one in recorded]
    if len(errors) > 1 and all(np.array_equal(errors[0], error, equal_nan=True) for error in errors):
        warn_user(
            f"The {len(errors)} repeats are equal, since {type(proxy).__name__} draws nothing at random: score_std_ says "
            "nothing about luck."
        )
    return recorded
