"""Files for labeling tools: what is written, and that answers are read back or refused."""

import json

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading

from skprune import AnnotationLoop, SemiPrune
from skprune.datasets import make_partial_labels
from skprune.labeling import label_studio_config, label_studio_tasks, read_answers, write_proposals


@pytest.fixture(scope="module")
def pruner():
    from sklearn.datasets import load_iris

    X, y = load_iris(return_X_y=True)
    y = np.array(["<set> & osa", "versicolor", "virginica"], dtype=object)[y]
    codes = make_partial_labels(np.unique(y, return_inverse=True)[1], n_labeled=24, random_state=0)
    return SemiPrune(
        budget=8,
        labeler=make_pipeline(StandardScaler(), LabelSpreading(kernel="knn", n_neighbors=20)),
        proxy=make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss")),
        n_epochs=12,
        random_state=0,
    ).fit(X, np.where(codes == -1, None, y))


NAMES = [f"photo {row}.png" for row in range(150)]
URLS = [f"https://example.org/{row}.png" for row in range(150)]


def annotated(tasks, choose):
    """Return what Label Studio exports of tasks, each with the class that `choose` names; None skips the task."""
    exported = []
    for number, task in enumerate(tasks, 1):
        label = choose(task)
        result = [] if label is None else [task["predictions"][0]["result"][0] | {"value": {"choices": [label]}}]
        annotation = {"id": number, "was_cancelled": label is None, "result": result, "lead_time": 2.5}
        exported.append(task | {"id": 100 + number, "annotations": [annotation], "project": 1})
    return exported


def test_a_csv_file_comes_back_with_its_labels(pruner, tmp_path):
    write_proposals(tmp_path / "next.csv", pruner, names=NAMES)
    lines = (tmp_path / "next.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == [NAMES[row] for row in pruner.annotation_indices_]
    assert read_answers(tmp_path / "next.csv") == {}
    filled = [lines[0], *(line.replace(",,", ",versicolor,", 1) for line in lines[1:4]), *lines[4:]]
    (tmp_path / "next.csv").write_text("\n".join(filled), encoding="utf-8")
    assert read_answers(tmp_path / "next.csv") == {NAMES[row]: "versicolor" for row in pruner.annotation_indices_[:3]}


def test_rows_may_be_others_in_an_order_of_their_own(pruner, tmp_path):
    write_proposals(tmp_path / "next.csv", pruner, rows=[5, 3])
    assert [line.split(",")[0] for line in (tmp_path / "next.csv").read_text().splitlines()[1:]] == ["5", "3"]


def test_tasks_hold_the_pseudo_label_and_its_probability_in_the_order_of_proposal(pruner):
    tasks = json.loads(json.dumps(label_studio_tasks(pruner, URLS, names=NAMES)))
    rows = pruner.annotation_indices_
    assert [task["data"]["row_id"] for task in tasks] == [NAMES[row] for row in rows]
    assert [task["data"]["image"] for task in tasks] == [URLS[row] for row in rows]
    assert [task["data"]["rank"] for task in tasks] == list(range(1, 9))
    for task, row in zip(tasks, rows, strict=True):
        (prediction,) = task["predictions"]
        assert prediction["result"][0]["value"]["choices"] == [pruner.pseudo_labels_[row]]
        assert prediction["score"] == pytest.approx(pruner.pseudo_label_confidence_[row])


def test_results_come_back(pruner, tmp_path):
    tasks = label_studio_tasks(pruner, URLS, names=NAMES)
    kept = {task["data"]["row_id"]: task["data"]["rank"] % 3 for task in tasks}
    file = tmp_path / "export.json"
    file.write_text(json.dumps(annotated(tasks, lambda task: [None, "a", "b"][kept[task["data"]["row_id"]]])))
    assert read_answers(file) == {name: " ab"[kind] for name, kind in kept.items() if kind}


def test_the_other_exports_come_back(tmp_path):
    least = [
        {"row_id": "x", "id": 1, "image": "u", "label": "cat", "annotator": 1},
        {"row_id": "y", "id": 2, "image": "u"},
        {"row_id": "z", "id": 3, "image": "u", "label": {"choices": ["dog"]}},
    ]
    (tmp_path / "min.json").write_text(json.dumps(least))
    assert read_answers(tmp_path / "min.json") == {"x": "cat", "z": "dog"}
    (tmp_path / "export.csv").write_text("annotation_id,id,image,label,row_id\n9,1,u,cat,x\n10,2,u,,y\n")
    assert read_answers(tmp_path / "export.csv") == {"x": "cat"}


def test_a_round_of_a_loop_goes_through_a_file(pruner, tmp_path):
    from sklearn.datasets import load_iris

    X, y = load_iris(return_X_y=True)
    y = np.array(["a", "b", "c"], dtype=object)[y]
    given = np.where(np.arange(150) % 10 == 0, y, None)
    loop = AnnotationLoop(clone(pruner).set_params(budget=None), budget=6, n_rounds=1).start(X, given)
    rows = loop.ask()
    (tmp_path / "tasks.json").write_text(
        json.dumps(
            annotated(
                label_studio_tasks(loop.pruner_, URLS, rows=rows, names=NAMES),
                lambda task: y[NAMES.index(task["data"]["row_id"])],
            )
        )
    )
    answers = read_answers(tmp_path / "tasks.json")
    assert list(answers) == [NAMES[row] for row in rows]
    loop.tell([NAMES.index(name) for name in answers], list(answers.values()))
    assert loop.history_[-1].n_told == 6
    assert loop.labels_[rows].tolist() == y[rows].tolist()


TASK = {"data": {"row_id": "a"}, "annotations": []}


def choice(name):
    return {"result": [{"from_name": "label", "type": "choices", "value": {"choices": [name]}}]}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", "{", "cannot be read as JSON"),
        ("a.json", '{"a": 1}', "must hold a list of tasks"),
        ("a.json", '[{"data": {"image": "u"}, "annotations": []}]', "Task 1 of .* none of skprune's tasks"),
        ("a.json", json.dumps([TASK | {"annotations": [choice("x"), choice("y")]}]), "'a' several labels, x, y"),
        ("a.csv", "id,name\n", "Its first line names id, name"),
        ("a.csv", "id,label\na,x\na,y\n", "gives 'a' two labels, 'x' and 'y'"),
        ("a.csv", "id,label\n,x\n", "Entry 1 of .* has no id"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        read_answers(tmp_path / name)


@pytest.mark.parametrize(
    ("task", "other"),
    [
        (TASK | {"annotations": [{"result": [choice("x")["result"][0] | {"from_name": "mood"}]}]}, "mood"),
        (
            {
                "row_id": "a",
                "rank": 1,
                "text": "t",
                "id": 1,
                "annotator": 1,
                "annotation_id": 3,
                "lead_time": 1,
                "mood": "x",
            },
            "mood",
        ),
        ({"data": {"row_id": "a"}, "completions": [choice("x")]}, "completions"),
    ],
    ids=["JSON", "JSON-MIN", "before 1.0"],
)
def test_answers_under_another_name_are_not_lost(tmp_path, task, other):
    (tmp_path / "a.json").write_text(json.dumps([task]))
    with pytest.raises(ValueError, match=f"holds no 'label', but '{other}'. The labels must be choices of that name"):
        read_answers(tmp_path / "a.json")


@pytest.mark.parametrize(
    "task",
    [
        TASK,
        TASK | {"annotations": None},
        TASK | {"annotations": [{"was_cancelled": True, "result": [choice("x")["result"][0] | {"from_name": "mood"}]}]},
        {"row_id": "a", "id": 1, "image": "u", "patient": "p"},
    ],
)
def test_nothing_said_is_no_answer_and_no_fault(tmp_path, task):
    (tmp_path / "a.json").write_text(json.dumps([task]))
    assert read_answers(tmp_path / "a.json") == {}


def test_another_control_beside_the_labels_is_left_alone(tmp_path):
    other = {"from_name": "notes", "type": "textarea", "value": {"text": ["?"]}}
    (tmp_path / "a.json").write_text(
        json.dumps([TASK | {"annotations": [{"result": [*choice("x")["result"], other]}]}])
    )
    assert read_answers(tmp_path / "a.json") == {"a": "x"}


def test_names_and_data_are_read_by_position(pruner, tmp_path):
    pd = pytest.importorskip("pandas")
    shuffled = np.random.default_rng(0).permutation(150)
    names, urls = pd.Series(NAMES, index=shuffled), pd.Series(URLS, index=shuffled.astype(str))
    tasks = label_studio_tasks(pruner, urls, names=names)
    rows = pruner.annotation_indices_
    assert [task["data"]["image"] for task in tasks] == [URLS[row] for row in rows]
    assert [task["data"]["row_id"] for task in tasks] == [NAMES[row] for row in rows]
    write_proposals(tmp_path / "next.csv", pruner, names=names)
    lines = (tmp_path / "next.csv").read_text().splitlines()[1:]
    assert [line.split(",")[0] for line in lines] == [NAMES[row] for row in rows]


def test_cells_that_are_missing_are_null(pruner):
    shown = [{"a": float("nan"), "b": None, "c": 1.5}] * 150
    for task in label_studio_tasks(pruner, shown, kind="table"):
        assert task["data"]["table"] == {"a": None, "b": None, "c": 1.5}
        json.dumps(task, allow_nan=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda names, first, other: names.__setitem__(first, None), "names holds no name for row"),
        (lambda names, first, other: names.__setitem__(first, float("nan")), "names holds no name for row"),
        (
            lambda names, first, other: names.__setitem__(other, names[first]),
            "for rows .* and .*, so that answers could not be told apart",
        ),
        (lambda names, first, other: names.__setitem__(first, "x\udcff"), "cannot be written as UTF-8"),
    ],
)
def test_names_that_cannot_be_told_apart_are_refused(pruner, tmp_path, change, message):
    names, rows = list(NAMES), pruner.annotation_indices_
    other = int(np.setdiff1d(np.arange(150), rows)[0])
    change(names, int(rows[0]), other)
    with pytest.raises(ValueError, match=message):
        write_proposals(tmp_path / "next.csv", pruner, names=names)
    with pytest.raises(ValueError, match=message):
        label_studio_tasks(pruner, URLS, names=names)


def test_names_that_differ_elsewhere_are_enough(pruner, tmp_path):
    names, rows = list(NAMES), pruner.annotation_indices_
    others = np.setdiff1d(np.arange(150), rows)
    names[others[0]] = names[others[1]]
    names[others[2]] = None
    write_proposals(tmp_path / "next.csv", pruner, names=names)


@pytest.mark.parametrize("names", [dict(enumerate(range(150))), np.zeros((150, 2))])
def test_names_are_one_for_each_row(pruner, tmp_path, names):
    for use in (
        lambda: write_proposals(tmp_path / "next.csv", pruner, names=names),
        lambda: pruner.report(tmp_path / "r.html", names=names),
    ):
        with pytest.raises(TypeError, match=r"names must be array-like of shape \(n_samples,\), got an? (dict|array)"):
            use()


def test_a_frame_is_not_the_data_of_tasks(pruner):
    pd = pytest.importorskip("pandas")
    with pytest.raises(TypeError, match=r"got an array of shape \(150, 1\)\. Pass the lines .* to_dict\('records'\)"):
        label_studio_tasks(pruner, pd.DataFrame({"a": range(150)}), kind="table")


def test_annotators_may_agree(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([TASK | {"annotations": [choice("x"), choice("x ")]}]))
    assert read_answers(tmp_path / "a.json") == {"a": "x"}


def test_bad_arguments_are_refused(pruner, tmp_path):
    with pytest.raises(ValueError, match="kind"):
        label_studio_tasks(pruner, URLS, kind="sound")
    with pytest.raises(ValueError, match="kind"):
        label_studio_config(["a"], kind="sound")
    with pytest.raises(ValueError, match="data has 149"):
        label_studio_tasks(pruner, URLS[1:])
    with pytest.raises(ValueError, match="names has 149"):
        write_proposals(tmp_path / "next.csv", pruner, names=NAMES[1:])
    with pytest.raises(TypeError, match="rows must hold the numbers"):
        write_proposals(tmp_path / "next.csv", pruner, rows=[True, False])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["image", "text", "table"])
def test_label_studio_accepts_setup_tasks_and_results(pruner, kind):
    sdk = pytest.importorskip(
        "label_studio_sdk.label_interface", reason="label-studio-sdk is not installed; at present it needs NumPy < 2.3"
    )
    shown = {"image": URLS, "text": NAMES, "table": [{"a": str(row)} for row in range(150)]}[kind]
    interface = sdk.LabelInterface(label_studio_config(pruner.classes_, kind))
    interface.validate()
    tasks = label_studio_tasks(pruner, shown, kind=kind)
    assert len(tasks) == 8
    for task in tasks:
        assert interface.validate_task({"data": task["data"]})
        assert interface.validate_prediction(task["predictions"][0], return_errors=True) == []
    for task in annotated(tasks, lambda task: task["predictions"][0]["result"][0]["value"]["choices"][0]):
        assert interface.validate_annotation(task["annotations"][0])
    other = json.loads(json.dumps(tasks[0]["predictions"][0]).replace('"item"', '"another"'))
    assert interface.validate_prediction(other, return_errors=True) != []
