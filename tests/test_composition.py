"""skprune inside what users have: Pipelines, searches, routing, caches, containers, other libraries."""

import copy
import errno
import os
import pickle
import subprocess
import sys
import tempfile
import time
from functools import partial as partial_function
from pathlib import Path
from unittest.mock import Mock
from uuid import uuid4

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
import torch
from filelock import FileLock, Timeout
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from sklearn.utils.fixes import parse_version
from skorch.helper import SliceDataset

from skprune import PrunedClassifier, PruningSampler, SemiPrune
from skprune._pipeline import _stage_cache
from skprune.datasets import make_partial_labels
from skprune.model_selection import PartialLabelKFold, PartialLabelShuffleSplit
from skprune.nets import NetClassifier
from skprune.selection import Cutoff
from skprune.semi_supervised import FixMatch

NAMES_OF_POLARS = parse_version(sklearn.__version__) >= parse_version("1.9")


class Remembering(LogisticRegression):
    """A classifier that keeps what it was trained on."""

    def fit(self, X, y, sample_weight=None):
        self.weights_ = sample_weight
        return super().fit(X, y, sample_weight)

    def predict(self, X, shift=0):
        return np.roll(super().predict(X), shift)


class NotedLabeler(LabelSpreading):
    """A labeler that takes a while, and leaves a file for each fit but those of a trial, in whatever process."""

    def __init__(self, folder):
        super().__init__(kernel="knn")
        self.folder = folder

    def fit(self, X, y):
        if len(X) > 64:
            Path(self.folder, f"labeler-{uuid4()}").touch()
            time.sleep(0.3)
        return super().fit(X, y)


class NotedProxy(SGDClassifier):
    """A proxy of the same kind."""

    def __init__(self, folder, random_state=None):
        super().__init__(loss="log_loss", random_state=random_state)
        self.folder = folder

    def partial_fit(self, X, y, classes=None):
        if not hasattr(self, "coef_") and len(X) > 64:
            Path(self.folder, f"proxy-{uuid4()}").touch()
            time.sleep(0.3)
        return super().partial_fit(X, y, classes)


class ForFewRows(SGDClassifier):
    """A proxy that passes the trial only."""

    def partial_fit(self, X, y, classes=None):
        if len(X) > 64:
            raise ValueError("too many rows")
        return super().partial_fit(X, y, classes)


def noted_pruner(notes, **params):
    """Make a SemiPrune that notes its trainings in a folder."""
    defaults = {
        "labeler": NotedLabeler(str(notes)),
        "proxy": NotedProxy(str(notes)),
        "selection": Cutoff(class_balanced="proportional"),
    }
    return SemiPrune(**defaults | {"n_epochs": 12, "estimate_accuracy": False, "random_state": 0} | params)


@pytest.fixture
def noted(tmp_path):
    """Make a SemiPrune whose trainings are counted."""
    notes = tmp_path / "notes"
    notes.mkdir()

    def make(**params):
        return noted_pruner(notes, **params)

    def count(kind):
        return len(list(notes.glob(f"{kind}-*")))

    return make, count


@pytest.fixture
def tables(quick):
    """A SemiPrune without nets, which takes milliseconds."""
    return partial_function(
        quick,
        labeler=LabelSpreading(kernel="knn", n_neighbors=20),
        proxy=make_pipeline(MaxAbsScaler(), SGDClassifier(loss="log_loss")),  # large logits are NaN in scikit-learn 1.8
    )


# Metadata


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("labels", ["pseudo", "given"])
def test_weights_of_the_kept_rows(tables, iris, routing, labels):
    X, _, partial = iris
    weights = np.random.default_rng(0).random(150)
    with config_context(enable_metadata_routing=routing):
        estimator = Remembering(max_iter=500)
        estimator = estimator.set_fit_request(sample_weight=True) if routing else estimator
        model = PrunedClassifier(estimator, tables(), labels=labels).fit(X, partial, sample_weight=weights)
    kept = model.pruner_.support_ & ((partial >= 0) | (labels == "pseudo"))
    np.testing.assert_array_equal(model.estimator_.weights_, weights[kept])


def test_metadata_that_nobody_takes_is_refused_before_training(quick, iris, counting):
    X, _, partial = iris
    labeler, _ = counting
    model = PrunedClassifier(Remembering(max_iter=500), quick(labeler=labeler(n_steps=8, batch_size=8, mu=2)))
    with pytest.raises(TypeError, match="fit of Remembering takes no 'sample_wieght'"):
        model.fit(X, partial, sample_wieght=np.ones(150))
    with pytest.raises(ValueError, match="X has 150 rows, sample_weight has 75"):
        model.fit(X, partial, sample_weight=np.ones(75))
    inside = clone(model).set_params(estimator=make_pipeline(StandardScaler(), LogisticRegression()))
    for name in ("sample_weight", "logistic__sample_weight"):
        with pytest.raises(TypeError, match=f"fit of Pipeline takes no '{name}'"):
            inside.fit(X, partial, **{name: np.ones(150)})
    with config_context(enable_metadata_routing=True):
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            model.fit(X, partial, sample_weight=np.ones(150))
        with pytest.raises(TypeError, match="sample_wieght"):
            model.fit(X, partial, sample_wieght=np.ones(150))
    assert labeler.fits == 0


def test_metadata_of_predict(tables, iris):
    X, _, partial = iris
    model = PrunedClassifier(Remembering(max_iter=500), tables()).fit(X, partial)
    with pytest.raises(ValueError, match="only supported if enable_metadata_routing=True"):
        model.predict(X, shift=1)
    with config_context(enable_metadata_routing=True):
        model.set_params(estimator=Remembering(max_iter=500).set_predict_request(shift=True)).fit(X, partial)
        np.testing.assert_array_equal(model.predict(X, shift=1), np.roll(model.predict(X), 1))


def test_weights_of_the_score(tables, iris):
    X, _, partial = iris
    model = PrunedClassifier(LogisticRegression(max_iter=500), tables()).fit(X, partial)
    given = np.flatnonzero(partial >= 0)
    one_row = np.zeros(150)
    one_row[given[0]] = 1
    assert model.score(X, partial, sample_weight=one_row) == (model.predict(X[given[:1]]) == partial[given[0]])[0]


@pytest.mark.parametrize("routing", [False, True])
def test_oracle_labels_in_searches_and_pipelines(tables, iris, routing):
    X, y, partial = iris
    with config_context(enable_metadata_routing=routing):
        model = PrunedClassifier(LogisticRegression(max_iter=500), tables())
        model = model.set_fit_request(y_oracle=True) if routing else model
        search = GridSearchCV(model, {"pruner__ratio": [0.3, 0.6]}, cv=PartialLabelKFold(3))
        search.fit(X, partial, y_oracle=y)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
        pipeline = make_pipeline(StandardScaler(), model)
        pipeline.fit(X, partial, **{"y_oracle" if routing else "prunedclassifier__y_oracle": y})
    plain = PrunedClassifier(LogisticRegression(max_iter=500), tables())
    expected = plain.fit(StandardScaler().fit_transform(X), partial, y_oracle=y)
    np.testing.assert_array_equal(pipeline[-1].estimator_.coef_, expected.estimator_.coef_)


# What goes around, and what goes inside


def test_ensembles_go_inside(tables, iris):
    X, y, partial = iris
    members = [("linear", LogisticRegression(max_iter=500)), ("spread", LabelSpreading())]
    for ensemble in (VotingClassifier(members, voting="soft"), StackingClassifier(members, cv=3)):
        model = PrunedClassifier(ensemble, tables()).fit(X, partial)
        assert model.classes_.tolist() == [0, 1, 2]
        assert model.score(X, y) > 0.8


@pytest.mark.parametrize(
    "around",
    [
        lambda model: VotingClassifier([("pruned", model)], voting="soft"),
        lambda model: StackingClassifier([("pruned", model)], cv=2),
        lambda model: CalibratedClassifierCV(model, cv=2),
    ],
    ids=["voting", "stacking", "calibrated"],
)
@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row", "ignore:Equal rows have different labels")
def test_ensembles_around_take_minus_one_for_a_class(tables, iris, around):
    """What the docs warn of."""
    X, y, _ = iris
    partial = make_partial_labels(y, n_labeled=60, random_state=0)
    model = around(PrunedClassifier(LogisticRegression(max_iter=500), tables())).fit(X, partial)
    assert -1 in model.classes_


def test_self_training_goes_around(tables, iris):
    X, y, partial = iris
    model = SelfTrainingClassifier(PrunedClassifier(LogisticRegression(max_iter=500), tables(0.9))).fit(X, partial)
    assert model.classes_.tolist() == [0, 1, 2]
    assert (model.labeled_iter_ > 0).any()  # rows that got a label in some round
    assert model.score(X, y) > 0.6


def test_a_pruner_in_the_middle_of_a_pipeline(tables, iris):
    X, y, partial = iris
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        make_pipeline(tables(), LogisticRegression(max_iter=500)).fit(X, partial)
    clusters = make_pipeline(tables(), KMeans(3, n_init=1, random_state=0)).fit(X, partial)
    with pytest.raises(
        ValueError, match=r"not the data that SemiPrune was fitted to.*PrunedClassifier.*PruningSampler"
    ):
        clusters.predict(X[:50])


def test_set_output_is_refused(tables, iris):
    X, _, partial = iris
    with pytest.raises(AttributeError, match="set_output"):
        tables().set_output(transform="pandas")
    with pytest.raises(ValueError, match="Unable to configure output for SemiPrune"):
        make_pipeline(StandardScaler(), tables()).set_output(transform="pandas")


def test_semiprune_itself_in_a_search(quick, iris):
    X, y, partial = iris
    pruner = quick(proxy=NetClassifier(module__width=16), schedule_epochs=40)
    search = GridSearchCV(pruner, {"ratio": [0.2, 0.6], "difficulty": ["aum", "dual"]}, cv=PartialLabelKFold(2))
    search.fit(X, partial)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.support_.sum() == round(150 * search.best_params_["ratio"])
    assert search.score(X, y) > 0.6


# imbalanced-learn


def test_sampler_in_the_pipeline_of_imbalanced_learn(tables, iris):
    X, y, partial = iris
    pipeline = make_sampling_pipeline(StandardScaler(), PruningSampler(tables()), LogisticRegression(max_iter=500))
    search = GridSearchCV(pipeline, {"pruningsampler__pruner__ratio": [0.3, 0.6]}, cv=PartialLabelKFold(3))
    search.fit(X, partial)
    sampler = search.best_estimator_[1]
    assert len(sampler.sample_indices_) == round(150 * search.best_params_["pruningsampler__pruner__ratio"])
    assert search.predict(X).shape == (150,)
    assert search.score(X, y) > 0.8
    rows, labels = PruningSampler(tables()).fit_resample(X, partial)
    alone = tables().fit(X, partial)
    np.testing.assert_array_equal(rows, X[alone.support_])
    np.testing.assert_array_equal(labels, alone.coreset_labels_)


# Containers


CONTAINERS = {
    "list": lambda X: X.tolist(),
    "pandas": lambda X: pd.DataFrame(X, columns=list("abcd"), index=np.arange(150) + 1000),
    "polars": lambda X: pl.DataFrame(X, schema=list("abcd")),
    "csr": sparse.csr_array,
    "csc": sparse.csc_matrix,
    "coo": sparse.coo_array,
    "tensor": torch.from_numpy,
    "tensor with a gradient": lambda X: torch.from_numpy(X).requires_grad_(),
    "skorch": lambda X: SliceDataset(torch.utils.data.TensorDataset(torch.from_numpy(X), torch.zeros(150))),
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_containers(tables, iris, kind):
    X, _, partial = iris
    X = np.where(X < 1.5, 0.0, X)
    pool = CONTAINERS[kind](X)
    # scikit-learn's SGD learns the intercept of sparse tables more slowly
    expected = tables().fit(sparse.csr_array(X) if sparse.issparse(pool) else X, partial)
    pruner = tables()
    kept = pruner.fit_transform(pool, partial)
    np.testing.assert_array_equal(pruner.support_, expected.support_)
    assert type(kept) is type(pool)
    for rows in (kept, pruner.transform(pool), pruner.coreset()[0]):
        assert type(rows) is type(pool)
        values = rows.toarray() if sparse.issparse(rows) else rows.detach() if kind.startswith("tensor") else rows
        np.testing.assert_array_equal(np.asarray(values), X[expected.support_])
    if kind == "pandas":
        assert kept.index.tolist() == (np.flatnonzero(expected.support_) + 1000).tolist()
    if kind == "pandas" or (kind == "polars" and NAMES_OF_POLARS):
        assert pruner.feature_names_in_.tolist() == list("abcd")
    if kind == "tensor":
        assert kept.dtype == pool.dtype
    copy.deepcopy(pruner)
    if kind in ("pandas", "polars", "list", "csr", "csc"):
        model = PrunedClassifier(LogisticRegression(max_iter=500), tables()).fit(pool, partial)
        assert model.predict(pool).shape == (150,)
        assert model.score(pool, partial) > 0.8


def test_tensors_of_other_kinds(tables, iris):
    X, _, partial = iris
    short = torch.from_numpy(X).bfloat16()
    assert tables().fit_transform(short, partial).dtype == torch.bfloat16
    with pytest.raises(TypeError, match="X is a sparse tensor"):
        tables().fit(torch.from_numpy(X).to_sparse(), partial)


def test_labels_in_series(tables, iris):
    X, _, partial = iris
    hidden = [None if label < 0 else int(label) for label in partial]
    expected = tables().fit(X, partial)
    for y in (pl.Series(hidden), pl.Series(partial), pd.Series(partial), pd.Series(hidden, dtype="Int64")):
        pruner = tables().fit(X, y)
        assert pruner.classes_.tolist() == [0, 1, 2]
        assert pruner.classes_.dtype.kind == "i"
        np.testing.assert_array_equal(pruner.support_, expected.support_)
    _, labels = PruningSampler(tables()).fit_resample(X, pd.Series(partial, index=np.arange(150) + 7, name="kind"))
    assert (labels.name, labels.index.tolist()) == ("kind", (expected.coreset_indices_ + 7).tolist())


def test_dtypes_of_frames_stay(tables, iris):
    X, _, partial = iris
    frame = pd.DataFrame(X, columns=list("abcd")).astype({"a": "float32", "b": "int64"})
    kept = tables().fit_transform(frame, partial)
    assert kept.dtypes.equals(frame.dtypes)


def test_sparse_tables_in_pipelines_and_nets(quick, tables, iris):
    X, _, partial = iris
    table = sparse.csr_array(X)
    search = GridSearchCV(
        make_pipeline(MaxAbsScaler(), PrunedClassifier(LogisticRegression(max_iter=500), tables())),
        {"prunedclassifier__pruner__ratio": [0.3, 0.6]},
        cv=PartialLabelKFold(3),
    ).fit(table, partial)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    np.testing.assert_array_equal(quick().fit(table, partial).support_, quick().fit(X, partial).support_)
    net = FixMatch(n_steps=8, batch_size=8, mu=2, random_state=0).fit(table, partial)
    np.testing.assert_array_equal(net.predict_proba(table), net.predict_proba(X))


# One expensive fit


GRID = {"pruner__ratio": np.linspace(0.1, 0.9, 9).tolist(), "pruner__difficulty": ["aum", "dual", "el2n"]}


def test_a_grid_trains_once_a_fold(noted, iris, tmp_path):
    X, _, partial = iris
    make, count = noted
    model = PrunedClassifier(LogisticRegression(max_iter=500), make(memory=str(tmp_path / "cache")))
    search = GridSearchCV(model, GRID, cv=PartialLabelKFold(3)).fit(X, partial)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert (count("labeler"), count("proxy")) == (4, 4)


@pytest.mark.parametrize("keep", ["memory", "checkpoint"])
def test_processes_wait_for_what_another_trains(noted, iris, tmp_path, keep):
    """All candidates of the one split want the same training at the same time."""
    X, _, partial = iris
    make, count = noted
    model = PrunedClassifier(LogisticRegression(max_iter=500), make(**{keep: str(tmp_path / "kept")}))
    split = PartialLabelShuffleSplit(1, test_size=0.4, random_state=0)
    serial = GridSearchCV(model, GRID, cv=split, refit=False)
    parallel = GridSearchCV(model, GRID, cv=split, refit=False, n_jobs=2, pre_dispatch="all").fit(X, partial)
    assert (count("labeler"), count("proxy")) == (1, 1)
    serial.fit(X, partial)
    assert (count("labeler"), count("proxy")) == (1, 1)
    for name in ("mean_test_score", "rank_test_score"):
        np.testing.assert_array_equal(parallel.cv_results_[name], serial.cv_results_[name])


def entries(folder):
    return sorted(Path(folder).rglob("output.pkl"))


def test_an_entry_that_a_killed_writer_left(noted, iris, tmp_path, caplog):
    X, _, partial = iris
    make, count = noted
    make(memory=str(tmp_path / "cache")).fit(X, partial)
    for file in entries(tmp_path / "cache"):
        file.write_bytes(file.read_bytes()[:100])
    again = make(memory=str(tmp_path / "cache"), ratio=0.3).fit(X, partial)
    assert "Exception while loading results" in caplog.text
    assert again.support_.sum() == 45
    assert (count("labeler"), count("proxy")) == (2, 2)
    make(memory=str(tmp_path / "cache")).fit(X, partial)
    assert (count("labeler"), count("proxy")) == (2, 2)


KILLED = """
import sys, time
sys.path.insert(0, sys.argv[1])
import test_composition
from sklearn.datasets import load_iris
from skprune.datasets import make_partial_labels

X, y = load_iris(return_X_y=True)
pruner = test_composition.noted_pruner(sys.argv[2], memory=sys.argv[3])
time.sleep = lambda seconds: sys.stdin.read()
pruner.fit(X, make_partial_labels(y, n_labeled=15, random_state=0))
"""


def test_a_killed_process_lets_go(noted, iris, tmp_path):
    X, _, partial = iris
    make, count = noted
    cache = str(tmp_path / "cache")
    command = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(tmp_path / "notes"), cache]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        while not count("labeler"):
            assert process.poll() is None
            time.sleep(0.05)
        (lock,) = Path(cache).rglob("label_pool-*.lock")
        with pytest.raises(Timeout):
            FileLock(lock, timeout=0).acquire()
        process.kill()
    make(memory=cache).fit(X, partial)
    assert (count("labeler"), count("proxy")) == (2, 1)
    make(memory=cache).fit(X, partial)
    assert (count("labeler"), count("proxy")) == (2, 1)


def test_processes_mend_a_damaged_entry_once(noted, iris, tmp_path):
    X, _, partial = iris
    make, count = noted
    model = PrunedClassifier(LogisticRegression(max_iter=500), make(memory=str(tmp_path / "cache")))
    split = PartialLabelShuffleSplit(1, test_size=0.4, random_state=0)
    search = GridSearchCV(model, GRID, cv=split, refit=False, n_jobs=2, pre_dispatch="all").fit(X, partial)
    for file in entries(tmp_path / "cache"):
        file.write_bytes(file.read_bytes()[:100])
    search.fit(X, partial)
    assert (count("labeler"), count("proxy")) == (2, 2)


@pytest.mark.parametrize("error", [OSError(errno.ENOLCK, "No locks available"), NotImplementedError("no flock")])
def test_a_folder_without_locks(noted, iris, tmp_path, monkeypatch, error):
    X, _, partial = iris
    make, count = noted
    monkeypatch.setattr(FileLock, "acquire", Mock(side_effect=error))
    with pytest.warns(UserWarning, match="No lock in .*: processes that need the same result may each compute it"):
        make(memory=str(tmp_path / "cache")).fit(X, partial)
    make(memory=str(tmp_path / "cache")).fit(X, partial)
    assert (count("labeler"), count("proxy")) == (1, 1)


def test_a_memory_of_another_kind(noted, iris):
    X, _, partial = iris
    make, count = noted

    class Memory:
        def cache(self, function, ignore):
            return function

    make(memory=Memory()).fit(X, partial)
    assert count("labeler") == 1


def test_a_training_that_fails_is_begun_again(tables, iris, tmp_path):
    X, _, partial = iris
    for _ in range(2):
        with pytest.raises(ValueError, match="too many rows"):
            tables(memory=str(tmp_path), proxy=ForFewRows(loss="log_loss")).fit(X, partial)
    assert len(entries(tmp_path)) == 1


def test_entries_of_another_version_are_not_read(noted, iris, tmp_path, monkeypatch):
    X, _, partial = iris
    make, count = noted
    make(memory=str(tmp_path / "cache")).fit(X, partial)
    monkeypatch.setattr(_stage_cache, "CACHE_VERSION", _stage_cache.CACHE_VERSION + 1)
    make(memory=str(tmp_path / "cache")).fit(X, partial)
    assert (count("labeler"), count("proxy")) == (2, 2)


@pytest.fixture
def read_only():
    """Make a folder read-only, for root too."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        nobody = os.geteuid() == 0

        def close():
            for place in (Path(folder), *Path(folder).rglob("*")):
                place.chmod(0o555 if place.is_dir() else 0o444)
            if nobody:
                os.seteuid(65534)

        yield Path(folder), close
        if nobody:
            os.seteuid(0)
        for place in (Path(folder), *Path(folder).rglob("*")):
            place.chmod(0o755 if place.is_dir() else 0o644)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs POSIX permissions")
def test_a_cache_that_cannot_be_written_to(tables, iris, read_only):
    X, _, partial = iris
    folder, close = read_only
    make = partial_function(tables, memory=joblib.Memory(folder, verbose=0))
    first = make().fit(X, partial)
    kept = len(entries(folder))
    close()
    again = make(ratio=0.3).fit(X, partial)
    np.testing.assert_array_equal(again.difficulty_scores_, first.difficulty_scores_)
    with pytest.warns(UserWarning, match="keeps nothing of this run: .* cannot be written to"):
        make(random_state=1).fit(X, partial)
    assert len(entries(folder)) == kept
    with pytest.raises(ValueError, match="cannot be written to"):
        tables(checkpoint=folder / "new").fit(X, partial)


@pytest.mark.parametrize("kind", [str, lambda folder: joblib.Memory(folder, verbose=0)], ids=["str", "Memory"])
def test_an_empty_cache_that_cannot_be_written_to(tables, iris, read_only, kind):
    X, _, partial = iris
    folder, close = read_only
    memory = kind(folder)
    expected = tables().fit(X, partial)
    close()
    with pytest.warns(UserWarning, match="keeps nothing of this run"):
        pruner = tables(memory=memory).fit(X, partial)
    np.testing.assert_array_equal(pruner.support_, expected.support_)
    assert not entries(folder)


def test_searches_can_be_pickled(tables, iris, tmp_path):
    X, _, partial = iris
    model = PrunedClassifier(LogisticRegression(max_iter=500), tables(memory=joblib.Memory(tmp_path, verbose=0)))
    search = GridSearchCV(model, {"pruner__ratio": [0.3, 0.6]}, cv=PartialLabelKFold(3)).fit(X, partial)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(search)).predict(X), search.predict(X))
