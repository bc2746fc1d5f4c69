"""Caches with a key: entries of others are not unpickled."""

import pickle
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import SGDClassifier
from sklearn.semi_supervised import LabelSpreading

import skprune
from skprune import SemiPrune

KEY = b"a key of at least sixteen bytes"


class MakesFile:
    """An object whose pickle makes a file."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


def triple(x):
    return 3 * x


@pytest.fixture
def triples(tmp_path):
    """Return a cached function that counts its calls, in a folder and with a key."""

    def make(key=KEY):
        return skprune.signed_memory(tmp_path / "cache", key).cache(triple)

    return make


def entries(folder):
    return sorted(folder.rglob("output.pkl"))


def test_what_was_written_with_the_key_is_read(triples, tmp_path):
    assert triples()(2) == 6
    before = entries(tmp_path)[0].stat().st_mtime_ns
    assert triples().check_call_in_cache(2)
    assert pickle.loads(pickle.dumps(triples()))(2) == 6
    assert triples().call_and_shelve(2).get() == 6
    assert entries(tmp_path)[0].stat().st_mtime_ns == before


def put_payload(file, made):
    joblib.dump(MakesFile(made), file)


def remove_checksum(file, made):
    put_payload(file, made)
    file.with_name("output.hmac").unlink()


def exchange(file, made):
    """Put an entry of another call in the place, with its own checksum."""
    other = next(entry for entry in entries(file.parents[1]) if entry != file)
    for name in ("output.pkl", "output.hmac"):
        file.with_name(name).write_bytes(other.with_name(name).read_bytes())


@pytest.mark.parametrize("change", [put_payload, remove_checksum, exchange])
def test_changed_entries_are_not_unpickled(triples, tmp_path, change):
    cached = triples()
    cached(2), cached(5)
    shelved = cached.call_and_shelve(2)
    file, made = next(entry for entry in entries(tmp_path) if entry.parent.name == shelved.args_id), tmp_path / "made"
    change(file, made)
    with pytest.raises(RuntimeError, match=f"{file.parent} of the cache has a wrong checksum"):
        shelved.get()
    assert cached(2) == 6
    assert not made.exists()
    assert cached.call_and_shelve(2).get() == 6, "it was made again"


def test_another_key_reads_nothing(triples):
    triples()(2)
    with pytest.raises(RuntimeError, match="made with another key"):
        triples(b"another key of sixteen bytes").call_and_shelve(2).get()


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [("short", ValueError, "at least 16 bytes, got 5"), (None, TypeError, "key must be bytes or a text, got NoneType")],
)
def test_bad_keys_are_refused(tmp_path, key, error, message):
    with pytest.raises(error, match=message):
        skprune.signed_memory(tmp_path, key)


def test_a_pruner_names_a_changed_entry_and_makes_it_again(iris, tmp_path):
    X, _, partial = iris
    memory = skprune.signed_memory(tmp_path / "cache", KEY.decode())
    proxy = SGDClassifier(loss="log_loss")
    pruner = SemiPrune(
        labeler=LabelSpreading(), proxy=proxy, n_epochs=10, memory=memory, estimate_accuracy=False, random_state=0
    )
    pruner.fit(X / X.max(), partial)
    assert len(entries(tmp_path)) == 2
    again = clone(pruner).fit(X / X.max(), partial)
    np.testing.assert_array_equal(again.support_, pruner.support_)
    for file in entries(tmp_path):
        put_payload(file, tmp_path / "made")
    with pytest.warns(UserWarning, match="of the cache has a wrong checksum: .* It is not read, and is made again"):
        again = clone(pruner).fit(X / X.max(), partial)
    np.testing.assert_array_equal(again.support_, pruner.support_)
    assert not (tmp_path / "made").exists()
    clone(pruner).fit(X / X.max(), partial)  # a warning would be an error
