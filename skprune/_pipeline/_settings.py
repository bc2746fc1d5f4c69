"""The parameters that the stages read, whichever pruner runs them."""

from dataclasses import dataclass, fields

from skprune.dynamics._recording import as_recording, keeps_kl
from skprune.scores._registry import score_names


class NoLabeler:
    """Stands for the labeler of a pruner that has no such parameter; None would be a value of the user."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Parameters of SemiPrune, by the same names; those with a default here are not parameters of every pruner."""

    ratio: float | int
    proxy: object
    difficulty: object
    selection: object
    n_epochs: int
    schedule_epochs: int
    memory: object
    device: str | None
    random_state: object
    n_jobs: int | None
    verbose: int
    labeler: object = NoLabeler
    goal: str = "annotate"
    record: object = "train"
    n_repeats: int = 1
    include_labeled: bool = False
    estimate_accuracy: bool | str = False
    compare_with_random: object = False
    checkpoint: object = None
    image_size: int | str | None = None

    @classmethod
    def of(cls, pruner):
        """Read the parameters of a pruner."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in pruner.get_params(deep=False).items() if name in names})

    @property
    def compares(self):
        """Whether the coreset is compared with random rows."""
        return self.compare_with_random is not False

    def recording(self, n_samples, n_classes):
        """Return what is recorded; a difficulty that reads ``kl_step`` has it recorded where "auto" would leave it out."""
        recording = as_recording(self.record)
        is_left_out = recording.kl == "auto" and not keeps_kl("auto", n_samples, n_classes)
        return recording.set_params(kl=True) if is_left_out and "tdds" in score_names(self.difficulty) else recording

    @property
    def uses_labeler_run(self):
        """Whether the labeler's own training is recorded in place of a proxy's."""
        return isinstance(self.proxy, str) and self.proxy == "labeler"
