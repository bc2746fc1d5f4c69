"""CSV files that people and spreadsheets write: what separates their cells, and which lines hold some."""

import csv
import re
from contextlib import contextmanager

_SEPARATORS = ",;\t"
_BLANK = _SEPARATORS + ' "\r\n'  # all that a line of empty cells holds


@contextmanager
def opened(file):
    """Open a CSV file, with or without a byte order mark; refuse by name what is none, or is not in UTF-8."""
    try:
        with open(file, newline="", encoding="utf-8-sig") as stream:
            yield stream
    except UnicodeDecodeError as error:
        raise ValueError(
            f'The text of {file} is not in UTF-8. Save it as "CSV UTF-8", as spreadsheets call it, or with encoding="utf-8".'
        ) from error
    except csv.Error as error:
        raise ValueError(f"{file} cannot be read as a CSV file: {error}") from error


def separator_of(file):
    """Return what separates the cells of a CSV file, as its header tells: a comma, a semicolon or a tab."""
    with opened(file) as stream:
        header = next((line for line in logical_lines(stream, _SEPARATORS) if is_filled(line)), "")
    bare = _without_quoted(header, _SEPARATORS)
    first, second = sorted(_SEPARATORS, key=bare.count, reverse=True)[:2]
    if bare.count(first) == bare.count(second) > 0:
        raise ValueError(
            f"The header of {file} holds {first!r} and {second!r} equally often, and one of them separates the cells. Put "
            "names that hold the other into quotes."
        )
    return first


def numbered_cells(file):
    """Yield the number of each line of a CSV file that is not empty, the header first, and as many cells as the header has."""
    separator, width = separator_of(file), None
    with opened(file) as stream:
        lines = csv.reader(stream, delimiter=separator)
        for cells in lines:
            if not is_filled("".join(cells)):
                continue
            width = len(cells) if width is None else width
            if any(cells[width:]):
                raise ValueError(
                    f"Line {lines.line_num} of {file} has {len(cells)} cells, and the first line names {width} columns. Put a "
                    f'text that holds {separator!r} into quotes, as in "small{separator} dog".'
                )
            yield lines.line_num, [*cells, *[""] * width][:width]


def check_names(names, file):
    """Refuse a name that two columns have; columns without a name may be many."""
    for name in names:
        if name and names.count(name) > 1:
            raise ValueError(f"{file} names two columns {name!r}. Each column needs a name of its own.")


def logical_lines(stream, separators):
    """Yield the lines of a CSV file, as one those that a line break in a quoted cell parts."""
    parts = []
    for line in stream:
        bare = _without_quoted('"' + line if parts else line, separators)
        parts.append(line)
        if not re.search(f'(^|[{separators}])"', bare):  # a quoted cell that does not end
            yield "".join(parts)
            parts = []
    if parts:
        yield "".join(parts)


def is_filled(line):
    """Tell whether a line has a cell that is not empty."""
    return bool(line.strip(_BLANK))


def _without_quoted(line, separators):
    return re.sub(rf'(^|[{separators}])"[^"]*(?:""[^"]*)*"(?!")', r"\1", line) if '"' in line else line
