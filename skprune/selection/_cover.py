"""Hard rows that leave none far from a kept one."""

import numpy as np

from skprune._utils._checks import check_number
from skprune.selection._kinds import EmbeddingSelector, weights_of


class KCenter(EmbeddingSelector):
    """Pick, again and again, the row whose distance to the nearest picked row, times its difficulty, is largest.

    K-center greedy (Sener and Savarese, arXiv 1708.00489, algorithm 1), weighted; the first row is one of the highest weight.
    Time: k passes over the features. Rows that must stay do not count as picked.

    Parameters
    ----------
    power : float, default=1.0
        Weights are the difficulty to this power; 0: all rows count alike.
    class_balanced : None, "proportional", "uniform" or dict, default=None
        How k is shared over the classes; each is then covered by itself.
    min_per_class : int or float, default=0
        The least number of kept rows of each class; a float: that part of an even share.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.selection import KCenter
    >>> rows = np.array([[0.0], [0.1], [5.0], [9.0]])
    >>> np.flatnonzero(KCenter().select([0.9, 0.8, 0.5, 0.1], 2, embedding=rows))
    array([0, 2])
    """

    def __init__(self, power=1.0, class_balanced=None, min_per_class=0):
        super().__init__(class_balanced=class_balanced, min_per_class=min_per_class)
        self.power = power

    def check(self, k, n_samples, n_epochs=None):
        """Refuse a `power` below 0; see :meth:`BaseSelector.check`."""
        super().check(k, n_samples, n_epochs)
        check_number("power", self.power, 0)

    def _pick(self, scores, k, features):
        weights = weights_of(scores, self.power)
        # in single precision, since the passes over the features are bound by memory; their scale changes no pick
        small = (features / (np.abs(features).max() or 1.0)).astype(np.float32)
        return farthest_first(small, k, int(weights.argmax()), weights)


def farthest_first(features, k, first, weights=None):
    """Pick the row farthest from all that are picked, again and again."""
    squares = np.einsum("ij,ij->i", features, features)
    squared_weights = 1.0 if weights is None else weights**2
    nearest = np.full(len(features), np.inf)
    picked = np.zeros(len(features))  # -inf there
    order = [int(first)]
    while len(order) < k:
        last = order[-1]
        np.minimum(nearest, squares + squares[last] - 2.0 * (features @ features[last]), out=nearest)
        np.maximum(nearest, 0.0, out=nearest)  # what rounding took below 0
        picked[last] = -np.inf
        order.append(int((nearest * squared_weights + picked).argmax()))
    return order
