"""The space in which rows are near one another, and how uncertain the class of each row is there."""

import numpy as np
from scipy.stats import entropy
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from skprune._utils._labels import MISSING

_MOST_FEATURES = 256
_N_COMPONENTS = 128
_MOST_LABELED = 5000


def coverage_space(pool, features, random_state):
    """Return the rows of a table in standardized columns, of images in the features of the proxy."""
    if pool.ndim == 4:
        return features
    rows = StandardScaler().fit_transform(pool)
    if rows.shape[1] > _MOST_FEATURES:
        rows = PCA(min(_N_COMPONENTS, len(rows)), svd_solver="randomized", random_state=random_state).fit_transform(
            rows
        )
    return np.asarray(rows, dtype=np.float32)  # frames, where scikit-learn is set to give them


def class_uncertainty(space, codes, random_state):
    """Return the entropy of logistic regression on the given labels, of each row, in units of that of equal shares."""
    labeled = np.flatnonzero(codes != MISSING)
    if len(labeled) > _MOST_LABELED:
        rng = np.random.default_rng(random_state)
        one_of_each = [rng.choice(np.flatnonzero(codes == code)) for code in np.unique(codes[labeled])]
        labeled = np.union1d(rng.choice(labeled, _MOST_LABELED, replace=False), one_of_each)
    scaler = StandardScaler().fit(space)
    model = LogisticRegression(max_iter=300).fit(scaler.transform(space[labeled]), codes[labeled])
    proba = model.predict_proba(scaler.transform(space))
    return np.clip(entropy(proba, axis=1) / np.log(proba.shape[1]), 0.0, 1.0)
