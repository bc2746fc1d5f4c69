"""Fitted pruners and nets in files: the same answers after loading, no rows unless asked for, no pickles."""

import pickle
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import polars.testing
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from skorch import NeuralNetClassifier

import skprune
from skprune import PrunedClassifier, PruningSampler, SemiPrune
from skprune._utils._saved_frames import made_of, parts_of
from skprune._utils._state_files import read_state, write_state
from skprune.baselines import (
    ActivePruner,
    ELFSPruner,
    HerdingPruner,
    KCenterPruner,
    ModeratePruner,
    RandomPruner,
    SupervisedPruner,
)
from skprune.dynamics import Recording
from skprune.nets import NetClassifier
from skprune.selection import Beta, Mixture, Random
from skprune.semi_supervised import FixMatch

FITTED = [
    *("classes_", "pseudo_labels_", "pseudo_label_confidence_", "pseudo_label_accuracy_", "difficulty_scores_"),
    *("support_", "coreset_indices_", "coreset_labels_", "annotation_indices_", "sample_weight_", "n_features_in_"),
]


def sgd():
    return make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss"))


def pruner_of(**params):
    return SemiPrune(**{"labeler": LabelSpreading(), "proxy": sgd(), "n_epochs": 10, "random_state": 0} | params)


class SmallModule(torch.nn.Module):
    """A module of a user."""

    def __init__(self, inputs=4, classes=3):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(inputs, 4), torch.nn.ReLU(), torch.nn.Linear(4, classes))

    def forward(self, X):
        return self.layers(X)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "saved.skprune"


def there_and_back(estimator, file, **options):
    estimator.save(file, **{name: value for name, value in options.items() if name == "rows"})
    return skprune.load(file, **{name: value for name, value in options.items() if name != "rows"})


def assert_same_answers(loaded, pruner, names=FITTED):
    for name in names:
        np.testing.assert_array_equal(getattr(loaded, name), getattr(pruner, name), err_msg=name)


def test_a_pruner_of_a_table_comes_back(iris, file):
    X, y, partial = iris
    pruner = pruner_of().fit(X, partial)
    loaded = there_and_back(pruner, file)
    assert repr(loaded) == repr(pruner)
    assert_same_answers(loaded, pruner)
    assert loaded.get_params(deep=False).keys() == pruner.get_params(deep=False).keys()
    pd.testing.assert_frame_equal(loaded.explain(["aum"]), pruner.explain(["aum"]))
    np.testing.assert_array_equal(loaded.transform(X), pruner.transform(X))
    np.testing.assert_array_equal(loaded.predict_difficulty(X[:9]), pruner.predict_difficulty(X[:9]))
    np.testing.assert_array_equal(loaded.dynamics_.target_proba, pruner.dynamics_.target_proba)
    np.testing.assert_array_equal(loaded.proxy_.predict_proba(X), pruner.proxy_.predict_proba(X))


def test_a_file_holds_no_rows_of_a_table(iris, file):
    X, _, partial = iris
    marked = X.copy()
    marked[7] = np.pi, np.e, 1.25, 0.5
    pruner = pruner_of(ratio=1.0, labeler=sgd_labeler()).fit(marked, partial)
    pruner.save(file)
    assert marked[7].tobytes() not in file.read_bytes()
    pruner.save(file, rows=True)
    assert marked[7].tobytes() in file.read_bytes()


def sgd_labeler():
    return SelfTrainingClassifier(sgd(), threshold=0.5)


CALLS = {
    "coreset": lambda pruner, X, y: pruner.coreset()[0],
    "select": lambda pruner, X, y: pruner.select(0.3),
    "annotation_indices": lambda pruner, X, y: pruner.annotation_indices(np.arange(150) < 9),
    "score": lambda pruner, X, y: pruner.score(X, y),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_needs_the_rows_says_so_and_works_with_them(iris, file, name):
    X, y, partial = iris
    pruner, call = pruner_of().fit(X, partial), CALLS[name]
    with pytest.raises(ValueError, match=r"saved without its rows, .*skprune.load\(file, X=X\)"):
        call(there_and_back(pruner, file), X, y)
    np.testing.assert_array_equal(call(there_and_back(pruner, file, X=X), X, y), call(pruner, X, y))
    np.testing.assert_array_equal(call(there_and_back(pruner, file, rows=True), X, y), call(pruner, X, y))


ODD = pd.DataFrame(
    {
        "float": [1.5, np.nan, -0.0, np.inf],
        "int8": np.array([1, -2, 3, 4], dtype=np.int8),
        "bool": [True, False, True, True],
        "text": ["a", None, "", "é"],
        "string": pd.array(["a", pd.NA, "", "b"], dtype="string[python]"),
        "objects": np.array(["a", None, 3, pd.NA], dtype=object),
        "texts as objects": np.array(["a", "b", "c", "d"], dtype=object),
        "nullable": pd.array([1, pd.NA, 3, 4], dtype="Int16"),
        "nullable float": pd.array([1.5, pd.NA, 3, 4], dtype="Float32"),
        "nullable bool": pd.array([True, pd.NA, False, True], dtype="boolean"),
        "category": pd.Categorical(["low", "high", None, "low"], ["unused", "low", "high"], ordered=True),
        "category of ints": pd.Categorical([3, 1, 3, 1]),
        "bins": pd.cut([1.0, 2.0, 3.0, 4.0], 2),
        "date": np.array(["2024-02-29", "NaT", "1970-01-01", "2000-01-01"], dtype="M8[s]"),
        "duration": pd.to_timedelta([1, None, 3, 4], unit="h"),
        "zoned": pd.to_datetime(
            ["2024-10-27 00:30", None, "2024-10-27 01:30", "2024-07-01 00:00"], utc=True
        ).tz_convert("Europe/Berlin"),
        "sparse": pd.arrays.SparseArray([0, 0, 5, 0]),
        7: np.arange(4, dtype=np.float32),
    }
)
ODD_POLARS = pl.DataFrame(
    {
        "float": [1.5, None, float("nan"), -0.0],
        "uint8": pl.Series([1, None, 3, 255], dtype=pl.UInt8),
        "bool": [True, None, False, True],
        "text": ["a", None, "", "é"],
        "category": pl.Series(["low", "high", None, "low"], dtype=pl.Categorical),
        "enum": pl.Series(["low", "high", None, "low"], dtype=pl.Enum(["unused", "low", "high"])),
        "date": pl.Series([0, None, 3, -4]).cast(pl.Date),
        "time": pl.Series([0, None, 3, 4]).cast(pl.Time),
        "moment": pl.Series([0, None, 3, 4]).cast(pl.Datetime("ms", "Europe/Berlin")),
        "duration": pl.Series([0, None, 3, 4]).cast(pl.Duration("ns")),
        "nothing": [None] * 4,
    }
)
INDICES = {
    "a range": pd.RangeIndex(8, 0, -2, name="row"),
    "texts twice": pd.Index(["a", "b", "a", "c"]),
    "days": pd.date_range("2024-01-01", periods=4, freq="D", tz="UTC"),
    "levels": pd.MultiIndex.from_arrays([["a", "a", None, "b"], [1, 2, 1, 1]], names=["text", None]),
    "tuples": pd.Index([("a", 1), ("b", 2)] * 2, tupleize_cols=True),
    "categories": pd.CategoricalIndex(["b", "a", "b", "b"], name="kind"),
}


def there_and_back_as_rows(X, file):
    return there_and_back(RandomPruner(1.0, random_state=0).fit(X), file, rows=True).coreset()[0]


def test_columns_of_pandas_come_back(file):
    pd.testing.assert_frame_equal(made_of(parts_of(ODD)), ODD)
    names = ODD.columns.astype(str)
    frame = ODD.set_axis(names, axis=1)
    for options in ({}, {"index": INDICES["levels"]}):
        given = frame.set_axis(options.get("index", frame.index))
        pd.testing.assert_frame_equal(there_and_back_as_rows(given, file), given)
    for name in names:
        series = frame[name]
        written, _ = written_and_read(series, file)
        pd.testing.assert_series_equal(written, series)


def written_and_read(value, file):
    names = write_state(file, value, "test")
    return read_state(file, "test"), names


@pytest.mark.parametrize("name", INDICES)
def test_indices_and_column_names_come_back(file, name):
    for frame in (
        pd.DataFrame({"a": [1.0, 2, 3, 4]}, index=INDICES[name]),
        pd.DataFrame(np.arange(8.0).reshape(2, 4), columns=INDICES[name]),
        pd.DataFrame(index=INDICES[name]),
        pd.DataFrame({"a": [1.0, 2, 3, 4]}, index=INDICES[name])[:0],
    ):
        read, names = written_and_read(frame, file)
        pd.testing.assert_frame_equal(read, frame, check_exact=True)
        assert not names


def test_frames_and_series_of_polars_come_back(file):
    for frame in (ODD_POLARS, ODD_POLARS[:0], pl.DataFrame()):
        read, names = written_and_read(frame, file)
        pl.testing.assert_frame_equal(read, frame)
        assert not names
    for series in ODD_POLARS:
        pl.testing.assert_series_equal(written_and_read(series, file)[0], series)
    pl.testing.assert_frame_equal(there_and_back_as_rows(ODD_POLARS, file), ODD_POLARS)


@pytest.mark.parametrize("library", [pd, pl])
def test_a_pruner_of_a_frame_keeps_its_rows(iris, file, library):
    X, y, partial = iris
    frame = pd.DataFrame(X, columns=list("pqrs"))
    frame = frame if library is pd else pl.DataFrame(X, schema=list("pqrs"))
    pruner = pruner_of().fit(frame, partial)
    loaded = there_and_back(pruner, file, rows=True)
    library.testing.assert_frame_equal(loaded.coreset()[0], pruner.coreset()[0])
    np.testing.assert_array_equal(loaded.select(0.3), pruner.select(0.3))
    assert loaded.score(frame, y) == pruner.score(frame, y)
    model = PrunedClassifier(LogisticRegression(max_iter=500), pruner_of(), labels="pseudo").fit(frame, partial)
    kept = there_and_back(model, file, rows=True).pruner_.coreset()[0]
    library.testing.assert_frame_equal(kept, model.pruner_.coreset()[0])


@pytest.mark.parametrize(
    ("column", "what"),
    [
        (pd.Series([Fraction(1, 2)] * 9), "objects of type Fraction"),
        (pd.Series(pd.period_range("2024", periods=9, freq="M")), r"cells of the dtype period\[M\]"),
        (pl.Series([[1, 2]] * 9), r"cells of the dtype List\(Int64\)"),
    ],
    ids=["object", "period", "list"],
)
def test_columns_that_cannot_be_written_are_named(file, column, what):
    frame = (pd if isinstance(column, pd.Series) else pl).DataFrame({"a": np.arange(9.0), "odd": column})
    pruner = RandomPruner(random_state=0).fit(frame)
    message = f"The rows cannot be kept in the file: Column 'odd' holds {what}, .*Save without rows=True, .*load\\(file, X=X\\)"
    with pytest.raises(TypeError, match=message):
        pruner.save(file, rows=True)
    assert not file.exists()
    assert len(there_and_back(pruner, file, X=frame).coreset()[0]) == pruner.support_.sum()


def test_names_that_cannot_be_written_are_named(file):
    for odd, what in (
        (pd.Series([1.0], name=pd.Timestamp("2024")), "The name .* holds an object of type Timestamp"),
        (pd.DataFrame({Fraction(1, 2): [1.0]}), "The index of columns holds objects of type Fraction"),
        (pd.DataFrame({"a": [1.0]}, index=[Fraction(1, 2)]), "The index holds objects of type Fraction"),
    ):
        with pytest.raises(TypeError, match=f"{what}, which cannot be written without a pickle"):
            write_state(file, odd, "test")


def test_a_dtype_that_is_none_is_not_called():
    with pytest.raises(ValueError, match="a column of the dtype read_csv of polars"):
        made_of({"polars": [{"name": "a", "kind": "read_csv", "options": {"source": "x"}, "cells": []}]})


def test_other_data_are_refused(iris, file):
    X, _, partial = iris
    pruner_of().fit(X, partial).save(file)
    with pytest.raises(ValueError, match="X is not the data that SemiPrune was fitted to"):
        skprune.load(file, X=X[::-1])


@pytest.mark.filterwarnings("ignore")
def test_a_pruner_of_images_needs_no_rows(images, quick, file):
    X, y, partial = images
    pruner = quick(
        labeler=FixMatch(n_steps=4, batch_size=8, mu=2, module__width=4),
        selection="auto",
        n_epochs=10,
        proxy=NetClassifier(module__width=4),
    ).fit(X, partial)
    loaded = there_and_back(pruner, file)
    assert_same_answers(loaded, pruner)
    np.testing.assert_array_equal(loaded.select(0.3), pruner.select(0.3))
    np.testing.assert_array_equal(loaded.labeler_.predict_proba(X), pruner.labeler_.predict_proba(X))
    np.testing.assert_array_equal(loaded.predict_difficulty(X[:9]), pruner.predict_difficulty(X[:9]))


SETTINGS = {
    "classes of text": {},
    "objects": {
        "selection": Mixture(Random(), second=Beta(c_d=3)),
        "record": Recording(kl=True),
        "difficulty": ["aum", "tdds"],
    },
    "a random state": {"random_state": np.random.RandomState(3), "estimate_accuracy": False},
    "several proxies": {"n_repeats": 2},
    "a comparison": {"compare_with_random": LogisticRegression(max_iter=500)},
    "its own labeler": {"budget": 12, "goal": "pseudo"},
}


@pytest.mark.filterwarnings("ignore:(If this coreset|Random rows|The coreset)")
@pytest.mark.parametrize("name", SETTINGS)
def test_settings_come_back(iris, file, name):
    X, _, partial = iris
    labels = np.array([None if label < 0 else "abc"[label] for label in partial], dtype=object)
    pruner = pruner_of(**SETTINGS[name]).fit(pd.DataFrame(X, columns=list("pqrs")), labels)
    loaded = there_and_back(pruner, file)
    assert_same_answers(loaded, pruner, [*FITTED, "feature_names_in_"])
    assert repr(loaded.get_params()["selection"]) == repr(pruner.get_params()["selection"])
    assert loaded.random_comparison_ == pruner.random_comparison_


def test_groups_come_back(iris, file):
    X, _, partial = iris
    pruner = pruner_of().fit(X, partial, groups=np.arange(150) // 3)
    loaded = there_and_back(pruner, file, X=X)
    np.testing.assert_array_equal(loaded.select(0.3), pruner.select(0.3))


def test_places_on_a_machine_stay_there(iris, tmp_path, file):
    X, _, partial = iris
    pruner = pruner_of(memory=str(tmp_path / "cache"), checkpoint=tmp_path / "kept").fit(X, partial)
    loaded = there_and_back(pruner, file)
    assert (loaded.memory, loaded.checkpoint) == (None, None)
    assert str(tmp_path).encode() not in file.read_bytes()


@pytest.mark.parametrize(
    "pruner",
    [
        RandomPruner(random_state=0),
        KCenterPruner(random_state=0),
        HerdingPruner(random_state=0),
        ModeratePruner(random_state=0),
        ELFSPruner(proxy=sgd(), n_epochs=10, random_state=0),
        ActivePruner(strategy="margin", classifier=LogisticRegression(max_iter=500), random_state=0),
        SupervisedPruner(proxy=sgd(), n_epochs=10, random_state=0),
    ],
    ids=lambda pruner: type(pruner).__name__,
)
def test_baselines_come_back(iris, file, pruner):
    X, y, partial = iris
    pruner.fit(X, partial if isinstance(pruner, ActivePruner) else y)
    loaded = there_and_back(pruner, file)
    assert_same_answers(loaded, pruner, ["support_", "difficulty_scores_", "coreset_labels_"])
    loaded = there_and_back(pruner, file, rows=True)
    np.testing.assert_array_equal(loaded.select(0.3), pruner.select(0.3))
    np.testing.assert_array_equal(loaded.coreset()[0], X[pruner.support_])
    if isinstance(pruner, (KCenterPruner, HerdingPruner, ModeratePruner)):
        with pytest.raises(ValueError, match="saved without its rows"):
            there_and_back(pruner, file, X=X).select(0.3)


def test_models_around_a_pruner_come_back(iris, file):
    X, _, partial = iris
    model = PrunedClassifier(make_pipeline(PCA(2), LogisticRegression()), pruner_of(), labels="pseudo").fit(X, partial)
    loaded = there_and_back(model, file, X=X)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(loaded.pruner_.coreset()[0], X[model.pruner_.support_])
    sampler = PruningSampler(pruner_of()).fit(X, partial)
    np.testing.assert_array_equal(there_and_back(sampler, file).sample_indices_, sampler.sample_indices_)


def test_nets_come_back(iris, file):
    X, y, partial = iris
    net = NetClassifier(max_epochs=2, module__width=8, optimizer=torch.optim.Adam, lr=0.01, random_state=0)
    frame = pd.DataFrame(X, columns=list("pqrs"))
    net.fit(frame, y)
    loaded = there_and_back(net, file)
    assert repr(loaded) == repr(net)
    np.testing.assert_array_equal(loaded.predict_proba(frame), net.predict_proba(frame))
    assert loaded.feature_names_in_.tolist() == list("pqrs")
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        loaded.predict(frame[list("srqp")])
    assert loaded.history[:, "train_loss"] == net.history[:, "train_loss"]
    with pytest.raises(ValueError, match="X is the pool of a pruner, and .* holds a NetClassifier"):
        skprune.load(file, X=X)


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_boosting_of_other_libraries_is_trusted_by_one_name(iris, tmp_path, file, library):
    module = pytest.importorskip(library, reason=f"{library} is not installed")
    proxy = module.LGBMClassifier(verbosity=-1) if library == "lightgbm" else module.XGBClassifier()
    X, y, _ = iris
    pruner, again = (pruner_of(proxy=proxy, checkpoint=tmp_path / "kept").fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(again.proxy_.predict_proba(X), pruner.proxy_.predict_proba(X))
    name = f"{library}.sklearn.{type(proxy).__name__}"
    with pytest.warns(
        UserWarning, match=rf"names {name}, so that it is read by skprune.load\(file, trusted=\['{name}'\]\)"
    ):
        pruner.save(file)
    with pytest.raises(ValueError, match=rf"it names {name}, which skprune does not know.*trusted=\['{name}'\]"):
        skprune.load(file)
    loaded = skprune.load(file, trusted=[name])
    np.testing.assert_array_equal(loaded.predict_difficulty(X), pruner.predict_difficulty(X))


def test_classes_of_a_user_are_trusted_by_name_only(iris, file):
    X, y, _ = iris
    proxy = NeuralNetClassifier(SmallModule, criterion=torch.nn.CrossEntropyLoss, max_epochs=2, verbose=0)
    pruner = SupervisedPruner(proxy=proxy, n_epochs=4, difficulty="aum", random_state=0).fit(X.astype(np.float32), y)
    name = f"{__name__}.SmallModule"
    with pytest.warns(
        UserWarning, match=rf"names {name}, so that it is read by skprune.load\(file, trusted=\['{name}'\]\)"
    ):
        pruner.save(file)
    with pytest.raises(ValueError, match=rf"cannot be loaded: it names {name}, .*pass trusted=\['{name}'\]"):
        skprune.load(file)
    loaded = skprune.load(file, trusted=[name])
    np.testing.assert_array_equal(
        loaded.proxy_.predict_proba(X.astype(np.float32)), pruner.proxy_.predict_proba(X.astype(np.float32))
    )


def test_what_can_only_be_pickled_is_named_and_the_file_stays(iris, file):
    X, y, _ = iris
    net = NetClassifier(max_epochs=1, module__width=4, random_state=0).fit(X, y)
    net.save(file)
    content = file.read_bytes()
    net.set_params(augment=lambda x, generator: x)
    with pytest.raises(TypeError, match="<lambda> is defined within a function"):
        net.save(file)
    assert file.read_bytes() == content


def test_what_is_not_fitted_is_not_saved(file):
    for estimator in (SemiPrune(), NetClassifier()):
        with pytest.raises(NotFittedError):
            estimator.save(file)
    assert not file.exists()


def test_other_files_are_refused_by_name(tmp_path, file):
    file.write_bytes(pickle.dumps(SemiPrune()))
    with pytest.raises(ValueError, match=f"{file} cannot be loaded"):
        skprune.load(file)
    with pytest.raises(FileNotFoundError):
        skprune.load(tmp_path / "nowhere")


@pytest.mark.parametrize("version", ["0.1.0", "0.3.1"])
def test_pickles_and_files_of_another_minor_version_are_refused(iris, file, monkeypatch, version):
    X, y, _ = iris
    models = [
        RandomPruner(random_state=0).fit(X),
        NetClassifier(max_epochs=1, module__width=4, random_state=0).fit(X, y),
    ]
    for model in models:
        with monkeypatch.context() as context:
            context.setattr(skprune, "__version__", version)
            pickled = pickle.dumps(model)
            model.save(file)
        with pytest.raises(
            ValueError, match=f"{type(model).__name__} cannot be unpickled: .*written by skprune {version}"
        ):
            pickle.loads(pickled)
        with pytest.raises(ValueError, match=f"written by skprune {version}, and this is {skprune.__version__}"):
            skprune.load(file)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).n_features_in_, 4)


def test_a_pickle_without_a_version_is_of_the_first_one(iris):
    X, _, _ = iris
    state = RandomPruner(random_state=0).fit(X).__getstate__()
    del state["_skprune_version"]
    with pytest.raises(ValueError, match="written by skprune 0.1.0"):
        RandomPruner().__setstate__(state)
