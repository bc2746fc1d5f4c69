"""PrunedClassifier: the main job ends in a classifier."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading
from sklearn.svm import LinearSVC

from skprune import PrunedClassifier, SemiPrune
from skprune.model_selection import PartialLabelKFold
from skprune.nets import NetClassifier


class Remembering(DummyClassifier):
    """A classifier that keeps what it was trained on."""

    def fit(self, X, y, sample_weight=None):
        self.X_, self.y_ = X, np.asarray(y)
        return super().fit(X, y)


def test_trains_on_the_coreset(quick, iris):
    X, _, partial = iris
    model = PrunedClassifier(Remembering(), quick(), labels="pseudo").fit(X, partial)
    np.testing.assert_array_equal(model.estimator_.X_, X[model.pruner_.support_])
    np.testing.assert_array_equal(model.estimator_.y_, model.pruner_.coreset_labels_)
    assert model.n_features_in_ == 4


def test_given_labels_alone(quick, iris):
    X, y, partial = iris
    model = PrunedClassifier(Remembering(), quick(include_labeled=True), labels="given").fit(X, partial)
    np.testing.assert_array_equal(model.estimator_.X_, X[partial >= 0])
    np.testing.assert_array_equal(model.estimator_.y_, y[partial >= 0])


@pytest.mark.parametrize("names", [None, np.array(["a", "bb", "a longer name"]), np.array([10, 20, 30])])
def test_oracle_labels_replace_pseudo_labels_of_kept_rows(quick, iris, names):
    X, y, partial = iris
    oracle = y if names is None else names[y]
    labels = partial if names is None else np.where(partial < 0, None, oracle)
    model = PrunedClassifier(Remembering(), quick()).fit(X, labels, y_oracle=oracle)
    assert model.estimator_.y_.tolist() == oracle[model.pruner_.support_].tolist()


def test_oracle_labels_of_rows_that_are_not_kept_are_never_read(quick, iris):
    X, y, partial = iris

    class Trap:
        pass

    first = PrunedClassifier(LogisticRegression(max_iter=500), quick(0.3)).fit(X, partial, y_oracle=y)
    readable = np.zeros(150, bool)
    readable[first.pruner_.annotation_indices_] = True
    for filler in (lambda i: Trap(), lambda i: i % 3):
        oracle = np.array([label if ok else filler(i) for i, (label, ok) in enumerate(zip(y, readable, strict=True))])
        other = PrunedClassifier(LogisticRegression(max_iter=500), quick(0.3)).fit(X, partial, y_oracle=oracle)
        np.testing.assert_array_equal(other.predict_proba(X), first.predict_proba(X))


def test_delegation(quick, iris):
    X, y, partial = iris
    model = PrunedClassifier(LogisticRegression(max_iter=500), quick(), labels="pseudo").fit(X, partial)
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        np.testing.assert_array_equal(getattr(model, method)(X), getattr(model.estimator_, method)(X))
    assert model.classes_.tolist() == [0, 1, 2]
    assert not hasattr(PrunedClassifier(LinearSVC(), quick()), "predict_proba")
    assert hasattr(PrunedClassifier(CalibratedClassifierCV(LinearSVC()), quick()), "predict_proba")


def test_score_ignores_unlabeled_rows(quick, iris):
    X, y, partial = iris
    model = PrunedClassifier(LogisticRegression(max_iter=500), quick(), labels="pseudo").fit(X, partial)
    given = partial >= 0
    assert model.score(X, partial) == pytest.approx(np.mean(model.predict(X[given]) == y[given]))
    with pytest.raises(ValueError, match="needs labeled rows"):
        model.score(X, np.full(150, -1))


def test_minus_one_as_a_class_is_scored():
    """In test folds nothing is missing any more, and -1 must stay the class that it was in training."""
    rng = np.random.default_rng(0)
    y = np.where(rng.random(300) < 0.7, 1, -1)
    X = y[:, None] + rng.normal(scale=0.5, size=(300, 2))
    partial = np.where(rng.random(300) < 0.7, None, y)
    pruner = SemiPrune(1.0, labeler=LabelSpreading(), proxy=NetClassifier(module__width=4), n_epochs=10, random_state=0)
    constant = PrunedClassifier(DummyClassifier(strategy="constant", constant=1), pruner, labels="pseudo")
    scores = cross_val_score(constant, X, partial, cv=PartialLabelKFold(3))
    assert scores.mean() < 0.85


def test_frames(quick, iris):
    X, _, partial = iris
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = PrunedClassifier(LogisticRegression(max_iter=500), quick(), labels="pseudo").fit(frame, partial)
    assert model.feature_names_in_.tolist() == list("abcd")
    assert model.predict(frame).shape == (150,)
    model.fit(X, partial)
    assert not hasattr(model, "feature_names_in_")


@pytest.mark.parametrize(
    ("labels", "oracle", "message"),
    [
        ("guessed", None, "labels must be"),
        ("given", np.zeros(150), "takes no y_oracle"),
        ("pseudo", np.zeros(149), "X has 150 rows, y_oracle has 149"),
    ],
)
def test_refused(quick, iris, labels, oracle, message):
    X, _, partial = iris
    with pytest.raises(ValueError, match=message):
        PrunedClassifier(LogisticRegression(), quick(), labels=labels).fit(X, partial, y_oracle=oracle)


def test_an_oracle_without_an_answer_is_refused(quick, iris):
    X, _, partial = iris
    with pytest.raises(ValueError, match=r"y_oracle has no label for row \d+, which is kept"):
        PrunedClassifier(LogisticRegression(max_iter=500), quick()).fit(X, partial, y_oracle=np.full(150, -1))


def test_score_needs_a_label_for_each_row(quick, iris):
    X, y, partial = iris
    model = PrunedClassifier(LogisticRegression(max_iter=500), quick(), labels="pseudo").fit(X, partial)
    for scored in (model, model.pruner_):
        with pytest.raises(ValueError, match="X has 150 rows, y has 20"):
            scored.score(X, y[:20])


class Unlabeled(BaseEstimator):
    """A selector that keeps rows without a label."""

    def select(self, scores, ratio, *, labeled, **others):
        return ~labeled


def test_no_given_label_among_the_kept_rows(quick, iris):
    X, _, partial = iris
    pruner = quick(selection=Unlabeled())
    with pytest.raises(ValueError, match="No kept row has a given label"):
        PrunedClassifier(LogisticRegression(), pruner, labels="given").fit(X, partial)


def test_last_in_a_pipeline_and_in_a_grid(quick, iris):
    X, y, partial = iris
    labels = np.where(partial < 0, None, np.array(["a", "b", "c"])[y])
    model = make_pipeline(StandardScaler(), PrunedClassifier(LogisticRegression(), quick(), labels="pseudo"))
    grid = {"prunedclassifier__pruner__ratio": [0.2, 0.6], "prunedclassifier__estimator__C": [0.1, 1.0]}
    search = GridSearchCV(model, grid, cv=PartialLabelKFold(3)).fit(X, labels)
    assert not np.isnan(search.cv_results_["mean_test_score"]).any()
    assert search.score(X, np.array(["a", "b", "c"])[y]) > 0.7


def test_a_coreset_of_one_class_gives_way_to_the_given_labels():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    y = np.where(X[:, 0] > 0, "right", "left").astype(object)
    y[30:] = None
    labeler = make_pipeline(StandardScaler(), LabelSpreading(kernel="knn", n_neighbors=10))
    proxy = make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss"))

    def one_class(dynamics):
        return np.where(X[:, 0] > 0, 1.0, 0.0) + 1e-3 * np.arange(120) / 120

    pruner = SemiPrune(4, labeler=labeler, proxy=proxy, difficulty=one_class, selection="hardest", random_state=0)
    with pytest.warns(UserWarning, match="The coreset of 4 rows holds"):  # SemiPrune says so too
        pruner.fit(X, y)
    model = PrunedClassifier(LogisticRegression(), pruner)
    with (
        pytest.warns(
            UserWarning, match="The coreset of 4 rows holds one class only, 'right'. LogisticRegression is trained on"
        ),
        pytest.warns(UserWarning, match="holds no row of 1 of 2 classes"),
    ):
        model.fit(X, y)
    assert model.trained_on_ == "given labels"
    assert set(model.classes_) == {"left", "right"}
    with (
        pytest.raises(ValueError, match="at least 2 classes"),
        pytest.warns(UserWarning, match="holds no row of 1 of 2 classes"),
    ):
        model.set_params(labels="pseudo").fit(X, y)
