"""X that is read item by item: Datasets, image files, images of Pillow."""

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import polars
import pytest
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.semi_supervised import LabelSpreading
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset
from torchvision.datasets import ImageFolder
from torchvision.transforms import CenterCrop, Compose, PILToTensor, Resize, ToTensor

from skprune import PrunedClassifier, PruningSampler, SemiPrune
from skprune._utils._pool import as_pool, take_rows
from skprune.baselines import KCenterPruner, RandomPruner
from skprune.model_selection import pruning_curve
from skprune.nets import NetClassifier

N, SIDE = 40, 8
CODES = np.arange(N) % 2
PARTIAL = np.where(np.arange(N) < 16, CODES, -1)


@pytest.fixture
def make():
    """Make a SemiPrune that takes milliseconds."""

    def make_pruner(**params):
        proxy = make_pipeline(MaxAbsScaler(), SGDClassifier(loss="log_loss", alpha=1.0))
        defaults = {"labeler": LabelSpreading(kernel="knn", n_neighbors=20), "proxy": proxy, "n_epochs": 10}
        return SemiPrune(10, random_state=0, **defaults | params)

    return make_pruner


@pytest.fixture(scope="module")
def pixels():
    noise = np.random.default_rng(0).integers(0, 60, (N, 3, SIDE, SIDE), dtype=np.uint8)
    noise[CODES == 1, 0] += 150
    return noise


@pytest.fixture(scope="module")
def folder(pixels, tmp_path_factory):
    root = tmp_path_factory.mktemp("images")
    for code, name in enumerate("ab"):
        (root / name).mkdir()
        for row in np.flatnonzero(code == CODES):
            Image.fromarray(pixels[row].transpose(1, 2, 0)).save(root / name / f"{row:02d}.png")
    return root


class Counting(Dataset):
    """Items with labels, whose reads are counted; the labels may not be looked at."""

    def __init__(self, items):
        self.items, self.reads = items, np.zeros(len(items), dtype=int)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, row):
        assert isinstance(row, int)
        self.reads[row] += 1
        return self.items[row], object()


class Table:
    """The interface of a dataset of Hugging Face."""

    def __init__(self, columns):
        self.columns_by_name = columns

    column_names = property(lambda self: list(self.columns_by_name))
    features = column_names

    def __len__(self):
        return len(next(iter(self.columns_by_name.values())))

    def __getitem__(self, row):
        return {name: column[row] for name, column in self.columns_by_name.items()}

    def select(self, rows):
        return Table({name: [column[row] for row in rows] for name, column in self.columns_by_name.items()})


def as_images(pixels):
    return [Image.fromarray(image.transpose(1, 2, 0)) for image in pixels]


def as_paths(pixels, folder):
    return [folder / "ab"[CODES[row]] / f"{row:02d}.png" for row in range(N)]


def shuffled_index(items):
    return pd.Series(items, index=np.arange(N)[::-1])


KINDS = {
    "tensors": lambda pixels, folder: Counting(list(torch.from_numpy(pixels))),
    "channels last": lambda pixels, folder: Counting(list(pixels.transpose(0, 2, 3, 1))),
    "images": lambda pixels, folder: Counting(as_images(pixels)),
    "hugging face": lambda pixels, folder: Table({"label": [0] * N, "image": as_images(pixels), "name": ["x"] * N}),
    "list of images": lambda pixels, folder: as_images(pixels),
    "list of tensors": lambda pixels, folder: list(torch.from_numpy(pixels)),
    "list of arrays": lambda pixels, folder: list(pixels.transpose(0, 2, 3, 1)),
    "paths": as_paths,
    "array of names": lambda pixels, folder: np.array(list(map(str, as_paths(pixels, folder)))),
    "Series of names": lambda pixels, folder: shuffled_index(list(map(str, as_paths(pixels, folder)))),
    "Series of paths": lambda pixels, folder: shuffled_index(as_paths(pixels, folder)),
    "Series of images": lambda pixels, folder: shuffled_index(as_images(pixels)),
    "polars Series of names": lambda pixels, folder: polars.Series(list(map(str, as_paths(pixels, folder)))),
    "polars Series of paths": lambda pixels, folder: polars.Series(as_paths(pixels, folder), dtype=polars.Object),
    "column of names": lambda pixels, folder: pd.array(list(map(str, as_paths(pixels, folder))), dtype="string"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_items_are_the_rows_that_an_array_holds(make, pixels, folder, kind):
    expected = make().fit(pixels, PARTIAL)
    X = KINDS[kind](pixels, folder)
    pruner = make()
    kept = pruner.fit_transform(X, PARTIAL)
    np.testing.assert_array_equal(pruner.support_, expected.support_)
    assert type(kept) is type(pruner.transform(X)) is (Subset if isinstance(X, Dataset) else type(X))
    assert len(kept) == len(pruner.coreset()[0]) == 10
    np.testing.assert_array_equal(as_pool(kept), pixels[pruner.support_])
    np.testing.assert_array_equal(as_pool(pruner.coreset()[0]), pixels[pruner.support_])
    if isinstance(X, Counting):
        reads = X.reads.copy()
        assert (reads - pruner.support_ * (reads.max() - 1) == 1).all()  # once in fit; those that are kept above, too
    assert pruner.score(X, CODES) > 0.8
    assert pruner.suggest_ratio(X, [0.5, 1.0]) in (0.5, 1.0)
    assert pruner.predict_difficulty(take_rows(X, np.arange(3))).shape == (3,)
    with pytest.raises(ValueError, match="X is not the data"):
        pruner.transform(take_rows(X, np.arange(N - 1)))
    copy.deepcopy(pruner)
    model = PrunedClassifier(make_pipeline(MaxAbsScaler(), LogisticRegression()), make(), labels="pseudo").fit(
        X, PARTIAL
    )
    assert model.score(X, CODES) > 0.8
    rows, _ = PruningSampler(make()).fit_resample(X, PARTIAL)
    assert len(rows) == 10
    assert RandomPruner(10, random_state=0).fit(X).transform(X) is not None
    assert len(KCenterPruner(10).fit_transform(X)) == 10


def test_a_fit_reads_each_item_once_and_transform_none(make, pixels):
    X = Counting(list(torch.from_numpy(pixels)))
    pruner = make(estimate_accuracy=True)
    pruner.fit_transform(X, PARTIAL)
    pruner.transform(X)
    assert X.reads.tolist() == [1] * N
    RandomPruner().fit_transform(X)
    assert X.reads.tolist() == [1] * N


def test_nets_read_datasets(folder, pixels, make):
    X = ImageFolder(folder, transform=ToTensor())
    y = np.array(X.targets)
    net = NetClassifier(max_epochs=1, module__width=4, random_state=0).fit(X, y)
    array = np.stack([image.numpy() for image, _ in X])
    np.testing.assert_allclose(net.predict_proba(X), net.predict_proba(array), atol=1e-6)
    model = PrunedClassifier(NetClassifier(max_epochs=4, module__width=8, random_state=0), make(), labels="pseudo")
    partial = np.where(np.arange(N) % 3 == 0, y, -1)
    assert model.fit(X, partial).predict(X).shape == (N,)
    assert isinstance(make().fit_transform(X, partial), Subset)


def test_pruning_curves_of_datasets(folder):
    X = ImageFolder(folder, transform=ToTensor())
    y = np.array(X.targets)
    partial = np.where(np.arange(N) % 3 == 0, y, -1)
    curve = pruning_curve(
        {"random": RandomPruner()},
        X,
        partial,
        X_test=X,
        y_test=y,
        y_oracle=y,
        ratios=[0.5],
        evaluator=LogisticRegression(),
        random_states=[0],
    )
    assert max(row["accuracy"] for row in curve.rows) > 0.5


def test_datasets_of_tables(make):
    X = np.random.default_rng(0).normal(size=(N, 3)) + CODES[:, None]
    expected = make().fit(X, PARTIAL)
    dataset = TensorDataset(torch.from_numpy(X), torch.zeros(N))
    np.testing.assert_array_equal(make().fit(dataset, PARTIAL).support_, expected.support_)


def test_gray_and_color_images_are_all_colored():
    gray, color = Image.new("L", (4, 5), 7), Image.new("RGB", (4, 5), (1, 2, 3))
    for images in ([gray, color], [color, gray]):
        pool = as_pool(images)
        assert pool.shape == (2, 3, 5, 4)
        assert sorted(pool[:, :, 0, 0].tolist()) == [[1, 2, 3], [7, 7, 7]]
    assert as_pool([gray, gray]).shape == (2, 1, 5, 4)
    assert as_pool([Image.new("RGB", (3, 3))]).shape == (1, 3, 3, 3)  # nothing else would decide
    mixed = as_pool(Counting([np.zeros((4, 5), np.uint8), np.full((4, 5), 0.5)]))
    assert mixed.max() == 0.5


SIZES = [Image.new("RGB", size) for size in ((8, 6), (8, 6), (5, 4))]


@pytest.mark.parametrize(
    ("X", "way_out"),
    [
        (SIZES, "skprune.datasets.load_images.folder, size=64"),
        (Counting(SIZES), "Give the Dataset a transform that yields equal shapes, such as Compose"),
        (Table({"image": SIZES}), "Resize them in dataset.map"),
        ([np.asarray(image).transpose(2, 0, 1) for image in SIZES], "skprune.datasets.load_images"),
    ],
)
def test_images_of_mixed_sizes(X, way_out):
    message = rf"Row 2 of X has the shape \(3, 4, 5\), and row 0 the shape \(3, 6, 8\)\. .*{way_out}"
    with pytest.raises(ValueError, match=message):
        SemiPrune().fit(X, [0, 1, -1])


def test_mixed_sizes_with_a_transform(tmp_path):
    (tmp_path / "a").mkdir()
    for number, image in enumerate(SIZES):
        image.save(tmp_path / "a" / f"{number}.png")
    assert as_pool(ImageFolder(tmp_path, Compose([Resize(4), CenterCrop(4), PILToTensor()]))).shape == (3, 3, 4, 4)


class Stream(IterableDataset):
    def __iter__(self):
        yield 1


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (
            DataLoader(TensorDataset(torch.zeros(4, 2))),
            TypeError,
            r"X is a DataLoader.*Pass its Dataset: loader.dataset",
        ),
        (Stream(), TypeError, "X is a Stream, whose items have no index"),
        (Counting([]), ValueError, "0 samples"),
        (Counting(["text", "more"]), FileNotFoundError, "text"),
        (Counting([{}, {}]), ValueError, "Row 0 of X holds no images among"),
        (Counting([None, None]), TypeError, "Row 0 of X is a NoneType. Items must be images or arrays"),
        (Table({"a": [SIZES[0]], "b": [SIZES[1]]}), ValueError, r"holds 2 images among \['a', 'b'\].*select_columns"),
        (Table({"a": [1.0, 2.0]}), ValueError, r"holds no images among \['a'\].*dataset.to_pandas\(\)"),
        ([Path("/nowhere/1.png")], FileNotFoundError, "/nowhere/1.png"),
        (["/nowhere/1.PNG", "/nowhere/2.jpeg"], FileNotFoundError, "/nowhere/1.PNG"),
        ([Image.fromarray(np.zeros((3, 3), np.uint16))], ValueError, "Row 0 of X has more than 8 bits per channel"),
    ],
)
def test_refused_items(X, error, message):
    with pytest.raises(error, match=message):
        as_pool(X)


def test_labels_are_passed_beside_a_dataset(folder):
    with pytest.raises(ValueError, match=r"X is a ImageFolder, and y is None. .* y=dataset.targets"):
        SemiPrune().fit(ImageFolder(folder), None)
    with pytest.raises(ValueError, match=r"y=dataset\['label'\]"):
        SemiPrune().fit(Table({"image": SIZES}), None)
    with pytest.raises(ValueError, match="X has 40 rows, y has 3"):
        SemiPrune().fit(ImageFolder(folder, ToTensor()), [0, 1, -1])


def test_a_dataset_of_the_same_length_is_taken_for_the_same(make, pixels):
    X = Counting(list(torch.from_numpy(pixels)))
    pruner = make().fit(X, PARTIAL)
    assert len(pruner.transform(Counting(list(torch.from_numpy(255 - pixels))))) == 10
    with pytest.raises(ValueError, match="X is not the data"):
        pruner.transform(255 - pixels)
    assert pruner.transform(pixels).shape == (10, 3, SIDE, SIDE)


@pytest.mark.parametrize("place", [0, 3, N - 1])
def test_parts_of_a_mixed_pool_are_colored_too(make, place, pixels):
    """One color image among gray ones, whichever rows are read again: the coreset, new rows, those of a curve."""
    images = [Image.fromarray(gray) for gray in pixels[:, 0]]
    images[place] = images[place].convert("RGB")
    pruner = make().fit(images, PARTIAL)
    assert pruner.predict_difficulty(images[5:9]).shape == (4,)
    grays = [image for image in images if image.mode == "L"]
    labels = [code for code, image in zip(CODES, images, strict=True) if image.mode == "L"]
    assert pruner.score(grays, labels) > 0.9
    classifier = PrunedClassifier(KNeighborsClassifier(3), make(), labels="pseudo").fit(images, PARTIAL)
    assert classifier.score(grays, labels) > 0.9
    net = NetClassifier(module__width=4, max_epochs=1, batch_size=16, precision="fp32", random_state=0).fit(
        images, CODES
    )
    assert net.predict(grays[:3]).shape == (3,)
    curve = pruning_curve(
        {"random": RandomPruner()},
        images,
        PARTIAL,
        ratios=[0.5],
        evaluator=KNeighborsClassifier(3),
        X_test=grays,
        y_test=labels,
        y_oracle=CODES,
    )
    assert min(row["accuracy"] for row in curve.rows) > 0.9
