"""The command line: what it writes, what it refuses and how, and what an interrupt leaves."""

import csv
import signal
import subprocess
import sys
import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits, load_iris

from skprune import SemiPrune
from skprune._command_line._main import main
from skprune._pipeline import _stages
from skprune.augment import ImageWeak

QUICK = ["--steps", "8", "--epochs", "10", "--quiet"]


def lines_of(file):
    with open(file, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def stages(folder):
    """Return the finished stages that a folder keeps."""
    return list(folder.glob("label_pool-*.safetensors"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Be in a folder with a table of iris, half of its labels in another file, and the columns as an array."""
    monkeypatch.chdir(tmp_path)
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    frame.insert(0, "id", [f"plant {row}" for row in range(150)])
    frame["place"] = np.where(np.arange(150) % 3 == 0, "Rome", "Oslo")
    frame.loc[4, "a"] = np.nan
    frame.to_csv("iris.csv", index=False)
    frame.assign(kind=np.where(np.arange(150) % 4 == 0, names, None)).to_parquet("iris.parquet")
    np.save("iris.npy", X)
    given = range(0, 150, 5)
    pd.DataFrame({"id": [f"plant {row}" for row in given], "label": names[given]}).to_csv("labels.csv", index=False)
    pd.DataFrame({"id": given, "label": names[given]}).to_csv("numbers.csv", index=False)
    return tmp_path


@pytest.fixture
def photos(folder):
    """Make a folder of images, and a file of labels of half of them."""
    X, y = load_digits(return_X_y=True)
    (folder / "photos").mkdir()
    with open("photos.csv", "w") as file:
        file.write("filename,label\n")
        for row in range(60):
            Image.fromarray((X[row].reshape(8, 8) * 15).astype(np.uint8)).save(f"photos/{row:02d}.png")
            if row % 2 == 0:
                file.write(f"{row:02d}.png,digit {y[row] % 3}\n")
    return folder


def test_suggest_writes_the_first_rows(folder, capsys):
    assert main(["suggest", "iris.csv", "6", "--out", "first.csv", "--quiet"]) == 0
    lines = lines_of("first.csv")
    assert list(lines[0]) == ["id", "label"]
    rows = [int(line["id"].removeprefix("plant ")) for line in lines]
    assert len(set(rows)) == 6
    assert {row // 50 for row in rows} == {0, 1, 2}  # iris is sorted by class
    filled = [f"{line['id']},{'abc'[row // 50]}" for line, row in zip(lines, rows, strict=True)]
    (folder / "first.csv").write_text("id,label\n" + "\n".join(filled))
    assert main(["tell", "first.csv", "--labels", "new.csv"]) == 0
    assert capsys.readouterr().out == "new.csv: 6 labels, 6 of them new.\n"
    assert main(["suggest", "iris.csv", "200", "--out", "other.csv"]) == 1
    assert "n must be" in capsys.readouterr().err


def test_next_writes_what_to_label(folder, capsys):
    assert main(["next", "iris.csv", "--labels", "labels.csv", "--budget", "12", "--out", "next.csv", *QUICK]) == 0
    lines = lines_of("next.csv")
    assert list(lines[0]) == ["id", "label", "pseudo_label", "confidence", "difficulty", "why"]
    assert len(lines) == 12
    known = {line["id"] for line in lines_of("labels.csv")}
    assert known.isdisjoint(line["id"] for line in lines)
    assert {line["label"] for line in lines} == {""}
    assert {line["pseudo_label"] for line in lines} <= {"setosa", "versicolor", "virginica"}
    assert all(0.0 <= float(line["confidence"]) <= 1.0 and line["why"] for line in lines)
    assert capsys.readouterr().out == ""
    assert not list(folder.glob("*.work"))


def test_prune_writes_a_coreset_of_a_parquet_table(folder):
    options = ["--label-column", "kind", "--ratio", "0.2", "--out", "coreset.csv", "--report", "report.html", *QUICK]
    assert main(["prune", "iris.parquet", *options]) == 0
    lines = lines_of("coreset.csv")
    assert len(lines) == 30
    labels = pd.read_parquet("iris.parquet").set_index("id")["kind"].dropna().to_dict()
    for line in lines:
        assert (line["given"] == "yes") == (line["id"] in labels)
        assert line["given"] == "no" or line["label"] == labels[line["id"]]
    assert np.mean([float(line["weight"]) for line in lines]) == pytest.approx(1.0, abs=1e-4)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Rome" in page  # cells are shown as the table has them, not as nets read them
    assert "plant " in page


def test_images_and_their_report(photos):
    options = ["--labels", "photos.csv", "--budget", "6", "--out", "report.html", *QUICK]
    assert main(["report", "photos", *options]) == 0
    page = (photos / "report.html").read_text(encoding="utf-8")
    assert page.count("<li") > 6
    assert page.count('alt="Image of row 0') > 3
    assert "60 images of 8 × 8 pixels and 1 channel," in page


@pytest.mark.parametrize("option", [[], ["--no-mirror"]])
def test_images_are_mirrored_or_not(photos, monkeypatch, option):
    draw, drawn = ImageWeak.draw, []

    def spy(self, *args):
        drawn.append(draw(self, *args))
        return drawn[-1]

    monkeypatch.setattr(ImageWeak, "draw", spy)
    options = ["--labels", "photos.csv", "--budget", "6", "--out", "next.csv", *QUICK]
    assert main(["next", "photos", *options, *option]) == 0
    assert any(each["mirror"].any() for each in drawn) == (not option)


def test_images_in_color_and_broken_ones(photos, capsys):
    Image.new("RGB", (9, 9)).save(photos / "photos" / "color.png")
    command = ["suggest", "photos", "2", "--out", "first.csv"]
    assert main(command) == 1
    err = capsys.readouterr().err
    assert "color.png is 9 x 9 pixels" in err
    assert "Set --size," in err
    (photos / "photos" / "broken.png").write_bytes(b"no image")
    assert main([*command, "--size", "8"]) == 1
    assert "broken.png" in capsys.readouterr().err


def test_subfolders_are_classes(photos):
    for place, file in enumerate(sorted((photos / "photos").iterdir())):
        home = photos / "photos" / ("unlabeled" if place % 2 else f"class {place % 4}")
        home.mkdir(exist_ok=True)
        file.rename(home / file.name)
    assert main(["next", "photos", "--budget", "5", "--out", "next.csv", *QUICK]) == 0
    lines = lines_of("next.csv")
    assert all(line["id"].startswith("unlabeled/") for line in lines)
    assert {line["pseudo_label"] for line in lines} <= {"class 0", "class 2"}


def test_arrays_are_named_by_row(folder):
    options = ["--labels", "numbers.csv", "--budget", "5", "--out", "next.csv", *QUICK]
    assert main(["next", "iris.npy", *options]) == 0
    assert all(int(line["id"]) % 5 for line in lines_of("next.csv"))


def test_rounds_from_the_shell(folder, capsys):
    """What next proposes is told with its labels, and is not proposed again."""
    table, told = pd.read_csv("iris.csv"), set()
    truth = dict(zip(table["id"], np.array(["setosa", "versicolor", "virginica"])[load_iris().target], strict=True))
    for number in range(2):
        command = [
            "next",
            "iris.csv",
            "--labels",
            "labels.csv",
            "--budget",
            "6",
            "--out",
            "next.csv",
            "--force",
            *QUICK,
        ]
        assert main(command) == 0
        asked = pd.read_csv("next.csv")
        assert told.isdisjoint(asked["id"])
        told |= set(asked["id"])
        asked["label"] = [truth[name] for name in asked["id"]]
        asked.to_csv("next.csv", index=False)
        assert main(["tell", "next.csv", "--labels", "labels.csv"]) == 0
        assert f"labels.csv: {36 + 6 * number} labels, 6 of them new." in capsys.readouterr().out
    assert {line["id"]: line["label"] for line in lines_of("labels.csv")}.items() <= truth.items()


def test_tell_says_what_people_confirmed_and_keeps_other_columns(folder, capsys):
    (folder / "labels.csv").write_text("by,id,label\nAnn,a,cat\nBob,b,\n")
    (folder / "next.csv").write_text("id,label,pseudo_label\nb,dog,dog\nc,cat,dog\nd,,dog\n")
    assert main(["tell", "next.csv", "--labels", "labels.csv"]) == 0
    assert (folder / "labels.csv").read_text() == "by,id,label\nAnn,a,cat\nBob,b,dog\n,c,cat\n"
    out = capsys.readouterr().out
    assert "1 of 2 pseudo-labels were confirmed (50%)." in out
    assert "1 rows of next.csv have no label." in out
    assert "New classes: dog." in out


def test_a_time_limit_that_is_too_short_says_how_much_would_do(folder, capsys):
    options = ["--labels", "labels.csv", "--budget", "6", "--out", "next.csv", *QUICK]
    assert main(["next", "iris.csv", *options, "--time-limit", "0.001"]) == 1
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith("skprune: error: time_limit=0.001")
    assert "--resume" in last
    assert not (folder / "next.csv").exists()


def test_a_time_limit_is_that_of_the_fit(folder, monkeypatch):
    fit, limits = SemiPrune.fit, []

    def spy(self, *args, **options):
        limits.append(self.time_limit)
        return fit(self, *args, **options)

    monkeypatch.setattr(SemiPrune, "fit", spy)
    options = ["--labels", "labels.csv", "--budget", "6", "--out", "next.csv", *QUICK]
    assert main(["next", "iris.csv", *options, "--time-limit", "3600"]) == 0
    assert limits == [3600.0]
    assert len(lines_of("next.csv")) == 6


def test_tell_replaces_no_label_unless_forced(folder, capsys):
    (folder / "labels.csv").write_text("id,label\na,cat\n")
    (folder / "next.csv").write_text("id,label\na,dog\nb,dog\n")
    assert main(["tell", "next.csv", "--labels", "labels.csv"]) == 1
    assert "such as 'a': 'dog' and 'cat'. Pass --force" in capsys.readouterr().err
    assert (folder / "labels.csv").read_text() == "id,label\na,cat\n"
    assert main(["tell", "next.csv", "--labels", "labels.csv", "--force"]) == 0
    assert (folder / "labels.csv").read_text() == "id,label\na,dog\nb,dog\n"


BAD = {
    "no data": (["nothing.csv"], "nothing.csv does not exist"),
    "unknown data": (["labels.txt"], "is no folder of images"),
    "no images": (["empty"], "empty holds no images"),
    "option of images": (["iris.csv", "--size", "8"], "--size does not go with iris.csv"),
    "mirrored table": (["iris.csv", "--no-mirror"], "--no-mirror does not go with iris.csv, which holds no images"),
    "no column of labels": (
        ["iris.csv", "--label-column", "kind"],
        "no column 'kind' (--label-column). Its columns: id, a",
    ),
    "no id column": (["iris.csv", "--id-column", "key"], "no column 'key' (--id-column). Its columns: id, a"),
    "ids twice": (["iris.csv", "--id-column", "place"], "holds the id 'Oslo' twice"),
    "broken table": (["broken.parquet"], "broken.parquet cannot be read as a table"),
    "broken array": (["broken.npy"], "broken.npy cannot be read as numbers"),
    "flat array": (["flat.npy"], "shape (3,)"),
    "several arrays": (["two.npz"], "holds the arrays a, b. Choose one with --array"),
    "unknown array": (["two.npz", "--array", "c"], "holds no array 'c', but a, b"),
    "other rows": (["iris.npy"], "labels 30 rows that iris.npy does not hold: 'plant 0'"),
    "two labels": (["iris.csv", "--labels", "twice.csv"], "gives 'plant 0' two labels, 'x' and 'y'"),
    "no label column": (["iris.csv", "--labels", "iris.csv"], 'must have the columns "id" and "label"'),
    "no labels file": (["iris.csv", "--labels", "lost.csv"], "lost.csv: No such file"),
    "no labels": (["iris.csv", "--labels", "none.csv"], "No row has a label"),
    "too many": (["iris.csv", "--budget", "500"], "only 120 of 150 rows need a label"),
    "unknown name": (["iris.csv", "--selection", "bets"], "Did you mean 'beta'"),
    "output is there": (["iris.csv", "--out", "iris.npy"], "iris.npy is there already. Pass --force"),
    "output nowhere": (["iris.csv", "--out", "no/next.csv"], "no is no folder"),
    "one output for two": (["iris.csv", "--report", "next.csv"], "cannot hold both"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_its_message(folder, capsys, case):
    (folder / "labels.txt").touch()
    (folder / "empty").mkdir()
    (folder / "broken.parquet").write_bytes(b"PAR1 no")
    (folder / "broken.npy").write_bytes(b"\x93NUMPY no")
    np.save("flat.npy", np.zeros(3))
    np.savez("two.npz", a=np.zeros((3, 2)), b=np.zeros((3, 2)))
    (folder / "twice.csv").write_text("id,label\nplant 0,x\nplant 0,y\n")
    (folder / "none.csv").write_text("id,label\nplant 0,\n")
    before = sorted(folder.rglob("*"))
    options, message = BAD[case]
    arguments = ["next", *options, *QUICK]
    for name, value in {"--labels": "labels.csv", "--budget": "5", "--out": "next.csv"}.items():
        arguments += [] if name in options else [name, value]
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert message in err
    assert err.startswith("skprune: error: ")
    assert out == ""
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["nxt"], "invalid choice: 'nxt'"),
        (["next", "iris.csv", "--out", "next.csv"], "--budget"),
        (["next", "iris.csv", "--budget", "0", "--out", "next.csv"], "'0' is no whole number of at least 1"),
        (["prune", "iris.csv", "--ratio", "30", "--out", "next.csv"], "'30' is no fraction"),
        (["next", "iris.csv", "--budget", "3", "--out", "n.csv", "--time-limit", "0"], "'0' is no number of seconds"),
        (["report", "iris.csv", "--ratio", "0.1", "--budget", "3", "--out", "r.html"], "not allowed with"),
    ],
)
def test_wrong_commands_end_with_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_warnings_are_one_line_each(folder, capsys):
    (folder / "few.csv").write_text("id,label\nplant 0,x\nplant 60,y\n")
    assert main(["next", "iris.csv", "--labels", "few.csv", "--budget", "3", "--out", "next.csv", *QUICK]) == 0
    err = capsys.readouterr().err
    assert all(line.startswith("skprune: warning: ") for line in err.splitlines())
    assert "Traceback" not in err


def test_an_interrupt_leaves_what_resume_goes_on_from(folder, capsys, monkeypatch):
    command = ["next", "iris.csv", "--labels", "labels.csv", "--budget", "5", *QUICK, "--out", "next.csv"]
    assert main([*command[:-1], "other.csv"]) == 0

    def record_pool(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_stages, "record_pool", record_pool)
        assert main(command) == 130
    assert "next.csv.work keeps what is done. The same command with --resume" in capsys.readouterr().err
    assert not (folder / "next.csv").exists()
    assert main(command) == 1
    assert "Pass --resume to go on from it, or --force to begin anew" in capsys.readouterr().err

    def label_pool(*args, **kwargs):
        pytest.fail("the labeling was done already")

    with monkeypatch.context() as patch:
        patch.setattr(_stages, "label_pool", label_pool)
        assert main([*command, "--resume"]) == 0
    assert (folder / "next.csv").read_bytes() == (folder / "other.csv").read_bytes()
    assert not (folder / "next.csv.work").exists()


def test_an_error_after_the_training_says_that_it_is_kept(folder, capsys, monkeypatch):
    command = ["next", "iris.csv", "--labels", "labels.csv", "--budget", "5", "--out", "next.csv", *QUICK]

    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device", "next.csv")

    with monkeypatch.context() as patch:
        patch.setattr("skprune._command_line._next.write_proposals", fail)
        assert main(command) == 1
    err = capsys.readouterr().err
    assert "error: next.csv: No space left on device. next.csv.work keeps what is done." in err
    assert main([*command, "--resume"]) == 0


def test_force_begins_anew_but_removes_no_folder_of_others(folder, capsys):
    command = ["next", "iris.csv", "--labels", "labels.csv", "--budget", "5", "--out", "next.csv", "--force", *QUICK]
    (folder / "next.csv.work").mkdir()
    (folder / "next.csv.work" / "precious.txt").touch()
    assert main(command) == 1
    assert "something else is there" in capsys.readouterr().err
    assert (folder / "next.csv.work" / "precious.txt").exists()
    (folder / "next.csv.work" / "made-by-skprune").touch()
    assert main(command) == 0
    assert not (folder / "next.csv.work").exists()


def test_ctrl_c(folder):
    """A real interrupt of a real process, while the proxy is trained."""
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "from skprune._command_line._main import main; sys.exit(main())"
    command = ["next", "iris.csv", "--labels", "labels.csv", "--budget", "5", "--out", "next.csv", *QUICK]
    command[command.index("--epochs") + 1] = "200"
    process = subprocess.Popen([sys.executable, "-c", code, *command], stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 120
    while not stages(folder / "next.csv.work") and time.monotonic() < end and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "--resume" in err
    assert "Traceback" not in err
    assert len(stages(folder / "next.csv.work")) == 1
    assert not (folder / "next.csv").exists()


def test_help_is_quick_and_imports_nothing_heavy():
    code = "import sys; sys.argv = ['skprune', 'next', '--help']\n"
    code += "from skprune._command_line._main import main\n"
    code += "try: main()\nexcept SystemExit: pass\n"
    code += "assert not {'torch', 'numpy', 'sklearn', 'pandas'} & set(sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert "examples:" in run.stdout


def test_tell_imports_no_torch(folder):
    (folder / "next.csv").write_text("id,label\na,dog\n")
    code = "import sys; from skprune._command_line._main import main\n"
    code += "assert main(['tell', 'next.csv', '--labels', 'new.csv']) == 0; assert 'torch' not in sys.modules"
    root = str(Path(__file__).parents[1])
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r})\n{code}"], capture_output=True
    )
    assert run.returncode == 0, run.stderr


def test_python_m_skprune():
    run = subprocess.run([sys.executable, "-m", "skprune", "--version"], capture_output=True, text=True, timeout=120)
    assert run.stdout.startswith("skprune 0.")


@pytest.mark.parametrize("missing", ["pandas", "skrub"])
def test_a_missing_package_is_named(folder, capsys, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    assert main(["next", "iris.csv", "--labels", "labels.csv", "--budget", "5", "--out", "next.csv", *QUICK]) == 1
    err = capsys.readouterr().err
    assert missing in err
    assert "skprune[tables]" in err


def test_the_help_in_the_docs_is_up_to_date():
    docs = Path(__file__).parents[1] / "docs"
    spec = spec_from_file_location("command_line_help", docs / "command_line_help.py")
    script = module_from_spec(spec)
    spec.loader.exec_module(script)
    written = {file.name: file.read_text() for file in script.FOLDER.iterdir()}
    assert written == script.help_texts(), "run docs/command_line_help.py"
    page = (docs / "command_line.rst").read_text()
    assert all(f"literalinclude:: command_line/{name}\n" in page for name in written)
