"""Bad and odd inputs: kinds of X, of y and of parameters, and what becomes of each.

Run it with ``python examples/benchmarks/inputs.py``; it takes about a minute and a half on one core. Each case says what its
kind has to come to: it works, works with a warning, or is refused before any training by a message that names what is wrong.
Listed by name are those that come to anything else. ``--only`` runs the cases whose name holds a text, ``--verbose`` prints
messages.
"""

import argparse
import contextlib
import functools
import io
import os
import re
import tempfile
import time
import warnings
from collections import Counter

import numpy as np
from inputs_images import image_cases
from inputs_methods import method_cases
from inputs_parameters import parameter_cases
from inputs_rules import REFUSED, TRAINED, WARNS
from inputs_x import table_cases
from inputs_y import label_cases

from skprune._pipeline import _stages

COLUMNS = ("refused before training", "works", "needless refusal", "refused later", "crashed", "silently wrong")
FAULTS = COLUMNS[2:]


def watch_training():
    """Note each real training of a labeler or a proxy; the trial before it calls other functions."""
    for name in ("label_pool", "record_pool", "label_and_record"):
        setattr(_stages, name, _watched(getattr(_stages, name)))


def _watched(stage):
    @functools.wraps(stage)
    def begin(*args, **kwargs):
        TRAINED.append(stage.__name__)
        return stage(*args, **kwargs)

    return begin


def outcome_of(case):
    """Run a case, and return the column that it belongs to, and what was said."""
    TRAINED.clear()
    with (
        warnings.catch_warnings(record=True) as caught,
        np.errstate(all="ignore"),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("always")
        try:
            result = case.call()
        except Exception as error:
            return _refusal(case, error)
        complaint = case.check(result) if case.check is not None else None
    said = [str(warning.message) for warning in caught]
    if case.expected == REFUSED:
        return "silently wrong", f"not refused ({' | '.join(said)})"
    if complaint is not None:
        return "silently wrong", complaint
    if case.expected == WARNS and not any(re.search(case.names, text) for text in said):
        return "silently wrong", f"no warning of {case.names!r} among {said}"
    return "works", " | ".join(said)


def _refusal(case, error):
    said = f"{type(error).__name__}: {error}"
    own = (isinstance(error, (ValueError, TypeError)) and _is_own(error)) or isinstance(error, OSError)
    if not own or (case.expected == REFUSED and not re.search(case.names, str(error))):
        return "crashed", said
    if TRAINED:
        return "refused later", said
    return ("refused before training" if case.expected == REFUSED else "needless refusal"), said


def _is_own(error):
    """Tell whether skprune wrote the message, or scikit-learn's checks of inputs did."""
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    module = trace.tb_frame.f_globals.get("__name__", "")
    return module.startswith(("skprune.", "sklearn.utils.validation", "sklearn.utils.multiclass"))


def main():
    """Run all cases, print a row for each kind, the totals, and the faults by name."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    watch_training()
    start, counts, faults = time.process_time(), {}, {column: [] for column in FAULTS}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for case in [*table_cases(), *label_cases(), *image_cases(), *parameter_cases(), *method_cases()]:
            if options.only not in case.name:
                continue
            begun = time.perf_counter()
            column, said = outcome_of(case)
            counts.setdefault(case.kind, Counter())[column] += 1
            if column in faults:
                faults[column].append((case.name, said))
            if options.verbose:
                print(
                    f"{time.perf_counter() - begun:5.2f} {column:24s} {case.name}: {' '.join(said.split())}", flush=True
                )
        os.chdir("/")
    print_table(counts, time.process_time() - start)
    for column, cases in faults.items():
        print(f"\n{column}: {len(cases) or 'none'}")
        for name, said in cases:
            print(f"  {name}: {' '.join(said.split())[:200]}")


def print_table(counts, seconds):
    """Print how many cases of each kind came to what."""
    width = max(map(len, counts))
    heads = ("cases", "refused", "work", "needless", "later", "crashed", "silent")
    print(" " * width, *(f"{head:>8s}" for head in heads))
    total = sum(counts.values(), Counter())
    for kind, counter in [*counts.items(), ("all", total)]:
        print(f"{kind:{width}s}", f"{counter.total():8d}", *(f"{counter[column]:8d}" for column in COLUMNS))
    print(f"\n{total.total()} cases in {seconds:.0f} s of CPU time")


if __name__ == "__main__":
    main()
