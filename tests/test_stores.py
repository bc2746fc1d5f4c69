"""Folders that keep stages: refused before the training where nothing can be kept, a warning after it."""

import errno
import shutil
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.semi_supervised import LabelSpreading

from skprune import SemiPrune
from skprune._pipeline import _stage_cache
from skprune._utils import _locks, _state_files
from skprune.nets import NetClassifier


class Trained(Exception):
    """The labeling has begun."""


class Alarm(LogisticRegression):
    """A labeler that may not be trained, not even on trial."""

    def fit(self, X, y):
        raise Trained


def pruner_of(**params):
    defaults = {
        "labeler": LabelSpreading(kernel="knn", n_neighbors=30),
        "proxy": make_pipeline(MaxAbsScaler(), SGDClassifier(loss="log_loss")),
        "n_epochs": 12,
        "random_state": 0,
    }
    return SemiPrune(**defaults | params)


@pytest.mark.parametrize("place", ["afile/sub", "dangling", "dangling/sub"])
def test_a_checkpoint_that_cannot_be_made_is_refused_before_the_labeling(iris, tmp_path, place):
    X, _, partial = iris
    (tmp_path / "afile").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "else")
    with pytest.raises(ValueError, match="checkpoint .* cannot be written to"):
        pruner_of(labeler=Alarm(), checkpoint=tmp_path / place).fit(X, partial)


def test_a_full_disk_is_found_before_the_labeling(iris, tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    X, _, partial = iris
    monkeypatch.setattr(_stage_cache.tempfile, "TemporaryFile", full)
    with pytest.raises(ValueError, match="No space left on device"):
        pruner_of(labeler=Alarm(), checkpoint=tmp_path).fit(X, partial)


REASONS = {
    "a full disk": OSError(errno.ENOSPC, "No space left on device"),
    "a quota": OSError(errno.EDQUOT, "Disk quota exceeded"),
    "read-only": OSError(errno.EROFS, "Read-only file system"),
    "the writer": SafetensorError("I/O error: File too large (os error 27)"),
}


@pytest.mark.filterwarnings("ignore:The checkpoint .* does not keep (record_pool|label_without)")
@pytest.mark.parametrize("reason", REASONS)
def test_a_result_that_cannot_be_written_costs_a_warning(iris, tmp_path, monkeypatch, reason):
    def fail(arrays, file, metadata):
        raise REASONS[reason]

    X, _, partial = iris
    expected = pruner_of().fit(X, partial)
    monkeypatch.setattr(_state_files, "save_file", fail)
    with pytest.warns(UserWarning, match="does not keep label_pool, .*(No space|quota|Read-only|too large)"):
        pruner = pruner_of(checkpoint=tmp_path).fit(X, partial)
    np.testing.assert_array_equal(pruner.support_, expected.support_)
    assert not [file for file in tmp_path.iterdir() if file.is_file()]


class RemovesFolder(LabelSpreading):
    """A labeler during whose training a folder is removed."""

    folder = None

    def fit(self, X, y):
        if len(y) == 150:  # not in the trial
            shutil.rmtree(self.folder)
        return super().fit(X, y)


def test_a_folder_that_is_removed_meanwhile_is_made_again(iris, tmp_path, monkeypatch):
    X, _, partial = iris
    folder = tmp_path / "kept"
    monkeypatch.setattr(RemovesFolder, "folder", folder)
    labeler = RemovesFolder(kernel="knn", n_neighbors=30)
    pruner_of(labeler=labeler, checkpoint=folder, estimate_accuracy=False).fit(X, partial)
    assert sorted(file.name.split("-")[0] for file in folder.glob("*.safetensors")) == ["label_pool", "record_pool"]


def test_a_folder_without_locks_costs_a_warning(iris, tmp_path, monkeypatch):
    def unknown(self, *args, **kwargs):
        raise OSError(errno.ENOLCK, "No locks available")

    X, _, partial = iris
    monkeypatch.setattr(_locks.FileLock, "acquire", unknown)
    with pytest.warns(UserWarning, match="No lock in .*: processes that need the same result may each compute it"):
        pruner_of(checkpoint=tmp_path).fit(X, partial)
    assert len(list(tmp_path.glob("*.safetensors"))) == 3


class MakesFile:
    """An object whose pickle makes a file."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


def test_a_pickle_in_a_checkpoint_is_refused_and_not_run(iris, tmp_path):
    X, _, partial = iris
    pruner_of(checkpoint=tmp_path / "kept").fit(X, partial)
    file = next((tmp_path / "kept").glob("label_pool-*.safetensors"))
    joblib.dump(MakesFile(tmp_path / "made"), file)
    with pytest.raises(ValueError, match=rf"{file.name} cannot be read"):
        pruner_of(checkpoint=tmp_path / "kept").fit(X, partial)
    assert not (tmp_path / "made").exists()


def test_a_model_that_can_only_be_pickled_is_refused_before_the_labeling(iris, tmp_path):
    class Local(MaxAbsScaler):
        """A class that no other process finds."""

    X, _, partial = iris
    proxy = make_pipeline(Local(), SGDClassifier(loss="log_loss"))
    with pytest.raises(
        TypeError,
        match="checkpoint= keeps no pickles, and cannot keep the proxy Pipeline: skprune does not know .*Local would do. Use mem",
    ):
        pruner_of(labeler=LabelSpreading(kernel="knn", n_neighbors=30), proxy=proxy, checkpoint=tmp_path).fit(
            X, partial
        )
    assert not list(tmp_path.glob("*.safetensors"))
    pruner_of(proxy=proxy).fit(X, partial)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_checkpoint_is_named(iris, tmp_path, damage):
    X, _, partial = iris
    pruner_of(checkpoint=tmp_path).fit(X, partial)
    pruner_of(checkpoint=tmp_path).fit(X, partial)
    file = next(tmp_path.glob("record_pool-*.safetensors"))
    kept = file.read_bytes()
    content = bytearray(file.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    file.write_bytes(content if damage == "flipped" else content[: len(content) // 2 if damage == "truncated" else 0])
    with pytest.raises(ValueError, match=rf"{file.name} cannot be read: .*Delete it"):
        pruner_of(checkpoint=tmp_path).fit(X, partial)
    file.write_bytes(kept)
    pruner_of(checkpoint=tmp_path).fit(X, partial)


def test_memory_may_be_a_path(iris, tmp_path):
    X, _, partial = iris
    pruner_of(memory=tmp_path / "cache").fit(X, partial)
    assert list((tmp_path / "cache").rglob("output.pkl"))


@pytest.mark.parametrize("name", ["memory", "checkpoint"])
def test_an_empty_name_is_no_folder(iris, name):
    X, _, partial = iris
    with pytest.raises(ValueError, match=f"{name} must name a folder, got ''"):
        pruner_of(labeler=Alarm(), **{name: ""}).fit(X, partial)


def test_a_checkpoint_is_a_path(iris):
    X, _, partial = iris
    with pytest.raises(TypeError, match="checkpoint must be None or a path, got True"):
        pruner_of(labeler=Alarm(), checkpoint=True).fit(X, partial)


def test_tensors_are_part_of_the_keys(iris):
    describe = _stage_cache.describe
    keys = [
        joblib.hash(describe(NetClassifier(criterion__weight=weight)))
        for weight in (
            torch.tensor([1.0, 2.0, 1.0]),
            torch.tensor([1.0, 2.0, 1.0], requires_grad=True),
            torch.tensor([1.0, 2.0, 3.0]),
            torch.tensor([1.0, 2.0, 1.0], dtype=torch.bfloat16),
            torch.tensor(1.0),
        )
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


def test_a_net_with_weighted_classes_can_be_kept(iris, tmp_path):
    X, _, partial = iris
    proxy = NetClassifier(criterion__weight=torch.tensor([1.0, 2.0, 1.0]))
    first = pruner_of(proxy=proxy, memory=tmp_path).fit(X, partial)
    kept = list(tmp_path.rglob("output.pkl"))
    again = pruner_of(proxy=proxy, memory=tmp_path).fit(X, partial)
    np.testing.assert_array_equal(first.difficulty_scores_, again.difficulty_scores_)
    assert kept
    assert list(tmp_path.rglob("output.pkl")) == kept
