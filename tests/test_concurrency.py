"""Several threads and processes: the same results from each engine, nobody waits forever, nobody takes more than the cores.

As a program, this file does what can only be seen in a process of its own: it uses threads of OpenMP, and forks then.
"""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from zlib import crc32

import joblib
import numpy as np
import pytest
import torch
from filelock import FileLock
from joblib import parallel_config
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info

from skprune import PrunedClassifier, SemiPrune
from skprune._utils._device import seeded
from skprune._utils._locks import lock_of
from skprune.datasets import make_partial_labels
from skprune.model_selection import PartialLabelShuffleSplit, pruning_curve
from skprune.nets import NetClassifier
from skprune.semi_supervised import FixMatch

CPU = torch.device("cpu")
HANGS = 600  # seconds after which a process that should take some waits forever


class Noting(NetClassifier):
    """A proxy that notes in which process it is trained, and by how many threads."""

    folder = None

    def fit(self, X, y):
        threads = [torch.get_num_threads(), *(pool["num_threads"] for pool in threadpool_info())]
        with (Path(self.folder) / str(os.getpid())).open("a") as notes:
            notes.write(f"{max(threads)}\n")
        return super().fit(X, y)


def notes_in(folder):
    """Return how many processes have trained, and by how many threads at most."""
    files = list(Path(folder).iterdir())
    return len(files), max(int(line) for file in files for line in file.read_text().split())


def make_pruner(proxy=None, **params):
    labeler = FixMatch(n_steps=8, batch_size=8, mu=2)
    proxy = NetClassifier(module__width=16) if proxy is None else proxy
    return SemiPrune(0.4, labeler=labeler, proxy=proxy, n_epochs=10, estimate_accuracy=False, random_state=0, **params)


def coreset_number(model, X, y):
    """A scorer that tells coresets apart."""
    return float(crc32(model.pruner_.support_.tobytes()))


def data():
    X, y = load_iris(return_X_y=True)
    return X, y, make_partial_labels(y, n_labeled=15, random_state=0)


def repeats(n_jobs):
    X, _, partial = data()
    return make_pruner(n_repeats=2, n_jobs=n_jobs).fit(X, partial).difficulty_scores_.tolist()


def curve(n_jobs):
    X, y, partial = data()
    options = {"evaluator": NetClassifier(max_epochs=3, module__width=16), "X_test": X[1::2], "y_test": y[1::2]}
    found = pruning_curve(
        {"semi-supervised": make_pruner()},
        X[::2],
        partial[::2],
        ratios=[0.3, 0.6],
        y_oracle=y[::2],
        random_states=[0],
        n_jobs=n_jobs,
        **options,
    )
    return [{name: value for name, value in row.items() if not name.endswith("_time")} for row in found.rows]


def grid(n_jobs, pruner=None):
    X, _, partial = data()
    model = PrunedClassifier(LogisticRegression(max_iter=500), make_pruner() if pruner is None else pruner)
    split = PartialLabelShuffleSplit(1, test_size=0.4, random_state=0)
    search = GridSearchCV(
        model, {"pruner__ratio": [0.3, 0.6]}, cv=split, scoring=coreset_number, refit=False, n_jobs=n_jobs
    )
    return search.fit(X, partial).cv_results_["mean_test_score"].tolist()


@pytest.mark.parametrize("work", [repeats, curve, grid])
@pytest.mark.parametrize("engine", [{"backend": "loky", "inner_max_num_threads": 1}, {"backend": "threading"}])
def test_engines_give_the_same(work, engine):
    with parallel_config(**engine):
        assert work(2) == work(1)


HOLDER = """
import os, sys
from pathlib import Path
from skprune._utils._locks import lock_of

with lock_of(Path(sys.argv[1])):
    child = os.fork()
    if child:
        print(child, flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_killed_process_lets_go_of_its_lock_though_its_child_lives(tmp_path):
    lock = tmp_path / "stage.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        child = int(process.stdout.readline())
        assert not held_by_nobody(lock, timeout=0)
        process.kill()
        try:
            assert held_by_nobody(lock, timeout=HANGS)
            os.kill(child, signal.SIGKILL)
        finally:
            process.stdin.close()
    with lock_of(lock):
        assert not held_by_nobody(lock, timeout=0)


def held_by_nobody(lock, timeout):
    try:
        with FileLock(lock, timeout=timeout):
            return True
    except TimeoutError:
        return False


@pytest.fixture(scope="module")
def forked(tmp_path_factory):
    """What a process found that forked after it had used several threads."""
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("This system does not fork")
    folder = tmp_path_factory.mktemp("forked")
    env = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    paths = [str(Path(__file__).parents[1]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    env["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen([sys.executable, __file__, str(folder)], env=env, **pipes) as process:
        try:
            out, errors = process.communicate(timeout=HANGS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # its forks too
            raise
    assert process.returncode == 0, errors[-5000:]
    return json.loads(out.splitlines()[-1])


def test_forked_processes_give_the_same(forked):
    assert forked["grid"] == forked["grid alone"]
    assert forked["predicted"] == forked["predicted alone"]


def test_forked_processes_share_the_cores(forked):
    n_processes, n_threads = forked["noted"]
    assert (n_processes, n_threads) == (2, 1)
    assert forked["threads of the parent"] == 2


def test_nobody_waits_for_a_thread_that_stayed_in_the_parent(forked):
    assert forked["trained while a thread held the generators"] == forked["trained alone"]


def test_nested_processes_share_the_cores(forked):
    n_processes, n_threads = forked["nested"]
    assert n_processes <= 2
    assert n_threads <= max(1, joblib.cpu_count() // 2)


def wide():
    """Rows so many and so wide that torch and scikit-learn use several threads."""
    X, y, _ = data()
    return np.tile(X, (20, 40)), np.tile(y, 20)


def train():
    X, y = wide()
    return NetClassifier(max_epochs=1, batch_size=512, device="cpu", random_state=0).fit(X, y)


def predict(net):
    return np.round(net.predict_proba(wide()[0])[::500], 6).tolist()


def train_and_predict():
    return predict(train())


def in_fork(queue, work, *args):
    queue.put(work(*args))


def forked_once(work, *args):
    """Return what a forked process finds."""
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    process = context.Process(target=in_fork, args=(queue, work, *args))
    process.start()
    found = queue.get()
    process.join()
    return found


def main(folder):
    """Use threads, fork, and print what is found."""
    found = {}
    torch.set_num_threads(2)
    net = train()
    KMeans(8, n_init=1, random_state=0).fit(wide()[0])
    found["predicted"] = forked_once(predict, net)

    holds, may_end = threading.Event(), threading.Event()

    def hold():
        with seeded(0, CPU):
            holds.set()
            may_end.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    holds.wait()
    trained = forked_once(train_and_predict)
    may_end.set()
    holder.join()
    found["trained while a thread held the generators"] = trained

    Noting.folder = Path(folder) / "noted"
    Noting.folder.mkdir()
    with parallel_config("multiprocessing"):
        found["grid"] = grid(2, make_pruner(Noting(module__width=16), n_repeats=2, n_jobs=2))
    found["noted"] = notes_in(Noting.folder)
    Noting.folder = Path(folder) / "nested"
    Noting.folder.mkdir()
    grid(2, make_pruner(Noting(module__width=16), n_repeats=2, n_jobs=2))
    found["nested"] = notes_in(Noting.folder)
    found["threads of the parent"] = torch.get_num_threads()

    torch.set_num_threads(1)
    found["grid alone"] = grid(1, make_pruner(n_repeats=2))
    found["predicted alone"], found["trained alone"] = predict(net), train_and_predict()
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
