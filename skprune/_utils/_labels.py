"""What "unlabeled" looks like. Everywhere else labels are 0..K-1, and -1 where there is none."""

from numbers import Number

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from skprune._utils._warnings import warn_user

MISSING = -1
"""The code of a missing label inside skprune."""

VANISHED = "The pseudo-labels hold no row of"
"""How the warning begins that a class has vanished."""


def encode_labels(y, missing_label="auto", classes=None):
    """Encode labels, some of them missing, as integers."""
    values, missing = _split(y, missing_label, classes)
    if values.size == 0:
        raise ValueError(
            f"y holds no labeled row: all {len(missing)} labels are missing. Label at least one row of each class."
        )
    if values.dtype.kind == "f" and np.isinf(values).any():
        raise ValueError("y contains infinity (inf). Labels must be finite.")
    check_classification_targets(values)
    if classes is None:
        classes = np.unique(values)
    positions = np.minimum(np.searchsorted(classes, values), len(classes) - 1)
    strange = classes[positions] != values
    if strange.any():
        raise ValueError(
            f"y holds the label {values[strange].tolist()[0]!r}, which is not among the classes {classes.tolist()}."
        )
    if classes.size < 2:
        raise ValueError(
            f"y holds one class only ({classes.tolist()[0]!r}) among its {values.size} labels. Label rows of at least two "
            "classes."
        )
    codes = np.full(len(missing), MISSING, dtype=np.int64)
    codes[~missing] = positions
    return codes, classes


def missing_mask(y, missing_label="auto", classes=None):
    """Tell which labels are missing, by the rule of :func:`encode_labels`."""
    return _split(y, missing_label, classes)[1]


def labels_at(y, rows):
    """Read the labels of some rows alone, whatever the container; no other entry is looked at."""
    values, hidden = _raw(y)
    if hidden[rows].any():
        row = int(np.asarray(rows)[hidden[rows]][0])
        raise ValueError(f"The label of row {row} is asked for, but it is missing.")
    return _plain(values[rows])


def with_answers(labels, asked, y_oracle, rows, classes):
    """Replace the labels of the `asked` among some rows by those of an oracle, which is read at these rows alone."""
    hidden = _raw(y_oracle)[1][rows[asked]]
    answers = None if hidden.any() else labels_at(y_oracle, rows[asked])
    unknown = hidden if answers is None else missing_mask(answers, classes=classes)
    if unknown.any():
        raise ValueError(f"y_oracle has no label for row {int(rows[asked][unknown][0])}, which is kept.")
    same_kind = labels.dtype.kind == answers.dtype.kind
    answered = np.empty(len(rows), dtype=np.result_type(labels, answers) if same_kind else object)
    answered[~asked] = labels[~asked]
    answered[asked] = answers
    return _plain(answered)


def _split(y, missing_label, classes):
    """Return the labels that are there, and the mask of those that are not."""
    values, hidden = _raw(y)
    if not (isinstance(missing_label, str) and missing_label == "auto"):
        if _is_null(missing_label):
            return _plain(values[~hidden]), hidden
        if hidden.any():
            raise ValueError(
                f"y holds a missing value at row {int(hidden.argmax())}, but missing_label={missing_label!r} says that "
                "another value marks unlabeled rows. Use missing_label='auto' or None."
            )
        missing = _equal(values, missing_label)
        return _plain(values[~missing]), missing
    texts = values.dtype.kind in "US" or (values.dtype.kind == "O" and not isinstance(y, np.ndarray))
    if texts and any(isinstance(v, str) and v == str(MISSING) for v in values[~hidden].tolist()):
        raise ValueError(
            "y is an array of strings in which '-1' occurs, so a number seems to have been turned into text. Use an "
            "object array with None or -1 for the unlabeled rows."
        )
    if hidden.any() or (classes is not None and _equal(np.asarray(classes), MISSING).any()):
        return _plain(values[~hidden]), hidden
    missing = _equal(values, MISSING)
    return _plain(values[~missing]), missing


def _raw(y):
    """Return `y` as an ndarray and the mask of its null entries, without a look beneath a mask."""
    if y is None:
        raise ValueError(
            "This estimator requires y to be passed, but the target y is None. Pass labels, with None, NaN or -1 for "
            "the unlabeled rows."
        )
    if isinstance(y, np.ma.MaskedArray):
        if y.ndim != 1:
            raise ValueError(f"y should be a 1d array, got an array of shape {y.shape} instead.")
        hidden = np.ma.getmaskarray(y).copy()
        values = np.ma.getdata(y)
        hidden[~hidden] = _nulls(values[~hidden])
        return values, hidden
    if hasattr(y, "isna") and hasattr(y, "to_numpy") and getattr(y, "ndim", 1) == 1:
        hidden = np.asarray(y.isna(), dtype=bool)
        return np.asarray(y, dtype=object if hidden.any() else None), hidden
    values = y.to_list() if hasattr(y, "is_null") and hasattr(y, "to_list") else y  # a Series of polars, nulls as None
    if isinstance(values, (list, tuple)):
        entries, values = values, np.empty(len(values), dtype=object)
        if any(np.ndim(v) for v in entries):
            raise ValueError("y should be a 1d array, got a nested sequence instead.")
        values[:] = entries
    elif not hasattr(y, "dtype") or hasattr(y, "detach"):
        values = np.asarray(y)
    values = column_or_1d(values, warn=True)
    return values, _nulls(values)


def _nulls(values):
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind in "mM":
        return np.isnat(values)
    if values.dtype.kind == "O":
        return np.fromiter((_is_null(v) for v in values), dtype=bool, count=len(values))
    return np.zeros(len(values), dtype=bool)


def _is_null(value):
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return bool(np.isnat(value))
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))


def _equal(values, wanted):
    if values.dtype.kind != "O":
        same = np.asarray(values == wanted)
        return same if same.shape == values.shape else np.zeros(len(values), dtype=bool)
    number = isinstance(wanted, Number)
    return np.fromiter(
        (isinstance(v, (Number, np.bool_)) == number and v == wanted for v in values),
        dtype=bool,
        count=len(values),
    )


def _plain(values):
    """Give an object array of numbers or booleans its own dtype; refuse a mixture of text and numbers."""
    values = np.asarray(values)
    if values.dtype.kind != "O" or values.size == 0:
        return values
    texts = sum(isinstance(v, str) for v in values)
    if texts == len(values):
        return values
    if texts:
        raise ValueError(
            f"y mixes {texts} strings with {len(values) - texts} labels of another type. Use one type for all labels."
        )
    return np.asarray(values.tolist())


def warn_of_vanished(codes, classes, labeler):
    """Warn when pseudo-labels lack a class."""
    lost = np.setdiff1d(np.arange(len(classes)), codes)
    if lost.size:
        options = ", or set alignment='labels' or balanced=True" if hasattr(labeler, "alignment") else ""
        warn_user(
            f"{VANISHED} {lost.size} of {len(classes)} classes, {classes.tolist()[lost[0]]!r} among them ({len(codes)} rows "
            f"looked at). Give {type(labeler).__name__} more labels of the class{options}."
        )
