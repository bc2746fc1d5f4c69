"""The confidence of pseudo-labels: calibrated on labeled rows that the labeler did not know."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading

from skprune import SemiPrune
from skprune._pipeline._calibration import calibrated, label_confidence
from skprune._pipeline._held_out import HeldOut
from skprune.datasets import make_partial_labels


class Boastful(LogisticRegression):
    """A labeler that learns from the given labels alone, and is three times as sure as it should be."""

    def fit(self, X, y):
        return super().fit(X[y >= 0], y[y >= 0])

    def predict_proba(self, X):
        proba = super().predict_proba(X) ** 3
        return proba / proba.sum(axis=1, keepdims=True)


@pytest.fixture
def noisy():
    """Two classes that overlap: the best classifier is right in 76 % of the rows."""
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=4000)
    X = rng.normal(size=(4000, 2)) + y[:, None]
    return X, y, make_partial_labels(y, n_labeled=400, random_state=0)


def pruner_of(**parameters):
    proxy = SGDClassifier(loss="log_loss", random_state=0)
    return SemiPrune(labeler=Boastful(), proxy=proxy, n_epochs=10, random_state=0, **parameters)


@pytest.mark.parametrize(("slope", "intercept"), [(0.3, 0.0), (1.0, -1.0), (2.0, 0.5)])
def test_log_odds_that_are_off_by_a_line_are_mended(slope, intercept):
    rng = np.random.default_rng(0)
    claimed = rng.uniform(0.05, 0.99, size=8000)
    true = expit(slope * logit(claimed) + intercept)
    is_correct = rng.random(8000) < true
    np.testing.assert_allclose(calibrated(claimed, claimed, is_correct), true, atol=0.03)


@given(
    known=st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), min_size=1, max_size=30),
    confidence=st.lists(st.floats(0.0, 1.0), min_size=2, max_size=30),
)
def test_the_order_of_the_rows_stays(known, confidence):
    known_confidence, is_correct = map(np.array, zip(*known, strict=True))
    found = calibrated(np.sort(confidence), known_confidence, is_correct)
    assert ((found >= 0.0) & (found <= 1.0)).all()
    assert (np.diff(found) >= 0.0).all()


def test_few_rows_change_little():
    sure = np.array([0.6, 0.9])
    few = calibrated(sure, np.array([0.9]), np.array([True]))
    np.testing.assert_allclose(few, sure, atol=0.05)
    assert (calibrated(sure, np.full(50, 0.9), np.ones(50, bool))[1]) > 0.96
    assert (calibrated(sure, np.full(50, 0.9), np.arange(50) < 25)[1]) < 0.6


def test_given_labels_are_certain():
    raw = np.array([0.9, 0.6, 0.8])
    codes = np.array([0, -1, 1])
    np.testing.assert_allclose(label_confidence(raw, codes, None), [1.0, 0.6, 1.0])
    held_out = HeldOut(np.array([0]), np.array([1, 1, 1]), 2, raw[:1])
    found = label_confidence(raw, codes, held_out)
    assert found[0] == found[2] == 1.0
    assert found[1] < 0.6  # the one label that is known was predicted wrongly
    np.testing.assert_array_equal(label_confidence(None, codes, None), np.ones(3))


def test_a_boastful_labeler_is_believed_less(noisy):
    X, y, partial = noisy
    raw = pruner_of(estimate_accuracy=False).fit(X, partial)
    pruner = pruner_of().fit(X, partial)
    np.testing.assert_array_equal(raw.pseudo_labels_, pruner.pseudo_labels_)
    unlabeled = partial < 0
    accuracy = np.mean((pruner.pseudo_labels_ == y)[unlabeled])
    assert raw.pseudo_label_confidence_[unlabeled].mean() > accuracy + 0.1
    assert pruner.pseudo_label_confidence_[unlabeled].mean() == pytest.approx(accuracy, abs=0.05)
    assert (pruner.pseudo_label_confidence_[~unlabeled] == 1.0).all()
    assert pruner.pseudo_label_accuracy_ == pytest.approx(accuracy, abs=0.1)


def test_labels_that_cannot_be_held_out(noisy):
    """One label a class: nothing is estimated, and the labeler is taken at its word."""
    X, y, _ = noisy
    partial = np.full(len(y), -1)
    partial[[np.argmin(y), np.argmax(y)]] = 0, 1
    pruner = pruner_of().fit(X, partial)
    assert pruner.pseudo_label_accuracy_ is None
    raw = pruner_of(estimate_accuracy=False).fit(X, partial)
    np.testing.assert_array_equal(pruner.pseudo_label_confidence_, raw.pseudo_label_confidence_)


def test_an_option_that_there_is_not(noisy):
    X, _, partial = noisy
    with pytest.raises(ValueError, match="estimate_accuracy must be True, False or 'auto', got 'yes'"):
        pruner_of(estimate_accuracy="yes").fit(X, partial)


def test_rows_that_no_label_reaches():
    """LabelSpreading divides 0 by 0 in clusters without a label."""
    X, y = load_digits(return_X_y=True)
    X = np.concatenate([X, X[:50] + 1000.0])
    partial = np.concatenate([make_partial_labels(y, n_labeled=100, random_state=0), np.full(50, -1)])
    labeler = LabelSpreading(kernel="knn", n_neighbors=7)
    proxy = make_pipeline(StandardScaler(), SGDClassifier(loss="modified_huber"))
    pruner = SemiPrune(labeler=labeler, proxy=proxy, n_epochs=10, random_state=0)
    with pytest.warns(UserWarning, match=r"LabelSpreading cannot tell the class of \d+ of 1747 rows without a label"):
        pruner.set_params(estimate_accuracy=False).fit(X, partial)
    assert pruner.pseudo_label_confidence_[-50:] == pytest.approx(0.1)
    assert len(np.unique(pruner.pseudo_labels_[-50:])) > 5
