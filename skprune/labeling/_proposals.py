"""Proposals: the rows that people should label next, and what is known of each."""

import csv
from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skprune._utils._by_row import ids_of
from skprune._utils._files import whole_file

COLUMNS = ("id", "label", "pseudo_label", "confidence", "difficulty", "why")


@dataclass(frozen=True)
class Proposal:
    """A row to label, in the words of a file."""

    id: str
    pseudo_label: str
    confidence: float
    difficulty: float
    why: str


def proposals_of(pruner, rows=None, names=None):
    """Return the proposals of a fitted pruner, in the order of `rows`, and these rows."""
    check_is_fitted(pruner)
    rows = pruner.annotation_indices_ if rows is None else np.asarray(rows)
    if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
        raise TypeError(
            f"rows must hold the numbers of rows, got an array of shape {rows.shape} and dtype {rows.dtype}."
        )
    ids = rows if names is None else ids_of(names, len(pruner.support_), rows)
    table = pruner.explain()
    known = {name: np.asarray(table[name])[rows] for name in ("label", "label_confidence", "difficulty", "why")}
    return [
        Proposal(str(name), str(label), float(confidence), float(difficulty), str(why))
        for name, (label, confidence, difficulty, why) in zip(ids, zip(*known.values(), strict=True), strict=True)
    ], rows


def write_proposals(file, pruner, *, rows=None, names=None):
    """Write what to label next as a CSV file, whose column ``label`` people fill in.

    :func:`read_answers` reads it back.

    Parameters
    ----------
    file : path-like
        The file to write, whole or not at all; one that is there is replaced. It has the columns ``id``, ``label`` (empty),
        ``pseudo_label``, ``confidence``, ``difficulty`` and ``why``, in the order of proposal.
    pruner : SemiPrune
        A fitted pruner.
    rows : array-like of int, default=None
        The rows to write, such as ``AnnotationLoop.ask()`` returns; None takes ``annotation_indices_``.
    names : array-like of shape (n_samples,), default=None
        What to call each row of the pool, such as the path of its file, in the order of the rows; None calls it by its number.

    Raises
    ------
    ValueError, TypeError
        `names` are too few or too many, or those of `rows` are missing or not unique; or `rows` are no numbers of rows.

    See Also
    --------
    label_studio_tasks : The same as tasks of Label Studio.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import SGDClassifier
    >>> from sklearn.semi_supervised import LabelSpreading
    >>> from skprune import SemiPrune
    >>> from skprune.datasets import make_partial_labels
    >>> from skprune.labeling import read_answers, write_proposals
    >>> X, y = load_iris(return_X_y=True)
    >>> proxy = SGDClassifier(loss="log_loss")
    >>> pruner = SemiPrune(budget=5, labeler=LabelSpreading(), proxy=proxy, random_state=0)
    >>> pruner = pruner.fit(X, make_partial_labels(y, n_labeled=15, random_state=0))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_proposals(f"{folder}/next.csv", pruner)
    ...     lines = Path(folder, "next.csv").read_text().splitlines()
    ...     read_answers(f"{folder}/next.csv")  # nobody has filled them in yet
    {}
    >>> len(lines), lines[0]
    (6, 'id,label,pseudo_label,confidence,difficulty,why')
    """
    proposals, _ = proposals_of(pruner, rows, names)
    with whole_file(file) as unfinished, open(unfinished, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in proposals:
            writer.writerow([row.id, "", row.pseudo_label, f"{row.confidence:.4f}", f"{row.difficulty:.6g}", row.why])
