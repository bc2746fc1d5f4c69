"""Parameters keyed by class, of labelers and proxies at any depth, name classes of y."""

import warnings

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from skprune import SemiPrune
from skprune._pipeline._held_out import HeldOut
from skprune._pipeline._random_comparison import CoresetJudge
from skprune._pipeline._stages import FullTraining
from skprune._utils._adapters import class_keyed, read_class_indices
from skprune.baselines import ActivePruner, ELFSPruner, SupervisedPruner
from skprune.datasets import make_partial_labels

NAMES = np.array(["ant", "bee", "cow"])


def weighted(weights):
    return LogisticRegression(max_iter=500, class_weight=weights)


def proxy(weights=None):
    return make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", class_weight=weights, random_state=0))


@pytest.fixture
def pool():
    """Return noise, and labels of classes whose names are no indices."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=150)
    return rng.normal(size=(150, 3)), NAMES[y], make_partial_labels(NAMES[y], n_labeled=60, random_state=0)


DEEP = {
    "SelfTrainingClassifier": lambda w: SelfTrainingClassifier(weighted(w)),
    "Pipeline": lambda w: make_pipeline(StandardScaler(), SelfTrainingClassifier(make_pipeline(weighted(w)))),
    "VotingClassifier": lambda w: SelfTrainingClassifier(
        VotingClassifier([("one", weighted(w)), ("two", weighted(w))], voting="soft")
    ),
    "BaggingClassifier": lambda w: SelfTrainingClassifier(BaggingClassifier(weighted(w), random_state=0)),
    "RandomForestClassifier": lambda w: SelfTrainingClassifier(
        RandomForestClassifier(20, max_depth=2, class_weight=w, random_state=0)
    ),
    "LGBMClassifier": lambda w: SelfTrainingClassifier(LGBMClassifier(n_estimators=5, class_weight=w, verbose=-1)),
}


@pytest.mark.parametrize("kind", DEEP)
@pytest.mark.parametrize("heavy", NAMES)
def test_the_class_that_is_named_is_the_one_that_weighs(pool, kind, heavy):
    X, _, partial = pool
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the other classes vanish
        pruner = SemiPrune(labeler=DEEP[kind]({heavy: 1e6}), proxy=proxy(), n_epochs=11, random_state=0).fit(X, partial)
    unlabeled = np.array([label is None for label in partial])
    assert (pruner.pseudo_labels_[unlabeled] == heavy).mean() > 0.85


def test_numbers_are_names_too():
    """With the classes 1 and 2, the key 1 is the first class, whose index is 0."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 3)), rng.integers(1, 3, size=100)
    partial = make_partial_labels(y, n_labeled=40, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        labeler = SelfTrainingClassifier(weighted({1: 1e6}))
        pruner = SemiPrune(labeler=labeler, proxy=proxy(), n_epochs=11, random_state=0).fit(X, partial)
    assert (pruner.pseudo_labels_[partial < 0] == 1).all()
    assert labeler.estimator.class_weight == {1: 1e6}


@pytest.mark.parametrize("heavy", NAMES)
def test_a_classifier_and_a_proxy(pool, heavy):
    X, y, partial = pool
    active = ActivePruner(0.6, classifier=weighted({heavy: 1e6}), random_state=0).fit(X, partial)
    unlabeled = np.array([label is None for label in partial])
    assert (active.pseudo_labels_[unlabeled] == heavy).all()
    supervised = SupervisedPruner(proxy=proxy({heavy: 1e6}), n_epochs=11, random_state=0).fit(X, y)
    predicted = NAMES[supervised.proxy_.predict(X)]
    assert (predicted == heavy).mean() > 0.95


PLACES = {
    "labeler": lambda model: SemiPrune(labeler=SelfTrainingClassifier(model), proxy=proxy()),
    "proxy": lambda model: SemiPrune(labeler=LabelSpreading(), proxy=make_pipeline(StandardScaler(), model)),
    "supervised": lambda model: SupervisedPruner(proxy=model),
    "classifier": lambda model: ActivePruner(0.6, classifier=make_pipeline(model)),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_name_that_is_no_class_is_refused_before_training(pool, place, monkeypatch):
    X, y, partial = pool

    def train(*args, **kwargs):
        raise AssertionError("it was trained")

    for kind in (SGDClassifier, LabelSpreading):
        monkeypatch.setattr(kind, "fit", train)
    monkeypatch.setattr(SGDClassifier, "partial_fit", train)
    model = SGDClassifier(loss="log_loss", class_weight={"cat": 2})
    with pytest.raises(
        ValueError, match=r"class_weight names 'cat', which is not among the classes \['ant', 'bee', 'cow'\]"
    ):
        PLACES[place](model).fit(X, y if place == "supervised" else partial)


def test_clusters_have_no_names():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(
        ValueError, match=r"class_weight=\{1: 2\} of the proxy names classes.*ELFSPruner trains it on clusters"
    ):
        ELFSPruner(proxy=proxy({1: 2})).fit(X, y)


def test_what_is_translated():
    pytest.importorskip("imblearn")
    from imblearn.ensemble import BalancedRandomForestClassifier

    model = make_pipeline(StandardScaler(), weighted({"bee": 3}))
    read_class_indices(model, NAMES)
    assert model[-1].class_weight == {0: 1, 1: 3, 2: 1}
    balanced = BalancedRandomForestClassifier(sampling_strategy={"cow": 5}, class_weight="balanced")
    assert class_keyed(balanced) == {"sampling_strategy": {"cow": 5}}
    read_class_indices(balanced, NAMES)
    assert (balanced.sampling_strategy, balanced.class_weight) == ({2: 5}, "balanced")
    plain = GaussianNB()
    read_class_indices(plain, NAMES)
    assert plain.get_params() == GaussianNB().get_params()


def test_what_is_kept_knows_the_names(pool, tmp_path):
    """The same weights under other names of the classes are another training."""
    X, _, partial = pool
    labels = [("ant", "ant"), ("ant", "bee"), ("ant", "ant")]
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _, heavy in labels:
            labeler = SelfTrainingClassifier(weighted({heavy: 1e6}))
            pruner = SemiPrune(labeler=labeler, proxy=proxy(), n_epochs=11, random_state=0, memory=str(tmp_path))
            found.append(pruner.fit(X, partial).pseudo_labels_)
    assert (found[0] != found[1]).any()
    np.testing.assert_array_equal(found[0], found[2])


def test_a_coreset_that_lacks_a_class_keeps_the_weights_of_the_others():
    model = make_pipeline(StandardScaler(), weighted({0: 1, 1: 3, 2: 5}))
    training = FullTraining(model, 10, 0).of_classes(np.array([0, 2]))
    assert training.proxy[-1].class_weight == {0: 1, 1: 5}
    assert model[-1].class_weight == {0: 1, 1: 3, 2: 5}


def test_coresets_are_judged_by_the_weights_of_their_classes(pool):
    """The heavy class alone is predicted, whichever class a coreset lacks."""
    X, _, _ = pool
    codes = np.arange(150) % 3
    training = FullTraining(weighted({0: 1, 1: 1, 2: 1e6}), 10, 0)
    mask = codes > 0
    judge = CoresetJudge(training, X, codes, HeldOut(np.flatnonzero(codes == 2)[:9], codes, 100))
    assert judge.accuracy(mask) == 1.0
