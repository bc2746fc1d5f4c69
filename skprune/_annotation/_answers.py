"""What people tell: which rows, and labels of known or new classes, or none."""

from difflib import get_close_matches

import numpy as np
from sklearn.utils.multiclass import check_classification_targets

from skprune._annotation._state import SKIPPED
from skprune._utils._labels import MISSING
from skprune._utils._warnings import warn_user

_KINDS = {"U": "text", "O": "text", "T": "text", "S": "bytes", "M": "date"}


def check_told_rows(indices, n_labels, state):
    """Return the rows of some answers; refuse those that were not asked for, or that are named twice."""
    rows = np.asarray(indices)
    if rows.ndim != 1 or (rows.dtype.kind not in "iu" and rows.size):
        raise ValueError(
            f"indices must be a list of rows of X, as ask returns them, got dtype {rows.dtype}, shape {rows.shape}."
        )
    if n_labels != len(rows):
        raise ValueError(f"indices names {len(rows)} rows, and labels holds {n_labels} labels.")
    rows = rows.astype(np.int64)
    values, counts = np.unique(rows, return_counts=True)
    if (counts > 1).any():
        raise ValueError(f"indices names row {values[counts > 1][0]} more than once.")
    asked = np.concatenate([asked.rows for asked in state.rounds]) if state.rounds else []
    strange = rows[~np.isin(rows, asked)]
    if strange.size:
        raise ValueError(f"Row {strange[0]} was not asked for. Labels that are there already belong in y of start.")
    return rows


def check_no_other_answer(rows, answers, state, classes):
    """Refuse answers that contradict earlier ones."""
    known = state.codes[rows]
    differs = (known != MISSING) & (answers != known)
    if differs.any():
        place = int(differs.argmax())
        now = "skipped" if answers[place] == SKIPPED else f"told as {classes[answers[place]]!r}"
        raise ValueError(
            f"Row {rows[place]} was told as {classes[known[place]]!r} before, and is {now} now. Set replace=True to replace the "
            "label."
        )


def encode_answers(values, missing, known):
    """Return the class index of each answer, that of a skipped row where its label is missing, and all classes, new ones last."""
    answers = np.full(len(missing), SKIPPED, dtype=np.int64)
    if values.size == 0:
        return answers, known
    _check_kind(values, known)
    check_classification_targets(values)
    are_integers = all(isinstance(label, int) for label in known)
    told = [int(value) if are_integers and isinstance(value, float) else value for value in values.tolist()]
    classes = {label: code for code, label in enumerate(known)}
    for label in told:
        classes.setdefault(label, len(classes))
    answers[~missing] = [classes[label] for label in told]
    return answers, tuple(classes)


def _check_kind(values, classes):
    """Refuse texts where classes are numbers, and the like."""
    kind, known = (_KINDS.get(array.dtype.kind, "number") for array in (values, np.array(classes)))
    if kind != known:
        raise ValueError(
            f"labels holds {values.tolist()[0]!r}, a {kind}, and the classes are {known}s: {list(classes)[:5]}. Use one kind of "
            "labels."
        )


def warn_of_new_classes(classes, known):
    """Warn of classes that are new, and name the class that each may be a misspelling of."""
    new = classes[len(known) :]
    if not new:
        return
    named = []
    for label in new:
        alike = get_close_matches(str(label), list(map(str, known)), 1) if isinstance(label, str) else []
        named.append(repr(label) + (f" (did you mean {alike[0]!r}?)" if alike else ""))
    warn_user(f"labels names {len(new)} new class{'es' if len(new) > 1 else ''}: {', '.join(named)}.")
