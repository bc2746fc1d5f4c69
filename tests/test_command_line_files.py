"""The command line and files: what is never replaced, what is kept, and the files that a message names."""

import io
import json
import os
import re
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_iris

from skprune import SemiPrune
from skprune._command_line._main import main
from skprune._utils._files import whole_file
from skprune._utils._items import read_items
from skprune.datasets import load_image_folder, load_images
from skprune.labeling import read_answers
from skprune.nets._running import RunningTraining

QUICK = ["--steps", "8", "--epochs", "10", "--quiet"]
NEXT = ["next", "iris.csv", "--labels", "labels.csv", "--budget", "5", *QUICK]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Be in a folder with a table of iris and labels of every fifth row."""
    monkeypatch.chdir(tmp_path)
    X, y = load_iris(return_X_y=True)
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    frame.insert(0, "id", [f"plant {row}" for row in range(150)])
    frame["kind"] = np.where(np.arange(150) % 5 == 0, np.array(["setosa", "versicolor", "virginica"])[y], None)
    frame.to_csv("table.csv", index=False)
    frame.drop(columns="kind").to_csv("iris.csv", index=False)
    frame.rename(columns={"kind": "label"})[["id", "label"]].dropna().to_csv("labels.csv", index=False)
    return tmp_path


@pytest.fixture
def no_fit(monkeypatch):
    """Fail where something is trained."""

    def fit(self, *args, **kwargs):
        pytest.fail("a training began")

    monkeypatch.setattr(SemiPrune, "fit", fit)


def link_to(file):
    """Return a symbolic link to a file."""
    os.symlink(file, "link.csv")
    return "link.csv"


def hard_link_to(file):
    """Return another name of a file."""
    os.link(file, "other_name.csv")
    return "other_name.csv"


@pytest.mark.parametrize("named", [str, os.path.abspath, link_to, hard_link_to])
@pytest.mark.parametrize(("file", "what"), [("labels.csv", "--labels"), ("iris.csv", "DATA")])
@pytest.mark.parametrize("option", ["--out", "--report"])
def test_force_replaces_no_input(folder, no_fit, capsys, file, what, named, option):
    before = (folder / file).read_bytes()
    name = named(file)
    command = [*NEXT, "--force", option, name] + (["--out", "next.csv"] if option == "--report" else [])
    assert main(command) == 1
    assert f"{name} is {what}, which is read. Write another file; --force replaces no input." in capsys.readouterr().err
    assert (folder / file).read_bytes() == before


def test_force_replaces_no_data_of_suggest_and_no_image(folder, capsys):
    assert main(["suggest", "iris.csv", "3", "--out", "iris.csv", "--force"]) == 1
    assert "iris.csv is DATA" in capsys.readouterr().err
    (folder / "photos").mkdir()
    Image.new("L", (8, 8)).save("photos/1.png")
    assert main(["suggest", "photos", "1", "--out", "photos/1.png", "--force"]) == 1
    assert "photos/1.png is an image of photos, which is read" in capsys.readouterr().err


def test_outputs_are_two_files_by_any_name(folder, no_fit, capsys):
    os.symlink(folder, "here")
    assert main([*NEXT, "--out", "next.csv", "--report", "here/next.csv"]) == 1
    assert "cannot hold both" in capsys.readouterr().err


def fill_in(file, label):
    """Write a label into the first line."""
    frame = pd.read_csv(file, dtype={"label": object})
    frame.loc[0, "label"] = label
    frame.to_csv(file, index=False)
    return frame["id"][0]


@pytest.mark.parametrize("option", ["--out", "--report"])
def test_force_replaces_no_answers_that_the_labels_lack(folder, capsys, monkeypatch, option):
    command = [*NEXT, "--force", "--out", "next.csv"]
    assert main(command) == 0
    assert main(command) == 0, "nobody has filled it in"
    name = fill_in("next.csv", "setosa")
    before = (folder / "next.csv").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(SemiPrune, "fit", lambda *args: pytest.fail("a training began"))
        again = command if option == "--out" else [*command[:-1], "new.csv", "--report", "next.csv"]
        assert main(again) == 1
    assert (
        f"next.csv holds 1 labels that labels.csv lacks, such as 'setosa' of '{name}', and --force replaces none of these. Run "
        "'skprune tell next.csv --labels labels.csv' first, or delete next.csv."
    ) in capsys.readouterr().err
    assert (folder / "next.csv").read_bytes() == before
    assert main(["tell", "next.csv", "--labels", "labels.csv"]) == 0
    assert main(command) == 0


def test_force_replaces_no_answers_of_other_labels(folder, no_fit, capsys):
    (folder / "first.csv").write_text("id,label\nplant 1,setosa\n")
    assert main(["suggest", "iris.csv", "3", "--out", "first.csv", "--force"]) == 1
    way_out = "Keep them, for example with 'skprune tell first.csv --labels FILE', and delete first.csv."
    err = capsys.readouterr().err
    assert "first.csv holds 1 labels, such as 'setosa' of 'plant 1', and --force replaces none of these." in err
    assert way_out in err
    command = ["next", "table.csv", "--label-column", "kind", "--budget", "5", *QUICK, "--out", "first.csv", "--force"]
    assert main(command) == 1
    err = capsys.readouterr().err
    assert "first.csv holds 1 labels that table.csv lacks" in err
    assert way_out in err
    (folder / "first.csv").write_text("id,label\nplant 0,setosa\n")
    with pytest.raises(pytest.fail.Exception, match="a training began"):  # the table has this label
        main(command)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("next.csv", b"id,label\nplant 1,caf\xe9\n", "The text of next.csv is not in UTF-8"),
        ("next.csv", b"id,label\nplant 1,a, b\n", "Line 2 of next.csv has 3 cells"),
        ("next.csv", b"id,label\nplant 1,a\nplant 1,b\n", "two labels, 'a' and 'b'"),
        ("next.json", b'[{"data": {"row_id": "a"}, "annotations": 3}]', "Task 1 of next.json cannot be read"),
        ("next.json", b"{}", "next.json must hold a list of tasks"),
        ("next.csv", b"Table 1\nid,label\nplant 1,a\n", "Its first line names Table 1"),
        ("next.csv", b"id,Label,why\nplant 1,a,x\n", "Its first line names id, Label, why"),
        ("next.csv", b"name,label\nplant 1,a\n", "Its first line names name, label"),
        ("next.csv", b'"id,label,why"\tx\n"plant 1,,x"\ta\n', "Line 1 of next.csv names a column 'id,label,why'"),
        ("next.csv", b"id,label,pseudo_label,why;\nplant 1,,x,y;a\n", "Line 1 of next.csv names a column 'why;'"),
        ("next.csv", b"\nid,label,why;mine\nplant 1,,y;a\n", "Line 2 of next.csv names a column 'why;mine'"),
        ("next.csv", b"id,label,why,\nplant 1,,y,a\n", "next.csv has cells in a column without a name"),
        ("next.csv", b"id;label;why,\nplant 1;;x,a\n", "Line 1 of next.csv names a column 'why,'"),
        ("next.csv", b"id,label,why\t\nplant 1,,y\ta\n", "Line 1 of next.csv names a column 'why\\t'"),
    ],
)
def test_force_replaces_no_file_that_may_hold_answers(folder, no_fit, capsys, name, content, message):
    (folder / name).write_bytes(content)
    assert main([*NEXT, "--out", name, "--force"]) == 1
    err = capsys.readouterr().err
    assert message in err
    assert f"As it may hold labels, --force does not replace it. Mend it, or delete {name}." in err
    assert (folder / name).read_bytes() == content


def test_force_replaces_no_annotated_tasks(folder, no_fit, capsys):
    region = {"from_name": "label", "value": {"choices": ["setosa"]}}
    task = {"data": {"row_id": "plant 1"}, "annotations": [{"result": [region]}]}
    (folder / "tasks.json").write_text(json.dumps([task]))
    assert main([*NEXT, "--out", "tasks.json", "--force"]) == 1
    assert "tasks.json holds 1 labels that labels.csv lacks" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", ["\n\nid,label\nplant 1,a\n", "id, label,why\nplant 1,a,\n", "\ufeff id ;label \nplant 1;a\n"]
)
def test_names_of_columns_have_no_spaces_at_their_ends_and_may_follow_blank_lines(folder, no_fit, capsys, content):
    (folder / "next.csv").write_text(content, encoding="utf-8")
    assert main([*NEXT, "--out", "next.csv", "--force"]) == 1
    assert "next.csv holds 1 labels that labels.csv lacks, such as 'a' of 'plant 1'" in capsys.readouterr().err
    assert main(["tell", "next.csv", "--labels", "labels.csv"]) == 0
    assert "labels.csv: 31 labels, 1 of them new." in capsys.readouterr().out


def test_labels_that_were_corrected_and_ids_with_spaces_are_not_lost(folder, capsys):
    frame = pd.read_csv("labels.csv")
    frame.loc[0] = ["plant 0 ", "virginica"]
    frame.to_csv("labels.csv", index=False)
    (folder / "next.csv").write_text("id,label\n plant 0,setosa\nplant 5 ,setosa\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SemiPrune, "fit", lambda *args: pytest.fail("a training began"))
        with pytest.raises(pytest.fail.Exception, match="a training began"):
            main([*NEXT, "--out", "next.csv", "--force"])
    (folder / "next.csv").write_text("id,label\nplant 5,setosa\n plant 1,setosa\n")
    assert main([*NEXT, "--out", "next.csv", "--force"]) == 1
    assert "holds 1 labels that labels.csv lacks, such as 'setosa' of ' plant 1'" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--out", "--report"])
def test_labels_that_are_written_while_a_command_runs_are_not_replaced(folder, capsys, monkeypatch, option):
    assert main([*NEXT, "--out", "next.csv"]) == 0
    command = [*NEXT, "--force", "--out", "next.csv"]
    command = command if option == "--out" else [*command[:-1], "new.csv", "--report", "next.csv"]
    fit, before = SemiPrune.fit, []

    def fit_meanwhile(self, *args):
        fit(self, *args)
        fill_in("next.csv", "setosa")
        before.append((folder / "next.csv").read_bytes())
        return self

    with monkeypatch.context() as patch:
        patch.setattr(SemiPrune, "fit", fit_meanwhile)
        assert main(command) == 1
    err = capsys.readouterr().err
    assert "next.csv holds 1 labels that labels.csv lacks, such as 'setosa' of 'plant " in err
    assert f"{command[-3 if option == '--report' else -1]}.work keeps what is done." in err
    assert (folder / "next.csv").read_bytes() == before[0]
    os.rename("next.csv", "kept.csv")

    def label_pool(*args, **kwargs):
        pytest.fail("the labeling was done already")

    monkeypatch.setattr("skprune._pipeline._stages.label_pool", label_pool)
    assert main([*command, "--resume"]) == 0
    assert (folder / "next.csv").exists()


def test_labels_that_are_told_while_a_command_runs_are_known(folder, monkeypatch):
    assert main([*NEXT, "--out", "next.csv"]) == 0
    fit = SemiPrune.fit

    def fit_meanwhile(self, *args):
        fill_in("next.csv", "setosa")
        assert main(["tell", "next.csv", "--labels", "labels.csv"]) == 0
        return fit(self, *args)

    monkeypatch.setattr(SemiPrune, "fit", fit_meanwhile)
    assert main([*NEXT, "--out", "next.csv", "--force"]) == 0


def test_labels_that_are_written_while_suggest_runs_are_not_replaced(folder, capsys, monkeypatch):
    def suggest(*args, **kwargs):
        (folder / "first.csv").write_text("id,label\nplant 1,setosa\n")
        return [0]

    monkeypatch.setattr("skprune._command_line._suggest.suggest_first_labels", suggest)
    assert main(["suggest", "iris.csv", "1", "--out", "first.csv"]) == 1
    assert "first.csv holds 1 labels, such as 'setosa' of 'plant 1'" in capsys.readouterr().err
    assert (folder / "first.csv").read_text() == "id,label\nplant 1,setosa\n"


def test_force_replaces_coresets_reports_and_empty_files(folder):
    command = ["prune", "iris.csv", "--labels", "labels.csv", "--ratio", "0.2", *QUICK, "--force"]
    command += ["--out", "coreset.csv", "--report", "report.html"]
    assert main(command) == 0
    assert main(command) == 0, "the labels of a coreset are not by people, and a report is no table"
    (folder / "coreset.csv").write_text("\ufeff\n", encoding="utf-8")
    assert main([*command[:-2]]) == 0
    assert (folder / "coreset.csv").read_text().startswith("id,label,given")


def test_force_replaces_empty_tasks(folder):
    for content in ("", "[]"):
        (folder / "tasks.json").write_text(content)
        assert main([*NEXT, "--out", "tasks.json", "--force"]) == 0
        assert len(json.loads((folder / "tasks.json").read_text())) == 5


ANSWER = "id,label\n9,dog\n"


def test_tell_writes_to_what_a_link_leads_to_and_keeps_the_mode(folder):
    (folder / "home").mkdir()
    target = folder / "home" / "real.csv"
    target.write_text("id,label\n1,cat\n")
    target.chmod(0o640)
    (folder / "link.csv").symlink_to("home/real.csv")
    (folder / "next.csv").write_text(ANSWER)
    assert main(["tell", "next.csv", "--labels", "link.csv"]) == 0
    assert (folder / "link.csv").is_symlink()
    assert target.read_text() == "id,label\n1,cat\n9,dog\n"
    assert target.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in target.parent.iterdir()] == ["real.csv"]


def test_tell_keeps_all_cells_the_separator_and_the_mark_of_a_spreadsheet(folder):
    (folder / "next.csv").write_text(ANSWER)
    for separator in ";\t,":
        for encoding in ("utf-8", "utf-8-sig"):
            lines = "id;label;;\n1;cat;a;b\n9;;c\n".replace(";", separator)
            (folder / "kept.csv").write_text(lines, encoding=encoding)
            assert main(["tell", "next.csv", "--labels", "kept.csv"]) == 0
            told = "id;label;;\n1;cat;a;b\n9;dog;c;\n".replace(";", separator)
            assert (folder / "kept.csv").read_bytes() == told.encode(encoding)


def test_tell_matches_ids_as_next_does(folder, capsys):
    (folder / "kept.csv").write_text("id,label\n9 ,\n7,cat\n")
    (folder / "next.csv").write_text("id,label,pseudo_label\n9,dog,dog\n7 ,cat,dog\n8 ,fox,fox\n")
    assert main(["tell", "next.csv", "--labels", "kept.csv"]) == 0
    assert (folder / "kept.csv").read_text() == "id,label\n9 ,dog\n7,cat\n8 ,fox\n"
    assert "kept.csv: 3 labels, 2 of them new.\n2 of 2 pseudo-labels" in capsys.readouterr().out
    (folder / "next.csv").write_text("id,label\n 9,fox\n")
    assert main(["tell", "next.csv", "--labels", "kept.csv"]) == 1
    assert (
        "1 rows of next.csv have another label in kept.csv, such as '9 ': 'fox' and 'dog'." in capsys.readouterr().err
    )
    (folder / "next.csv").write_text("id,label\n 9,fox\n9  ,dog\n")
    assert main(["tell", "next.csv", "--labels", "kept.csv", "--force"]) == 1
    assert "next.csv gives '9 ' two labels, 'fox' and 'dog'." in capsys.readouterr().err


def piped(content):
    """Make a pipe that gives some content once, and return its name."""
    os.mkfifo("pipe")
    threading.Thread(target=Path("pipe").write_bytes, args=(content,), daemon=True).start()
    return "pipe"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"id;label\n9;dog\n", 0, "new.csv: 1 labels, 1 of them new."),
        (b"id,label;why\n9;dog\n", 1, "The header of pipe holds ',' and ';' equally often"),
    ],
)
def test_answers_may_come_through_a_pipe(folder, capsys, content, code, message):
    assert main(["tell", piped(content), "--labels", "new.csv"]) == code
    assert message in "".join(capsys.readouterr())


def test_lines_of_empty_cells_are_left_out(folder):
    (folder / "next.csv").write_text(";;;\nid;label;why;\n9;dog;x;\n;;;\n ;;;;;\n")
    (folder / "kept.csv").write_text("id,label\n,\n7,cat\n,,,\n")
    assert main(["tell", "next.csv", "--labels", "kept.csv"]) == 0
    assert (folder / "kept.csv").read_text() == "id,label\n7,cat\n9,dog\n"


def test_an_export_with_a_byte_order_mark_is_read(tmp_path):
    task = {"row_id": "a", "label": "cat"}
    (tmp_path / "export.json").write_text(json.dumps([task]), encoding="utf-8-sig")
    assert read_answers(tmp_path / "export.json") == {"a": "cat"}


@pytest.mark.parametrize("command", [["next", "old.csv", *NEXT[2:]], ["suggest", "old.csv", "5"]])
def test_a_table_in_another_encoding_says_how_to_save_it(folder, no_fit, capsys, command):
    (folder / "old.csv").write_text("id,größe\nplant 1,3\n", encoding="cp1252")
    assert main([*command, "--out", "out.csv"]) == 1
    assert 'The text of old.csv is not in UTF-8. Save it as "CSV UTF-8", as spreadsheets' in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
@pytest.mark.parametrize("name", ["answers.csv", "labels.csv"])
def test_labels_in_another_encoding_say_how_to_save_them(folder, no_fit, capsys, encoding, name):
    (folder / "answers.csv").write_text("id,label\nplant 1,setosa\n")
    (folder / name).write_text("id,label\nplant 1,größer\n", encoding=encoding)
    assert main(["tell", "answers.csv", "--labels", "labels.csv"]) == 1
    message = f'skprune: error: The text of {name} is not in UTF-8. Save it as "CSV UTF-8"'
    assert capsys.readouterr().err.startswith(message)


def test_tasks_in_another_encoding_are_refused(tmp_path):
    (tmp_path / "export.json").write_text("[]", encoding="utf-16")
    with pytest.raises(ValueError, match=r"export.json is not in UTF-8. Export it again"):
        read_answers(tmp_path / "export.json")


@pytest.fixture
def photos(folder):
    """Make a folder of images in subfolders, cat and dog."""
    rng = np.random.default_rng(0)
    for name in ("cat", "dog", "unlabeled"):
        (folder / "photos" / name).mkdir(parents=True)
        for number in range(2):
            pixels = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / name / f"{number}.png")
    return ["next", "photos", "--labels", "labels.csv", "--budget", "1", "--out", "next.csv", "--steps", "8"]


def test_labels_without_a_line_leave_those_of_the_subfolders(folder, no_fit, photos, capsys):
    for content in ("id,label\n", "id,label\nunlabeled/1.png,\n"):
        (folder / "labels.csv").write_text(content)
        with pytest.raises(pytest.fail.Exception, match="a training began"):
            main(photos)
        assert "Labels: 0 from labels.csv, 4 more from the subfolders cat, dog." in capsys.readouterr().err


@pytest.mark.parametrize("options", [[], ["--quiet"]])
def test_one_class_that_is_no_subfolder_is_refused_with_the_reason(folder, no_fit, photos, capsys, options):
    (folder / "labels.csv").write_text("id,label\nunlabeled/1.png,fox\n")
    assert main([*photos, *options]) == 1
    assert (
        "labels.csv holds one class only, 'fox'. The names of the subfolders cat, dog are no labels, as it has no class of such "
        "a name. Label rows of at least two classes."
    ) in capsys.readouterr().err


def test_a_link_without_room_for_a_work_folder_is_refused_before_any_work(folder, no_fit, capsys, monkeypatch):
    (folder / "ro").mkdir()
    (folder / "ro" / "next.csv").symlink_to(folder / "next.csv")
    (folder / "ro" / "labels.csv").symlink_to(folder / "labels.csv")
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda file, mode: os.path.basename(file) != "ro" and allowed(file, mode))
    assert main([*NEXT, "--out", "ro/next.csv"]) == 1
    message = f"ro/next.csv cannot be written: there is no permission to write to {folder / 'ro'}"
    assert message in capsys.readouterr().err
    (folder / "next.csv").write_text(ANSWER)
    assert main(["tell", "next.csv", "--labels", "ro/labels.csv"]) == 0, "nothing is written beside the link"


def test_a_new_file_follows_the_umask_and_a_link_may_lead_to_it(tmp_path):
    (tmp_path / "link").symlink_to("new")
    old = os.umask(0o027)
    try:
        with whole_file(tmp_path / "link") as unfinished:
            unfinished.write_text("x")
    finally:
        os.umask(old)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "new").read_text() == "x"
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,label\n1,cat,extra,more\n", "Line 2 of FILE has 4 cells, and the first line names 2 columns."),
        (
            'id,label,pseudo_label\n3,"two\nlines",\n7,cat, small,dog\n',
            "Line 4 of FILE has 4 cells, and the first line names 3 columns. Put a text that holds ',' into quotes",
        ),
        ("id,label,by,by\n1,cat,Ann,Bob\n", "FILE names two columns 'by'."),
        ("id,label,why;\n1,,x;cat\n", "Line 1 of FILE names a column 'why;', as a spreadsheet writes it"),
    ],
)
@pytest.mark.parametrize("place", ["answers", "labels"])
def test_cells_without_a_column_are_refused(folder, capsys, content, message, place):
    (folder / "other.csv").write_text(ANSWER)
    (folder / "odd.csv").write_text(content)
    answers, labels = ("odd.csv", "other.csv") if place == "answers" else ("other.csv", "odd.csv")
    assert main(["tell", answers, "--labels", labels, "--force"]) == 1
    assert message.replace("FILE", "odd.csv") in capsys.readouterr().err
    assert (folder / "odd.csv").read_text() == content
    assert (folder / "other.csv").read_text() == ANSWER
    assert main(["next", "iris.csv", "--labels", "odd.csv", "--budget", "5", "--out", "next.csv", *QUICK]) == 1
    assert message.replace("FILE", "odd.csv") in capsys.readouterr().err


def broken_images(folder):
    """Write images with classes as subfolders, two of which are broken, and return the names of these."""
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for number in range(2):
            Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(folder / name / f"{number}.png")
    cut = folder / "dog" / "0.png"
    cut.write_bytes(cut.read_bytes()[:200])
    return cut


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("0.png", None, "image file is truncated"),
        ("features.h5", b"\x89HDF\r\n\x1a\n" + bytes(100), "cannot find loader"),
        ("5.png", b"no image", "Pillow knows no format"),
    ],
)
def test_a_broken_image_is_named(folder, capsys, name, content, reason):
    cut = broken_images(folder / "photos")
    file = cut
    if content is not None:
        cut.unlink()
        file = cut.with_name(name)
        file.write_bytes(content)
    message = f"dog{os.sep}{name} cannot be read as an image: {reason}"
    for gray in ([], ["--gray"]):
        assert main(["suggest", "photos", "1", "--out", "first.csv", *gray, "--quiet"]) == 1
        assert message in capsys.readouterr().err
    (folder / "labels.csv").write_text("id,label\n")
    with pytest.raises(ValueError, match=re.escape(message)):
        load_image_folder("photos", size=8)
    with pytest.raises(ValueError, match=re.escape(message)):
        load_images("photos/dog", folder / "labels.csv", size=8)
    with pytest.raises(ValueError, match=re.escape(message)):
        read_items([file])


def test_a_broken_image_of_pillow_is_named_by_its_row(folder):
    cut = broken_images(folder / "photos")
    images = [Image.open(folder / "photos" / "cat" / "0.png"), Image.open(cut)]
    with pytest.raises(ValueError, match="Row 1 of X cannot be read as an image: image file is truncated"):
        read_items(images)
    for image in images:
        image.close()


def test_a_lost_image_is_still_a_lost_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_items([tmp_path / "lost.png"])


def test_an_empty_labels_file_is_as_none(folder, no_fit, capsys):
    (folder / "next.csv").write_text(ANSWER)
    for content in ("", "\n", "\ufeff", "\ufeff\r\n"):
        (folder / "new.csv").write_text(content, encoding="utf-8")
        assert main(["tell", "next.csv", "--labels", "new.csv"]) == 0
        assert (folder / "new.csv").read_text() == ANSWER
    (folder / "empty.csv").write_text("")
    message = 'empty.csv must have the columns "id" and "label". Its first line names none.'
    assert main(["tell", "empty.csv", "--labels", "labels.csv"]) == 1
    assert message in capsys.readouterr().err
    assert main(["next", "iris.csv", "--labels", "empty.csv", "--budget", "5", "--out", "new.csv", "--force"]) == 1
    assert message in capsys.readouterr().err


COMMANDS = {
    "suggest": ["suggest", "iris.csv", "4", "--out"],
    "next": [*NEXT, "--out"],
    "report": [*NEXT, "--out", "next.csv", "--report"],
    "tell": ["tell", "labels.csv", "--labels"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_places_that_cannot_be_written_to_are_refused_before_any_work(folder, no_fit, capsys, monkeypatch, command):
    monkeypatch.setattr("skprune._command_line._suggest.suggest_first_labels", lambda *args, **kw: pytest.fail("work"))
    (folder / "ro").mkdir()
    (folder / "there.csv").touch()
    allowed = os.access
    closed = {"ro", "there.csv"}
    monkeypatch.setattr(os, "access", lambda file, mode: os.path.basename(file) not in closed and allowed(file, mode))
    for file, message in {
        "ro/f.csv": f"ro/f.csv cannot be written: there is no permission to write to {folder / 'ro'}.",
        "there.csv": f"there.csv cannot be written: there is no permission to write to {folder / 'there.csv'}.",
        "lost/f.csv": "lost/f.csv cannot be written: lost is no folder.",
        "ro": "ro cannot be written: it is a folder.",
        os.devnull: f"{os.devnull} cannot be written: it is no regular file.",
    }.items():
        assert main([*COMMANDS[command], file]) == 1
        assert message in capsys.readouterr().err


def in_an_old_shell(monkeypatch):
    """Give the shell an encoding that lacks many letters, and return a function that returns what was printed."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", stream)

    def printed():
        stream.flush()
        return stream.buffer.getvalue().decode("cp1252")

    return printed


def test_tell_prints_in_any_encoding(folder, monkeypatch):
    printed = in_an_old_shell(monkeypatch)
    (folder / "next.csv").write_text("id,label\nplant 1,犬\n", encoding="utf-8")
    assert main(["tell", "next.csv", "--labels", "labels.csv"]) == 0
    assert "New classes: \\u72ac." in printed()


def test_the_labeling_setup_is_the_same_in_any_encoding(folder, monkeypatch):
    printed = in_an_old_shell(monkeypatch)
    frame = pd.read_csv("labels.csv").replace({"setosa": "犬", "virginica": "é"})
    frame.to_csv("labels.csv", index=False)
    assert main([*NEXT, "--out", "tasks.json"]) == 0
    assert '<Choice value="&#29356;"/>' in printed()
    assert '<Choice value="é"/>' in printed()


def region(value):
    return {"annotations": [{"result": [{"from_name": "label", "value": value}]}]}


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (region({"choices": [3]}), "'label' holds 3, where Label Studio writes a text"),
        (region(None), "'value' holds null, where Label Studio writes an object"),
        (region({"choices": "x"}), "'choices' holds \"x\", where Label Studio writes a list"),
        ({"annotations": 5}, "'annotations' holds 5, where Label Studio writes a list"),
        ({"annotations": [7]}, "'annotations' holds 7, where Label Studio writes an object"),
        ({"annotations": [{"result": ["x"]}]}, "'result' holds \"x\", where Label Studio writes an object"),
        ({"annotations": [], "predictions": "x"}, "'predictions' holds \"x\", where Label Studio writes a list"),
        ({"label": 0}, "'label' holds 0, where Label Studio writes a text"),
        ({"label": {"choices": [None]}}, "'label' holds null, where Label Studio writes a text"),
    ],
)
def test_malformed_tasks_are_named(tmp_path, capsys, task, message):
    file = tmp_path / "export.json"
    file.write_text(json.dumps([{"data": {"row_id": "a"}, "annotations": []}, {"data": {"row_id": "b"}} | task]))
    with pytest.raises(ValueError, match=re.escape(f"Task 2 of {file} cannot be read: {message}.")):
        read_answers(file)
    assert main(["tell", str(file), "--labels", str(tmp_path / "labels.csv")]) == 1
    assert message in capsys.readouterr().err


def test_tasks_may_lack_what_nobody_has_said(tmp_path):
    tasks = [
        {"data": {"row_id": "a"}, "annotations": None, "predictions": None},
        {"data": {"row_id": "b"}, "annotations": [{"result": None}], "predictions": [17]},
        {"data": {"row_id": "c"}} | region({}),
        {"data": {"row_id": "d"}} | region({"choices": [" "]}),
        {"row_id": "e", "label": None},
        {"row_id": "f", "label": " cat "},
    ]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    assert read_answers(tmp_path / "export.json") == {"f": "cat"}


def test_a_longer_time_limit_goes_on_where_a_short_one_ended(folder, capsys, monkeypatch):
    command = [*NEXT, "--out", "next.csv", "--time-limit"]
    assert main([*command, "0.001"]) == 1
    assert (
        "next.csv.work keeps what is done. With --resume and a longer --time-limit, the same command goes on from it."
        in capsys.readouterr().err
    )
    read, resumed = RunningTraining.read, []

    def spy(self, *args):
        state = read(self, *args)
        resumed.extend([] if state is None else [self.file.name.split("-")[0]])
        return state

    monkeypatch.setattr(RunningTraining, "read", spy)
    assert main([*command, "3600", "--resume"]) == 0
    assert resumed[0] == "label_pool"
    assert not (folder / "next.csv.work").exists()


@pytest.mark.parametrize("mark", ["None", "nan", "-1", "?"])
def test_a_class_that_looks_like_a_mark_is_warned_of_in_words_of_the_shell(folder, capsys, mark):
    frame = pd.read_csv("labels.csv").replace({"setosa": mark})
    frame.to_csv("labels.csv", index=False)
    assert main([*NEXT, "--out", "next.csv"]) == 0
    message = (
        f"labels.csv holds {mark!r}, read as a class. If this marks rows without a label, leave their labels empty."
    )
    assert capsys.readouterr().err == f"skprune: warning: {message}\n"


def test_missing_cells_of_tasks_are_empty_and_whole_numbers_whole(folder):
    frame = pd.read_csv("iris.csv").assign(place="Rome", seen=pd.Timestamp("2024-05-01"), seeds=12345.0)
    frame.loc[::2, ["a", "place", "seen", "seeds"]] = None
    frame.to_parquet("iris.parquet")
    command = ["next", "iris.parquet", "--labels", "labels.csv", "--budget", "8", "--out", "tasks.json", *QUICK]
    assert main(command) == 0
    for task in json.loads((folder / "tasks.json").read_text()):
        shown, row = task["data"]["table"], int(task["data"]["row_id"].removeprefix("plant "))
        assert all((shown[name] == "") == (row % 2 == 0) for name in ("a", "place", "seen"))
        assert shown["b"] == str(frame["b"][row])
        assert shown["seeds"] == ("" if row % 2 == 0 else "12345")
