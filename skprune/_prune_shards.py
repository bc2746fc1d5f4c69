"""prune_shards: one coreset of a pool that comes in shards."""

import warnings
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone

from skprune._pipeline._selection import LOST_CLASSES, warn_of_lost_classes
from skprune._pipeline._shards import check_fit, check_outlines, naming_shard, outline_of, read_shard, with_shared
from skprune._pipeline._shares import calibrations, knots_of, shares_by_size, shares_of_top
from skprune._reports import choose_among
from skprune._semi_prune import SemiPrune
from skprune._utils._labels import missing_mask
from skprune._utils._seeds import random_state_of
from skprune.selection import Cutoff, Easiest, Hardest, get_selector, kept_count
from skprune.selection._cutoff import share_of


@dataclass(frozen=True)
class ShardedCoreset:
    """The coreset of a pool in shards, as :func:`prune_shards` returns it: lists with an entry for each shard.

    Parameters
    ----------
    support : list of ndarray of shape (n_samples,), bool
        True for the rows of the shard that are kept.
    pseudo_labels : list of ndarray of shape (n_samples,)
        The given labels, and predicted ones where none was given.
    pseudo_label_confidence : list of ndarray of shape (n_samples,), float64
        The probability that the label is correct, in [0, 1].
    difficulty_scores : list of ndarray of shape (n_samples,), float64
        Higher means harder, on one scale for all shards.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune import ShardedCoreset
    >>> shards = [(np.eye(3), [0, 1, 1]), (np.ones((1, 3)), [0])]
    >>> kept, labels = [np.array([True, False, True]), np.array([True])], [np.array([0, 1, 1]), np.array([0])]
    >>> rows, labels = ShardedCoreset(kept, labels, [np.ones(3), np.ones(1)], [np.zeros(3), np.zeros(1)]).coreset(shards)
    >>> labels
    array([0, 1, 0])
    """

    support: list
    pseudo_labels: list
    pseudo_label_confidence: list
    difficulty_scores: list

    def coreset(self, shards):
        """Return the kept rows of all shards, and their labels.

        Parameters
        ----------
        shards : sequence
            The shards, as they were given to :func:`prune_shards`.

        Returns
        -------
        rows : ndarray
            The kept rows, shard after shard.
        labels : ndarray of shape (n_kept,)
            Given labels where there are any, pseudo-labels elsewhere.
        """
        rows = [read_shard(shard)[0][mask] for shard, mask in zip(shards, self.support, strict=True)]
        labels = [values[mask] for values, mask in zip(self.pseudo_labels, self.support, strict=True)]
        return np.concatenate(rows), np.concatenate(labels)


def prune_shards(pruner, shards, *, n_jobs=None):
    """Prune a pool that comes in shards, each of which is labeled and scored on its own.

    All labeled rows are added to each shard while it is scored. They let each labeler see all labels, and their difficulties
    bring those of the shards to one scale, on which their quantiles agree. No more than the shards that are worked on are in
    memory, besides about 40 bytes for each row of the pool.

    Which rows are kept depends on the `selection` of the pruner:

    - :class:`~skprune.selection.Hardest`, :class:`~skprune.selection.Easiest`, and :class:`~skprune.selection.Cutoff` with a
      number as `hard_cutoff`, without `class_balanced` and `min_per_class`, keep the rows above one threshold, or between two,
      of the difficulties of all shards. It is found by quantiles of each shard, and is exact.
    - All others, "auto" among them, choose within each shard, which gives a share of the kept rows in proportion to its size:
      what is covered is each shard. Shards of rows in random order give the best coresets.

    Parameters
    ----------
    pruner : SemiPrune
        An unfitted pruner. Its `ratio` is that of all rows, of which labeled ones are chosen like any others.
    shards : sequence
        Pairs (X, y) of arrays, memory-mapped ones too, but no Datasets; paths of ``.npz`` files that hold "X" and "y"; or
        callables without arguments that return such a pair. y marks unlabeled rows as `missing_label` of the pruner says, which
        means the same in all shards. Each shard is loaded three times: for its labels, to be checked before any training, and
        to be scored.
    n_jobs : int, default=None
        The number of shards that are scored at a time, by joblib: ``parallel_config`` chooses a backend, such as those of Dask
        and Ray.

    Returns
    -------
    ShardedCoreset
        ``support``, ``pseudo_labels``, ``pseudo_label_confidence`` and ``difficulty_scores`` of each shard, and ``coreset``.

    Raises
    ------
    ValueError
        There are no shards, the pruner has a `budget` or `include_labeled`, the shapes of the rows or the dtypes of images
        differ, -1 would be a class in one shard and unlabeled in another, or ``fit`` refuses a shard; the message says which.
    TypeError
        The pruner is no SemiPrune, or a shard is none of the above.

    Notes
    -----
    The order of the shards does not matter, and with a single one, the coreset is that of ``pruner.fit(X, y)``. The seed of the
    pruner is that of each shard. With its `memory`, a run that was killed continues after the last finished shard.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import SGDClassifier
    >>> from sklearn.semi_supervised import LabelSpreading
    >>> from skprune import SemiPrune, prune_shards
    >>> from skprune.datasets import make_partial_labels
    >>> X, y = load_digits(return_X_y=True)
    >>> X, y_partial = X / 16, make_partial_labels(y, n_labeled=200, random_state=0)
    >>> shards = [(X[:900], y_partial[:900]), (X[900:], y_partial[900:])]
    >>> classifier = SGDClassifier(loss="log_loss")
    >>> pruner = SemiPrune(0.1, labeler=LabelSpreading(kernel="knn"), proxy=classifier, random_state=0)
    >>> rows, labels = prune_shards(pruner, shards).coreset(shards)
    >>> rows.shape
    (180, 64)
    """
    _check_pruner(pruner)
    shards = list(shards)
    if not shards:
        raise ValueError("shards must hold at least one shard.")
    seed = pruner.random_state
    if not isinstance(seed, Integral):
        seed = int(random_state_of(seed).randint(2**31 - 1))
    pruner = clone(pruner).set_params(random_state=seed)
    parallel = Parallel(n_jobs=n_jobs)
    outlines = parallel(delayed(outline_of)(number, shard, pruner.missing_label) for number, shard in enumerate(shards))
    dtype = check_outlines(pruner, outlines)
    # in an order that does not depend on that of the shards: sums, chance, and the rows that are added
    order = sorted(range(len(shards)), key=lambda number: outlines[number].name)
    rng, sizes = np.random.default_rng(seed), np.array([outlines[number].size for number in order])
    k, band = kept_count(pruner.ratio, int(sizes.sum())), _band(pruner.selection)
    pruner.set_params(ratio=k / int(sizes.sum()))
    if band is not None:
        pruner.set_params(selection=band.order)
        _check_band(band, k, int(sizes.sum()))
    shares = [None] * len(order) if band is not None else shares_by_size(sizes, k, rng).tolist()
    tasks = [
        (pruner, number, shards[number], [outlines[other] for other in order if other != number], share, dtype)
        for number, share in zip(order, shares, strict=True)
    ]
    parallel(delayed(check_fit)(*task) for task in tasks)
    scored = parallel(delayed(_score)(*task) for task in tasks)
    scales = calibrations([shard.knots for shard in scored])
    scores = [scale(shard.scores) for scale, shard in zip(scales, scored, strict=True)]
    chosen = [shard.order for shard in scored]
    if band is not None:
        chosen = _within_band(band, scored, scores, k, rng)
    found = [None] * len(shards)
    for number, shard, values, rows in zip(order, scored, scores, chosen, strict=True):
        mask = np.zeros(len(values), dtype=bool)
        mask[rows] = True
        found[number] = mask, shard.labels, shard.confidence, values
    coreset = ShardedCoreset(*map(list, zip(*found, strict=True)))
    classes = np.unique(np.concatenate([np.unique(labels) for labels in coreset.pseudo_labels]))
    codes = np.concatenate([np.searchsorted(classes, labels) for labels in coreset.pseudo_labels])
    warn_of_lost_classes(codes, np.concatenate(coreset.support), classes)
    return coreset


@dataclass(frozen=True)
class _Scored:
    """A shard that was scored: its rows in the order in which they are kept, and the quantiles of the shared rows."""

    labels: np.ndarray
    confidence: np.ndarray
    scores: np.ndarray
    knots: np.ndarray
    order: np.ndarray
    n_distinct: int


@dataclass(frozen=True)
class _Band:
    """What is kept of all rows in an order: the next k after a share of them."""

    order: object
    sign: float
    skipped: float = 0.0


def _check_pruner(pruner):
    if not isinstance(pruner, SemiPrune):
        raise TypeError(f"pruner must be a SemiPrune, got {pruner!r}.")
    for name in ("budget", "include_labeled"):
        if getattr(pruner, name) not in (None, False):
            raise ValueError(
                f"{name}={getattr(pruner, name)!r} is not for shards, which share their labeled rows. Set ratio instead."
            )


def _band(selection):
    """Return what a selection by rank keeps; None of any other."""
    selector = None if isinstance(selection, str) and selection == "auto" else get_selector(selection)
    if type(selector) not in (Hardest, Easiest, Cutoff) or selector.needs():
        return None
    skipped = selector.hard_cutoff if isinstance(selector, Cutoff) else 0.0
    return _Band(Easiest(), -1.0) if isinstance(selector, Easiest) else _Band(Hardest(), 1.0, skipped)


def _score(pruner, number, shard, others, share, dtype):
    """Fit a shard together with the labeled rows of the others, and choose its share, or order all its rows."""
    X, labels = with_shared(pruner, number, shard, others, dtype)
    own = np.arange(len(labels) - sum(len(outline.labels) for outline in others))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", LOST_CLASSES)  # another shard may keep rows of them
        fitted = naming_shard(number, clone(pruner).set_params(missing_label=None).fit, X, labels)
    scores, is_labeled = fitted.difficulty_scores_, ~missing_mask(labels, None)
    order, n_distinct = choose_among(fitted, own, len(own) if share is None else share)
    return _Scored(
        fitted.pseudo_labels_[own],
        fitted.pseudo_label_confidence_[own],
        scores[own],
        knots_of(scores[is_labeled]),
        order,
        n_distinct,
    )


def _check_band(band, k, n_distinct, n_rows=None):
    """Return how many rows a cutoff drops, once it is sure that k of all rows are left."""
    n_skipped = int(share_of(band.skipped, n_distinct))
    if n_skipped + k > (n_distinct if n_rows is None else n_rows):
        raise ValueError(f"hard_cutoff={band.skipped} leaves fewer than the {k} rows to keep. Lower it, or ratio.")
    return n_skipped


def _within_band(band, scored, scores, k, rng):
    """Return the rows of each shard that are among those kept of all shards."""
    keys = []
    for shard, values in zip(scored, scores, strict=True):
        key = np.minimum.accumulate(band.sign * values[shard.order])
        key[shard.n_distinct :] = -np.inf  # equal to others: when no other row is left
        keys.append(key)
    n_skipped = _check_band(band, k, sum(shard.n_distinct for shard in scored), sum(map(len, keys)))
    first = shares_of_top(keys, n_skipped, rng) if n_skipped else np.zeros(len(keys), dtype=np.int64)
    shares = shares_of_top([key[start:] for key, start in zip(keys, first, strict=True)], k, rng)
    return [shard.order[start : start + share] for shard, start, share in zip(scored, first, shares, strict=True)]
