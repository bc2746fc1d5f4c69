"""The comparison with random rows and with the given labels alone, before anyone labels a row."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler
from sklearn.semi_supervised import LabelSpreading
from sklearn.tree import DecisionTreeClassifier

from skprune import PrunedClassifier, SemiPrune
from skprune._pipeline._held_out import HeldOut
from skprune._pipeline._random_comparison import random_rows
from skprune._pipeline._simulated_annotation import FinalModel, SimulatedAnnotation, possible_answers
from skprune._pipeline._stages import FullTraining
from skprune.datasets import make_partial_labels
from skprune.nets import NetClassifier
from skprune.selection import Beta


class OneClass(BaseEstimator):
    """A selection of a user: rows of the first pseudo-labels only, and one of each other."""

    def select(self, scores, ratio, *, y, **others):
        order = np.argsort(y, kind="stable")
        mask = np.zeros(len(scores), dtype=bool)
        mask[order[: round(ratio * len(scores))]] = True
        mask[np.unique(y, return_index=True)[1]] = True
        return mask


class NotedTree(DecisionTreeClassifier):
    """A final model that notes what it is trained on."""

    seen = []

    def fit(self, X, y):
        self.seen.append(np.array(y))
        return super().fit(X, y)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y, make_partial_labels(y, n_labeled=100, random_state=0)


def pruner_of(ratio=0.2, **params):
    defaults = {
        "labeler": LabelSpreading(kernel="knn", n_neighbors=20),
        "proxy": make_pipeline(MaxAbsScaler(), SGDClassifier(loss="log_loss", alpha=1e-3)),
        "n_epochs": 10,
        "compare_with_random": True,
        "random_state": 0,
    }
    return SemiPrune(ratio, **defaults | params)


def test_a_coreset_that_would_be_worse_is_told(digits):
    X, _, partial = digits
    message = r"random rows would probably be the better training set: in simulations.*the difference .* is -0\.[1-9]"
    with pytest.warns(UserWarning, match=message):
        pruner = pruner_of(selection=OneClass()).fit(X, partial)
    comparison = pruner.random_comparison_
    assert comparison.best == "random rows"
    assert comparison.is_simulated
    assert comparison.detectable is None
    assert comparison.low <= comparison.difference <= comparison.high < 0.0
    assert comparison.difference == pytest.approx(comparison.coreset - comparison.random)
    assert comparison.n_rows == round(0.3 * (partial < 0).sum())


def test_the_default_is_not(digits, recwarn):
    X, _, partial = digits
    comparison = pruner_of(0.3).fit(X, partial).random_comparison_
    assert comparison.difference > -0.005
    assert not [warning for warning in recwarn if "better training set" in str(warning.message)]


def test_given_labels_that_are_more_than_the_coreset(digits):
    X, y, _ = digits
    partial = make_partial_labels(y, n_labeled=500, random_state=0)
    with pytest.warns(UserWarning, match=r"the given labels alone would .*set budget=, or include_labeled=True"):
        comparison = pruner_of(40, selection="random").fit(X, partial).random_comparison_
    assert comparison.best == "labels alone"
    assert comparison.labels_alone > comparison.random + 0.05


def test_the_final_model_is_the_one_that_is_named(digits):
    X, y, partial = digits
    NotedTree.seen.clear()
    model = NotedTree(class_weight={int(c): 1.0 for c in range(10)})
    with pytest.warns(UserWarning, match="would probably be the better training set"):
        comparison = pruner_of(60, compare_with_random=model).fit(X, partial).random_comparison_
    n_trainings = 1 + 5 + 5  # the coreset, five draws of random rows, five as large as the given labels
    assert len(NotedTree.seen) == 1 + 3 * n_trainings  # after a trial, with three kinds of labels
    assert np.mean([len(labels) for labels in NotedTree.seen[-15:]]) == pytest.approx(100 * 0.72, abs=8)
    assert comparison.random < 0.8


def test_the_model_of_a_pruned_classifier_takes_part(digits):
    X, y, partial = digits
    NotedTree.seen.clear()
    classifier = PrunedClassifier(NotedTree(random_state=0), pruner_of(selection="random"))
    with pytest.warns(UserWarning, match="Random rows .* when both are trained on pseudo-labels"):
        classifier.fit(X, partial)
    assert not classifier.pruner_.random_comparison_.is_simulated
    assert len(NotedTree.seen) > 15
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "If this coreset were labeled by people")
        classifier.fit(X, partial, y_oracle=y)
    assert classifier.pruner_.random_comparison_.is_simulated
    assert isinstance(classifier.pruner_.compare_with_random, NotedTree)


def test_it_depends_on_the_seed_alone(digits):
    X, _, partial = digits
    first, second = (pruner_of().fit(X, partial).random_comparison_ for _ in range(2))
    assert first == second


def test_answers_keep_given_labels_and_follow_the_confidence():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=1500)
    space = rng.normal(size=(1500, 2)) + 4.0 * np.eye(3)[y][:, :2]
    codes = np.where(np.arange(1500) < 150, y, -1)
    labels = np.where(codes >= 0, codes, (y + (rng.random(1500) < 0.3)) % 3)
    confidence = np.where(codes >= 0, 1.0, 0.7)
    answers = possible_answers(space, codes, labels, confidence, HeldOut(np.arange(30), np.zeros(1500, int), 30), 0)
    assert len(answers) == 3
    for answer in answers:
        np.testing.assert_array_equal(answer[:150], y[:150])
    probable, of_trees, of_labeler = answers
    assert np.mean(probable[150:] == labels[150:]) == pytest.approx(0.7, abs=0.05)
    assert np.mean(of_trees[150:] == y[150:]) > 0.8
    assert (of_labeler[150:] == 0).all()


def test_nothing_is_tested_on_what_it_was_trained_on():
    """A memory of the training rows is no better than chance on labels that mean nothing."""
    rng = np.random.default_rng(0)
    rows, answers = rng.normal(size=(1000, 5)), [rng.integers(2, size=1000)]
    model = FinalModel(FullTraining(KNeighborsClassifier(1), None, 0), rows)
    simulation = SimulatedAnnotation([model], answers, np.arange(1000) < 100, 0)
    comparison = simulation.compare_with_random(np.ones(1000, bool), np.zeros(1000, bool))
    for accuracy in (comparison.coreset, comparison.random, comparison.labels_alone):
        assert 0.4 < accuracy < 0.6


def test_a_net_keeps_its_epochs():
    net = NetClassifier(max_epochs=2)
    X, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    assert len(FullTraining(net, None, 0).fit(X, y).history) == 2
    assert len(FullTraining(net, 3, 0).fit(X, y).history) == 3


@pytest.mark.parametrize("value", ["yes", 1, LogisticRegression])
def test_what_is_no_classifier(digits, value):
    X, _, partial = digits
    with pytest.raises(ValueError, match="compare_with_random must be True, False or a classifier, got"):
        pruner_of(compare_with_random=value).fit(X, partial)


@pytest.mark.filterwarnings("ignore:If this coreset were labeled by people")
def test_a_comparison_changes_nothing_of_the_fit(digits):
    X, _, partial = digits
    options = {"estimate_accuracy": False, "selection": Beta(trust=5)}
    with_it, without = (pruner_of(**options, compare_with_random=asked).fit(X, partial) for asked in (True, False))
    np.testing.assert_array_equal(with_it.pseudo_label_confidence_, without.pseudo_label_confidence_)
    np.testing.assert_array_equal(with_it.support_, without.support_)


@pytest.mark.filterwarnings("ignore:If this coreset were labeled by people", "ignore:The coreset of 10 rows")
def test_few_rows_are_left_to_train_on(digits):
    X, y, _ = digits
    for seed in range(5, 8):  # of seed 6, four rows are left: fewer than the usual number of neighbors
        partial = make_partial_labels(y[:500], n_labeled=20, random_state=seed)
        pruner = pruner_of(10, labeler=LabelSpreading(kernel="knn", n_neighbors=15), random_state=seed)
        assert 0.0 < pruner.fit(X[:500], partial).random_comparison_.coreset < 1.0


def test_annotators_know_the_labels_of_equal_rows(digits):
    X, y, partial = digits
    X, y, partial = X[:300], y[:300], np.where(np.arange(300) < 150, y[:300], -1)
    X = np.vstack([X[:150], X[:150]])
    comparison = pruner_of(1.0, compare_with_random=KNeighborsClassifier(1)).fit(X, partial).random_comparison_
    assert comparison.coreset == 1.0


def means_of_channels(images):
    assert images.shape[1:] == (2, 12, 12)
    return images.mean(axis=(2, 3))


@pytest.mark.filterwarnings("ignore:Random rows", "ignore:The coreset of", "ignore:Pseudo-labels do not pay")
def test_the_final_model_sees_images_as_they_are():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    X = rng.random((60, 2, 12, 12)).astype(np.float32) + y[:, None, None, None]
    partial = np.where(np.arange(60) < 24, y, -1)
    model = make_pipeline(FunctionTransformer(means_of_channels), LogisticRegression())
    for goal in ("pseudo", "annotate"):
        pruner = pruner_of(0.5, goal=goal, image_size=6, compare_with_random=model)
        assert pruner.fit(X, partial).random_comparison_.coreset > 0.9
    with pytest.warns(UserWarning, match="not seen to pay"):  # both are right about all rows
        classifier = PrunedClassifier(model, pruner_of(0.5, image_size=6, compare_with_random=False)).fit(X, partial)
    assert classifier.labels_comparison_.pseudo_labels > 0.9
    assert classifier.score(X, y) > 0.9


def test_a_final_model_that_cannot_work_is_refused_before_any_training(digits):
    X, _, partial = digits
    message = "The final model LogisticRegression fails in a trial on 64 rows, before any training. The 'C' parameter"
    with pytest.raises(ValueError, match=message):
        pruner_of(compare_with_random=LogisticRegression(C=-1.0)).fit(X, partial)


def test_random_rows_of_groups():
    rng = np.random.default_rng(0)
    groups, candidates = np.repeat(np.arange(20), 5), np.arange(100) >= 10
    for n_rows in (0, 1, 37, 90):
        rows = random_rows(rng, candidates, n_rows, groups)
        assert len(np.unique(rows)) == n_rows
        assert candidates[rows].all()
        assert len(np.unique(groups[rows])) == -(-n_rows // 5)


@pytest.mark.filterwarnings("ignore:If this coreset were labeled by people")
@pytest.mark.parametrize("goal", ["annotate", "pseudo"])
def test_whole_groups_are_compared_with_random_groups(digits, goal):
    """Groups of equal kind hold less than as many rows from anywhere; a random choice of them is no worse for that."""
    X, y, partial = digits
    groups = np.empty(len(y), dtype=np.int64)
    groups[np.argsort(y, kind="stable")] = np.arange(len(y)) // 36  # 50 groups, nearly all of one class
    options = {"selection": "random", "compare_with_random": LogisticRegression(max_iter=50), "goal": goal}
    differences = []
    for seed in range(4):
        pruner = pruner_of(0.15, **options, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            differences.append(pruner.fit(X, partial, groups=groups).random_comparison_.difference)
    assert np.mean(differences) > -0.1
