"""What the labeler predicts for rows whose label was given, so that wrong labels can be found."""

from dataclasses import dataclass

import numpy as np

from skprune._utils._adapters import as_input


@dataclass(frozen=True)
class Opinion:
    """What a labeler predicts for a row, how surely, and whether it was trained on the label of that row."""

    code: int
    probability: float
    knew: bool


def opinions_of_given(labeler, pool, rows, held_out):
    """Map rows with a given label to opinions: those of `pool`, and those that were held out, of a labeler without them."""
    opinions = {}
    if len(rows):
        proba = np.asarray(labeler.predict_proba(as_input(labeler, pool)), dtype=np.float64)
        codes = np.asarray(labeler.classes_)[proba.argmax(axis=1)]
        for row, code, highest in zip(rows, codes, proba.max(axis=1), strict=True):
            opinions[int(row)] = Opinion(int(code), float(highest), knew=True)
    if held_out is not None and held_out.confidence is not None:
        for row, highest in zip(held_out.rows, held_out.confidence, strict=True):
            opinions[int(row)] = Opinion(int(held_out.codes[row]), float(highest), knew=False)
    return opinions
