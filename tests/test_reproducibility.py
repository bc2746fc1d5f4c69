"""The same bits from the same seed: in another process, with other hashes and global seeds, and again with several threads.

As a program, this file prints what its process finds.
"""

import json
import os
import random
import subprocess
import sys
import warnings
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits, load_iris

from skprune import SemiPrune
from skprune._utils._labels import VANISHED
from skprune.datasets import make_partial_labels
from skprune.nets import NetClassifier
from skprune.semi_supervised import SoftMatch

LOST = "The coreset of .* holds no row"
pytestmark = pytest.mark.filterwarnings(f"ignore:{VANISHED}", f"ignore:{LOST}")  # the labelers are hardly trained


def images():
    X, y = load_digits(return_X_y=True)
    X, y = (X[:120].reshape(-1, 8, 8) / 16 * 255).astype(np.uint8), y[:120]
    return X, y, make_partial_labels(y, n_labeled=40, random_state=0)


def table():
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"], dtype=object)[y]
    return X, y, np.where(make_partial_labels(y, n_labeled=15, random_state=0) == -1, None, names)


def fit(data):
    X, _, partial = data()
    labeler = SoftMatch(n_steps=4, batch_size=8, mu=2, module__width=8)
    proxy = NetClassifier(module__width=8)
    pruner = SemiPrune(0.3, labeler=labeler, proxy=proxy, n_epochs=10, n_repeats=2, device="cpu", random_state=0)
    return pruner.fit(X, partial)


def digest(pruner):
    """Return a checksum of all that is read off a fit."""
    order = pruner.annotation_indices_
    arrays = (pruner.difficulty_scores_, pruner.pseudo_label_confidence_, order, pruner.sample_weight_)
    return blake2b(b"".join(array.tobytes() for array in arrays) + repr(pruner.coreset_labels_).encode()).hexdigest()


@pytest.fixture(scope="module")
def elsewhere():
    """Checksums of a process with another seed of hashes, and other global seeds."""
    paths = [str(Path(__file__).parents[1]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    env = os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run([sys.executable, __file__], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-5000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("data", [images, table])
def test_other_processes_find_the_same(elsewhere, data):
    assert elsewhere[data.__name__] == digest(fit(data))


def test_global_generators_stay_where_they_are():
    states = [
        lambda: random.getstate(),
        lambda: [part.tolist() if hasattr(part, "tolist") else part for part in np.random.get_state()],  # noqa: NPY002
        lambda: torch.get_rng_state().tolist(),
    ]
    before = [state() for state in states]
    fit(table)
    assert [state() for state in states] == before


def test_several_threads_find_the_same_again():
    """Sums are divided among threads in a fixed way: another number of threads rounds them differently, the same does not."""
    X, _, partial = images()

    def proba():
        net = SoftMatch(n_steps=3, batch_size=8, mu=4, module__width=8, device="cpu", random_state=0)
        return net.fit(X, partial).predict_proba(X)

    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        np.testing.assert_array_equal(proba(), proba())
    finally:
        torch.set_num_threads(n_threads)


def main():
    """Print the checksum of each fit."""
    torch.set_num_threads(1)
    random.seed(9)
    np.random.seed(9)  # noqa: NPY002
    torch.manual_seed(9)
    warnings.simplefilter("ignore")
    print(json.dumps({data.__name__: digest(fit(data)) for data in (images, table)}))


if __name__ == "__main__":
    main()
