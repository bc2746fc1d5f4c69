"""The answers of people: CSV files with ids and labels, and what Label Studio exports."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

from skprune._utils._csv_files import separator_of
from skprune.labeling._label_studio import FROM_NAME, ID_FIELD

_ID_COLUMNS = (ID_FIELD, "id", "filename")  # Label Studio's own "id" is that of a task


@dataclass(frozen=True)
class Answer:
    """A row, the label that somebody gave, and the pseudo-label; both None where there is none."""

    id: str
    label: str | None
    pseudo_label: str | None


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
    columns, lines = read_lines(file)
    name = id_column(columns)
    return [
        Answer(_text(line[name]) and line[name], _text(line["label"]), _text(line.get("pseudo_label")))
        for line in lines
    ]


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
    """Return the names of the columns of a CSV file, and its lines by these; refuse it without ids or labels."""
    try:
        with open(file, newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, delimiter=separator_of(file))
            lines = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{file} cannot be read as a CSV file: {error}") from error
    columns = list(reader.fieldnames or ())
    if "label" not in columns or id_column(columns) is None:
        raise ValueError(
            f'{file} must have the columns "id" and "label". Its first line names {", ".join(columns) or "none"}.'
        )
    return columns, lines


def id_column(columns):
    """Return the name of the column of ids, None if there is none."""
    return next((name for name in _ID_COLUMNS if name in columns), None)


def _answers_of_label_studio(file):
    try:
        tasks = json.loads(Path(file).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} cannot be read as JSON: {error}") from error
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise ValueError(f"{file} must hold a list of tasks, as Label Studio exports them.")
    answers = []
    for number, task in enumerate(tasks, 1):
        data = task.get("data", task)  # JSON-MIN has no level between
        if not isinstance(data, dict) or ID_FIELD not in data:
            raise ValueError(
                f"Task {number} of {file} has no {ID_FIELD!r} among its data: it is none of skprune's tasks."
            )
        predicted = _choices(task.get("predictions") or [])
        labels = _choices(task["annotations"]) if "annotations" in task else _choices_of_min(task)
        if len(labels) > 1:
            raise ValueError(
                f"{file} gives {data[ID_FIELD]!r} several labels, {', '.join(sorted(labels))}. Settle on one."
            )
        answers.append(Answer(str(data[ID_FIELD]), *(next(iter(found), None) for found in (labels, predicted))))
    return answers


def _choices(annotations):
    """Return the classes that annotations or predictions name; those that were skipped name none."""
    regions = [
        region
        for annotation in annotations
        if isinstance(annotation, dict) and not annotation.get("was_cancelled")
        for region in annotation.get("result") or []
    ]
    return {
        choice.strip()
        for region in regions
        if region.get("from_name") == FROM_NAME
        for choice in region.get("value", {}).get("choices", [])
    }


def _choices_of_min(task):
    """Return the classes that a task of JSON-MIN names: a text, or of several choices a dict or a list."""
    found = task.get(FROM_NAME) or []
    found = found.get("choices", []) if isinstance(found, dict) else found
    return {found} if isinstance(found, str) else set(found)


def _text(cell):
    """Return a cell without spaces around it, None for an empty one."""
    return (cell or "").strip() or None
