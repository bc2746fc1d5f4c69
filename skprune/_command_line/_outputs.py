"""Files that commands write: whole or not at all, and none is replaced unless asked; inputs and answers are not even then."""

import csv
import os
from codecs import BOM_UTF8
from pathlib import Path

from skprune._command_line._errors import BadInput
from skprune._utils._files import whole_file
from skprune._utils._images import image_suffixes
from skprune.labeling import read_answers
from skprune.labeling._answers import answers_in, labels_of, match_ids, read_lines

CORESET_COLUMNS = ("id", "label", "given", "confidence", "difficulty", "weight", "why")
_PAGE = b"<!doctype html"


def check_outputs(arguments):
    """Refuse before any work what could not be written after it, and what would replace an input."""
    inputs = [("DATA", arguments.data), ("--labels", getattr(arguments, "labels", None))]
    outputs = output_files(arguments)
    for place, file in enumerate(outputs):
        check_place(file)
        for name, other in inputs:
            if other is not None and _is_same(file, other):
                raise BadInput(f"{file} is {name}, which is read. Write another file; --force replaces no input.")
        if _is_image_of(file, arguments.data):
            raise BadInput(f"{file} is an image of {arguments.data}, which is read. Write another file.")
        if file.exists() and not arguments.force:
            raise BadInput(f"{file} is there already. Pass --force to replace it, or write another file.")
        if any(_is_same(file, other) for other in outputs[:place]):
            raise BadInput(f"{file} cannot hold both the table and the report.")


def output_files(arguments):
    """Return the files that a command writes."""
    return [file for file in (arguments.out, getattr(arguments, "report", None)) if file is not None]


def check_place(file):
    """Refuse a file that cannot be written, or replaced."""
    folder = Path(os.path.realpath(file)).parent if file.is_symlink() else file.parent
    if not folder.is_dir():
        raise BadInput(f"{file} cannot be written: {folder} is no folder.")
    if file.exists() and not file.is_file():
        raise BadInput(f"{file} cannot be written: it is {'a folder' if file.is_dir() else 'no regular file'}.")
    for place in (folder, file):
        _check_permission(file, place)


def check_work_place(arguments):
    """Refuse an output beside which no folder for unfinished work can be made; it may be a link to elsewhere."""
    _check_permission(arguments.out, arguments.out.parent)


def _check_permission(file, place):
    if place.exists() and not os.access(place, os.W_OK):
        raise BadInput(f"{file} cannot be written: there is no permission to write to {place.absolute()}.")


def check_answers(arguments, known=None):
    """Refuse to replace a file that holds labels by people of rows which have none, by id; None knows no labels."""
    labels = getattr(arguments, "labels", None)
    for file in output_files(arguments):
        told = _answers_of(file) if file.exists() else {}
        lost = set(told) if known is None else _unlabeled(told, known)
        if lost and labels is not None:
            lost &= _unlabeled(told, read_answers(labels))  # which may have more by now
        if lost:
            first = next(name for name in told if name in lost)
            known_from = "" if known is None else f" that {labels or arguments.data} lacks"
            way_out = (
                f"Run 'skprune tell {file} --labels {labels}' first, or delete {file}."
                if labels
                else f"Keep them, for example with 'skprune tell {file} --labels FILE', and delete {file}."
            )
            raise BadInput(
                f"{file} holds {len(lost)} labels{known_from}, such as {told[first]!r} of {first!r}, and --force replaces "
                f"none of these. {way_out}"
            )


def _unlabeled(names, labels):
    """Return the names of rows that have no label."""
    return {name for name, same in match_ids(names, labels).items() if labels.get(same) is None}


def _answers_of(file):
    """Return the labels that people wrote into a file; none if it is empty, a page or a coreset, where nobody writes any."""
    content = file.read_bytes().removeprefix(BOM_UTF8).strip()
    if not content or content[: len(_PAGE)].lower() == _PAGE:
        return {}
    try:
        if file.suffix.lower() == ".json":
            return labels_of(answers_in(file), file)
        table = read_lines(file)
        if tuple(table.columns) == CORESET_COLUMNS:
            return {}
        if any(
            cell.strip() for line in table.lines for name, cell in zip(table.columns, line, strict=True) if not name
        ):
            raise ValueError(f"{file} has cells in a column without a name.")
        return labels_of(table.answers(), file)
    except ValueError as error:
        raise BadInput(
            f"{str(error).rstrip('.')}. As it may hold labels, --force does not replace it. Mend it, or delete {file}."
        ) from error


def _is_same(file, other):
    return os.path.realpath(file) == os.path.realpath(other) or (
        file.exists() and other.exists() and file.samefile(other)
    )


def _is_image_of(file, data):
    """Tell whether a file is an image in the folder of images."""
    is_within = data.is_dir() and Path(os.path.realpath(data)) in Path(os.path.realpath(file)).parents
    return is_within and file.exists() and file.suffix.lower() in image_suffixes()


def write_table(file, columns, lines, separator=",", encoding="utf-8"):
    """Write lines as CSV."""
    with whole_file(file) as unfinished, open(unfinished, "w", newline="", encoding=encoding) as stream:
        writer = csv.writer(stream, delimiter=separator, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(lines)
