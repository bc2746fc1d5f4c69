"""K-means: the rows nearest to the centers of k clusters, so that no part of the pool is left out."""

import numpy as np
from scipy.sparse import csr_array
from sklearn.metrics import pairwise_distances_argmin_min

from skprune._utils._docstrings import fill_docstring
from skprune._utils._mapped import empty_rows, is_mapped, row_chunks
from skprune._utils._parameter_checks import check_number
from skprune.selection._base import BaseSelector
from skprune.selection._clusters import N_ITERATIONS, cluster, coarse_clusters, members_of
from skprune.selection._counts import allocate
from skprune.selection._neighbors import nearest_point

_DIRECT = 2**31  # products of rows, clusters and features up to which one level of clusters is enough
_LEAF_ROWS = 32


@fill_docstring()
class KMeans(BaseSelector):
    r"""Keep the row nearest to the center of each of k clusters: coverage, and more of it where the class is uncertain.

    The clusters are those of k-means with weights :math:`1 + u\,e_i`, where :math:`e_i` in [0, 1] tells how uncertain the
    class of row i is, in the way of CLUE (Prabhu et al., arXiv 2010.08666, eq. 4), which weights by the entropy alone. What
    looks uncertain misleads where little is learned. SemiPrune therefore passes 0 for all rows if logistic regression on the
    given labels explains less than a third of the Brier score of labels that it has not seen.

    A large pool is first divided into about :math:`\sqrt k` clusters, which share k in proportion to their weights. Rows that
    must stay are centers that do not move, and others are picked for what these do not cover. Rows are picked in an order that
    spreads each prefix over the whole pool.

    Parameters
    ----------
    uncertainty : float, default=0.0
        The factor u of the uncertainty in the weights; at least 0. With 0, all rows count alike.
    $class_balanced
    $min_per_class

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.selection import KMeans
    >>> rows = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
    >>> np.flatnonzero(KMeans().select(np.ones(6), 2, embedding=rows, random_state=0))
    array([1, 4])
    """

    _reason = "nearest to the center of its cluster"
    _random = True

    def __init__(self, uncertainty=0.0, *, class_balanced=None, min_per_class=0):
        super().__init__(class_balanced=class_balanced, min_per_class=min_per_class)
        self.uncertainty = uncertainty

    def needs(self):
        """Name the inputs that `select` reads; see :meth:`BaseSelector.needs`."""
        return (*super().needs(), "embedding", *(("uncertainty",) if self.uncertainty else ()))

    def check(self, k, n_samples, n_epochs=None):
        """Refuse parameters that cannot work; see :meth:`BaseSelector.check`."""
        super().check(k, n_samples, n_epochs)
        check_number("uncertainty", self.uncertainty, 0)

    def _order(self, draw):
        features = _centered(draw.inputs["embedding"])
        weights = np.ones(len(features))
        if self.uncertainty:
            weights += self.uncertainty * draw.inputs["uncertainty"]
        picks = nearest_to_centers(features, weights, draw.k, draw.rng, fixed=draw.must_keep)
        others = np.setdiff1d(np.arange(len(features)), picks)
        features = features[picks]  # lets go of the others
        return np.concatenate([picks[spread_order(features, draw.rng)], draw.rng.permutation(others)])

    def _lots(self, group):
        """Return the nearest kept row of each row: each kept row stands for those around it."""
        if not group.kept.any():
            return np.full(len(group.rows), -1)
        features = _centered(group.draw.inputs["embedding"])
        return nearest_point(features[group.kept], features)


def _centered(embedding):
    """Return features of mean 0 in single precision, which loses digits to large offsets otherwise."""
    mean = embedding.mean(axis=0, dtype=np.float64)
    centered = empty_rows(embedding.shape, np.float32, mapped=is_mapped(embedding) or None)
    for rows in row_chunks(embedding):
        np.subtract(embedding[rows], mean, out=centered[rows], casting="same_kind")
    return centered


def nearest_to_centers(features, weights, k, rng, *, fixed):
    """Return the row nearest to the center of each cluster of weighted k-means; fixed rows are centers, and not returned."""
    n_samples, n_features = features.shape
    if k >= n_samples:
        return np.flatnonzero(~fixed)
    if n_samples * k * n_features <= _DIRECT or k < 4:
        return _pick(features, weights, k, rng, fixed)
    coarse = coarse_clusters(features, weights, round(k**0.5), rng).predict(features)
    sizes, masses = np.bincount(coarse), np.bincount(coarse, weights)
    counts = allocate(k, masses, np.bincount(coarse[fixed], minlength=len(sizes)), sizes, rng)
    picks = [
        rows[_pick(features[rows], weights[rows], int(count), rng, fixed[rows])]
        if count < len(rows)
        else rows[~fixed[rows]]
        for rows, count in zip(members_of(coarse, len(sizes)), counts, strict=True)
        if count
    ]
    return np.concatenate(picks)


def _pick(features, weights, k, rng, fixed):
    """Return the row nearest to each center that is not fixed; where clusters are empty, other rows by chance."""
    n_free = k - int(fixed.sum())
    if n_free == 0:
        return np.zeros(0, dtype=np.int64)
    if fixed.any():
        centers, labels = _cluster_beside(features, weights, n_free, rng, fixed)
    else:
        clusters = cluster(features, weights, k, rng)
        centers, labels = clusters.cluster_centers_, clusters.labels_
    rows = np.flatnonzero((labels >= 0) & ~fixed)
    distances = np.square(features[rows] - centers[labels[rows]]).sum(axis=1)
    rows = rows[np.lexsort((distances, labels[rows]))]
    picks = rows[np.diff(labels[rows], prepend=-1) > 0]
    if len(picks) < n_free:
        others = np.setdiff1d(np.flatnonzero(~fixed), picks)
        picks = np.r_[picks, rng.choice(others, n_free - len(picks), replace=False)]
    return picks


def _cluster_beside(features, weights, n_clusters, rng, fixed):
    """Fit weighted k-means beside centers that do not move; return the other centers, and labels, -1 for the fixed ones."""
    to_fixed = pairwise_distances_argmin_min(features, features[fixed])[1]
    free = np.flatnonzero(~fixed)
    chances = weights[free] * np.maximum(to_fixed[free], 1e-6 * to_fixed.max() or 1.0)
    centers = features[rng.choice(free, n_clusters, replace=False, p=chances / chances.sum())]
    for _ in range(N_ITERATIONS):
        labels, distances = pairwise_distances_argmin_min(features, centers)
        rows = np.flatnonzero(distances < to_fixed)
        members = csr_array((weights[rows], (labels[rows], rows)), (n_clusters, len(features)))
        masses = members.sum(axis=1)
        means = members @ features / np.maximum(masses, 1e-9)[:, None]
        moved = np.where(masses[:, None] > 0, means, centers).astype(np.float32)
        if np.array_equal(moved, centers):
            break
        centers = moved
    labels, distances = pairwise_distances_argmin_min(features, centers)
    return centers, np.where(distances < to_fixed, labels, -1)


def _squared_distances(rows, to):
    """Return the squared distance of each row to another, in little memory."""
    distances = rows - to
    return np.square(distances, out=distances).sum(axis=1)


def spread_order(features, rng):
    """Return an order of rows in which each prefix is spread over all of them, by halving them again and again."""
    order, leaves, nodes = [], [], [rng.permutation(len(features))]
    while nodes:
        halves = []
        for node in nodes:
            if len(node) <= _LEAF_ROWS:
                leaves.append(node)
                continue
            rows = features[node]
            middle = int(_squared_distances(rows, rows.mean(axis=0)).argmin())
            order.append(node[middle])
            node, rows = np.delete(node, middle), np.delete(rows, middle, axis=0)
            along = rows[:, rows.var(axis=0).argmax()]
            by_place = np.argsort(along, kind="stable")
            halves += [node[by_place[: len(node) // 2]], node[by_place[len(node) // 2 :]]]
        nodes = halves
    rest, turns = np.concatenate(leaves), np.concatenate([np.arange(len(leaf)) for leaf in leaves])
    return np.concatenate([np.array(order, dtype=np.int64), rest[np.lexsort((rng.random(len(rest)), turns))]])
