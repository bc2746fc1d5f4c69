"""Simulated annotation: models are trained on labels that the pool may have, before people label a row of it."""

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils import resample

from skprune._pipeline._random_comparison import RandomComparison, random_rows
from skprune._pipeline._stages import FullTraining
from skprune._utils._labels import MISSING
from skprune._utils._seeds import generator_for

_N_DRAWS = 5
_TEST_SHARE = 0.3
_MOST_TEST_ROWS = 2000
_NEIGHBORS = 5


@dataclass(frozen=True)
class FinalModel:
    """A classifier as it is trained in the end, and the rows as it sees them."""

    training: FullTraining
    rows: object

    def accuracy(self, kept, test, codes):
        """Return the accuracy on some rows after training on others."""
        test = np.flatnonzero(test)
        return float(np.mean(self.training.predict(self.rows, np.flatnonzero(kept), codes, test) == codes[test]))


@dataclass(frozen=True)
class SimulatedAnnotation:
    """Trains final models on what annotators might answer; each of the `answers` holds a class index for every row."""

    models: list
    answers: list
    labeled: np.ndarray
    seed: int
    groups: np.ndarray | None = None

    def compare_with_random(self, mask, must_keep):
        """Compare a coreset with as many random rows, and with as many as there are given labels."""
        # The given labels themselves would look too good: the answers were learned from them.
        rng = generator_for("simulated annotation", self.seed)
        n_test = min(_MOST_TEST_ROWS, max(1, round(_TEST_SHARE * int((~self.labeled).sum()))))
        test = np.zeros(len(mask), dtype=bool)
        test[random_rows(rng, ~self.labeled, n_test, self.groups)] = True
        coreset = self._accuracies(mask, test)

        def of_random_rows(n_rows, kept, groups=None):
            drawn = kept.copy()
            drawn[random_rows(rng, ~kept, n_rows, groups)] = True
            return self._accuracies(drawn, test)

        n_free = int((mask & ~must_keep).sum())
        draws = [of_random_rows(n_free, must_keep, self.groups) for _ in range(_N_DRAWS)]
        alone = [of_random_rows(int(self.labeled.sum()), np.zeros_like(mask)) for _ in range(_N_DRAWS)]
        random = np.mean(draws, axis=0)
        differences = (coreset - random).mean(axis=1)
        return RandomComparison(
            coreset=float(coreset.mean()),
            random=float(random.mean()),
            labels_alone=float(np.mean(alone)),
            difference=float(differences.mean()),
            low=float(differences.min()),
            high=float(differences.max()),
            n_rows=int(test.sum()),
            is_simulated=True,
            spread=float(np.mean(draws, axis=(1, 2)).std(ddof=1)),
        )

    def _accuracies(self, mask, test):
        """Return the accuracies (n_answers, n_models) of models trained on a part of the pool, outside of the test rows."""
        kept = mask & ~test
        return np.array([[model.accuracy(kept, test, codes) for model in self.models] for codes in self.answers])


class _Neighbors(KNeighborsClassifier):
    """Nearest neighbors, fewer of them than usual among few rows."""

    def fit(self, X, y):
        self.n_neighbors = max(1, min(_NEIGHBORS, len(X) // 2))
        return super().fit(X, y)


def default_models(space, seed):
    """Return models of three kinds, which see the rows as coverage does."""
    trees = ExtraTreesClassifier(50, random_state=seed)
    models = LogisticRegression(max_iter=200), trees, _Neighbors()
    return [FinalModel(FullTraining(model, None, seed), space) for model in models]


def possible_answers(space, codes, labels, confidence, held_out, seed):
    """Return labels that the pool may have: as probable as they are, of trees on the given ones, of a labeler that knew fewer."""
    # No kind is enough: draws by confidence repeat the labeler's errors, and trees see other classes than it does.
    rng = generator_for("possible answers", seed)
    given = np.flatnonzero(codes != MISSING)
    trees = ExtraTreesClassifier(100, random_state=seed)
    others = np.zeros((len(codes), codes.max() + 1))
    others[:, np.unique(codes[given])] = trees.fit(space[given], codes[given]).predict_proba(space) + 1e-6
    others[np.arange(len(codes)), labels] = 0.0
    shares = np.cumsum(others, axis=1) / others.sum(axis=1, keepdims=True)
    other = (shares > rng.random(len(codes))[:, None]).argmax(axis=1)
    probable = np.where(rng.random(len(codes)) < confidence, labels, other)
    drawn = resample(given, random_state=seed, stratify=codes[given])
    of_trees = trees.fit(space[drawn], codes[drawn]).predict(space)
    return [np.where(codes != MISSING, codes, answer) for answer in (probable, of_trees, held_out.codes)]
