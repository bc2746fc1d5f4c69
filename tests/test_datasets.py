"""Partial labels, long tails, corruptions, loaders."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from skprune._utils._labels import missing_mask
from skprune.datasets import (
    corrupt_images,
    load_cifar10,
    load_cifar100,
    load_fashion_mnist,
    load_image_folder,
    load_npz,
    make_label_noise,
    make_long_tailed,
    make_partial_labels,
)

DATA = Path(os.environ.get("SKPRUNE_DATA") or "~/.cache/skprune").expanduser()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 999), n=st.integers(20, 60), count=st.integers(4, 20))
def test_partial_labels(seed, n, count):
    y = np.random.default_rng(seed).integers(4, size=n)
    y[:4] = range(4)
    partial = make_partial_labels(y, count, random_state=seed)
    given_rows = ~missing_mask(partial)
    assert given_rows.sum() == count
    np.testing.assert_array_equal(partial[given_rows], y[given_rows])
    assert set(partial[given_rows]) == set(range(4))
    np.testing.assert_array_equal(partial, make_partial_labels(y, count, random_state=seed))


def test_partial_labels_of_every_kind():
    assert make_partial_labels(np.array(["a", "b"] * 5), 4, random_state=0).dtype == object
    signed = make_partial_labels(np.array([-1, 1] * 5), 4, random_state=0)
    assert missing_mask(signed).sum() == 6
    assert set(signed[~missing_mask(signed)]) == {-1, 1}
    booleans = make_partial_labels(np.array([False, True] * 5), 0.4, random_state=0)
    assert missing_mask(booleans).sum() == 6
    small = make_partial_labels(np.array([0, 1] * 5, dtype=np.uint8), 4, random_state=0)
    assert (small == -1).sum() == 6
    marked = make_partial_labels(np.array(["a", "b"] * 5), 4, missing="?", random_state=0)
    assert (marked == "?").sum() == 6
    free = make_partial_labels(np.array([0, 1] * 50), 1, stratify=False, random_state=0)
    assert (free >= 0).sum() == 1


@pytest.mark.parametrize("count", [0, 11, 1, 1.5, True, "all"])
def test_refused_counts(count):
    with pytest.raises(ValueError, match="n_labeled"):
        make_partial_labels(np.array([0, 1] * 5), count)


def test_long_tails():
    y = np.repeat(np.arange(5), 200)
    rows = make_long_tailed(y, 50, random_state=0)
    assert (np.diff(rows) > 0).all()
    counts = np.bincount(y[rows])
    assert counts[0] == 200
    assert counts[-1] == 4
    np.testing.assert_allclose(counts[1:] / counts[:-1], 50 ** (-1 / 4), atol=0.05)
    with pytest.raises(ValueError, match="at least 1"):
        make_long_tailed(y, 0.5)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(100, 3, 16, 16), (100, 20, 17)])
def test_corruptions(dtype, shape):
    X = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    before = X.copy()
    out, kinds = corrupt_images(X, return_kinds=True, random_state=0)
    np.testing.assert_array_equal(X, before)
    assert out.dtype == dtype
    assert out.shape == shape
    names, counts = np.unique(kinds, return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
        "black_rectangle": 6,
        "clean": 70,
        "fog": 6,
        "gaussian_noise": 6,
        "low_resolution": 6,
        "motion_blur": 6,
    }
    changed = (out != X).reshape(100, -1).any(axis=1)
    np.testing.assert_array_equal(changed, kinds != "clean")
    np.testing.assert_array_equal(out, corrupt_images(X, random_state=0))
    assert (corrupt_images(X, fraction=0.0) == X).all()


def test_each_corruption_is_what_its_name_says():
    X = np.random.default_rng(0).integers(60, 200, (200, 1, 24, 24)).astype(np.uint8)
    out, kinds = corrupt_images(X, fraction=1.0, return_kinds=True, random_state=0)
    spread = out.reshape(200, -1).std(axis=1)
    assert ((out == 0).reshape(200, -1).mean(axis=1)[kinds == "black_rectangle"] >= 1 / 17).all()
    for kind in ("low_resolution", "motion_blur", "fog"):
        assert spread[kinds == kind].max() < X.std()
    assert spread[kinds == "gaussian_noise"].min() > X.std()
    assert out[kinds == "fog"].mean() > X.mean() + 20
    blocks = out[kinds == "low_resolution"][0, 0]
    assert len(np.unique(blocks)) <= 36


def test_refused_images():
    with pytest.raises(ValueError, match="must be images"):
        corrupt_images(np.zeros((3, 4)))
    with pytest.raises(ValueError, match="fraction"):
        corrupt_images(np.zeros((3, 4, 4)), fraction=2)


def test_loaders_read_a_folder(tmp_path, monkeypatch):
    arrays = {"x_train": np.zeros((3, 1, 28, 28), np.uint8), "y_train": np.arange(3)}
    arrays |= {"x_test": arrays["x_train"], "y_test": arrays["y_train"]}
    np.savez(tmp_path / "fashion_mnist.npz", **arrays)
    assert load_fashion_mnist(data_home=tmp_path).x_train.shape == (3, 1, 28, 28)
    monkeypatch.setenv("SKPRUNE_DATA", str(tmp_path))
    assert load_fashion_mnist().y_test.tolist() == [0, 1, 2]
    with pytest.raises(FileNotFoundError, match=r"cifar10.npz is not there.*download_if_missing=True"):
        load_cifar10(download_if_missing=False)


def test_loaders_fall_back_on_torchvision(tmp_path, monkeypatch):
    from torchvision import datasets

    class Fake:
        def __init__(self, root, train, download):
            assert download
            self.data = np.zeros((4 if train else 2, 32, 32, 3), np.uint8)
            self.targets = list(range(len(self.data)))

    for name, load in (("cifar10", load_cifar10), ("cifar100", load_cifar100)):
        monkeypatch.setattr(datasets, name.upper(), Fake)
        data = load(data_home=tmp_path / name)
        assert data.x_train.shape == (4, 3, 32, 32)
        assert data.y_test.tolist() == [0, 1]
        assert [file.name for file in (tmp_path / name).iterdir()] == [f"{name}.npz"]


def test_image_folders(tmp_path):
    rng = np.random.default_rng(0)
    for name, colour in {"b/deep/1.png": 200, "a/2.JPG": 100, "a/1.png": 50, "unlabeled/x.png": 10}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((20, 30, 3), colour, np.uint8)).save(tmp_path / name)
    (tmp_path / "a" / "notes.txt").write_text("no image")
    data = load_image_folder(tmp_path, size=8)
    assert data.x.shape == (4, 3, 8, 8)
    assert data.y.tolist() == ["a", "a", "b", None]
    assert data.x[:, 0, 4, 4].tolist() == pytest.approx([50, 100, 200, 10], abs=3)
    assert [file.name for file in data.files] == ["1.png", "2.JPG", "1.png", "x.png"]
    assert load_image_folder(tmp_path, size=8, grey=True).x.shape == (4, 1, 8, 8)
    noise = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a" / "0.png")
    np.testing.assert_array_equal(load_image_folder(tmp_path, size=8).x[0], noise.transpose(2, 0, 1))
    Image.fromarray(np.full((8, 8), 30_000, np.uint16)).save(tmp_path / "a" / "deep.png")
    with pytest.raises(ValueError, match="deep.png has more than 8 bits a channel"):
        load_image_folder(tmp_path, size=8)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="holds no images in folders of classes"):
        load_image_folder(tmp_path / "empty", size=8)


def test_npz_files(tmp_path):
    file = tmp_path / "mine.npz"
    np.savez(file, x_train=np.zeros((3, 2)), y_train=np.arange(3), names=np.array(["a", "b"]))
    data = load_npz(file)
    assert data.names.tolist() == ["a", "b"]
    np.savez(file, x_train=np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"mine.npz must hold x_train and y_train; it holds \['x_train'\]"):
        load_npz(file)
    np.savez(file, x_train=np.zeros((3, 2)), y_train=np.arange(4))
    with pytest.raises(ValueError, match="X has 3 rows, y_train has 4"):
        load_npz(file)
    np.savez(file, x_train=np.array([{}], dtype=object), y_train=np.arange(1))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        load_npz(file)


@given(seed=st.integers(0, 2**16), rate=st.floats(0, 1), kind=st.sampled_from(["symmetric", "pair"]))
def test_label_noise(seed, rate, kind):
    rng = np.random.default_rng(seed)
    y = np.array(["a", "b", "c", "d"])[np.append(np.arange(4), rng.integers(4, size=60))]
    before = y.copy()
    noisy, wrong = make_label_noise(y, rate, kind=kind, random_state=seed)
    assert wrong.sum() == round(rate * 64)
    np.testing.assert_array_equal(noisy != y, wrong)
    np.testing.assert_array_equal(y, before)
    assert set(noisy) <= set(y)
    if kind == "pair":
        following = dict(zip("abcd", "bcda", strict=True))
        assert noisy[wrong].tolist() == [following[label] for label in y[wrong]]


def test_label_noise_is_even_over_the_other_classes():
    y = np.repeat([0, 1, 2], 3000)
    noisy, wrong = make_label_noise(y, 0.5, random_state=0)
    counts = np.bincount(noisy[wrong & (y == 0)], minlength=3)
    assert counts[0] == 0
    assert abs(counts[1] - counts[2]) < 0.1 * counts.sum()
    for params, message in (({"rate": 1.5}, "rate must be within"), ({"rate": 0.1, "kind": "flip"}, "kind must be")):
        with pytest.raises(ValueError, match=message):
            make_label_noise(y, **params)
    with pytest.raises(ValueError, match="one class only"):
        make_label_noise([1, 1], 0.5)
    with pytest.raises(ValueError, match="y holds unlabelled rows"):
        make_label_noise([1, 0, -1], 0.5)


@pytest.mark.parametrize("seed", range(3))
def test_one_seed_for_all_chooses_other_rows_for_each(seed):
    """Of the labelled rows as many are corrupted, or wrong, as of all."""
    y = np.arange(4000) % 10
    labeled = make_partial_labels(y, 1000, random_state=seed) != -1
    _, kinds = corrupt_images(np.zeros((4000, 2, 2), np.uint8), return_kinds=True, random_state=seed)
    _, wrong = make_label_noise(y, 0.3, random_state=seed)
    for chosen in (kinds != "clean", wrong):
        assert abs(chosen[labeled].mean() - 0.3) < 0.05
    assert abs(wrong[kinds != "clean"].mean() - 0.3) < 0.05


@pytest.mark.data
@pytest.mark.parametrize(("load", "shape"), [(load_fashion_mnist, (1, 28, 28)), (load_cifar10, (3, 32, 32))])
def test_real_data(load, shape):
    name = load.__name__.removeprefix("load_")
    if not (DATA / f"{name}.npz").exists():
        pytest.skip(f"{name}.npz is not in the data folder; $SKPRUNE_DATA names it")
    data = load(download_if_missing=False)
    assert data.x_train.shape[1:] == data.x_test.shape[1:] == shape
    assert data.x_train.dtype == np.uint8
    assert sorted(set(data.y_train)) == list(range(10))
