"""Files of state: one safetensors file of arrays, a tree of JSON and a checksum. Nothing in a file is run."""

import json
from hashlib import blake2b

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from skprune._utils._files import whole_file
from skprune._utils._state_tree import StateReader, StateWriter

FORMAT = "skprune state 1"
_OTHER = "it is no file of skprune"


def write_state(file, state, kind, *, rows=False):
    """Write an object to a file, whole or not at all, and return the names in it; a kind says what the file is."""
    import skprune

    writer = StateWriter(rows=rows)
    text = json.dumps(writer.node(state))
    head = {"format": FORMAT, "kind": kind, "skprune": skprune.__version__, "state": text}
    with whole_file(file) as unfinished:
        save_file(writer.arrays, unfinished, metadata=head | {"checksum": _checksum(head, writer.arrays)})
    return writer.names


def read_state(file, kind, trusted=()):
    """Return the object of a file; refuse a damaged file, one of another kind or version, and names that are not trusted."""
    with open(file, "rb"):  # a file that is missing or may not be read raises OSError
        pass
    try:
        with safe_open(file, framework="np") as stream:
            head = dict(stream.metadata() or {})
            arrays = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118, no mapping
        checksum = head.pop("checksum", None)
        if not head.get("format", "").startswith("skprune state"):
            raise ValueError(_OTHER)
        check_version(head["skprune"], head["format"] == FORMAT)
        if checksum != _checksum(head, arrays):
            raise ValueError("its checksum differs, so it is truncated or damaged")
        if head["kind"] != kind:
            raise ValueError(f"it holds a {head['kind']}, and a {kind} was expected")
        return StateReader(arrays, trusted).value(json.loads(head["state"]))
    except Exception as error:  # what damaged bytes raise is of many kinds
        reason = error if type(error).__module__.startswith("skprune") or type(error) is ValueError else repr(error)
        raise UnreadableState(str(reason).rstrip(".")) from error


class UnreadableState(ValueError):
    """A file that is refused; the message says why, and whoever reads it adds the name of the file."""


def check_version(written, same_format=True):
    """Refuse what another minor version of skprune wrote."""
    import skprune

    if not same_format or _minor(written) != _minor(skprune.__version__):
        raise ValueError(
            f"it was written by skprune {written}, and this is {skprune.__version__}. Fit again, or read it with that version"
        )


def _minor(version):
    return version.split(".")[:2]


def _checksum(head, arrays):
    """Return the checksum of all that a file holds."""
    digest = blake2b(json.dumps(head, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
