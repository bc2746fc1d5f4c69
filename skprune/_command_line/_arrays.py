"""An array in an .npy or .npz file, such as embeddings; nothing is unpickled."""

import numpy as np

from skprune._command_line._data import Data, row_numbers
from skprune._command_line._errors import BadInput


def read_array(file, arguments):
    """Read the array of a file."""
    try:
        loaded = np.load(file, allow_pickle=False)
        array = loaded if isinstance(loaded, np.ndarray) else _chosen(loaded, file, arguments.array)
    except BadInput:
        raise
    except Exception as error:  # of damaged files, NumPy and zipfile raise errors of many kinds
        raise BadInput(f"{file} cannot be read as numbers: {error}") from error
    if array.ndim < 2 or array.dtype.kind not in "biuf":
        raise BadInput(
            f"{file} holds an array of shape {array.shape} and dtype {array.dtype}. A row of numbers for each sample is needed."
        )
    if not array.size:
        raise BadInput(f"{file} holds an array of shape {array.shape}, with no numbers at all.")
    broken = ~np.isfinite(array).reshape(len(array), -1).all(axis=1)
    if broken.any():
        raise BadInput(
            f"{file} holds NaN or infinity in {int(broken.sum())} rows, first in row {int(broken.argmax())}. Replace these "
            "values, or leave the rows out."
        )
    return Data(array, array, row_numbers(len(array)))


def _chosen(arrays, file, name):
    """Return the named array, or the only one."""
    with arrays:
        names = list(arrays.files)
        if name is None and len(names) != 1:
            raise BadInput(f"{file} holds the arrays {', '.join(names) or 'of no name'}. Choose one with --array.")
        if name is not None and name not in names:
            raise BadInput(f"{file} holds no array {name!r}, but {', '.join(names)}.")
        return arrays[names[0] if name is None else name]
