"""The parameters that the stages read, whichever pruner runs them."""

from dataclasses import dataclass, fields


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
    labeler: object = None
    goal: str = "annotate"
    record: object = "train"
    n_repeats: int = 1
    include_labeled: bool = False
    estimate_accuracy: bool = False
    compare_with_random: bool = False
    checkpoint: object = None

    @classmethod
    def of(cls, pruner):
        """Read the parameters of a pruner."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in pruner.get_params(deep=False).items() if name in names})

    @property
    def uses_labeler_run(self):
        """Whether the labeler's own training is recorded in place of a proxy's."""
        return isinstance(self.proxy, str) and self.proxy == "labeler"
