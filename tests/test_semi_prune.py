"""SemiPrune: contract, errors, borders of the stages."""

import pickle
import sys
import warnings
from copy import deepcopy
from functools import partial as partial_function

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from conftest import CountingFixMatch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelPropagation, LabelSpreading, SelfTrainingClassifier
from sklearn.svm import LinearSVC
from skorch import NeuralNetClassifier

from skprune import PrunedClassifier, PruningSampler, SemiPrune
from skprune._pipeline._held_out import held_out_rows
from skprune._pipeline._models import named_labeler
from skprune._pipeline._selection import selector_for
from skprune._pipeline._settings import Settings
from skprune.baselines import SupervisedPruner
from skprune.datasets import make_partial_labels
from skprune.dynamics import Recording, TrainingDynamics
from skprune.model_selection import PartialLabelKFold
from skprune.nets import MLP, NetClassifier
from skprune.scores import difficulty, tdds
from skprune.selection import BaseSelector, Beta, Cutoff, Hardest, KMeans, Mixture, get_selector_names
from skprune.semi_supervised import FixMatch


def test_fitted_attributes(fitted, iris):
    X, y, partial = iris
    given = partial >= 0
    assert fitted.classes_.tolist() == [0, 1, 2]
    assert fitted.n_features_in_ == 4
    assert isinstance(fitted.labeler_, FixMatch)
    assert isinstance(fitted.proxy_, NetClassifier)
    np.testing.assert_array_equal(fitted.pseudo_labels_[given], y[given])
    assert (fitted.pseudo_label_confidence_[given] == 1).all()
    assert ((fitted.pseudo_label_confidence_ >= 1 / 3) & (fitted.pseudo_label_confidence_ <= 1)).all()
    assert isinstance(fitted.dynamics_, TrainingDynamics)
    assert (fitted.dynamics_.n_epochs, fitted.dynamics_.n_samples) == (10, 150)
    assert fitted.difficulty_scores_.shape == (150,)
    assert fitted.support_.dtype == bool
    assert fitted.support_.sum() == 75
    np.testing.assert_array_equal(fitted.coreset_indices_, np.flatnonzero(fitted.support_))
    np.testing.assert_array_equal(fitted.coreset_labels_, fitted.pseudo_labels_[fitted.support_])
    asked = fitted.annotation_indices_
    assert set(asked) == set(np.flatnonzero(fitted.support_ & ~given))
    proposed = fitted._choice.order(fitted.support_)
    np.testing.assert_array_equal(asked, proposed[~given[proposed]])


def test_pseudo_labels_are_those_of_the_labeler(fitted, iris):
    X, _, partial = iris
    hidden = partial < 0
    np.testing.assert_array_equal(fitted.classes_[fitted.labeler_.predict(X)][hidden], fitted.pseudo_labels_[hidden])


def test_transform_and_its_kin(fitted, iris):
    X, _, _ = iris
    np.testing.assert_array_equal(fitted.transform(X), X[fitted.support_])
    np.testing.assert_array_equal(fitted.get_support(), fitted.support_)
    np.testing.assert_array_equal(fitted.get_support(indices=True), fitted.coreset_indices_)
    rows, labels = fitted.coreset()
    np.testing.assert_array_equal(rows, X[fitted.support_])
    np.testing.assert_array_equal(labels, fitted.coreset_labels_)
    rows[:] = 0
    np.testing.assert_array_equal(fitted.coreset()[0], X[fitted.support_])


def test_fit_transform_equals_fit_and_transform(quick, iris, fitted):
    X, _, partial = iris
    np.testing.assert_array_equal(quick().fit_transform(X, partial), fitted.transform(X))


@pytest.mark.parametrize("change", ["value", "rows", "columns", "order"])
def test_other_data_is_refused(fitted, iris, change):
    X = iris[0].copy()
    other = {"value": X + 1e-9, "rows": X[:-1], "columns": X[:, :3], "order": X[::-1]}[change]
    with pytest.raises(ValueError, match=r"(?s)PrunedClassifier.*PruningSampler"):
        fitted.transform(other)


def test_select_costs_no_training(quick, iris, counting):
    labeler, proxy = counting
    X, _, partial = iris
    pruner = quick(labeler=labeler(n_steps=8, batch_size=8, mu=2), proxy=proxy(module__width=16)).fit(X, partial)
    before = pruner.support_.copy()
    assert pruner.select(ratio=0.2).sum() == 30
    assert pruner.select(selection=Cutoff(hard_cutoff=0.1), difficulty="aum", ratio=50).sum() == 50
    np.testing.assert_array_equal(pruner.select(), before)
    np.testing.assert_array_equal(pruner.support_, before)
    assert (labeler.fits, proxy.fits) == (1, 1)
    fresh = quick(0.2, labeler=labeler(n_steps=8, batch_size=8, mu=2), proxy=proxy(module__width=16)).fit(X, partial)
    np.testing.assert_array_equal(pruner.select(ratio=0.2), fresh.support_)


def test_all_labels_given_is_supervised_pruning(quick, iris, counting):
    labeler, _ = counting
    X, y, _ = iris
    pruner = quick(labeler=labeler()).fit(X, y)
    assert labeler.fits == 0
    assert pruner.labeler_ is None
    assert pruner.annotation_indices_.size == 0
    np.testing.assert_array_equal(pruner.pseudo_labels_, y)


def dressed(y, partial, kind):
    hidden = partial < 0
    if kind == "masked":
        return np.ma.MaskedArray(np.where(hidden, 777, y), mask=hidden)
    if kind == "minus_one_is_a_class":
        return np.where(hidden, np.nan, np.array([-1.0, 1.0, 2.0])[y])
    if kind == "categorical":
        return pd.Series(np.where(hidden, None, np.array(["a", "b", "c"])[y]), dtype="category")
    if kind == "strings":
        return np.where(hidden, None, np.array(["a", "b", "c"])[y])
    return np.where(hidden, None, np.array([1, 2, 3])[y]).tolist()


@pytest.mark.parametrize("kind", ["masked", "minus_one_is_a_class", "categorical", "strings", "list"])
def test_label_encoding_never_changes_the_coreset(quick, iris, fitted, kind):
    X, y, partial = iris
    pruner = quick().fit(X, dressed(y, partial, kind))
    np.testing.assert_array_equal(pruner.support_, fitted.support_)
    assert set(pruner.pseudo_labels_) <= set(pruner.classes_)


@pytest.mark.parametrize("kind", ["frame", "list", "fortran"])
def test_container_never_changes_the_coreset(quick, iris, fitted, kind):
    X, _, partial = iris
    frame = pd.DataFrame(X, columns=list("abcd"), index=np.arange(150) + 7)
    other = {"frame": frame, "list": X.tolist(), "fortran": np.asfortranarray(X)}[kind]
    pruner = quick()
    kept = pruner.fit_transform(other, partial)
    np.testing.assert_array_equal(pruner.support_, fitted.support_)
    assert type(kept) is type(other)
    np.testing.assert_array_equal(np.asarray(kept), X[fitted.support_])
    if kind == "frame":
        assert pruner.feature_names_in_.tolist() == list("abcd")
        assert kept.index.tolist() == (np.flatnonzero(fitted.support_) + 7).tolist()
        pd.testing.assert_frame_equal(pruner.transform(frame), kept)
        pd.testing.assert_frame_equal(pruner.coreset()[0], kept)


def test_labels_beneath_a_mask_are_never_read(quick, iris):
    X, y, partial = iris
    hidden = partial < 0
    out = []
    for seed in (0, 1):
        noise = np.random.default_rng(seed).integers(-100, 100, 150)
        masked = np.ma.MaskedArray(np.where(hidden, noise, y), mask=hidden)
        pruner = quick().fit(X, masked)
        out.append([pruner.support_, pruner.pseudo_labels_, pruner.difficulty_scores_, pruner.score(X, masked)])
    for a, b in zip(*out, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")
def test_images(quick, images):
    X, _, partial = images
    pruner = quick(0.25, proxy=NetClassifier(module__width=4, batch_size=32))
    kept = pruner.fit_transform(X, partial)
    assert kept.shape == (30, 8, 8)
    assert kept.dtype == np.uint8
    assert pruner.n_features_in_ == 64
    flat = quick(0.25, proxy=NetClassifier(module__width=4, batch_size=32), image_shape=(1, 8, 8))
    assert flat.fit_transform(X.reshape(120, 64), partial).shape == (30, 64)
    np.testing.assert_array_equal(flat.support_, pruner.support_)


def test_the_same_seed_gives_the_same_coreset(quick, iris, fitted):
    X, _, partial = iris
    np.random.seed(123)  # noqa: NPY002
    torch.manual_seed(123)
    again = quick().fit(X, partial)
    for name in ("support_", "difficulty_scores_", "pseudo_label_confidence_"):
        np.testing.assert_array_equal(getattr(again, name), getattr(fitted, name))
    other = quick(random_state=1).fit(X, partial)
    assert (other.support_ != fitted.support_).any()


def test_identical_rows(quick):
    X = np.repeat(np.random.default_rng(0).normal(size=(6, 3)), 10, axis=0)
    y = np.full(60, -1)
    y[::10] = np.arange(6) % 2
    assert quick(0.5).fit(X, y).support_.sum() == 30


# Parameters


def test_nested_random_state_and_device_inherit(quick, iris):
    X, _, partial = iris
    own = FixMatch(n_steps=8, batch_size=8, mu=2, random_state=77)
    pruner = quick(labeler=own).fit(X, partial)
    assert pruner.labeler_.random_state == 77
    assert isinstance(pruner.proxy_.random_state, int)
    assert own.random_state == 77
    assert not hasattr(own, "module_")
    assert quick(device="cpu").fit(X, partial).proxy_.device == "cpu"


@pytest.mark.parametrize(
    "labeler",
    [
        SelfTrainingClassifier(LogisticRegression()),
        LabelSpreading(kernel="knn", n_neighbors=20),
        LabelPropagation(),
        make_pipeline(StandardScaler(), LabelSpreading(kernel="knn", n_neighbors=20)),
        make_pipeline(StandardScaler(), FixMatch(n_steps=20, batch_size=8, mu=2)),
    ],
    ids=["self-training", "label spreading", "label propagation", "a pipeline", "a pipeline with a net"],
)
def test_scikit_learn_labelers(quick, iris, labeler):
    X, y, partial = iris
    pruner = quick(labeler=labeler).fit(X, dressed(y, partial, "strings"))
    assert np.mean(pruner.pseudo_labels_ == np.array(["a", "b", "c"])[y]) > 0.8


@pytest.mark.parametrize("name", ["fixmatch", "flexmatch", "freematch", "softmatch", "pseudolabel", "meanteacher"])
def test_labelers_by_name(iris, name):
    X, _, partial = iris
    with pytest.raises(ValueError, match=f"Unknown labeler '{name}s'.*Did you mean '{name}'"):
        SemiPrune(labeler=f"{name}s").fit(X, partial)
    assert type(named_labeler(name)).__name__.lower() == name
    assert SemiPrune().labeler == "softmatch"


def test_accuracy_is_estimated_from_labels_that_were_held_out(quick, iris, counting, tmp_path):
    X, y, _ = iris
    labeler, proxy = counting
    partial = make_partial_labels(y, n_labeled=60, random_state=0)
    make = partial_function(quick, labeler=labeler(n_steps=60, batch_size=8, mu=2), proxy=proxy(module__width=8))
    pruner = make(memory=str(tmp_path), estimate_accuracy=True).fit(X, partial)
    low, high = pruner.pseudo_label_accuracy_interval_
    assert low < pruner.pseudo_label_accuracy_ <= high
    assert pruner.pseudo_label_accuracy_ * 12 == round(pruner.pseudo_label_accuracy_ * 12)
    assert low <= np.mean(pruner.pseudo_labels_ == y) <= high
    assert labeler.fits == 2
    without = make(memory=str(tmp_path)).fit(X, partial)
    np.testing.assert_array_equal(without.support_, pruner.support_)
    assert without.pseudo_label_accuracy_ is None
    assert (labeler.fits, proxy.fits) == (2, 1)
    full = make(estimate_accuracy=True).fit(X, y)
    assert full.pseudo_label_accuracy_ is full.pseudo_label_accuracy_interval_ is None


def test_the_estimate_is_honest_about_labels_that_mean_nothing(quick, iris):
    X, y, _ = iris
    noise = np.random.default_rng(0).permutation(y)
    pruner = quick(estimate_accuracy=True).fit(X, make_partial_labels(noise, n_labeled=90, random_state=0))
    assert pruner.pseudo_label_accuracy_ < 0.6


@settings(max_examples=30)
@given(sizes=st.lists(st.integers(1, 40), min_size=2, max_size=5), seed=st.integers(0, 99))
def test_rows_that_are_held_out(sizes, seed):
    codes = np.concatenate([np.full(7, -1), np.repeat(np.arange(len(sizes)), sizes)])
    rows = held_out_rows(codes, seed)
    assert (np.diff(rows) > 0).all()
    for code, size in enumerate(sizes):
        held = (codes[rows] == code).sum()
        assert held <= size - 1
        assert abs(held - 0.2 * size) <= 1
    assert (codes[rows] >= 0).all()


def test_a_labeler_that_takes_minus_one_for_a_class(quick, iris):
    X, _, partial = iris
    with pytest.raises(ValueError, match=r"LogisticRegression took -1 for a class.*SelfTrainingClassifier"):
        quick(labeler=LogisticRegression(max_iter=1000)).fit(X, partial)


def test_a_skorch_proxy_of_the_user(quick, iris):
    from skorch import NeuralNetClassifier

    X, _, partial = iris
    sizes = {"module__n_features": 4, "module__n_classes": 3, "module__width": 8}
    proxy = NeuralNetClassifier(MLP, criterion=torch.nn.CrossEntropyLoss, lr=0.1, max_epochs=4, verbose=0, **sizes)
    first, second = (quick(proxy=proxy).fit(X, partial) for _ in range(2))
    np.testing.assert_array_equal(first.support_, second.support_)
    assert first.proxy_.predict_proba(X.astype(np.float32)).shape == (150, 3)


def test_callable_difficulty_and_own_selector(quick, iris):
    X, _, partial = iris

    class FirstRows(BaseSelector):
        def _order(self, draw):
            return np.arange(draw.k)

    pruner = quick(difficulty=lambda d: d.entropy, selection=FirstRows()).fit(X, partial)
    assert pruner.coreset_indices_.tolist() == list(range(75))


def test_a_selector_that_returns_no_mask(quick, iris):
    X, _, partial = iris

    class Broken(BaseEstimator):
        def select(self, scores, ratio, **kwargs):
            return np.arange(5)

    with pytest.raises(ValueError, match="must return a boolean mask"):
        quick(selection=Broken()).fit(X, partial)


def test_tdds_records_what_it_needs(quick, iris):
    X, _, partial = iris
    pruner = quick().fit(X, partial)
    assert pruner.select(difficulty="tdds").sum() == 75
    np.testing.assert_array_equal(
        pruner.select(difficulty=partial_function(tdds, window=3)),
        quick(difficulty=partial_function(tdds, window=3)).fit(X, partial).support_,
    )


def test_minus_one_as_a_class_is_scored(quick, iris):
    X, y, partial = iris
    named = np.where(partial < 0, np.nan, np.array([-1.0, 1.0, 2.0])[y])
    pruner = quick(schedule_epochs=12).fit(X, named)
    truth = np.array([-1.0, 1.0, 2.0])[y]
    predicted = pruner.classes_[(pruner.score(X, truth), pruner._classifier.predict(X))[1]]
    assert pruner.score(X, truth) == pytest.approx(np.mean(predicted == truth))


def test_score_with_a_skorch_proxy_of_the_user(quick, iris, capsys):
    from skorch import NeuralNetClassifier

    X, y, partial = iris
    sizes = {"module__n_features": 4, "module__n_classes": 3, "module__width": 8}
    proxy = NeuralNetClassifier(MLP, criterion=torch.nn.CrossEntropyLoss, lr=0.1, **sizes)
    pruner = quick(proxy=proxy).fit(X, partial)
    assert 0 <= pruner.score(X, y) <= 1
    assert capsys.readouterr() == ("", "")


def test_include_labeled(quick, iris):
    X, _, partial = iris
    pruner = quick(0.2, include_labeled=True).fit(X, partial)
    assert pruner.support_[partial >= 0].all()
    assert pruner.support_.sum() == 30
    assert pruner.select(ratio=20)[partial >= 0].all()
    with pytest.raises(ValueError, match="include_labeled=True keeps 15 labeled rows, and ratio=10 keeps only 10"):
        quick(10, include_labeled=True).fit(X, partial)


def test_class_weights_name_classes(quick, iris):
    X, y, partial = iris
    labels = dressed(y, partial, "strings")
    with pytest.warns(UserWarning, match="holds no row of 1 of 3 classes, 'c' among them"):
        pruner = quick(30, selection=Hardest(class_balanced={"a": 2, "b": 1})).fit(X, labels)
    assert {c: int((pruner.coreset_labels_ == c).sum()) for c in "abc"} == {"a": 20, "b": 10, "c": 0}
    with pytest.raises(ValueError, match="class_balanced names 'z'"):
        quick(selection=Hardest(class_balanced={"z": 1})).fit(X, labels)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"ratio": 0.0}, ValueError, r"within \(0, 1\]"),
        ({"ratio": 1}, ValueError, "write 1.0 for all rows"),
        ({"ratio": 151}, ValueError, "n_samples=150"),
        ({"labeler": "fixmach"}, ValueError, r"Unknown labeler 'fixmach'.*Did you mean 'fixmatch'\?"),
        ({"difficulty": "duel"}, ValueError, "Unknown difficulty 'duel'"),
        ({"selection": "betta"}, ValueError, "Unknown selection 'betta'"),
        ({"selection": Cutoff(hard_cutoff=0.6)}, ValueError, "together above 150"),
        (
            {"n_epochs": 5},
            ValueError,
            "difficulty='dual' needs 10 epochs, and n_epochs=5 with every=1 records 5",
        ),
        ({"record": Recording(every=2)}, ValueError, "n_epochs=10 with every=2 records 5"),
        ({"record": Recording(every=11)}, ValueError, "record__every must be an integer from 1 to 10, got 11"),
        ({"record": Recording(kl=False), "difficulty": "tdds"}, ValueError, r"Use record=Recording\(kl=True\)"),
        ({"difficulty": []}, ValueError, "at least one name or callable"),
        ({"n_jobs": 0}, ValueError, "n_jobs must be None or an integer other than 0, got 0"),
        ({"proxy": NetClassifier(compile=True), "difficulty": "grand"}, ValueError, "which compile=True hides"),
        ({"n_repeats": 0}, ValueError, "n_repeats must be an integer of at least 1"),
        ({"proxy": "labeller"}, ValueError, "proxy must be a classifier, 'labeler' or None, got 'labeller'"),
        (
            {"proxy": "labeler", "n_repeats": 2},
            ValueError,
            "records a single training; n_repeats must be 1, got 2",
        ),
        ({"proxy": "labeler", "labeler": LabelSpreading()}, ValueError, "labeler is a LabelSpreading"),
        (
            {"proxy": "labeler", "difficulty": ["aum", "grand"]},
            ValueError,
            "'grand' needs a skorch net as proxy, got 'labeler'",
        ),
        ({"n_epochs": 0}, ValueError, "n_epochs must be"),
        ({"schedule_epochs": 9}, ValueError, "schedule_epochs must be an integer of at least 10, got 9"),
        ({"record": "test"}, ValueError, "record must be"),
        ({"goal": "train"}, ValueError, "goal must be 'auto', 'annotate' or 'pseudo', got 'train'"),
        ({"memory": "cache", "random_state": None}, ValueError, "need a random_state"),
        ({"checkpoint": "folder", "random_state": None}, ValueError, "need a random_state"),
        ({"proxy": LogisticRegression()}, ValueError, r"LogisticRegression\(solver='lbfgs'\) trains in one call"),
        ({"proxy": FixMatch()}, TypeError, "proxy must be a supervised classifier, got FixMatch"),
        ({"proxy": NetClassifier(batch_size=1)}, ValueError, "batch_size must be an integer of at least 2, got 1"),
        ({"proxy": NetClassifier(optimizer__lr=0.1)}, ValueError, "optimizer__lr is not used"),
        ({"labeler": FixMatch(optimizer__lr=0.1)}, ValueError, "optimizer__lr is not used"),
        (
            {"labeler": Pipeline([("scale", StandardScaler()), ("net", FixMatch(n_steps=0))])},
            ValueError,
            "n_steps must be .* of at least 1, got 0",
        ),
        ({"proxy": NetClassifier(callbacks="disable")}, ValueError, "callbacks must be None or a list, to which"),
        ({"selection": Beta(n_epochs=50)}, ValueError, "Beta reads n_epochs=50, above the 10"),
        ({"ratio": 5, "selection": Hardest(min_per_class=4)}, ValueError, "needs at least 12 rows of the 3 classes"),
        ({"selection": Hardest(class_balanced={0: -1})}, ValueError, "weights of at least 0"),
        ({"checkpoint": __file__}, ValueError, "must name a folder"),
        ({"memory": 3}, ValueError, "memory"),
        ({"labeler": None}, TypeError, "labeler must be a name or a classifier, got None"),
        ({"labeler": LinearSVC()}, TypeError, "without predict_proba"),
        ({"labeler": SelfTrainingClassifier(LinearSVC())}, TypeError, "without predict_proba"),
        ({"labeler": FixMatch}, TypeError, "must be a classifier"),
        ({"image_shape": (1, 2, 3)}, ValueError, "needs 6 columns, X has 4"),
        ({"device": "warp"}, ValueError, "device"),
    ],
)
def test_bad_parameters_are_refused_before_training(quick, iris, counting, params, error, message):
    labeler, _ = counting
    X, _, partial = iris
    pruner = quick(**{"labeler": labeler()} | params)
    with pytest.raises(error, match=message):
        pruner.fit(X, partial)
    assert labeler.fits == 0
    assert not hasattr(pruner, "support_")


def test_no_labeler_is_refused_although_none_is_needed(quick, iris):
    X, y, _ = iris
    with pytest.raises(TypeError, match="labeler must be a name or a classifier, got None"):
        quick(labeler=None).fit(X, y)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros((4, 2)), [-1, -1, -1, -1], "no labeled row"),
        (np.zeros((4, 2)), [1, -1, 1, -1], "one class only"),
        (np.zeros((4, 2)), [0, 1, -1], "X has 4 rows, y has 3"),
        (np.zeros((4, 2)), [1, 1, -1], "X has 4 rows, y has 3"),
        (np.array([[0.0, 1], [np.nan, 1], [2, 3], [4, 5]]), [0, 1, None, None], "NaN, first in row 1, column 0"),
        (np.zeros((4, 2)), None, "requires y"),
        (np.zeros((4, 2)), np.array(["a", "b", "-1", "-1"]), "holds .-1., which looks like a mark"),
    ],
)
def test_bad_data_is_refused(quick, X, y, message):
    with pytest.raises(ValueError, match=message):
        quick().fit(X, y)


def test_misspelled_keyword():
    with pytest.raises(TypeError, match="ratoi"):
        SemiPrune(ratoi=0.5)


def test_a_loss_that_is_nan_leaves_nothing_behind(quick, iris):
    X, _, partial = iris
    pruner = quick(labeler=FixMatch(n_steps=30, lr=1e12))
    with pytest.raises(FloatingPointError, match="learning rate"):
        pruner.fit(X, partial)
    assert not [name for name in vars(pruner) if name.endswith("_")]


def test_clone_and_pickle(fitted, iris):
    X, _, _ = iris
    assert not hasattr(clone(fitted), "support_")
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.transform(X), fitted.transform(X))
    np.testing.assert_array_equal(again.select(0.3), fitted.select(0.3))


def test_score_and_grid_search(quick, iris):
    X, y, partial = iris
    pruner = quick(0.5, schedule_epochs=12).fit(X, partial)
    value = pruner.score(X, y)
    assert 0.5 < value <= 1
    assert pruner.score(X, y) == value
    some = np.where(np.arange(150) % 2, -1, y)
    hidden = some < 0
    assert pruner.score(X, some) == pytest.approx(np.mean(pruner._classifier.predict(X[~hidden]) == y[~hidden]))
    with pytest.raises(ValueError, match="needs labeled rows"):
        pruner.score(X, np.full(150, -1))
    search = GridSearchCV(quick(schedule_epochs=10), {"ratio": [0.3, 0.6]}, cv=PartialLabelKFold(2), refit=False)
    scores = search.fit(X, partial).cv_results_["mean_test_score"]
    assert (scores > 0.3).all()


# Borders of the stages


@pytest.mark.parametrize("where", ["memory", "checkpoint"])
def test_a_stage_that_is_done_is_never_done_again(quick, iris, counting, tmp_path, where):
    labeler, proxy = counting
    X, y, partial = iris
    options = {
        "labeler": labeler(n_steps=8, batch_size=8, mu=2),
        "proxy": proxy(module__width=16),
        where: str(tmp_path / "kept"),
    }
    first = quick(**options).fit(X, partial)
    for change in ({"ratio": 0.2}, {"difficulty": "aum"}, {"selection": "hardest"}, {"n_jobs": 2}, {}):
        pruner = quick(**options | change).fit(X, partial)
    assert (labeler.fits, proxy.fits) == (1, 1)
    np.testing.assert_array_equal(pruner.support_, first.support_)
    np.testing.assert_array_equal(pruner.labeler_.predict_proba(X), first.labeler_.predict_proba(X))
    np.testing.assert_array_equal(pruner.proxy_.predict_proba(X), first.proxy_.predict_proba(X))
    names = np.array(["a", "b", "c"])
    quick(**options).fit(pd.DataFrame(X), np.where(partial < 0, None, names[y]))
    assert (labeler.fits, proxy.fits) == (1, 1)
    quick(**options | {"n_epochs": 11}).fit(X, partial)
    assert (labeler.fits, proxy.fits) == (1, 2)
    quick(**options | {"random_state": 5}).fit(X, partial)
    quick(**options).fit(X + 1, partial)
    assert (labeler.fits, proxy.fits) == (3, 4)


def test_a_killed_run_goes_on_behind_the_stage_that_was_done(quick, iris, counting, tmp_path):
    labeler, _ = counting
    X, _, partial = iris

    class Killed(NetClassifier):
        armed = True

        def fit(self, X, y):
            if Killed.armed:
                raise KeyboardInterrupt
            return super().fit(X, y)

    options = {"labeler": labeler(n_steps=8, batch_size=8, mu=2), "proxy": Killed(), "checkpoint": tmp_path}
    with pytest.raises(KeyboardInterrupt):
        quick(**options).fit(X, partial)
    assert len(list(tmp_path.glob("*.safetensors"))) == 1
    Killed.armed = False
    quick(**options).fit(X, partial)
    assert labeler.fits == 1
    assert sorted(file.name.split("-")[0] for file in tmp_path.glob("*.safetensors")) == ["label_pool", "record_pool"]


def test_a_checkpoint_that_cannot_be_read(quick, iris, tmp_path):
    X, _, partial = iris
    quick(checkpoint=tmp_path).fit(X, partial)
    for file in tmp_path.glob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"The checkpoint .*label_pool.* cannot be read.*Delete it"):
        quick(checkpoint=tmp_path).fit(X, partial)


def test_mixed_column_names_are_refused_before_training(quick, iris, counting):
    labeler, _ = counting
    X, _, partial = iris
    with pytest.raises(TypeError, match="Feature names are only supported"):
        quick(labeler=labeler()).fit(pd.DataFrame(X, columns=["a", "b", "c", 3]), partial)
    assert labeler.fits == 0


def test_keys_hold_what_a_frozen_estimator_has_learned(iris):
    from sklearn.decomposition import PCA
    from sklearn.frozen import FrozenEstimator

    from skprune._pipeline._stage_cache import describe

    X, _, _ = iris
    keys = [
        joblib.hash(describe(make_pipeline(FrozenEstimator(PCA(2).fit(X[rows])), LabelSpreading())))
        for rows in (slice(0, 75), slice(75, 150), slice(0, 75))
    ]
    assert keys[0] != keys[1]
    assert keys[0] == keys[2]


def test_the_default_keeps_half_of_an_even_share_of_each_class(quick):
    """An easy or a rare class does not vanish from a small coreset."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [150, 40, 10])
    X = rng.normal(size=(200, 3)) * 0.4 + np.array([[0, 0, 0], [9, 0, 0], [0, 0.5, 0]])[y]  # 1 is easy, 2 is rare
    for pruner in (quick(selection="auto").fit(X, y), SupervisedPruner(n_epochs=10, random_state=0).fit(X, y)):
        for ratio in (0.15, 0.3, 0.6):
            kept = np.bincount(y[pruner.select(ratio)], minlength=3)
            assert (kept >= np.minimum([150, 40, 10], int(0.5 * 200 * ratio / 3))).all()
        published = np.bincount(y[pruner.select(0.15, Beta())], minlength=3)
        assert published.min() < 5


def test_explain(quick, iris, monkeypatch):
    X, _, partial = iris
    pruner = quick(include_labeled=True, duplicates="ignore").fit(X, partial)
    found = pruner.explain(["aum", "el2n"])
    assert found["row"].tolist() == list(range(150))
    np.testing.assert_array_equal(found["label"], pruner.pseudo_labels_)
    np.testing.assert_array_equal(found["given"], partial >= 0)
    np.testing.assert_array_equal(found["label_confidence"], pruner.pseudo_label_confidence_)
    np.testing.assert_array_equal(found["difficulty"], pruner.difficulty_scores_)
    np.testing.assert_array_equal(found["aum"], difficulty(pruner.dynamics_, "aum"))
    np.testing.assert_array_equal(found["kept"], pruner.support_)
    assert found["rank"].min() == 1
    assert found.loc[found["rank"] == 1, "difficulty"].max() == pruner.difficulty_scores_.max()
    assert found["stratum"].between(0, 49).all()
    assert (found.loc[found["given"], "why"] == "must stay").all()
    assert set(found.loc[~found["given"], "why"]) <= {"drawn", "not drawn", "for min_per_class"}
    assert found["probability"].sum() == pytest.approx(75)
    pruner.set_params(ratio=0.2)  # what is explained is the fit
    np.testing.assert_array_equal(pruner.explain()["kept"], pruner.support_)
    with pytest.raises(ValueError, match="Unknown difficulty 'aun'"):
        pruner.explain(["aun"])
    with pytest.raises(TypeError, match="scores must be a list of names, got 'aum'"):
        pruner.explain("aum")
    monkeypatch.setitem(sys.modules, "pandas", None)
    without = pruner.explain()
    assert isinstance(without, dict)
    assert list(without) == [name for name in found if name not in ("aum", "el2n")]
    np.testing.assert_array_equal(without["why"], found["why"])


@pytest.mark.filterwarnings("ignore:The coreset of 30 rows holds no row of")
def test_a_selector_that_names_uncertainty_gets_it(quick, iris):
    X, _, partial = iris
    seen = []

    class Uncertain(BaseEstimator):
        def needs(self):
            return ("uncertainty",)

        def select(self, scores, ratio, *, uncertainty, **others):
            seen.append(uncertainty)
            return np.argsort(np.argsort(-uncertainty, kind="stable")) < ratio * len(scores)

    class Blind(Uncertain):
        def needs(self):
            return ()

        def select(self, scores, ratio, **others):
            assert "uncertainty" not in others
            return np.arange(len(scores)) < ratio * len(scores)

    pruner = quick(0.2, selection=Uncertain(), duplicates="ignore").fit(X, partial)
    assert ((seen[-1] >= 0) & (seen[-1] <= 1)).all()
    assert seen[-1][pruner.support_].min() >= seen[-1][~pruner.support_].max()
    assert quick(0.2, selection=Blind()).fit(X, partial).support_.sum() == 30


def test_what_a_users_selection_keeps_is_proposed_hardest_first(quick, iris):
    class Rest(Cutoff):
        def select(self, scores, ratio, **others):
            return Cutoff(0.3, class_balanced="proportional").select(scores, ratio, **others)

    X, _, partial = iris
    pruner = quick(selection=Rest()).fit(X, partial)
    assert set(pruner.annotation_indices_) == set(np.flatnonzero(pruner.support_ & (partial < 0)))
    assert (np.diff(pruner.difficulty_scores_[pruner.annotation_indices_]) <= 0).all()


def test_each_prefix_of_the_proposals_holds_every_class(quick, iris):
    X, y, partial = iris
    rows = quick(60, selection=Hardest(class_balanced="proportional")).fit(X, partial)
    proposed = rows.pseudo_labels_[rows.annotation_indices_]
    for size in (6, 15, 30):
        counts = np.bincount(proposed[:size], minlength=3) / size
        overall = np.bincount(proposed, minlength=3) / len(proposed)
        np.testing.assert_allclose(counts, overall, atol=1.5 / size)


def test_reasons_of_a_selection_of_a_user(quick, iris):
    class FirstRows(BaseEstimator):
        def select(self, scores, ratio, **others):
            return np.arange(len(scores)) < ratio * len(scores)

    X, _, partial = iris
    pruner = quick(selection=FirstRows(), duplicates="ignore").fit(X, partial)
    found = pruner.explain()
    assert found["why"].tolist() == ["chosen by FirstRows"] * 75 + ["not chosen by FirstRows"] * 75
    assert (pruner.sample_weight_ == 1.0).all()


def test_reasons_of_a_selector_whose_select_is_a_users(quick, iris):
    class Rest(Cutoff):
        def select(self, scores, ratio, **others):
            return Cutoff(0.3, class_balanced="proportional").select(scores, ratio, **others)

    X, _, partial = iris
    pruner = quick(selection=Rest()).fit(X, partial)
    found = pruner.explain(["confidence"])
    np.testing.assert_array_equal(found["kept"], pruner.support_)
    assert (pruner.sample_weight_ == 1.0).all()
    np.testing.assert_array_equal(found["label_confidence"], pruner.pseudo_label_confidence_)
    np.testing.assert_array_equal(found["confidence"], difficulty(pruner.dynamics_, "confidence"))


def test_sample_weights(quick, iris):
    X, _, partial = iris
    pruner = quick(duplicates="ignore").fit(X, partial)
    weights = pruner.sample_weight_
    assert weights.shape == (75,)
    assert weights.mean() == pytest.approx(1.0)
    chances = pruner.explain()["probability"][pruner.support_]
    np.testing.assert_allclose(weights * chances, (weights * chances)[0])
    assert weights.max() > 1.5
    assert (quick(selection="hardest", duplicates="ignore").fit(X, partial).sample_weight_ == 1.0).all()


def test_selectors_read_how_sure_the_labeler_is(quick, iris):
    X, _, partial = iris

    class Doubtful(BaseSelector):
        def needs(self):
            return (*super().needs(), "error_probability")

        def _order(self, draw):
            return np.argsort(-draw.inputs["error_probability"], kind="stable")

    pruner = quick(selection=Doubtful()).fit(X, partial)
    confidence = pruner.pseudo_label_confidence_
    assert confidence[pruner.support_].max() <= confidence[~pruner.support_].min()
    np.testing.assert_array_equal(pruner.select(), pruner.support_)


def auto_selector(*, is_image=True, **params):
    return selector_for(Settings.of(SemiPrune(**params)), np.arange(3), is_image=is_image)


def test_auto_covers_tables_and_adds_difficulty_for_images(quick, iris, images):
    X, _, partial = iris
    pruner = quick(selection="auto").fit(X, partial)
    np.testing.assert_array_equal(pruner.support_, pruner.select(selection=KMeans(4, min_per_class=0.5)))
    X, _, partial = images
    pruner = quick(0.3, selection="auto", proxy=NetClassifier(module__width=4), difficulty="el2n")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The pseudo-labels hold no row|The coreset of")
        pruner.fit(X, partial)
    halves = Mixture(KMeans(), second=Beta("auto", n_epochs=10, min_per_class=0.5))
    np.testing.assert_array_equal(pruner.support_, pruner.select(selection=halves))
    assert auto_selector(difficulty="el2n").second.n_epochs == 10
    assert auto_selector(difficulty="dual").second.n_epochs is None


def test_classes_and_minima_of_a_mixture(quick, iris):
    X, y, _ = iris
    names = np.array(["a", "b", "c"])[y]
    mixture = Mixture(KMeans(), second=Hardest(class_balanced={"a": 3, "b": 1, "c": 1}))
    pruner = quick(0.2, selection=mixture).fit(X, names)
    assert np.unique(names[pruner.support_], return_counts=True)[1].tolist() == [18, 6, 6]
    assert mixture.second.class_balanced == {"a": 3, "b": 1, "c": 1}
    with pytest.raises(
        ValueError, match="min_per_class=40 needs at least 120 rows of the 3 classes, and ratio=0.2 keeps 30"
    ):
        quick(0.2, selection=Mixture(KMeans(), second=Hardest(min_per_class=40))).fit(X, names)


@pytest.mark.parametrize("name", get_selector_names())
def test_a_name_is_a_selector_with_its_defaults(quick, iris, name):
    pruner = quick(selection=name)
    selector = selector_for(Settings.of(pruner), np.arange(3), is_image=False)
    assert selector.get_params() == type(selector)().get_params()
    assert type(selector).__name__.lower() == name.replace("_", "")


def test_pseudo_labels_that_are_trained_on_are_surer(quick, images):
    X, _, partial = images
    make = partial_function(quick, 0.2, selection="auto", proxy=NetClassifier(module__width=4))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The pseudo-labels hold no row|The coreset of")
        annotate, pseudo, left_open = (make(goal=goal).fit(X, partial) for goal in ("annotate", "pseudo", "auto"))
    assert (auto_selector(goal="annotate").second.trust, auto_selector(goal="pseudo").second.trust) == (0, 10)
    of_tables = [auto_selector(goal=goal, is_image=False).uncertainty for goal in ("annotate", "pseudo")]
    assert of_tables == [4, 0]
    sure = [pruner.pseudo_label_confidence_[pruner.support_].mean() for pruner in (annotate, pseudo)]
    assert sure[0] < sure[1]
    with pytest.raises(ValueError, match="goal must be 'auto', 'annotate' or 'pseudo', got 'train'"):
        deepcopy(pseudo).set_params(goal="train").select()
    hardest = pseudo.select(selection="hardest")  # another selection has no use for the goal
    np.testing.assert_array_equal(hardest, annotate.select(selection="hardest"))
    np.testing.assert_array_equal(left_open.support_, annotate.support_)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "pseudo"),
        ({"goal": "annotate"}, "annotate"),
        ({"selection": "random"}, "pseudo"),
    ],
)
def test_an_open_goal_is_set_where_pseudo_labels_are_trained_on(quick, iris, given, expected):
    X, y, partial = iris
    pruner = quick(0.5, **{"selection": "auto"} | given)
    model = PrunedClassifier(LogisticRegression(max_iter=500), pruner)
    assert model.fit(X, partial).pruner_.goal == expected
    assert PruningSampler(pruner).fit(X, partial).pruner_.goal == expected
    assert model.fit(X, partial, y_oracle=y).pruner_.goal == pruner.goal
    assert model.set_params(labels="given").fit(X, partial).pruner_.goal == pruner.goal
    baseline = PrunedClassifier(LogisticRegression(max_iter=500), SupervisedPruner(0.5, n_epochs=10, random_state=0))
    assert "goal" not in baseline.fit(X, y).pruner_.get_params()


def test_scores_of_new_rows_out_of_a_small_pool(quick, iris):
    X, _, _ = iris
    rows = np.r_[0:3, 100:103]
    y = np.array([0, 0, -1, 1, 1, -1])
    pruner = quick(0.5, selection="hardest", missing_label=-1).fit(X[rows], y)
    np.testing.assert_allclose(pruner.predict_difficulty(X), pruner.difficulty_scores_.mean())


def test_an_edited_function_of_the_user_is_another_key(tmp_path, monkeypatch):
    import importlib

    from skprune._pipeline._stage_cache import describe

    monkeypatch.syspath_prepend(tmp_path)
    keys = []
    for body in ("x", "x + 1", "x"):
        (tmp_path / "users_module.py").write_text(f"def augment(x, generator):\n    return {body}\n")
        importlib.invalidate_caches()
        import linecache

        import users_module

        linecache.checkcache()
        users_module = importlib.reload(users_module)
        keys.append(joblib.hash(describe(NetClassifier(augment=users_module.augment))))
    assert keys[0] != keys[1]
    assert keys[0] == keys[2]


def test_device_type_is_what_counts_in_keys(iris):
    from skprune._pipeline._stage_cache import describe

    if not torch.cuda.is_available():
        assert describe(NetClassifier()) == describe(NetClassifier(device="cpu"))
    assert describe(NetClassifier(verbose=1)) == describe(NetClassifier())
    assert describe(NetClassifier(lr=0.2)) != describe(NetClassifier())


class Recalls(ClassifierMixin, BaseEstimator):
    """A user's own, whose parameters have names of SemiPrune's."""

    def __init__(self, memory=10, checkpoint="start"):
        self.memory = memory
        self.checkpoint = checkpoint


def test_only_places_to_store_are_left_out_of_keys():
    from skprune._pipeline._stage_cache import describe

    assert describe(SemiPrune(memory="a", checkpoint="b")) == describe(SemiPrune())
    assert describe(Pipeline([("net", PCA())], memory="a")) == describe(Pipeline([("net", PCA())]))
    assert describe(Recalls(memory=20)) != describe(Recalls())
    assert describe(Recalls(checkpoint="end")) != describe(Recalls())


def test_what_cannot_be_hashed_is_refused_before_training(quick, iris, tmp_path):
    X, _, partial = iris
    pruner = quick(labeler=CountingFixMatch(weak=lambda x, generator: x), checkpoint=tmp_path)
    with pytest.raises(ValueError, match="cannot be hashed.*top of a module"):
        pruner.fit(X, partial)


def test_keys_are_the_same_in_another_process(tmp_path):
    import subprocess
    import sys

    code = (
        "from sklearn.datasets import load_iris\n"
        "from skprune import SemiPrune\n"
        "from skprune.semi_supervised import FixMatch\n"
        "X, y = load_iris(return_X_y=True); y[::2] = -1\n"
        f"SemiPrune(labeler=FixMatch(n_steps=4, batch_size=4, mu=1), n_epochs=10, random_state=0, "
        f"checkpoint={str(tmp_path)!r}).fit(X, y)\n"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code], check=True)
    stages = sorted(file.name.split("-")[0] for file in tmp_path.glob("*.safetensors"))
    assert stages == ["label_pool", "label_without", "record_pool"]


def test_progress(quick, iris, capsys):
    X, _, partial = iris
    quick().fit(X, partial)
    assert capsys.readouterr() == ("", "")
    quick(verbose=1).fit(X, partial)
    shown = capsys.readouterr()
    assert shown.out == ""
    for part in ("labeling", "recording", "epoch=10/10", "loss=", "confident="):
        assert part in shown.err


def test_sampler(quick, iris, fitted):
    X, _, partial = iris
    sampler = PruningSampler(quick())
    rows, labels = sampler.fit_resample(X, partial)
    np.testing.assert_array_equal(sampler.sample_indices_, fitted.coreset_indices_)
    np.testing.assert_array_equal(rows, X[fitted.support_])
    np.testing.assert_array_equal(labels, fitted.coreset_labels_)
    assert not hasattr(sampler, "transform")


def test_repeats_are_averaged(quick, iris, counting):
    X, _, partial = iris
    _, proxy = counting
    make = partial_function(quick, proxy=proxy(module__width=16), difficulty="aum")
    pruner = make(n_repeats=3).fit(X, partial)
    assert proxy.fits == 3
    scores = np.stack([difficulty(dynamics, "aum") for dynamics in pruner.repeats_])
    np.testing.assert_allclose(pruner.difficulty_scores_, scores.mean(axis=0))
    np.testing.assert_allclose(pruner.score_std_, scores.std(axis=0, ddof=1))
    assert (pruner.score_std_ > 0).any()
    alone = make().fit(X, partial)
    assert alone.score_std_ is None
    np.testing.assert_array_equal(alone.dynamics_.error, pruner.repeats_[0].error)
    for selection in ("auto", "beta", "cutoff"):
        assert pruner.select(0.3, selection, "dual").sum() == 45


def test_repeats_reuse_what_was_trained(quick, iris, counting, tmp_path):
    X, _, partial = iris
    labeler, proxy = counting
    make = partial_function(quick, labeler=labeler(n_steps=8, batch_size=8, mu=2), proxy=proxy(module__width=8))
    make(checkpoint=tmp_path).fit(X, partial)
    make(checkpoint=tmp_path, n_repeats=3).fit(X, partial)
    assert (labeler.fits, proxy.fits) == (1, 3)


def test_a_proxy_with_a_seed_of_its_own_is_repeated_with_others(quick, iris):
    X, y, _ = iris
    pruner = quick(proxy=NetClassifier(module__width=8, random_state=1), n_repeats=2).fit(X, y)
    assert not np.array_equal(pruner.repeats_[0].error, pruner.repeats_[1].error)


@pytest.mark.parametrize("proxy", [NetClassifier(module__width=16), MLPClassifier((32,), alpha=1)])
def test_scores_of_new_rows(quick, proxy):
    X, y = load_digits(return_X_y=True)
    rows, later = np.arange(1200), np.arange(1200, 1797)
    pruner = quick(proxy=proxy, difficulty="aum", n_epochs=10)
    whole = pruner.fit(X, y).difficulty_scores_[later]
    pruner.fit(X[rows], y[rows])
    extrapolated = pruner.predict_difficulty(X[later])
    assert extrapolated.shape == (597,)
    assert spearmanr(extrapolated, whole).statistic > 0.4
    np.testing.assert_allclose(pruner.predict_difficulty(X[rows], n_neighbors=1), pruner.difficulty_scores_)
    with pytest.raises(ValueError, match="3 features"):
        pruner.predict_difficulty(X[later, :3])


def test_the_run_of_the_labeler_can_be_recorded(quick, iris, counting, tmp_path):
    X, y, partial = iris
    labeler, proxy = counting
    make = partial_function(quick, labeler=labeler(n_steps=200, batch_size=8, mu=2), proxy="labeler", difficulty="aum")
    pruner = make(checkpoint=tmp_path).fit(X, partial)
    assert (labeler.fits, proxy.fits) == (1, 0)
    assert pruner.dynamics_.n_epochs == 10
    assert pruner.proxy_ is pruner.labeler_
    assert np.mean(pruner.pseudo_labels_ == y) > 0.8
    margin = pruner.dynamics_.target_margin
    assert margin[-1].mean() > margin[0].mean()
    again = make(checkpoint=tmp_path, ratio=0.3).fit(X, partial)
    assert labeler.fits == 1
    np.testing.assert_array_equal(again.difficulty_scores_, pruner.difficulty_scores_)
    assert pruner.predict_difficulty(X).shape == (150,)
    assert pruner.score(X, y) > 0.8
    with pytest.raises(ValueError, match="proxy='labeler' needs unlabeled rows"):
        make().fit(X, y)


def test_the_last_epoch_of_the_labeler_is_what_it_predicts(quick, iris):
    """Without a moving average, the weights at the end of the run are those that predict."""
    X, _, partial = iris
    labeler = FixMatch(n_steps=40, batch_size=8, mu=2, ema=False)
    pruner = quick(labeler=labeler, proxy="labeler").fit(X, partial)
    proba = pruner.labeler_.predict_proba(X)[np.arange(150), pruner.pseudo_labels_]
    np.testing.assert_allclose(pruner.dynamics_.target_proba[-1], proba, rtol=1e-4)


def test_every_second_epoch_is_recorded(quick, iris):
    X, y, _ = iris
    pruner = quick(n_epochs=20, record=Recording(every=2)).fit(X, y)
    assert pruner.dynamics_.n_epochs == 10


def test_cuda_is_asked_for_before_any_training(quick, iris, counting, monkeypatch):
    X, _, partial = iris
    labeler, _ = counting
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="torch sees no CUDA device"):
        quick(labeler=SelfTrainingClassifier(labeler()), device="cuda").fit(X, partial)
    assert labeler.fits == 0


def test_repeats_in_processes_find_what_was_trained(quick, counting, tmp_path):
    """Arrays above a megabyte reach other processes as memory maps."""
    _, proxy = counting
    X = np.random.default_rng(0).normal(size=(7000, 20))
    y = (X[:, 0] > 0).astype(int)
    make = partial_function(
        quick, proxy=proxy(module__width=4, batch_size=512), checkpoint=tmp_path, selection="hardest"
    )
    make().fit(X, y)
    files = set(tmp_path.glob("*.safetensors"))
    two = make(n_repeats=2, n_jobs=2).fit(X, y)
    assert len(set(tmp_path.glob("*.safetensors")) - files) == 1
    files, proxy.fits = set(tmp_path.glob("*.safetensors")), 0
    again = make(n_repeats=2).fit(X, y)
    assert (proxy.fits, set(tmp_path.glob("*.safetensors"))) == (0, files)
    np.testing.assert_array_equal(two.difficulty_scores_, again.difficulty_scores_)


def test_a_foreign_net_as_proxy(quick, iris, tmp_path):
    X, y, _ = iris
    sizes = {"module__n_features": 4, "module__n_classes": 3}
    net = NeuralNetClassifier(MLP, criterion=torch.nn.CrossEntropyLoss, lr=0.1, max_epochs=40, **sizes)
    make = partial_function(quick, proxy=net, n_repeats=2, checkpoint=tmp_path)
    first, again = (make().fit(X, y) for _ in range(2))
    assert (first.score_std_ > 0).all()
    for pruner in (first, again, pickle.loads(pickle.dumps(first))):
        np.testing.assert_array_equal(pruner.predict_difficulty(X), first.predict_difficulty(X))
    assert first.score(X, y) > 0.6
    assert make(difficulty="grand").fit(X, y).difficulty_scores_.min() > 0


def test_columns_in_another_order_are_refused(quick, iris):
    X, _, partial = iris
    frame = pd.DataFrame(X, columns=list("abcd"))
    pruner = quick().fit(frame, partial)
    for method in (pruner.predict_difficulty, pruner.transform, lambda rows: pruner.score(rows, partial)):
        with pytest.raises(ValueError, match="feature names should match"):
            method(frame[list("bacd")])
    labeler = LabelSpreading(kernel="knn", n_neighbors=20)  # a net of a few steps may lose a class on images of 2 x 2
    images = quick(labeler=labeler, image_shape=(1, 2, 2)).fit(X, partial)
    images.set_params(image_shape=(1, 4, 1))
    with pytest.raises(
        ValueError, match=r"rows of shape \(1, 4, 1\), but SemiPrune was fitted to rows of shape \(1, 2, 2\)"
    ):
        images.predict_difficulty(X)


def test_a_labeler_that_stops_early_is_noticed(quick, iris):
    from skorch.callbacks import EarlyStopping

    X, _, partial = iris
    stop = EarlyStopping(monitor="train_loss", patience=2, threshold=10.0, sink=lambda *_: None)
    labeler = FixMatch(n_steps=40, batch_size=8, mu=2, callbacks=[stop])
    with pytest.raises(RuntimeError, match=r"stopped after \d of 10 epochs"):
        quick(labeler=labeler, proxy="labeler").fit(X, partial)


def test_a_coreset_of_one_class_predicts_that_class(quick, iris):
    from sklearn.base import BaseEstimator
    from sklearn.linear_model import SGDClassifier

    class FirstClass(BaseEstimator):
        def select(self, scores, ratio, *, y, **inputs):
            return y == 0

    X, y, partial = iris
    labeler = LabelSpreading(kernel="knn")  # which tells the first class from the others without an error
    with pytest.warns(UserWarning, match="holds no row of 2 of 3 classes"):
        pruner = quick(labeler=labeler, proxy=SGDClassifier(loss="log_loss"), selection=FirstClass()).fit(X, partial)
    assert pruner.score(X, y) == pytest.approx(1 / 3)


def test_all_rows_are_proposed_in_the_order_that_was_asked_for_last(quick, iris):
    X, _, partial = iris
    X = X + np.arange(150)[:, None] / 1e4  # no two rows are equal: copies come last
    pruner = quick(1.0, selection="random").fit(X, partial)
    scores = pruner.difficulty_scores_
    for name, sign in (("hardest", -1), ("easiest", 1)):
        rows = pruner.annotation_indices(pruner.select(1.0, name))
        assert len(rows) == 135
        assert (np.diff(sign * scores[rows]) >= 0).all()
    np.testing.assert_array_equal(quick(1.0, selection="easiest").fit(X, partial).annotation_indices_, rows)
