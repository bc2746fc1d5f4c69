"""What "unlabeled" looks like. Everywhere else labels are 0..K-1, and -1 where there is none."""

import datetime
from dataclasses import dataclass
from numbers import Number

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from skprune._utils._doc_links import see
from skprune._utils._warnings import warn_user

MISSING = -1
"""The code of a missing label inside skprune."""

_TEXT_MARKS = frozenset(("", "?", "-1", "nan", "none", "na", "n/a", "<na>", "nat", "null", "unlabeled", "unlabelled"))

VANISHED = "The pseudo-labels hold no row of"
"""How the warning begins that a class has vanished."""


def encode_labels(y, missing_label="auto", classes=None, *, warn=False):
    """Encode labels, some of them missing, as integers; warn, where a fit wants it, of marks that could be classes."""
    given = _read(y, missing_label, classes)
    values, missing = given.values, given.missing
    if values.size == 0:
        raise ValueError(
            f"y holds no labeled row: all {len(missing)} labels are missing. Label at least one row of each class, those of "
            "skprune.suggest_first_labels(X, 20) for a start."
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
            f"classes.{minus_one_hint(y, missing_label, missing)}"
        )
    if warn and given.doubt is not None:
        warn_user(given.doubt + see("rows_and_labels"))
    codes = np.full(len(missing), MISSING, dtype=np.int64)
    codes[~missing] = positions
    return codes, classes


def encode_any_labels(y, missing_label="auto"):
    """Encode labels as :func:`encode_labels` does where any number of classes will do, none included."""
    given = _read(y, missing_label)
    if given.doubt is not None:
        warn_user(given.doubt + see("rows_and_labels"))
    codes = np.full(len(given.missing), MISSING, dtype=np.int64)
    if given.values.size == 0:
        return codes, np.array([])
    classes, codes[~given.missing] = np.unique(given.values, return_inverse=True)
    return codes, classes


def class_indices(y, name="y"):
    """Return labels that must be class indices, with none missing, as an array of int64."""
    values, hidden = _raw(y, name)
    codes = _plain(values[~hidden], name)
    if hidden.any() or codes.dtype.kind not in "iu" or codes.size == 0 or codes.min() < 0:
        if hidden.any():
            found = f"{int(hidden.sum())} missing ones"
        else:
            found = f"{codes.dtype} of which the least is {codes.min()}" if codes.size else "none"
        raise ValueError(f"{name} must hold class indices 0..K-1, one for each row, got {found}.")
    return codes.astype(np.int64)


def missing_mask(y, missing_label="auto", classes=None, *, name="y"):
    """Tell which labels are missing, by the rule of :func:`encode_labels`."""
    return _read(y, missing_label, classes, name).missing


def minus_one_hint(y, missing_label, missing):
    """Return what an error says besides where -1 was taken for unlabeled, and may have been a class."""
    is_auto = isinstance(missing_label, str) and missing_label == "auto"
    if is_auto and missing.any() and not _raw(y)[1].any():
        return f" -1 was read as unlabeled, in {int(missing.sum())} rows; set missing_label=None if it is a class."
    return ""


def codes_of_keys(weights, classes, name):
    """Return a dict keyed by classes as one keyed by class indices."""
    codes = {label: code for code, label in enumerate(classes.tolist())}
    unknown = [label for label in weights if label not in codes]
    if unknown:
        raise ValueError(f"{name} names {_as_python(unknown[0])!r}, which is not among the classes {classes.tolist()}.")
    return {codes[label]: weight for label, weight in weights.items()}


def labels_at(y, rows):
    """Read the labels of some rows alone, whatever the container; no other entry is looked at."""
    values, hidden = _raw(y)
    if hidden[rows].any():
        row = int(np.asarray(rows)[hidden[rows]][0])
        raise ValueError(f"The label of row {row} is asked for, but it is missing.")
    return _plain(values[rows])


def with_answers(labels, asked, y_oracle, rows, classes, missing_label="auto"):
    """Replace the labels of the `asked` among some rows by those of an oracle, which is read at these rows alone."""
    hidden = _raw(y_oracle, "y_oracle")[1][rows[asked]]
    answers = None if hidden.any() else labels_at(y_oracle, rows[asked])
    unknown = hidden if answers is None else missing_mask(answers, missing_label, classes, name="y_oracle")
    if unknown.any():
        raise ValueError(f"y_oracle has no label for row {int(rows[asked][unknown][0])}, which is kept.")
    try:
        check_classification_targets(answers)
    except ValueError as error:
        raise ValueError(f"y_oracle holds no class labels. {error}") from error
    same_kind = labels.dtype.kind == answers.dtype.kind
    answered = np.empty(len(rows), dtype=np.result_type(labels, answers) if same_kind else object)
    answered[~asked] = labels[~asked]
    answered[asked] = answers
    return _plain(answered, "y with the answers of y_oracle")


def read_answers(labels, mark, classes, *, is_auto):
    """Return the labels that people told, and which are missing: null ones, and those with the mark of unlabeled rows."""
    values, hidden = _raw(labels, "labels")
    missing = hidden if is_null(mark) else hidden | _equal(values, mark)
    told = _plain(values[~missing], "labels")
    if is_auto:
        _doubt_about_texts(told, np.array(classes), "labels", any_missing=False)
    return told, missing


def mark_of(y, missing_label):
    """Return what marks unlabeled rows of `y`: None for null ones."""
    if isinstance(missing_label, str) and missing_label == "auto":
        return None if _raw(y)[1].any() else MISSING
    return None if is_null(missing_label) else _as_python(missing_label)


def check_label_shape(y, name):
    """Refuse what is not one label for each row, without a look at the labels."""
    _raw(y, name)


def series_like(y, labels, rows):
    """Return labels of some rows as a Series of pandas or polars where `y` is one, in its dtype."""
    if hasattr(y, "iloc") and y.ndim == 1:
        kept = y.iloc[rows]
        dtype = None if kept.dtype == object else kept.dtype  # object may have been chosen for the mark alone
        return type(kept)(labels, index=kept.index, name=kept.name, dtype=dtype)
    if hasattr(y, "is_null") and hasattr(y, "to_list"):
        return type(y)(y.name, labels.tolist(), dtype=y.dtype)
    return labels


@dataclass(frozen=True)
class _GivenLabels:
    """The labels that are there, the mask of those that are not, and what a fit warns of: a mark that may be a class."""

    values: np.ndarray
    missing: np.ndarray
    doubt: str | None = None


def _read(y, missing_label, classes=None, name="y"):
    """Tell the labels of `y` from what marks missing ones; the one place that does."""
    if np.ndim(missing_label) or isinstance(missing_label, (dict, set)):
        raise ValueError(
            f"missing_label must be 'auto' or one value, got {missing_label!r}. Replace further marks by None."
        )
    missing_label = _as_python(missing_label)
    values, hidden = _raw(y, name)
    if isinstance(missing_label, str) and missing_label == "auto":
        known = np.array([]) if classes is None else np.asarray(classes)
        missing = hidden if hidden.any() or _equal(known, MISSING).any() else _equal(values, MISSING)
        labels = _plain(values[~missing], name)
        doubt = _doubt_about_texts(labels, known, name, any_missing=missing.any())
        if classes is None and doubt is None:
            doubt = _doubt_about_minus_one(labels, missing, nulls=hidden.any())
        return _GivenLabels(labels, missing, doubt)
    if is_null(missing_label):
        return _GivenLabels(_plain(values[~hidden], name), hidden)
    if hidden.any():
        raise ValueError(
            f"{name} holds a missing value at row {int(hidden.argmax())}, but missing_label={missing_label!r} says that "
            f"another value marks unlabeled rows. Use one mark: replace {missing_label!r} by None, and leave missing_label out."
        )
    missing = _equal(values, missing_label)
    if not missing.any():
        _refuse_other_spelling(values, missing_label, classes, name)
    return _GivenLabels(_plain(values[~missing], name), missing)


def marks_among(labels, known=()):
    """Return the texts among labels, besides known classes, that look like a mark of unlabeled rows."""
    return sorted(text for text in set(labels).difference(known) if _folded(text) in _TEXT_MARKS)


def _doubt_about_texts(labels, known, name, *, any_missing):
    """Refuse texts that look like a mark of unlabeled rows; return a warning of them where other labels are missing."""
    if labels.size == 0 or not isinstance(labels[0], (str, bytes)):
        return None
    marks = marks_among(labels.tolist(), known.tolist())
    if not marks:
        return None
    names = ", ".join(map(repr, marks))
    if any_missing:
        return f"{name} holds {names}, read as a class. {_remedy(marks, alone=False)}"
    raise ValueError(
        f"{name} holds {names}, which looks like a mark of unlabeled rows. {_remedy(marks, alone=len(marks) == 1)}"
    )


def _doubt_about_minus_one(labels, missing, *, nulls):
    """Return a warning where -1 may be the other thing, a class or a mark; what most rows hold is plainly the mark."""
    if labels.dtype.kind not in "if" or not missing.any():
        return None
    others, counts = np.unique(labels, return_counts=True)
    most_are_missing = 2 * missing.sum() > len(missing)
    if nulls:
        n_held = int(counts[others == MISSING].sum())
        others = others[others != MISSING]
        if n_held == 0 or most_are_missing or len(others) < 2 or others[0] < 0:
            return None
        return (
            f"y holds -1 in {n_held} rows, read as a class, because {int(missing.sum())} other labels are None, NaN or NA. "
            f"{_remedy([MISSING], alone=False)}"
        )
    like_signs = others.tolist() == [1] or (others.tolist() == [0, 1] and not most_are_missing)
    if not like_signs and (labels.size == 0 or others[0] >= 0):
        return None
    return (
        f"y holds -1 in {int(missing.sum())} of {len(missing)} rows, read as unlabeled, beside {others.tolist()[:5]}. "
        f"{_remedy([MISSING], alone=True)}"
    )


def _remedy(marks, *, alone):
    """Say how to tell what marks mean; a mark that is not alone has to become None, like the others."""
    if alone:
        return f"Set missing_label={marks[0]!r} if it marks unlabeled rows, missing_label=None if it is a class."
    return "Replace it by None if it marks unlabeled rows; set missing_label=None if it is a class."


def _refuse_other_spelling(values, missing_label, classes, name):
    """Refuse a mark that no row holds where a label differs from it in type, case or spaces alone."""
    known = [] if classes is None else np.asarray(classes).tolist()
    wanted = _folded(missing_label)
    for label in map(_as_python, values if values.dtype.kind == "O" else np.unique(values)):
        if _folded(label) == wanted and label not in known:
            raise ValueError(
                f"missing_label={missing_label!r} marks no row, but {name} holds {label!r}. Set missing_label={label!r} if that "
                "marks unlabeled rows, missing_label=None if it is a class."
            )


def _folded(label):
    """Return a label as text without the case, spaces and zeros in which spellings of a mark differ."""
    text = label.decode(errors="replace") if isinstance(label, bytes) else str(label)
    return text.strip().casefold().removesuffix(".0")


def _raw(y, name="y"):
    """Return `y` as an ndarray and the mask of its null entries, without a look beneath a mask."""
    if y is None:
        raise ValueError(
            "This estimator requires y to be passed, but the target y is None. Pass labels, with None, NaN or -1 for "
            "the unlabeled rows."
        )
    if isinstance(y, np.ma.MaskedArray):
        if y.ndim != 1:
            raise ValueError(f"{name} should be a 1d array, got an array of shape {y.shape} instead.")
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
            raise ValueError(f"{name} should be a 1d array, got a nested sequence instead.")
        values[:] = entries
    elif not hasattr(y, "dtype") or hasattr(y, "detach"):
        values = np.asarray(y.detach().cpu() if hasattr(y, "detach") else y)
    shape = np.shape(values)
    if len(shape) != 1 and shape[1:] != (1,):
        raise ValueError(f"{name} should be a 1d array, got an array of shape {shape} instead.")
    if getattr(values, "dtype", None) is not None and getattr(values.dtype, "kind", "") in ("c", "V"):
        known = (
            "Complex data not supported: " if values.dtype.kind == "c" else ""
        )  # what scikit-learn's checks look for
        raise ValueError(f"{known}{name} holds values of dtype {values.dtype}. {_KINDS_OF_LABELS}")
    values = column_or_1d(values, input_name=name, warn=True)
    if values.dtype.kind == "T":
        values = values.astype(object)
    return values, _nulls(values)


def _nulls(values):
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind in "mM":
        return np.isnat(values)
    if values.dtype.kind == "O":
        return np.fromiter((is_null(v) for v in values), dtype=bool, count=len(values))
    return np.zeros(len(values), dtype=bool)


def is_null(value):
    """Tell whether a value is None, NaN, NA or NaT."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return bool(np.isnat(value))
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))


def _equal(values, wanted):
    if values.dtype.kind != "O":
        return np.asarray(values == wanted)
    number = isinstance(wanted, Number)
    return np.fromiter(
        (isinstance(v, (Number, np.bool_)) == number and v == wanted for v in values),
        dtype=bool,
        count=len(values),
    )


def _as_python(label):
    """Return a label of NumPy's types but dates as one of Python's, which messages show as people write it."""
    return label.item() if isinstance(label, np.generic) and label.dtype.kind not in "mM" else label


_LABELS = {
    "strings": str,
    "bytes": bytes,
    "dates": (datetime.date, np.datetime64),
    "numbers": (Number, np.bool_),
}
_KINDS_OF_LABELS = "Labels must be texts, integers or truth values."


def _plain(values, name="y"):
    """Give an object array of numbers or booleans its own dtype; refuse a mixture of text and numbers."""
    values = np.asarray(values)
    if values.dtype.kind != "O" or values.size == 0:
        return values
    sizes = {}
    for value in values:
        kind = next((what for what, types in _LABELS.items() if isinstance(value, types)), None)
        if kind is None:
            raise ValueError(f"{name} holds {value!r}, a {type(value).__name__}. {_KINDS_OF_LABELS}")
        sizes[kind] = sizes.get(kind, 0) + 1
    if len(sizes) == 1:
        return np.frompyfunc(_as_python, 1, 1)(values) if "strings" in sizes else np.asarray(values.tolist())
    kind = next(kind for kind in _LABELS if kind in sizes)
    raise ValueError(
        f"{name} mixes {sizes[kind]} {kind} with {len(values) - sizes[kind]} labels of another type. Use one type for all "
        "labels, and one mark, such as None, for all unlabeled rows."
    )


def check_one_kind(labels, others, names):
    """Refuse labels of which some are texts and others numbers, by the names of both."""
    _plain(np.concatenate([np.asarray(part).astype(object) for part in (labels, others)]), names)


_REMEDIES = {"alignment": "labels", "balanced": True}


def warn_of_vanished(codes, classes, labeler):
    """Warn when pseudo-labels lack a class."""
    lost = np.setdiff1d(np.arange(len(classes)), codes)
    if lost.size:
        options = [f"{name}={value!r}" for name, value in _REMEDIES.items() if getattr(labeler, name, value) != value]
        remedy = f", or set {' or '.join(options)}" if options else ""
        warn_user(
            f"{VANISHED} {lost.size} of {len(classes)} classes, {classes.tolist()[lost[0]]!r} among them ({len(codes)} rows "
            f"looked at). Give {type(labeler).__name__} more labels of the class{remedy}." + see("labeling#long-tails")
        )
