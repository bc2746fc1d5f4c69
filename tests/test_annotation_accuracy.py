"""What a loop says about accuracy: of each round, with more labels, and when to stop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import SGDClassifier
from sklearn.semi_supervised import LabelSpreading
from test_annotation_loop import DrawingPruner, finish, pool, pruner

from skprune import AnnotationLoop, SemiPrune
from skprune._annotation._accuracy import AccuracyEstimate, estimate_accuracy, forecast_accuracy
from skprune._annotation._state import SKIPPED, WAITING, AskedRound


def asked_round(correct, confidence, weight, mean_confidence, answers=None):
    """Return a round in which some pseudo-labels were correct."""
    zeros = np.zeros(len(correct), dtype=np.int64)
    return AskedRound(
        rows=np.arange(len(correct)),
        predicted=zeros,
        confidence=np.asarray(confidence, dtype=float),
        difficulty=zeros,
        weight=np.asarray(weight, dtype=float),
        why=zeros,
        answers=np.where(correct, 0, 1) if answers is None else np.asarray(answers),
        n_labeled=10,
        n_classes=2,
        mean_confidence=mean_confidence,
    )


@pytest.mark.parametrize("off", [0.0, 0.15])
def test_chosen_rows_tell_of_all(off):
    """Uncertain rows are chosen more often, and the confidence is too high."""
    rng, inside, estimates = np.random.default_rng(0), [], []
    chance = rng.beta(6, 2, 2000)
    confidence = np.clip(chance + off, 0, 1)
    probability = 0.01 + 0.1 * (1 - confidence)
    for _ in range(300):
        correct = rng.random(2000) < chance
        chosen = rng.random(2000) < probability
        estimate = estimate_accuracy(
            asked_round(correct[chosen], confidence[chosen], 1 / probability[chosen], confidence.mean())
        )
        inside.append(estimate.low <= correct.mean() <= estimate.high)
        estimates.append(estimate.accuracy)
        assert 0 <= estimate.low <= estimate.accuracy <= estimate.high <= 1
    assert np.mean(estimates) == pytest.approx(chance.mean(), abs=0.01)
    assert np.mean(inside) == pytest.approx(0.9, abs=0.06)


def test_one_row_does_not_decide():
    """Weights are cut at twice their mean, and many equal rows do not make an estimate surer than its bias."""
    correct, confidence = [False, *[True] * 19], [0.8] * 20
    heavy = estimate_accuracy(asked_round(correct, confidence, [1000, *[1] * 19], 0.8))
    assert heavy.accuracy == pytest.approx(19.0 / 120.9)  # 19 beside 2 x 50.95
    light = estimate_accuracy(asked_round(correct, confidence, [1.5, *[1] * 19], 0.8))
    assert light.accuracy == pytest.approx(19.0 / 20.5)
    many = estimate_accuracy(asked_round([True, False] * 50_000, [0.5] * 100_000, [1] * 100_000, 0.5))
    assert many.high - many.low == pytest.approx(2 * 1.645 * 0.02, rel=0.02)


def test_rows_that_are_not_told_do_not_count():
    confidence, weight = [0.9, 0.8, 0.7, 0.6], [1, 2, 3, 4]
    whole = asked_round([True] * 4, confidence, weight, 0.8, [0, WAITING, 1, SKIPPED])
    part = asked_round([True, False], [0.9, 0.7], [1, 3], 0.8)
    assert estimate_accuracy(whole) == estimate_accuracy(part)
    assert estimate_accuracy(asked_round([True], [0.9], [1], 0.8, [SKIPPED])) is None


@given(
    correct=st.lists(st.booleans(), min_size=1, max_size=30),
    confidence=st.floats(0, 1),
    mean_confidence=st.floats(0, 1),
    spread=st.floats(0, 5),
)
def test_estimates_are_within_their_intervals(correct, confidence, mean_confidence, spread):
    weight = np.exp(spread * np.linspace(-1, 1, len(correct)))
    estimate = estimate_accuracy(asked_round(correct, np.full(len(correct), confidence), weight, mean_confidence))
    assert 0 <= estimate.low <= estimate.accuracy <= estimate.high <= 1
    assert estimate.high - estimate.low > 0.01  # a few rows never prove anything


def power_law(n):
    return 1 - 0.8 * n**-0.5


def measured(numbers, width=0.02):
    return [(n, AccuracyEstimate(power_law(n), power_law(n) - width / 2, power_law(n) + width / 2)) for n in numbers]


def test_a_power_law_is_recovered():
    forecast = forecast_accuracy(measured([25, 100, 400]), 1600, 0.9)
    assert forecast.accuracy == pytest.approx(power_law(1600), abs=0.005)
    assert forecast.low < power_law(1600) < forecast.high


@given(
    accuracies=st.lists(st.floats(0, 1), min_size=1, max_size=6),
    width=st.floats(0.01, 0.5),
    n=st.integers(1, 1000),
    level=st.floats(0.1, 0.99),
)
def test_forecasts(accuracies, width, n, level):
    rounds = [
        (10 * place, AccuracyEstimate(accuracy, accuracy - width / 2, accuracy + width / 2))
        for place, accuracy in enumerate(accuracies, 1)
    ]
    now, later = (forecast_accuracy(rounds, 10 * len(rounds) + more, level) for more in (0, n))
    for forecast in (now, later):
        assert 0 <= forecast.low <= forecast.accuracy <= forecast.high <= 1
    assert later.accuracy >= now.accuracy - 1e-9
    surer = forecast_accuracy(rounds, 10 * len(rounds) + n, level / 2)
    assert later.low <= surer.low
    assert surer.high <= later.high


def test_farther_is_less_certain():
    widths = [f.high - f.low for f in (forecast_accuracy(measured([100]), n, 0.9) for n in (100, 200, 800))]
    relative = [width / (1 - power_law(n)) for width, n in zip(widths, (100, 200, 800), strict=True)]
    assert relative == sorted(relative)


def test_the_history_and_forecasts_of_a_loop():
    X, y, partial = pool()
    loop = AnnotationLoop(pruner(), 12, n_rounds=3).start(X, partial)
    with pytest.raises(ValueError, match="A forecast needs labels of a round. Call ask and tell first"):
        loop.forecast(5)
    loop.ask()
    assert (loop.history_[0].accuracy, loop.history_[0].low, loop.history_[0].high) == (None, None, None)
    finish(loop, y)
    unlabeled = partial < 0
    first = loop.history_[0]
    assert first.low <= first.accuracy <= first.high
    assert 0.3 < first.accuracy <= 1
    assert loop._state.rounds[0].mean_confidence == pytest.approx(
        pruner(budget=4).fit(X, partial).pseudo_label_confidence_[unlabeled].mean()
    )
    now, later = loop.forecast(), loop.forecast(20, level=0.5)
    assert later.accuracy >= now.accuracy
    assert loop.forecast(20).low <= later.low <= later.high <= loop.forecast(20).high


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda loop: loop.forecast(-1), "n_more must be an integer of at least 0, got -1"),
        (lambda loop: loop.forecast(1.5), r"n_more must be an integer of at least 0, got 1\.5"),
        (lambda loop: loop.forecast(1, level=1.0), r"level must be within \(0, 1\), got 1\.0"),
        (lambda loop: loop.should_stop(gain=-0.1), r"gain must be within \[0, 1\], got -0\.1"),
    ],
)
def test_refused(call, message):
    X, _, partial = pool()
    with pytest.raises(ValueError, match=message):
        call(AnnotationLoop(DrawingPruner(), 12, n_rounds=3).start(X, partial))


def test_when_to_stop():
    X, y, partial = pool()
    loop = AnnotationLoop(DrawingPruner(), 12, n_rounds=3).start(X, partial)
    assert not loop.should_stop(gain=1.0)
    rows = loop.ask()
    assert not loop.should_stop(gain=1.0)
    loop.tell(rows, [None] * len(rows))
    assert not loop.should_stop(gain=1.0)  # nothing is known yet
    rows = loop.ask()
    loop.tell(rows, y[rows])
    assert loop.should_stop(gain=0.5)
    assert not loop.should_stop(gain=0.0)
    finish(loop, y)
    assert loop.should_stop(gain=0.0)


def test_all_rows_are_labeled():
    X, y, partial = pool()
    loop = AnnotationLoop(DrawingPruner(), 34, n_rounds=2).start(X, partial)
    finish(loop, y)
    loop.set_params(budget=50, n_rounds=5)
    assert loop.should_stop()
    assert len(loop.ask()) == 0


def test_a_loop_that_stops_ends_where_rows_are_equal():
    X, y, partial = pool()
    X, y, partial = np.vstack([X, X]), np.r_[y, y], np.r_[partial, np.full(40, -1)]
    n_open = int((partial[:40] < 0).sum())
    parts = {"labeler": LabelSpreading(kernel="knn", n_neighbors=20), "proxy": SGDClassifier(loss="log_loss")}
    pruner = SemiPrune(**parts, estimate_accuracy=False, random_state=0)
    with pytest.raises(ValueError, match=f"only {n_open} of 80 rows need a label, equal ones counted once"):
        AnnotationLoop(pruner, n_open + 1).start(X, partial)
    loop = AnnotationLoop(pruner, n_open, n_rounds=2).start(X, partial)
    while not loop.should_stop(gain=0.0):
        rows = loop.ask()
        assert len(rows)
        loop.tell(rows, y[rows])
        if len(loop.history_) == 1:
            loop.set_params(budget=70, n_rounds=6)  # more than there are rows to ask for
    assert len(loop.ask()) == 0
