"""What the stages take in memory: no array of all rows and classes that need not be, and the formula that says so beforehand."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skprune import SemiPrune
from skprune._pipeline import _memory
from skprune._pipeline._memory import Sizes, memory_of_stages
from skprune._pipeline._settings import Settings
from skprune._pipeline._stages import label_pool, record_pool
from skprune._utils import _mapped, _proba
from skprune._utils._free_memory import free_memory
from skprune._utils._labels import VANISHED
from skprune._utils._proba import proba_parts
from skprune.baselines import SupervisedPruner
from skprune.dynamics import Recording, collect_dynamics
from skprune.nets import NetClassifier
from skprune.nets._features import proxy_features
from skprune.selection import D2, FacilityLocation, KCenter, KMeans
from skprune.semi_supervised import SoftMatch

N_ROWS, N_CLASSES, N_COLUMNS, N_EPOCHS = 6000, 100, 8, 20
ONE = 8 * N_ROWS * N_CLASSES  # probabilities of all rows in double precision


class Linear(ClassifierMixin, BaseEstimator):
    """A classifier that costs nothing: fixed weights, which grow with each epoch."""

    def fit(self, X, y):
        self.n_epochs_ = 0
        return self.partial_fit(X, y)

    def partial_fit(self, X, y, classes=None):
        self.n_epochs_ = getattr(self, "n_epochs_", 0) + 1
        self.classes_ = np.arange(N_CLASSES)
        self.weights_ = np.random.default_rng(0).normal(size=(X.shape[1], N_CLASSES))
        return self

    def predict_proba(self, X):
        proba = X @ self.weights_
        proba *= 0.1 * self.n_epochs_
        np.exp(proba, out=proba)
        proba /= proba.sum(axis=1, keepdims=True)
        return proba


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(N_ROWS, N_COLUMNS)).astype(np.float32), np.arange(N_ROWS) % N_CLASSES
    return X, y, np.where(np.arange(N_ROWS) < 10 * N_CLASSES, y, -1)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    monkeypatch.setattr(_proba, "CHUNK_BYTES", ONE // 50)


def peak_of(function):
    """Return the most memory that a call takes beyond what is there before, and its result."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        result = function()
        return tracemalloc.get_traced_memory()[1] - before, result
    finally:
        tracemalloc.stop()


def pruner_of(**params):
    defaults = {"labeler": Linear(), "proxy": Linear(), "difficulty": "aum", "selection": "hardest"}
    return SemiPrune(200, **defaults | {"n_epochs": N_EPOCHS, "random_state": 0} | params)


def test_predictions_in_parts_are_those_at_once(rows):
    X, y, _ = rows
    model = Linear().fit(X, y)
    parts = list(proba_parts(model, X, N_CLASSES))
    assert len(parts) > 40
    np.testing.assert_array_equal(np.concatenate([np.arange(N_ROWS)[part] for part, _ in parts]), np.arange(N_ROWS))
    np.testing.assert_allclose(np.concatenate([proba for _, proba in parts]), model.predict_proba(X), rtol=1e-12)


def test_labels_features_and_dynamics_need_no_array_of_rows_and_classes(rows):
    X, y, partial = rows
    assert peak_of(lambda: label_pool(Linear(), X, partial, 0, 0))[0] < 0.2 * ONE
    record = Recording(kl=False)
    of_dynamics = N_ROWS * (13 * N_EPOCHS + 32)
    peak, (_, model) = peak_of(lambda: collect_dynamics(Linear(), X, y, n_epochs=N_EPOCHS, record=record))
    assert of_dynamics < peak < of_dynamics + 0.2 * ONE
    peak, features = peak_of(lambda: proxy_features(model, X))
    assert features.nbytes == ONE / 2
    assert peak < 0.7 * ONE


def test_a_net_predicts_within_the_array_that_it_returns(rows):
    X, y, _ = rows
    net = NetClassifier(max_epochs=1, module__width=8, random_state=0).fit(X, y)
    assert peak_of(lambda: net.predict_proba(X))[0] < 1.3 * ONE


@pytest.mark.filterwarnings(f"ignore:{VANISHED}", "ignore:The coreset of")
def test_a_fit_takes_less_than_one_and_a_half_arrays(rows):
    """What a fit of a linear proxy keeps, dynamics of 20 epochs and features, is most of it."""
    X, _, partial = rows
    assert peak_of(lambda: pruner_of(estimate_accuracy=True).fit(X, partial))[0] < 1.5 * ONE


@pytest.mark.parametrize("selector", [KMeans(2.0), D2(), FacilityLocation(), KCenter()])
def test_features_in_single_precision_are_read_as_they_are(rows, selector):
    X, _, _ = rows
    scores = np.random.default_rng(0).random(N_ROWS)
    inputs = {"uncertainty": scores, "random_state": 0}
    single, double = (selector.propose(scores, 100, embedding=of, **inputs) for of in (X, X.astype(np.float64)))
    np.testing.assert_array_equal(single, double)


def test_k_means_in_two_levels_takes_little_more_than_the_features():
    X = np.random.default_rng(0).normal(size=(40_000, 64)).astype(np.float32)
    scores = np.ones(len(X))
    KMeans().select(scores[:100], 5, embedding=X[:100], random_state=0)  # imports
    assert peak_of(lambda: KMeans().select(scores, 2000, embedding=X, random_state=0))[0] < 2.5 * X.nbytes


CASES = {
    "linear": {},
    "without kl": {"record": Recording(kl=False)},
    "every second epoch": {"record": Recording(every=2, kl=True)},
    "repeats": {"n_repeats": 2},
    "pipelines": {"proxy": make_pipeline(StandardScaler(), Linear())},
    "nets": {
        "labeler": SoftMatch(n_steps=3, batch_size=8, mu=1, module__width=64),
        "proxy": NetClassifier(module__width=64),
    },
    "coverage": {"selection": "auto", "estimate_accuracy": False},
}


@pytest.mark.filterwarnings(f"ignore:{VANISHED}", "ignore:The coreset of", "ignore:The .* repeats are equal")
@pytest.mark.parametrize("mapped", [False, True], ids=["in memory", "mapped"])
@pytest.mark.parametrize("name", CASES)
def test_the_formula_is_near_the_measured_peak(rows, name, mapped, tmp_path, monkeypatch):
    monkeypatch.setattr(_mapped, "_CHUNK_BYTES", ONE // 50)
    X, y, partial = rows
    if mapped:
        np.save(tmp_path / "pool.npy", X)
        X = np.load(tmp_path / "pool.npy", mmap_mode="r")
    pruner = pruner_of(**CASES[name])
    models = SimpleNamespace(labeler=pruner.labeler, proxy=pruner.proxy)
    needs = memory_of_stages(Settings.of(pruner), models, Sizes.of(X, partial, np.arange(N_CLASSES)))
    assert ("labeling without a fifth of the labels" in needs) == (pruner.estimate_accuracy is not False)
    measured = peak_of(lambda: pruner.fit(X, partial))[0]
    stated = max(needs.values())
    assert 0.75 * stated < measured < 1.25 * stated, needs


def test_the_formula_of_a_recording(rows):
    X, y, _ = rows
    pruner = SupervisedPruner(proxy=Linear(), difficulty="aum", selection="hardest", n_epochs=N_EPOCHS)
    models = SimpleNamespace(labeler=None, proxy=pruner.proxy)
    stated = memory_of_stages(Settings.of(pruner), models, Sizes.of(X, y, np.arange(N_CLASSES)))
    assert list(stated) == ["recording", "selection"]
    measured = peak_of(lambda: record_pool(Linear(), X, y, N_EPOCHS, 20, Recording(), True, 0, 0))[0]
    assert 0.75 * stated["recording"] < measured < 1.25 * stated["recording"]


def test_more_than_is_free_is_said_before_any_training(rows, monkeypatch):
    X, _, partial = rows
    n_fits, labeler = [], Linear()
    monkeypatch.setattr(Linear, "fit", lambda *args: n_fits.append(args) or pytest.fail("trained"))
    monkeypatch.setattr(_memory, "free_memory", lambda: 2**20)
    with (
        pytest.warns(
            UserWarning, match=r"will need about 0.00\d+ GiB of memory beside X, and 0.00098 GiB are free. Record less"
        ),
        pytest.raises(pytest.fail.Exception),
    ):
        pruner_of(labeler=labeler).fit(X, partial)
    assert len(n_fits) == 1


@pytest.mark.parametrize("free", [None, 2**40])
def test_enough_memory_is_worth_no_word(iris, quick, monkeypatch, free):
    X, _, partial = iris
    monkeypatch.setattr(_memory, "free_memory", lambda: free)
    quick().fit(X, partial)  # any warning is an error


def write(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


MEMINFO = {"proc/meminfo": "MemTotal:       1000 kB\nMemAvailable:    600 kB\n"}


def test_the_machine_says_what_is_free(tmp_path):
    assert free_memory(tmp_path) is None
    write(tmp_path, MEMINFO)
    assert free_memory(tmp_path) == 600 * 1024


def test_control_groups_limit_it(tmp_path):
    group = "sys/fs/cgroup/a/b"
    files = {
        "proc/self/cgroup": "0::/a/b\n",
        f"{group}/memory.max": "max\n",
        f"{group}/memory.current": "70000\n",
        "sys/fs/cgroup/a/memory.max": "100000\n",
        "sys/fs/cgroup/a/memory.current": "80000\n",
        "sys/fs/cgroup/a/memory.stat": "anon 1\ninactive_file 5000\n",
    }
    write(tmp_path, MEMINFO | files)
    assert free_memory(tmp_path) == 100000 - 80000 + 5000
    write(tmp_path, {f"{group}/memory.max": "71000\n"})
    assert free_memory(tmp_path) == 1000


def test_control_groups_of_the_first_version(tmp_path):
    base = "sys/fs/cgroup/memory/docker"
    files = {
        "proc/self/cgroup": "3:cpu:/docker\n2:memory:/docker\n",
        f"{base}/memory.limit_in_bytes": "300000\n",
        f"{base}/memory.usage_in_bytes": "350000\n",
    }
    write(tmp_path, MEMINFO | files)
    assert free_memory(tmp_path) == 0


def test_this_machine_says_something_sensible():
    free = free_memory()
    assert free is None or free > 2**20
