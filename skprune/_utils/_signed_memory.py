"""A cache of joblib whose entries are pickles, each of which is read only if a checksum with a secret key is right."""

import hmac
import io
import os
from pathlib import Path

import joblib
from joblib.memory import FileSystemStoreBackend

from skprune._utils._files import whole_file

_LEAST_BYTES = 16
SIGNED = "skprune-signed"


class WrongSignature(RuntimeError):
    """An entry of a cache that whoever has the key did not write, or that is damaged."""


def signed_memory(folder, key):
    """Return a joblib cache that reads only what was written with a key.

    Entries of ``joblib.Memory`` are pickles, and whoever can write to its folder can run code as you. Here each entry has a
    checksum (HMAC with SHA-256) that nobody can make without the key. An entry without the right one is not unpickled: a
    warning names it, and it is computed again.

    Parameters
    ----------
    folder : path-like
        The folder of the cache.
    key : bytes or str
        A secret of at least 16 bytes, such as ``secrets.token_bytes(32)``, that is kept elsewhere and is the same for all who
        share the cache. Pickles of an estimator with this memory hold the key.

    Returns
    -------
    joblib.Memory
        For `memory` of :class:`SemiPrune` and of scikit-learn's estimators.

    Raises
    ------
    TypeError, ValueError
        `key` is no text or bytes, or too short.

    Examples
    --------
    >>> import secrets
    >>> import tempfile
    >>> import skprune
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     memory = skprune.signed_memory(folder, key=secrets.token_bytes(32))
    ...     pruner = skprune.SemiPrune(memory=memory, random_state=0)
    """
    if not isinstance(key, (bytes, str)):
        raise TypeError(f"key must be bytes or a text, got {type(key).__name__}.")
    key = key.encode() if isinstance(key, str) else key
    if len(key) < _LEAST_BYTES:
        raise ValueError(
            f"key must have at least {_LEAST_BYTES} bytes, got {len(key)}. secrets.token_bytes(32) makes one."
        )
    return joblib.Memory(os.fspath(folder), backend=SIGNED, backend_options={"key": key}, verbose=0)


class SignedStoreBackend(FileSystemStoreBackend):
    """Files of joblib, with a checksum beside each pickle (joblib's hook)."""

    def configure(self, location, verbose=1, backend_options=None):
        """Take the key out of the options."""
        options = dict(backend_options or {})
        self._key = options.pop("key")
        super().configure(location, verbose=verbose, backend_options=options)

    def load_item(self, call_id, verbose=1, timestamp=None, metadata=None):
        """Unpickle an entry, if its checksum is right."""
        folder = Path(self.location, *call_id)
        content = (folder / "output.pkl").read_bytes()
        try:
            found = (folder / "output.hmac").read_bytes()
        except OSError:
            found = b""
        if not hmac.compare_digest(found, self._signature(call_id, content)):
            raise WrongSignature(
                f"The entry {folder} of the cache has a wrong checksum: it was changed, or made with another key."
            )
        return joblib.load(io.BytesIO(content))

    def dump_item(self, call_id, item, verbose=1):
        """Pickle an entry, and write its checksum first: an entry without one is no entry."""
        folder, stream = Path(self.location, *call_id), io.BytesIO()
        joblib.dump(item, stream)
        content = stream.getvalue()
        for name, part in {"output.hmac": self._signature(call_id, content), "output.pkl": content}.items():
            with whole_file(folder / name) as unfinished:
                unfinished.write_bytes(part)

    def _signature(self, call_id, content):
        """Return the checksum of an entry and its place, so that entries cannot be exchanged."""
        digest = hmac.new(self._key, "/".join(call_id).encode() + b"\0", "sha256")
        digest.update(content)
        return digest.digest()


joblib.register_store_backend(SIGNED, SignedStoreBackend)
