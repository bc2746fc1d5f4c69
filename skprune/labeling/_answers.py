"""The answers of people: CSV files with ids and labels, and what Label Studio exports."""

import json
import re
import tempfile
from codecs import BOM_UTF8
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from skprune._utils._csv_files import check_names, numbered_cells, separator_of
from skprune.labeling._label_studio import FROM_NAME, ID_FIELD

_TASK_FIELDS = (ID_FIELD, "rank", "difficulty", "why", "image", "text", "table")
_EXPORT_FIELDS = ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time")  # which JSON-MIN adds
_ID_COLUMNS = (ID_FIELD, "id", "filename")  # Label Studio's own "id" is that of a task


@dataclass(frozen=True)
class Answer:
    """A row, the label that somebody gave, and the pseudo-label; both None where there is none."""

    id: str
    label: str | None
    pseudo_label: str | None


@dataclass(frozen=True)
class Table:
    """A CSV file with ids and labels: its columns, a cell for each of them by line, and how it is written."""

    columns: list
    lines: list
    separator: str = ","
    encoding: str = "utf-8"

    def place(self, name):
        """Return which column has a name; that of the ids is "id" whatever the file calls it."""
        return self.columns.index(_id_column(self.columns) if name == "id" else name)

    def cells(self, name):
        """Return the cells of a column."""
        return [line[self.place(name)] for line in self.lines]

    def answers(self):
        """Return what each line says."""
        nothing = [""] * len(self.lines)
        pseudo_labels = self.cells("pseudo_label") if "pseudo_label" in self.columns else nothing
        cells = zip(self.cells("id"), self.cells("label"), pseudo_labels, strict=True)
        return [Answer(_text(name) and name, _text(label), _text(pseudo)) for name, label, pseudo in cells]


def read_answers(file):
    """Read the labels that people gave.

    Parameters
    ----------
    file : path-like
        A CSV file with the columns ``label`` and ``id`` (or ``filename``), such as :func:`write_proposals` writes, separated by
        commas, semicolons or tabs; or what Label Studio exports of the tasks of :func:`label_studio_tasks`, as JSON, JSON-MIN
        (both ``.json``) or CSV.

    Returns
    -------
    dict of {str: str}
        The label by the name of the row as it is written, in the order of the file. Rows without a label are left out, those
        that people skipped among them.

    Raises
    ------
    ValueError
        The file holds no ids or no labels, or a row has several labels.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skprune.labeling import read_answers
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "next.csv").write_text("id,label,pseudo_label\\n7,cat,dog\\n3,,dog\\n")
    ...     read_answers(f"{folder}/next.csv")
    {'7': 'cat'}
    """
    return labels_of(answers_in(file), file)


def answers_in(file):
    """Return all answers in a file, those without a label too."""
    if Path(file).suffix.lower() == ".json":
        return _answers_of_label_studio(file)
    return read_lines(file).answers()


def labels_of(answers, file):
    """Map ids to labels; refuse an answer without an id, and an id with two labels."""
    labels = {}
    for number, answer in enumerate(answers, 1):
        if answer.id is None:
            raise ValueError(f"Entry {number} of {file} has no id.")
        if answer.label is not None and labels.setdefault(answer.id, answer.label) != answer.label:
            raise ValueError(f"{file} gives {answer.id!r} two labels, {labels[answer.id]!r} and {answer.label!r}.")
    return labels


def match_ids(names, ids):
    """Map names to ids: as they are written, else without spaces at the ends if one id alone is the same then, else to None."""
    written, stripped = set(ids), {}
    for name in ids:
        stripped.setdefault(name.strip(), []).append(name)
    same = {name: [name] if name in written else stripped.get(name.strip(), []) for name in names}
    return {name: found[0] if len(found) == 1 else None for name, found in same.items()}


def read_lines(file):
    """Read a CSV file, which may be a pipe; refuse one without ids or labels, and lines that do not fit its first one."""
    content = Path(file).read_bytes()
    encoding = "utf-8-sig" if content.startswith(BOM_UTF8) else "utf-8"
    with _again(file, content) as copy:
        separator, lines = separator_of(copy), numbered_cells(copy)
        columns = _columns(*next(lines, (1, [])), separator, file)
        return Table(columns, [cells for _, cells in lines], separator, encoding)


@dataclass(frozen=True)
class _Copy:
    """A copy of a file, which messages call by the name of that file."""

    name: object
    path: str

    def __fspath__(self):
        return self.path

    def __str__(self):
        return str(self.name)


@contextmanager
def _again(file, content):
    """Yield a file that can be opened again: a copy of a pipe, whose content is gone, and any other file itself."""
    if Path(file).is_file():
        yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "copy")
        path.write_bytes(content)
        yield _Copy(file, str(path))


def _columns(number, header, separator, file):
    """Return the names of the columns, without spaces at their ends."""
    for name in header:
        if any(mark != separator for mark in re.findall("[,;\t](?! )", name)):
            raise ValueError(
                f"Line {number} of {file} names a column {name!r}, as a spreadsheet writes it that showed each line in one cell: "
                "what was typed into the cell beside it is now part of the last column. Move it to where it belongs. If this is "
                "a name, put a space after the separator in it."
            )
    columns = [name.strip() for name in header]
    if "label" not in columns or _id_column(columns) is None:
        raise ValueError(
            f'{file} must have the columns "id" and "label". Its first line names {", ".join(columns) or "none"}.'
        )
    check_names(columns, file)
    return columns


def _id_column(columns):
    """Return the name of the column of ids, None if there is none."""
    return next((name for name in _ID_COLUMNS if name in columns), None)


def _answers_of_label_studio(file):
    try:
        tasks = json.loads(Path(file).read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError(
            f"The text of {file} is not in UTF-8. Export it again, or save it in that encoding."
        ) from error
    except ValueError as error:
        raise ValueError(f"{file} cannot be read as JSON: {error}") from error
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise ValueError(f"{file} must hold a list of tasks, as Label Studio exports them.")
    answers, others = [], set()
    for number, task in enumerate(tasks, 1):
        data = task.get("data", task)  # JSON-MIN has no level between
        if not isinstance(data, dict) or ID_FIELD not in data:
            raise ValueError(
                f"Task {number} of {file} has no {ID_FIELD!r} among its data: it is none of skprune's tasks."
            )
        try:
            predicted = _choices(item for item in _listed(task, "predictions") if isinstance(item, dict))  # or a number
            labels = _choices(_listed(task, "annotations")) if "annotations" in task else _choices_of_min(task)
            others |= _other_controls(task)
        except _Malformed as error:
            raise ValueError(f"Task {number} of {file} cannot be read: {error}.") from error
        if len(labels) > 1:
            raise ValueError(
                f"{file} gives {data[ID_FIELD]!r} several labels, {', '.join(sorted(labels))}. Settle on one."
            )
        answers.append(Answer(str(data[ID_FIELD]), *(next(iter(found), None) for found in (labels, predicted))))
    if others and not any(answer.label for answer in answers):
        raise ValueError(
            f"{file} holds no {FROM_NAME!r}, but {', '.join(map(repr, sorted(others)))}. The labels must be choices of that "
            "name, as in the setup of label_studio_config."
        )
    return answers


class _Malformed(ValueError):
    """What Label Studio does not write."""


def _choices(annotations):
    """Return the classes that annotations or predictions name; those that were skipped name none."""
    found = []
    for annotation in annotations:
        if _checked_type(annotation, dict, "annotations").get("was_cancelled"):
            continue
        for region in _listed(annotation, "result"):
            if _checked_type(region, dict, "result").get("from_name") == FROM_NAME:
                found += _listed(_checked_type(region.get("value"), dict, "value"), "choices")
    return _names(found)


def _other_controls(task):
    """Return under which other names a task holds what people said."""
    if "annotations" in task:
        annotations = [part for part in task["annotations"] or [] if not part.get("was_cancelled")]
        return {str(region.get("from_name")) for part in annotations for region in part.get("result") or []} - {
            FROM_NAME
        }
    if "data" in task:  # Label Studio before 1.0
        return {"completions"} & set(task)
    return set(task) - {FROM_NAME, *_TASK_FIELDS, *_EXPORT_FIELDS} if "annotation_id" in task else set()


def _choices_of_min(task):
    """Return the classes that a task of JSON-MIN names: a text, or of several choices a dict or a list."""
    found = task.get(FROM_NAME)
    found = _listed(found, "choices") if isinstance(found, dict) else found
    return _names(found if isinstance(found, list) else [] if found is None else [found])


def _names(choices):
    """Return the classes among choices, none for empty ones."""
    return {_checked_type(choice, str, FROM_NAME).strip() for choice in choices} - {""}


def _listed(holder, name):
    """Return a list of Label Studio, which may be left out."""
    value = holder.get(name)
    return [] if value is None else _checked_type(value, list, name)


def _checked_type(value, kind, name):
    if not isinstance(value, kind):
        needed = {dict: "an object", list: "a list", str: "a text"}[kind]
        raise _Malformed(f"{name!r} holds {json.dumps(value):.40}, where Label Studio writes {needed}")
    return value


def _text(cell):
    """Return a cell without spaces around it, None for an empty one."""
    return cell.strip() or None
