"""How the command line reads tables, folders, arrays and their labels: nothing is rewritten, and nothing is forgotten."""

import csv
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits, load_iris

from skprune._command_line._labels_file import read_labels
from skprune._command_line._main import main
from skprune._command_line._reading import read_data
from skprune._command_line._tables import _read_frame
from skprune._utils._columns import cell_texts
from skprune.datasets import load_image_folder, load_images
from skprune.labeling import read_answers

STEPS = ["--steps", "8", "--epochs", "10"]
NAMES = np.array(["setosa", "versicolor", "virginica"], dtype=object)
WIDE = "".join(f",x{column}" for column in range(1100))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(path, labels=None, **options):
    """Return data, and their labels."""
    names = ("size", "gray", "label_column", "id_column", "array")
    arguments = SimpleNamespace(data=path, labels=labels, seed=0, quiet=False, **dict.fromkeys(names) | options)
    data = read_data(arguments)
    return data, read_labels(arguments, data).tolist()


def column_of(file, name):
    with open(file, newline="", encoding="utf-8") as stream:
        return [line[name] for line in csv.DictReader(stream)]


def fill_in(file, label_of):
    """Write labels into a file of proposals, as people do, and return the ids."""
    frame = pd.read_csv(file, dtype=str)
    frame["label"] = [label_of[name] for name in frame["id"]]
    frame.to_csv(file, index=False)
    return list(frame["id"])


def draw(path, shade=0, size=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, shade).save(path)


# Labels of two sources


def test_a_second_round_knows_the_labels_of_a_column(folder, capsys):
    """Its labels count where the file of labels has none, and it is no input."""
    X, y = load_iris(return_X_y=True)
    frame = pd.DataFrame(X, columns=["sl", "sw", "pl", "pw"])
    frame["species"] = np.where(np.arange(150) % 5 == 0, NAMES[y], None)
    frame.to_csv("t.csv", index=False)
    truth = dict(zip(map(str, range(150)), NAMES[y], strict=True))
    options = ["--label-column", "species", "--budget", "10", *STEPS]
    assert main(["next", "t.csv", *options, "--out", "first.csv", "--quiet"]) == 0
    told = fill_in("first.csv", truth)
    assert main(["tell", "first.csv", "--labels", "labels.csv"]) == 0
    assert main(["next", "t.csv", *options, "--labels", "labels.csv", "--out", "second.csv"]) == 0
    err = capsys.readouterr().err
    assert "Labels: 10 from labels.csv, 30 more from the column 'species'.\n" in err
    assert "warning" not in err
    asked = column_of("second.csv", "id")
    assert set(told).isdisjoint(asked)
    assert all(int(name) % 5 for name in asked)


def test_the_file_of_labels_wins_over_a_column(folder):
    (folder / "t.csv").write_text("id,a,kind\nx,1,cat\ny,2,dog\nz,3,\nw,4,\n")
    (folder / "l.csv").write_text("id,label\nx,bird\nz,fox\n")
    data, labels = read(folder / "t.csv", folder / "l.csv", label_column="kind")
    assert labels == ["bird", "dog", "fox", None]
    assert list(data.shown.columns) == ["a"]


@pytest.mark.parametrize("command", ["next", "suggest"])
def test_a_column_label_is_no_input(folder, capsys, command):
    (folder / "t.csv").write_text("id,a,label\nx,1,cat\ny,2,\nz,3,dog\n")
    (folder / "l.csv").write_text("id,label\nx,cat\n")
    options = ["--labels", "l.csv", "--budget", "1"] if command == "next" else ["1"]
    assert main([command, "t.csv", *options, "--out", "o.csv"]) == 1
    assert 't.csv has a column "label". Pass --label-column label: its labels count' in capsys.readouterr().err
    assert read(folder / "t.csv", label_column="label")[1] == ["cat", None, "dog"]


def test_a_column_of_classes_and_empty_cells_gets_a_warning(folder):
    (folder / "t.csv").write_text("id,a,kind,full\nx,1,cat,cat\ny,2,,dog\nz,3,dog,cat\n")
    (folder / "l.csv").write_text("id,label\nx,cat\ny,dog\n")
    with pytest.warns(
        UserWarning, match=r"The column 'kind' of .*t.csv holds classes .* pass --label-column kind"
    ) as all_of:
        read(folder / "t.csv", folder / "l.csv")
    assert len(all_of) == 1


def test_a_second_round_knows_the_labels_of_subfolders(folder, capsys):
    X, y = load_digits(return_X_y=True)
    truth = {}
    for row in range(60):
        name = ("cat", "dog")[y[row] % 2]
        path = folder / "photos" / (name if row % 3 == 0 else "unlabeled") / f"{row:02d}.png"
        truth[path.relative_to(folder / "photos").as_posix()] = name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((X[row].reshape(8, 8) * 15).astype(np.uint8)).save(path)
    options = ["--budget", "8", *STEPS]
    assert main(["next", "photos", *options, "--out", "first.csv", "--quiet"]) == 0
    fill_in("first.csv", truth)
    assert main(["tell", "first.csv", "--labels", "labels.csv"]) == 0
    assert main(["next", "photos", "--labels", "labels.csv", *options, "--out", "second.csv"]) == 0
    assert "Labels: 8 from labels.csv, 20 more from the subfolders cat, dog.\n" in capsys.readouterr().err
    asked = column_of("second.csv", "id")
    assert all(name.startswith("unlabeled/") for name in asked)
    assert set(column_of("first.csv", "id")).isdisjoint(asked)


def test_subfolders_are_classes_where_the_file_of_labels_has_one_of_them(folder, capsys):
    for name in ("cat/1.png", "dog/2.png", "unlabeled/3.png", "4.png"):
        draw(folder / "photos" / name)
    (folder / "l.csv").write_text("id,label\ncat/1.png,fox\n4.png,dog\n")
    data, labels = read(folder / "photos", folder / "l.csv")
    assert dict(zip(data.ids, labels, strict=True)) == {
        "4.png": "dog",
        "cat/1.png": "fox",
        "dog/2.png": "dog",
        "unlabeled/3.png": None,
    }
    capsys.readouterr()
    (folder / "l.csv").write_text("id,label\ncat/1.png,fox\n4.png,hen\n")
    assert read(folder / "photos", folder / "l.csv")[1] == ["hen", "fox", None, None]
    assert "The names of the subfolders cat, dog are no labels: " in capsys.readouterr().err


# Cells as they are written


def test_labels_and_ids_of_a_csv_file_are_read_as_written(folder):
    lines = ["0007,1,0", "078e5,2,01", "7,NA,", "1e3,4,None", "NA,5, NA ", "True,6,1"]
    (folder / "t.csv").write_text("key,a,kind\n" + "\n".join(lines) + "\n")
    data, labels = read(folder / "t.csv", label_column="kind", id_column="key")
    assert data.ids.tolist() == ["0007", "078e5", "7", "1e3", "NA", "True"]
    assert labels == ["0", "01", None, "None", "NA", "1"]
    assert data.shown["a"].isna().tolist() == [False, False, True, False, False, False]


def test_whole_numbers_with_missing_cells_stay_whole(folder):
    frame = pd.DataFrame(
        {"id": [7.0, 8.0, 9.0], "a": [1, 2, 3], "kind": [0.0, np.nan, 1.0], "level": [0.5, np.nan, 1.0]}
    )
    frame.to_parquet("t.parquet")
    data, labels = read(folder / "t.parquet", label_column="kind")
    assert labels == ["0", None, "1"]
    assert data.ids.tolist() == ["7", "8", "9"]
    assert read(folder / "t.parquet", label_column="level")[1] == ["0.5", None, "1.0"]


def test_classes_of_any_name_need_no_unlabeled_row(folder, capsys):
    frame = pd.DataFrame(load_iris().data[:100], columns=["sl", "sw", "pl", "pw"])
    frame["kind"] = np.repeat(["None", "some"], 50)
    frame.to_csv("t.csv", index=False)
    assert main(["prune", "t.csv", "--label-column", "kind", "--ratio", ".1", "--out", "o.csv", *STEPS, "--quiet"]) == 0
    assert set(column_of("o.csv", "label")) == {"None", "some"}
    said = capsys.readouterr().err
    assert "t.csv holds 'None', read as a class. If this marks rows without a label, leave their labels empty." in said
    assert "missing_label" not in said


@pytest.mark.parametrize("name", ["id", "key"])
def test_a_named_index_of_parquet_is_a_column(folder, name):
    frame = pd.DataFrame({"a": [1, 2, 3]}, index=pd.Index(["x", "y", "z"], name=name))
    frame.to_parquet("t.parquet")
    (folder / "l.csv").write_text("id,label\nz,cat\n")
    data, labels = read(folder / "t.parquet", folder / "l.csv", id_column=None if name == "id" else name)
    assert data.ids.tolist() == ["x", "y", "z"]
    assert labels == [None, None, "cat"]
    assert list(data.shown.columns) == ["a"]


def test_ids_with_spaces_at_their_ends_come_back(folder):
    (folder / "t.csv").write_text("id,a\n x,1\nx,2\ny ,3\n z ,4\nz  ,5\n")
    (folder / "l.csv").write_text("id,label\n x,cat\nx,dog\ny,fox\n")
    data, labels = read(folder / "t.csv", folder / "l.csv")
    assert data.ids.tolist() == [" x", "x", "y ", " z ", "z  "]
    assert labels == ["cat", "dog", "fox", None, None]
    (folder / "l.csv").write_text("id,label\nz,cat\n")
    with pytest.raises(ValueError, match="labels 1 rows that .*t.csv does not hold: 'z'"):
        read(folder / "t.csv", folder / "l.csv")
    (folder / "l.csv").write_text("id,label\ny ,cat\ny,dog\n")
    with pytest.raises(ValueError, match="gives 'y' two labels, 'cat' and 'dog'"):
        read(folder / "t.csv", folder / "l.csv")


def test_tell_keeps_spaces_of_ids(folder):
    (folder / "next.csv").write_text("id,label\n x,cat\nx,dog\n")
    for _ in range(2):
        assert main(["tell", "next.csv", "--labels", "l.csv"]) == 0
        assert read_answers("l.csv") == {" x": "cat", "x": "dog"}


# CSV files of spreadsheets


@pytest.mark.parametrize("separator", [";", "\t"])
def test_semicolons_and_tabs_separate_cells(folder, separator):
    lines = ["id;price;amount;text;kind", "r1;1,5;1;a,b;0", "r2;-2;2;c;0,5", "r3;;3;1,5;1", "r4;3,25;4;d;"]
    (folder / "t.csv").write_text("\n".join(lines).replace(";", separator), encoding="utf-8-sig")
    data, labels = read(folder / "t.csv", label_column="kind")
    assert data.ids.tolist() == ["r1", "r2", "r3", "r4"]
    assert labels == ["0", "0,5", "1", None]
    assert data.shown["price"].fillna(0).tolist() == [1.5, -2, 0, 3.25]
    assert data.shown["text"].tolist() == ["a,b", "c", "1,5", "d"]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_labels_may_be_separated_by_semicolons_and_tabs(folder, separator):
    lines = "id;label\n1.png;small, gray\n2.png;dog\n"
    (folder / "l.csv").write_text(lines.replace(";", separator), encoding="utf-8-sig")
    assert read_answers("l.csv") == {"1.png": "small, gray", "2.png": "dog"}
    for name in ("1.png", "2.png", "3.png"):
        draw(folder / "photos" / name)
    assert load_images("photos", folder / "l.csv").target.tolist() == ["small, gray", "dog", None]


def test_a_separator_that_nothing_tells_is_refused(folder, capsys):
    (folder / "t.csv").write_text("price, EUR;name\n1;2\n")
    assert main(["suggest", "t.csv", "1", "--out", "o.csv"]) == 1
    assert "The header of t.csv holds ',' and ';' equally often" in capsys.readouterr().err


def test_commas_at_the_ends_of_lines_shift_nothing(folder, capsys):
    (folder / "t.csv").write_text("id,a,b\nr1,101,7.5,\nr2,102,7.6,\n")
    data = read(folder / "t.csv", label_column="b")[0]
    assert data.ids.tolist() == ["r1", "r2"]
    assert data.shown["a"].tolist() == [101, 102]
    (folder / "t.csv").write_text("id,a,b\nr1,101,7.5,\nr2,1,02,7.6\n")
    assert main(["suggest", "t.csv", "1", "--out", "o.csv"]) == 1
    assert "Line 3 of t.csv has 4 cells, and the first line names 3 columns." in capsys.readouterr().err
    (folder / "l.csv").write_text("filename,label\n1.png,small, gray\n")
    draw(folder / "1.png")
    with pytest.raises(ValueError, match=r"Line 2 of .*l.csv has \d cells, and the first line names \d columns"):
        load_images(folder, "l.csv")


@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_commas_may_come_late(folder, separator):
    """Pandas reads large and wide files a part at a time, each with types of its own."""
    lines = ["id;a" + WIDE.replace(",", ";"), *(f"{row};{row}" for row in range(1000)), "-1;0,5", "-2;"]
    (folder / "t.csv").write_text("\n".join(lines).replace(";", separator))
    cells = _read_frame(folder / "t.csv", as_text=("id",))["a"]
    assert cells.iloc[:-1].tolist() == [*range(1000), 0.5]
    assert np.isnan(cells.iloc[-1])


def test_a_text_column_holds_texts_alone(folder):
    lines = ["id,a" + WIDE, *(f"{row},{row}" for row in range(1000)), "-1,word"]
    (folder / "t.csv").write_text("\n".join(lines))
    assert set(map(type, _read_frame(folder / "t.csv", as_text=("id",))["a"])) == {str}


@pytest.mark.parametrize("blank", ["", "\n", " \n;;\n\n"])
def test_a_header_of_several_lines_after_empty_ones_tells_the_separator(folder, blank):
    (folder / "t.csv").write_text(f'{blank}"length, or\n""l"", (cm)";width;id\n1,5;2;x\n2,5;3;"y\n;;\nz"\n')
    (folder / "l.csv").write_text("id,label\nx,cat\n")
    data = read(folder / "t.csv", folder / "l.csv")[0]
    assert data.ids.tolist() == ["x", "y\n;;\nz"]
    assert data.shown.to_numpy().tolist() == [[1.5, 2], [2.5, 3]]
    assert list(data.shown.columns) == ['length, or\n"l", (cm)', "width"]


def test_empty_lines_of_a_file_of_labels_are_no_names(folder):
    draw(folder / "photos" / "1.png")
    (folder / "l.csv").write_text('\n;;\n"filename";label;"a, note\nfor us"\n1.png;cat;\n;;\n')
    assert load_images("photos", folder / "l.csv").target.tolist() == ["cat"]


def test_a_quote_within_a_cell_quotes_nothing(folder):
    (folder / "t.csv").write_text('5" pipe;id\n1,5;x\n;;\n2,5;y\n')
    assert _read_frame(folder / "t.csv", as_text=("id",)).to_numpy().tolist() == [[1.5, "x"], [2.5, "y"]]


@pytest.mark.parametrize("cells", [["1,000", "25,000", "7"], ["1,000", "1,000,000"], ["-1,000.5", "12.5"]])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_commas_that_may_part_thousands_are_refused_by_column(folder, capsys, cells, separator):
    lines = [separator.join(line) for line in [("id", "price"), *zip("abc", cells, strict=False)]]
    (folder / "t.csv").write_text("\n".join(lines))
    assert main(["suggest", "t.csv", "1", "--out", "o.csv"]) == 1
    err = capsys.readouterr().err
    assert (
        f"The column 'price' of t.csv holds '{cells[0]}', whose comma may part thousands or decimals. Write its" in err
    )


@pytest.mark.parametrize("other", ["0,125", "2,5", "1234,567"])
def test_one_certain_decimal_comma_tells_for_all(folder, other):
    (folder / "t.csv").write_text(f"id;a\nx;1,250\ny;{other}\n1,000;7\n")
    frame = _read_frame(folder / "t.csv", as_text=("id",))
    assert frame["a"].tolist() == [1.25, float(other.replace(",", ".")), 7]


def test_lines_of_empty_cells_are_no_rows(folder):
    """Rows without ids are counted as pandas counts them."""
    (folder / "t.csv").write_text('a;kind\n1;0\n;\n2;1;\n3;\n"";""\n4;0\n;;\n ; ;\n;;;;\n')
    data, labels = read(folder / "t.csv", label_column="kind")
    assert data.ids.tolist() == ["0", "2", "3", "5"]
    assert data.shown["a"].tolist() == [1, 2, 3, 4]
    assert data.shown.index.tolist() == [0, 1, 2, 3]
    assert labels == ["0", "1", None, "0"]
    (folder / "t.csv").write_text("id,a\n7,1\n,,\n,\n")
    assert _read_frame(folder / "t.csv", as_text=("id",))["id"].tolist() == ["7"]


def test_cells_beyond_the_header_are_named_by_the_line_they_are_in(folder, capsys):
    (folder / "t.csv").write_text("\n,,\nid,a\nx,1\n,,\n\ny,1,5\n")
    assert main(["suggest", "t.csv", "1", "--out", "o.csv"]) == 1
    assert "Line 7 of t.csv has 3 cells, and the first line names 2 columns." in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_whole_numbers_that_pandas_made_floats_are_whole(folder, suffix):
    """Partial labels of 0 and 1 are floats in a frame, and people type 1."""
    frame = pd.DataFrame({"id": [7.0, 8, 9], "a": [1, 2, 3], "kind": [0, None, 1], "level": [0.5, None, 1]})
    frame.to_csv("t.csv", index=False)
    frame.to_parquet("t.parquet")
    data, labels = read(folder / f"t.{suffix}", label_column="kind")
    assert labels == ["0", None, "1"]
    assert data.ids.tolist() == ["7", "8", "9"]
    assert read(folder / f"t.{suffix}", label_column="level")[1] == ["0.5", None, "1.0"]


@pytest.mark.parametrize(
    ("cells", "texts", "short"),
    [
        ([3.0, None, 12345.0], ["3", "", "12345"], ["3", "", "12345"]),
        (np.array([3.0, np.nan], np.float32), ["3", ""], ["3", ""]),
        ([3.0, 0.123456], ["3.0", "0.123456"], ["3", "0.1235"]),
        (["3.0", "Rome", pd.NA], ["3.0", "Rome", ""], ["3.0", "Rome", ""]),
        ([3, True, np.inf], ["3", "True", "inf"], ["3", "True", "inf"]),
        ([np.nan, None], ["", ""], ["", ""]),
    ],
)
def test_cells_are_the_same_texts_in_tasks_and_in_the_report(cells, texts, short):
    assert cell_texts(cells) == texts
    assert cell_texts(cells, "{:.4g}".format) == short  # as the report does it


def test_an_index_that_is_a_column_too(folder, capsys):
    frame = pd.DataFrame({"id": ["x", "y"], "a": [1, 2], "kind": ["cat", None]})
    frame.set_index("id", drop=False).to_parquet("t.parquet")
    data = read(folder / "t.parquet", label_column="kind")[0]
    assert data.ids.tolist() == ["x", "y"]
    assert list(data.shown.columns) == ["a"]
    frame.set_index(pd.Index(["x", "z"], name="id")).to_parquet("t.parquet")
    assert main(["suggest", "t.parquet", "1", "--out", "o.csv"]) == 1
    assert (
        "t.parquet has an index and a column of the name 'id', with other values. Rename one" in capsys.readouterr().err
    )


# Folders of images


def test_links_to_folders_are_followed_and_hidden_files_left_out(folder):
    draw(folder / "elsewhere" / "1.png", 10)
    for name in ("dog/2.png", ".thumbs/0.png", "dog/.ipynb_checkpoints/2.png", "dog/._2.png", ".0.png"):
        draw(folder / "photos" / name, 20)
    (folder / "photos" / "cat").symlink_to(folder / "elsewhere")
    (folder / "elsewhere" / "around").symlink_to(folder / "photos")  # a circle
    (folder / "photos" / "self").symlink_to(folder / "photos" / "self")
    data, labels = read(folder / "photos")
    assert data.ids.tolist() == ["cat/1.png", "dog/2.png"]
    assert labels == ["cat", "dog"]
    images = load_image_folder(folder / "photos", size=8)
    assert images.target.tolist() == ["cat", "dog"]
    assert images.data[:, 0, 0, 0].tolist() == [10, 20]
    (folder / "photos" / "l.csv").write_text("id,label\n")
    draw(folder / "photos" / "3.png")
    assert [file.name for file in load_images(folder / "photos", "l.csv").filenames] == ["3.png"]


# Messages


def test_an_image_beside_the_subfolders_is_named(folder, capsys):
    for name in ("cat/1.png", "dog/2.png", "logo.png"):
        draw(folder / "photos" / name)
    assert main(["next", "photos", "--budget", "1", "--out", "o.csv"]) == 1
    err = capsys.readouterr().err
    assert "There are no labels: the names of subfolders are classes where every image lies in one, and logo.png" in err


def test_an_image_that_is_gone_says_what_to_do(folder, capsys):
    draw(folder / "photos" / "1.png")
    (folder / "l.csv").write_text("id,label\n1.png,cat\n2.png,dog\n")
    assert main(["next", "photos", "--labels", "l.csv", "--budget", "1", "--out", "o.csv"]) == 1
    err = capsys.readouterr().err
    assert "does not hold: '2.png'. Put them back, or remove their lines from the file." in err


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_arrays_with_nan_or_infinity_are_refused_at_once(folder, capsys, value):
    X = np.ones((5, 2))
    X[3, 1] = value
    np.save("x.npy", X)
    assert main(["suggest", "x.npy", "2", "--out", "o.csv"]) == 1
    assert "x.npy holds NaN or infinity in 1 rows, first in row 3." in capsys.readouterr().err


@pytest.mark.parametrize("value", ["inf", "1e300"])
def test_infinity_in_a_table_is_refused_by_column(folder, capsys, value):
    (folder / "t.csv").write_text(f"a,b\n1,2\n3,{value}\n5,\n")
    assert main(["suggest", "t.csv", "2", "--out", "o.csv"]) == 1
    assert f"The column 'b' of t.csv holds {'inf' if value == 'inf' else '1e+300'} in row 1" in capsys.readouterr().err


def test_a_table_without_values_is_named(folder, capsys):
    (folder / "t.csv").write_text("id,a,b\nx,,\ny,,?\n")
    assert main(["suggest", "t.csv", "1", "--out", "o.csv"]) == 1
    assert "t.csv holds nothing to learn from: all cells are empty in a, b." in capsys.readouterr().err


def test_a_table_that_is_no_table_is_refused(folder, capsys):
    for text in ("", "\n", ";;\n\n", "a,b\n", "a,b\n,\n"):
        (folder / "t.csv").write_text(text)
        assert main(["suggest", "t.csv", "1", "--out", "o.csv"]) == 1
        reason = "holds no rows." if "a" in text else "cannot be read as a table: No columns to parse from file"
        assert capsys.readouterr().err == f"skprune: error: t.csv {reason}\n"


def test_lists_in_a_column_are_refused_by_its_name(folder, capsys):
    pd.DataFrame({"a": [1, 2], "vector": [[1.0, 2.0], None]}).to_parquet("t.parquet")
    assert main(["suggest", "t.parquet", "1", "--out", "o.csv"]) == 1
    assert "The cells of the column 'vector' of t.parquet hold several values each." in capsys.readouterr().err


@pytest.mark.parametrize("shape", [(0, 4), (3, 0)])
def test_an_array_without_numbers_is_refused(folder, capsys, shape):
    np.save("x.npy", np.ones(shape))
    assert main(["suggest", "x.npy", "1", "--out", "o.csv"]) == 1
    assert f"x.npy holds an array of shape {shape}, with no numbers at all." in capsys.readouterr().err


def test_two_columns_of_one_name_are_refused(folder, capsys):
    (folder / "t.csv").write_text("id,label,a,label\nx,cat,1,cat\ny,,2,dog\n")
    assert main(["next", "t.csv", "--label-column", "label", "--budget", "1", "--out", "o.csv"]) == 1
    assert "t.csv names two columns 'label'. Each column needs a name of its own." in capsys.readouterr().err
    draw(folder / "photos" / "1.png")
    (folder / "l.csv").write_text("id,label,label\n1.png,cat,dog\n")
    with pytest.raises(ValueError, match=r"l.csv names two columns 'label'"):
        load_images("photos", folder / "l.csv")
