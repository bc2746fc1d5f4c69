"""The card preset of paper.py: its sizes, and its work in pieces, side by side on a card, that go on where they stopped."""

import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from multiprocessing import get_context

import torch
from common import append_to_table, machine, read_table

from skprune.nets import NetClassifier, ResNet9, SmallResNet


@dataclass(frozen=True)
class Card:
    """Sizes: rows, steps, and the budgets of the final nets in steps."""

    n_pool: int
    n_test: int
    net: type
    labeler_steps: int
    contrastive_steps: int
    budgets: tuple

    def final_net(self, n_steps):
        """Return the net that is trained on what is kept."""
        return NetClassifier(self.net, n_steps=n_steps, max_epochs=1)


CARD = Card(40_000, 10_000, ResNet9, 8000, 5000, (2000, 16_000))
TINY = Card(400, 100, SmallResNet, 3, 3, (2, 4))


@dataclass(frozen=True)
class Piece:
    """A net that is trained on what a method keeps; `first` ones give what the others are compared with."""

    seed: int
    labels: str
    method: str
    ratio: float
    budget: int
    first: bool = False

    def key(self):
        """Return what the file of runs knows a piece by."""
        return {name: str(value) for name, value in asdict(self).items() if name != "first"}


class Runs:
    """The file that says the card, the versions and the seconds of each piece."""

    def __init__(self, file):
        self.file = file
        self.place = {
            "card": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
            "versions": machine(),
        }
        self.rows = [row for row in read_table(file) if row.items() >= self.place.items()]

    def done(self, piece):
        """Tell whether a piece was run, on such a card with these versions."""
        return any(row.items() >= piece.key().items() for row in self.rows)

    def add(self, piece, seconds):
        """Note a piece."""
        row = piece.key() | {"seconds": f"{seconds:.1f}"} | self.place
        self.file.parent.mkdir(parents=True, exist_ok=True)
        append_to_table(self.file, list(row), row)
        self.rows.append(row)

    def expected(self, piece):
        """Return the seconds that such a piece took last, else those of the longest one."""
        last = [row for row in self.rows if (row["method"], row["budget"]) == (piece.method, str(piece.budget))]
        return max((float(row["seconds"]) for row in last[-1:] or self.rows), default=0.0)


def run_pieces(pieces, work, file, *, jobs, minutes):
    """Run what is not done yet in several processes; none begins that would not end in time. Return how many are left."""
    runs, start = Runs(file), time.monotonic()
    todo = [piece for piece in pieces if not runs.done(piece)]
    waiting, running = deque(sorted(todo, key=lambda piece: not piece.first)), {}

    def may_begin(piece):
        fits = time.monotonic() - start + runs.expected(piece) < 60 * minutes
        return fits and len(running) < jobs and (piece.first or not any(other.first for other, _ in running.values()))

    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        while True:
            while waiting and may_begin(waiting[0]):
                piece = waiting.popleft()
                running[pool.submit(work, piece)] = piece, time.monotonic()
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                piece, began = running.pop(future)
                future.result()
                runs.add(piece, time.monotonic() - began)
                print(
                    f"{piece.labels} {piece.method} {piece.ratio} seed {piece.seed}, {piece.budget} steps: done",
                    flush=True,
                )
    return len(waiting)
