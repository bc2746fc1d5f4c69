"""CSV files that people and spreadsheets write: what separates their cells."""

import re

_SEPARATORS = (",", ";", "\t")


def separator_of(file):
    """Return what separates the cells of a CSV file, as its header tells: a comma, a semicolon or a tab."""
    with open(file, newline="", encoding="utf-8-sig") as stream:
        header = next((line for line in stream if line.strip()), "")
    bare = re.sub('"[^"]*"', "", header)  # without the quoted names
    first, second = sorted(_SEPARATORS, key=bare.count, reverse=True)[:2]
    if bare.count(first) == bare.count(second) > 0:
        raise ValueError(
            f"The header of {file} holds {first!r} and {second!r} equally often, and one of them separates the cells. Put "
            "names that hold the other into quotes."
        )
    return first
