"""Kill, fill the disk and damage files while SemiPrune fits, and see what is lost.

Each kill is a SIGKILL in a process of its own, which is then started again; steps that both have done are lost. Other faults
happen in this process. A result is equal if scores, coreset and the labeler's probabilities are, bit for bit, on one thread.

    python examples/benchmarks/faults.py                                   # the table
    python examples/benchmarks/faults.py --every 60 --steps 20000          # with the usual interval, about an hour
    python examples/benchmarks/faults.py --overhead --rows 60000 --steps 1500 --every 60  # what keeping the state costs
    python examples/benchmarks/faults.py --soak 100                        # memory after as many fits in one process
"""

import argparse
import errno
import gc
import os
import pickle
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from common import anonymous
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from skorch.callbacks import Callback

from skprune import SemiPrune
from skprune._utils import _files, _locks
from skprune.datasets import make_partial_labels
from skprune.nets import NetClassifier
from skprune.nets._resumable import ResumableTraining
from skprune.semi_supervised import SoftMatch

N_EPOCHS = 10
KILLS = ("labeling", "recording", "writing a state", "writing a stage", "between the stages")


class Steps(Callback):
    """Count the steps in a file that outlives the process, and kill that process at one of them."""

    kill_at = {}  # not of the instance, which is part of the key of a stage

    def __init__(self, file, stage):
        self.file, self.stage = file, stage

    def on_train_begin(self, net, **kwargs):
        """Start to count."""
        self.n_done_ = 0

    def on_batch_end(self, net, training=False, **kwargs):
        """Count a step."""
        with open(self.file, "a") as stream:
            stream.write(".")
        self.n_done_ += 1
        if self.n_done_ == self.kill_at.get(self.stage):
            os.kill(os.getpid(), signal.SIGKILL)

    def state_dict(self):
        """Return nothing: each process counts for itself."""
        return {}

    def load_state_dict(self, state):
        """Do nothing."""


def load_rows(n_rows):
    """Return the rows of digits, repeated up to the number asked for, with noise, and labels of a tenth."""
    X, y = load_digits(return_X_y=True)
    rows = np.arange(n_rows) % len(X)
    noise = np.random.default_rng(0).normal(size=(n_rows, X.shape[1]))
    return X[rows] + noise, make_partial_labels(y[rows], n_labeled=0.1, random_state=0)


def make_pruner(args, count=None, **params):
    """Return a pruner of two nets."""
    callbacks = [None, None]
    if count is not None:
        callbacks = [[("steps", Steps(count, stage))] for stage in ("labeling", "recording")]
    labeler = SoftMatch(n_steps=args.steps, batch_size=16, mu=2, callbacks=callbacks[0])
    proxy = NetClassifier(callbacks=callbacks[1])
    options = {"n_epochs": N_EPOCHS, "estimate_accuracy": False, "random_state": 0}
    return SemiPrune(0.3, **{"labeler": labeler, "proxy": proxy} | options | params)


def result_of(pruner, X):
    """Return what must be equal."""
    return {
        "scores": pruner.difficulty_scores_,
        "support": pruner.support_,
        "proba": pruner.labeler_.predict_proba(X[:100]),
    }


def is_equal(result, expected):
    """Tell whether all arrays are equal, bit for bit."""
    return all(np.array_equal(result[name], expected[name]) for name in expected)


def fit_here(args, folder):
    """Fit in this process, which the fault kills."""
    torch.set_num_threads(1)
    X, y = load_rows(args.rows)
    Steps.kill_at = {args.kill: args.at}
    replace, n_written = os.replace, [0]

    def killing(source, target):
        is_stage = Path(target).name.startswith("label_pool") and Path(target).suffix == ".safetensors"
        hits = {"writing a state": Path(target).suffix == ".running", "writing a stage": is_stage}
        n_written[0] += hits.get(args.kill, False)
        if n_written[0] == args.at:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target)
        if args.kill == "between the stages" and is_stage:
            os.kill(os.getpid(), signal.SIGKILL)

    with mock.patch.object(_files.os, "replace", killing if args.at else replace):
        pruner = make_pruner(args, args.count, checkpoint=folder, checkpoint_every=args.every).fit(X, y)
    np.savez(args.out, **result_of(pruner, X))


def kill_and_go_on(args, kill, at, expected, n_total):
    """Kill a process, start it again, and return whether its result is equal and how many steps were done twice."""
    with tempfile.TemporaryDirectory() as name:
        folder, count, out = Path(name, "kept"), Path(name, "count"), Path(name, "result.npz")
        count.touch()
        command = [sys.executable, __file__, "--fit", str(folder), "--count", str(count), "--out", str(out)]
        command += ["--rows", str(args.rows), "--steps", str(args.steps), "--every", str(args.every)]
        first = subprocess.run([*command, "--kill", kill, "--at", str(at)], check=False)
        if first.returncode != -signal.SIGKILL:
            raise RuntimeError(f"The process was not killed while {kill}.")
        subprocess.run(command, check=True)
        with np.load(out) as result:
            return is_equal(result, expected), len(count.read_text()) - n_total


class Stopped(BaseException):
    """A fit ends here."""


class Payload:
    """A pickle that makes a file where it is run."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


def damages(made):
    """Return what can happen to a file, by name."""
    return {
        "a flipped bit": lambda content: content[:-40] + bytes([content[-40] ^ 1]) + content[-39:],
        "truncated": lambda content: content[: len(content) // 2],
        "empty": lambda content: b"",
        "a pickle in its place": lambda content: pickle.dumps(Payload(made)),
    }


def refuse(args, X, y, damage, pattern):
    """Damage a file of a checkpoint, and tell whether the next fit refuses it by name and runs nothing of it."""
    with tempfile.TemporaryDirectory() as name:
        folder, made = Path(name, "kept"), Path(name, "made")

        def stop(source, target):
            os.rename(source, target)
            if Path(target).match(pattern):
                raise Stopped

        options = {"checkpoint": folder, "checkpoint_every": 0.0}
        if pattern.endswith("running"):
            with suppress(Stopped), mock.patch.object(_files.os, "replace", stop):
                make_pruner(args, **options).fit(X, y)
        else:
            make_pruner(args, **options).fit(X, y)
        file = next(folder.glob(pattern))
        file.write_bytes(damages(made)[damage](file.read_bytes()))
        try:
            make_pruner(args, **options).fit(X, y)
        except ValueError as error:
            return file.name in str(error) and not made.exists()
        return False


def full(*args, **kwargs):
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, "No space left on device")


def no_locks(self, *args, **kwargs):
    """Fail as a network folder without locks does."""
    raise OSError(errno.ENOLCK, "No locks available")


class RemovesFolder(Callback):
    """Remove a folder once a net trains."""

    def __init__(self, folder):
        self.folder = folder

    def on_train_begin(self, net, X=None, **kwargs):
        """Remove it, but not in the trial on a few rows."""
        if len(X) > 100:
            shutil.rmtree(self.folder, ignore_errors=True)

    def state_dict(self):
        """Return nothing."""
        return {}

    def load_state_dict(self, state):
        """Do nothing."""


@contextmanager
def limited_files():
    """Let no file grow beyond 4 kB within the block."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def survive(args, X, y, expected, fault):
    """Fit under a fault of the disk, and return whether the result is equal, and how many warnings were given."""
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        folder = Path(name, "kept")
        faults = {
            "a full disk": lambda: mock.patch.object(_files.os, "replace", full),
            "files of at most 4 kB": limited_files,
            "no locks": lambda: mock.patch.object(_locks.FileLock, "acquire", no_locks),
            "the folder is removed": nullcontext,
        }
        pruner = make_pruner(args, checkpoint=folder, checkpoint_every=args.every)
        if fault == "the folder is removed":
            pruner.set_params(labeler__callbacks=[("removes", RemovesFolder(folder))])
        with faults[fault]():
            pruner.fit(X, y)
        return is_equal(result_of(pruner, X), expected), len(caught)


def print_table(args):
    """Run all faults."""
    X, y = load_rows(args.rows)
    with tempfile.TemporaryDirectory() as name:
        count = Path(name, "count")
        expected = result_of(make_pruner(args, count).fit(X, y), X)
        n_total = len(count.read_text())
    n_recorded = n_total - args.steps
    print(
        f"{args.rows} rows, {args.steps} steps of labeling, {n_recorded} of recording; state kept every {args.every:g} s\n"
    )
    print(f"{'killed (SIGKILL) while':<44}{'equal':>10}{'steps lost':>14}")
    places = [(kill, args.steps * part // 4) for kill in ("labeling",) for part in (1, 3)]
    places += [("recording", n_recorded * part // 4) for part in (1, 3)]
    places += [("writing a state", 5), ("writing a stage", 1), ("between the stages", 1)]
    for kill, at in places:
        equal, lost = kill_and_go_on(args, kill, at, expected, n_total)
        what = f"{kill}, step {at}" if kill in ("labeling", "recording") else kill
        print(f"{what:<44}{'yes' if equal else 'NO':>10}{lost:>14}", flush=True)
    print(f"\n{'disk':<44}{'equal':>10}{'warnings':>14}")
    for fault in ("a full disk", "files of at most 4 kB", "the folder is removed", "no locks"):
        equal, n_warnings = survive(args, X, y, expected, fault)
        print(f"{fault:<44}{'yes' if equal else 'NO':>10}{n_warnings:>14}", flush=True)
    print(f"\n{'damage':<34}{'file':<20}{'refused by name, nothing run':>30}")
    for pattern, what in (("record_pool-*.safetensors", "a stage"), ("label_pool-*.running", "a running stage")):
        for damage in damages(None):
            refused = refuse(args, X, y, damage, pattern)
            print(f"{damage:<34}{what:<20}{'yes' if refused else 'NO':>30}", flush=True)


def print_overhead(args):
    """Fit the nets to images, and print how much of the time goes into keeping the state of a training."""
    X, y = load_rows(args.rows)
    images = np.clip(16 * X, 0, 255).astype(np.uint8).reshape(-1, 1, 8, 8)
    keep, seconds = ResumableTraining._keep, []

    def timed(net, *given, **options):
        is_due = net._running is not None and (options.get("now", False) or net._running.is_due())
        start = time.perf_counter()
        keep(net, *given, **options)
        if is_due:
            seconds.append(time.perf_counter() - start)

    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(ResumableTraining, "_keep", timed):
        pruner = SemiPrune(0.3, labeler=SoftMatch(n_steps=args.steps), proxy=NetClassifier(), random_state=0)
        pruner.set_params(checkpoint=folder, checkpoint_every=args.every).fit(images, y)
    total = time.perf_counter() - start
    print(f"{args.rows} images, {args.steps} steps of labeling, {pruner.n_epochs} epochs of recording: {total:.0f} s")
    print(f"the state kept every {args.every:g} s: {len(seconds)} times, {max(seconds):.2f} s at most", end="")
    print(f", {sum(seconds):.1f} s in all, {sum(seconds) / total:.2%}")


def print_soak(args):
    """Fit nets and linear models in turn, and print the memory of the process after the first fits and at the end."""
    X, y = load_rows(args.rows)
    linear = {
        "labeler": make_pipeline(StandardScaler(), SelfTrainingClassifier(LogisticRegression())),
        "proxy": make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss")),
    }
    n_warm, memory = max(2, args.soak // 10), []
    for number in range(n_warm + args.soak):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            make_pruner(args, **(linear if number % 2 else {})).set_params(random_state=number).fit(X, y)
        gc.collect()
        memory.append(anonymous() / 1024)
    first, last = memory[n_warm - 1], memory[-1]
    print(f"{args.rows} rows: {first:.1f} MiB after {n_warm} fits, {last:.1f} MiB after {args.soak} more: ", end="")
    print(f"{last / first - 1:+.2%}, at most {max(memory[n_warm:]):.1f} MiB")


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--steps", type=int, default=40, help="of the labeler")
    parser.add_argument("--every", type=float, default=0.0, help="seconds between two states of a training")
    parser.add_argument("--overhead", action="store_true", help="time it in a fit to images, and stop")
    parser.add_argument("--soak", type=int, help="fit so many times in one process, see whether memory grows, and stop")
    parser.add_argument("--fit", help=argparse.SUPPRESS)
    parser.add_argument("--kill", choices=KILLS, help=argparse.SUPPRESS)
    parser.add_argument("--at", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--count", help=argparse.SUPPRESS)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.fit:
        fit_here(args, args.fit)
    elif args.soak:
        print_soak(args)
    elif args.overhead:
        print_overhead(args)
    else:
        print_table(args)


if __name__ == "__main__":
    main()
