"""Files that processes that train together share."""

import hashlib

from skprune._utils._ranks import active_ranks


def check_shared(file):
    """Refuse a file that the processes that train together do not see alike; each waits here for the others."""
    ranks = active_ranks()
    if ranks.n == 1:
        return
    if len(set(ranks.all_say(_digest(file)))) > 1:
        raise ValueError(
            f"The processes of data_parallel see different files as {file}. Let the checkpoint be in a folder that they share."
        )


def _digest(file):
    if not file.exists():
        return None
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
