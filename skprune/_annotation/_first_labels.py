"""The first rows to label, when no row has a label yet: those that cover the pool."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors

from skprune._pipeline._space import coverage_space
from skprune._utils._docstrings import fill_docstring
from skprune._utils._given_rows import read_rows
from skprune._utils._parameter_checks import check_count
from skprune._utils._seeds import random_state_of
from skprune.baselines import ContrastiveFeatures
from skprune.baselines._base import cluster, embed

_MOST_CANDIDATES = 20_000
_MOST_COVERED = 2_000
_N_NEIGHBORS = 20
# Accuracies of models trained on the rows, in %, means of digits, novels, letter and satellite (3,000 rows, seeds 10 to 12; 1, 2,
# 5 and 10 rows a class): TypiClust 58.3, herding among all rows 58.7, and among the typical rows of more clusters than rows 58.8,
# random rows 50.9. Herding alone was below random rows on novels, by two points. Bandwidths, in units of the median distance, of
# 0.1 and 0.3: 55.0 and 57.5 (seeds 10 and 11).
_BANDWIDTH = 0.3
_CLUSTERS_PER_ROW = 2


@fill_docstring()
def suggest_first_labels(X, n, *, embedding=None, image_shape=None, random_state=None, device=None, verbose=0):
    r"""Suggest which rows to label when no row has a label yet: typical ones, from all over the pool.

    The pool is divided into 2n clusters; the most typical row of each, in the densest place, may be suggested (TypiClust, Hacohen
    et al., arXiv 2202.02794, with n clusters). Of these, each next row adds most to the coverage :math:`\sum_i \max_{j \in S}
    k(x_i, x_j)` of the pool by the rows S so far, where k falls exponentially with the distance (MaxHerding, Bae et al., arXiv
    2407.12212, with a Gaussian k). Hence each prefix is a suggestion as well: label as many as you can, from the front.

    Parameters
    ----------
    X : array-like
        The pool, as for :class:`SemiPrune`.
    n : int
        Number of rows.
    embedding : transformer, default=None
        Computes the features in which rows are near one another, without labels. None takes standardized columns for tables, or
        128 principal components where there are more than 256; TF-IDF for texts; and, for images, the features of a net that it
        trains, :class:`skprune.baselines.ContrastiveFeatures`.
    $image_shape
    $random_state
    $device
    verbose : int, default=0
        1 shows a progress bar where a net is trained.

    Returns
    -------
    ndarray of shape (n,), int
        Rows of X, those to label first in front. Of pools of more than 20,000 rows, they are chosen among so many drawn at
        random.

    Raises
    ------
    ValueError, TypeError
        If X or a parameter is refused.

    See Also
    --------
    AnnotationLoop : Which rows to label next.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune import suggest_first_labels
    >>> X, y = load_iris(return_X_y=True)
    >>> rows = suggest_first_labels(X, 6, random_state=0)
    >>> len(set(y[rows[:3]]))
    3
    """
    rows = read_rows(X, image_shape, estimator="suggest_first_labels")
    check_count("n", n, most=len(rows))
    random_state = random_state_of(random_state)
    if embedding is None and rows.ndim == 4:
        embedding = ContrastiveFeatures(verbose=verbose)
    seed = int(random_state.randint(2**31 - 1))
    features = coverage_space(rows, None, seed) if embedding is None else embed(embedding, rows, random_state, device)
    return cover(np.asarray(features, dtype=np.float32), int(n), np.random.default_rng(seed))


def cover(features, n, rng):
    """Return n rows that cover all of them, each prefix as well as it can, typical rows first."""
    candidates = rng.permutation(len(features))[: max(_MOST_CANDIDATES, n)]
    among = features[candidates] - features[candidates].mean(axis=0)
    typical = typical_rows(among, min(_CLUSTERS_PER_ROW * n, len(among)), int(rng.integers(2**31 - 1)))
    others = np.setdiff1d(np.arange(len(among)), typical)
    reached = among[:_MOST_COVERED]
    covered, order = np.zeros(len(reached), dtype=np.float32), []
    for rows in (typical, others):  # the others only where there are not enough rows that differ
        if len(order) < n:
            picks, covered = herd(_similarity(among[rows], reached), covered, min(n - len(order), len(rows)))
            order += rows[picks].tolist()
    return candidates[order]


def typical_rows(features, n_clusters, seed):
    """Return the row of each cluster that is nearest to its neighbors in the cluster."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # equal rows make fewer clusters
        clusters = cluster(features, n_clusters, seed)[0]
    rows = []
    for number in np.unique(clusters):
        members = np.flatnonzero(clusters == number)
        neighbors = NearestNeighbors(n_neighbors=min(_N_NEIGHBORS + 1, len(members))).fit(features[members])
        distances, _ = neighbors.kneighbors(features[members])
        rows.append(members[distances.mean(axis=1).argmin()])
    return np.array(rows)


def herd(similarity, covered, n):
    """Return n rows, each of which adds most to what is covered; old gains bound the new ones from above."""
    gains, order = np.maximum(similarity - covered, 0.0).sum(axis=1), []
    for _ in range(n):
        while True:
            best = int(gains.argmax())
            gain = np.maximum(similarity[best] - covered, 0.0).sum()
            is_best, gains[best] = gain >= gains[best], gain
            if is_best:
                break
        order.append(best)
        covered = np.maximum(covered, similarity[best])
        gains[best] = -1.0
    return order, covered


def _similarity(rows, others):
    """Return how similar rows are to others: 1 where they are equal, less the more they are apart."""
    distances = pairwise_distances(rows, others)
    scale = _BANDWIDTH * np.median(distances)
    return np.exp(-distances / scale if scale > 0 else -distances)
