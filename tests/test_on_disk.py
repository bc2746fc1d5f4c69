"""Pools that stay on disk: the same coreset as in memory, and few bytes that are copied."""

import errno
import os
import pickle
import tracemalloc

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.utils.data import Dataset

from skprune import PrunedClassifier, SemiPrune
from skprune._pipeline import _space
from skprune._utils import _equal_rows, _mapped
from skprune._utils._items import read_items
from skprune._utils._mapped import as_contiguous, empty_rows, is_mapped
from skprune._utils._pool import as_pool
from skprune.baselines import RandomPruner
from skprune.datasets import make_partial_labels
from skprune.dynamics import collect_dynamics
from skprune.nets import NetClassifier
from skprune.selection import Random
from skprune.semi_supervised import FixMatch

pytestmark = pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")  # a few steps teach little


@pytest.fixture
def on_disk(tmp_path):
    """Return a function that writes an array to a file, and maps it."""

    def mapped(array):
        np.save(tmp_path / "pool.npy", array)
        return np.load(tmp_path / "pool.npy", mmap_mode="r")

    return mapped


def table(n, d, dtype=np.float32):
    return np.random.default_rng(0).normal(size=(n, d)).astype(dtype), np.arange(n) % 3


def images(n, side=8):
    return np.random.default_rng(0).integers(0, 256, (n, 3, side, side), dtype=np.uint8), np.arange(n) % 3


BRIEF = {"n_epochs": 2, "difficulty": "aum", "selection": Random(), "random_state": 0}
SMALL = {
    "labeler": FixMatch(n_steps=5, batch_size=8, mu=2),
    "estimate_accuracy": False,
    "n_epochs": 3,
    "difficulty": "aum",
}


@pytest.mark.parametrize("view", [lambda X: X, np.asarray, lambda X: X[5:], lambda X: X.reshape(len(X), -1)[::2]])
def test_mapped_arrays_are_known(on_disk, view):
    X = on_disk(images(20)[0])
    assert is_mapped(view(X))
    assert not is_mapped(np.array(view(X)))
    assert not is_mapped(view(np.zeros((9, 2))))


@pytest.mark.parametrize("make", [table, images], ids=["table", "images"])
@pytest.mark.parametrize(
    "proxy", [None, make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", alpha=0.1))], ids=["net", "pipeline"]
)
def test_the_coreset_is_that_of_the_pool_in_memory(make, proxy, on_disk, monkeypatch):
    monkeypatch.setattr(_mapped, "_CHUNK_BYTES", 999)  # many chunks
    X, y = make(60, 9)
    partial = make_partial_labels(y, n_labeled=18, random_state=0)
    in_memory, mapped = (
        SemiPrune(0.3, proxy=proxy, random_state=0, **SMALL).fit(rows, partial) for rows in (X, on_disk(X))
    )
    np.testing.assert_array_equal(mapped.support_, in_memory.support_)
    np.testing.assert_array_equal(mapped.pseudo_labels_, in_memory.pseudo_labels_)
    np.testing.assert_array_equal(mapped.dynamics_.target_proba, in_memory.dynamics_.target_proba)
    np.testing.assert_array_equal(mapped.difficulty_scores_, in_memory.difficulty_scores_)
    assert mapped.score(X, y) == in_memory.score(X, y)


@pytest.mark.parametrize("record", ["train", "eval"])
def test_nets_read_batches_by_index(record, on_disk):
    X, y = table(70, 5)
    runs = [
        collect_dynamics(NetClassifier(), rows, y, n_epochs=3, record=record, random_state=0)
        for rows in (X, on_disk(X))
    ]
    (first, net), (second, other) = runs
    np.testing.assert_array_equal(first.target_proba, second.target_proba)
    np.testing.assert_array_equal(net.predict_proba(X), other.predict_proba(on_disk(X)))


@pytest.mark.parametrize("dtype", [np.float16, np.int64, np.float64, np.uint8])
def test_other_numbers_are_converted_on_disk(dtype, on_disk):
    X = (10 * np.random.default_rng(0).random((40, 3))).astype(dtype)
    pool = as_pool(on_disk(X))
    np.testing.assert_array_equal(pool, as_pool(X))
    assert pool.dtype == as_pool(X).dtype
    assert is_mapped(pool)


def test_channels_last_are_turned_on_disk(on_disk):
    X, _ = images(10)
    pool = as_pool(on_disk(X.transpose(0, 2, 3, 1)))
    assert is_mapped(pool)
    np.testing.assert_array_equal(pool, X)


def test_cells_that_are_not_finite_are_named(on_disk, monkeypatch):
    monkeypatch.setattr(_mapped, "_CHUNK_BYTES", 100)
    X, _ = table(50, 4)
    X[33, 2] = np.nan
    X[40] = np.inf
    with pytest.raises(ValueError, match=r"NaN, first in row 33, column 2; 2 rows are not finite"):
        as_pool(on_disk(X))


def test_the_kept_rows_are_read_when_they_are_asked_for(on_disk):
    X, y = table(60, 9)
    mapped = on_disk(X)
    pruner = RandomPruner(0.5, random_state=0).fit(mapped, y)
    rows, _ = pruner.coreset()
    np.testing.assert_array_equal(rows, X[pruner.support_])
    np.testing.assert_array_equal(pruner.transform(mapped), rows)
    again = pickle.loads(pickle.dumps(pruner))
    np.testing.assert_array_equal(again.coreset()[0], rows)


def test_a_classifier_is_trained_on_a_mapped_pool(on_disk):
    X, y = table(60, 9)
    model = PrunedClassifier(SGDClassifier(random_state=0), RandomPruner(0.5, random_state=0))
    expected = model.fit(X, y).predict(X)
    np.testing.assert_array_equal(model.fit(on_disk(X), y).predict(X), expected)


class Items(Dataset):
    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, row):
        return self.rows[row], -7


def test_items_beyond_memory_are_read_to_disk(monkeypatch):
    X, y = images(50)
    expected = SemiPrune(0.3, random_state=0, **SMALL).fit(Items(X), y)
    monkeypatch.setattr(_mapped, "_MOST_IN_MEMORY", 1000)
    data, _ = read_items(Items(X))
    assert is_mapped(data)
    np.testing.assert_array_equal(data, X)
    found = SemiPrune(0.3, random_state=0, **SMALL).fit(Items(X), y)
    np.testing.assert_array_equal(found.support_, expected.support_)


def test_image_files_in_order(tmp_path, monkeypatch):
    """Decoded by threads, gray ones among colors, into memory or a file."""
    pixels = images(150)[0].transpose(0, 2, 3, 1)
    names = [os.fspath(tmp_path / f"{row}.png") for row in range(len(pixels))]
    for row, name in enumerate(names):
        Image.fromarray(pixels[row, :, :, 0] if row < 2 or row == 100 else pixels[row]).save(name)
    expected = pixels.copy()
    expected[[0, 1, 100]] = expected[[0, 1, 100], :, :, :1]
    for most in (2**30, 1000):
        monkeypatch.setattr(_mapped, "_MOST_IN_MEMORY", most)
        data, is_image = read_items(names)
        assert is_image
        assert is_mapped(data) == (most == 1000)
        np.testing.assert_array_equal(data, expected.transpose(0, 3, 1, 2))


def test_files_that_cannot_be_read(tmp_path):
    names = [os.fspath(tmp_path / f"{row}.png") for row in range(80)]
    for name in names:
        Image.new("RGB", (4, 4)).save(name)
    (tmp_path / "70.png").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"70\.png cannot be read as an image"):
        read_items(names)


def test_files_of_their_own_end_with_the_array(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", os.fspath(tmp_path))
    array = empty_rows((4, 3), np.float32, mapped=True)
    array[:] = 2.0
    assert is_mapped(as_contiguous(array, np.float64))
    assert array.sum() == 24.0
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named(monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(
        OSError, match=r"0\.25 GiB cannot be written to .*: No space left on device\. Set TMPDIR"
    ) as caught:
        empty_rows((2**26, 1), np.float32, mapped=True)
    assert caught.value.errno == errno.ENOSPC


def unsupported(*args):
    raise OSError(errno.EOPNOTSUPP, "Operation not supported")


@pytest.mark.parametrize("reserve", [None, unsupported])
def test_systems_that_cannot_reserve_space(reserve, monkeypatch):
    monkeypatch.setattr(os, "posix_fallocate", reserve, raising=False)
    if reserve is None:
        monkeypatch.delattr(os, "posix_fallocate")
    array = empty_rows((4, 3), np.float64, mapped=True)
    array[:] = 3.0
    assert is_mapped(array)
    assert array.sum() == 36.0
    assert not is_mapped(empty_rows((0, 3), np.float64, mapped=True))


POOLS = {"table": table(400, 5), "wide": table(400, 300), "images": images(120)}


@pytest.mark.parametrize("kind", POOLS)
def test_features_of_a_mapped_pool_lie_in_a_file(kind, on_disk, monkeypatch):
    monkeypatch.setattr(_space, "_MOST_SAMPLE_BYTES", 1000)
    monkeypatch.setattr(_space, "_LEAST_SAMPLE", 200)
    X, y = POOLS[kind]
    net = NetClassifier(module__width=8) if kind == "images" else NetClassifier(module__width=64)
    pruner = SemiPrune(0.2, proxy=net, random_state=0, **SMALL)
    expected = pruner.fit(X, y)
    assert not is_mapped(expected._inputs.embedding)
    support, embedding = expected.support_, expected._inputs.embedding
    found = pruner.fit(on_disk(X), y)
    assert is_mapped(found._inputs.embedding)
    np.testing.assert_array_equal(found.support_, support)
    np.testing.assert_array_equal(found._inputs.embedding, embedding)
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.select(0.3), found.select(0.3))


def test_what_lies_in_a_file_of_no_name_goes_to_other_processes(on_disk, monkeypatch):
    monkeypatch.setattr(_mapped, "_MOST_IN_MEMORY", 1000)
    X, y = images(60)
    pruner = SemiPrune(0.3, proxy=NetClassifier(module__width=8), n_repeats=2, random_state=0, **SMALL)
    expected = pruner.fit(X, y).support_
    for pool in (Items(X), on_disk(X)):
        np.testing.assert_array_equal(pruner.set_params(n_jobs=2).fit(pool, y).support_, expected)


@pytest.mark.parametrize(
    "fit",
    [
        lambda X, y: NetClassifier(max_epochs=1, module__width=8).fit(X, y).predict(X),
        lambda X, y: SemiPrune(0.5, proxy=NetClassifier(module__width=8), **BRIEF).fit(X, y),
        lambda X, y: SemiPrune(0.5, proxy=SGDClassifier(loss="log_loss", alpha=1.0), **BRIEF).fit(X, y),
    ],
    ids=["net", "net as proxy", "partial_fit"],
)
def test_few_bytes_of_a_mapped_pool_are_copied(fit, on_disk, monkeypatch):
    """What NumPy allocates is counted; torch allocates batches."""
    for module, name in ((_mapped, "_CHUNK_BYTES"), (_equal_rows, "_CHUNK_BYTES"), (_space, "_MOST_SAMPLE_BYTES")):
        monkeypatch.setattr(module, name, 2**19)
    monkeypatch.setattr(_space, "_LEAST_SAMPLE", 128)
    monkeypatch.setattr("skprune.nets._base._MOST_EVAL_ROWS", 64)
    X, y = table(3000, 2000)
    mapped, n_bytes = on_disk(X), X.nbytes
    fit(mapped[:200], y[:200])  # what is imported on first use
    del X
    tracemalloc.start()
    fit(mapped, y)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 0.35 * n_bytes
