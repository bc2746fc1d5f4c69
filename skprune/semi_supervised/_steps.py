"""How many steps a training takes with ``n_steps="auto"``."""

import numpy as np

from skprune._utils._labels import MISSING

_LEAST, _MOST = 1500, 6000
_LABELED_PASSES, _POOL_PASSES = 20, 2


def resolve_steps(net, codes):
    """Return the steps of an epoch of a net on a pool, given the class indices of its rows, which are -1 where unknown."""
    if net.n_steps != "auto":
        return net.n_steps
    labeled = _LABELED_PASSES * np.count_nonzero(codes != MISSING) / net.batch_size
    pool = _POOL_PASSES * len(codes) / (net.mu * net.batch_size)
    return int(np.clip(np.ceil(max(labeled, pool)), _LEAST, _MOST))
