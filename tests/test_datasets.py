"""Partial labels, long tails, corruptions, fetchers and loaders."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from skprune._utils._labels import missing_mask
from skprune.datasets import (
    _fetch,
    corrupt_images,
    fetch_cifar10,
    fetch_cifar100,
    fetch_fashion_mnist,
    load_image_folder,
    load_images,
    load_npz,
    make_label_noise,
    make_long_tailed,
    make_partial_labels,
)

DATA = Path(os.environ.get("SKPRUNE_DATA") or "~/.cache/skprune").expanduser()


@settings(max_examples=40)
@given(seed=st.integers(0, 999), n=st.integers(20, 60), count=st.integers(4, 20))
def test_partial_labels(seed, n, count):
    y = np.random.default_rng(seed).integers(4, size=n)
    y[:4] = range(4)
    partial = make_partial_labels(y, n_labeled=count, random_state=seed)
    given_rows = ~missing_mask(partial)
    assert given_rows.sum() == count
    np.testing.assert_array_equal(partial[given_rows], y[given_rows])
    assert set(partial[given_rows]) == set(range(4))
    np.testing.assert_array_equal(partial, make_partial_labels(y, n_labeled=count, random_state=seed))


def test_partial_labels_of_every_kind():
    assert make_partial_labels(np.array(["a", "b"] * 5), n_labeled=4, random_state=0).dtype == object
    signed = make_partial_labels(np.array([-1, 1] * 5), n_labeled=4, random_state=0)
    assert missing_mask(signed).sum() == 6
    assert set(signed[~missing_mask(signed)]) == {-1, 1}
    booleans = make_partial_labels(np.array([False, True] * 5), n_labeled=0.4, random_state=0)
    assert missing_mask(booleans).sum() == 6
    small = make_partial_labels(np.array([0, 1] * 5, dtype=np.uint8), n_labeled=4, random_state=0)
    assert (small == -1).sum() == 6
    marked = make_partial_labels(np.array(["a", "b"] * 5), n_labeled=4, missing="?", random_state=0)
    assert (marked == "?").sum() == 6
    free = make_partial_labels(np.array([0, 1] * 50), n_labeled=1, stratify=False, random_state=0)
    assert (free >= 0).sum() == 1


@pytest.mark.parametrize("count", [0, 11, 1, 1.5, True, "all"])
def test_refused_counts(count):
    with pytest.raises(ValueError, match="n_labeled"):
        make_partial_labels(np.array([0, 1] * 5), n_labeled=count)


def test_long_tails():
    y = np.repeat(np.arange(5), 200)
    rows = make_long_tailed(y, imbalance=50, random_state=0)
    assert (np.diff(rows) > 0).all()
    counts = np.bincount(y[rows])
    assert counts[0] == 200
    assert counts[-1] == 4
    np.testing.assert_allclose(counts[1:] / counts[:-1], 50 ** (-1 / 4), atol=0.05)
    with pytest.raises(ValueError, match="at least 1"):
        make_long_tailed(y, imbalance=0.5)


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
    for value in (np.nan, np.inf):
        broken = np.zeros((3, 4, 4))
        broken[1, 2, 3] = value
        with pytest.raises(ValueError, match="X holds NaN or infinity in 1 images, first in image 1"):
            corrupt_images(broken)


def stored(folder, name, shape):
    """Write a small data set where a fetcher looks for it."""
    arrays = {"x_train": np.zeros((3, *shape), np.uint8), "y_train": np.arange(3)}
    arrays |= {"x_test": np.ones((2, *shape), np.uint8), "y_test": np.arange(2)}
    np.savez(folder / f"{name}.npz", **arrays)


def test_fetchers_read_a_folder(tmp_path, monkeypatch):
    stored(tmp_path, "fashion_mnist", (1, 28, 28))
    data = fetch_fashion_mnist(data_home=tmp_path)
    assert data.data.shape == (3, 1, 28, 28)
    assert data.target.tolist() == [0, 1, 2]
    monkeypatch.setenv("SKPRUNE_DATA", str(tmp_path))
    X, y = fetch_fashion_mnist(subset="test", return_X_y=True)
    assert (X == 1).all()
    assert y.tolist() == [0, 1]
    with pytest.raises(FileNotFoundError, match=r"cifar10.npz does not exist.*download_if_missing=True"):
        fetch_cifar10(download_if_missing=False)
    with pytest.raises(ValueError, match="subset must be 'train' or 'test', got 'all'"):
        fetch_fashion_mnist(subset="all")


def test_fetchers_fall_back_on_torchvision(tmp_path, monkeypatch):
    from torchvision import datasets

    class Fake:
        def __init__(self, root, train, download):
            assert download
            self.data = np.zeros((4 if train else 2, 32, 32, 3), np.uint8)
            self.targets = list(range(len(self.data)))

    for name, fetch in (("cifar10", fetch_cifar10), ("cifar100", fetch_cifar100)):
        monkeypatch.setattr(datasets, name.upper(), Fake)
        assert fetch(data_home=tmp_path / name).data.shape == (4, 3, 32, 32)
        assert fetch(subset="test", data_home=tmp_path / name).target.tolist() == [0, 1]
        assert [file.name for file in (tmp_path / name).glob("*.*")] == [f"{name}.npz"]


DOWNLOAD = """
import sys, time
from pathlib import Path
import numpy as np
from skprune.datasets import _fetch

folder = Path(sys.argv[1])

def read(name, place):
    with (folder / "downloads").open("a") as stream:
        stream.write("x")
    time.sleep(1.0)  # the other process arrives meanwhile
    return {f"{axis}_{part}": np.full(4, 7) for axis in "xy" for part in ("train", "test")}

_fetch.read_from_torchvision = read
(folder / f"here-{sys.argv[2]}").touch()
while len(list(folder.glob("here-*"))) < 2:
    time.sleep(0.01)
print(_fetch.fetch_cifar10(data_home=folder).target.sum())
"""


def test_two_processes_download_once(tmp_path):
    command = [sys.executable, "-c", DOWNLOAD, str(tmp_path)]
    processes = [subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True) for number in range(2)]
    assert [process.communicate(timeout=60)[0].strip() for process in processes] == ["28", "28"]
    assert (tmp_path / "downloads").read_text() == "x"


def test_a_failed_download_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(_fetch, "read_from_torchvision", lambda name, folder: {"x_train": np.zeros(3)})

    def fail(stream, **arrays):
        stream.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="disk full"):
        fetch_cifar10(data_home=tmp_path)
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == []


def test_image_folders(tmp_path):
    rng = np.random.default_rng(0)
    for name, color in {"b/deep/1.png": 200, "a/2.JPG": 100, "a/1.png": 50, "unlabeled/x.png": 10}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((20, 30, 3), color, np.uint8)).save(tmp_path / name)
    (tmp_path / "a" / "notes.txt").write_text("no image")
    data = load_image_folder(tmp_path, size=8)
    assert data.data.shape == (4, 3, 8, 8)
    assert data.target.tolist() == ["a", "a", "b", None]
    assert data.data[:, 0, 4, 4].tolist() == pytest.approx([50, 100, 200, 10], abs=3)
    assert [file.name for file in data.filenames] == ["1.png", "2.JPG", "1.png", "x.png"]
    assert load_image_folder(tmp_path, size=8, gray=True).data.shape == (4, 1, 8, 8)
    noise = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a" / "0.png")
    np.testing.assert_array_equal(load_image_folder(tmp_path, size=8, return_X_y=True)[0][0], noise.transpose(2, 0, 1))
    Image.fromarray(np.full((8, 8), 30_000, np.uint16)).save(tmp_path / "a" / "deep.png")
    with pytest.raises(ValueError, match="deep.png has more than 8 bits per channel"):
        load_image_folder(tmp_path, size=8)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no images in subfolders named after classes.*use load_images"):
        load_image_folder(tmp_path / "empty", size=8)


def test_npz_files(tmp_path):
    file = tmp_path / "mine.npz"
    np.savez(file, x_train=np.zeros((3, 2)), y_train=np.arange(3), names=np.array(["a", "b"]))
    data = load_npz(file)
    assert data.names.tolist() == ["a", "b"]
    np.savez(file, x_train=np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"mine.npz holds \['x_train'\], and no 'y_train'"):
        load_npz(file)
    np.savez(file, x_train=np.zeros((3, 2)), y_train=np.arange(4))
    with pytest.raises(ValueError, match="X has 3 rows, y_train has 4"):
        load_npz(file)
    np.savez(file, x_train=np.array([{}], dtype=object), y_train=np.arange(1))
    with pytest.raises(
        ValueError, match="mine.npz holds Python objects in 'x_train', which are not read.*allow_pickle=False"
    ):
        load_npz(file)


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "bytes", "array"])
def test_files_that_are_no_npz(tmp_path, damage):
    file = tmp_path / "mine.npz"
    np.savez(file, x_train=np.ones((300, 2)), y_train=np.arange(300))
    content = bytearray(file.read_bytes())
    content[2000] ^= 1
    contents = {"cut": content[:1000], "text": b"x_train,y_train\n1,2\n", "empty": b"", "bytes": content}
    if damage == "array":
        np.save(tmp_path / "array.npy", np.zeros((3, 2)))
        file.write_bytes((tmp_path / "array.npy").read_bytes())
    else:
        file.write_bytes(contents[damage])
    message = (
        "holds one array. A file must be an .npz with 'x_train' and 'y_train'" if damage == "array" else "is damaged"
    )
    with pytest.raises(ValueError, match=f"mine.npz {message}"):
        load_npz(file)


@pytest.mark.parametrize(
    "y",
    [
        np.tile([2.0, np.nan, 1], 4),
        ["a", None, "b"] * 4,
        np.ma.MaskedArray([0, 1, 0] * 4, mask=[False, True, False] * 4),
        pd.Series([0, None, 1] * 4, dtype="Int64"),
    ],
)
@pytest.mark.parametrize(
    "make",
    [
        lambda y: make_partial_labels(y, n_labeled=4),
        lambda y: make_partial_labels(y, n_labeled=4, stratify=False),
        lambda y: make_long_tailed(y, imbalance=2),
        lambda y: make_label_noise(y, rate=0.5),
    ],
)
def test_labels_that_are_missing_already_are_refused(make, y):
    """NaN was taken for a class, of which some rows counted as labeled."""
    with pytest.raises(ValueError, match=r"y holds unlabeled rows, 4 of 12, first row 1\. .*(eave these|Add label)"):
        make(y)


@given(seed=st.integers(0, 2**16), rate=st.floats(0, 1), kind=st.sampled_from(["symmetric", "pair"]))
def test_label_noise(seed, rate, kind):
    rng = np.random.default_rng(seed)
    y = np.array(["a", "b", "c", "d"])[np.append(np.arange(4), rng.integers(4, size=60))]
    before = y.copy()
    noisy, wrong = make_label_noise(y, rate=rate, kind=kind, random_state=seed)
    assert wrong.sum() == round(rate * 64)
    np.testing.assert_array_equal(noisy != y, wrong)
    np.testing.assert_array_equal(y, before)
    assert set(noisy) <= set(y)
    if kind == "pair":
        following = dict(zip("abcd", "bcda", strict=True))
        assert noisy[wrong].tolist() == [following[label] for label in y[wrong]]


def test_label_noise_is_even_over_the_other_classes():
    y = np.repeat([0, 1, 2], 3000)
    noisy, wrong = make_label_noise(y, rate=0.5, random_state=0)
    counts = np.bincount(noisy[wrong & (y == 0)], minlength=3)
    assert counts[0] == 0
    assert abs(counts[1] - counts[2]) < 0.1 * counts.sum()
    for params, message in (({"rate": 1.5}, "rate must be within"), ({"rate": 0.1, "kind": "flip"}, "kind must be")):
        with pytest.raises(ValueError, match=message):
            make_label_noise(y, **params)
    with pytest.raises(ValueError, match="only one class"):
        make_label_noise([1, 1], rate=0.5)
    with pytest.raises(ValueError, match="y holds unlabeled rows"):
        make_label_noise([1, 0, -1], rate=0.5)


@pytest.mark.parametrize("seed", range(3))
def test_one_seed_for_all_chooses_other_rows_for_each(seed):
    """The labeled rows are corrupted, or mislabeled, as often as all rows."""
    y = np.arange(4000) % 10
    labeled = make_partial_labels(y, n_labeled=1000, random_state=seed) != -1
    _, kinds = corrupt_images(np.zeros((4000, 2, 2), np.uint8), return_kinds=True, random_state=seed)
    _, wrong = make_label_noise(y, rate=0.3, random_state=seed)
    for chosen in (kinds != "clean", wrong):
        assert abs(chosen[labeled].mean() - 0.3) < 0.05
    assert abs(wrong[kinds != "clean"].mean() - 0.3) < 0.05


@pytest.mark.data
@pytest.mark.parametrize(("fetch", "shape"), [(fetch_fashion_mnist, (1, 28, 28)), (fetch_cifar10, (3, 32, 32))])
def test_real_data(fetch, shape):
    name = fetch.__name__.removeprefix("fetch_")
    if not (DATA / f"{name}.npz").exists():
        pytest.skip(f"{name}.npz is not in the data folder; $SKPRUNE_DATA names it")
    for subset in ("train", "test"):
        data = fetch(subset=subset, download_if_missing=False)
        assert data.data.shape[1:] == shape
        assert data.data.dtype == np.uint8
        assert sorted(set(data.target)) == list(range(10))


@pytest.mark.parametrize("name", ["unlabeled", "unlabelled", "Unlabelled"])
def test_every_spelling_of_the_folder_without_labels(tmp_path, name):
    for folder in ("cat", "dog", name):
        (tmp_path / folder).mkdir()
        Image.new("L", (8, 8)).save(tmp_path / folder / "1.png")
    _, y = load_image_folder(tmp_path, size=8, return_X_y=True)
    assert sorted(map(str, y)) == ["None", "cat", "dog"]


def write_images(folder, sizes):
    folder.mkdir(exist_ok=True)
    for row, size in enumerate(sizes):
        Image.new("RGB", size, (10 * row, 0, 0)).save(folder / f"{row}.png")


def test_images_with_labels_in_a_file(tmp_path):
    write_images(tmp_path / "images", [(20, 10)] * 4)
    (tmp_path / "images" / "below").mkdir()
    Image.new("RGB", (5, 5)).save(tmp_path / "images" / "below" / "9.png")
    labels = tmp_path / "images" / "labels.csv"
    labels.write_text("\ufefflabel,comment,filename\ncat,,3.png\n,unsure,1.png\n dog ,,0.png\n", encoding="utf-8")
    data = load_images(tmp_path / "images")
    assert data.data.shape == (4, 3, 10, 20)
    assert data.data[:, 0, 0, 0].tolist() == [0, 10, 20, 30]
    assert data.target.tolist() == ["dog", None, None, "cat"]
    assert data.target.dtype == object
    assert [file.name for file in data.filenames] == ["0.png", "1.png", "2.png", "3.png"]
    elsewhere = labels.rename(tmp_path / "elsewhere.csv")
    X, y = load_images(tmp_path / "images", elsewhere, size=6, gray=True, return_X_y=True)
    assert X.shape == (4, 1, 6, 6)
    assert y.tolist() == data.target.tolist()
    told = tmp_path / "told.csv"  # as the command line writes it
    told.write_text("id,label\n3.png,cat\n0.png,dog\n")
    assert load_images(tmp_path / "images", told).target.tolist() == data.target.tolist()


def test_refused_images_with_labels(tmp_path):
    folder = tmp_path / "images"
    write_images(folder, [(20, 10), (20, 10), (12, 10)])
    labels = folder / "labels.csv"
    with pytest.raises(FileNotFoundError, match="labels.csv"):
        load_images(folder)
    for text, error, message in (
        ("filename,label\n0.png,a\n7.png,b\nx.png,\n", FileNotFoundError, "names 2 images .*: '7.png', 'x.png'."),
        (
            "name,label\n0.png,a\n",
            ValueError,
            r"columns filename \(or id\) and label; its first line names \['name', 'label'\]",
        ),
        ("", ValueError, r"columns filename \(or id\) and label"),
        ("filename,label\n0.png,a\n0.png,b\n", ValueError, "gives '0.png' two labels, 'a' and 'b'"),
        ("filename,label\n0.png,a\n", ValueError, "2.png is 12 x 10 pixels, and .*0.png 20 x 10. Set size="),
    ):
        labels.write_text(text)
        with pytest.raises(error, match=message):
            load_images(folder)
    assert load_images(folder, size=8).data.shape == (3, 3, 8, 8)
    with pytest.raises(ValueError, match="size"):
        load_images(folder, size=0)
    with pytest.raises(FileNotFoundError, match="holds no images.*load_image_folder"):
        load_images(tmp_path)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_labels_in_another_encoding_are_refused_by_file(tmp_path, encoding):
    Image.new("RGB", (4, 4)).save(tmp_path / "1.png")
    (tmp_path / "labels.csv").write_text("filename,label\n1.png,caf\xe9\n", encoding=encoding)
    with pytest.raises(ValueError, match=r"The text of .*labels.csv is not in UTF-8. Save it as .CSV UTF-8"):
        load_images(tmp_path)


def test_texts_are_refused_as_npz_without_advice_to_unpickle(tmp_path):
    (tmp_path / "rows.npz").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"rows.npz is damaged, or no .npz file\.$"):
        load_npz(tmp_path / "rows.npz")
