"""K-center: hard rows that leave no row far from a kept one."""

import numpy as np

from skprune._utils._docstrings import fill_docstring
from skprune._utils._parameter_checks import check_number
from skprune.selection._embedding import EmbeddingSelector, weights_of


@fill_docstring()
class KCenter(EmbeddingSelector):
    """Repeatedly pick the row whose distance to the nearest picked row, times its difficulty, is largest.

    Greedy k-center (Sener and Savarese, arXiv 1708.00489, algorithm 1), weighted; the first row is one of the highest weight.
    It takes k passes over the features. Rows that must stay do not count as picked.

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

    def _pick(self, scores, k, features):
        weights = weights_of(scores, self.power)
        # in single precision, since the passes over the features are bound by memory; their scale changes no pick
        scaled = (features / (np.abs(features).max() or 1.0)).astype(np.float32)
        return farthest_first(scaled, k, int(weights.argmax()), weights)


def farthest_first(features, k, first, weights=None):
    """Repeatedly pick the row farthest from all picked rows, beginning with `first`."""
    squares = np.einsum("ij,ij->i", features, features)
    squared_weights = 1.0 if weights is None else weights**2
    nearest = np.full(len(features), np.inf)
    penalty = np.zeros(len(features))  # -inf for picked rows
    order = [int(first)]
    while len(order) < k:
        last = order[-1]
        np.minimum(nearest, squares + squares[last] - 2.0 * (features @ features[last]), out=nearest)
        np.maximum(nearest, 0.0, out=nearest)  # rounding may have taken some below 0
        penalty[last] = -np.inf
        order.append(int((nearest * squared_weights + penalty).argmax()))
    return order
