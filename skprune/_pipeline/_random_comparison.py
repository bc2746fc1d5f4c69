"""Is a coreset better than random rows, and how many rows are enough? Answers from labeled rows that are held out."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

from skprune._pipeline._held_out import HeldOut, count_held_out
from skprune._pipeline._stages import FullTraining
from skprune._utils._labels import MISSING
from skprune._utils._seeds import generator_for

_TOLERANCE = 0.003  # a simulated loss up to here, or up to the spread of random rows, is taken for luck
_N_RESAMPLES = 2000
_N_TRAININGS = 5


@dataclass(frozen=True)
class RandomComparison:
    """Accuracies of a coreset, of as many random rows and of the given labels alone, and what the difference is worth."""

    coreset: float
    random: float
    labels_alone: float | None
    difference: float
    low: float
    high: float
    n_rows: int
    is_simulated: bool
    detectable: float | None = None
    spread: float | None = None

    @property
    def best(self):
        """What reaches the highest accuracy."""
        found = {"coreset": self.coreset, "random rows": self.random}
        if self.labels_alone is not None:
            found["labels alone"] = self.labels_alone
        return max(found, key=found.get)

    def warning(self):
        """Say what the comparison means for the coreset; None where the coreset is better."""
        return self._warning_of_simulation() if self.is_simulated else self._warning_of_pseudo_labels()

    @property
    def simulates_a_loss(self):
        """Whether simulated annotation is worse than that of random rows by more than luck."""
        return self.is_simulated and self.difference < -max(_TOLERANCE, self.spread)

    def _warning_of_simulation(self):
        alone = self.best == "labels alone"
        if not self.simulates_a_loss and not alone:
            return None
        better = "the given labels alone" if alone else "random rows"
        advice = " Keep them: set budget=, or include_labeled=True." if alone else ""
        return (
            f"If this coreset were labeled by people, {better} would probably be the better training set: in simulations, models "
            f"trained on the coreset reach {self.coreset:.3f}, on as many random rows {self.random:.3f}, and on the given labels "
            f"alone {self.labels_alone:.3f}; the difference between coreset and random rows is {self.difference:+.3f}, from "
            f"{self.low:+.3f} to {self.high:+.3f} between kinds of simulated labels.{advice}"
        )

    def _warning_of_pseudo_labels(self):
        alone = self.best == "labels alone"
        if self.low > 0.0 and not alone:
            return None
        verdict = "are better than" if self.high < 0.0 else "may be as good as"
        how = "" if self.labels_alone is None else " when both are trained on pseudo-labels"
        power = (
            f"A true difference of {self.detectable:.3f}"
            if np.isfinite(self.detectable)
            else "So few held-out labels can hardly tell: no difference"
        )
        found = (
            f"Random rows {verdict} this coreset{how}: on {count_held_out(self.n_rows)} the coreset reaches {self.coreset:.3f} "
            f"and as many random rows {self.random:.3f}; the difference is {self.difference:+.3f}, its 95 % interval "
            f"{self.low:+.3f} to {self.high:+.3f}. {power} would be detected four times out of five."
        )
        return found + (f" The given labels alone reach {self.labels_alone:.3f}." if alone else "")


@dataclass(frozen=True)
class CoresetJudge:
    """Trains the proxy on coresets of a pool, without the rows held out, and tests it on these."""

    training: FullTraining
    pool: np.ndarray
    codes: np.ndarray
    held_out: HeldOut
    groups: np.ndarray | None = None

    def accuracy(self, mask):
        """Return the accuracy on the held-out rows of the proxy trained on a coreset."""
        return float(self.correct(mask, self.training).mean())

    def correct(self, mask, training):
        """Tell which held-out rows the proxy classifies correctly after it is trained on a coreset."""
        rows = self.held_out.rows
        train = np.setdiff1d(np.flatnonzero(mask), rows)
        return training.predict(self.pool, train, self.held_out.codes, rows) == self.codes[rows]

    def compare_with_random(self, mask, must_keep):
        """Train on a coreset, as many random rows and the given labels, five times with new seeds and draws; compare them."""
        candidates = ~must_keep
        candidates[self.held_out.rows] = False
        n_drawn = int((mask & candidates).sum())
        # the name is part of the seed: another one would draw other rows
        rng = generator_for("gate", self.training.seed)
        given = self.codes != MISSING
        parts = {"coreset": mask, "random": None} | ({} if given.all() else {"labels_alone": given})
        correct = {name: [] for name in parts}
        for seed in rng.integers(2**31 - 1, size=_N_TRAININGS):
            drawn = must_keep.copy()
            drawn[random_rows(rng, candidates, n_drawn, self.groups)] = True
            training = self.training.reseeded(int(seed))
            for name, rows in (parts | {"random": drawn}).items():
                correct[name].append(self.correct(rows, training).astype(np.float64))
        differences = np.array(correct["coreset"]) - np.array(correct["random"])
        accuracies = {"labels_alone": None} | {name: float(np.mean(values)) for name, values in correct.items()}
        return RandomComparison(**accuracies, **_interval(differences, rng), is_simulated=False)


def random_rows(rng, candidates, n_rows, groups=None):
    """Draw rows; where groups are kept as a whole, random groups, of the last one as many rows as are missing."""
    rows = rng.permutation(np.flatnonzero(candidates))
    if groups is not None:
        turns = rng.permutation(groups.max() + 1)
        rows = rows[np.argsort(turns[groups[rows]], kind="stable")]
    return rows[:n_rows]


def _interval(differences, rng):
    """Return the mean of differences (n_trainings, n_rows), its 95 % interval, and the detectable difference, inf if above 1."""
    n_trainings, n_rows = differences.shape
    of_rows, of_trainings = differences.mean(axis=0), differences.mean(axis=1)
    mean = of_rows.mean()
    values, counts = np.unique(of_rows, return_counts=True)  # few values: resampling counts is resampling rows
    row_means = rng.multinomial(n_rows, counts / n_rows, size=_N_RESAMPLES) @ values / n_rows
    training_means = of_trainings[rng.integers(n_trainings, size=(_N_RESAMPLES, n_trainings))].mean(axis=1)
    low, high = np.quantile(row_means + training_means - mean, [0.025, 0.975])
    row_variance = variance_over_rows(of_rows)
    training_variance = of_trainings.var(ddof=1) / n_trainings
    margin = np.sqrt(  # bootstraps of few rows are too narrow: at least Student's t
        t.ppf(0.975, max(1, n_rows - 1)) ** 2 * row_variance + t.ppf(0.975, n_trainings - 1) ** 2 * training_variance
    )
    detectable = margin + norm.ppf(0.8) * np.sqrt(row_variance + training_variance)
    return {
        "difference": float(mean),
        "low": float(max(-1.0, min(low, mean - margin))),
        "high": float(min(1.0, max(high, mean + margin))),
        "detectable": float(detectable) if detectable <= 1.0 else np.inf,
        "n_rows": n_rows,
    }


def variance_over_rows(differences):
    """Return the variance of a mean difference over the rows, at least that where one row differs."""
    n_rows = len(differences)
    return max(differences.var(ddof=min(1, n_rows - 1)), 1.0 / n_rows) / n_rows


def smallest_sufficient_ratio(accuracies, n_rows):
    """Return the first ratio, from the smallest up, within one standard error of the best accuracy."""
    best = max(accuracies.values())
    error = max(np.sqrt(best * (1.0 - best) / n_rows), 1.0 / n_rows)  # one row is no difference
    return next(ratio for ratio, accuracy in accuracies.items() if accuracy >= best - error)
