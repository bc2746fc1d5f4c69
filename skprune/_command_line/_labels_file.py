"""The labels of the data: from the file of labels, and from the data themselves."""

import sys

import numpy as np

from skprune._command_line._errors import BadInput
from skprune._command_line._tables import as_labels
from skprune._utils._warnings import warn_user
from skprune.labeling import read_answers
from skprune.labeling._answers import match_ids

_MOST_NAMED = 3


def read_labels(arguments, data):
    """Return the label of each row of the data, None where there is none."""
    return _own_labels(arguments, data) if arguments.labels is None else _joined_labels(arguments, data)


def _joined_labels(arguments, data):
    """Return the labels of the file, and of the data where the file has none."""
    told = _told_labels(arguments, data)
    if data.labels is None:
        _warn_of_label_columns(arguments, data, set(told))
        return told
    source, own = f"the column {arguments.label_column!r}", data.labels
    if arguments.label_column is None:
        names, classes = (sorted(set(array) - {None}) for array in (data.labels, told))
        source = f"the subfolders {_listed(names)}"
        if classes and set(classes).isdisjoint(names):
            if len(classes) == 1:
                raise BadInput(
                    f"{arguments.labels} holds one class only, {classes[0]!r}. The names of {source} are no labels, as it has no "
                    "class of such a name. Label rows of at least two classes."
                )
            _say(arguments, f"The names of {source} are no labels: {arguments.labels} has no class of such a name.")
            return told
    labels = np.array([other if label is None else label for label, other in zip(told, own, strict=True)], dtype=object)
    n_told, n_labels = (sum(label is not None for label in array) for array in (told, labels))
    _say(arguments, f"Labels: {n_told} from {arguments.labels}, {n_labels - n_told} more from {source}.")
    return labels


def _own_labels(arguments, data):
    if data.labels is None:
        raise BadInput("There are no labels. Pass --labels FILE, or --label-column NAME of a table.")
    strays = [name for name in data.ids if "/" not in name] if arguments.data.is_dir() else []
    if strays:
        raise BadInput(
            f"There are no labels: the names of subfolders are classes where every image lies in one, and {_listed(strays)} "
            'lies beside them. Move what has no label into a subfolder "unlabeled", or pass --labels FILE.'
        )
    return data.labels


def _told_labels(arguments, data):
    """Return the label that the file gives each row, None where it gives none."""
    known = read_answers(arguments.labels)
    rows = match_ids(known, data.ids)
    unknown = [repr(name) for name in known if rows[name] is None]
    if unknown:
        raise BadInput(
            f"{arguments.labels} labels {len(unknown)} rows that {arguments.data} does not hold: {_listed(unknown)}. Put them "
            "back, or remove their lines from the file."
        )
    told = {}
    for name, label in known.items():
        if told.setdefault(rows[name], label) != label:
            raise BadInput(f"{arguments.labels} gives {name!r} two labels, {told[rows[name]]!r} and {label!r}.")
    return np.array([told.get(name) for name in data.ids], dtype=object)


def _warn_of_label_columns(arguments, data, classes):
    """Warn of columns of a table that look like labels of some rows."""
    for name in getattr(data.shown, "columns", ()):
        cells = set(as_labels(data.shown[name]))
        if None in cells and len(cells) > 2 and cells <= classes | {None}:
            warn_user(
                f"The column {name!r} of {arguments.data} holds classes of {arguments.labels} and empty cells. If these are "
                f"labels, pass --label-column {name}, so that they are known and no input."
            )


def _listed(names):
    return ", ".join(names[:_MOST_NAMED]) + (" and more" if len(names) > _MOST_NAMED else "")


def _say(arguments, message):
    if not arguments.quiet:
        print(message, file=sys.stderr)
