"""Models of scikit-learn that read memory by indices they hold, from a file: the indices are looked at before their use."""

import numpy as np
from scipy.sparse import issparse

_FORESTS = (
    "sklearn.tree.",
    "sklearn.ensemble._forest",
    "sklearn.ensemble._gb",
    "sklearn.ensemble._hist_gradient_boosting",
)


def check_indices(value, n_features=np.inf, seen=None):
    """Refuse trees and sparse tables, at any depth of a model, that point beyond their arrays or at columns that do not exist."""
    seen = {} if seen is None else seen
    if id(value) in seen or isinstance(value, (str, bytes, int, float, type(None))):
        return
    seen[id(value)] = value
    kind = f"{type(value).__module__}.{type(value).__name__}"
    if issparse(value):
        value.check_format(full_check=True)
    elif kind == "sklearn.tree._tree.Tree":
        _check_tree(value, n_features)
    elif kind.endswith(("._kd_tree.KDTree", "._ball_tree.BallTree")):
        _check_neighbor_tree(value)
    elif kind.endswith(".TreePredictor"):
        _check_boosted_tree(value, n_features)
    elif isinstance(value, dict):
        for part in value.values():
            check_indices(part, n_features, seen)
    elif isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.dtype == object):
        for part in value.ravel() if isinstance(value, np.ndarray) else value:
            check_indices(part, n_features, seen)
    elif hasattr(value, "__dict__"):
        # the trees of a forest are asked without a look at the number of columns, which the forest has checked
        known = vars(value).get("n_features_in_", np.inf)
        inner = min(n_features, known) if kind.startswith(_FORESTS) else np.inf
        for part in vars(value).values():
            check_indices(part, inner, seen)


def _check_tree(tree, n_features):
    nodes = tree.__getstate__()["nodes"]
    is_inner = nodes["left_child"] != -1
    _check_children(nodes["left_child"], nodes["right_child"], is_inner)
    _check_range(nodes["feature"][is_inner], min(n_features, tree.n_features))


def _check_boosted_tree(tree, n_features):
    nodes = tree.nodes
    is_inner = nodes["is_leaf"] == 0
    _check_children(nodes["left"].astype(np.int64), nodes["right"].astype(np.int64), is_inner)
    _check_range(nodes["feature_idx"][is_inner], n_features)
    by_set = is_inner & (nodes["is_categorical"] != 0)
    n_sets = min(len(tree.raw_left_cat_bitsets), len(tree.binned_left_cat_bitsets))
    _check_range(nodes["bitset_idx"][by_set].astype(np.int64), n_sets)


def _check_children(left, right, is_inner):
    """Check that the children of inner nodes come after them, so that each way ends."""
    if len(left) == 0:
        raise ValueError("it holds a tree without nodes.")
    for child in (left, right):
        _check_range(child[is_inner], len(left))
        if (child[is_inner] <= np.flatnonzero(is_inner)).any():
            raise ValueError("it holds a tree whose nodes go around in a circle.")


def _check_neighbor_tree(tree):
    data, order, nodes, bounds, _, n_levels, n_nodes, *_ = tree.__getstate__()
    shapes_fit = (
        len(order) == len(data) and len(nodes) == n_nodes == bounds.shape[1] and bounds.shape[2] == data.shape[1]
    )
    if not shapes_fit or n_nodes != 2**n_levels - 1:
        raise ValueError("it holds a tree of neighbors whose arrays do not fit together.")
    _check_range(order, len(data))
    _check_range(nodes["idx_start"], len(data) + 1)
    _check_range(nodes["idx_end"], len(data) + 1)
    _check_range(2 * np.flatnonzero(nodes["is_leaf"] == 0) + 2, n_nodes)


def _check_range(indices, end):
    if len(indices) and not (indices.min() >= 0 and indices.max() < end):
        raise ValueError("it holds a tree whose nodes point beyond its arrays.")
