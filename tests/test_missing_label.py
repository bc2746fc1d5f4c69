"""missing_label: one parameter, with one meaning, wherever labels may be missing."""

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading

import skprune.baselines
import skprune.semi_supervised
from skprune import PrunedClassifier, PruningSampler, SemiPrune
from skprune._base import BasePruner
from skprune.baselines import ActivePruner, ELFSPruner, RandomPruner, SupervisedPruner
from skprune.datasets import make_label_noise, make_partial_labels
from skprune.model_selection import partial_label_scorer, pruning_curve
from skprune.semi_supervised import FixMatch, SoftMatch

NAMES = np.array(["cat", "dog", "eel"])
BASELINES = [getattr(skprune.baselines, name) for name in skprune.baselines.__all__ if name.endswith("Pruner")]
NETS = [getattr(skprune.semi_supervised, name) for name in skprune.semi_supervised.__all__]


def table_pruner(ratio=0.4, **params):
    """Return a SemiPrune for tables that takes a fraction of a second."""
    proxy = make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss"))
    labeler = make_pipeline(StandardScaler(), LabelSpreading(kernel="knn", n_neighbors=30))
    return SemiPrune(ratio, **{"labeler": labeler, "proxy": proxy, "n_epochs": 11, "random_state": 0} | params)


def quick_baseline(kind, **params):
    defaults = {
        ActivePruner: {"classifier": LogisticRegression(max_iter=500)},
        ELFSPruner: {"proxy": SGDClassifier(loss="log_loss"), "n_epochs": 11},
        SupervisedPruner: {"proxy": SGDClassifier(loss="log_loss"), "n_epochs": 11},
    }
    return kind(0.4, random_state=0, **defaults.get(kind, {}), **params)


@pytest.fixture
def pool():
    X, y = load_iris(return_X_y=True)
    marks = make_partial_labels(y, n_labeled=30, random_state=0)
    return X, y, marks


@pytest.fixture
def signs_pool():
    """Return rows that say nothing about their classes -1, 0 and 1, so that no class vanishes."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(150, 4)), rng.permutation(np.arange(150) % 3 - 1)


def with_mark(codes, mark):
    """Return names of classes, with a mark where there is none."""
    y = NAMES[codes].astype(object)
    y[codes < 0] = mark
    return y


@pytest.mark.parametrize("kind", [SemiPrune, *BASELINES, *NETS])
def test_it_stands_behind_image_shape(kind):
    names = [name for name, parameter in inspect.signature(kind).parameters.items() if parameter.kind == 3]
    assert issubclass(kind, BasePruner) or kind in NETS
    assert names[names.index("image_shape") + 1] == "missing_label"
    assert kind().missing_label == "auto"
    assert clone(kind(missing_label="?")).missing_label == "?"
    assert np.isnan(clone(kind(missing_label=np.nan)).missing_label)


@pytest.mark.parametrize("kind", [SemiPrune, *(kind for kind in BASELINES if kind is not SupervisedPruner)])
@pytest.mark.parametrize("mark", ["", "?", "unlabelled", np.nan])
def test_marks_choose_the_rows_that_none_chooses(pool, kind, mark):
    X, _, codes = pool
    make = table_pruner if kind is SemiPrune else lambda **params: quick_baseline(kind, **params)
    expected = make().fit(X, with_mark(codes, None))
    pruner = make(missing_label=mark).fit(X, with_mark(codes, mark))
    np.testing.assert_array_equal(pruner.support_, expected.support_)
    np.testing.assert_array_equal(pruner.annotation_indices_, expected.annotation_indices_)
    assert pruner.classes_.tolist() == NAMES.tolist()
    assert pruner.coreset_labels_.tolist() == expected.coreset_labels_.tolist()


@pytest.mark.parametrize("kind", [SemiPrune, *BASELINES])
def test_a_forgotten_mark_is_refused_before_training(pool, kind):
    X, _, codes = pool
    pruner = kind() if kind in (SemiPrune, SupervisedPruner) else quick_baseline(kind)
    with pytest.raises(ValueError, match=r"y holds '\?', which looks like a mark.*Set missing_label='\?'"):
        pruner.fit(X, with_mark(codes, "?"))


@pytest.mark.parametrize("kind", NETS)
def test_nets_read_the_mark(pool, kind):
    X, _, codes = pool
    params = {"n_steps": 3, "batch_size": 8, "mu": 2, "random_state": 0, "device": "cpu"}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The pseudo-labels hold no row of")  # after three steps
        expected = kind(**params).fit(X, codes).predict_proba(X)
        net = kind(**params, missing_label="?").fit(X, with_mark(codes, "?"))
        np.testing.assert_allclose(net.predict_proba(X), expected, atol=1e-6)
        assert net.classes_.tolist() == NAMES.tolist()
        net.partial_fit(X, with_mark(codes, "?"))
    with pytest.raises(ValueError, match="looks like a mark"):
        kind(**params).fit(X, with_mark(codes, "?"))


@pytest.mark.parametrize("own", ["auto", "?", None])
def test_a_labeler_reads_codes_whatever_its_own_mark(pool, own):
    X, _, codes = pool
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The pseudo-labels hold no row of")
        net = FixMatch(n_steps=5, batch_size=8, mu=2, missing_label=own)
        pruner = table_pruner(labeler=make_pipeline(StandardScaler(), net), missing_label="?")
        pruner.fit(X, with_mark(codes, "?"))
    assert pruner.labeler_[-1].classes_.tolist() == [0, 1, 2]
    assert set(pruner.pseudo_labels_) <= set(NAMES)
    assert net.missing_label == own or net.missing_label is own


def test_minus_one_and_the_last_label_that_was_missing(signs_pool):
    """With one label missing, -1 is a class; without, it marks unlabeled rows: both are said, and the parameter decides."""
    X, signs = signs_pool
    with_null = signs.astype(object)
    with_null[:30] = None
    with pytest.warns(
        UserWarning, match=r"y holds -1 in \d\d rows, read as a class, because 30 other labels are None"
    ) as seen:
        assert table_pruner().fit(X, with_null).classes_.tolist() == [-1, 0, 1]
    assert len(seen) == 1
    with pytest.warns(UserWarning, match=r"y holds -1 in 50 of 150 rows, read as unlabeled, beside \[0, 1\]") as seen:
        assert table_pruner().fit(X, signs).classes_.tolist() == [0, 1]
    assert len(seen) == 1
    for y in (with_null, signs):
        pruner = table_pruner(missing_label=None).fit(X, y)
        assert pruner.classes_.tolist() == [-1, 0, 1]
        given = np.array([label is not None for label in y])
        assert pruner.pseudo_labels_[given].tolist() == signs[given].tolist()


@pytest.mark.parametrize("missing_label", [None, np.nan])
def test_binary_signs(missing_label):
    X, y = load_iris(return_X_y=True)
    signs = np.where(y > 0, 1, -1)
    pruner = table_pruner(missing_label=missing_label).fit(X, signs)
    assert pruner.classes_.tolist() == [-1, 1]
    assert pruner.labeler_ is None
    with pytest.raises(ValueError, match="one class only.*set missing_label=None if it is a class"):
        table_pruner().fit(X, signs)
    with pytest.raises(ValueError, match="needs all labels.*set missing_label=None if it is a class"):
        SupervisedPruner().fit(X, signs)
    with pytest.warns(UserWarning, match=r"read as unlabeled, beside \[1\]"):
        RandomPruner().fit(X, signs)
    assert len(RandomPruner(missing_label=missing_label, random_state=0).fit(X, signs).annotation_indices_) == 0
    noisy, wrong = make_label_noise(signs, rate=0.1, missing_label=missing_label, random_state=0)
    assert wrong.sum() == 15
    assert noisy[wrong].tolist() == (-signs[wrong]).tolist()


def test_a_warning_a_fit_inside_a_classifier(signs_pool):
    X, signs = signs_pool
    model = PrunedClassifier(LogisticRegression(max_iter=500), table_pruner(), labels="pseudo")
    with pytest.warns(UserWarning, match="read as unlabeled") as seen:
        model.fit(X, signs)
    assert len(seen) == 1
    assert seen[0].filename == __file__


def test_scores_ignore_the_rows_with_the_mark(pool):
    X, y, codes = pool
    partial = with_mark(codes, "?")
    labeled = codes >= 0
    pruner = table_pruner(missing_label="?").fit(X, partial)
    assert pruner.score(X, partial) == pytest.approx(pruner.score(X[labeled], partial[labeled]))
    model = PrunedClassifier(LogisticRegression(max_iter=500), table_pruner(missing_label="?"), labels="pseudo").fit(
        X, partial
    )
    assert model.score(X, partial) == pytest.approx(model.score(X[labeled], partial[labeled]))
    scorer = partial_label_scorer("accuracy", missing_label="?")
    assert scorer(model, X, partial) == pytest.approx(model.score(X, partial))
    with pytest.raises(ValueError, match="labeled rows, and y holds none"):
        model.score(X, np.full(150, "?"))


def test_a_class_that_looks_like_a_mark_is_scored(pool):
    X, y, _ = pool
    names = np.array(["none", "benign", "malignant"])[y]
    model = PrunedClassifier(LogisticRegression(max_iter=500), table_pruner(missing_label=None), labels="pseudo").fit(
        X, names
    )
    assert model.score(X, names) > 0.8
    assert partial_label_scorer("accuracy")(model, X, names) == pytest.approx(model.score(X, names))


def test_oracle_labels_follow_the_mark_of_the_pruner(pool):
    X, y, codes = pool
    partial, oracle = with_mark(codes, "?"), with_mark(y, "?")
    model = PrunedClassifier(DummyClassifier(), table_pruner(missing_label="?"), labels="pseudo")
    model.fit(X, partial, y_oracle=oracle)
    asked = model.pruner_.annotation_indices_
    oracle[asked[0]] = "?"
    with pytest.raises(ValueError, match=rf"y_oracle has no label for row {asked[0]}, which is kept"):
        model.fit(X, partial, y_oracle=oracle)
    with pytest.raises(ValueError, match=r"y_oracle holds '\?', which looks like a mark"):
        PrunedClassifier(DummyClassifier(), table_pruner()).fit(X, with_mark(codes, None), y_oracle=oracle)


def test_the_curve_follows_its_pruners(pool):
    X, y, codes = pool
    pruner = table_pruner(missing_label="?")

    def curve(pruners, mark):
        return pruning_curve(
            pruners,
            X,
            with_mark(codes, mark),
            ratios=[0.4],
            evaluator=LogisticRegression(max_iter=500),
            X_test=X,
            y_test=NAMES[y],
            y_oracle=NAMES[y],
        )

    columns = ["method", "n_kept", "n_annotated", "accuracy"]
    found = curve({"semi": pruner}, "?").to_frame()[columns]
    expected = curve({"semi": table_pruner()}, None).to_frame()[columns]
    pd.testing.assert_frame_equal(found, expected)
    with pytest.raises(ValueError, match="must have the same missing_label"):
        curve({"semi": pruner, "random": RandomPruner()}, "?")
    curve({"semi": table_pruner(missing_label=np.nan), "random": RandomPruner(missing_label=None)}, None)


@pytest.mark.parametrize("place", ["memory", "checkpoint"])
def test_what_is_kept_belongs_to_one_meaning(signs_pool, tmp_path, place):
    """Results for -1 as a class are not those for -1 as a mark, and another mark of the same rows is no other run."""
    X, signs = signs_pool
    kept = {place: str(tmp_path / "kept")}
    for mark, n_classes in ((None, 3), (-1, 2), (None, 3)):
        pruner = table_pruner(missing_label=mark, **kept).fit(X, signs)
        expected = table_pruner(missing_label=mark).fit(X, signs)
        assert len(pruner.classes_) == n_classes
        np.testing.assert_array_equal(pruner.support_, expected.support_)
        np.testing.assert_array_equal(pruner.pseudo_labels_, expected.pseudo_labels_)
    files = sorted((tmp_path / "kept").rglob("*.safetensors")) + sorted((tmp_path / "kept").rglob("output.pkl"))
    renamed = np.where(signs == -1, None, signs)
    table_pruner(missing_label=None, **kept).fit(X, renamed)
    again = sorted((tmp_path / "kept").rglob("*.safetensors")) + sorted((tmp_path / "kept").rglob("output.pkl"))
    assert again == files


def test_no_label_at_all_names_a_way_to_choose_the_first(pool):
    X, _, _ = pool
    with pytest.raises(ValueError, match="no labeled row") as refused:
        SemiPrune().fit(X, np.full(150, -1))
    advice = str(refused.value)
    code = advice[advice.index("skprune.") : advice.index(" for a start")]
    first = eval(code, {"skprune": skprune, "X": X})
    assert len(first) == 20
    assert len(set(load_iris().target[first])) == 3


@pytest.mark.parametrize("dtype", ["category", "Int64", "boolean", "string", "float64", "int8", "string[pyarrow]"])
def test_a_sampler_keeps_the_dtype_of_a_series(pool, dtype):
    if dtype.endswith("[pyarrow]"):
        pytest.importorskip("pyarrow", reason="string[pyarrow] needs pyarrow")
    X, y, codes = pool
    if dtype == "int8":
        y = pd.Series(codes, dtype=dtype)
    elif dtype == "float64":
        y = pd.Series(np.where(codes < 0, np.nan, codes))
    else:
        values = {"Int64": codes + 3, "boolean": codes > 0}.get(dtype, NAMES[codes]).astype(object)
        values[codes < 0] = None
        y = pd.Series(values, dtype=dtype)
    y.index = np.arange(150)[::-1]
    rows, labels = PruningSampler(table_pruner()).fit_resample(X, y)
    assert labels.dtype == y.dtype
    assert not labels.isna().any()
    assert len(labels) == len(rows) == 60
    given = y.loc[labels.index].notna() & (y.loc[labels.index] != -1)
    pd.testing.assert_series_equal(labels[given], y.loc[labels.index][given])


def test_a_sampler_leaves_an_object_series_with_the_dtype_of_its_labels(pool):
    X, _, codes = pool
    y = pd.Series(codes).astype(object).mask(codes < 0, None)
    assert PruningSampler(table_pruner()).fit_resample(X, y)[1].dtype == np.int64


def test_a_sampler_returns_a_series_of_polars(pool):
    polars = pytest.importorskip("polars")
    X, _, codes = pool
    y = polars.Series("kind", with_mark(codes, None).tolist(), dtype=polars.Categorical)
    labels = PruningSampler(table_pruner()).fit_resample(X, y)[1]
    assert isinstance(labels, polars.Series)
    assert (labels.name, labels.dtype, len(labels)) == ("kind", y.dtype, 60)


def test_nets_are_told_apart_from_classifiers_that_need_every_label(pool):
    X, _, codes = pool
    with pytest.raises(ValueError, match="NetClassifier needs a label for every row"):
        skprune.nets.NetClassifier().fit(X, np.where(codes < 0, np.nan, codes))
    assert SoftMatch(missing_label=-1).missing_label == -1
