"""Arrays in ``.npz`` files: nothing is unpickled, and a file that is damaged or something else is refused by name."""

import os
import zlib
from pickle import UnpicklingError
from zipfile import BadZipFile

import numpy as np

_DAMAGES = (BadZipFile, UnpicklingError, EOFError, OSError, RuntimeError, ValueError, zlib.error)


def read_npz(file, needed, *, others=False):
    """Return the arrays of an ``.npz`` file by name: those that are needed, or these and all others."""
    file = os.fspath(file)
    with open(file, "rb") as stream:
        try:
            arrays = np.load(stream, allow_pickle=False)
        except _DAMAGES as error:
            raise ValueError(f"{file} is damaged, or no .npz file.") from error
        if isinstance(arrays, np.ndarray):
            raise ValueError(f"{file} holds one array. A file must be an .npz with {' and '.join(map(repr, needed))}.")
        absent = [name for name in needed if name not in arrays.files]
        if absent:
            raise ValueError(f"{file} holds {arrays.files}, and no {' and no '.join(map(repr, absent))}.")
        return {name: _read(arrays, name, file) for name in (arrays.files if others else needed)}


def _read(arrays, name, file):
    try:
        return arrays[name]
    except _DAMAGES as error:
        if "allow_pickle" not in str(error):
            raise ValueError(f"{file} is damaged: {error}") from error
        raise ValueError(
            f"{file} holds Python objects in {name!r}, which are not read. Save rows as numbers, and labels as numbers or texts, "
            f"with -1, NaN or a text of your own where one is missing: {error}"
        ) from error
