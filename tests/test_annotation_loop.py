"""The annotation loop: what is asked, what may be told, and what a folder keeps of it."""

import json
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.semi_supervised import LabelSpreading

from skprune import AnnotationLoop, SemiPrune
from skprune._base import BasePruner
from skprune._utils._labels import MISSING, encode_labels
from skprune.baselines import KCenterPruner
from skprune.datasets import make_partial_labels

NAMES = np.array(["ash", "beech", "cedar"], dtype=object)


def pruner(**params):
    """Return a pruner that takes a few hundredths of a second."""
    defaults = {"labeler": LabelSpreading(), "proxy": SGDClassifier(loss="log_loss"), "n_epochs": 2, "random_state": 0}
    return SemiPrune(**defaults | {"estimate_accuracy": False, "difficulty": "aum"} | params)


class DrawingPruner(BasePruner):
    """A pruner that proposes random rows without a label, and trains nothing."""

    annotation_indices_ = None

    def __init__(self, budget=None, random_state=0, missing_label="auto", image_shape=None):
        self.budget = budget
        self.random_state = random_state
        self.missing_label = missing_label
        self.image_shape = image_shape

    def fit(self, X, y):
        codes, self.classes_ = encode_labels(y, self.missing_label)
        order = np.random.default_rng(self.random_state).permutation(np.flatnonzero(codes == MISSING))
        self.annotation_indices_ = order[: self.budget]
        assert len(self.annotation_indices_) == self.budget
        self.support_ = np.isin(np.arange(len(y)), self.annotation_indices_)
        self.sample_weight_ = np.ones(self.budget)
        self.pseudo_labels_ = np.full(len(y), self.classes_[0])
        self.pseudo_label_confidence_ = self.difficulty_scores_ = np.full(len(y), 0.5)
        return self

    def explain(self):
        return {"why": np.full(len(self.support_), "drawn")}


def pool(seed=0, n_samples=40, n_labeled=6):
    """Return rows, their classes, and what is labeled first."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n_samples) % 3)
    X = rng.normal(size=(n_samples, 3)) + 2 * np.eye(3)[y]
    return X, y, make_partial_labels(y, n_labeled=n_labeled, random_state=seed)


@pytest.fixture
def begun():
    """Return a loop whose first round is asked for, and what people would say."""
    X, y, partial = pool()
    loop = AnnotationLoop(pruner(), 10, n_rounds=2).start(X, partial)
    loop.ask()
    return loop, y


def finish(loop, y, say=lambda row, label: label):
    """Tell what is asked for until nothing is; return what was asked for in each round."""
    asked = []
    while len(rows := loop.ask()):
        asked.append(rows)
        answers = np.empty(len(rows), dtype=object)
        answers[:] = [say(row, y[row].item()) for row in rows]
        loop.tell(rows, answers)
    return asked


@settings(max_examples=50)
@given(budget=st.integers(1, 34), n_rounds=st.integers(1, 5), skips=st.sets(st.integers(0, 39), max_size=20))
def test_invariants(budget, n_rounds, skips):
    X, y, partial = pool()
    loop = AnnotationLoop(DrawingPruner(), budget, n_rounds=n_rounds).start(X, partial)
    asked = finish(loop, y, lambda row, label: None if row in skips else label)
    told = [row for rows in asked for row in rows if row not in skips]
    labeled = np.flatnonzero(partial >= 0)
    assert len(told) == len(set(told)) <= budget
    assert not set(told) & set(labeled)
    assert len(asked) <= n_rounds
    assert set(np.flatnonzero(loop.labels_ != -1)) == set(told) | set(labeled)
    np.testing.assert_array_equal(loop.skipped_indices_, sorted({*np.concatenate(asked)} & skips))
    assert [len(rows) for rows in asked] == [one.n_asked for one in loop.history_]
    open_before = set(range(40)) - set(labeled)
    for rows in asked:  # a skipped row is asked for again only when no other is left
        assert set(rows) <= (open_before or skips)
        open_before -= set(rows)
    if not skips:
        assert len(told) == budget


@settings(max_examples=5)
@given(data=st.data())
def test_a_loop_that_is_resumed_after_each_call_is_the_same(data, tmp_path_factory):
    X, y, partial = pool()
    whole = finish(AnnotationLoop(DrawingPruner(), 9, n_rounds=3).start(X, partial), y)
    folder = tmp_path_factory.mktemp("loop")
    loop = AnnotationLoop(DrawingPruner(), 9, n_rounds=3, folder=folder).start(X, partial)
    asked = []
    for _ in range(3):
        loop = AnnotationLoop(DrawingPruner(), 9, n_rounds=3, folder=folder).resume(X)
        asked.append(loop.ask())
        left = asked[-1]
        while len(left):
            n = data.draw(st.integers(1, len(left)))
            part = data.draw(st.permutations(left.tolist()))[:n]
            loop.tell(part, y[part])
            loop = AnnotationLoop(DrawingPruner(), 9, n_rounds=3, folder=folder).resume()
            left = left[~np.isin(left, part)]
            np.testing.assert_array_equal(loop._state.waiting, left)
    assert len(AnnotationLoop(DrawingPruner(), 9, n_rounds=3, folder=folder).resume(X).ask()) == 0
    np.testing.assert_array_equal(asked, whole)


def test_the_same_until_told(begun):
    loop, y = begun
    rows = loop.ask()
    np.testing.assert_array_equal(loop.ask(), rows)
    rows[:] = 0  # a copy
    np.testing.assert_array_equal(loop.ask(), loop.proposals_["row"])
    first, *others = loop.ask()
    loop.tell([first], [y[first]])
    np.testing.assert_array_equal(loop.ask(), others)
    assert loop.proposals_["told"].tolist() == [True] + 4 * [False]


def test_the_first_round_is_what_the_pruner_proposes():
    X, _, partial = pool()
    loop = AnnotationLoop(pruner(random_state=3), 10, n_rounds=2).start(X, partial)
    rows = loop.ask()
    alone = pruner(random_state=3, budget=5).fit(X, partial)
    np.testing.assert_array_equal(rows, alone.annotation_indices_)
    np.testing.assert_array_equal(loop.pruner_.annotation_indices_, rows)
    table = loop.proposals_
    assert list(table) == ["row", "pseudo_label", "confidence", "difficulty", "why", "told"]
    np.testing.assert_array_equal(table["pseudo_label"], alone.pseudo_labels_[rows])
    np.testing.assert_array_equal(table["confidence"], alone.pseudo_label_confidence_[rows])
    np.testing.assert_array_equal(table["difficulty"], alone.difficulty_scores_[rows])
    assert table["why"].tolist() == alone.explain()["why"][rows].tolist()


def test_proposals_without_pandas(begun, monkeypatch):
    loop, _ = begun
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert isinstance(loop.proposals_, dict)
    np.testing.assert_array_equal(loop.proposals_["row"], loop.ask())


def test_without_a_random_state_the_rounds_have_one(tmp_path):
    X, y, partial = pool()
    loop = AnnotationLoop(pruner(random_state=None), 6, n_rounds=2, folder=tmp_path).start(X, partial)
    again = AnnotationLoop(pruner(random_state=None), 6, n_rounds=2, folder=tmp_path).resume(X)
    rows = loop.ask()
    loop.tell(rows, y[rows])
    seeds = [loop.pruner_.random_state]
    loop.ask()
    seeds.append(loop.pruner_.random_state)
    assert len(set(seeds)) == 2
    with pytest.raises(ValueError, match="has gone on elsewhere since it was read. Call resume"):
        again.ask()


def test_a_round_that_was_told_elsewhere_is_not_asked_for_again(tmp_path):
    X, y, partial = pool()
    loop = AnnotationLoop(pruner(), 6, n_rounds=2, folder=tmp_path).start(X, partial)
    rows = loop.ask()
    again = AnnotationLoop(pruner(), 6, n_rounds=2, folder=tmp_path).resume(X)
    np.testing.assert_array_equal(again.ask(), rows)
    loop.tell(rows[:1], y[rows[:1]])
    with pytest.raises(ValueError, match="has gone on elsewhere since it was read. Call resume"):
        again.ask()
    np.testing.assert_array_equal(again.resume(X).ask(), rows[1:])


def test_before_the_first_round_there_is_no_history():
    X, _, partial = pool()
    assert AnnotationLoop(pruner(), 6).start(X, partial).history_ == []


@pytest.mark.parametrize("n_told", [0, 2, 5])
def test_history(begun, n_told):
    loop, y = begun
    rows = loop.ask()
    answers = y[rows[:n_told]].copy()
    answers[:1] = (loop.proposals_["pseudo_label"][:1] + 1) % 3
    loop.tell(rows[:n_told], answers)
    one = loop.history_[0]
    n_changed = int((answers != loop.proposals_["pseudo_label"][:n_told]).sum())
    assert (one.round, one.n_labeled, one.n_asked, one.n_told, one.n_skipped) == (1, 6, 5, n_told, 0)
    assert one.n_changed == n_changed
    assert n_changed > 0 or n_told == 0


def test_a_new_class(begun):
    loop, y = begun
    rows = loop.ask()
    with pytest.warns(UserWarning, match="labels names 1 new class: 7"):
        loop.tell(rows, [7, *y[rows[1:]]])
    assert loop.history_[0].new_classes == (7,)
    loop.ask()
    assert loop.pruner_.classes_.tolist() == [0, 1, 2, 7]
    assert loop.history_[0].new_classes == (7,)
    assert loop.history_[1].new_classes == ()


def test_names_of_classes():
    X, y, partial = pool()
    named = np.where(partial < 0, None, NAMES[partial])
    loop = AnnotationLoop(pruner(), 6, n_rounds=2).start(X, named)
    rows = loop.ask()
    with pytest.warns(UserWarning, match=r"labels names 2 new classes: 'Ceder' \(did you mean 'cedar'\?\), 'oak'"):
        loop.tell(rows[:2], ["Ceder", "oak"])
    assert loop.labels_[rows[0]] == "Ceder"
    with pytest.raises(ValueError, match="labels holds 1, a number, and the classes are texts"):
        loop.tell(rows[2:], [1])
    with pytest.raises(ValueError, match="labels holds '[?]', which looks like a mark of unlabeled rows"):
        loop.tell(rows[2:], ["?"])


@pytest.mark.parametrize(
    ("mark", "missing_label"), [(None, "auto"), (np.nan, "auto"), (-1, "auto"), (-1, -1), (None, None), (9, 9)]
)
def test_what_skips_a_row(mark, missing_label, tmp_path):
    X, y, partial = pool()
    given = partial.astype(object)
    given[partial < 0] = mark
    loop = AnnotationLoop(pruner(missing_label=missing_label), 6, n_rounds=2, folder=tmp_path).start(X, given)
    rows = loop.ask()
    loop.tell(rows, [mark, None, y[rows[2]]])
    assert loop.skipped_indices_.tolist() == sorted(rows[:2])
    loop = AnnotationLoop(pruner(missing_label=missing_label), 6, n_rounds=2, folder=tmp_path).resume(X)
    assert len(loop.ask()) == 5
    assert not set(loop.ask()) & set(rows)
    assert loop.pruner_.classes_.tolist() == [0, 1, 2]


def test_minus_one_is_a_class_where_none_marks_rows():
    X, y, partial = pool()
    given = np.where(partial < 0, None, y - 1)
    loop = AnnotationLoop(pruner(), 30, n_rounds=2).start(X, given)
    finish(loop, y - 1)
    assert loop.pruner_.classes_.tolist() == [-1, 0, 1]
    assert set(loop.labels_[loop.labels_ != None]) == {-1, 0, 1}  # noqa: E711


def test_a_row_that_was_skipped_may_be_told_later(begun):
    loop, y = begun
    rows = loop.ask()
    loop.tell(rows, [None, *y[rows[1:]]])
    later = loop.ask()
    loop.tell(rows[:1], y[rows[:1]])
    assert loop.labels_[rows[0]] == y[rows[0]]
    assert loop.skipped_indices_.size == 0
    np.testing.assert_array_equal(loop.ask(), later)
    assert loop.history_[0].n_skipped == 0


def test_labels_that_replace_others(begun):
    loop, y = begun
    rows = loop.ask()
    loop.tell(rows, y[rows])
    loop.tell(rows[:2], y[rows[:2]])  # the same again
    other = (y[rows[0]] + 1) % 3
    with pytest.raises(ValueError, match=rf"Row {rows[0]} was told as {y[rows[0]]} before, and is told as {other} now"):
        loop.tell(rows[:1], [other])
    with pytest.raises(ValueError, match=f"Row {rows[0]} was told as {y[rows[0]]} before, and is skipped now"):
        loop.tell(rows[:1], [None])
    loop.tell(rows[:1], [other], replace=True)
    assert loop.labels_[rows[0]] == other


def test_equal_rows_are_asked_for_once_and_skipped_together():
    X, y, partial = pool(n_samples=30)
    X, y, partial = np.vstack([X, X]), np.r_[y, y], np.r_[partial, np.full(30, -1)]
    loop = AnnotationLoop(pruner(), 12, n_rounds=2).start(X, partial)
    rows = loop.ask()
    loop.tell(rows, len(rows) * [None])
    asked = np.concatenate([rows, loop.ask()]) % 30
    assert len(asked) == len(set(asked))
    message = "budget=25 is the number of rows to label, and only 24 of 60 rows need a label, equal ones counted once"
    with pytest.raises(ValueError, match=message):
        AnnotationLoop(pruner(), 25).start(X, partial)


@pytest.mark.parametrize(
    ("indices", "labels", "message"),
    [
        ([0.5], [1], "indices must be a list of rows of X, as ask returns them, got dtype float64"),
        ([[1]], [1], r"indices must be a list of rows of X, .* shape \(1, 1\)"),
        ([1, 2], [1], "indices names 2 rows, and labels holds 1 labels"),
        ([-1], [1], "Row -1 was not asked for"),
        ([99], [1], "Row 99 was not asked for"),
        ("first twice", [1, 1], "indices names row .* more than once"),
        ("first", ["cat"], "labels holds 'cat', a text, and the classes are numbers"),
        ("first", [0.5], "Unknown label type: continuous"),
        ("first", 1, "labels should be a 1d array"),
        ("first", [[1]], "labels should be a 1d array"),
        ("first", [{}], "labels holds {}, a dict"),
    ],
)
def test_refused_answers_change_nothing(begun, indices, labels, message):
    loop, _ = begun
    rows = loop.ask()
    if isinstance(indices, str):
        indices = rows[[0, 0]] if "twice" in indices else rows[:1]
    with pytest.raises(ValueError, match=message):
        loop.tell(indices, labels)
    np.testing.assert_array_equal(loop.ask(), rows)
    assert loop.history_[0].n_told == 0


@pytest.mark.parametrize("call", ["ask", "proposals_", "history_", "labels_"])
def test_before_the_start(call):
    loop = AnnotationLoop(pruner(), 5)
    with pytest.raises(ValueError, match=r"The loop has not begun\. Call start or resume first"):
        loop.ask() if call == "ask" else getattr(loop, call)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"budget": 0}, ValueError, "budget must be an integer of at least 1, got 0"),
        ({"budget": 2.5}, ValueError, r"budget must be an integer of at least 1, got 2\.5"),
        ({"n_rounds": 0}, ValueError, "n_rounds must be an integer of at least 1, got 0"),
        ({"budget": 35}, ValueError, "budget=35 is the number of rows to label, and only 34 of 40 rows need a label"),
        ({"pruner": KCenterPruner()}, TypeError, "pruner must have the parameter budget, as SemiPrune has"),
        ({"pruner": LogisticRegression()}, TypeError, "pruner must be a pruner such as SemiPrune"),
        ({"pruner": SemiPrune(budget=3)}, ValueError, "The loop sets the budget of the pruner. Leave it out"),
        ({"pruner": SemiPrune(random_state=-1)}, ValueError, "random_state must be None, an integer"),
    ],
)
def test_refused_at_the_start(params, error, message):
    X, _, partial = pool()
    with pytest.raises(error, match=message):
        AnnotationLoop(**{"pruner": pruner(), "budget": 5} | params).start(X, partial)


def test_no_labels_at_the_start():
    X, _, _ = pool()
    with pytest.raises(ValueError, match="y holds no labeled row"):
        AnnotationLoop(pruner(), 5).start(X, np.full(40, -1))


def test_a_larger_budget_goes_on():
    X, y, partial = pool()
    loop = AnnotationLoop(pruner(), 4, n_rounds=2).start(X, partial)
    finish(loop, y)
    loop.set_params(budget=10, n_rounds=4)
    assert [len(rows) for rows in finish(loop, y)] == [3, 3]


def test_folders(tmp_path):
    X, y, partial = pool()
    folder = tmp_path / "a" / "loop"

    def loop(**params):
        return AnnotationLoop(**{"pruner": pruner(), "budget": 6, "folder": folder} | params)

    with pytest.raises(ValueError, match="holds no annotation loop. Call start first"):
        loop().resume(X)
    with pytest.raises(ValueError, match="resume needs the folder that keeps the loop"):
        loop(folder=None).resume(X)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="folder must name a folder, and .*file is a file"):
        loop(folder=tmp_path / "file").start(X, partial)
    loop().start(X, partial)
    with pytest.raises(ValueError, match="holds an annotation loop already. Call resume to go on with it"):
        loop().start(X, partial)
    with pytest.raises(ValueError, match="X is not the pool of the annotation loop in"):
        loop().resume(X + 1)
    with pytest.raises(ValueError, match=r"A new round needs the pool\. Call resume\(X\)"):
        loop().resume().ask()
    assert sorted(file.name for file in folder.iterdir() if file.suffix != ".lock") == ["loop-1.npz", "loop.json"]


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone", "no json", "newer"])
def test_damaged_folders(tmp_path, damage):
    X, _, partial = pool()
    AnnotationLoop(pruner(), 6, folder=tmp_path).start(X, partial)
    arrays, document = tmp_path / "loop-1.npz", tmp_path / "loop.json"
    if damage == "cut":
        arrays.write_bytes(arrays.read_bytes()[:-9])
    elif damage == "flipped":
        content = bytearray(arrays.read_bytes())
        content[len(content) // 2] ^= 1
        arrays.write_bytes(content)
    elif damage == "gone":
        arrays.unlink()
    elif damage == "no json":
        document.write_text("{")
    else:
        document.write_text(json.dumps(json.loads(document.read_text()) | {"format": 99}))
    with pytest.raises(ValueError, match=r"The annotation loop in .* cannot be read: "):
        AnnotationLoop(pruner(), 6, folder=tmp_path).resume(X)


def test_what_cannot_be_written_is_not_told(tmp_path, monkeypatch):
    X, y, partial = pool()
    loop = AnnotationLoop(pruner(), 6, folder=tmp_path).start(X, partial)
    rows = loop.ask()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.replace", full)
        with pytest.raises(ValueError, match="cannot be written to: .*No space left on device. Nothing has changed"):
            loop.tell(rows, y[rows])
    np.testing.assert_array_equal(loop.ask(), rows)
    np.testing.assert_array_equal(AnnotationLoop(pruner(), 6, folder=tmp_path).resume(X).ask(), rows)
    assert not list(tmp_path.glob("*.part"))
    loop.tell(rows, y[rows])
    assert AnnotationLoop(pruner(), 6, folder=tmp_path).resume(X).history_[0].n_told == 2
