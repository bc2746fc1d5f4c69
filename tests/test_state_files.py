"""Files of state: what is written comes back, damage and crafted content are refused by name, and nothing of it is run."""

import errno
import io
import json
import os
import pickle
import resource
import sys
import threading
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
import torch
from lightgbm import LGBMClassifier
from safetensors import safe_open
from safetensors.numpy import save_file
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from sklearn.tree import DecisionTreeClassifier

import skprune
from skprune._utils import _state_files
from skprune._utils._files import whole_file
from skprune._utils._index_checks import check_indices
from skprune._utils._state_files import UnreadableState, read_state, write_state
from skprune._utils._state_tree import StateReader, StateWriter, check_savable
from skprune._utils._trusted import names_in, with_parts
from skprune.nets import NetClassifier
from skprune.selection import Beta
from skprune.semi_supervised import SoftMatch


def shout(X):
    return X


class Payload:
    """An object whose pickle would make a file."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state.safetensors"


def there_and_back(file, value, trusted=()):
    write_state(file, value, "thing")
    return read_state(file, "thing", trusted)


PLAIN = [
    None,
    True,
    -3,
    2**80,
    0.1,
    float("inf"),
    "text ü",
    [1, [2]],
    (1, (2.5, None)),
    {"a": 1, 2: "b", (3, 4): []},
    np.float32(2.5),
    np.int64(3),
]


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values_come_back(file, value):
    again = there_and_back(file, value)
    assert again == value
    assert type(again) is type(value)


ARRAYS = [
    np.arange(6.0).reshape(2, 3),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.arange(6)[::2],
    np.array(3.0),
    np.zeros((0, 4), dtype=np.float32),
    np.array([True, False]),
    np.array(["a", "bcd"]),
    np.array([None, 1, "x", 2.5], dtype=object),
    np.array(["2026-01-31", "NaT"], dtype="datetime64[D]"),
    np.arange(3, dtype=">i4"),
    np.arange(6.0)[:, None] @ np.ones((1, 2)),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}-{array.shape}")
def test_arrays_come_back(file, array):
    again = there_and_back(file, array)
    np.testing.assert_array_equal(again, array)
    assert again.dtype == array.dtype.newbyteorder("=")
    assert again.shape == array.shape
    assert again.flags.f_contiguous == np.ascontiguousarray(array).flags.f_contiguous or array.flags.f_contiguous


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.bool])
def test_tensors_come_back(file, dtype):
    tensor = torch.arange(6).reshape(2, 3).to(dtype)
    again = there_and_back(file, tensor)
    assert again.dtype == dtype
    assert torch.equal(again, tensor)
    again.zero_()  # it may be written to


def test_texts_of_numpy_are_texts(file):
    assert there_and_back(file, {"label": np.array(["a"])[0]}) == {"label": "a"}


def test_an_array_that_comes_twice_is_written_once(file):
    array = np.zeros(100_000)
    first, second = there_and_back(file, [array, {"again": array}])
    assert first is second["again"]
    assert file.stat().st_size < 900_000


MODELS = {
    "forest": RandomForestClassifier(4, random_state=0),
    "boosting": GradientBoostingClassifier(n_estimators=3, random_state=0),
    "histograms": HistGradientBoostingClassifier(max_iter=3),
    "lightgbm": LGBMClassifier(n_estimators=3, verbose=-1),
    "neighbors": make_pipeline(StandardScaler(), KNeighborsClassifier(3)),
    "perceptron": MLPClassifier((4,), max_iter=5),
    "sgd": SGDClassifier(loss="log_loss"),
    "function": make_pipeline(FunctionTransformer(shout), LogisticRegression(max_iter=500)),
    "stacking": StackingClassifier([("tree", DecisionTreeClassifier(max_depth=2))], cv=2),
    "bagging": BaggingClassifier(DecisionTreeClassifier(), 3, max_features=0.5, random_state=0),
    "net": NetClassifier(max_epochs=1, module__width=8, random_state=0),
    "net in a pipeline": make_pipeline(StandardScaler(), NetClassifier(max_epochs=1, module__width=8, random_state=0)),
}


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer", "ignore:X does not have valid feature names")
@pytest.mark.parametrize("name", MODELS)
def test_models_come_back(file, iris, name):
    X, y, _ = iris
    model = MODELS[name].fit(X, y)
    again = there_and_back(file, model, names_in(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    check_savable(model)


@pytest.mark.parametrize(
    "labeler",
    [
        LabelSpreading(kernel="knn"),
        SelfTrainingClassifier(NetClassifier(max_epochs=1, module__width=8, random_state=0)),
    ],
)
def test_labelers_come_back(file, iris, labeler):
    X, _, partial_labels = iris
    model = labeler.fit(X, partial_labels)
    again = there_and_back(file, model, names_in(model))
    np.testing.assert_allclose(again.predict_proba(X), model.predict_proba(X), rtol=1e-12)


def test_unfitted_models_come_back(file):
    net = SoftMatch(n_steps=7, n_sigma=2.0, optimizer__momentum=0.5, optimizer=torch.optim.SGD)
    again = there_and_back(file, [net, Beta(c_d=3), partial(skprune.scores.dual, window=4)])
    assert repr(again[0]) == repr(net)
    assert again[0].get_params(deep=False) == net.get_params(deep=False)
    assert repr(again[1]) == repr(Beta(c_d=3))
    assert again[2].func is skprune.scores.dual
    assert again[2].keywords == {"window": 4}


# Damage


@pytest.fixture
def written(file):
    write_state(file, {"weights": np.arange(50.0), "name": "net"}, "thing")
    return file


@pytest.mark.parametrize("place", [3, 20, 60, 150, 250, -1, -100, -399])
def test_a_flipped_bit_is_found(written, place):
    content = bytearray(written.read_bytes())
    content[place] ^= 4
    written.write_bytes(content)
    with pytest.raises(UnreadableState):
        read_state(written, "thing")


@pytest.mark.parametrize("keep", [0, 1, 8, 100, -1])
def test_a_truncated_file_is_refused(written, keep):
    content = written.read_bytes()
    written.write_bytes(content[:keep])
    with pytest.raises(UnreadableState):
        read_state(written, "thing")


def test_a_missing_file_is_an_os_error(file):
    with pytest.raises(FileNotFoundError):
        read_state(file, "thing")


def test_another_kind_is_named(written):
    with pytest.raises(UnreadableState, match="it holds a thing, and a pruner was expected"):
        read_state(written, "pruner")


def test_a_file_of_others_is_refused(file):
    save_file({"a": np.zeros(3)}, file, metadata={"format": "pt"})
    with pytest.raises(UnreadableState, match="it is no file of skprune"):
        read_state(file, "thing")


@pytest.mark.parametrize("version", ["0.1.0", "9.2.0"])
def test_another_version_is_named(file, monkeypatch, version):
    with monkeypatch.context() as context:
        context.setattr(skprune, "__version__", version)
        write_state(file, [1], "thing")
    with pytest.raises(UnreadableState, match=f"written by skprune {version}, and this is {skprune.__version__}"):
        read_state(file, "thing")


def test_a_patch_release_is_read(file, monkeypatch):
    with monkeypatch.context() as context:
        context.setattr(skprune, "__version__", ".".join(skprune.__version__.split(".")[:2]) + ".7")
        write_state(file, [1], "thing")
    assert read_state(file, "thing") == [1]


# Crafted content: with a checksum that is right


def craft(file, node, arrays=None):
    """Write a file that is whole, with any tree and arrays."""
    arrays = arrays or {}
    head = {"format": _state_files.FORMAT, "kind": "thing", "skprune": skprune.__version__, "state": json.dumps(node)}
    save_file(arrays, file, metadata=head | {"checksum": _state_files._checksum(head, arrays)})


CRAFTED = {
    "a function": {"name": "os.system"},
    "a function of skprune that reads files": {"name": "skprune._utils._saving.load"},
    "a function behind a module of skprune": {"name": "skprune._utils._files.os.system"},
    "a call": {"partial": [{"name": "os.system"}, {"tuple": ["true"]}, {"dict": []}]},
    "an object": {"object": "subprocess.Popen", "state": {"dict": []}},
    "an object of torch": {"object": "torch.nn.modules.linear.Linear", "state": {"dict": []}},
    "a net in pickled parts": {"object": "skprune.nets._classifier.NetClassifier", "state": {"dict": []}},
    "a function of torch": {"name": "torch.nn.modules.module.torch"},
    "a module that nobody has imported": {"name": "antigravity.webbrowser"},
    "a net that is none": {"net": "skprune.selection._beta.Beta", "parameters": {"dict": []}, "fitted": None},
    "a method of the reader": {"value": 1},
    "an attribute of the reader": {"skops": "no such array"},
    "a depth without end": None,
}


@pytest.mark.parametrize("name", CRAFTED)
def test_crafted_trees_are_refused(file, name):
    node = CRAFTED[name]
    if name == "a depth without end":
        node = 1
        for _ in range(900):
            node = [node]
        node = {"object": "os.x", "state": node}
    craft(file, node)
    with pytest.raises(UnreadableState):
        read_state(file, "thing")
    assert "antigravity" not in sys.modules


def test_pickles_are_not_run(tmp_path, file):
    made = tmp_path / "made"
    file.write_bytes(pickle.dumps(Payload(made)))
    with pytest.raises(UnreadableState):
        read_state(file, "thing")
    content = np.frombuffer(pickle.dumps(Payload(made)), dtype=np.uint8)
    craft(file, {"skops": "0", "nets": []}, {"0": content})
    with pytest.raises(UnreadableState):
        read_state(file, "thing")
    assert not made.exists()
    pickle.loads(pickle.dumps(Payload(made)))
    assert made.exists(), "the payload works where it is run"


def test_places_that_a_file_names_are_forgotten(file, tmp_path):
    state = {"dict": [["memory", str(tmp_path)], ["checkpoint", str(tmp_path)], ["ratio", 0.3]]}
    craft(file, {"object": "skprune._semi_prune.SemiPrune", "state": state})
    pruner = read_state(file, "thing")
    assert (pruner.memory, pruner.checkpoint, pruner.ratio) == (None, None, 0.3)
    model = make_pipeline(StandardScaler(), LogisticRegression(), memory=str(tmp_path))
    again = there_and_back(file, SelfTrainingClassifier(model), names_in(model))
    assert again.estimator.memory is None
    assert model.memory == str(tmp_path)


def skops_array(value):
    return {"0": np.frombuffer(skops.io.dumps(value), dtype=np.uint8)}


def test_functions_within_models_are_refused(file, tmp_path):
    made = tmp_path / "made"
    model = FunctionTransformer(partial(os.mkdir, str(made)))
    craft(file, {"skops": "0", "nets": []}, skops_array(model))
    with pytest.raises(UnreadableState, match=r"it names .*posix.mkdir.*pass trusted="):
        read_state(file, "thing")
    assert not made.exists()


@pytest.mark.parametrize("trusted", [(), ("skprune.nets._classifier.NetClassifier",)])
def test_nets_within_models_are_refused_in_pickled_parts(file, trusted):
    module = "skprune.nets._classifier"
    state = {"__class__": "NetClassifier", "__module__": module, "__loader__": "ObjectNode"}
    content = skops.io.dumps([1])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        schema = json.loads(archive.read("schema.json"))
    schema["content"][0] = state
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
    craft(file, {"skops": "0", "nets": []}, {"0": np.frombuffer(stream.getvalue(), dtype=np.uint8)})
    with pytest.raises(UnreadableState, match="it holds a net"):
        read_state(file, "thing", trusted)


def spoiled_tree(model, **changes):
    """Return a tree of a model in which some nodes are spoiled, as a crafted file may hold it."""
    tree = model.tree_
    state = tree.__getstate__()
    nodes = state["nodes"].copy()
    for name, value in changes.items():
        nodes[name][0] = value
    twin = type(tree)(*tree.__reduce__()[1])
    twin.__setstate__(state | {"nodes": nodes})
    return twin


FRAMES = {
    "imputer": make_column_transformer((SimpleImputer(), list("abcd")), (OneHotEncoder(), ["kind"])),
    "selected columns": make_column_transformer(
        (SimpleImputer(), make_column_selector(dtype_include="number")),
        (OneHotEncoder(), make_column_selector(dtype_exclude="number")),
    ),
    "neighbors": make_column_transformer((KNNImputer(), list("abcd")), (OrdinalEncoder(), ["kind"])),
    "bins": make_pipeline(
        make_column_transformer((SimpleImputer(), list("abcd"))),
        KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"),
    ),
    "best": make_pipeline(make_column_transformer((SimpleImputer(), list("abcd"))), SelectKBest(k=2)),
    "categories": None,
}


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize(
    "model", [LogisticRegression(max_iter=500), LabelSpreading(kernel="knn")], ids=["linear", "spreading"]
)
def test_models_of_frames_are_trusted(file, iris, name, model):
    """Missing cells, texts and categories, as in the docs: nothing has to be trusted by name."""
    X, y, _ = iris
    frame = pd.DataFrame(X, columns=list("abcd")).assign(kind=pd.Categorical(np.array(["u", "v", "w"])[y]))
    frame.loc[::7, "a"] = np.nan
    if FRAMES[name] is None:
        model = HistGradientBoostingClassifier(categorical_features="from_dtype", max_iter=3)
    else:
        model = make_pipeline(FRAMES[name], model)
    again = there_and_back(file, model.fit(frame, y))
    np.testing.assert_array_equal(again.predict_proba(frame), model.predict_proba(frame))


def test_sparse_tables_that_point_beyond_their_arrays_are_refused(file, iris):
    X, y, _ = iris
    model = make_pipeline(
        KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"), LabelSpreading(kernel="knn")
    ).fit(X, y)
    check_indices(model)
    model[-1].X_.indices[5] = 10**6
    write_state(file, model, "thing")
    with pytest.raises(UnreadableState, match="indices"):
        read_state(file, "thing")


@pytest.mark.parametrize("changes", [{"left_child": 10**6}, {"right_child": -7}, {"feature": 99}, {"left_child": 0}])
def test_trees_that_point_beyond_their_arrays_are_refused(iris, file, changes):
    X, y, _ = iris
    model = DecisionTreeClassifier(max_depth=2).fit(X, y)
    check_indices(model)
    model.tree_ = spoiled_tree(model, **changes)
    write_state(file, model, "thing")
    with pytest.raises(UnreadableState, match="it holds a tree whose nodes"):
        read_state(file, "thing")


def test_trees_of_more_columns_than_their_forest_are_refused(iris):
    X, y, _ = iris
    forest = RandomForestClassifier(2, random_state=0).fit(X, y)
    check_indices(forest)
    forest.n_features_in_ = 1
    with pytest.raises(ValueError, match="point beyond"):
        check_indices(forest)


@pytest.mark.parametrize(
    "changes", [{"left": 10**6}, {"feature_idx": 99}, {"right": 0}, {"is_categorical": 1, "bitset_idx": 5}]
)
def test_boosted_trees_that_point_beyond_their_arrays_are_refused(iris, changes):
    X, y, _ = iris
    model = HistGradientBoostingClassifier(max_iter=1).fit(X, y)
    check_indices(model)
    for name, value in changes.items():
        model._predictors[0][0].nodes[name][0] = value
    with pytest.raises(ValueError, match="it holds a tree whose nodes"):
        check_indices(model)


@pytest.mark.parametrize(("place", "value"), [(1, 10**6), (2, (0, 10**6, 0, 1.0)), (6, 10**6), (5, 40)])
def test_trees_of_neighbors_that_point_beyond_their_arrays_are_refused(iris, place, value):
    X, y, _ = iris
    model = KNeighborsClassifier(leaf_size=5, algorithm="kd_tree").fit(X, y)
    check_indices(model)
    state = list(model._tree.__getstate__())
    if place in (1, 2):
        state[place] = np.array(state[place])
        state[place][0] = value
    else:
        state[place] = value
    model._tree.__setstate__(tuple(state))
    with pytest.raises(ValueError, match="it holds a tree"):
        check_indices(model)


def test_what_can_only_be_pickled_is_named(file):
    def local(X):
        return X

    with pytest.raises(TypeError, match="local is defined within a function"):
        write_state(file, local, "thing")
    with pytest.raises(TypeError, match="dict_keys cannot be written without a pickle"):
        write_state(file, {}.keys(), "thing")
    assert not file.exists()
    for function in (local, lambda X: X):
        with pytest.raises((TypeError, ValueError, AttributeError)):
            check_savable(FunctionTransformer(function))


def test_names_of_a_template():
    model = make_pipeline(FunctionTransformer(partial(shout)), SelfTrainingClassifier(LogisticRegression()))
    names = names_in(model)
    assert {"sklearn.pipeline.Pipeline", "sklearn.linear_model._logistic.LogisticRegression"} <= names
    assert f"{__name__}.shout" in names
    assert "lightgbm.basic.Booster" in with_parts(names_in(LGBMClassifier()))
    assert with_parts(names) == names


# Whole files


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write(text, file):
    with whole_file(file) as unfinished:
        unfinished.write_text(text)


def test_a_file_is_replaced_as_a_whole(tmp_path):
    write("first", tmp_path / "a" / "file")
    write("second", tmp_path / "a" / "file")
    assert (tmp_path / "a" / "file").read_text() == "second"
    assert names(tmp_path / "a") == ["file"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_an_error_leaves_the_file_as_it_was(tmp_path, error):
    write("first", tmp_path / "file")

    def fail():
        with whole_file(tmp_path / "file") as unfinished:
            unfinished.write_text("sec")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert (tmp_path / "file").read_text() == "first"
    assert names(tmp_path) == ["file"]


def test_a_limit_of_the_file_size_leaves_the_file_as_it_was(tmp_path):
    write("first", tmp_path / "file")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            write("x" * 100_000, tmp_path / "file")
        with pytest.raises(Exception, match="File too large"):
            write_state(tmp_path / "state", np.zeros(100_000), "thing")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "file").read_text() == "first"
    assert names(tmp_path) == ["file"]


def test_a_folder_that_is_removed_meanwhile_is_an_error(tmp_path):
    folder = tmp_path / "folder"

    def remove_it():
        with whole_file(folder / "file") as unfinished:
            unfinished.write_text("x")
            unfinished.unlink()
            folder.rmdir()

    with pytest.raises(FileNotFoundError):
        remove_it()
    assert not folder.exists()
    write("again", folder / "file")
    assert (folder / "file").read_text() == "again"


def test_a_file_system_that_cannot_flush_is_no_error(tmp_path, monkeypatch):
    def unknown(handle):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", unknown)
    write("text", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "text"

    def broken(handle):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output error"):
        write("other", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "text"


def test_several_writers_leave_one_whole_file(tmp_path):
    file = tmp_path / "file"
    texts = [letter * 200_000 for letter in "abcd"]
    write(texts[0], file)
    errors, seen = [], set()

    def write_often(text):
        try:
            for _ in range(10):
                write(text, file)
                seen.add(file.read_text())
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write_often, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert seen <= set(texts)
    assert names(tmp_path) == ["file"]


def test_files_follow_the_rights_of_the_process(tmp_path):
    before = os.umask(0o027)
    try:
        write("text", tmp_path / "file")
        write_state(tmp_path / "state", [1], "thing")
    finally:
        os.umask(before)
    assert oct((tmp_path / "file").stat().st_mode & 0o777) == "0o640"
    assert oct((tmp_path / "state").stat().st_mode & 0o777) == "0o640"


def test_readers_of_safetensors_read_the_arrays(written):
    with safe_open(written, framework="np") as stream:
        assert stream.metadata()["skprune"] == skprune.__version__
        (name,) = stream.keys()
        np.testing.assert_array_equal(stream.get_tensor(name), np.arange(50.0))


def test_writer_and_reader_need_no_file():
    writer = StateWriter()
    node = writer.node({"a": np.arange(3)})
    assert StateReader(writer.arrays).value(node)["a"].tolist() == [0, 1, 2]
