"""How much of a coreset is luck: what coresets of several random states have in common."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from joblib import Parallel, delayed

from skprune._utils._parallel import shipped_once
from skprune._utils._pool import check_equal_length
from skprune.model_selection._curve_runs import seeded_clone


@dataclass(frozen=True)
class CoresetStability:
    """The coresets of several random states, as masks of shape (n_coresets, n_samples), and what they have in common."""

    masks: np.ndarray

    @cached_property
    def kept_share(self):
        """The share of the coresets that keep each row."""
        return self.masks.mean(axis=0)

    @property
    def overlap(self):
        """The share of the rows of one coreset that another keeps as well."""
        n, times = len(self.masks), self.masks.sum(axis=0, dtype=np.int64)
        return float((times * (times - 1)).sum() / ((n - 1) * times.sum()))

    @property
    def overlap_by_chance(self):
        """What the overlap of as many random rows would be."""
        return float(self.masks.mean())

    @property
    def stability(self):
        """The overlap beyond chance: 1 if all coresets are equal, about 0 if they are random."""
        if self.masks.all():
            return 1.0
        return (self.overlap - self.overlap_by_chance) / (1.0 - self.overlap_by_chance)


def coreset_stability(pruner, X, y=None, *, groups=None, random_states=(0, 1, 2, 3, 4), n_jobs=None):
    r"""Fit a pruner with several random states, and tell how much of its coreset is luck.

    All that is drawn at random is drawn anew for each random state: the weights and batches of labeler and proxy, the labels
    held out, the selection.

    Parameters
    ----------
    pruner : pruner
        An unfitted pruner, such as :class:`~skprune.SemiPrune` or one of :mod:`skprune.baselines`. It is cloned.
    X : array-like
        The pool.
    y : array-like of shape (n_samples,), default=None
        Labels, some missing, as ``fit`` of the pruner takes them.
    groups : array-like of shape (n_samples,), default=None
        The group of each row, for pruners whose ``fit`` takes it.
    random_states : sequence of int, default=(0, 1, 2, 3, 4)
        One fit is made for each of them. A pruner with `memory` or `checkpoint` does not repeat those that it has made.
    n_jobs : int, default=None
        Number of fits that are made at the same time. With joblib's backend of Dask or Ray they are made on a cluster.

    Returns
    -------
    object
        ``stability``, 1 if all coresets are equal and about 0 if they have no more in common than random rows; ``overlap``, the
        share of the rows of one coreset that another keeps as well, on average; ``overlap_by_chance``, what that would be
        for random rows; ``kept_share`` of shape (n_samples,), the share of the coresets that keep each row, strictly between
        0 and 1 where luck decides; ``masks`` of shape (n_fits, n_samples), the coresets.

    Raises
    ------
    TypeError
        `pruner` is not a pruner with a `random_state`.
    ValueError
        `random_states` are not two or more different integers; or what ``fit`` refuses.

    Notes
    -----
    With an overlap :math:`o` and a share :math:`p` of the rows that is kept on average, the stability is
    :math:`(o - p) / (1 - p)`, which is the measure of Nogueira, Sechidis and Brown (JMLR 18(174), 2018), there for selected
    features. Random rows give values on either side of 0.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.baselines import KCenterPruner, RandomPruner
    >>> from skprune.model_selection import coreset_stability
    >>> X, y = load_iris(return_X_y=True)
    >>> random = coreset_stability(RandomPruner(0.3), X, y, random_states=range(20))
    >>> random.overlap_by_chance, round(random.overlap, 1), round(random.stability, 1)
    (0.3, 0.3, 0.0)
    >>> coreset_stability(KCenterPruner(0.3), X, y).stability > 0.2
    True
    """
    is_class = isinstance(pruner, type)
    if is_class or not (hasattr(pruner, "get_support") and "random_state" in pruner.get_params(deep=False)):
        raise TypeError(f"pruner must be a pruner with a random_state, such as SemiPrune(), got {pruner!r}.")
    random_states = [int(seed) for seed in random_states]
    if len(set(random_states)) < max(2, len(random_states)):
        raise ValueError(f"random_states must be two or more different integers, got {random_states}.")
    if y is not None:
        check_equal_length(X, y)
    data = {"X": X, "y": y} if groups is None else {"X": X, "y": y, "groups": groups}
    (data,) = shipped_once(data, n_jobs=n_jobs)
    masks = Parallel(n_jobs=n_jobs)(delayed(_coreset)(pruner, seed, data) for seed in random_states)
    return CoresetStability(np.stack(masks))


def _coreset(pruner, seed, data):
    return seeded_clone(pruner, seed).fit(**data).support_
