"""Random sequences of what users do with one SemiPrune: it stays sound, and what should change nothing changes nothing."""

import copy
import pickle
import re
import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from fuzzing import LABELERS, PROXIES, SELECTIONS, assert_size, assert_sound, global_states_untouched, make_pool
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import skprune
from skprune import SemiPrune

SIZES = st.one_of(
    st.builds(dict, ratio=st.floats(0.05, 1.0)),
    st.builds(dict, ratio=st.integers(2, 30)),
    st.builds(dict, budget=st.integers(1, 15)),
)
CHANGES = st.one_of(
    SIZES,
    st.builds(dict, selection=st.sampled_from(SELECTIONS)),
    st.builds(dict, difficulty=st.sampled_from(["aum", "dual", "forgetting", ["aum", "entropy"]])),
    st.builds(dict, labeler=st.sampled_from(LABELERS)),
    st.builds(dict, proxy=st.sampled_from(PROXIES)),
    st.builds(dict, include_labeled=st.booleans()),
    st.builds(dict, duplicates=st.sampled_from(["propose_one", "ignore"])),
    st.builds(dict, goal=st.sampled_from(["annotate", "pseudo"])),
    st.builds(dict, n_repeats=st.integers(1, 2)),
    st.builds(dict, random_state=st.integers(0, 3)),
)
FITTED = [
    *("classes_", "pseudo_labels_", "pseudo_label_confidence_", "difficulty_scores_", "support_"),
    *("annotation_indices_", "sample_weight_"),
]


def unless_too_many(call, *args, **kwargs):
    """Return what a call gives; None if it refuses to keep so many or so few rows."""
    try:
        return call(*args, **kwargs)
    except ValueError as error:
        if not re.search(r"\b(ratio|budget|min_per_class|hard_cutoff)\b", str(error)):
            raise
    return None


class LifeOfAPruner(RuleBasedStateMachine):
    """One pruner and its pool, of which more and more labels are known."""

    def __init__(self):
        super().__init__()
        self.surroundings = ExitStack()
        self.surroundings.enter_context(global_states_untouched())

    def teardown(self):
        self.surroundings.close()

    @initialize(
        seed=st.integers(0, 99),
        kind=st.sampled_from(["clusters", "equal rows"]),
        encoding=st.sampled_from(["-1", "texts"]),
    )
    def begin(self, seed, kind, encoding):
        self.encoding = encoding
        self.pool = make_pool(seed, 36, 3, 6, kind)
        self.pruner = SemiPrune(
            labeler=LABELERS[0],
            proxy=PROXIES[0],
            n_epochs=10,
            difficulty="aum",
            estimate_accuracy=False,
            random_state=0,
        )
        self.fitted = None  # what the last fit was: its parameters, pool and arrays
        self.fit()

    @rule()
    def fit(self):
        """Fit; where the parameters are refused, the last fit stays."""
        params, labels = self.pruner.get_params(deep=False), self.pool.labels(self.encoding)
        if unless_too_many(self.pruner.fit, self.pool.X, labels) is not None:
            self.fitted = params, copy.copy(self.pool), labels, self.arrays()
            assert_size(self.pruner.support_, self.pool, params)

    @rule(cache=st.sampled_from(["no cache", "memory", "checkpoint"]))
    def fit_a_clone(self, cache):
        """A clone is not fitted, and fitted it is the same, whether the stages are run or found."""
        params, pool, labels, arrays = self.fitted
        twin = clone(self.pruner).set_params(**params)
        with pytest.raises(NotFittedError):
            twin.transform(pool.X)
        with tempfile.TemporaryDirectory() as folder:
            if cache != "no cache":
                twin.set_params(**{cache: folder}).fit(pool.X, labels)
            twin.fit(pool.X, labels)
        np.testing.assert_array_equal(twin.support_, arrays["support_"])
        np.testing.assert_array_equal(twin.difficulty_scores_, arrays["difficulty_scores_"])

    @rule(n=st.integers(1, 6))
    def tell(self, n):
        """Somebody labels the first proposals, or any rows."""
        rows = self.pruner.annotation_indices_ if len(self.pool.X) == len(self.pruner.support_) else np.array([], int)
        self.pool.given = self.pool.given.copy()
        self.pool.given[rows[:n] if len(rows) else np.flatnonzero(~self.pool.given)[:n]] = True

    @rule(seed=st.integers(0, 99))
    def take_another_pool(self, seed):
        self.pool = make_pool(seed, 30, 3, 6)

    @rule(changes=CHANGES)
    def set_params(self, changes):
        if "budget" in changes:
            changes = changes | {"ratio": 0.5}
        elif "ratio" in changes:
            changes = changes | {"budget": None}
        assert self.pruner.set_params(**changes) is self.pruner

    @rule(name=st.sampled_from(["ratio", "difficulty", "selection", "n_epochs", "labeler"]))
    def fit_with_a_wrong_value(self, name):
        value = self.pruner.get_params(deep=False)[name]
        self.pruner.set_params(**{name: -1})
        with pytest.raises((ValueError, TypeError), match=name):
            self.pruner.fit(self.pool.X, self.pool.labels(self.encoding))
        self.pruner.set_params(**{name: value})

    @rule(
        size=SIZES, selection=st.sampled_from([None, *SELECTIONS]), difficulty=st.sampled_from([None, "loss", "dual"])
    )
    def select(self, size, selection, difficulty):
        params, pool, _, _ = self.fitted
        now = self.pruner.get_params(deep=False)
        options = size | {"selection": selection, "difficulty": difficulty}
        mask = unless_too_many(self.pruner.select, **options)
        if mask is None:
            return
        assert_size(mask, pool, {"include_labeled": now["include_labeled"]} | size)
        asked = self.pruner.annotation_indices(mask)
        assert (mask & ~pool.given)[asked].all()
        np.testing.assert_array_equal(self.pruner.select(**options), mask)

    @rule()
    def score(self):
        _, pool, _, _ = self.fitted
        y = pool.y if self.encoding == "-1" else [f"class {code}" for code in pool.y]
        first, second = self.pruner.score(pool.X, y), self.pruner.score(pool.X, y)
        assert 0 <= first == second <= 1

    @rule()
    def pickle(self):
        self.pruner = pickle.loads(pickle.dumps(self.pruner))

    @rule()
    def copy(self):
        self.pruner = copy.deepcopy(self.pruner)

    @rule(rows=st.booleans())
    def save_and_load(self, rows):
        _, pool, _, _ = self.fitted
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "pruner.skprune"
            self.pruner.save(file, rows=rows)
            self.pruner = skprune.load(file, X=None if rows else pool.X)

    @rule(seed=st.integers(0, 99))
    def transform_other_rows(self, seed):
        other = make_pool(seed, len(self.pruner.support_), 3, 6).X + 0.5
        with pytest.raises(ValueError, match="not the data that SemiPrune was fitted to"):
            self.pruner.transform(other)
        assert np.isfinite(self.pruner.predict_difficulty(other)).all()

    @invariant()
    def is_as_it_was_fitted(self):
        _, pool, labels, arrays = self.fitted
        assert_sound(self.pruner, pool, labels)
        for name, array in self.arrays().items():
            np.testing.assert_array_equal(array, arrays[name], err_msg=name)

    def arrays(self):
        """Return copies of what the last fit found."""
        return {name: np.array(getattr(self.pruner, name)) for name in FITTED}


LifeOfAPruner.TestCase.settings = settings.get_profile("sequences")
TestLifeOfAPruner = LifeOfAPruner.TestCase
