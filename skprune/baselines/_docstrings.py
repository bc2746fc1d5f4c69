"""Parameter and attribute texts that the docstrings of the baselines share."""

BASELINE_TEXTS = {
    "embedding": """embedding : transformer, default=None
    Computes the features from the rows, such as ``PCA`` or :class:`ContrastiveFeatures`. It is cloned. None takes the rows
    themselves as features.""",
    "n_clusters": """n_clusters : int, default=None
    Number of clusters; None takes the number of classes in `y`.""",
    "by_score": """How rows are chosen by their scores: a name from :func:`skprune.selection.get_selector_names`, or a
selector. Selectors that read training dynamics, such as Beta and those with ``hard_cutoff="auto"``, are refused.""",
    "pick_order": """difficulty_scores_ : ndarray of shape (n_samples,), float64
    The order in which rows were picked: the number of kept rows for the first, 1 for the last, 0 for rows that are not
    kept.""",
}
"""Texts for ``fill_docstring(**BASELINE_TEXTS)``."""
