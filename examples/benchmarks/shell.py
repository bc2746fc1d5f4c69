"""Rounds of labeling from the shell alone, on a folder of images: killed once and resumed, beside as many random labels.

    python examples/benchmarks/shell.py                       # 2,000 images, 100 first labels, three rounds of 100
    python examples/benchmarks/shell.py --rows 200 --first 40 --size 20 --options "--steps 20 --epochs 10"

Images of Fashion-MNIST become PNG files. Each round is `skprune next`, whose file is filled in with the true labels, and
`skprune tell`. In the second round, the process is killed as soon as a stage is finished, and the command is given again with
--resume. Each command is printed with its minutes. In the end, a net is trained on the labels of each round, and on as many
random labels for each of five seeds; its accuracy is that on the test set.
"""

import argparse
import csv
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import machine, show, train_and_test
from PIL import Image

from skprune.datasets import fetch_fashion_mnist
from skprune.labeling import read_answers
from skprune.nets import NetClassifier

SEEDS = range(5)


def skprune(command, folder, *, kill_after=None):
    """Run a command in a folder, and print it with its minutes; kill it when a file is there."""
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "skprune", *shlex.split(command)], cwd=folder)
    while kill_after is not None and process.poll() is None and not list(folder.glob(kill_after)):
        time.sleep(0.1)
    if kill_after is not None:
        process.kill()
    code = process.wait()
    print(f"skprune {command}\n    {(time.monotonic() - start) / 60:.1f} min, exit code {code}", flush=True)
    if kill_after is None and code != 0:
        raise SystemExit(code)


def write_labels(file, names, labels):
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([("id", "label"), *zip(names, labels, strict=True)])


def accuracy(X, y, X_test, y_test, seed):
    """Return the test accuracy, in percent, of a net that is trained on labels."""
    return 100 * NetClassifier(max_epochs=60, random_state=seed).fit(X, y).score(X_test, y_test)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--first", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", type=int, default=100, help="labels of a round")
    parser.add_argument("--options", default="", help='more options of "skprune next"')
    parser.add_argument("--data-home")
    args = parser.parse_args()

    X, y, X_test, y_test = train_and_test(fetch_fashion_mnist, args.data_home)
    rows = np.random.default_rng(0).permutation(len(X))
    names = np.array([f"{place:05d}.png" for place in range(args.rows)])
    X, y = X[rows[: args.rows]], y[rows[: args.rows]]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "photos").mkdir()
        for name, image in zip(names, X, strict=True):
            Image.fromarray(image.squeeze()).save(folder / "photos" / name)
        write_labels(folder / "labels.csv", names[: args.first], y[: args.first])
        chosen = [np.arange(args.first)]
        for number in range(args.rounds):
            command = (
                f"next photos --labels labels.csv --budget {args.size} --out next.csv --quiet {args.options}".strip()
            )
            command += " --force" * (number > 0)
            if number == 1:
                skprune(command, folder, kill_after="next.csv.work/label_pool-*.safetensors")
                command += " --resume"
            skprune(command, folder)
            with (folder / "next.csv").open(newline="") as stream:
                asked = [int(line["id"].removesuffix(".png")) for line in csv.DictReader(stream)]
            write_labels(folder / "next.csv", names[asked], y[asked])
            skprune("tell next.csv --labels labels.csv", folder)
            chosen.append(np.concatenate([chosen[-1], asked]))
        assert len(read_answers(folder / "labels.csv")) == args.first + args.rounds * args.size

    print(
        f"\ntest accuracy of a net, {len(X_test):,} test images, seeds 0 to {SEEDS[-1]}, mean and std (ddof 1); {machine()}"
    )
    for labeled in chosen:
        n_more = len(labeled) - args.first
        found = {"chosen": [], "random": []}
        for seed in SEEDS:
            drawn = np.random.default_rng(seed).permutation(np.arange(args.first, args.rows))[:n_more]
            at_random = np.concatenate([chosen[0], drawn])
            for name, part in (("chosen", labeled), ("random", at_random)):
                found[name].append(accuracy(X[part], y[part], X_test, y_test, seed))
        print(f"{len(labeled):6,} labels: " + ", ".join(f"{name} {show(values)}" for name, values in found.items()))


if __name__ == "__main__":
    main()
