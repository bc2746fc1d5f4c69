"""A scorer that reads labelled rows alone."""

import numpy as np
from sklearn.metrics import get_scorer
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import _check_method_params

from skprune._utils._labels import MISSING, labels_at, missing_mask
from skprune._utils._validation import check_equal_length, take_rows


def partial_label_scorer(scoring, *, missing_label="auto"):
    """Make a scorer that ignores unlabelled rows, for splitters that put them into test folds.

    :class:`PartialLabelKFold` and :class:`PartialLabelShuffleSplit` put none there, and need none.

    Parameters
    ----------
    scoring : str or scorer
        A name out of ``sklearn.metrics.get_scorer_names()``, or what ``make_scorer`` returns.
    missing_label : object, default="auto"
        What marks an unlabelled row; "auto" takes None, NaN, NA and masked entries where there are any, else -1.

    Returns
    -------
    callable
        ``scorer(estimator, X, y)``, for `scoring` of a grid search.

    Raises
    ------
    ValueError
        The name is unknown. When the scorer is called: no row is labelled, or `y` holds -1 and nothing else that may mark an
        unlabelled row while -1 is a class of the estimator: say `missing_label`, None or -1.

    Notes
    -----
    Weights are requested of the inner scorer: ``partial_label_scorer(make_scorer(...).set_score_request(sample_weight=True))``.

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
    def __init__(self, scorer, missing_label):
        self._scorer = scorer
        self._missing_label = missing_label

    def __call__(self, estimator, X, y, **params):
        check_equal_length(X, y)
        missing = missing_mask(y, self._missing_label)
        by_auto = isinstance(self._missing_label, str) and self._missing_label == "auto"
        if by_auto and MISSING in list(getattr(estimator, "classes_", ())) and (missing & ~missing_mask(y, None)).any():
            raise ValueError(
                f"y holds -1, and -1 is a class of the fitted {type(estimator).__name__}. Use partial_label_scorer(..., "
                "missing_label=None) where it is one, missing_label=-1 where it marks unlabelled rows."
            )
        rows = np.flatnonzero(~missing)
        if rows.size == 0:
            raise ValueError("The scorer needs labelled rows, and y holds none.")
        params = _check_method_params(X, params, indices=rows)
        return self._scorer(estimator, take_rows(X, rows), labels_at(y, rows), **params)

    def get_metadata_routing(self):
        """Return what the scorer requests (scikit-learn's hook)."""
        return get_routing_for_object(self._scorer)

    def __repr__(self):
        return f"partial_label_scorer({self._scorer!r})"
