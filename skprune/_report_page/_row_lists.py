"""Rows of a pool as people can judge them: contact sheets of images, tables of cells."""

import numpy as np
from scipy.sparse import issparse

from skprune._report_page._elements import element, joined, table
from skprune._report_page._figures import contact_sheet, thumbnail
from skprune._utils._columns import cell_texts, is_frame, is_texts
from skprune._utils._items import is_items, read_items, tensor_as_array
from skprune.inspection._contact_sheet import as_pictures

_N_CELLS = 5
_LONGEST = 80  # characters of a cell


def row_list(findings, rows, columns, *, caption):
    """Show rows: what they hold where they are at hand, and columns of {name: values}."""
    rows = np.asarray(rows)
    shown = rows[: findings.n_rows]
    columns = {name: values[: len(shown)] for name, values in columns.items()}
    more = "" if len(shown) == len(rows) else f" The first {len(shown):,} of {len(rows):,}."
    if findings.shown.are_images and findings.shown.among(shown).all():
        sheet = contact_sheet(_items(findings, shown, columns))
        return joined([element("p", caption + more), sheet])
    lines, cells = [], _cells(findings, shown)
    taken = {"row", *columns}
    values = {f"{name} (in the data)" if name in taken else name: of for name, of in cells.items()} | columns
    for place, row in enumerate(shown):
        lines.append([findings.names[row], *(part[place] for part in values.values())])
    return table(["row", *values], lines, caption=caption + more, numbers={"difficulty"}, stacks=True)


def _items(findings, rows, columns):
    """Yield the image, the caption and the kind of each row."""
    pictures = as_pictures(findings.shown.take(rows), findings.shown.image_shape)
    for place, row in enumerate(rows):
        lines = [f"{name}: {values[place]}" for name, values in columns.items()]
        kind = "given" if findings.labeled[row] else "pseudo"
        alt = f"Image of row {findings.names[row]}"
        yield thumbnail(pictures[place], alt), [str(findings.names[row]), *lines], kind


def _cells(findings, rows):
    """Return the first cells of rows by the name of their column; none of rows that are not at hand or hold no cells."""
    there = findings.shown.among(rows)
    if not there.any() or not findings.shown.have_cells:
        return {}
    found = findings.shown.take(rows[there])
    if is_frame(found):
        columns = {str(name): list(found[name]) for name in list(found.columns)[:_N_CELLS]}
    elif is_texts(found):
        columns = {"text": list(found)}
    else:
        array = _as_table(found)[:, :_N_CELLS]
        columns = {f"column {number}": list(array[:, number]) for number in range(array.shape[1])}
    return {name: _spread(values, there) for name, values in columns.items()}


def _as_table(found):
    """Return rows of numbers or other cells as an array."""
    if is_items(found):
        return read_items(found)[0]
    if hasattr(found, "detach"):
        return tensor_as_array(found)
    return found.toarray() if issparse(found) else np.asarray(found)


def _spread(values, there):
    """Return the cells of all rows as texts, empty ones where a row is not at hand."""
    texts = map(_shortened, cell_texts(values, "{:.4g}".format))
    return [next(texts) if is_there else "" for is_there in there]


def _shortened(text):
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
