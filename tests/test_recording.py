"""Recording: one value that says what is recorded, in every place that records."""

import subprocess
import sys
from functools import partial as partial_function

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import SGDClassifier
from sklearn.semi_supervised import LabelSpreading

from skprune import SemiPrune
from skprune.baselines import ELFSPruner, SupervisedPruner
from skprune.dynamics import DynamicsRecorder, Recording, collect_dynamics
from skprune.dynamics import _recording as recording_module
from skprune.nets import NetClassifier
from skprune.scores import tdds

SGD = SGDClassifier(loss="log_loss", random_state=0)


@pytest.mark.parametrize("owner", [SemiPrune, SupervisedPruner, DynamicsRecorder])
def test_its_parameters_can_be_searched(owner):
    estimator = owner(record=Recording("eval"))
    assert {"record__mode", "record__every", "record__kl"} <= set(estimator.get_params())
    estimator.set_params(record__every=3, record__kl=False)
    assert repr(estimator.record) == "Recording(every=3, kl=False, mode='eval')"


def test_clones_share_no_recording():
    estimator = SemiPrune(record=Recording(every=2))
    copy = clone(estimator).set_params(record__every=5)
    assert (estimator.record.every, copy.record.every) == (2, 5)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("test", "record must be 'train', 'eval' or a Recording, got 'test'"),
        (None, "record must be 'train', 'eval' or a Recording, got None"),
        (Recording, "record must be 'train', 'eval' or a Recording, got <class"),
        (Recording("test"), "record__mode must be 'train' or 'eval', got 'test'"),
        (Recording(every=0), "record__every must be an integer of at least 1, got 0"),
        (Recording(every=2.0), r"record__every must be an integer of at least 1, got 2\.0"),
        (Recording(every=4), "record__every must be an integer from 1 to 3, got 4"),
        (Recording(kl="never"), "record__kl must be True, False or 'auto', got 'never'"),
        (Recording(kl=1), "record__kl must be True, False or 'auto', got 1"),
    ],
)
def test_what_is_refused(iris, record, message):
    X, y, _ = iris
    with pytest.raises(ValueError, match=message):
        collect_dynamics(SGD, X, y, n_epochs=3, record=record)
    with pytest.raises(ValueError, match=message):
        NetClassifier(max_epochs=3, callbacks=[DynamicsRecorder(record)]).fit(X, y)
    with pytest.raises(ValueError, match=message):
        SupervisedPruner(n_epochs=3, difficulty="aum", proxy=SGD, record=record).fit(X, y)


@pytest.mark.parametrize("n_epochs", [0, True, 2.0])
def test_epochs_are_counts(iris, n_epochs):
    X, y, _ = iris
    with pytest.raises(ValueError, match=f"n_epochs must be an integer of at least 1, got {n_epochs}"):
        collect_dynamics(SGD, X, y, n_epochs=n_epochs)
    with pytest.raises(ValueError, match="schedule_epochs must be None or an integer of at least 1"):
        collect_dynamics(SGD, X, y, n_epochs=3, schedule_epochs=n_epochs)


@pytest.mark.parametrize("proxy", [SGD, NetClassifier()], ids=["classifier", "net"])
@pytest.mark.parametrize(
    ("kl", "spare_bytes", "recorded"),
    [("auto", 0, True), ("auto", -1, False), (True, -1, True), (False, 0, False)],
)
def test_kl_is_recorded_where_its_buffer_is_small(iris, monkeypatch, proxy, kl, spare_bytes, recorded):
    X, y, _ = iris
    assert recording_module.KL_BUFFER_LIMIT == 2**30
    monkeypatch.setattr(recording_module, "KL_BUFFER_LIMIT", 150 * 3 * 4 + spare_bytes)
    dynamics, _ = collect_dynamics(proxy, X, y, n_epochs=2, record=Recording(kl=kl), random_state=0)
    assert (dynamics.kl_step is not None) == recorded


def test_semiprune_records_what_it_is_told(iris):
    X, _, partial = iris
    options = {"labeler": LabelSpreading(), "proxy": SGD, "n_epochs": 20, "random_state": 0}
    every = SemiPrune(**options).fit(X, partial).dynamics_
    second = SemiPrune(record=Recording(every=2, kl=False), **options).fit(X, partial).dynamics_
    assert every.kl_step is not None
    assert second.kl_step is None
    np.testing.assert_allclose(second.target_proba, every.target_proba[1::2], rtol=1e-6)


@pytest.mark.parametrize("difficulty", ["tdds", ["aum", "tdds"], tdds, partial_function(tdds, window=5)])
def test_tdds_is_recorded_beyond_the_limit(iris, monkeypatch, difficulty):
    X, y, _ = iris
    monkeypatch.setattr(recording_module, "KL_BUFFER_LIMIT", 150 * 3 * 4 - 1)
    options = {"proxy": SGD, "n_epochs": 20, "random_state": 0}
    assert SupervisedPruner(**options).fit(X, y).dynamics_.kl_step is None
    for pruner in (SupervisedPruner(**options), ELFSPruner(**options)):
        assert pruner.set_params(difficulty=difficulty).fit(X, y).dynamics_.kl_step is not None
    with pytest.raises(ValueError, match=r"Use record=Recording\(kl=True\)"):
        SupervisedPruner(record=Recording(kl=False), difficulty=difficulty, **options).fit(X, y)


def test_the_difficulty_is_no_part_of_the_key_of_a_recording(iris, tmp_path):
    X, y, _ = iris
    for difficulty in ("tdds", "aum"):
        SupervisedPruner(proxy=SGD, difficulty=difficulty, n_epochs=20, checkpoint=tmp_path, random_state=0).fit(X, y)
    assert len(list(tmp_path.glob("*.safetensors"))) == 1


def test_equal_recordings_are_found_again_in_every_process(iris, tmp_path):
    X, y, _ = iris
    options = {"n_epochs": 4, "difficulty": "aum", "checkpoint": tmp_path, "random_state": 0}
    for record in ("train", Recording(), Recording(every=np.int64(1))):
        SupervisedPruner(proxy=SGD, record=record, **options).fit(X, y)
    code = (
        "import sys\n"
        "from sklearn.datasets import load_iris\n"
        "from sklearn.linear_model import SGDClassifier\n"
        "from skprune.baselines import ELFSPruner, SupervisedPruner\n"
        "from skprune.dynamics import Recording\n"
        "proxy = SGDClassifier(loss='log_loss', random_state=0)\n"
        "record = Recording().set_params(mode=''.join(['tr', 'ain']))\n"
        "options = {'n_epochs': 4, 'difficulty': 'aum', 'checkpoint': sys.argv[1], 'random_state': 0}\n"
        "SupervisedPruner(proxy=proxy, record=record, **options).fit(*load_iris(return_X_y=True))\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
    assert len(list(tmp_path.glob("*.safetensors"))) == 1
    for record in (Recording("eval"), Recording(every=2), Recording(kl=False)):
        SupervisedPruner(proxy=SGD, record=record, **options).fit(X, y)
    assert len(list(tmp_path.glob("*.safetensors"))) == 4


def test_the_run_of_a_labeler_is_kept_whatever_the_mode(quick, iris, counting, tmp_path):
    """Its weights are evaluated on all rows in either mode, so the labeler is fitted once."""
    X, _, partial = iris
    labeler, _ = counting
    for mode in ("train", "eval"):
        options = {"labeler": labeler(n_steps=20, batch_size=8, mu=2), "proxy": "labeler", "checkpoint": tmp_path}
        quick(record=mode, **options).fit(X, partial)
    assert labeler.fits == 1
