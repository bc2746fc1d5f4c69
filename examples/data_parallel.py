"""SemiPrune in several processes, which train its nets together.

With GPUs::

    accelerate launch --multi_gpu --num_processes 2 examples/data_parallel.py

without, and in a single process::

    torchrun --nproc-per-node 2 examples/data_parallel.py
    python examples/data_parallel.py

Runs differ as those of two machines do, by what long trainings make of rounding.
"""

from time import perf_counter

from sklearn.datasets import load_digits

from skprune import SemiPrune
from skprune.datasets import make_partial_labels
from skprune.nets import NetClassifier, data_parallel
from skprune.semi_supervised import SoftMatch


def main():
    X, y = load_digits(return_X_y=True)
    images = X.reshape(-1, 8, 8)
    y_partial = make_partial_labels(y, n_labeled=100, random_state=0)
    net = {"module__width": 16, "precision": "fp32"}
    pruner = SemiPrune(
        0.3,
        labeler=SoftMatch(n_steps=100, batch_size=32, mu=3, **net),
        proxy=NetClassifier(**net),
        n_epochs=10,
        estimate_accuracy=False,
        random_state=0,
    )
    start = perf_counter()
    with data_parallel() as state:
        pruner.fit(images, y_partial)
    if state.is_main_process:
        kept = pruner.coreset_indices_
        accuracy = (pruner.pseudo_labels_ == y).mean()
        print(f"{state.num_processes} processes, {perf_counter() - start:.0f} s, {accuracy:.1%} right pseudo-labels")
        print(f"{len(kept)} rows kept, the first of them {kept[:8].tolist()}")
    state.destroy_process_group()


if __name__ == "__main__":
    main()
