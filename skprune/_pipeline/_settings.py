"""The parameters that the stages read, whichever pruner runs them."""

from dataclasses import dataclass, fields, replace

from skprune._utils._parameter_checks import check_count
from skprune.dynamics._recording import as_recording, keeps_kl
from skprune.scores._registry import score_names
from skprune.selection import kept_count

DEFAULT_RATIO = 0.5


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
    budget: int | None = None
    labeler: object = NoLabeler
    goal: str = "annotate"
    duplicates: str = "ignore"
    groups_select: str = "all"
    record: object = "train"
    n_repeats: int = 1
    include_labeled: bool = False
    estimate_accuracy: bool | str = False
    compare_with_random: object = False
    checkpoint: object = None
    checkpoint_every: float = 60.0
    on_divergence: str = "raise"
    time_limit: float | None = None
    image_size: int | str | None = None
    warm_start: bool = False

    @classmethod
    def of(cls, pruner):
        """Read the parameters of a pruner."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in pruner.get_params(deep=False).items() if name in names})

    @property
    def compares(self):
        """Whether the coreset is compared with random rows."""
        return self.compare_with_random is not False

    @property
    def keeps_labeled(self):
        """Whether all labeled rows are kept."""
        return bool(self.include_labeled) or self.budget is not None

    @property
    def size(self):
        """The parameter that says how many rows are kept, as a user writes it."""
        return f"ratio={self.ratio!r}" if self.budget is None else f"budget={self.budget!r}"

    def count(self, labeled, *, n_units=None, n_to_label=None):
        """Return how many rows are kept: the ratio of `n_units`, or as many as `n_to_label`; None stands for all rows."""
        n_all, unit = (len(labeled), "rows") if n_units is None else (n_units, "groups")
        if self.budget is None:
            return kept_count(self.ratio, n_all)
        if self.ratio != DEFAULT_RATIO:
            raise ValueError(
                f"budget={self.budget!r} and ratio={self.ratio!r} both say how many rows are kept. Leave one of them out."
            )
        check_count("budget", self.budget)
        n_to_label = int((~labeled).sum()) if n_to_label is None else n_to_label
        if self.budget > n_to_label:
            raise ValueError(
                f"budget={self.budget} is the number of rows to label, and only {n_to_label} of {n_all} {unit} need a label."
            )
        return int(labeled.sum()) + int(self.budget)

    def with_size(self, ratio, budget):
        """Return settings that keep another number of rows; None and None leave it as it is."""
        if ratio is not None and budget is not None:
            raise ValueError(f"Pass ratio={ratio!r} or budget={budget!r}: both say how many rows are kept.")
        if ratio is not None:
            return replace(self, ratio=ratio, budget=None)
        return self if budget is None else replace(self, ratio=DEFAULT_RATIO, budget=budget)

    def recording(self, n_samples, n_classes):
        """Return what is recorded; a difficulty that reads ``kl_step`` has it recorded where "auto" would leave it out."""
        recording = as_recording(self.record)
        is_left_out = recording.kl == "auto" and not keeps_kl("auto", n_samples, n_classes)
        return recording.set_params(kl=True) if is_left_out and "tdds" in score_names(self.difficulty) else recording

    @property
    def uses_labeler_run(self):
        """Whether the labeler's own training is recorded in place of a proxy's."""
        return isinstance(self.proxy, str) and self.proxy == "labeler"
