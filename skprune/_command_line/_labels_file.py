"""The labels of the data: from the file of labels, or from the data themselves."""

import numpy as np

from skprune._command_line._errors import BadInput
from skprune.labeling import read_answers


def read_labels(arguments, data):
    """Return the label of each row of the data, None where there is none."""
    if arguments.labels is None:
        if data.labels is None:
            raise BadInput("There are no labels. Pass --labels FILE, or --label-column NAME of a table.")
        return data.labels
    known = read_answers(arguments.labels)
    unknown = sorted(set(known).difference(data.ids))
    if unknown:
        named = ", ".join(map(repr, unknown[:3])) + (" and more" if len(unknown) > 3 else "")
        raise BadInput(f"{arguments.labels} labels {len(unknown)} rows that {arguments.data} does not hold: {named}.")
    return np.array([known.get(name) for name in data.ids], dtype=object)
