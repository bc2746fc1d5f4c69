"""Recording: what is recorded of a training, as one value that every recording function takes."""

from sklearn.base import BaseEstimator

from skprune._utils._doc_links import DocLinks
from skprune._utils._parameter_checks import check_count, check_option

KL_BUFFER_LIMIT = 2**30
"""Bytes of the buffer of log-probabilities up to which ``kl="auto"`` records ``kl_step``."""


class Recording(DocLinks, BaseEstimator):
    """What is recorded of a training: the parameter `record` of everything that records.

    Parameters
    ----------
    mode : {"train", "eval"}, default="train"
        For nets. "train" records each row as its batch passes: training-mode outputs of the augmented input, as published.
        "eval" makes an extra evaluation pass after each recorded epoch. Other classifiers have no training mode and are
        always recorded in an extra pass.
    every : int, default=1
        Record only the epochs k, 2k, 3k, ...; the windows of the scores count recorded epochs.
    kl : bool or "auto", default="auto"
        Whether to record ``kl_step``, which TDDS reads. While recording, it needs a float32 buffer of
        ``4 * n_samples * n_classes`` bytes. "auto" records it if this buffer takes at most 1 GiB; pruners
        whose `difficulty` is TDDS record it in any case.

    See Also
    --------
    collect_dynamics : Train a classifier and record it.
    DynamicsRecorder : Record a skorch net as it trains.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import GradientBoostingClassifier
    >>> from skprune.dynamics import Recording, collect_dynamics
    >>> X, y = load_iris(return_X_y=True)
    >>> proxy = GradientBoostingClassifier(random_state=0)
    >>> record = Recording(every=2, kl=False)
    >>> dynamics, _ = collect_dynamics(proxy, X, y, n_epochs=6, record=record, random_state=0)
    >>> dynamics
    TrainingDynamics(n_epochs=3, n_samples=150)
    >>> dynamics.kl_step is None
    True

    Being an estimator's parameter, it can be tuned:

    >>> from skprune import SemiPrune
    >>> SemiPrune(record=Recording()).set_params(record__every=2).record
    Recording(every=2)
    """

    def __init__(self, mode="train", *, every=1, kl="auto"):
        self.mode = mode
        self.every = every
        self.kl = kl


def as_recording(record):
    """Return a checked Recording from "train", "eval" or a Recording."""
    if isinstance(record, str) and record in ("train", "eval"):
        return Recording(record)
    if not isinstance(record, Recording):
        raise ValueError(f"record must be 'train', 'eval' or a Recording, got {record!r}.")
    check_option("record__mode", record.mode, ("train", "eval"))
    check_count("record__every", record.every)
    check_option("record__kl", record.kl, (True, False, "auto"))
    kl = str(record.kl) if isinstance(record.kl, str) else bool(record.kl)
    return Recording(str(record.mode), every=int(record.every), kl=kl)


def keeps_kl(kl, n_samples, n_classes):
    """Tell whether ``kl_step`` is recorded, of so many rows and classes."""
    return 4 * n_samples * n_classes <= KL_BUFFER_LIMIT if kl == "auto" else kl
