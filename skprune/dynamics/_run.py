"""One training run that is recorded, as the collectors take it."""

from dataclasses import dataclass
from pathlib import Path

from skprune.dynamics._recording import Recording


@dataclass(frozen=True)
class RecordedRun:
    """How long a proxy is trained, from which seed, and what is recorded of it."""

    n_epochs: int
    schedule_epochs: int | None
    recording: Recording
    memmap_folder: str | Path | None
    seed: int
    verbose: int
