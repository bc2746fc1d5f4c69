"""What the embeddings share: they take a pool as it is, images and sparse tables too."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skprune._utils._doc_links import DocLinks
from skprune._utils._pool import as_pool


class PoolTransformer(DocLinks, TransformerMixin, BaseEstimator):
    """A transformer of pools; ``fit`` calls ``_know_rows``."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = True
        return tags

    def _know_rows(self, pool):
        """Note what the rows of fit look like."""
        self._row_shape = pool.shape[1:]
        self.n_features_in_ = int(np.prod(self._row_shape))

    def _check_pool(self, X):
        """Return X as a pool whose rows have as many features as those of ``fit``."""
        check_is_fitted(self)
        pool = as_pool(X, self.image_shape, estimator=self, like=self._row_shape)
        if int(np.prod(pool.shape[1:])) != self.n_features_in_:
            raise ValueError(
                f"X has {int(np.prod(pool.shape[1:]))} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input."
            )
        return pool
