"""Files for labeling tools: what to label next as CSV or as tasks of Label Studio, and the answers, read back."""

from skprune.labeling._answers import read_answers
from skprune.labeling._label_studio import label_studio_config, label_studio_tasks
from skprune.labeling._proposals import write_proposals

__all__ = ["label_studio_config", "label_studio_tasks", "read_answers", "write_proposals"]
