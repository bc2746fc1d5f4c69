"""K-center: hard rows that leave no row far from a kept one."""

import numpy as np

from skprune._utils._docstrings import fill_docstring
from skprune._utils._parameter_checks import check_number
from skprune.selection._embedding import EmbeddingSelector, weights_of

_LEAST_FARTHEST, _FARTHEST_SHARE = 4096, 64  # how many of the farthest rows a round looks at
_CHUNK_PAIRS = 2**18


@fill_docstring()
class KCenter(EmbeddingSelector):
    """Repeatedly pick the row whose distance to the nearest picked row, times its difficulty, is largest.

    Greedy k-center (Sener and Savarese, arXiv 1708.00489, algorithm 1), weighted; the first row is one of the highest weight.
    Rows that must stay do not count as picked.

    The picks are exact, since it is the far rows that decide, about which a graph of neighbors says nothing. All rows are
    compared with all picks, in products of matrices: with d features, that is about 2 n k d operations, and memory for n rows.

    Parameters
    ----------
    power : float, default=1.0
        Weights are the difficulty to this power; with 0, all rows count alike.
    $class_balanced
    $min_per_class

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.selection import KCenter
    >>> rows = np.array([[0.0], [0.1], [5.0], [9.0]])
    >>> np.flatnonzero(KCenter().select([0.9, 0.8, 0.5, 0.1], 2, embedding=rows))
    array([0, 2])
    """

    def __init__(self, power=1.0, *, class_balanced=None, min_per_class=0):
        super().__init__(class_balanced=class_balanced, min_per_class=min_per_class)
        self.power = power

    def check(self, k, n_samples, n_epochs=None):
        """Refuse parameters that cannot work; see :meth:`BaseSelector.check`."""
        super().check(k, n_samples, n_epochs)
        check_number("power", self.power, 0)

    def _pick(self, scores, k, features, rng):
        weights = weights_of(scores, self.power)
        # in single precision, since the passes over the features are bound by memory; their scale changes no pick
        scaled = (features / (np.abs(features).max() or 1.0)).astype(np.float32)
        return farthest_first(scaled, k, int(weights.argmax()), weights)


def farthest_first(features, k, first, weights=None):
    """Repeatedly pick the row farthest from all picked rows, beginning with `first`."""
    squares = np.einsum("ij,ij->i", features, features)
    squared_weights = np.ones(len(features)) if weights is None else weights**2
    nearest, is_picked = np.full(len(features), np.inf), np.zeros(len(features), dtype=bool)
    order, added = [], [int(first)]
    while True:
        order += added
        if len(order) >= k:
            return order
        is_picked[added] = True
        _approach(nearest, features, squares, added)
        # distances to picked rows only fall: the farthest rows decide alone while one of them is above all others
        keys = np.where(is_picked, -np.inf, nearest * squared_weights)
        n_others = len(keys) - max(_LEAST_FARTHEST, len(keys) // _FARTHEST_SHARE)
        farthest, least = np.arange(len(keys)), -np.inf
        if n_others > 0:
            by_key = np.argpartition(keys, n_others - 1)
            farthest, least = np.sort(by_key[n_others:]), keys[by_key[n_others - 1]]
        places = _pick_among(
            features[farthest], nearest[farthest], squared_weights[farthest], keys[farthest], least, k - len(order)
        )
        added = farthest[places].tolist()


def _approach(nearest, features, squares, picks):
    """Lower the squared distances to the nearest picked row, after new picks."""
    factors = -2.0 * features[picks].T
    size = max(1, _CHUNK_PAIRS // len(picks))
    for start in range(0, len(features), size):
        rows = slice(start, start + size)
        distances = features[rows] @ factors
        distances += squares[picks]
        np.minimum(nearest[rows], squares[rows] + distances.min(axis=1), out=nearest[rows])
    np.maximum(nearest, 0.0, out=nearest)  # rounding may have taken some below 0


def _pick_among(features, nearest, squared_weights, keys, least, n_most):
    """Pick the highest key again and again, until it is below the least that other rows may have."""
    squares, penalty, places = np.einsum("ij,ij->i", features, features), np.minimum(keys, 0.0), []
    while len(places) < n_most:
        highest = int(keys.argmax())
        if keys[highest] < least or keys[highest] == -np.inf:
            break
        places.append(highest)
        penalty[highest] = -np.inf
        np.minimum(nearest, squares + squares[highest] - 2.0 * (features @ features[highest]), out=nearest)
        np.maximum(nearest, 0.0, out=nearest)
        keys = nearest * squared_weights + penalty
    return places
