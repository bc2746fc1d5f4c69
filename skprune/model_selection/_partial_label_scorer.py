"""A scorer that reads labeled rows only."""

import numpy as np
from sklearn.metrics import get_scorer
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import _check_method_params

from skprune._utils._doc_links import see
from skprune._utils._docstrings import fill_docstring
from skprune._utils._labels import MISSING, labels_at, missing_mask
from skprune._utils._pool import check_equal_length, take_rows


@fill_docstring()
def partial_label_scorer(scoring, *, missing_label="auto"):
    """Make a scorer that ignores unlabeled rows, for splitters that put such rows into test sets.

    :class:`PartialLabelKFold` and :class:`PartialLabelShuffleSplit` do not, so they do not need it.

    Parameters
    ----------
    scoring : str or scorer
        A name from ``sklearn.metrics.get_scorer_names()``, or a scorer from ``sklearn.metrics.make_scorer``.
    $missing_label

    Returns
    -------
    callable
        A scorer ``scorer(estimator, X, y)``, to be passed as the `scoring` of a search or of ``cross_val_score``.

    Raises
    ------
    ValueError
        The name is unknown. The scorer itself raises it if no row is labeled, or if -1 could be both a class of the estimator
        and the mark of an unlabeled row; set `missing_label` to None or -1 then.

    Notes
    -----
    With metadata routing, weights are requested on the inner scorer:
    ``partial_label_scorer(make_scorer(...).set_score_request(sample_weight=True))``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.semi_supervised import LabelSpreading
    >>> from skprune.datasets import make_partial_labels
    >>> from skprune.model_selection import partial_label_scorer
    >>> X, y = load_iris(return_X_y=True)
    >>> y_partial = make_partial_labels(y, n_labeled=15, random_state=0)
    >>> scorer = partial_label_scorer("accuracy")
    >>> scorer(LabelSpreading().fit(X, y_partial), X, y_partial)
    1.0
    """
    return _PartialLabelScorer(get_scorer(scoring), missing_label)


class _PartialLabelScorer:
    """Scores the labeled rows by another scorer."""

    def __init__(self, scorer, missing_label):
        self._scorer = scorer
        self._missing_label = missing_label

    def __call__(self, estimator, X, y, **params):
        check_equal_length(X, y)
        classes = [label for label in getattr(estimator, "classes_", ()) if np.ndim(label) == 0]
        missing = missing_mask(y, self._missing_label, [label for label in classes if label != MISSING])
        is_auto = isinstance(self._missing_label, str) and self._missing_label == "auto"
        if is_auto and MISSING in classes and (missing & ~missing_mask(y, None)).any():
            raise ValueError(
                f"y holds -1, and -1 is a class of the fitted {type(estimator).__name__}. Use partial_label_scorer(..., "
                "missing_label=None) if -1 is a class here too, missing_label=-1 if it marks unlabeled rows."
                + see("pitfalls#folds")
            )
        rows = np.flatnonzero(~missing)
        if rows.size == 0:
            raise ValueError("The scorer needs labeled rows, and y holds none.")
        params = _check_method_params(X, params, indices=rows)
        return self._scorer(estimator, take_rows(X, rows), labels_at(y, rows), **params)

    def get_metadata_routing(self):
        """Return what the scorer requests (scikit-learn's hook)."""
        return get_routing_for_object(self._scorer)

    def __repr__(self):
        return f"partial_label_scorer({self._scorer!r})"
