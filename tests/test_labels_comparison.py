"""PrunedClassifier trains on pseudo-labels where they pay, and on the given labels alone elsewhere."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.semi_supervised import LabelSpreading
from sklearn.tree import DecisionTreeClassifier

from skprune import PrunedClassifier, SemiPrune
from skprune._pipeline._held_out import HeldOut
from skprune._pipeline._labels_alone import LabelsAloneComparison, compare_with_labels_alone
from skprune._pipeline._stages import FullTraining
from skprune.baselines import ActivePruner
from skprune.datasets import make_partial_labels


class Wrong(LogisticRegression):
    """A labeler that is wrong about every row without a label."""

    def fit(self, X, y):
        return super().fit(X[y >= 0], y[y >= 0])

    def predict_proba(self, X):
        return np.roll(super().predict_proba(X), 1, axis=1)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y, make_partial_labels(y, n_labeled=300, random_state=0)


def pruner_of(**params):
    proxy = make_pipeline(MaxAbsScaler(), SGDClassifier(loss="log_loss", alpha=1e-3))
    labeler = LabelSpreading(kernel="knn", n_neighbors=20)
    return SemiPrune(**{"labeler": labeler, "proxy": proxy, "n_epochs": 10, "random_state": 0} | params)


def test_pseudo_labels_that_pay_are_trained_on(digits):
    X, y, partial = digits
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model = PrunedClassifier(DecisionTreeClassifier(random_state=0), pruner_of()).fit(X, partial)
    assert model.trained_on_ == "coreset"
    assert model.labels_comparison_.pays
    assert model.labels_comparison_.n_rows == pytest.approx(60, abs=5)
    alone = DecisionTreeClassifier(random_state=0).fit(X[partial >= 0], partial[partial >= 0])
    assert model.score(X, y) > alone.score(X, y)


def test_pseudo_labels_that_do_not_pay_are_not(digits):
    X, y, partial = digits
    message = r"Pseudo-labels are not seen to pay: on \d+ held-out labeled rows, LogisticRegression reaches 0\.\d{3} trained.*300"
    with pytest.warns(UserWarning, match=message):
        model = PrunedClassifier(LogisticRegression(max_iter=500), pruner_of(labeler=Wrong(max_iter=500))).fit(
            X, partial
        )
    alone = LogisticRegression(max_iter=500).fit(X[partial >= 0], partial[partial >= 0])
    np.testing.assert_allclose(model.predict_proba(X), alone.predict_proba(X), atol=1e-6)
    assert model.trained_on_ == "given labels"
    assert not model.labels_comparison_.pays
    assert model.labels_comparison_.pseudo_labels < 0.5 < model.labels_comparison_.labels_alone


@pytest.mark.parametrize("labels", ["pseudo", "given"])
def test_whoever_names_the_labels_gets_them(digits, labels):
    X, y, partial = digits
    model = PrunedClassifier(LogisticRegression(max_iter=500), pruner_of(labeler=Wrong(max_iter=500)), labels=labels)
    model.fit(X, partial)
    assert model.labels_comparison_ is None
    assert model.trained_on_ == {"pseudo": "coreset", "given": "given labels"}[labels]


def test_annotated_rows_are_trained_on(digits):
    X, y, partial = digits
    model = PrunedClassifier(DecisionTreeClassifier(random_state=0), pruner_of(labeler=Wrong())).fit(
        X, partial, y_oracle=y
    )
    assert (model.trained_on_, model.labels_comparison_) == ("coreset", None)


@pytest.mark.parametrize(
    "pruner", [pruner_of(estimate_accuracy=False), ActivePruner(include_labeled=False, random_state=0)]
)
def test_where_nothing_was_held_out(digits, pruner):
    X, y, partial = digits
    model = PrunedClassifier(KNeighborsClassifier(3), pruner)
    if isinstance(pruner, ActivePruner):
        partial = y
    model.fit(X, partial)
    assert (model.trained_on_, model.labels_comparison_) == ("coreset", None)


def test_sample_weights_go_with_the_rows_that_are_trained_on(digits):
    X, y, partial = digits
    weights = np.where(partial == 0, 1e-6, 1.0)
    model = PrunedClassifier(LogisticRegression(max_iter=500), pruner_of(labeler=Wrong(max_iter=500)))
    with pytest.warns(UserWarning, match="not seen to pay"):
        model.fit(X, partial, sample_weight=weights)
    assert np.mean(model.predict(X[y == 0]) == 0) < 0.5


def test_names_of_classes(digits):
    X, y, partial = digits
    names = np.array([f"digit {code}" for code in range(10)], dtype=object)
    named = np.where(partial >= 0, names[partial], None)
    model = PrunedClassifier(DecisionTreeClassifier(random_state=0), pruner_of()).fit(X, named)
    assert model.trained_on_ == "coreset"
    assert set(model.predict(X)) == set(names)


def test_held_out_labels_take_no_part_in_the_comparison():
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(200, 3)), rng.integers(2, size=200)
    given = np.where(np.arange(200) < 100, codes, -1)
    held_out = HeldOut(np.arange(50), codes, 50)
    training = FullTraining(KNeighborsClassifier(1), None, 0)
    comparison = compare_with_labels_alone(training, X, given, held_out, np.ones(200, bool))
    assert 0.25 < comparison.pseudo_labels < 0.75  # a memory of these rows would be right about all of them
    assert 0.25 < comparison.labels_alone < 0.75


@pytest.mark.parametrize(("n_rows", "error"), [(1, 1.0), (5, 0.2)])
def test_rows_that_are_predicted_alike_tell_no_more_than_their_number(n_rows, error):
    """No difference was seen, which is no proof that there is none."""
    X = np.arange(20.0)[:, None]
    codes = (X[:, 0] >= 10).astype(int)
    held_out = HeldOut(np.arange(n_rows), codes, 10)
    training = FullTraining(KNeighborsClassifier(1), None, 0)
    given = np.where(np.arange(20) % 2 == 0, codes, -1)
    comparison = compare_with_labels_alone(training, X, given, held_out, np.ones(20, bool))
    assert comparison.pseudo_labels == comparison.labels_alone
    assert comparison.error == pytest.approx(error)


@pytest.mark.parametrize(("pseudo_labels", "pays"), [(0.9, True), (0.86, False), (0.8, False)])
def test_what_pays(pseudo_labels, pays):
    assert LabelsAloneComparison(pseudo_labels, 0.86, error=0.05, n_rows=40).pays is pays
