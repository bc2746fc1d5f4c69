"""PrunedClassifier: prune, then train a classifier on what was kept."""

import inspect

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_method_params, check_is_fitted

from skprune._base import FittedPrunerMixin, check_pruner, labeled_rows, missing_label_of, require_labels, row_shape_of
from skprune._pipeline._trial import try_classifier, untouched
from skprune._reports import compare_pseudo_labels
from skprune._utils._adapters import check_readable, items_as_input
from skprune._utils._columns import check_column_names
from skprune._utils._given_rows import read_rows
from skprune._utils._labels import check_label_shape, encode_labels, with_answers
from skprune._utils._parameter_checks import check_option
from skprune._utils._pool import check_equal_length, take_rows
from skprune._utils._scored_rows import LabeledRowsScore
from skprune._utils._warnings import warn_user


def _has(method):
    def check(self):
        return hasattr(getattr(self, "estimator_", self.estimator), method)

    return check


class PrunedClassifier(LabeledRowsScore, FittedPrunerMixin, MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """A classifier that trains on the coreset of a pruner: the last step of a Pipeline, and usable in grid searches.

    ``fit`` prunes the rows, and trains a clone of `estimator` on those that are kept. Predictions are never pruned. Ensembles
    and calibrators go inside, as `estimator`: around a partially labeled `y` they would take -1 for a class.
    ``SelfTrainingClassifier(PrunedClassifier(...))`` is the exception; its pruner then gets labeled rows only.

    Parameters
    ----------
    estimator : classifier
        Trained on the coreset.
    pruner : pruner
        Such as :class:`SemiPrune`; cloned. Its parameters are grid parameters: ``pruner__ratio``. A SemiPrune with
        ``goal="auto"`` and ``selection="auto"`` prunes for the goal "pseudo" where pseudo-labels are trained on. Its
        `missing_label` tells which labels are missing, in ``score`` and in `y_oracle` too.
    labels : {"auto", "pseudo", "given"}, default="auto"
        "pseudo" trains on all kept rows, with given labels where there are any and pseudo-labels elsewhere; "given" only on
        the kept rows that have a given label. "auto" trains on pseudo-labels where they pay: `estimator` is trained on the
        coreset and on all given labels alone, both without the fifth of the labels that the pruner held out, and is tested on
        these. If the coreset is not better, or holds one class only, all given labels are trained on, and a warning says so.
        Where nothing was held out, such as with other pruners than SemiPrune, "auto" means "pseudo".

    Attributes
    ----------
    pruner_ : pruner
        The fitted pruner.
    estimator_ : classifier
        The fitted classifier.
    trained_on_ : {"coreset", "given labels"}
        What ``estimator_`` was trained on.
    labels_comparison_ : object or None
        With ``labels="auto"``: ``pseudo_labels`` and ``labels_alone``, the accuracies on ``n_rows`` held-out labeled rows;
        ``error``, the standard error of their difference; ``pays``. None if nothing was compared.
    classes_ : ndarray of shape (n_classes,)
        Classes of ``estimator_``.
    n_features_in_ : int
        Number of features of a row.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if X has names.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skprune import PrunedClassifier, SemiPrune
    >>> from skprune.datasets import make_partial_labels
    >>> from skprune.semi_supervised import FixMatch
    >>> X, y = load_iris(return_X_y=True)
    >>> y_partial = make_partial_labels(y, n_labeled=15, random_state=0)
    >>> pruner = SemiPrune(ratio=0.5, labeler=FixMatch(n_steps=50, batch_size=16), random_state=0)
    >>> model = PrunedClassifier(LogisticRegression(max_iter=1000), pruner, labels="pseudo").fit(X, y_partial)
    >>> bool(model.score(X, y) > 0.8)
    True
    """

    def __init__(self, estimator, pruner, *, labels="auto"):
        self.estimator = estimator
        self.pruner = pruner
        self.labels = labels

    def fit(self, X, y, y_oracle=None, **fit_params):
        """Prune, and train on the coreset.

        Parameters
        ----------
        X : array-like
            The pool.
        y : array-like of shape (n_samples,)
            Labels, some of them missing.
        y_oracle : array-like of shape (n_samples,), default=None
            True labels, which simulate the annotation of the coreset: they replace the pseudo-labels of kept rows. Labels of
            rows that are not kept are never read.
        **fit_params
            Passed to ``fit`` of `estimator`, such as `sample_weight`. Of anything with one entry per row of X, the entries of
            the rows that it is trained on. With ``enable_metadata_routing=True``, what `estimator` requests.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError
            If `labels` is unknown or excludes `y_oracle`, if lengths differ, or if ``labels="given"`` and no kept row has a
            given label. Also if `estimator` fails on a few rows, on which it is tried before the pruner trains a proxy.
        TypeError
            If ``fit`` of `estimator` does not take one of `fit_params`.
        """
        check_option("labels", self.labels, ("auto", "pseudo", "given"))
        check_pruner(self.pruner)
        if isinstance(self.estimator, type) or not all(hasattr(self.estimator, name) for name in ("fit", "get_params")):
            raise TypeError(f"estimator must be a classifier with fit and get_params, got {self.estimator!r}.")
        if y_oracle is not None:
            if self.labels == "given":
                raise ValueError("labels='given' trains on given labels only, so it takes no y_oracle.")
            check_equal_length(X, y_oracle, "y_oracle")
            check_label_shape(y_oracle, "y_oracle")
        fit_params = self._routed("fit", fit_params)
        if hasattr(fit_params.get("sample_weight"), "__len__"):
            check_equal_length(X, fit_params["sample_weight"], "sample_weight")
            if np.asarray(fit_params["sample_weight"]).dtype.kind not in "biuf":
                raise ValueError(f"sample_weight must hold numbers, got {fit_params['sample_weight']!r}.")
        self._try_estimator(X, y, fit_params)
        trains_on_pseudo_labels = self.labels != "given" and y_oracle is None
        pruner = self._pruner_for(trains_on_pseudo_labels=trains_on_pseudo_labels, final_model=self.estimator)
        pruner.fit(X, y)
        rows, labels = pruner.coreset_indices_, pruner.coreset_labels_
        compares = self.labels == "auto" and y_oracle is None
        comparison = compare_pseudo_labels(pruner, X, self.estimator) if compares else None
        has_one_class = comparison is not None and (labels == labels[0]).all()
        uses_labels_alone = has_one_class or (comparison is not None and not comparison.pays)
        if uses_labels_alone:
            given, name = np.flatnonzero(labeled_rows(pruner)), type(self.estimator).__name__
            if has_one_class:
                warn_user(
                    f"The coreset of {len(rows)} rows holds one class only, {labels.tolist()[0]!r}. {name} is trained on all "
                    f"{len(given)} given labels instead. Keep more rows."
                )
            else:
                warn_user(comparison.warning(name, len(given)))
            rows, labels = given, pruner.pseudo_labels_[given]
        unlabeled = np.isin(rows, pruner.annotation_indices_)
        if self.labels == "given":
            rows, labels = rows[~unlabeled], labels[~unlabeled]
            if rows.size == 0:
                raise ValueError(
                    "No kept row has a given label. Use labels='pseudo', or include_labeled=True in the pruner."
                )
        elif y_oracle is not None and unlabeled.any():
            labels = with_answers(labels, unlabeled, y_oracle, rows, pruner.classes_, missing_label_of(pruner))
        labels = require_labels(labels, pruner, "Use labels='given', or y_oracle.")
        fit_params = _check_method_params(X, fit_params, indices=rows)
        estimator = clone(self.estimator)
        kept = items_as_input(estimator, take_rows(X, rows), row_shape_of(pruner))
        self.estimator_ = estimator.fit(kept, labels, **fit_params)
        self.pruner_ = pruner
        self.trained_on_ = "given labels" if uses_labels_alone or self.labels == "given" else "coreset"
        self.labels_comparison_ = comparison
        return self

    def _try_estimator(self, X, y, fit_params):
        """Refuse an estimator that cannot be fitted before the pruner trains, where it does."""
        if "proxy" not in self.pruner.get_params(deep=False):
            return
        with untouched():
            try:
                codes, classes = encode_labels(y, missing_label_of(self.pruner))
                check_equal_length(X, codes)
            except (ValueError, TypeError):
                return  # the pruner says what is wrong
        try:
            try_classifier(
                self.estimator, X, codes, classes, lambda rows: _check_method_params(X, fit_params, indices=rows)
            )
        except (ValueError, TypeError):
            with untouched():
                check_column_names(X)
                check_readable(self.estimator, read_rows(X, estimator=self.estimator))  # names what X lacks, if it does
            raise

    @property
    def classes_(self):
        """Classes of the fitted classifier."""
        return self.estimator_.classes_

    @available_if(_has("predict"))
    def predict(self, X, **params):
        """Predict with the fitted classifier.

        Parameters
        ----------
        X : array-like
            Any data.
        **params
            With ``enable_metadata_routing=True``, what `estimator` requests.

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels.

        Raises
        ------
        ValueError
            If there are `params` without metadata routing.
        """
        return self._delegate("predict", X, params)

    @available_if(_has("predict_proba"))
    def predict_proba(self, X, **params):
        """Predict probabilities with the fitted classifier.

        Parameters
        ----------
        X : array-like
            Any data.
        **params
            With ``enable_metadata_routing=True``, what `estimator` requests.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns as in ``classes_``.

        Raises
        ------
        ValueError
            If there are `params` without metadata routing.
        """
        return self._delegate("predict_proba", X, params)

    @available_if(_has("predict_log_proba"))
    def predict_log_proba(self, X, **params):
        """Predict log probabilities with the fitted classifier.

        Parameters
        ----------
        X : array-like
            Any data.
        **params
            With ``enable_metadata_routing=True``, what `estimator` requests.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns as in ``classes_``.

        Raises
        ------
        ValueError
            If there are `params` without metadata routing.
        """
        return self._delegate("predict_log_proba", X, params)

    @available_if(_has("decision_function"))
    def decision_function(self, X, **params):
        """Return the decision values of the fitted classifier.

        Parameters
        ----------
        X : array-like
            Any data.
        **params
            With ``enable_metadata_routing=True``, what `estimator` requests.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            As the classifier returns them.

        Raises
        ------
        ValueError
            If there are `params` without metadata routing.
        """
        return self._delegate("decision_function", X, params)

    def _scored_labels(self):
        check_is_fitted(self)
        return missing_label_of(self.pruner_), self.pruner_.classes_

    def get_metadata_routing(self):
        """Return how metadata is routed (scikit-learn's hook).

        Returns
        -------
        MetadataRouter
            `y_oracle` and the `sample_weight` of ``score`` are this estimator's own; everything else belongs to `estimator`.
        """
        mapping = MethodMapping()
        for method in ("fit", "predict", "predict_proba", "predict_log_proba", "decision_function"):
            mapping.add(caller=method, callee=method)
        return MetadataRouter(owner=self).add_self_request(self).add(estimator=self.estimator, method_mapping=mapping)

    def _routed(self, method, params):
        """Return the parameters that go to a method of `estimator`."""
        if _routing_enabled():
            return process_routing(self, method, **params).estimator[method]
        if method != "fit":
            _raise_for_params(params, self, method)
            return params
        known = inspect.signature(self.estimator.fit).parameters.values()
        unknown = sorted(set(params) - {parameter.name for parameter in known})
        steps = [name for name, _ in self.estimator.steps] if isinstance(self.estimator, Pipeline) else None
        if steps is not None:
            unknown = sorted(name for name in params if name.split("__")[0] not in steps or "__" not in name)
        elif any(parameter.kind is parameter.VAR_KEYWORD for parameter in known):
            unknown = []
        if unknown:
            raise TypeError(f"fit of {type(self.estimator).__name__} takes no {unknown[0]!r}.")
        return params

    def _delegate(self, method, X, params):
        check_is_fitted(self)
        rows = items_as_input(self.estimator_, X, row_shape_of(self.pruner_))
        return getattr(self.estimator_, method)(rows, **self._routed(method, params))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        pruner, estimator = get_tags(self.pruner).input_tags, get_tags(self.estimator).input_tags
        tags.input_tags.three_d_array = pruner.three_d_array and estimator.three_d_array
        tags.input_tags.sparse = pruner.sparse and estimator.sparse
        return tags
