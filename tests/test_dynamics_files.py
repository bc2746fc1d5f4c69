"""TrainingDynamics in files, and in memory-mapped arrays."""

import numpy as np
import pytest
from conftest import assert_same, recorded_logits

from skprune.dynamics import TrainingDynamics
from skprune.dynamics._builder import DynamicsBuilder


def test_memory_maps_are_files(tmp_path):
    logits, y = recorded_logits()
    dynamics = TrainingDynamics.from_logits(logits, y, memmap_folder=tmp_path)
    assert isinstance(dynamics.target_proba, np.memmap)
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"target_proba.npy", "target_margin.npy", "error.npy", "logit_margin.npy"}
    with pytest.raises(ValueError, match="needs outputs of known length"):
        TrainingDynamics.from_logits(iter(logits), y, memmap_folder=tmp_path)


def test_files_that_hold_something_else(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(
        ValueError, match=r"other.npz holds no TrainingDynamics that can be read: its arrays are \['a'\]"
    ):
        TrainingDynamics.load(tmp_path / "other.npz")


@pytest.mark.parametrize("kl", [False, True])
def test_arrays_and_files_hold_the_same(tmp_path, kl):
    logits, y = recorded_logits()
    seen = np.random.default_rng(1).random((12, 40)) < 0.8
    dynamics = TrainingDynamics.from_logits(logits, y, seen=seen, kl=kl)
    assert_same(dynamics, TrainingDynamics.from_logits(logits, y, seen=seen, kl=kl, memmap_folder=tmp_path / "maps"))
    assert_same(dynamics, TrainingDynamics.from_logits(list(logits), y, seen=seen, kl=kl))
    assert_same(dynamics, TrainingDynamics.from_logits(iter(logits), y, seen=seen, kl=kl))
    dynamics.save(tmp_path / "dynamics.npz")
    assert_same(dynamics, TrainingDynamics.load(tmp_path / "dynamics.npz"))
    assert_same(dynamics, TrainingDynamics.load(tmp_path / "dynamics"))
    frame = dynamics.to_frame()
    assert len(frame) == 40
    np.testing.assert_array_equal(frame["target_margin_3"], dynamics.target_margin[3])
    np.testing.assert_array_equal(frame["entropy"], dynamics.entropy)


def test_a_folder_holds_one_recording(tmp_path):
    logits, y = recorded_logits()
    first = TrainingDynamics.from_logits(logits, y, memmap_folder=tmp_path)
    with pytest.raises(ValueError, match=r"already holds target_proba.npy. Give each recording its own folder"):
        TrainingDynamics.from_logits(logits, y, memmap_folder=tmp_path)
    assert_same(first, TrainingDynamics.from_logits(logits, y))
    builder = DynamicsBuilder(40, 1, memmap_folder=tmp_path / "new")
    builder.start_epoch()
    with pytest.raises(ValueError, match="More epochs arrived than the 1"):
        builder.start_epoch()
    with pytest.raises(ValueError, match="holds no TrainingDynamics"):
        TrainingDynamics.load(tmp_path / "target_proba.npy")
