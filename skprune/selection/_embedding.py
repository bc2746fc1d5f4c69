"""What selectors share that look at features: the order of the picks, and weights from difficulties."""

from abc import abstractmethod

import numpy as np

from skprune.selection._base import BaseSelector


class EmbeddingSelector(BaseSelector):
    """A selector that looks at features; a subclass defines ``_pick``, which returns k positions in the order of the picks."""

    _reason = "picked for its place and difficulty"

    def needs(self):
        """Name the inputs that `select` reads; see :meth:`BaseSelector.needs`."""
        return (*super().needs(), "embedding")

    def _order(self, draw):
        places = draw.rng.permutation(len(draw.scores))  # equal rows are picked by chance
        features = draw.inputs["embedding"][places].astype(np.float64, copy=False)  # a copy in any case
        features -= features.mean(axis=0)
        return places[self._pick(draw.scores[places], draw.k, features, draw.rng)]

    @abstractmethod
    def _pick(self, scores, k, features, rng):
        """Return k positions, those picked first in front; the features have mean 0."""


def weights_of(scores, power):
    """Turn difficulties into weights within [0, 1]: shifted to 0 where some are below, in units of the highest."""
    shifted = scores - min(scores.min(), 0.0)
    return (shifted / shifted.max()) ** power if shifted.max() > 0.0 else np.ones(len(scores))
