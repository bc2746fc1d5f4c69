"""Folders that keep stages: refused before the training where nothing can be kept, a warning after it."""

import errno

import joblib
import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.semi_supervised import LabelSpreading

from skprune import SemiPrune
from skprune._pipeline import _stage_cache
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


@pytest.mark.filterwarnings("ignore:The checkpoint .* does not keep (record_pool|label_without)")
def test_a_disk_that_fills_up_costs_a_warning(iris, tmp_path, monkeypatch):
    def full(value, file):
        raise OSError(errno.ENOSPC, "No space left on device")

    X, _, partial = iris
    expected = pruner_of().fit(X, partial)
    monkeypatch.setattr(_stage_cache.joblib, "dump", full)
    with pytest.warns(UserWarning, match="does not keep label_pool, .*No space left"):
        pruner = pruner_of(checkpoint=tmp_path).fit(X, partial)
    np.testing.assert_array_equal(pruner.support_, expected.support_)
    assert not [file for file in tmp_path.iterdir() if file.is_file()]


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_checkpoint_is_named(iris, tmp_path, damage):
    X, _, partial = iris
    pruner_of(checkpoint=tmp_path).fit(X, partial)
    pruner_of(checkpoint=tmp_path).fit(X, partial)
    file = next(tmp_path.glob("record_pool-*.joblib"))
    content = bytearray(file.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    file.write_bytes(content if damage == "flipped" else content[: len(content) // 2 if damage == "truncated" else 0])
    with pytest.raises(ValueError, match=rf"{file.name} cannot be read: .*checksum differs.*Delete it"):
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
