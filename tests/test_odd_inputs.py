"""Kinds of odd inputs that examples/benchmarks/inputs.py generates: each works, or is refused in words that name it."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_array, dok_array, lil_array
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from skprune import PrunedClassifier, PruningSampler, SemiPrune
from skprune.baselines import ActivePruner, D2Pruner, ELFSPruner, KCenterPruner, PrototypicalityPruner, RandomPruner
from skprune.datasets import make_partial_labels
from skprune.nets import NetClassifier
from skprune.selection import Hardest

X, Y = load_iris(return_X_y=True)
PARTIAL = make_partial_labels(Y, n_labeled=15, random_state=0)
PROXY = make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss"))


def prune(**params):
    labeler = make_pipeline(StandardScaler(), SelfTrainingClassifier(LogisticRegression()))
    defaults = {"labeler": labeler, "proxy": PROXY, "n_epochs": 10, "estimate_accuracy": False, "random_state": 0}
    return SemiPrune(**defaults | params)


@pytest.mark.parametrize("pruner", [prune(), KCenterPruner(), RandomPruner()])
@pytest.mark.parametrize(
    "make",
    [
        lambda: None,
        lambda: "table.csv",
        lambda: b"table",
        lambda: len,
        lambda: dict,
        lambda: {"a": X[:, 0]},
        lambda: type("DatasetDict", (dict,), {"shape": {"train": X.shape}})(train=X),
        lambda: {1, 2},
        lambda: (row for row in X),
        lambda: map(list, X),
        lambda: np.array(3.0),
    ],
)
def test_what_has_no_rows(pruner, make):
    with pytest.raises(TypeError, match="X is .*Pass an array, a DataFrame, a list"):
        pruner.fit(make(), PARTIAL)


@pytest.mark.parametrize("pruner", [prune(), KCenterPruner(), RandomPruner()])
def test_arrays_in_chunks_are_told_how_to_come(pruner):
    array = type("Array", (), {"shape": X.shape, "dtype": X.dtype, "chunks": (10, 2), "__getitem__": X.__getitem__})()
    with pytest.raises(
        TypeError, match=r"X is an array in chunks, of type .*Array. Pass X\[:\] .* else a Dataset around it"
    ):
        pruner.fit(array, PARTIAL)


def _cells(make):
    table = np.empty(X.shape, dtype=object)
    table[...] = [[make(cell) for cell in row] for row in X]
    return table


@pytest.mark.parametrize(
    "table",
    [
        [row[: 1 + place % 4] for place, row in enumerate(X.tolist())],
        X + 1j,
        torch.from_numpy(X + 1j),
        X.view("V8"),
        _cells(lambda cell: object()),
        _cells(lambda cell: [cell]),
        pd.DataFrame(X)[[]],
        X[:, 0],
    ],
)
def test_what_are_no_numbers_is_about_x(table):
    with pytest.raises((ValueError, TypeError), match="X cannot be read as a table"):
        prune().fit(table, PARTIAL)


@pytest.mark.parametrize("side", [1, 2, 3])
def test_images_without_pixels(side):
    shape = [150, 1, 8, 8]
    shape[side] = 0
    with pytest.raises(ValueError, match="without any pixel"):
        prune().fit(np.zeros(shape, np.uint8), PARTIAL)


def _quantized():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch is about to drop them
        return torch.quantize_per_tensor(torch.ones(150, 4), 0.1, 0, torch.quint8)


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.zeros(150, 4, device="meta"), "holds no values"),
        (_quantized(), "dequantize"),
    ],
)
def test_tensors_without_plain_values(tensor, message):
    with pytest.raises(TypeError, match=message):
        prune().fit(tensor, PARTIAL)


@pytest.mark.parametrize("pruner", [prune(), KCenterPruner(), RandomPruner()])
def test_equal_column_names(pruner):
    with pytest.raises(ValueError, match="several columns of the name 'a'"):
        pruner.fit(pd.DataFrame(X, columns=list("abca")), PARTIAL)


def test_frames_of_sparse_columns_are_sparse_tables():
    table = np.where(X > 2, X, 0)
    frame = pd.DataFrame(table, columns=list("abcd")).astype(pd.SparseDtype(float, 0.0))
    mask = prune().fit(table, PARTIAL).support_
    pruner = prune().fit(frame, PARTIAL)
    np.testing.assert_array_equal(pruner.support_, mask)
    assert pruner.transform(frame).equals(frame[mask])
    assert pruner.feature_names_in_.tolist() == list("abcd")


@pytest.mark.parametrize("container", [dok_array, lil_array])
def test_random_rows_of_sparse_tables_of_all_formats(container):
    kept = RandomPruner(0.2, random_state=0).fit_transform(container(X))
    assert kept.shape == (30, 4)
    assert isinstance(kept, container)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_classifiers_get_tensors_as_arrays(dtype):
    tensor = torch.from_numpy(X).to(dtype).requires_grad_()
    array = tensor.detach().float().numpy() if dtype == torch.bfloat16 else X
    estimator = LogisticRegression(max_iter=500)
    model = PrunedClassifier(estimator, prune()).fit(tensor, PARTIAL)
    expected = PrunedClassifier(estimator, prune()).fit(array, PARTIAL)
    np.testing.assert_array_equal(model.predict(tensor), expected.predict(array))


def test_a_classifier_is_refused_by_what_x_lacks():
    frame = pd.DataFrame(X, columns=list("abcd")).assign(b="text")
    with pytest.raises(ValueError, match="X holds text in column 'b', and StandardScaler does not read"):
        PrunedClassifier(make_pipeline(StandardScaler(), LogisticRegression()), prune()).fit(frame, PARTIAL)


@pytest.mark.parametrize("shape", [(2, 3, 1), (4, 4, 4), (8, 5, 3)])
def test_nets_read_the_axes_that_image_shape_names(shape, quick):
    flat = np.random.default_rng(0).random((60, int(np.prod(shape))), dtype=np.float32)
    y = make_partial_labels(np.arange(60) % 2, n_labeled=20, random_state=0)
    params = {"image_shape": shape, "n_epochs": 2, "difficulty": "aum", "selection": "hardest"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a net that learns too little in two epochs
        pruner = quick(proxy=NetClassifier(batch_size=16), **params).fit(flat, y)
    for net in (pruner.labeler_, pruner.proxy_):
        first = next(layer for layer in net.module_.modules() if isinstance(layer, torch.nn.Conv2d))
        assert first.in_channels == shape[0]
        assert net.predict_proba(flat.reshape(60, *shape)).shape == (60, 2)


@pytest.mark.parametrize("image_shape", [(True, 2, 2), 4, "2"])
@pytest.mark.parametrize("pruner", [KCenterPruner, RandomPruner])
def test_no_image_shape(pruner, image_shape):
    with pytest.raises(ValueError, match="image_shape must be"):
        pruner(image_shape=image_shape).fit(X)


def test_images_too_large_for_any_net(quick, images):
    pixels, _, y = images
    with pytest.raises(ValueError, match="too large to be standardized"):
        quick(image_shape=(1, 8, 8)).fit(pixels * 1e200, y)
    with pytest.raises(ValueError, match="too large to be standardized"):
        NetClassifier().fit(pixels * 1e200, np.arange(len(pixels)) % 2)


@pytest.mark.parametrize("pruner", [prune(), RandomPruner(), PrototypicalityPruner(n_clusters=2)])
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: 3, "y must be array-like"),
        (lambda: len, "y must be array-like"),
        (lambda: (label for label in Y), "y must be array-like"),
        (lambda: np.array(1), "y must be array-like"),
        (lambda: Y[:, None, None], "y should be a 1d array"),
        (lambda: np.eye(3)[Y], "y should be a 1d array"),
        (lambda: dict(enumerate(Y)), "y should be a 1d array"),
        (lambda: Y + 1j, "y holds values of dtype complex128"),
        (lambda: np.zeros(150, dtype=[("a", int)]), "y holds values of dtype"),
        (lambda: [{label} for label in Y.tolist()], r"y holds \{0\}, a set"),
        (lambda: [{"label": label} for label in Y.tolist()], "a dict"),
        (lambda: [object()] * 150, "a object"),
        (lambda: ["a", b"b", "c"] * 50, "y mixes 100 strings"),
        (lambda: [1, np.datetime64("2024-01-01")] * 75, "y mixes 75 dates"),
    ],
)
def test_what_are_no_labels(pruner, make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        pruner.fit(X, make())


def test_labels_of_every_container():
    plain = prune().fit(X, PARTIAL).support_
    gradient = torch.tensor(np.where(PARTIAL < 0, np.nan, PARTIAL), requires_grad=True)
    np.testing.assert_array_equal(prune().fit(X, gradient).support_, plain)
    texts = np.array(["a", "b", "c"])[Y].astype(np.dtypes.StringDType())
    np.testing.assert_array_equal(prune().fit(X, texts).support_, prune().fit(X, Y).support_)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (np.ones((150, 2)), "groups must hold one group"),
        (3, "groups must be array-like"),
        ([[1]] * 150, "groups must hold one group"),
    ],
)
def test_what_are_no_groups(groups, message):
    with pytest.raises((ValueError, TypeError), match=message):
        prune().fit(X, PARTIAL, groups=groups)


@pytest.mark.parametrize(
    ("fit_params", "message"),
    [
        ({"y_oracle": np.eye(3)[Y]}, "y_oracle should be a 1d"),
        ({"y_oracle": 3}, "y_oracle must be array-like"),
        ({"sample_weight": ["heavy"] * 150}, "sample_weight must hold numbers"),
    ],
)
def test_what_a_classifier_gets_besides(fit_params, message):
    pruner = prune(labeler=_Alarm())
    with pytest.raises((ValueError, TypeError), match=message):
        PrunedClassifier(LogisticRegression(), pruner).fit(X, PARTIAL, **fit_params)


class _Alarm(SelfTrainingClassifier):
    def __init__(self):
        super().__init__(LogisticRegression())

    def fit(self, X, y):
        raise AssertionError("the labeling has begun")


@pytest.mark.parametrize(
    ("answers", "message"),
    [(Y + 0.5, "y_oracle holds no class labels"), (np.array(list("abc"))[Y], "y with the answers of y_")],
)
def test_answers_that_are_no_classes(answers, message):
    with pytest.raises(ValueError, match=message):
        PrunedClassifier(LogisticRegression(max_iter=500), prune()).fit(X, PARTIAL, y_oracle=answers)


@pytest.mark.parametrize("part", [None, 3, "text", {}, [1], object(), LogisticRegression, PROXY])
def test_what_is_no_pruner(part):
    for model in (PrunedClassifier(LogisticRegression(), part), PruningSampler(part)):
        with pytest.raises(TypeError, match="pruner must be"):
            model.fit(X, PARTIAL)


@pytest.mark.parametrize("part", [None, 3, "text", {}, object(), LogisticRegression])
def test_what_is_no_classifier(part):
    with pytest.raises(TypeError, match="estimator must be a classifier"):
        PrunedClassifier(part, prune()).fit(X, PARTIAL)


@pytest.mark.parametrize("seed", [-1, 2**40, 1.5, "seed", [1], np.random.default_rng(0)])
def test_what_is_no_seed(seed):
    for pruner in (prune(random_state=seed), KCenterPruner(random_state=seed), ActivePruner(random_state=seed)):
        with pytest.raises(ValueError, match="random_state must be None, an integer"):
            pruner.fit(X, PARTIAL)


@pytest.mark.parametrize("name", ["n_epochs", "schedule_epochs", "n_repeats", "n_jobs"])
def test_numbers_of_another_world(name):
    with pytest.raises(ValueError, match=f"{name} must be at most"):
        prune(**{name: 10**400}).fit(X, PARTIAL)


@pytest.mark.parametrize("gamma", [10**400, np.nan, np.inf, -1])
def test_no_finite_number(gamma):
    with pytest.raises(ValueError, match="gamma_forward must be at least 0"):
        D2Pruner(gamma_forward=gamma, n_clusters=3).fit(X)


@pytest.mark.parametrize("n_jobs", [0, True, 1.5])
def test_no_number_of_jobs(n_jobs):
    with pytest.raises(ValueError, match="n_jobs must be None or an integer other than 0"):
        prune(n_jobs=n_jobs).fit(X, PARTIAL)


@pytest.mark.parametrize("device", [10**400, 1.5, np.array([1, 2]), [], "gpu"])
def test_no_device(device):
    with pytest.raises(ValueError, match="device must be None, 'auto' or a device of torch"):
        ActivePruner(device=device).fit(X, PARTIAL)


def test_a_proxy_that_is_a_class():
    with pytest.raises(TypeError, match="proxy must be a classifier"):
        prune(proxy=NetClassifier).fit(X, PARTIAL)


@pytest.mark.parametrize("value", [None, 0, "no", 1.5])
def test_active_learning_is_told_plainly_whether_labels_stay(value):
    with pytest.raises(ValueError, match="include_labeled must be True or False"):
        ActivePruner(include_labeled=value).fit(X, PARTIAL)


@pytest.mark.parametrize("memory", [3, True, b"folder", {}])
def test_a_place_that_is_none_is_refused_before_an_embedding_is_trained(memory):
    class Alarm(MaxAbsScaler):
        def fit(self, X, y=None):
            raise AssertionError("the embedding is trained")

    with pytest.raises(ValueError, match="memory"):
        ELFSPruner(n_clusters=3, proxy=PROXY, embedding=Alarm(), memory=memory, random_state=0).fit(X)


def test_methods_name_what_they_refuse():
    pruner = prune().fit(X, PARTIAL)
    with pytest.raises(ValueError, match="mask must be a boolean mask"):
        pruner.annotation_indices(None)
    for value in (3, "aum", len):
        with pytest.raises(TypeError, match="scores must be a list of names"):
            pruner.explain(value)
        with pytest.raises(TypeError, match="ratios must be None or a sequence"):
            pruner.suggest_ratio(X, value)
    for value in (len, Hardest, lambda dynamics: None, lambda dynamics: ["a"] * 150):
        with pytest.raises((ValueError, TypeError), match="The difficulty '.*' (fails|must return|returned an array)"):
            pruner.select(difficulty=value)


@pytest.mark.parametrize("least", [20, 30])
def test_a_minimum_that_no_labeling_allows(least):
    y = np.r_[np.repeat([0, 1, 2], 7), np.full(39, -1)]
    with pytest.raises(ValueError, match=f"min_per_class={least} needs at least"):
        prune(labeler=_Alarm(), selection=Hardest(min_per_class=least)).fit(X[:60], y)


def test_a_minimum_that_one_labeling_allows():
    y = np.r_[np.repeat([0, 1, 2], 7), np.full(39, -1)]
    with pytest.raises(ValueError, match="the labeling has begun"):  # 16, 7 and 7 rows, if all others are of one class
        prune(labeler=_Alarm(), selection=Hardest(min_per_class=16)).fit(X[:60], y)


def test_sparse_tables_reach_a_classifier_that_reads_them():
    model = PrunedClassifier(make_pipeline(MaxAbsScaler(), LogisticRegression()), prune())
    assert model.fit(csr_array(X), PARTIAL).predict(csr_array(X)).shape == (150,)
