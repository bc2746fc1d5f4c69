"""What is known of an annotation loop: given labels, and what was asked and told in each round."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skprune._utils._labels import MISSING

WAITING = -1
"""The answer of a row that is not told yet; those that are told have class indices."""
SKIPPED = -2
"""The answer of a row that was told without a label."""


@dataclass(frozen=True)
class AskedRound:
    """The rows of a round in the order of proposal, what the pruner knew of each before it was told, and the answers."""

    rows: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    difficulty: np.ndarray
    weight: np.ndarray
    why: np.ndarray
    answers: np.ndarray
    n_labeled: int
    n_classes: int
    mean_confidence: float

    @property
    def waiting(self):
        """The rows that are not told yet, in the order of proposal."""
        return self.rows[self.answers == WAITING]


@dataclass(frozen=True)
class LoopState:
    """The state of a loop, which every answer replaces by another; classes are in the order in which they came up."""

    classes: tuple
    given: np.ndarray
    mark: object
    seed: int
    fingerprint: str
    rounds: tuple = ()

    @cached_property
    def codes(self):
        """The class index of each row, given or told, -1 where there is none."""
        codes = self.given.copy()
        for asked in self.rounds:
            told = asked.answers >= 0
            codes[asked.rows[told]] = asked.answers[told]
        return codes

    @cached_property
    def labels(self):
        """The labels of all rows, with the mark of the user where there is none."""
        labels = np.empty(len(self.codes), dtype=object)
        labels[:] = [self.mark if code == MISSING else self.classes[code] for code in self.codes]
        return labels

    @property
    def waiting(self):
        """The rows that are asked for and not told yet."""
        return self.rounds[-1].waiting if self.rounds else np.zeros(0, dtype=np.int64)

    @property
    def n_told(self):
        """The number of labels that were told."""
        return int((self.codes != self.given).sum())

    @property
    def skipped(self):
        """The rows that were told without a label and have none since, ascending."""
        rows = [asked.rows[asked.answers == SKIPPED] for asked in self.rounds]
        rows = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *rows]))
        return np.setdiff1d(rows[self.codes[rows] == MISSING], self.waiting)

    def n_to_ask(self, budget, n_rounds):
        """Return how many rows the next round asks for: what is left of the budget, divided by the rounds that are left."""
        n_left, n_rounds_left = max(0, budget - self.n_told), n_rounds - len(self.rounds)
        return -(-n_left // n_rounds_left) if n_rounds_left > 0 else 0

    def seed_of_next_round(self):
        """Return the seed of the next round: that of the pruner, and then others that follow from it."""
        number = len(self.rounds)
        return self.seed if number == 0 else int(np.random.RandomState([self.seed, number]).randint(2**31 - 1))

    def asked(self, asked_round):
        """Return the state with one more round."""
        return replace(self, rounds=(*self.rounds, asked_round))

    def told(self, rows, answers, classes):
        """Return the state with answers for rows that were asked for, each in the last round that did."""
        answer_of = dict(zip(rows.tolist(), answers.tolist(), strict=True))
        rounds = []
        for asked in reversed(self.rounds):
            found = [answer_of.pop(row, answer) for row, answer in zip(asked.rows.tolist(), asked.answers, strict=True)]
            rounds.append(replace(asked, answers=np.array(found, dtype=np.int64)))
        return replace(self, classes=tuple(classes), rounds=tuple(reversed(rounds)))
