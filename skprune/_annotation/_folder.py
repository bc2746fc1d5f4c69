"""The folder of a loop: a JSON file and an npz file, each written whole, so that a kill leaves the state before or after."""

import hashlib
import io
import json
from dataclasses import fields
from pathlib import Path

import numpy as np

from skprune._annotation._state import AskedRound, LoopState
from skprune._utils._files import whole_file
from skprune._utils._locks import NotWritable, lock_of
from skprune._utils._saving import load, write
from skprune._utils._trusted import names_in
from skprune._utils._warnings import warn_user

_FORMAT = 1
_FILE = "loop.json"
_ARRAYS = tuple(field.name for field in fields(AskedRound) if field.type is np.ndarray)
_NUMBERS = tuple(field.name for field in fields(AskedRound) if field.name not in _ARRAYS)


class LoopFolder:
    """A folder, and the number of the state that was read from it or written to it last."""

    def __init__(self, folder):
        self.folder, self._number = Path(folder), 0
        if self.folder.exists() and not self.folder.is_dir():
            raise ValueError(f"folder must name a folder, and {self.folder} is a file.")

    @property
    def holds_a_loop(self):
        """Whether there is a state to go on from."""
        return (self.folder / _FILE).exists()

    def write(self, state):
        """Write a state in place of the one before; refuse to where another process has done so since."""
        document, arrays = _taken_apart(state)
        content = io.BytesIO()
        np.savez_compressed(content, **arrays)
        number = self._number + 1
        document |= {"format": _FORMAT, "number": number, "arrays": f"loop-{number}.npz", "digest": _digest(content)}
        try:
            with lock_of(self.folder / "loop.lock"):
                self.check_number()
                for name, data in ((document["arrays"], content.getvalue()), (_FILE, json.dumps(document).encode())):
                    with whole_file(self.folder / name) as unfinished:
                        unfinished.write_bytes(data)
        except OSError as error:
            raise NotWritable(
                f"The folder {self.folder} cannot be written to: {error}. Nothing has changed."
            ) from error
        self._number = number
        (self.folder / f"loop-{number - 1}.npz").unlink(missing_ok=True)

    def keep_weights(self, pruner, state):
        """Write the pruner that has asked for the last round of a state, for the next one to go on from."""
        try:
            write(pruner, self._weights(len(state.rounds)))
        except TypeError as error:
            warn_user(
                f"The folder {self.folder} keeps no weights, so that a loop that is resumed begins with new ones. {error}"
            )

    def read_weights(self, state, pruner):
        """Return the pruner that has asked for the last round of a state, of the classes of another; None where there is none."""
        file = self._weights(len(state.rounds))
        if not file.exists():
            return None
        try:
            return load(file, trusted=names_in(pruner))
        except ValueError as error:
            warn_user(f"The next round begins with new weights. {error}")
            return None

    def forget_weights(self, state):
        """Delete what was kept of the round before the last one."""
        self._weights(len(state.rounds) - 1).unlink(missing_ok=True)

    def _weights(self, number):
        return self.folder / f"round-{number}.skprune"

    def read(self):
        """Return the state in the folder."""
        if not self.holds_a_loop:
            raise ValueError(f"The folder {self.folder} holds no annotation loop. Call start first.")
        try:
            document = json.loads((self.folder / _FILE).read_text())
            if document["format"] != _FORMAT:
                raise ValueError(f"its format is {document['format']!r}, and this version of skprune reads {_FORMAT}")
            content = io.BytesIO((self.folder / document["arrays"]).read_bytes())
            if _digest(content) != document["digest"]:
                raise ValueError(f"the checksum of {document['arrays']} differs")
            with np.load(content, allow_pickle=False) as arrays:
                state = _put_together(document, dict(arrays))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"The annotation loop in {self.folder} cannot be read: {error}.") from error
        self._number = document["number"]
        return state

    def check_number(self):
        """Refuse to go on where another process has."""
        number = json.loads((self.folder / _FILE).read_text())["number"] if self.holds_a_loop else 0
        if number != self._number:
            raise ValueError(
                f"The annotation loop in {self.folder} has gone on elsewhere since it was read. Call resume to go on from there."
            )


def _taken_apart(state):
    """Return what goes into JSON, and the arrays."""
    arrays = {"classes": np.array(state.classes), "given": state.given}
    for number, asked in enumerate(state.rounds):
        arrays |= {f"{name}-{number}": getattr(asked, name) for name in _ARRAYS}
    rounds = [{name: getattr(asked, name) for name in _NUMBERS} for asked in state.rounds]
    document = {"mark": state.mark, "seed": state.seed, "fingerprint": state.fingerprint, "rounds": rounds}
    return document, arrays


def _put_together(document, arrays):
    rounds = [
        AskedRound(**numbers, **{name: arrays[f"{name}-{number}"] for name in _ARRAYS})
        for number, numbers in enumerate(document["rounds"])
    ]
    return LoopState(
        classes=tuple(arrays["classes"].tolist()),
        given=arrays["given"],
        mark=document["mark"],
        seed=document["seed"],
        fingerprint=document["fingerprint"],
        rounds=tuple(rounds),
    )


def _digest(content):
    return hashlib.blake2b(content.getvalue(), digest_size=16).hexdigest()
