"""``skprune next``: which rows to label next."""

import sys

from skprune._command_line._errors import BadInput
from skprune._command_line._fitting import draw_report, fitted, say_done
from skprune._command_line._tasks import write_tasks
from skprune.labeling import write_proposals


def run(arguments):
    """Write which rows people should label next, as CSV or as tasks of Label Studio."""
    as_tasks = arguments.out.suffix.lower() == ".json"
    if arguments.url is not None and not as_tasks:
        raise BadInput("--url goes with tasks of Label Studio, which --out FILE.json writes.")
    with fitted(arguments, goal="annotate") as (pruner, data, check):
        draw_report(arguments.report, arguments, pruner, data)
        check()
        if as_tasks:
            config = write_tasks(arguments, pruner, data)
        else:
            write_proposals(arguments.out, pruner, names=data.ids)
    say_done(arguments, f"{arguments.out}: {len(pruner.annotation_indices_)} rows to label.", pruner)
    if as_tasks:
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        print(config.encode(encoding, "xmlcharrefreplace").decode(encoding))  # the same to whoever reads XML
