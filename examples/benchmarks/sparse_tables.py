"""Time and peak memory on a sparse TF-IDF table: SemiPrune with scikit-learn's models, and its labeler alone.

Run it with ``python examples/benchmarks/sparse_tables.py``; ``--documents`` and ``--words`` set the size. Each runs in a process
of its own, so that peak memory is that of the run.
"""

import argparse
import resource
import subprocess
import sys
import time

import numpy as np
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import SGDClassifier
from sklearn.semi_supervised import SelfTrainingClassifier

from skprune import SemiPrune
from skprune.datasets import make_partial_labels

N_CLASSES = 20
SGD = {"loss": "log_loss", "alpha": 1e-5}  # as in the example of scikit-learn on semi-supervised texts

KINDS = {
    "labeler": "SelfTrainingClassifier(SGD) alone",
    "labels once": "SemiPrune(estimate_accuracy=False)",
    "pruner": "SemiPrune, which labels twice",
}


def make_documents(n_documents, n_words, length, seed=0):
    """Return TF-IDF of documents whose words follow Zipf's law, of which each class has its own favorites, and classes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(N_CLASSES, size=n_documents)
    common = 1.0 / np.arange(1, n_words + 1)
    counts = []
    for _ in range(N_CLASSES):
        weights = common * np.where(rng.random(n_words) < 0.1, 5.0, 1.0)
        counts.append(np.cumsum(weights / weights.sum()))
    words = np.stack([np.searchsorted(counts[code], rng.random(length)) for code in y])
    rows = np.repeat(np.arange(n_documents), length)
    places = rows.astype(np.int32), np.minimum(words.ravel(), n_words - 1).astype(np.int32)
    table = csr_array((np.ones(words.size), places), shape=(n_documents, n_words))
    table.sum_duplicates()
    return csr_array(TfidfTransformer(sublinear_tf=True).fit_transform(table)), y


def run(kind, n_documents, n_words, length):
    """Fit one of them, and print what it took."""
    X, y = make_documents(n_documents, n_words, length)
    y_partial = make_partial_labels(y, n_labeled=n_documents // 10, random_state=0)
    labeler = SelfTrainingClassifier(SGDClassifier(**SGD, random_state=0))
    proxy = SGDClassifier(**SGD, random_state=0)
    start, cpu = time.perf_counter(), time.process_time()
    if kind == "labeler":
        labeled = labeler.fit(X, y_partial).predict(X)
    else:
        estimate = "auto" if kind == "pruner" else False
        pruner = SemiPrune(0.2, labeler=labeler, proxy=proxy, estimate_accuracy=estimate, random_state=0)
        labeled = pruner.fit(X, y_partial).pseudo_labels_
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    accuracy = (labeled == y).mean()
    print(
        f"{length:5d} {X.nnz:9d}  {KINDS[kind]:35s} {seconds:6.1f} s {cpu:6.1f} s {peak:5.0f} MiB   {accuracy:.3f}",
        flush=True,
    )


def main():
    """Run each in a subprocess."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=5000)
    parser.add_argument("--words", type=int, default=20_000)
    parser.add_argument("--lengths", type=int, nargs="+", default=[150, 500], help="words in a document")
    parser.add_argument("--kind", choices=KINDS)
    options = parser.parse_args()
    if options.kind is not None:
        run(options.kind, options.documents, options.words, options.lengths[0])
        return
    dense = options.documents * options.words * 8 / 2**20
    print(f"{options.documents} documents x {options.words} words, {N_CLASSES} classes, a tenth of the labels given.")
    print(f"A dense table would take {dense:.0f} MiB.\n")
    print(f"words  non-zero  {'':35s}     time  CPU time peak memory  correct", flush=True)
    for length in options.lengths:
        for kind in KINDS:
            sizes = (f"--documents={options.documents}", f"--words={options.words}", f"--lengths={length}")
            subprocess.run([sys.executable, __file__, f"--kind={kind}", *sizes], check=True)


if __name__ == "__main__":
    main()
