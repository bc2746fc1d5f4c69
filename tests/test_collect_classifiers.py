"""Proxies other than nets: classifiers with partial_fit, boosted ones, and what cannot be recorded."""

import io
import subprocess
import sys
import warnings
from contextlib import suppress

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, StandardScaler
from sklearn.semi_supervised import LabelSpreading
from tqdm import tqdm

from skprune import SemiPrune, scores
from skprune.dynamics import Recording, _collect_classifier, collect_dynamics
from skprune.nets import NetClassifier

SGD = SGDClassifier(loss="log_loss")
PROXIES = [
    SGD,
    MLPClassifier((8,), random_state=3),
    make_pipeline(StandardScaler(), SGD),
    GradientBoostingClassifier(),
    HistGradientBoostingClassifier(),
    AdaBoostClassifier(),
]


def name_of(proxy):
    return type(proxy).__name__


@pytest.mark.parametrize("proxy", PROXIES, ids=name_of)
def test_what_is_recorded(iris, proxy):
    X, y, _ = iris
    before = repr(proxy)
    first, model = collect_dynamics(proxy, X, y, n_epochs=12, random_state=0)
    second, _ = collect_dynamics(proxy, X, y, n_epochs=12, random_state=0)
    assert repr(proxy) == before
    assert (first.n_epochs, first.n_samples) == (12, 150)
    assert first.seen.all()
    np.testing.assert_array_equal(first.target_proba, second.target_proba)
    np.testing.assert_allclose(first.target_proba[-1], model.predict_proba(X)[np.arange(150), y], rtol=1e-5)
    for name in set(scores.get_score_names()) - {"grand"}:
        assert scores.difficulty(first, name).shape == (150,)
    with pytest.raises(ValueError, match="grand needs grad_norm"):
        scores.grand(first)
    every, _ = collect_dynamics(proxy, X, y, n_epochs=12, record=Recording(every=4), random_state=0)
    np.testing.assert_array_equal(every.target_proba, first.target_proba[3::4])
    np.testing.assert_array_equal(every.entropy, first.entropy)


def test_each_pass_has_an_order_of_its_own(iris):
    """An int as random_state of the classifier would repeat the order."""

    class Spy(SGDClassifier):
        orders = []

        def partial_fit(self, X, y, classes=None, sample_weight=None):
            self.orders.append(X[:, 0].tolist())
            return super().partial_fit(X, y, classes=classes)

    X, y, _ = iris
    collect_dynamics(
        Spy(loss="log_loss", random_state=1), X + np.arange(150)[:, None] / 150, y, n_epochs=3, random_state=0
    )
    assert len({tuple(order) for order in Spy.orders}) == 3
    assert len({tuple(sorted(order)) for order in Spy.orders}) == 1


@pytest.mark.parametrize("proxy", [SGD, HistGradientBoostingClassifier()], ids=name_of)
def test_a_class_may_be_empty(iris, proxy):
    X, y, _ = iris
    one, _ = collect_dynamics(proxy, X, y, n_epochs=3, random_state=0)
    other, model = collect_dynamics(proxy, X, np.where(y == 2, 4, y), n_epochs=3, random_state=0)
    np.testing.assert_array_equal(one.error, other.error)
    assert set(model.predict(X)) <= {0, 1, 4}


@pytest.mark.parametrize("proxy", [SGD, HistGradientBoostingClassifier()], ids=name_of)
def test_lists_are_recorded_like_arrays(iris, proxy):
    X, y, _ = iris
    one, _ = collect_dynamics(proxy, X, y, n_epochs=3, random_state=0)
    other, _ = collect_dynamics(proxy, X.tolist(), y.tolist(), n_epochs=3, random_state=0)
    np.testing.assert_array_equal(one.target_proba, other.target_proba)


class Steady(ClassifierMixin, BaseEstimator):
    """A classifier that learns nothing."""

    def partial_fit(self, X, y, classes=None):
        self.classes_ = classes if classes is not None else self.classes_
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


class Sure(Steady):
    """A classifier that knows the labels of iris, which stand in order, from the first epoch on."""

    def predict_proba(self, X):
        return np.eye(3)[np.arange(len(X)) // 50]


class Broken(Steady):
    def predict_proba(self, X):
        proba = super().predict_proba(X)
        proba[7] = np.nan
        return proba


@pytest.mark.parametrize(
    ("proxy", "error", "message"),
    [
        (GaussianNB(), ValueError, "proxy must learn step by step, and GaussianNB learns everything in one pass"),
        (MultinomialNB(), ValueError, "MultinomialNB learns everything in one pass"),
        (MLPClassifier(solver="lbfgs"), ValueError, r"solver='lbfgs'\) trains in one call.*solver='adam'"),
        (LogisticRegression(), ValueError, "SGDClassifier"),
        (SGDClassifier(), TypeError, "SGDClassifier has no predict_proba with these parameters"),
        (RandomForestClassifier(), TypeError, "one with staged_predict_proba; got RandomForestClassifier"),
        (SGDClassifier, TypeError, "got ABCMeta"),
        (MLPClassifier(early_stopping=True), ValueError, "early_stopping=True of the proxy MLPClassifier stops"),
        (HistGradientBoostingClassifier(early_stopping=True), ValueError, "early_stopping=True"),
        (
            GradientBoostingClassifier(n_iter_no_change=3),
            ValueError,
            "n_iter_no_change=3 of the proxy GradientBoosting",
        ),
        (make_pipeline(StandardScaler(), GaussianNB()), ValueError, "GaussianNB learns everything"),
        (
            Steady(),
            ValueError,
            "outputs of Steady do not change from epoch to epoch.* Use a classifier that learns step",
        ),
        (
            Sure(),
            ValueError,
            "outputs of Sure do not change .* They are 0 or 1 from the first epoch on: scale the columns",
        ),
        (Broken(), FloatingPointError, "output for row 7 is not finite in epoch 1. Scale the columns of X"),
    ],
)
def test_what_cannot_be_recorded(iris, proxy, error, message):
    X, y, _ = iris
    with pytest.raises(error, match=message):
        collect_dynamics(proxy, X, y, n_epochs=3, random_state=0)


def test_a_perfect_fit_that_ends_boosting_is_noticed():
    X = np.arange(20.0)[:, None]
    with pytest.raises(RuntimeError, match="stopped after 1 of 5 epochs"):
        collect_dynamics(AdaBoostClassifier(), X, (X[:, 0] > 9).astype(int), n_epochs=5, random_state=0)


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_other_boosting_libraries(iris, library):
    module = pytest.importorskip(library, reason=f"{library} is not installed")
    proxy = module.LGBMClassifier(verbosity=-1) if library == "lightgbm" else module.XGBClassifier()
    X, y, _ = iris
    dynamics, model = collect_dynamics(proxy, X, y, n_epochs=6, random_state=0)
    assert dynamics.n_epochs == 6
    np.testing.assert_allclose(dynamics.target_proba[-1], model.predict_proba(X)[np.arange(150), y], rtol=1e-5)
    assert scores.confidence(dynamics, n_epochs=1).mean() < scores.confidence(dynamics).mean()
    if library == "xgboost":
        with pytest.raises(ValueError, match="early_stopping_rounds=3"):
            collect_dynamics(module.XGBClassifier(early_stopping_rounds=3), X, y, n_epochs=6)


@pytest.mark.parametrize(
    "proxy", [SGD, make_pipeline(StandardScaler(), SGD), HistGradientBoostingClassifier()], ids=name_of
)
def test_semiprune_without_nets(iris, proxy, tmp_path):
    X, y, partial = iris
    options = {"labeler": LabelSpreading(), "proxy": proxy, "n_epochs": 12, "random_state": 0}
    pruner = SemiPrune(0.5, **options).fit(X, partial)
    again = SemiPrune(0.5, **options, checkpoint=tmp_path).fit(X, partial)
    resumed = SemiPrune(0.5, **options, checkpoint=tmp_path).fit(X, partial)
    for other in (again, resumed):
        np.testing.assert_array_equal(pruner.support_, other.support_)
    assert pruner.score(X, y) > 0.5  # chance is a third
    assert pruner.proxy_.predict_proba(X).shape == (150, 3)
    with pytest.raises(ValueError, match="difficulty='grand' needs a skorch net as proxy"):
        SemiPrune(0.5, **options, difficulty="grand").fit(X, partial)


def test_semiprune_without_nets_imports_no_torch():
    code = (
        "import sys, numpy as np\n"
        "from sklearn.datasets import load_iris\n"
        "from sklearn.linear_model import SGDClassifier\n"
        "from sklearn.semi_supervised import LabelSpreading\n"
        "from skprune import SemiPrune\n"
        "X, y = load_iris(return_X_y=True)\n"
        "y[::2] = -1\n"
        "pruner = SemiPrune(labeler=LabelSpreading(), proxy=SGDClassifier(loss='log_loss'), random_state=0)\n"
        "pruner.fit_transform(X, y), pruner.score(X, y)\n"
        "SemiPrune(proxy=SGDClassifier(loss='log_loss'), random_state=0).fit(X, load_iris(return_X_y=True)[1])\n"
        "assert 'torch' not in sys.modules, 'torch was imported'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_images_are_flat_rows_for_other_classifiers(images):
    X, y, partial = images
    proxy = make_pipeline(StandardScaler(), SGD)
    pruner = SemiPrune(0.5, labeler=LabelSpreading(kernel="knn"), proxy=proxy, n_epochs=12, random_state=0)
    assert pruner.fit_transform(X, partial).shape == (60, 8, 8)


def test_iris_is_learned_by_boosting_stages():
    X, y = load_iris(return_X_y=True)
    dynamics, _ = collect_dynamics(GradientBoostingClassifier(), X, y, n_epochs=30, random_state=0)
    hardest = np.argsort(scores.difficulty(dynamics, "aum"))[-10:]
    assert (y[hardest] > 0).all()  # setosa is apart from the others


def test_pipelines_of_all_kinds(iris, tmp_path):
    X, y, _ = iris
    cached = make_pipeline(PCA(3), StandardScaler(), SGD, memory=str(tmp_path))
    sparse = make_pipeline(KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"), SGD)
    for proxy in (cached, sparse, make_pipeline(SGD)):
        dynamics, model = collect_dynamics(proxy, X, y, n_epochs=3, random_state=0)
        again, _ = collect_dynamics(proxy, X, y, n_epochs=3, random_state=0)
        np.testing.assert_array_equal(dynamics.error, again.error)
        np.testing.assert_allclose(
            dynamics.target_proba[-1], model.predict_proba(X)[np.arange(150), y], rtol=1e-5, atol=1e-30
        )
    with pytest.raises(TypeError, match="must not end in a net, got NetClassifier"):
        collect_dynamics(make_pipeline(StandardScaler(), NetClassifier()), X, y, n_epochs=3)


def test_nested_estimators_are_seeded(iris):
    X, y, _ = iris
    proxy = OneVsRestClassifier(SGD)
    one, other = (collect_dynamics(proxy, X, y, n_epochs=3, random_state=0)[0] for _ in range(2))
    np.testing.assert_array_equal(one.error, other.error)


def test_rows_and_labels_of_unequal_length(iris):
    X, y, _ = iris
    with pytest.raises(ValueError, match="150"):
        collect_dynamics(SGD, X, y[:100], n_epochs=3)


def test_repeats_without_chance_are_named(iris):
    X, y, _ = iris
    pruner = SemiPrune(proxy=HistGradientBoostingClassifier(), n_repeats=2, random_state=0)
    with pytest.warns(
        UserWarning, match="The 2 repeats are equal because HistGradientBoostingClassifier draws nothing"
    ):
        pruner.fit(X, y)
    assert (pruner.score_std_ == 0).all()


@pytest.mark.parametrize("proxy", [SGD, HistGradientBoostingClassifier(), Broken(), Steady()], ids=name_of)
def test_progress_bars_end_with_their_block(iris, monkeypatch, proxy):
    bars = []

    class Bar(tqdm):
        def __init__(self, **options):
            super().__init__(**options, file=io.StringIO())
            bars.append(self)

    monkeypatch.setattr(_collect_classifier, "tqdm", Bar)
    X, y, _ = iris
    with suppress(FloatingPointError, ValueError):  # of Broken and Steady
        collect_dynamics(proxy, X, y, n_epochs=3, random_state=0, verbose=1)
    [bar] = bars
    assert bar.disable  # as tqdm marks a closed bar
    assert bar.n == (1 if isinstance(proxy, Broken) else 3)
    collect_dynamics(SGD, X, y, n_epochs=3, random_state=0, verbose=0)
    assert bars[1].n == 0  # none was shown


class LikeCatBoost(ClassifierMixin, BaseEstimator):
    """A boosted classifier that lists the parameters that were set, as CatBoostClassifier does, and has several names for one."""

    def __init__(self, iterations=None, n_estimators=None):
        self.iterations = iterations
        self.n_estimators = n_estimators

    def get_params(self, deep=True):
        return {name: value for name, value in super().get_params(deep).items() if value is not None}

    def set_params(self, **params):
        vars(self).update(params)
        return self

    def fit(self, X, y):
        if (self.iterations is None) == (self.n_estimators is None):
            raise ValueError("only one of the parameters iterations, n_estimators should be initialized.")
        n_stages = self.iterations or self.n_estimators
        self.model_ = GradientBoostingClassifier(n_estimators=n_stages, random_state=0).fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        return self.model_.predict_proba(X)

    def staged_predict_proba(self, X):
        return self.model_.staged_predict_proba(X)


@pytest.mark.parametrize("params", [{}, {"n_estimators": 30}, {"iterations": 30}])
def test_stages_of_a_classifier_that_lists_what_was_set(iris, params):
    X, y, _ = iris
    dynamics, model = collect_dynamics(LikeCatBoost(**params), X, y, n_epochs=4, random_state=0)
    expected, _ = collect_dynamics(GradientBoostingClassifier(random_state=0), X, y, n_epochs=4)
    np.testing.assert_allclose(dynamics.target_proba, expected.target_proba)
    assert model.model_.n_estimators == 4


@pytest.mark.parametrize("output", ["pandas", "polars"])
@pytest.mark.parametrize("last", [SGD, GradientBoostingClassifier(random_state=0)], ids=name_of)
def test_steps_that_give_frames_cost_no_warning(iris, output, last):
    """The last step is trained on what it is given in predict: with feature names, where the steps before give any."""
    X, y, partial = iris
    proxy = make_pipeline(StandardScaler(), last)
    expected, _ = collect_dynamics(proxy, X, y, n_epochs=12, random_state=0)
    with config_context(transform_output=output):
        dynamics, model = collect_dynamics(proxy, X, y, n_epochs=12, random_state=0)
        np.testing.assert_allclose(dynamics.target_proba, expected.target_proba)
        np.testing.assert_allclose(model.predict_proba(X)[np.arange(150), y], dynamics.target_proba[-1], rtol=1e-5)
        labeler = make_pipeline(StandardScaler(), LabelSpreading(kernel="knn", n_neighbors=30))
        SemiPrune(labeler=labeler, proxy=proxy, n_epochs=12, random_state=0).fit(X, partial)


@pytest.mark.parametrize("alias", ["num_iterations", "num_trees", "n_iter", "nrounds"])
def test_an_alias_of_the_number_of_stages_does_not_win(alias):
    lightgbm = pytest.importorskip("lightgbm")
    X, y = load_iris(return_X_y=True)
    proxy = lightgbm.LGBMClassifier(verbosity=-1, **{alias: 20})
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", f"Found `{alias}` in params")
        dynamics, model = collect_dynamics(proxy, X, y, n_epochs=4)
    assert dynamics.n_epochs == 4
    assert model.booster_.current_iteration() == 4


def test_labels_of_nearly_one_class_show_no_difficulty():
    X, y = np.repeat([[-50.0], [50.0]], [198, 2], axis=0), np.repeat([0, 1], [198, 2])
    with pytest.raises(
        ValueError, match="198 of 200 labels are of one class. If a labeler gave them, give it more labels"
    ):
        collect_dynamics(SGDClassifier(loss="log_loss"), X, y, n_epochs=3, random_state=0)
