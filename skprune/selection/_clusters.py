"""Clusters of features: weighted k-means of few iterations, and a coarse division of a large pool."""

import warnings

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

N_ITERATIONS = 12
_SAMPLE_PER_CLUSTER = 64


def cluster(features, weights, n_clusters, rng):
    """Fit weighted k-means from random rows."""
    first = rng.choice(len(features), n_clusters, replace=False, p=weights / weights.sum())
    model = KMeans(n_clusters, init=features[first], n_init=1, max_iter=N_ITERATIONS, algorithm="lloyd")
    with threadpool_limits(1), warnings.catch_warnings():  # sums of several threads differ from run to run
        warnings.simplefilter("ignore", ConvergenceWarning)  # equal rows make fewer clusters
        return model.fit(features, sample_weight=weights)


def coarse_clusters(features, weights, n_clusters, rng):
    """Fit clusters to a sample of the features."""
    sample = rng.permutation(len(features))[: _SAMPLE_PER_CLUSTER * n_clusters]
    return cluster(features[sample], weights[sample], n_clusters, rng)


def members_of(labels, n_clusters):
    """Return the rows of each cluster, those of empty ones too."""
    ends = np.cumsum(np.bincount(labels, minlength=n_clusters))
    return np.split(np.argsort(labels, kind="stable"), ends[:-1])
