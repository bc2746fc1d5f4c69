"""Nets trained by two processes, against the same nets trained by one; started by torchrun, as a program itself."""

import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, load_iris

from skprune import SemiPrune
from skprune._utils._ranks import Ranks, active_ranks, training_with
from skprune.datasets import make_partial_labels
from skprune.dynamics import DynamicsRecorder, Recording, collect_dynamics
from skprune.nets import NetClassifier, WhitenedResNet, data_parallel
from skprune.nets._running import RunningTraining
from skprune.semi_supervised import FixMatch, FlexMatch, MeanTeacher, PseudoLabel, SoftMatch

STATED = {"rtol": 1e-3, "atol": 1e-4}
"""How far apart results of several processes and of one may be, after the few steps here."""


class Linear(torch.nn.Linear):
    """A linear model of iris, without batch normalization."""

    def __init__(self):
        super().__init__(4, 3)


def data():
    """Return iris less some rows, so that nothing is divisible by two."""
    X, y = load_iris(return_X_y=True)
    X, y = X[:-3], y[:-3]
    return X, y, make_partial_labels(y, n_labeled=15, random_state=0)


def recorded(**params):
    """Return dynamics and predictions of a supervised net."""
    X, y, _ = data()
    mode = params.pop("mode", "train")
    proxy = NetClassifier(batch_size=33, random_state=0, **params)
    dynamics, net = collect_dynamics(proxy, X, y, n_epochs=3, record=Recording(mode, kl=True))
    arrays = {name: array for name, array in vars(dynamics).items() if array is not None}
    loss = np.array([row["train_loss"] for row in net.history])
    return arrays | {"proba": net.predict_proba(X), "loss": loss}


def semi_supervised(make, **params):
    """Return predictions and figures of a semi-supervised net."""
    X, _, partial = data()
    net = make(n_steps=8, batch_size=9, mu=3, random_state=0, **params).fit(X, partial)
    last = net.history[-1]
    return {"proba": net.predict_proba(X), "figures": np.array([last["train_loss"], last["confident"]])}


def images(module=None):
    """Return predictions of a residual net."""
    X, y = load_digits(return_X_y=True)
    X, y = X[:101].reshape(-1, 8, 8), y[:101]
    net = NetClassifier(module, module__width=8, batch_size=51, max_epochs=1, precision="fp32", random_state=0)
    return {"proba": net.fit(X, y).predict_proba(X)}


class Killed(BaseException):
    """The processes are gone; no handler of errors catches it."""


@contextmanager
def killed_after(n_steps):
    """End the block after so many steps of nets that keep their state; yield the list of these steps."""
    write, written = RunningTraining.write, []

    def counted(self, state):
        write(self, state)
        written.append(state["steps"])
        if len(written) == n_steps:
            raise Killed

    RunningTraining.write = counted
    try:
        with suppress(Killed):
            yield written
    finally:
        RunningTraining.write = write


def kept(checkpoint, dropout=0.0, every=0.0):
    """Return what SemiPrune finds in 8 steps of labeling and 20 of recording, kept in a folder."""
    X, _, partial = data()
    labeler = SoftMatch(n_steps=8, batch_size=8, mu=2, module__dropout=dropout)
    proxy = NetClassifier(batch_size=74, module__dropout=dropout)
    pruner = SemiPrune(0.4, labeler=labeler, proxy=proxy, n_epochs=10, estimate_accuracy=False, random_state=0)
    pruner.set_params(checkpoint=checkpoint, checkpoint_every=every).fit(X, partial)
    return {
        "scores": pruner.difficulty_scores_,
        "confidence": pruner.pseudo_label_confidence_,
        "kept": pruner.coreset_indices_,
    }


def continued(folder):
    """Return what SemiPrune finds that is killed in either stage, and after how many steps it went on."""
    n_done = []
    for n_steps in (3, 9):
        with killed_after(n_steps) as written:
            kept(folder, dropout=0.3)
        n_done.append(len(written))
    with killed_after(None) as written:
        found = kept(folder, dropout=0.3)
    return found | {"n_done": [*n_done, len(written)]}


def pruned():
    """Return what SemiPrune finds."""
    X, _, partial = data()
    labeler = FixMatch(n_steps=8, batch_size=8, mu=2)
    pruner = SemiPrune(
        0.4, labeler=labeler, n_epochs=10, n_repeats=2, n_jobs=2, estimate_accuracy=False, random_state=0
    )
    pruner.fit(X, partial)
    return {"scores": pruner.difficulty_scores_, "labels": pruner.pseudo_labels_, "kept": pruner.coreset_indices_}


CASES = {
    "linear": lambda: recorded(module=Linear),
    "weights": lambda: recorded(module=Linear, criterion__weight=torch.tensor([1.0, 5.0, 2.0]), n_steps=7),
    "default": lambda: recorded(mode="eval", ema=True),
    "parts": lambda: recorded(module=Linear, micro_batch=4),
    "images": images,
    "whitened": lambda: images(WhitenedResNet),
    # parts of as many rows in all, as batch normalization sees each part
    "fixmatch": lambda: semi_supervised(FixMatch, alignment="learned", micro_batch=12 // active_ranks().n),
    "flexmatch": lambda: semi_supervised(FlexMatch, module=Linear),
    "softmatch": lambda: semi_supervised(SoftMatch, criterion__weight=torch.tensor([1.0, 5.0, 2.0])),
    "meanteacher": lambda: semi_supervised(MeanTeacher),
    "pseudolabel": lambda: semi_supervised(PseudoLabel),
    "semiprune": pruned,
}


def refusals(rank):
    """Return what is said to processes that do not do the same."""
    X, y, _ = data()
    attempts = {
        "data": lambda: NetClassifier(random_state=0).fit(X + rank, y),
        "seeds": lambda: NetClassifier(random_state=rank).fit(X, y),
    }
    said = {}
    for name, attempt in attempts.items():
        try:
            attempt()
        except ValueError as error:
            said[name] = str(error)
    return said


def said_of_folders(folder):
    """Return what is said to processes that do not share a folder, of which one has a result."""
    if active_ranks().is_main:
        with training_with(Ranks()):
            kept(folder)
    try:
        kept(folder)
    except ValueError as error:
        return str(error).replace(folder, "folder")


def main(folder):
    """Train each case, and write down what this process has."""
    torch.set_num_threads(1)
    found = {}
    with data_parallel() as state:
        found |= {f"kept.{key}": array for key, array in kept(None, dropout=0.3).items()}
        found |= {f"continued.{key}": array for key, array in continued(f"{folder}/continued").items()}
        found |= {f"again.{key}": array for key, array in kept(f"{folder}/continued", dropout=0.3).items()}
        with killed_after(11):
            kept(f"{folder}/left")
        with killed_after(4):  # each at the end of an epoch, where the processes decide
            kept(f"{folder}/decided", dropout=0.3, every=1e-9)
        found |= {f"decided.{key}": array for key, array in kept(f"{folder}/decided", dropout=0.3).items()}
        found["said.folder"] = said_of_folders(f"{folder}/of process {state.process_index}")
        for name, case in CASES.items():
            found |= {f"{name}.{key}": array for key, array in case().items()}
        found |= {f"said.{name}": text for name, text in refusals(state.process_index).items()}
    with data_parallel(sync_batch_norm=False):
        found |= {f"unsynced.{key}": array for key, array in images().items()}
    np.savez(Path(folder) / f"{state.process_index}.npz", **found)
    state.destroy_process_group()


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What each of two processes found."""
    pytest.importorskip("accelerate", reason="accelerate is not installed")
    folder = tmp_path_factory.mktemp("ranks")
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    paths = [str(Path(__file__).parents[1]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    done = subprocess.run(
        [sys.executable, *launch, __file__, str(folder)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return [dict(np.load(folder / f"{rank}.npz")) | {"folder": folder} for rank in range(2)]


def test_processes_end_with_the_same(found):
    first, second = found
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(second[name], array, err_msg=name)


def test_processes_that_are_killed_go_on(found):
    for key in ("scores", "confidence", "kept"):
        np.testing.assert_array_equal(found[0][f"continued.{key}"], found[0][f"kept.{key}"], err_msg=key)
        np.testing.assert_array_equal(found[0][f"again.{key}"], found[0][f"kept.{key}"], err_msg=key)
        np.testing.assert_array_equal(found[0][f"decided.{key}"], found[0][f"kept.{key}"], err_msg=key)
    assert found[0]["continued.n_done"].tolist() == [3, 9, 8 + 20 - 3 - 9]
    assert not list((found[0]["folder"] / "continued").glob("*.running"))


def test_one_process_goes_on_where_two_were_killed(found):
    folder = found[0]["folder"] / "left"
    assert len(list(folder.glob("*.running"))) == 1
    with killed_after(None) as written:
        left = kept(folder)
    assert len(written) == 8 + 20 - 11
    for key, array in kept(None).items():
        np.testing.assert_allclose(left[key], array, **STATED, err_msg=key)


@pytest.mark.parametrize("case", CASES)
def test_two_processes_give_what_one_gives(found, case):
    expected = CASES[case]()
    actual = {name.split(".")[1]: array for name, array in found[0].items() if name.split(".")[0] == case}
    assert actual.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_allclose(actual[name], array, **STATED, err_msg=name)


def test_each_row_is_recorded_once_an_epoch(found):
    for case in ("linear", "default", "parts"):
        assert found[0][f"{case}.seen"].all()
        assert np.isfinite(found[0][f"{case}.kl_step"]).all()  # NaN for a row that comes twice


def test_batch_norm_of_each_process_is_another_training(found):
    proba = found[0]["unsynced.proba"]
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    assert not np.allclose(proba, found[0]["images.proba"], **STATED)


def test_processes_that_do_not_do_the_same_are_refused(found):
    said = {name: str(text) for name, text in found[0].items() if name.startswith("said.")}
    assert set(said) == {"said.data", "said.seeds", "said.folder"}
    assert "Let the checkpoint be in a folder that they share" in said.pop("said.folder")
    assert all("were given different data, labels, seeds" in text for text in said.values())


def test_what_cannot_be_shared_is_refused():
    X, y, partial = data()
    recorder = DynamicsRecorder(memmap_folder="dynamics")
    with training_with(Ranks(0, 4)):
        with pytest.raises(ValueError, match="compile=True does not go with data_parallel"):
            NetClassifier(compile=True, random_state=0).fit(X, y)
        with pytest.raises(ValueError, match="Batches of 3 rows cannot be shared by 4 processes. Raise batch_size"):
            NetClassifier(random_state=0).fit(X[::49], y[::49])
        with pytest.raises(ValueError, match="memory must be None within data_parallel.*Set checkpoint"):
            SemiPrune(memory="cache", random_state=0).fit(X, partial)
    net = SimpleNamespace(criterion_=torch.nn.CrossEntropyLoss(), module_=Linear(), max_epochs=1, ranks_=Ranks(0, 4))
    with pytest.raises(ValueError, match="memmap_folder must be None within data_parallel"):
        recorder.on_train_begin(net)


def test_processes_that_accelerate_does_not_see_are_refused(monkeypatch):
    pytest.importorskip("accelerate", reason="accelerate is not installed")
    with data_parallel():
        pass  # accelerate settles on one process
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(RuntimeError, match="2 processes were started, and accelerate sees 1"), data_parallel():
        pass


def test_a_single_process_changes_nothing():
    pytest.importorskip("accelerate", reason="accelerate is not installed")
    expected = recorded(module=Linear)["proba"]
    with data_parallel() as state:
        assert state.is_main_process
        np.testing.assert_array_equal(recorded(module=Linear)["proba"], expected)


if __name__ == "__main__":
    main(sys.argv[1])
