"""Curves, repeats and grid searches on the workers of joblib's engines: a local Dask cluster, a local Ray, processes."""

import os
import signal
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.semi_supervised import LabelSpreading
from threadpoolctl import threadpool_info

from skprune import PrunedClassifier, SemiPrune, prune_shards
from skprune.baselines import KCenterPruner, PrototypicalityPruner, RandomPruner
from skprune.model_selection import PruningCurve, pruning_curve
from skprune.model_selection._curve_runs import CurveData
from skprune.nets import NetClassifier

SURVIVES = {"ray_remote_args": {"max_restarts": 2, "max_task_retries": 2}}


class Watched(LogisticRegression):
    """A classifier that notes where it runs, with how many threads, and whether rows are mapped; it may kill its first worker."""

    def __init__(self, folder=None, dies=False):
        super().__init__(max_iter=300)
        self.folder, self.dies = folder, dies

    def fit(self, X, y):
        if self.dies:
            try:
                (Path(self.folder) / "died").mkdir()
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(X, y)

    def predict(self, X):
        n_threads = max([torch.get_num_threads(), *(pool["num_threads"] for pool in threadpool_info())])
        (Path(self.folder) / f"{os.getpid()}-{n_threads}-{isinstance(X, np.memmap)}.note").touch()
        return super().predict(X)


def notes(folder):
    """Return the processes that took part, their numbers of threads, and which of their test rows were mapped."""
    pids, threads, mapped = zip(*(file.stem.split("-") for file in folder.glob("*.note")), strict=True)
    return set(map(int, pids)), set(map(int, threads)), set(mapped)


@pytest.fixture(scope="module")
def dask():
    distributed = pytest.importorskip("distributed", reason="distributed, of the extra cluster, is not installed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster),
    ):
        yield {"backend": "dask"}


@pytest.fixture(scope="module")
def ray():
    ray = pytest.importorskip("ray", reason="ray, of the extra cluster, is not installed")
    from ray.util.joblib import register_ray

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))  # workers import this file
        patch.setenv("RAY_TQDM_PATCH_PRINT", "0")  # or Ray puts its own print in the place of the builtin
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=10**8)
        register_ray()
        yield {"backend": "ray", "n_jobs": 2, **SURVIVES}
        ray.shutdown()


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.cluster) for name in ("dask", "ray")])
def engine(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def make_curve(iris):
    """Make a small curve of two pruners, whose evaluator is watched."""
    X, y, partial = iris

    def make(folder, X_test=X, y_test=y, dies=False, results_file=None, **params):
        folder.mkdir()
        return pruning_curve(
            {"k-center": KCenterPruner(), "prototypes": PrototypicalityPruner()},
            X,
            partial,
            ratios=[0.3, 0.6],
            evaluator=Watched(str(folder), dies),
            X_test=X_test,
            y_test=y_test,
            y_oracle=y,
            random_states=[0, 1],
            results_file=results_file,
            **params,
        )

    return make


def figures(curve):
    return [{**row, "key": None, "fit_time": None, "train_time": None} for row in curve.rows]


def test_a_curve_ships_its_data_once_and_survives_a_worker(engine, make_curve, tmp_path, monkeypatch):
    expected = make_curve(tmp_path / "here")
    n_pickled = 0

    def counted(self):
        nonlocal n_pickled
        n_pickled += 1
        return dict(vars(self))

    monkeypatch.setattr(CurveData, "__getstate__", counted)
    file = tmp_path / "curve.csv"
    with joblib.parallel_config(**engine):
        curve = make_curve(tmp_path / "there", dies=True, results_file=file)
    assert (tmp_path / "there" / "died").exists()
    assert figures(curve) == figures(expected)
    assert sorted(map(str, PruningCurve.from_csv(file).rows)) == sorted(map(str, curve.rows))
    # Dask: to the scheduler, from there to a worker, and again when that may have died
    assert n_pickled <= {"dask": 3, "ray": 1}[engine["backend"]]
    pids, threads, _ = notes(tmp_path / "there")
    assert os.getpid() not in pids
    assert threads == {1}


def test_processes_share_the_cores_and_map_large_arrays(make_curve, iris, tmp_path):
    X, y, _ = iris
    X_test, y_test = np.tile(X, (300, 1)), np.tile(y, 300)
    curve = make_curve(tmp_path / "there", X_test, y_test, n_jobs=2)
    assert figures(curve) == figures(make_curve(tmp_path / "here"))
    pids, threads, mapped = notes(tmp_path / "there")
    assert os.getpid() not in pids
    assert max(threads) <= max(joblib.cpu_count() // 2, 1)
    assert mapped == {"True"}


def test_repeats(engine, iris):
    X, _, partial = iris
    proxy = NetClassifier(module__width=8)
    pruner = SemiPrune(
        labeler=LabelSpreading(kernel="knn"), proxy=proxy, n_epochs=10, n_repeats=2, n_jobs=2, random_state=0
    )
    expected = pruner.fit(X, partial)
    scores, support = expected.difficulty_scores_, expected.support_
    with joblib.parallel_config(**engine):
        pruner.fit(X, partial)
    np.testing.assert_allclose(pruner.difficulty_scores_, scores, rtol=1e-5)
    assert (pruner.support_ == support).all()


def test_a_grid_search(engine, iris):
    X, y, _ = iris
    pruned = PrunedClassifier(LogisticRegression(max_iter=300), RandomPruner(random_state=0))
    search = GridSearchCV(pruned, {"pruner__ratio": [0.2, 0.8]}, cv=2)
    expected = search.fit(X, y).cv_results_["mean_test_score"]
    with joblib.parallel_config(**engine):
        search.fit(X, y)
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], expected)


@pytest.mark.filterwarnings("ignore:The coreset of .* holds no row of")
def test_shards(engine, iris):
    """Each shard is a task, and nothing depends on where it runs."""
    X, _, partial = iris
    order = np.random.default_rng(0).permutation(len(X))
    shards = [(X[rows], partial[rows]) for rows in np.array_split(order, 3)]
    pruner = SemiPrune(0.2, labeler=LabelSpreading(), proxy=NetClassifier(module__width=8), selection="hardest")
    pruner.set_params(n_epochs=3, difficulty="aum", estimate_accuracy=False, random_state=0)
    expected = prune_shards(pruner, shards)
    with joblib.parallel_config(**engine):
        found = prune_shards(pruner, shards)
    for mask, other in zip(found.support, expected.support, strict=True):
        np.testing.assert_array_equal(mask, other)
