"""What can be refused is refused before any training: labeler, proxy, difficulty, selection and classifier on a few rows."""

import random
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.feature_selection import VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from skorch import NeuralNetClassifier

from skprune import PrunedClassifier, SemiPrune
from skprune._pipeline._trial import untouched
from skprune.baselines import ELFSPruner, SupervisedPruner
from skprune.datasets import make_partial_labels
from skprune.nets import NetClassifier
from skprune.scores import dual, grand
from skprune.semi_supervised import FixMatch


class Trained(Exception):
    """The labeling has begun."""


class Alarm(LogisticRegression):
    """A labeler that refuses to be trained on more rows than those of a trial."""

    def fit(self, X, y):
        if len(X) > 64:
            raise Trained
        return super().fit(X[y >= 0], y[y >= 0])


class WrongWidth(torch.nn.Module):
    def __init__(self, n_features, n_classes):
        super().__init__()
        self.layer = torch.nn.Linear(n_features, n_classes + 2)

    def forward(self, x):
        return self.layer(x)


class NoLinearEnd(torch.nn.Module):
    def __init__(self, n_features, n_classes):
        super().__init__()
        self.layer = torch.nn.Linear(n_features, n_classes)

    def forward(self, x):
        return 2.0 * self.layer(x)


class Forgets(SGDClassifier):
    """A proxy without its `classes`."""

    def partial_fit(self, X, y):
        return super().partial_fit(X, y)


class ReturnsRows(BaseEstimator):
    """A selector that returns indices instead of a mask."""

    def select(self, scores, ratio, **inputs):
        return np.arange(5)


class TakesNoInputs(BaseEstimator):
    def select(self, scores, ratio):
        return np.ones(len(scores), dtype=bool)


class BadOrder(BaseEstimator):
    def select(self, scores, ratio, **inputs):
        return np.ones(len(scores), dtype=bool)

    def propose(self, scores):
        return np.arange(len(scores))


sgd = make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss"))


def alarmed(**params):
    return SemiPrune(**{"labeler": Alarm(), "proxy": sgd, "n_epochs": 12, "random_state": 0} | params)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        (
            {"proxy": NetClassifier(WrongWidth)},
            ValueError,
            r"proxy NetClassifier .*trial on .* rows.*outputs of shape \(2, 5\)",
        ),
        ({"proxy": NetClassifier(module__depth_of_it=3)}, TypeError, "depth_of_it"),
        ({"proxy": NetClassifier("resnet18")}, ValueError, "network for images"),
        ({"proxy": NetClassifier(device="gpu")}, ValueError, "device must be None, 'auto' or a device of torch"),
        ({"proxy": NetClassifier(batch_size="a")}, ValueError, "batch_size must be an integer of at least 2"),
        ({"proxy": NetClassifier(optimizer__foo=1)}, TypeError, "foo"),
        ({"proxy": NetClassifier(augment="we")}, ValueError, "augment must be"),
        ({"proxy": NetClassifier(lr=-1)}, ValueError, "Invalid learning rate: -1"),
        ({"proxy": NetClassifier(callbacks=[3])}, ValueError, "callbacks must be None or a list of callbacks"),
        ({"proxy": NetClassifier(ema="no")}, ValueError, "ema must be True or False"),
        ({"proxy": NetClassifier(n_steps=1, batch_size=4)}, ValueError, "shows the proxy 48 of the 150 rows"),
        ({"proxy": NetClassifier(criterion__weight=torch.ones(2))}, ValueError, "weight tensor should be defined"),
        ({"proxy": NetClassifier(NoLinearEnd), "difficulty": "grand"}, ValueError, "grad_norm"),
        (
            {"proxy": NeuralNetClassifier(WrongWidth, train_split=None)},
            TypeError,
            "NeuralNetClassifier .* 'n_features'",
        ),
        ({"proxy": SGDClassifier(loss="log_loss", eta0=-1)}, ValueError, "'eta0' parameter of SGDClassifier"),
        ({"proxy": GradientBoostingClassifier(learning_rate=-1)}, ValueError, "'learning_rate' parameter"),
        ({"proxy": Forgets(loss="log_loss")}, TypeError, "proxy Forgets .* unexpected keyword argument 'classes'"),
        ({"difficulty": partial(dual, window=50)}, ValueError, "window=50 is longer than the 12 epochs"),
        ({"difficulty": partial(grand, n_epochs=5)}, ValueError, "needs a skorch net as proxy"),
        (
            {"difficulty": lambda dynamics: np.zeros(3)},
            ValueError,
            r"of shape \(3,\); one number for each of the 150 rows",
        ),
        ({"difficulty": lambda one, two: one}, TypeError, "made-up dynamics.*missing 1 required positional argument"),
        ({"difficulty": ["aum", lambda dynamics: dynamics.margins]}, ValueError, "AttributeError.*margins"),
        ({"selection": ReturnsRows()}, ValueError, "selection must return a boolean mask of 149 rows"),
        ({"selection": TakesNoInputs()}, TypeError, "unexpected keyword argument"),
        ({"selection": BadOrder()}, TypeError, "propose"),
        ({"include_labeled": "no"}, ValueError, "include_labeled must be True or False, got 'no'"),
        ({"estimate_accuracy": "no"}, ValueError, "estimate_accuracy must be True, False or 'auto', got 'no'"),
        ({"compare_with_random": 1}, ValueError, "compare_with_random must be True, False or a classifier, got 1"),
        ({"n_jobs": "a"}, ValueError, "n_jobs must be None or an integer other than 0, got 'a'"),
        ({"n_jobs": 1.5}, ValueError, "n_jobs must be None or an integer other than 0, got 1.5"),
        ({"verbose": "a"}, ValueError, "verbose must be an integer of at least 0, got 'a'"),
        ({"image_shape": 64}, ValueError, r"image_shape must be \(C, H, W\), got 64"),
        ({"image_shape": (1.5, 2, 2)}, ValueError, r"image_shape must be \(C, H, W\), got \(1.5, 2, 2\)"),
        ({"device": "gpu", "proxy": NetClassifier()}, ValueError, "device must be None, 'auto' or a device of torch"),
    ],
)
def test_what_fails_is_refused_before_the_labeling(iris, params, error, message):
    X, _, partial_labels = iris
    with pytest.raises(error, match=message):
        alarmed(**params).fit(X, partial_labels)


def test_what_works_reaches_the_labeling(iris):
    X, _, partial_labels = iris
    for proxy in (sgd, NetClassifier(), GradientBoostingClassifier()):
        with pytest.raises(Trained):
            alarmed(proxy=proxy).fit(X, partial_labels)


@pytest.mark.parametrize(
    ("labeler", "message"),
    [
        (LogisticRegression(max_iter=500), "took -1 for a class"),
        (SelfTrainingClassifier(LogisticRegression(C=-1)), "'C' parameter"),
        (make_pipeline(StandardScaler(), FixMatch(n_steps=1000, optimizer__foo=1)), "foo"),
    ],
)
def test_labelers_are_tried(iris, labeler, message):
    X, _, partial_labels = iris
    with pytest.raises((ValueError, TypeError), match=f"The labeler .* fails in a trial on .* rows.*{message}"):
        alarmed(labeler=labeler).fit(X, partial_labels)


@pytest.mark.parametrize(
    "labeler",
    [
        make_pipeline(StandardScaler(), LabelSpreading(kernel="knn", n_neighbors=550)),
        SelfTrainingClassifier(GridSearchCV(LogisticRegression(max_iter=500), {"C": [1.0]}, cv=40)),
        make_pipeline(VarianceThreshold(1e-4), SelfTrainingClassifier(LogisticRegression(max_iter=500))),
    ],
    ids=["neighbors", "folds", "variance"],
)
def test_what_fails_on_few_rows_alone_is_not_refused(labeler):
    """Neighbors and folds need more rows than those of a trial; the only column that varies does so in few rows."""
    X, y = make_classification(700, 4, n_informative=3, n_redundant=1, random_state=0)
    if isinstance(labeler[0] if hasattr(labeler, "steps") else None, VarianceThreshold):
        X = np.where(np.arange(700)[:, None] % 90 == 7, X, 0.0)
    partial_labels = make_partial_labels(y, n_labeled=200, random_state=0)
    pruner = SemiPrune(labeler=labeler, proxy=sgd, n_epochs=12, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert pruner.fit(X, partial_labels).support_.sum() == 350


def test_code_of_the_user_may_know_the_number_of_rows(iris):
    X, _, partial_labels = iris
    prior = np.linspace(0, 1, 150)

    class Prior(BaseEstimator):
        def select(self, scores, ratio, **inputs):
            return (prior + 0 * scores) > 0.5

    pruner = SemiPrune(
        labeler=LabelSpreading(kernel="knn", n_neighbors=30),
        proxy=sgd,
        difficulty=lambda dynamics: dynamics.error.mean(0) * prior,
        selection=Prior(),
        duplicates="ignore",
        n_epochs=12,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert pruner.fit(X, partial_labels).support_.sum() == 75


def test_a_failure_that_other_numbers_may_avoid_is_a_warning(iris):
    X, _, partial_labels = iris

    def picky(dynamics):
        raise RuntimeError("not enough easy rows")

    with (
        pytest.warns(UserWarning, match="may fail after its training: RuntimeError: not enough easy"),
        pytest.raises(Trained),
    ):
        alarmed(difficulty=picky).fit(X, partial_labels)


class NotFinite(SGDClassifier):
    def predict_proba(self, X):
        return super().predict_proba(X) * np.nan


def test_a_proxy_whose_outputs_are_not_finite_is_a_warning(iris):
    X, _, partial_labels = iris
    with (
        pytest.warns(UserWarning, match="proxy NotFinite .* 150 rows, .* not finite in epoch 1"),
        pytest.raises(Trained),
    ):
        alarmed(proxy=NotFinite(loss="log_loss")).fit(X, partial_labels)


def test_a_frozen_labeler_learns_nothing_in_a_trial(iris):
    X, y, partial_labels = iris
    frozen = FrozenEstimator(SGDClassifier(loss="log_loss", n_jobs=2, random_state=0).fit(X, y))
    before = frozen.estimator.coef_.copy()
    SemiPrune(labeler=frozen, proxy=sgd, n_epochs=12, estimate_accuracy=False, random_state=0).fit(X, partial_labels)
    np.testing.assert_array_equal(frozen.estimator.coef_, before)
    assert frozen.estimator.n_jobs == 2


def test_a_score_that_is_not_finite_is_not_refused_before(iris):
    X, _, partial_labels = iris
    with pytest.raises(Trained):
        alarmed(difficulty=lambda dynamics: dynamics.entropy * np.nan).fit(X, partial_labels)


def test_the_trial_moves_no_random_state_and_warns_of_nothing():
    states = np.random.get_state()[1].copy(), random.getstate(), torch.get_rng_state()  # noqa: NPY002
    with untouched():
        np.random.rand(), random.random(), torch.rand(1)  # noqa: NPY002
        warnings.warn("an error outside of it", UserWarning, stacklevel=1)
    np.testing.assert_array_equal(np.random.get_state()[1], states[0])  # noqa: NPY002
    assert random.getstate() == states[1]
    assert torch.equal(torch.get_rng_state(), states[2])


def test_results_do_not_depend_on_the_trial(quick, iris, monkeypatch):
    X, _, partial_labels = iris
    with_trial = quick().fit(X, partial_labels)
    monkeypatch.setattr("skprune._pipeline._trainings.try_stages", lambda *read: None)
    without = quick().fit(X, partial_labels)
    np.testing.assert_array_equal(with_trial.difficulty_scores_, without.difficulty_scores_)
    np.testing.assert_array_equal(with_trial.support_, without.support_)


def test_the_trial_is_left_out_where_a_stage_is_kept(iris, tmp_path, monkeypatch):
    X, _, partial_labels = iris
    pruner = SemiPrune(
        labeler=LabelSpreading(kernel="knn", n_neighbors=30),
        proxy=sgd,
        n_epochs=12,
        memory=tmp_path,
        random_state=0,
    )
    tried = []
    monkeypatch.setattr("skprune._pipeline._trainings.try_stages", lambda *read: tried.append(len(read)))
    pruner.fit(X, partial_labels)
    assert len(tried) == 1
    pruner.set_params(ratio=0.2).fit(X, partial_labels)
    assert len(tried) == 1


def test_other_pruners_try_their_proxy_too(iris):
    X, y, _ = iris
    broken = SGDClassifier(loss="log_loss", eta0=-1)
    with pytest.raises(ValueError, match=r"proxy SGDClassifier fails in a trial.*'eta0'"):
        SupervisedPruner(proxy=broken, random_state=0).fit(X, y)

    class Embedding(BaseEstimator):
        def fit_transform(self, X, y=None):
            raise Trained

    with pytest.raises(ValueError, match=r"proxy SGDClassifier fails in a trial.*'eta0'"):
        ELFSPruner(n_clusters=3, embedding=Embedding(), proxy=broken, random_state=0).fit(X, y)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (LogisticRegression(C=-1), "'C' parameter of LogisticRegression"),
        (NetClassifier(WrongWidth), "outputs of shape"),
        (make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=-1)), "'max_iter' parameter"),
    ],
)
def test_the_classifier_is_tried_before_the_pruner_trains(iris, estimator, message):
    X, y, partial_labels = iris
    names = np.array(["one", "two", "three"], dtype=object)
    with pytest.raises(ValueError, match=f"The estimator .* fails in a trial on .* rows.*{message}"):
        PrunedClassifier(estimator, alarmed()).fit(X, np.where(partial_labels < 0, None, names[y]))


def test_a_classifier_that_works_is_not_refused(iris):
    X, _, partial_labels = iris
    model = PrunedClassifier(LogisticRegression(max_iter=500), alarmed())
    with pytest.raises(Trained):
        model.fit(X, partial_labels, sample_weight=np.ones(150))
