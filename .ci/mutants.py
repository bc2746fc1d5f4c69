"""Mutation testing by cosmic-ray: whether the tests of a module notice what is changed in it.

``python .ci/mutants.py`` changes a copy of the repository at random places, one at a time, runs the tests below, prints what
no test noticed, and fails if the killed share is below 92 % by more than chance. ``python .ci/mutants.py labels --n 0`` tries
all mutants of one part. tests/mutants.md has the survivors that are no faults of the tests.
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult
from scipy.stats import binomtest

TOP = Path(__file__).parents[1]
RULES = ("_rules", "_alignment", "_flexmatch", "_freematch", "_meanteacher", "_softmatch")
PARTS = {
    "scores": (["skprune/scores"], ["test_scores"]),
    "selection": (["skprune/selection"], ["test_selection", "test_needs", "test_neighbors", "test_coverage"]),
    "dynamics": (
        ["skprune/dynamics"],
        [
            f"test_{name}"
            for name in (
                "dynamics",
                "dynamics_files",
                "reduce",
                "recording",
                "collect_classifiers",
                "collect_nets",
                "time_limit",
            )
        ],
    ),
    "labels": (["skprune/_utils/_labels.py"], ["test_labels", "test_missing_label"]),
    "rules": (
        [f"skprune/semi_supervised/{name}.py" for name in RULES],
        ["test_semi_supervised_rules", "test_semi_supervised"],
    ),
}
GOAL = 0.92
LEFT_OUT = ["core/RemoveDecorator"]  # most put shared texts into docstrings; other tests read these
CONFIG = """[cosmic-ray]
module-path = {modules}
timeout = 600
excluded-modules = []
test-command = "{python} -m pytest -q -x -p no:cacheprovider {tests}"
[cosmic-ray.distributor]
name = "local"
"""


def survivors_of(part, n, seed, folder):
    """Try n mutants of a part, 0 for all; return how many were tried, and the changes that no test noticed."""
    modules, tests = PARTS[part]
    config, session = folder / f"{part}.toml", folder / f"{part}.sqlite"
    files = " ".join([*modules, *(f"tests/{name}.py" for name in tests)])  # the modules for their doctests
    config.write_text(CONFIG.format(modules=modules, python=sys.executable, tests=files))
    subprocess.run(["cosmic-ray", "init", config, session], cwd=folder, check=True)
    with use_db(session, WorkDB.Mode.open) as mutants:
        leave_out(mutants, n, seed, folder)
    subprocess.run(["cosmic-ray", "exec", config, session], cwd=folder, check=True)
    with use_db(session, WorkDB.Mode.open) as mutants:
        results = [result for _, result in mutants.results if result.worker_outcome == WorkerOutcome.NORMAL]
    return len(results), [result.diff for result in results if result.test_outcome == TestOutcome.SURVIVED]


def leave_out(mutants, n, seed, folder):
    """Mark all mutants but n random ones as skipped."""
    items = sorted(mutants.work_items, key=lambda item: place(item.mutations[0]))
    wanted = [item for item in items if is_wanted(item.mutations[0], folder)]
    chosen = wanted if n == 0 else random.Random(seed).sample(wanted, min(n, len(wanted)))
    ids = {item.job_id for item in items} - {item.job_id for item in chosen}
    mutants.set_multiple_results(ids, WorkResult(worker_outcome=WorkerOutcome.SKIPPED))


def is_wanted(mutation, folder):
    """Tell whether a mutant is one; the stars of signatures and calls are taken for products and powers."""
    if not mutation.operator_name.startswith("core/ReplaceBinaryOperator"):
        return mutation.operator_name not in LEFT_OUT
    line, column = mutation.start_pos
    tree = ast.parse((folder / mutation.module_path).read_text())
    operations = (node for node in ast.walk(tree) if isinstance(node, ast.BinOp))
    ends = ((node.left, node.right) for node in operations)
    return any(
        (left.end_lineno, left.end_col_offset) <= (line, column) < (right.lineno, right.col_offset)
        for left, right in ends
    )


def place(mutation):
    """Return what a mutant is known by in each run."""
    return str(mutation.module_path), mutation.start_pos, mutation.operator_name, mutation.occurrence


def main():
    """Try the mutants of the parts that are asked for, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[], help="none: all")
    parser.add_argument("--n", type=int, default=40, help="mutants of each part; 0: all")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    n_tried = n_survived = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in ("skprune", "tests"):
            shutil.copytree(TOP / name, Path(folder) / name)
        shutil.copy(TOP / "pyproject.toml", folder)
        os.environ["PYTHONPATH"] = folder
        for part in options.parts or PARTS:
            n, survivors = survivors_of(part, options.n, options.seed, Path(folder))
            print(*survivors, f"{part}: {n - len(survivors)} of {n} mutants killed", sep="\n\n", flush=True)
            n_tried, n_survived = n_tried + n, n_survived + len(survivors)
    killed = binomtest(n_tried - n_survived, n_tried)
    interval = killed.proportion_ci(method="wilson")
    print(
        f"killed {killed.statistic:.1%} of {n_tried} mutants, 95 % interval {interval.low:.1%} to {interval.high:.1%}"
    )
    sys.exit(int(interval.high < GOAL))


if __name__ == "__main__":
    main()
