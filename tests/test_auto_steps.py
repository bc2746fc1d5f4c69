"""The number of steps that semi-supervised nets choose: how it follows the data, and that every stage understands it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skprune import SemiPrune
from skprune.nets import NetClassifier
from skprune.semi_supervised import FixMatch, SoftMatch, _steps
from skprune.semi_supervised._steps import resolve_steps

SMALL = {"batch_size": 8, "mu": 2, "random_state": 0}


def codes_of(n_rows, n_labeled):
    codes = np.full(n_rows, -1)
    codes[:n_labeled] = np.arange(n_labeled) % 10
    return codes


@pytest.fixture
def always(monkeypatch):
    def set_steps(n_steps):
        monkeypatch.setattr(_steps, "_LEAST", n_steps)
        monkeypatch.setattr(_steps, "_MOST", n_steps)

    return set_steps


@pytest.mark.parametrize(
    ("n_rows", "n_labeled", "steps"),
    [
        (100, 10, 1500),
        (60_000, 4800, 1500),
        (60_000, 6400, 2000),  # 20 passes in steps of 64 rows
        (448_000, 10, 2000),  # 2 passes in steps of 448 rows
        (60_000, 60_000, 6000),
        (10_000_000, 10, 6000),
    ],
)
def test_what_auto_takes(n_rows, n_labeled, steps):
    assert resolve_steps(SoftMatch(), codes_of(n_rows, n_labeled)) == steps


def test_numbers_stay_and_smaller_batches_take_more_steps():
    assert resolve_steps(SoftMatch(n_steps=7), codes_of(60_000, 60_000)) == 7
    assert resolve_steps(SoftMatch(batch_size=16), codes_of(60_000, 1600)) == 2000
    assert resolve_steps(SoftMatch(mu=1), codes_of(64_000, 10)) == 2000


@settings(max_examples=50)
@given(
    n_unlabeled=st.integers(0, 1_000_000),
    n_labeled=st.integers(1, 30_000),
    more=st.tuples(st.integers(0, 500_000), st.integers(0, 9000)),
)
def test_more_rows_or_labels_take_no_fewer_steps(n_unlabeled, n_labeled, more):
    few = resolve_steps(SoftMatch(), codes_of(n_unlabeled + n_labeled, n_labeled))
    many = resolve_steps(SoftMatch(), codes_of(n_unlabeled + n_labeled + sum(more), n_labeled + more[1]))
    assert 1500 <= few <= many <= 6000


@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")
def test_a_net_takes_them_and_says_how_many(images, always):
    X, _, partial = images
    always(7)
    net = SoftMatch(max_epochs=2, **SMALL).fit(X, partial)
    assert net.n_steps == "auto"
    assert [epoch["n_steps"] for epoch in net.history] == [7, 7]
    assert net.n_steps_planned_ == 14
    assert [epoch["n_steps"] for epoch in SoftMatch(**SMALL).from_arrays(net.to_arrays()).history] == [7, 7]
    always(4)
    assert net.partial_fit(X, partial).history[-1]["n_steps"] == 4
    assert NetClassifier(max_epochs=1, batch_size=8).fit(X, np.arange(len(X)) % 3).history[-1]["n_steps"] == 15


@pytest.mark.parametrize("wrong", ["many", None, 0, 1.5])
def test_refused_steps(images, wrong):
    X, _, partial = images
    with pytest.raises(ValueError, match="n_steps must be 'auto' or an integer of at least 1, got"):
        SoftMatch(n_steps=wrong).fit(X, partial)
    if wrong is not None:
        with pytest.raises(ValueError, match="n_steps must be None or an integer of at least 1, got"):
            NetClassifier(n_steps=wrong).fit(X, np.arange(len(X)) % 3)


@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")
def test_a_labeler_that_is_recorded_divides_them_among_the_epochs(images, always):
    X, _, partial = images
    always(25)
    options = {"proxy": "labeler", "estimate_accuracy": False, "n_epochs": 10, "random_state": 0}
    pruner = SemiPrune(0.5, labeler=FixMatch(batch_size=8, mu=2), difficulty="aum", **options).fit(X, partial)
    assert [epoch["n_steps"] for epoch in pruner.labeler_.history] == [3] * 10


@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")
def test_both_runs_of_the_labeler_choose_and_a_cache_knows_them(images, always, monkeypatch, tmp_path):
    X, _, partial = images
    always(5)
    counts = []

    def counting(net, codes):
        counts.append((int((codes >= 0).sum()), net.n_steps))
        return resolve_steps(net, codes)

    monkeypatch.setattr("skprune.semi_supervised._base.resolve_steps", counting)
    proxy = NetClassifier(module__width=8, batch_size=16)
    options = {"proxy": proxy, "n_epochs": 10, "memory": tmp_path, "random_state": 0}
    masks = [SemiPrune(0.5, labeler=FixMatch(batch_size=8, mu=2), **options).fit(X, partial).support_ for _ in range(2)]
    n_labeled = int((partial >= 0).sum())
    chosen = [n for n, n_steps in counts if n_steps == "auto"]
    assert len(chosen) == 2, "the second fit reads the cache"
    assert n_labeled in chosen
    assert min(chosen) < n_labeled
    np.testing.assert_array_equal(*masks)
