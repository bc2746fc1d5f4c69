"""Labels alone in a pruning curve: what the evaluator achieves with the given labels and nothing else."""

from collections import Counter

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.semi_supervised import LabelSpreading

from skprune.baselines import ActivePruner, KCenterPruner, SupervisedPruner
from skprune.model_selection import PruningCurve, pruning_curve
from skprune.nets import NetClassifier

ALONE = "labels alone"


class Counting(LogisticRegression):
    """A classifier that notes how many rows it was trained on."""

    sizes = []

    def fit(self, X, y):
        self.sizes.append(len(y))
        return super().fit(X, y)


class CountingKCenter(KCenterPruner):
    """A pruner that counts its fits."""

    fits = 0

    def fit(self, X, y=None):
        type(self).fits += 1
        return super().fit(X, y)


@pytest.fixture
def curve(iris):
    """Make a small curve on iris, with 15 labels."""
    X, y, partial = iris
    test = np.arange(150) % 3 == 0
    Counting.sizes.clear()
    CountingKCenter.fits = 0
    defaults = {
        "ratios": [0.2, 0.5],
        "evaluator": Counting(max_iter=500),
        "X_test": X[test],
        "y_test": y[test],
        "y_oracle": y[~test],
        "random_states": [0, 1],
    }

    def make(estimators=None, *, y=partial[~test], **params):
        estimators = {"k-center": CountingKCenter()} if estimators is None else estimators
        return pruning_curve(estimators, X[~test], y, **defaults | params)

    make.labeled = np.flatnonzero(partial[~test] >= 0)
    make.X, make.y, make.y_oracle = X[~test], partial[~test], y[~test]
    make.X_test, make.y_test = X[test], y[test]
    return make


def alone(curve):
    return [row for row in curve.rows if row["method"] == ALONE]


def test_a_row_for_each_ratio_and_state_from_one_training_a_state(curve):
    found = curve()
    n = len(curve.labeled)
    assert [(row["ratio"], row["seed"]) for row in alone(found)] == [(0.2, 0), (0.2, 1), (0.5, 0), (0.5, 1)]
    assert [row["method"] for row in found.rows] == [ALONE] * 4 + ["random"] * 4 + ["k-center"] * 4
    assert {(row["n_kept"], row["n_annotated"], row["fit_time"]) for row in alone(found)} == {(n, n, 0.0)}
    assert Counter(Counting.sizes) == {n: 2, 20: 4, 50: 4}
    model = LogisticRegression(max_iter=500, random_state=0).fit(curve.X[curve.labeled], curve.y[curve.labeled])
    for row in alone(found):
        assert row["accuracy"] == pytest.approx(model.score(curve.X_test, curve.y_test))


def test_the_summary_compares_it_with_random_rows(curve):
    summary = {(row["method"], row["ratio"]): row for row in curve().summary()}
    for ratio in (0.2, 0.5):
        few, random = summary[ALONE, ratio], summary["random", ratio]
        assert few["difference"] == pytest.approx(few["mean"] - random["mean"])
        assert few["n_annotated"] == len(curve.labeled) < random["n_annotated"]
        assert few["n"] == 2


@pytest.mark.parametrize("labels", ["oracle", "pseudo"])
def test_other_results_do_not_depend_on_it(curve, labels):
    pruners = {"active": ActivePruner(classifier=LabelSpreading(kernel="knn"))}
    with_it = curve(pruners, labels=labels)
    without = curve(pruners, labels=labels, labels_alone=False)
    assert alone(without) == []
    others = [row for row in with_it.rows if row["method"] != ALONE]
    assert [untimed(row) for row in others] == [untimed(row) for row in without.rows]


def untimed(row):
    return {name: value for name, value in row.items() if name not in ("fit_time", "train_time")}


def test_an_evaluator_for_each_ratio(curve):
    weak, strong = Counting(C=1e-4, max_iter=500), Counting(max_iter=500)
    found = curve(evaluator={0.2: weak, 0.3: strong, 0.5: strong}, ratios=[0.2, 0.3, 0.5], random_states=[0])
    assert Counting.sizes.count(len(curve.labeled)) == 2
    by_ratio = {row["ratio"]: row["accuracy"] for row in alone(found)}
    assert by_ratio[0.3] == by_ratio[0.5] != by_ratio[0.2]


def test_equal_evaluators_are_one_where_a_file_keeps_results(curve, tmp_path):
    evaluator = {0.2: Counting(max_iter=500), 0.5: Counting(max_iter=500)}
    curve(evaluator=evaluator, random_states=[0], results_file=tmp_path / "curve.csv")
    assert Counting.sizes.count(len(curve.labeled)) == 1


def test_it_is_found_again_in_the_file(curve, tmp_path):
    file = tmp_path / "curve.csv"
    n, first = len(curve.labeled), curve(results_file=file)
    assert sorted(map(str, PruningCurve.from_csv(file).rows)) == sorted(map(str, first.rows))
    Counting.sizes.clear()
    assert curve(results_file=file).rows == first.rows
    assert Counting.sizes == []

    wider = curve(results_file=file, ratios=[0.2, 0.3, 0.5])  # another ratio, the same labels alone
    assert n not in Counting.sizes
    assert {row["accuracy"] for row in alone(wider) if row["seed"] == 0} == {alone(first)[0]["accuracy"]}
    pruners = {"active": ActivePruner(classifier=LabelSpreading(kernel="knn"))}
    pseudo = curve(pruners, labels="pseudo", results_file=file, y_oracle=None)  # nor does it depend on an oracle
    assert n not in Counting.sizes
    assert len(alone(pseudo)) == 4
    assert len(alone(PruningCurve.from_csv(file, labels="pseudo"))) == 4
    assert len(alone(PruningCurve.from_csv(file))) == 6

    curve(results_file=file, evaluator=Counting(C=0.1, max_iter=500))
    assert Counting.sizes.count(n) == 2
    Counting.sizes.clear()
    fewer = curve.y.copy()
    fewer[curve.labeled[0]] = -1
    curve(results_file=file, y=fewer)
    assert Counting.sizes.count(n - 1) == 2


def test_a_file_without_it_is_completed(curve, tmp_path):
    file = tmp_path / "curve.csv"
    without = curve(results_file=file, labels_alone=False)
    assert alone(PruningCurve.from_csv(file)) == []
    CountingKCenter.fits = 0
    Counting.sizes.clear()
    found = curve(results_file=file)
    assert CountingKCenter.fits == 0
    assert Counting.sizes == [len(curve.labeled)] * 2
    assert [row for row in found.rows if row["method"] != ALONE] == without.rows


def test_pseudo_labels_are_not_made_for_it(curve, tmp_path):
    """Where only labels alone are to do, no pruner is fitted, not even the one whose pseudo-labels are used."""

    class CountingActive(ActivePruner):
        fits = 0

        def fit(self, X, y=None):
            type(self).fits += 1
            return super().fit(X, y)

    pruners = {"active": CountingActive(classifier=LabelSpreading(kernel="knn"))}
    shared = {"labels": "pseudo", "results_file": tmp_path / "curve.csv"}
    curve(pruners, labels_alone=False, **shared)
    CountingActive.fits = 0
    assert len(alone(curve(pruners, **shared))) == 4
    assert CountingActive.fits == 0


def test_processes_give_the_same(curve):
    make = {"evaluator": LogisticRegression(max_iter=500), "estimators": {"k-center": KCenterPruner()}}
    one, two = curve(**make), curve(**make, n_jobs=2)
    assert [untimed(row) for row in one.rows] == [untimed(row) for row in two.rows]


def test_equal_iterations(curve):
    steps = []

    class Net(NetClassifier):
        def fit(self, X, y):
            steps.append((len(X), self.n_steps))
            return super().fit(X, y)

    net = Net(module__width=4, batch_size=25, max_epochs=1)
    curve({}, evaluator=net, budget="iterations", random_states=[0])
    assert steps == [(len(curve.labeled), 4), (20, 4), (50, 4)]


def test_where_it_means_nothing_it_is_left_out(curve):
    assert alone(curve(y=curve.y_oracle)) == []
    one_class = np.where(curve.y_oracle == 0, 0, -1)
    assert alone(curve(y=one_class)) == []
    with pytest.raises(ValueError, match="y has 0 missing labels and 3 classes"):
        curve(y=curve.y_oracle, labels_alone=True)
    with pytest.raises(ValueError, match="y has 67 missing labels and 1 classes"):
        curve(y=one_class, labels_alone=True)


def test_nothing_beneath_a_mask_is_read(curve):
    missing = curve.y < 0
    rng = np.random.default_rng(0)
    hidden = [np.ma.MaskedArray(np.where(missing, rng.permutation(curve.y_oracle), curve.y), missing) for _ in "ab"]
    first, second = (alone(curve(y=y)) for y in hidden)
    assert [untimed(row) for row in first] == [untimed(row) for row in second]
    assert first[0]["n_kept"] == (~missing).sum()


def test_text_as_labels(curve):
    names = np.array(["ant", "bee", "cat"], dtype=object)
    text = np.where(curve.y < 0, None, names[curve.y])
    found = curve(y=text, y_oracle=names[curve.y_oracle], y_test=names[curve.y_test])
    assert [row["accuracy"] for row in found.rows] == [row["accuracy"] for row in curve().rows]


@pytest.mark.parametrize("supervised", [False, True])
def test_too_few_labels_for_the_evaluator(curve, supervised):
    pruners = {"k-center": CountingKCenter()} | ({"supervised": SupervisedPruner()} if supervised else {})
    neighbors = KNeighborsClassifier(n_neighbors=20)
    message = (
        rf"KNeighborsClassifier fails with the {len(curve.labeled)} given labels alone: .*n_neighbors(.|\n)*"
        "Label more rows, or set labels_alone=False"
    )
    with pytest.raises(ValueError, match=message):
        curve(pruners, evaluator=neighbors)
    assert CountingKCenter.fits == 0
    assert curve(evaluator=neighbors, labels_alone=False, ratios=[0.5]).rows


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"labels_alone": "yes"}, "labels_alone must be 'auto', True or False, got 'yes'"),
        ({"labels_alone": None}, "labels_alone must be 'auto', True or False, got None"),
        ({"estimators": {ALONE: KCenterPruner()}}, "estimators must not name a pruner 'labels alone'"),
    ],
)
def test_refused_before_any_training(curve, params, message):
    with pytest.raises(ValueError, match=message):
        curve(**params)
    assert Counting.sizes == []
