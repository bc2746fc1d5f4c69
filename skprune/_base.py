"""What every pruner is: a mask over the rows it was fitted on, and all that follows from the mask."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import _check_feature_names, check_is_fitted

from skprune._utils._columns import check_column_names
from skprune._utils._doc_links import DocLinks, see
from skprune._utils._forks import limit_forked_threads
from skprune._utils._given_rows import fingerprint, holds_numbers, read_rows
from skprune._utils._items import file_names, is_dataset, is_image_paths, labels_hint
from skprune._utils._labels import MISSING, encode_labels, labels_at, missing_mask
from skprune._utils._mapped import MappedRows, is_mapped
from skprune._utils._pool import check_equal_length, take_rows, warn_of_other_order
from skprune._utils._saving import SavedWithRows, need_rows


@dataclass(frozen=True)
class LabeledPool:
    """The rows of a pool, an array or as they were given, and the class index of each, -1 where its label is missing."""

    rows: object
    codes: np.ndarray
    classes: np.ndarray

    @property
    def labeled(self):
        """Which rows have a given label."""
        return self.codes != MISSING


def read_labeled_pool(estimator, X, y):
    """Read what ``fit`` gets, and refuse what cannot be read."""
    if y is None and is_dataset(X):
        raise ValueError(labels_hint(X))
    check_column_names(X)
    rows = estimator._read_rows(X)
    if y is not None:
        check_equal_length(rows, y)  # before what a short y lacks is named
        warn_of_other_order(X, y)
    codes, classes = encode_labels(y, estimator.missing_label, warn=True)
    return LabeledPool(rows, codes, classes)


class BasePruner(DocLinks, TransformerMixin, SavedWithRows, BaseEstimator, auto_wrap_output_keys=None):
    """A mask over the rows of ``fit``, and all that derives from it."""

    @property
    def coreset_indices_(self):
        """The kept rows, ascending."""
        return np.flatnonzero(self.support_)

    @property
    def coreset_labels_(self):
        """Labels of the kept rows, in the order of ``coreset_indices_``."""
        return self.pseudo_labels_[self.support_]

    @property
    def annotation_indices_(self):
        """Kept rows that have no given label yet, hardest first."""
        rows = np.flatnonzero(self.support_ & ~self._labeled)
        return rows[np.argsort(-self.difficulty_scores_[rows], kind="stable")]

    def get_support(self, indices=False):
        """Get the kept rows, as a mask or as indices.

        Parameters
        ----------
        indices : bool, default=False
            Whether to return indices instead of a mask.

        Returns
        -------
        ndarray of shape (n_samples,), bool, or of shape (n_kept,), int
            The mask, or the indices in ascending order.
        """
        check_is_fitted(self)
        return self.coreset_indices_ if indices else self.support_.copy()

    def fit_transform(self, X, y=None, **fit_params):
        """Fit to the pool, and return the rows that are kept.

        Parameters
        ----------
        X : array-like
            The pool.
        y : array-like of shape (n_samples,)
            Labels, some of them missing.
        **fit_params
            Further arguments of ``fit``.

        Returns
        -------
        X_coreset : same type as X
            The kept rows, in their original order.
        """
        return take_rows(X, self.fit(X, y, **fit_params).coreset_indices_)

    def transform(self, X):
        """Return the kept rows of the pool that the pruner was fitted to.

        Parameters
        ----------
        X : array-like
            The pool passed to ``fit``. Of a Dataset, only the length is compared, of image files only the names.

        Returns
        -------
        X_coreset : same type as X
            The kept rows, in their original order; of a Dataset of torch, a ``torch.utils.data.Subset``.

        Raises
        ------
        ValueError
            If X is any other data: a pruner never drops rows of a test set.
        """
        check_is_fitted(self)
        self._check_same(X, f" {_REFUSAL}")
        return take_rows(X, self.coreset_indices_)

    def coreset(self):
        """Return what a classifier trains on: the kept rows and their labels.

        Returns
        -------
        rows : same type as X
            The kept rows, in their original order.
        labels : ndarray of shape (n_kept,)
            Given labels where there are any, pseudo-labels elsewhere; None where a baseline provides none.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skprune import SemiPrune
        >>> X, y = load_iris(return_X_y=True)
        >>> rows, labels = SemiPrune(0.2, random_state=0).fit(X, y).coreset()
        >>> rows.shape, labels.shape
        ((30, 4), (30,))
        """
        check_is_fitted(self)
        rows = need_rows(self._rows, self)
        is_on_disk = isinstance(rows, MappedRows)
        rows = np.asarray(rows) if is_on_disk else take_rows(rows, np.arange(int(self.support_.sum())))
        return rows, self.coreset_labels_.copy()

    def _read_rows(self, X, like=()):
        """Read the rows of X, new ones like those of fit."""
        limit_forked_threads()
        return read_rows(X, self.image_shape, estimator=self, like=like)

    def _check_same(self, X, hint):
        """Refuse any data but those of ``fit``: Datasets by their length, files by their names, all others by their values."""
        if is_image_paths(X) and self._file_names is not None:
            is_same = file_names(X) == self._file_names
        elif is_dataset(X) and self._is_dataset:
            is_same = len(X) == len(self.support_)
        else:
            is_same = self._check_fitted_pool(X, hint) is not None
        if not is_same:
            raise ValueError(f"X is not the data that {type(self).__name__} was fitted to.{hint}")

    def _check_fitted_pool(self, X, hint=""):
        """Return X as the pool of ``fit``, and refuse any other; of a Dataset, whose items may be random, by its length."""
        pool = self._check_pool(X, hint)
        if self._holds_numbers and not holds_numbers(pool):
            pool.as_array(self)  # which names what is wrong
        has_values = not (is_dataset(X) and self._is_dataset)
        if len(pool) != len(self.support_) or (has_values and fingerprint(pool) != self._fingerprint):
            raise ValueError(f"X is not the data that {type(self).__name__} was fitted to.{hint}")
        return pool

    def _check_pool(self, X, hint=""):
        """Return X as a pool of the rows that ``fit`` saw: of their names and shape."""
        check_is_fitted(self)
        pool = self._read_rows(X, like=self._row_shape)
        name, n_features = type(self).__name__, int(np.prod(pool.shape[1:]))
        if n_features != self.n_features_in_:
            raise ValueError(
                f"X has {n_features} features, but {name} is expecting {self.n_features_in_} features as input.{hint}"
            )
        _check_feature_names(self, X, reset=False)
        if pool.shape[1:] != self._row_shape:
            raise ValueError(
                f"X has rows of shape {pool.shape[1:]}, but {name} was fitted to rows of shape {self._row_shape}.{hint}"
            )
        return pool

    def _keep_mask(self, X, pool, labeled, mask):
        """Set the mask, and what is needed to know the data again."""
        _check_feature_names(self, X, reset=True)
        self._row_shape = pool.shape[1:]
        self.n_features_in_ = int(np.prod(self._row_shape))
        self.support_ = mask
        self._holds_numbers, self._is_dataset = holds_numbers(pool), is_dataset(X)
        self._file_names = file_names(X) if is_image_paths(X) else None
        self._labeled = labeled
        self._fingerprint = fingerprint(pool)
        self._keep_rows(X)

    def _keep_rows(self, X):
        rows = self.coreset_indices_
        rows = MappedRows(X, rows) if is_mapped(X) else take_rows(X, rows)
        self._rows = rows.detach() if hasattr(rows, "detach") else rows  # without its graph, which cannot be copied

    def __saved_state__(self, rows):
        """Return the attributes that a file keeps: without places on this machine, and without rows unless asked for."""
        state = vars(self) | {name: None for name in ("memory", "checkpoint") if name in vars(self)}
        if "_rows" not in state:
            return state
        kept = np.asarray(self._rows) if isinstance(self._rows, MappedRows) else self._rows
        return state | {"_rows": kept if rows else None}

    def __restore_rows__(self, X):
        """Take back the rows that a file did not keep."""
        self._check_same(X, "")
        self._keep_rows(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = True
        return tags


def check_pruner(pruner):
    """Refuse what is no pruner."""
    if isinstance(pruner, type) or not all(hasattr(pruner, name) for name in ("fit", "get_params", "get_support")):
        raise TypeError(f"pruner must be a pruner such as SemiPrune, got {pruner!r}.")


def require_labels(labels, pruner, hint):
    """Return the labels of kept rows in their own type; refuse rows without one."""
    unlabeled = missing_mask(labels, None)  # of a pruner's own labels, None alone is missing
    if unlabeled.any():
        raise ValueError(
            f"{type(pruner).__name__} gives no pseudo-labels, and {int(unlabeled.sum())} of the {len(labels)} kept rows have "
            f"no label. {hint}"
        )
    return labels_at(labels, np.arange(len(labels)))


def missing_label_of(pruner):
    """Return what marks an unlabeled row for a pruner; one from elsewhere may have no such parameter."""
    return getattr(pruner, "missing_label", "auto")


def row_shape_of(pruner):
    """Return the shape of a row that a fitted pruner has seen, () of a pruner from elsewhere."""
    return getattr(pruner, "_row_shape", ())


def labeled_rows(pruner):
    """Return which rows of the pool of a fitted pruner have a given label."""
    return pruner._labeled


def check_fitted_pool(pruner, X):
    """Refuse X if it is not the pool of a fitted pruner."""
    pruner._check_fitted_pool(X)


class FittedPrunerMixin(DocLinks, SavedWithRows):
    """For estimators around a fitted ``pruner_``: how it is made and saved, and what it says of their input."""

    def __restore_rows__(self, X):
        """Take back the rows that a file did not keep."""
        self.pruner_.__restore_rows__(X)

    def _pruner_for(self, *, trains_on_pseudo_labels, final_model=None):
        """Clone the pruner, and tell it what it leaves open: its goal, and the model that its comparison trains."""
        check_pruner(self.pruner)
        pruner = clone(self.pruner)
        parameters = pruner.get_params(deep=False)
        goal = parameters.get("goal")
        if trains_on_pseudo_labels and isinstance(goal, str) and goal == "auto":
            pruner.set_params(goal="pseudo")
        if final_model is not None and parameters.get("compare_with_random") is True:
            pruner.set_params(compare_with_random=final_model)
        return pruner

    @property
    def n_features_in_(self):
        """Number of features of a row."""
        return self.pruner_.n_features_in_

    @property
    def feature_names_in_(self):
        """Names of the columns, if X has names."""
        return self.pruner_.feature_names_in_


_REFUSAL = (
    "transform keeps rows of the training data only, so that a test set never loses rows. To train a classifier on the kept "
    "rows and predict on other data, use skprune.PrunedClassifier; in a Pipeline of imbalanced-learn, skprune.PruningSampler."
    + see("composition#a-pruner-in-the-middle")
)
