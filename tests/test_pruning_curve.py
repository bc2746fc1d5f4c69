"""The pruning curve: shared fits, paired differences, costs, and runs that go on."""

import csv
import time
from functools import partial as partial_function

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.semi_supervised import LabelSpreading

from skprune import SemiPrune
from skprune.baselines import (
    ActivePruner,
    ELFSPruner,
    KCenterPruner,
    PrototypicalityPruner,
    RandomPruner,
    SupervisedPruner,
)
from skprune.dynamics import Recording
from skprune.model_selection import PruningCurve, pruning_curve
from skprune.nets import NetClassifier
from skprune.selection import Beta, Cutoff, KMeans, Mixture


class CountingKCenter(KCenterPruner):
    """A pruner that counts its fits."""

    fits = 0

    def fit(self, X, y=None):
        type(self).fits += 1
        return super().fit(X, y)


class CountingClassifier(LogisticRegression):
    """A classifier that counts its fits, and fails at a given one."""

    fits = 0
    fails_at = None

    def fit(self, X, y):
        type(self).fits += 1
        if type(self).fits == type(self).fails_at:
            raise KeyboardInterrupt
        return super().fit(X, y)


class Remembering(LogisticRegression):
    """A classifier that notes what it was trained on."""

    seen = []

    def fit(self, X, y):
        self.seen.append((X, y))
        return super().fit(X, y)


@pytest.fixture
def counted():
    Remembering.seen.clear()
    CountingKCenter.fits = CountingClassifier.fits = 0
    CountingClassifier.fails_at = None


@pytest.fixture
def curve(iris, counted):
    """Make a small curve on iris."""
    X, y, partial = iris
    rng = np.random.default_rng(0)
    test = rng.permutation(150)[:50]
    pool = np.setdiff1d(np.arange(150), test)
    defaults = {
        "ratios": [0.3, 0.6],
        "evaluator": CountingClassifier(max_iter=500),
        "X_test": X[test],
        "y_test": y[test],
        "y_oracle": y[pool],
        "labels_alone": False,
        "random_states": [0, 1, 2],
    }

    def make(estimators=None, **params):
        estimators = {"k-center": CountingKCenter()} if estimators is None else estimators
        return pruning_curve(estimators, X[pool], partial[pool], **defaults | params)

    make.pool, make.test = (X[pool], y[pool], partial[pool]), (X[test], y[test])
    return make


def untimed(rows, **changes):
    """Return rows without seconds, which differ from run to run."""
    return [{**row, **changes, "fit_time": None, "train_time": None} for row in rows]


def small_pruner(kind, **params):
    selection = Beta(class_balanced="proportional")
    return kind(proxy=SGDClassifier(loss="log_loss"), n_epochs=12, selection=selection, **params)


@pytest.mark.parametrize("mark", [-1, np.nan])
def test_test_rows_without_a_label_do_not_count(curve, mark):
    X_test, y_test = curve.test
    expected = curve(X_test=X_test[::2], y_test=y_test[::2])
    found = curve(y_test=np.where(np.arange(50) % 2, mark, y_test))
    assert untimed(found.rows, key=None) == untimed(expected.rows, key=None)


def test_every_fit_is_shared_by_the_ratios(curve):
    found = curve()
    assert CountingKCenter.fits == 3
    assert CountingClassifier.fits == 2 * 2 * 3
    assert [row["method"] for row in found.rows] == ["random"] * 6 + ["k-center"] * 6
    assert {row["n_kept"] for row in found.rows} == {30, 60}
    frame = found.to_frame()
    assert len(frame) == 12
    assert frame["accuracy"].between(0, 1).all()


def test_what_a_row_is(curve):
    X, y, partial = curve.pool
    (row,) = [row for row in curve().rows if (row["method"], row["ratio"], row["seed"]) == ("k-center", 0.3, 1)]
    pruner = KCenterPruner(0.3, random_state=1).fit(X, partial)
    mask = pruner.support_
    assert row["n_annotated"] == (partial >= 0).sum() + (mask & (partial < 0)).sum()
    model = LogisticRegression(max_iter=500, random_state=1).fit(X[mask], y[mask])
    assert row["accuracy"] == model.score(*curve.test)


def test_oracle_labels_of_rows_that_are_not_kept_are_never_read(curve):
    X, y, partial = curve.pool
    masks = [
        KCenterPruner(0.3, random_state=0).fit(X, partial).support_,
        RandomPruner(0.3, random_state=0).fit(X).support_,
    ]
    read = masks[0] | masks[1]
    expected = untimed(curve(ratios=[0.3], random_states=[0]).rows)
    oracle = y.astype(object)
    oracle[~read] = [object() for _ in range((~read).sum())]
    assert untimed(curve(ratios=[0.3], random_states=[0], y_oracle=oracle).rows) == expected


def test_pseudo_labels_are_the_same_for_all(curve):
    X, y, partial = curve.pool
    semi = small_pruner(SemiPrune, labeler=LabelSpreading(kernel="knn"))
    pruners = {"k-center": CountingKCenter(), "semi": semi, "supervised": small_pruner(SupervisedPruner)}
    found = curve(pruners, labels="pseudo", evaluator=Remembering(max_iter=500), random_states=[1])
    labeled = semi.set_params(random_state=1).fit(X, partial).pseudo_labels_
    place = {tuple(row): number for number, row in enumerate(X)}
    assert len(Remembering.seen) == 4 * 2
    for rows, labels in Remembering.seen:
        assert labels.tolist() == labeled[[place[tuple(row)] for row in rows]].tolist()
    costs = {row["method"]: row["n_annotated"] for row in found.rows}
    n_labeled = (partial >= 0).sum()
    assert costs == {"random": n_labeled, "k-center": n_labeled, "semi": n_labeled, "supervised": 100}


def test_who_lends_pseudo_labels(curve):
    X, _, partial = curve.pool
    semi = small_pruner(SemiPrune, labeler=LabelSpreading(kernel="knn"))
    two = {"active": ActivePruner(classifier=LogisticRegression(C=1e-3)), "semi": semi}
    make = partial_function(curve, two, labels="pseudo", evaluator=Remembering(max_iter=500), random_states=[1])
    place = {tuple(row): number for number, row in enumerate(X)}
    for name, pruner in two.items():
        Remembering.seen.clear()
        make(pseudo_labels_from=name)
        lent = pruner.set_params(random_state=1).fit(X, partial).pseudo_labels_
        for rows, labels in Remembering.seen:
            assert labels.tolist() == lent[[place[tuple(row)] for row in rows]].tolist()
    with pytest.raises(ValueError, match=r"set pseudo_labels_from to one of \['active', 'semi'\]"):
        make()
    with pytest.raises(ValueError, match="pseudo_labels_from must name a pruner with pseudo-labels.*got 'random'"):
        make(pseudo_labels_from="random")
    with pytest.raises(ValueError, match="needs a pruner with pseudo-labels"):
        curve(labels="pseudo")
    with pytest.raises(ValueError, match="pseudo_labels_from must be None with labels='oracle'.*got 'semi'"):
        make(pseudo_labels_from="semi", labels="oracle")


def test_given_labels_are_kept(curve):
    """An oracle answers for unlabeled rows alone, and must have an answer."""
    X, y, partial = curve.pool
    wrong = np.where(partial >= 0, (y + 1) % 3, y)
    assert untimed(curve(y_oracle=wrong).rows) == untimed(curve().rows)
    with pytest.raises(ValueError, match=r"y_oracle has no label for row \d+, which is kept"):
        curve(y_oracle=np.where(partial >= 0, y, -1))


def test_the_upper_bound_knows_all_labels(curve):
    X, y, partial = curve.pool
    found = curve({"supervised": small_pruner(SupervisedPruner)}, random_states=[0])
    costs = {row["n_annotated"] for row in found.rows if row["method"] == "supervised"}
    assert costs == {100}
    with pytest.raises(ValueError, match="y holds unlabeled rows: pass y_oracle"):
        curve({"supervised": small_pruner(SupervisedPruner)}, y_oracle=None)


def test_differences_are_paired():
    accuracy = {("random", 0): 0.5, ("random", 1): 0.7, ("random", 2): 0.6}
    accuracy |= {("ours", seed): accuracy["random", seed] + 0.1 for seed in range(3)}
    accuracy |= {("drawn", seed): accuracy["random", seed] + gain for seed, gain in enumerate([0.0, 0.1, 0.2])}
    rows = [
        {"method": method, "ratio": 0.5, "seed": seed, "n_annotated": 10, "accuracy": value}
        for (method, seed), value in accuracy.items()
    ]
    random, ours, drawn = PruningCurve(rows).summary()
    assert (random["difference"], random["low"], random["high"]) == (0.0, 0.0, 0.0)
    assert random["mean"] == pytest.approx(0.6)
    assert random["std"] == pytest.approx(0.1)
    assert ours["difference"] == pytest.approx(0.1)
    assert ours["high"] - ours["low"] == pytest.approx(0.0, abs=1e-9)
    assert drawn["low"] < drawn["difference"] < drawn["high"]
    assert drawn["low"] >= 0.0
    assert drawn["high"] <= 0.2 + 1e-9
    alone = PruningCurve([row for row in rows if row["seed"] == 0]).summary()[1]
    assert (alone["n"], alone["std"], alone["low"]) == (1, None, None)


def rows_of(**accuracies):
    """Return the rows of methods at random states, by accuracy."""
    return [
        {"method": method, "ratio": 0.5, "seed": seed, "n_annotated": 10, "accuracy": value}
        for method, values in accuracies.items()
        for seed, value in enumerate(values)
    ]


def test_curves_that_are_joined_compare_with_their_own_random_rows(curve):
    first, second = curve(), curve({"other": KCenterPruner(embedding=PCA(2))})
    joined = PruningCurve(first.rows + second.rows)
    assert joined.rows == first.rows + [row for row in second.rows if row["method"] == "other"]
    assert joined.summary() == first.summary() + second.summary()[2:]
    whole = curve({"k-center": CountingKCenter(), "other": KCenterPruner(embedding=PCA(2))})
    assert untimed(joined.rows) == untimed(whole.rows)


@pytest.mark.parametrize("change", [{"accuracy": 0.4}, {"n_annotated": 11}, {"labels": "pseudo"}])
def test_different_results_of_one_place_are_refused(change):
    rows = rows_of(random=[0.5, 0.6], ours=[0.7, 0.8])
    with pytest.raises(
        ValueError, match="Results of 'random' with ratio 0.5 and seed 1 differ in the given rows: they"
    ):
        PruningCurve([*rows, {**rows[1], **change}])


def test_keys_tell_results_apart():
    rows = [{**row, "key": "a"} for row in rows_of(random=[0.5], ours=[0.7])]
    assert PruningCurve(rows + [{**row, "key": None} for row in rows]).rows == rows
    with pytest.raises(ValueError, match="Results of 'random' with ratio 0.5 and seed 0 differ"):
        PruningCurve(rows + [{**row, "key": "b"} for row in rows])


def test_random_rows_of_each_place_are_needed():
    with pytest.raises(
        ValueError, match="rows hold 'ours' with ratio 0.5 and seed 1, but not 'random', the random rows with"
    ):
        PruningCurve(rows_of(random=[0.5], ours=[0.7, 0.8]))


def test_a_killed_run_goes_on(curve, tmp_path):
    file = tmp_path / "curve.csv"
    expected = curve().rows
    CountingClassifier.fits, CountingClassifier.fails_at = 0, 6
    with pytest.raises(KeyboardInterrupt):
        curve(results_file=file)
    with file.open(newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 5
    CountingClassifier.fits, CountingClassifier.fails_at = 0, None
    found = curve(results_file=file).rows
    assert CountingClassifier.fits == 7
    assert untimed(found, key=None) == untimed(expected)
    CountingClassifier.fits = 0
    assert curve(results_file=file).rows == found
    assert CountingClassifier.fits == 0
    with file.open("a") as stream:
        stream.write("random,0.3,1,orac")  # torn
    X, y, partial = curve.pool
    for params in (
        {"evaluator": CountingClassifier(C=0.1, max_iter=500)},
        {"y_oracle": np.where(np.arange(100) == np.flatnonzero(partial < 0)[0], (y + 1) % 3, y)},
        {"estimators": {"k-center": CountingKCenter(embedding=PCA(2))}},
    ):
        CountingClassifier.fits = 0
        curve(results_file=file, **params)
        assert CountingClassifier.fits == (6 if "estimators" in params else 12)
    CountingClassifier.fits = 0
    assert curve(results_file=file).rows == found
    assert CountingClassifier.fits == 0
    file.write_text("")
    curve(results_file=file, random_states=[0])
    assert CountingClassifier.fits == 4
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="is not the results file of a pruning curve"):
        curve(results_file=other)
    other.write_bytes("a,b\n1,2\n".encode("utf-16"))
    with pytest.raises(ValueError, match="The text of .*other.csv is not in UTF-8"):
        curve(results_file=other)


def test_settings_that_mean_the_same_have_one_key(curve, tmp_path):
    def n_evaluations(**params):
        CountingClassifier.fits = 0
        pruner = small_pruner(SupervisedPruner, **params)
        curve({"supervised": pruner}, random_states=[0], results_file=tmp_path / "curve.csv")
        return CountingClassifier.fits

    assert n_evaluations() == 4
    assert n_evaluations(device="auto") == 0
    assert n_evaluations(record=Recording()) == 0
    assert n_evaluations(record=Recording(kl=False)) == 2
    assert n_evaluations(record="eval") == 2
    assert n_evaluations(record=Recording("eval"), device="auto") == 0


def test_labels_that_are_missing_do_not_change_the_key(curve, tmp_path):
    X, y, partial = curve.pool
    X_test, y_test = curve.test
    unlabeled, rng = partial < 0, np.random.default_rng(0)

    def run(partial_labels, oracle):
        CountingClassifier.fits = 0
        pruning_curve(
            {},
            X,
            partial_labels,
            ratios=[0.5],
            evaluator=CountingClassifier(max_iter=500),
            X_test=X_test,
            y_test=y_test,
            y_oracle=oracle,
            labels_alone=False,
            results_file=tmp_path / "curve.csv",
        )
        return CountingClassifier.fits

    def masked(mask):
        return np.ma.MaskedArray(np.where(mask, rng.permutation(y), y), mask)

    assert run(masked(unlabeled), masked(~unlabeled)) == 1
    assert run(masked(unlabeled), masked(~unlabeled)) == 0  # other values beneath both masks
    assert run(np.where(unlabeled, None, y), np.where(unlabeled, y, -1)) == 0
    shown = unlabeled.copy()
    shown[np.flatnonzero(unlabeled)[0]] = False
    assert run(masked(shown), masked(~unlabeled)) == 1
    assert run(masked(unlabeled), y) == 1
    neighbors = [row for row in range(99) if not unlabeled[row] and unlabeled[row + 1] and y[row] == y[row + 1]]
    moved = unlabeled.copy()
    moved[[neighbors[0], neighbors[0] + 1]] = True, False  # the same labels, of other rows
    assert run(masked(moved), y) == 1
    swapped = np.where(unlabeled, y, (y + 1) % 3)
    assert run(np.ma.MaskedArray(swapped, unlabeled), masked(~unlabeled)) == 1


def test_processes_give_the_same(curve, tmp_path):
    make = partial_function(curve, {"k-center": KCenterPruner()}, evaluator=LogisticRegression(max_iter=500))
    one, two = make(), make(n_jobs=2, results_file=tmp_path / "curve.csv")
    assert untimed(one.rows) == untimed(two.rows, key=None)
    assert make(results_file=tmp_path / "curve.csv").rows == two.rows


def test_a_coreset_of_one_class_predicts_it():
    rng = np.random.default_rng(0)
    y = (rng.random(200) < 0.12).astype(int)
    X = rng.normal(size=(200, 2)) + y[:, None]
    params = {
        "ratios": [0.5, 0.05],
        "random_states": range(10),
        "evaluator": LogisticRegression(),
        "X_test": X,
        "y_test": y,
    }
    found = pruning_curve({"k-center": KCenterPruner()}, X, y, **params)
    seeds = [seed for seed in range(10) if not y[RandomPruner(0.05, random_state=seed).fit(X).support_].any()]
    assert seeds
    accuracies = {
        row["seed"]: row["accuracy"] for row in found.rows if (row["method"], row["ratio"]) == ("random", 0.05)
    }
    assert {accuracies[seed] for seed in seeds} == {(y == 0).mean()}
    names = np.array(["healthy", "ill"])[y]
    assert untimed(
        pruning_curve({"k-center": KCenterPruner()}, X, names, **params | {"y_test": names}).rows
    ) == untimed(found.rows)


def test_errors_say_where_in_the_curve_they_are_raised(curve):
    class Failing(LogisticRegression):
        def fit(self, X, y):
            if len(y) == 60:
                raise ValueError("no")
            return super().fit(X, y)

    class FailingPruner(KCenterPruner):
        def fit(self, X, y=None):
            raise ValueError("no")

    with pytest.raises(ValueError, match="^no") as error:
        curve(evaluator=Failing(max_iter=500), random_states=[7])
    assert error.value.__notes__ == ["The evaluator fails on the rows of 'random' with ratio 0.6 and seed 7."]
    with pytest.raises(ValueError, match="^no") as error:
        curve({"mine": FailingPruner()}, random_states=[7])
    assert error.value.__notes__ == ["The pruner 'mine' fails with seed 7."]


def test_an_evaluator_for_each_ratio(curve, tmp_path):
    file = tmp_path / "curve.csv"
    weak = CountingClassifier(C=1e-4, max_iter=500)
    one = curve(results_file=file).rows
    CountingClassifier.fits = 0
    two = curve(evaluator={0.3: weak, 0.6: CountingClassifier(max_iter=500)}, results_file=file).rows
    assert CountingClassifier.fits == 6  # the rows of 0.6 were there
    for row, other in zip(one, two, strict=True):
        assert (row == other) == (row["ratio"] == 0.6)
    expected = curve(evaluator=weak, ratios=[0.3]).rows
    assert untimed([row for row in two if row["ratio"] == 0.3], key=None) == untimed(expected)
    with pytest.raises(ValueError, match=r"evaluator must hold a classifier for each ratio, but 0.6 is not in \[0.3\]"):
        curve(evaluator={0.3: weak})


def test_seconds(curve):
    class Slow(CountingKCenter):
        def fit(self, X, y=None):
            time.sleep(0.05)
            return super().fit(X, y)

    class SlowClassifier(LogisticRegression):
        def fit(self, X, y):
            time.sleep(0.02)
            return super().fit(X, y)

    rows = curve({"slow": Slow()}, evaluator=SlowClassifier(max_iter=500)).rows
    rows = [row for row in rows if row["method"] == "slow"]
    assert all(row["fit_time"] >= 0.05 and row["train_time"] >= 0.02 for row in rows)
    assert len({row["fit_time"] for row in rows}) <= 3  # one fit for each random state


def test_curves_are_read_from_their_file(curve, tmp_path):
    file = tmp_path / "curve.csv"
    semi = small_pruner(SemiPrune, labeler=LabelSpreading(kernel="knn"))
    annotated = curve(results_file=file)
    pseudo = curve({"semi": semi}, labels="pseudo", results_file=file)
    assert sorted(map(str, PruningCurve.from_csv(file).rows)) == sorted(map(str, annotated.rows))
    assert sorted(map(str, PruningCurve.from_csv(file, labels="pseudo").rows)) == sorted(map(str, pseudo.rows))
    assert PruningCurve.from_csv(file).summary()[0].keys() == annotated.summary()[0].keys()
    with pytest.raises(ValueError, match="holds no results with labels='oracle' and budget='iterations'"):
        PruningCurve.from_csv(file, budget="iterations")
    with pytest.raises(ValueError, match="holds no results"):
        PruningCurve.from_csv(tmp_path / "none.csv")
    curve(results_file=file, evaluator=CountingClassifier(C=0.1, max_iter=500))
    with pytest.raises(
        ValueError,
        match=r"Results of '.*' with ratio 0.[36] and seed [012] differ in .*curve.csv: they belong to different",
    ):
        PruningCurve.from_csv(file)


def test_the_file_of_a_run_that_is_not_finished(curve, tmp_path):
    file = tmp_path / "curve.csv"
    whole = curve(results_file=file).rows
    unfinished = tmp_path / "unfinished.csv"
    unfinished.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))  # the last row of the last seed
    read = PruningCurve.from_csv(unfinished)
    assert sorted(map(str, read.rows)) == sorted(str(row) for row in whole if (row["ratio"], row["seed"]) != (0.6, 2))
    assert {(row["ratio"], row["n"]) for row in read.summary()} == {(0.3, 3), (0.6, 2)}
    without_random = [line for line in file.read_text().splitlines(keepends=True) if not line.startswith("random,0.6")]
    unfinished.write_text("".join(without_random))
    assert {(row["ratio"], row["n"]) for row in PruningCurve.from_csv(unfinished).summary()} == {(0.3, 3)}
    with pytest.raises(ValueError, match="rows must include the method 'RANDOM'"):
        PruningCurve.from_csv(file, random="RANDOM")


def test_equal_iterations(curve):
    seen = []

    class Net(NetClassifier):
        def fit(self, X, y):
            seen.append((len(X), self.n_steps, self.max_epochs))
            return super().fit(X, y)

    net = Net(module__width=4, batch_size=16, max_epochs=2)
    curve(evaluator=net, budget="iterations", random_states=[0])
    assert seen == [(30, 7, 2), (60, 7, 2)] * 2
    seen.clear()
    curve(evaluator=net, random_states=[0])
    assert seen == [(30, None, 2), (60, None, 2)] * 2
    with pytest.raises(ValueError, match="budget='iterations' needs a NetClassifier with n_steps=None"):
        curve(budget="iterations")


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"estimators": [KCenterPruner()]}, TypeError, "estimators must be a dict"),
        ({"estimators": {"random": KCenterPruner()}}, ValueError, "estimators must not name another pruner 'random'"),
        ({"labels": "true"}, ValueError, "labels must be 'oracle' or 'pseudo', got 'true'"),
        ({"budget": "steps"}, ValueError, "budget must be 'epochs' or 'iterations'"),
        ({"ratios": [0.5, 1.5]}, ValueError, "within"),
        ({"ratios": [0.5, 0.5]}, ValueError, "ratios must be one or more different values"),
        ({"random_states": []}, ValueError, "random_states must be one or more different values"),
        ({"estimators": {"k-center": KCenterPruner}}, TypeError, r"estimators\['k-center'\] must be a pruner"),
        (
            {"estimators": {"active": ActivePruner()}, "ratios": [0.05, 0.5]},
            ValueError,
            "keeps all 9 labeled rows, and ratio=0.05 keeps only 5 rows",
        ),
        (
            {"estimators": {"elfs": ELFSPruner(selection=Cutoff(0.6))}},
            ValueError,
            "hard_cutoff=0.6 drops 60 of 100 rows",
        ),
        (
            {"estimators": {"semi": SemiPrune(selection=Cutoff(0.6))}},
            ValueError,
            "hard_cutoff=0.6 drops 60 of 100 rows",
        ),
        (
            {"estimators": {"k-center": CountingKCenter(), "prototypes": PrototypicalityPruner(selection="auto")}},
            ValueError,
            "Unknown selection 'auto'",
        ),
        (
            {"estimators": {"semi": SemiPrune(selection=Mixture(KMeans(), second=Cutoff(0.6)))}},
            ValueError,
            "hard_cutoff=0.6 drops 60 of 100 rows",
        ),
        ({"y_oracle": None}, ValueError, "pass y_oracle"),
        ({"y_oracle": np.zeros(99)}, ValueError, "X has 100 rows, y_oracle has 99"),
        ({"y_test": np.zeros(49)}, ValueError, "X has 50 rows, y_test has 49"),
        ({"y_test": np.full(50, -1)}, ValueError, "y_test holds no labels"),
        ({"y_test": np.full(50, "a")}, ValueError, "y with y_test mixes 50 strings with 9 labels of another type"),
    ],
)
def test_refused_before_any_training(curve, params, error, message):
    with pytest.raises(error, match=message):
        curve(**params)
    assert CountingKCenter.fits == CountingClassifier.fits == 0


def test_missing_cells_of_a_frame_make_no_difference():
    row = {"method": "random", "ratio": 0.5, "seed": 0, "n_annotated": 3, "accuracy": 0.8}
    curve = PruningCurve([row | {"key": "a", "note": np.nan}, row | {"key": np.nan, "note": np.nan}])
    assert len(curve.rows) == 1
