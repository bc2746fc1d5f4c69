"""Files that commands write: whole or not at all, and none is replaced unless asked."""

import csv

from skprune._command_line._errors import BadInput
from skprune._utils._files import whole_file


def check_outputs(files, *, force):
    """Refuse before any work what could not be written after it."""
    for place, file in enumerate(files):
        if file.is_dir() or not file.parent.is_dir():
            raise BadInput(f"{file} cannot be written: {'it' if file.is_dir() else file.parent} is {_what(file)}.")
        if file.exists() and not force:
            raise BadInput(f"{file} is there already. Pass --force to replace it, or write another file.")
        if file in files[:place]:
            raise BadInput(f"{file} cannot hold both the table and the report.")


def _what(file):
    return "a folder" if file.is_dir() else "no folder"


def write_table(file, columns, lines):
    """Write lines as CSV."""
    with whole_file(file) as unfinished, open(unfinished, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(lines)
