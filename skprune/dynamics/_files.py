"""Dynamics in ``.npz`` files: written without pickles, read with nothing executed and every damage refused."""

import zipfile
from pathlib import Path

import numpy as np

from skprune.dynamics._arrays import EPOCH_ARRAYS, LAST_ARRAYS, REQUIRED


def with_suffix(file):
    """Return a path that ends in ``.npz``."""
    file = Path(file)
    return file if file.suffix == ".npz" else file.with_name(file.name + ".npz")


def refused(file, reason):
    """Return the error for a file that holds something else, or that is damaged."""
    return ValueError(f"{Path(file).name} holds no TrainingDynamics that can be read: {reason}")


def read_arrays(file):
    """Return the arrays of a file by name."""
    with open(file, "rb") as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
                if not {*REQUIRED, "seen", *LAST_ARRAYS} <= set(members) <= {*EPOCH_ARRAYS, *LAST_ARRAYS}:
                    raise ValueError(f"its arrays are {sorted(members)}.")
                return {name: _read_array(archive, member) for name, member in members.items()}
        except Exception as error:  # what zipfile, zlib and NumPy raise for damaged bytes is of many kinds
            reason = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            raise refused(file, reason) from error


def _read_array(archive, member):
    with archive.open(member) as stream:
        array = np.lib.format.read_array(stream, allow_pickle=False)
        if stream.read(1):  # also reaches the end, where the checksum is compared
            raise ValueError(f"{member.filename} is longer than its header says.")
    return array
