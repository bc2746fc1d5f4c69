"""TrainingDynamics in files, and in memory-mapped arrays."""

import re

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


@pytest.fixture
def saved(tmp_path):
    """Return small dynamics, the file that holds them, and its bytes."""
    logits, y = recorded_logits(epochs=2, n=3)
    dynamics = TrainingDynamics.from_logits(logits, y, seen=np.array([[1, 1, 1], [1, 0, 1]], bool), kl=True)
    file = tmp_path / "dynamics.npz"
    dynamics.save(file)
    return dynamics, file, file.read_bytes()


REFUSED = r"dynamics\.npz holds no TrainingDynamics that can be read: "


def test_truncated_files_are_refused(saved):
    _, file, content = saved
    for length in {*range(0, len(content), 7), 1, 4, len(content) - 1, len(content) - 22}:
        file.write_bytes(content[:length])
        with pytest.raises(ValueError, match=REFUSED):
            TrainingDynamics.load(file)


def test_flipped_bits_are_refused_or_do_not_matter(saved):
    dynamics, file, content = saved
    messages = []
    for number, position in enumerate(range(0, len(content), 3)):
        damaged = bytearray(content)
        damaged[position] ^= (0x01, 0x06, 0x80)[number % 3]
        file.write_bytes(damaged)
        try:
            loaded = TrainingDynamics.load(file)
        except ValueError as error:
            messages.append(str(error))
        else:
            assert_same(loaded, dynamics)  # a date, or another byte that says nothing of the arrays
    assert len(messages) > len(content) / 6
    assert all(re.match(REFUSED, message) for message in messages)


def test_numbers_with_a_flipped_bit_are_refused(saved):
    dynamics, file, content = saved
    start = content.index(dynamics.error.tobytes())
    for position in range(start, start + dynamics.error.nbytes):
        damaged = bytearray(content)
        damaged[position] ^= 0x10
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match=REFUSED + "BadZipFile: Bad CRC-32"):
            TrainingDynamics.load(file)


@pytest.mark.parametrize("change", [(b"'<f4'", b"'<f2'"), (b"(12, 900)", b"( 7, 900)"), (b"(12, 900)", b"(11, 900)")])
def test_headers_that_leave_numbers_unread_are_refused(tmp_path, change):
    """zipfile compares the checksum only where an array is read to its end."""
    halves = np.full((12, 900), 0.5)  # finite in half precision too
    dynamics = TrainingDynamics(halves, target_margin=halves, error=halves, entropy=halves[0], top_margin=halves[0])
    file = tmp_path / "dynamics.npz"
    dynamics.save(file)
    content = file.read_bytes()
    position = content.index(change[0], content.index(b"error.npy"))
    file.write_bytes(content[:position] + change[1] + content[position + len(change[0]) :])
    with pytest.raises(ValueError, match=REFUSED):
        TrainingDynamics.load(file)


@pytest.mark.parametrize("content", [b"", b"target_proba,error\n0.5,0.5\n", b"PK\x05\x06" + bytes(18)])
def test_files_of_another_kind_are_refused(tmp_path, content):
    (tmp_path / "dynamics.npz").write_bytes(content)
    with pytest.raises(ValueError, match=REFUSED):
        TrainingDynamics.load(tmp_path / "dynamics")


def recorded(dynamics):
    return {name: array for name, array in vars(dynamics).items() if array is not None}


class Touch:
    """Unpickling it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_pickle_in_a_file_is_refused_and_not_executed(saved, tmp_path):
    dynamics, file, _ = saved
    np.savez(file, **recorded(dynamics) | {"error": np.full((2, 3), Touch(tmp_path / "executed"))})
    with pytest.raises(ValueError, match=REFUSED + "Object arrays cannot be loaded when allow_pickle=False"):
        TrainingDynamics.load(file)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"error": np.zeros((2, 4))}, r"error must be of shape \(2, 3\)"),
        ({"error": np.full((2, 3), "a")}, "could not convert string to float"),
        ({"error": np.full((2, 3), np.nan)}, "error of row 0 is not finite"),
        ({"extra": np.zeros(3)}, "its arrays are .*'extra'"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_by_the_name_of_the_file(saved, change, message):
    dynamics, file, _ = saved
    np.savez(file, **recorded(dynamics) | change)
    with pytest.raises(ValueError, match=REFUSED + message):
        TrainingDynamics.load(file)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"dynamics\.npz"):
        TrainingDynamics.load(tmp_path / "dynamics")
