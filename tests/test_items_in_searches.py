"""Lists of the items of a Dataset, as scikit-learn's splits make them; lists as items; pools that are not read twice."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_wine
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.semi_supervised import LabelSpreading
from torch.utils.data import Dataset, Subset, TensorDataset

from skprune import PrunedClassifier, SemiPrune, prune_shards
from skprune._utils._pool import as_pool
from skprune.baselines import ContrastiveFeatures, KCenterPruner, RandomPruner
from skprune.dynamics import collect_dynamics
from skprune.model_selection import pruning_curve
from skprune.nets import NetClassifier
from skprune.semi_supervised import SoftMatch

N = 24
VECTORS = np.random.default_rng(0).random((N, 5))
IMAGES = np.random.default_rng(1).integers(0, 256, (N, 4, 6), dtype=np.uint8)
CODES = np.arange(N) % 2
PARTIAL = np.where(np.arange(N) < 10, CODES, -1)


class Items(Dataset):
    """Items as they are."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, row):
        return self.items[row]


def pairs(values, labels, kind=tuple):
    return [kind((value, label)) for value, label in zip(values, labels, strict=True)]


DATASETS = {
    "without labels": lambda X, y: TensorDataset(X),
    "with labels": TensorDataset,
    "with one-hot labels": lambda X, y: TensorDataset(X, torch.eye(3)[y]),
    "subset": lambda X, y: Subset(TensorDataset(X, y), range(len(y))),
}


@pytest.mark.parametrize("kind", DATASETS)
def test_searches_of_datasets_are_those_of_arrays(kind):
    X, y = load_wine(return_X_y=True)
    dataset = DATASETS[kind](torch.from_numpy(X), torch.from_numpy(y))
    net = NetClassifier(max_epochs=2, random_state=0, device="cpu")
    expected = cross_val_score(net, X, y, cv=2)
    np.testing.assert_array_equal(cross_val_score(net, dataset, y, cv=2, error_score="raise"), expected)
    model = PrunedClassifier(KNeighborsClassifier(1), RandomPruner(0.5, random_state=0))
    grid = {"pruner__ratio": [0.2, 0.8]}
    expected = GridSearchCV(model, grid, cv=2).fit(X, y)
    found = GridSearchCV(model, grid, cv=2, error_score="raise").fit(dataset, y)
    np.testing.assert_array_equal(found.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"])
    assert found.score(dataset, y) == expected.score(X, y)


def test_pruners_read_lists_of_items():
    proxy = make_pipeline(MaxAbsScaler(), SGDClassifier(loss="log_loss"))
    pruner = SemiPrune(
        8, labeler=LabelSpreading(kernel="knn", n_neighbors=12), proxy=proxy, n_epochs=10, random_state=0
    )
    expected = pruner.fit(IMAGES, PARTIAL).support_
    items = pairs(torch.from_numpy(IMAGES), CODES)
    kept = pruner.fit_transform(items, PARTIAL)
    np.testing.assert_array_equal(pruner.support_, expected)
    assert type(kept[0]) is tuple
    assert len(pruner.transform(items)) == len(pruner.coreset()[0]) == 8
    assert pruner.score(items, CODES) == pruner.score(IMAGES, CODES)
    assert KCenterPruner(4).fit(items).n_features_in_ == 24
    dynamics, _ = collect_dynamics(proxy, items, CODES, n_epochs=2, random_state=0)
    of_array, _ = collect_dynamics(proxy, IMAGES, CODES, n_epochs=2, random_state=0)
    np.testing.assert_array_equal(dynamics.correct, of_array.correct)


def pictures():
    return [Image.fromarray(image) for image in IMAGES]


LISTS = {
    "vectors": ([(row,) for row in VECTORS], VECTORS),
    "tensors in lists": ([[row] for row in torch.from_numpy(VECTORS)], VECTORS),
    "labels": (pairs(VECTORS, CODES), VECTORS),
    "labels in lists": (pairs(torch.from_numpy(VECTORS), CODES, list), VECTORS),
    "labels of tensors": (pairs(torch.from_numpy(VECTORS), torch.from_numpy(CODES)), VECTORS),
    "boxes": (pairs(IMAGES, [[[1, 2], [3]]] * N, list), IMAGES[:, None]),
    "mappings in tuples": (pairs([{"image": image} for image in pictures()], CODES), IMAGES[:, None]),
    "masks": (pairs(IMAGES[:, None], IMAGES), IMAGES[:, None]),
    "numbers beside labels": (pairs(VECTORS.tolist(), CODES.tolist()), VECTORS),
    "numbers in tuples": ([(row,) for row in VECTORS.tolist()], VECTORS),
    "pictures": (pairs(pictures(), CODES), IMAGES[:, None]),
    "mappings": ([{"image": image, "label": 0} for image in pictures()], IMAGES[:, None]),
}


@pytest.mark.parametrize("kind", LISTS)
def test_lists_of_items(kind):
    items, values = LISTS[kind]
    np.testing.assert_array_equal(as_pool(items), values)
    np.testing.assert_array_equal(as_pool(Items(items)), values)


TABLES = {
    "tuples": ([tuple(row) for row in VECTORS.tolist()], VECTORS),
    "tuples of NumPy's numbers": ([tuple(row) for row in VECTORS], VECTORS),
    "tuples of one number": ([(value,) for value in VECTORS[:, 0].tolist()], VECTORS[:, :1]),
    "lists": (VECTORS.tolist(), VECTORS),
    "nested lists": (IMAGES.tolist(), IMAGES[:, None]),
    "nested tuples": ([tuple(map(tuple, image)) for image in IMAGES.tolist()], IMAGES[:, None]),
    "lists of rows": ([list(image) for image in IMAGES], IMAGES[:, None]),
}


@pytest.mark.parametrize("kind", TABLES)
def test_lists_of_numbers_are_values(kind):
    rows, values = TABLES[kind]
    np.testing.assert_array_equal(as_pool(rows), values)


VALUES = {
    "nested lists": (IMAGES.tolist(), IMAGES[:, None]),
    "nested lists and labels": (pairs(IMAGES.tolist(), CODES), IMAGES[:, None]),
    "nested lists and labels in lists": (pairs(IMAGES.tolist(), CODES, list), IMAGES[:, None]),
    "lists of rows": ([list(image) for image in torch.from_numpy(IMAGES)], IMAGES[:, None]),
    "lists": (VECTORS.tolist(), VECTORS),
    "pictures and labels in lists": (pairs(pictures(), CODES, list), IMAGES[:, None]),
}


@pytest.mark.parametrize("kind", VALUES)
def test_datasets_of_lists(kind):
    items, values = VALUES[kind]
    np.testing.assert_array_equal(as_pool(Items(items)), values)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (
            pairs(VECTORS, VECTORS),
            ValueError,
            r"Row 0 of X is a tuple of 2 arrays of one shape: .* \[item\[0\] for item",
        ),
        (Items([[[1, 2], [3]]]), TypeError, "Row 0 of X is a list. Items must be images or arrays of numbers"),
        (Items([[None, 1]]), TypeError, "Row 0 of X is a list"),
    ],
)
def test_refused_lists(X, error, message):
    with pytest.raises(error, match=message):
        as_pool(X)


def test_views_of_a_large_tensor_are_hashed_alone():
    rows = [(row,) for row in torch.zeros(400, 1000)]
    pruner = RandomPruner(5, random_state=0).fit(rows)
    assert len(pruner.transform([(np.asarray(row),) for (row,) in rows])) == 5
    with pytest.raises(ValueError, match="X is not the data"):
        pruner.transform([(row + 1,) for (row,) in rows])


def small_net(**params):
    return NetClassifier(max_epochs=1, batch_size=8, module__width=4, random_state=0, precision="fp32", **params)


@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")
def test_labelers_look_back_at_images_one_pixel_high():
    X = np.random.default_rng(0).random((N, 1, 64), dtype=np.float32)
    net = SoftMatch(n_steps=2, batch_size=4, module__width=4, random_state=0)
    assert net.fit(X, PARTIAL).shape_ == (1, 1, 64)


def test_embeddings_take_images_one_pixel_high():
    X = np.random.default_rng(0).random((N, 1, 64), dtype=np.float32)
    embedding = ContrastiveFeatures(n_steps=1, batch_size=8, random_state=0).fit(X)
    assert embedding.net_.shape_ == (1, 1, 64)
    assert len(embedding.transform(X)) == N


@pytest.mark.filterwarnings("ignore:Random rows may be as good")
def test_models_are_told_the_axes_of_items():
    """Nothing but that they are pictures tells the axes of 3 x 3 pixels of three colors."""
    colors = np.random.default_rng(0).integers(0, 256, (N, 3, 3, 3), dtype=np.uint8)
    X = [Image.fromarray(color) for color in colors]
    model = PrunedClassifier(small_net(), RandomPruner(12, random_state=0)).fit(X, CODES)
    assert model.estimator.image_shape is None
    assert model.predict(X).shape == (N,)
    curve = pruning_curve(
        {"random": RandomPruner()},
        X,
        CODES,
        X_test=X,
        y_test=CODES,
        ratios=[0.5],
        evaluator=small_net(),
        random_states=[0],
    )
    assert len(curve.rows) == 1
    assert collect_dynamics(small_net(), X, CODES, n_epochs=1)[1].shape_ == (3, 3, 3)
    spreading = LabelSpreading(kernel="knn", n_neighbors=12)
    proxy = make_pipeline(MaxAbsScaler(), SGDClassifier(loss="log_loss"))
    pruner = SemiPrune(
        8, labeler=spreading, proxy=proxy, n_epochs=10, compare_with_random=small_net(), goal="pseudo", random_state=0
    )
    pruner.fit(X, PARTIAL)
    assert abs(pruner.random_comparison_.difference) <= 1


def test_shards_are_arrays():
    dataset = TensorDataset(torch.from_numpy(VECTORS), torch.from_numpy(CODES))
    for X, what in ((dataset, "TensorDataset"), (list(dataset), "list of items of a Dataset")):
        with pytest.raises(TypeError, match=rf"Shard 0: X of a shard must be an array, got a {what}\. .*np\.stack"):
            prune_shards(SemiPrune(), [(X, CODES)])
