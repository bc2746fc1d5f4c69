"""What each command does."""

import sys

from skprune._annotation._first_labels import suggest_first_labels
from skprune._command_line._errors import BadInput
from skprune._command_line._fitting import explained, fitted
from skprune._command_line._outputs import check_outputs, write_table
from skprune._command_line._reading import read_data
from skprune._command_line._tasks import write_tasks
from skprune._command_line._telling import tell
from skprune.labeling import write_proposals


def suggest(arguments):
    """Write which rows to label when no row has a label."""
    check_outputs([arguments.out], force=arguments.force)
    data = read_data(arguments)
    rows = suggest_first_labels(
        data.X,
        arguments.n,
        random_state=arguments.seed,
        device=arguments.device,
        verbose=0 if arguments.quiet else 1,
    )
    write_table(arguments.out, ["id", "label"], [[data.ids[row], ""] for row in rows])
    _done(arguments, f"{arguments.out}: {len(rows)} rows to label.")


def propose(arguments):
    """Write which rows people should label next, as CSV or as tasks of Label Studio."""
    as_tasks = arguments.out.suffix.lower() == ".json"
    if arguments.url is not None and not as_tasks:
        raise BadInput("--url goes with tasks of Label Studio, which --out FILE.json writes.")
    with fitted(arguments, goal="annotate") as (pruner, data):
        _write_second(arguments, pruner, data)
        if as_tasks:
            config = write_tasks(arguments, pruner, data)
        else:
            write_proposals(arguments.out, pruner, names=data.ids)
    _done(arguments, f"{arguments.out}: {len(pruner.annotation_indices_)} rows to label. {_accuracy(pruner)}")
    if as_tasks:
        print(config)


def prune(arguments):
    """Write a coreset to train on."""
    with fitted(arguments, goal="pseudo") as (pruner, data):
        known, rows = explained(pruner), pruner.coreset_indices_
        lines = [
            [
                data.ids[row],
                known["label"][row],
                "yes" if known["given"][row] else "no",
                f"{known['label_confidence'][row]:.4f}",
                f"{known['difficulty'][row]:.6g}",
                f"{weight:.6g}",
                known["why"][row],
            ]
            for row, weight in zip(rows, pruner.sample_weight_, strict=True)
        ]
        _write_second(arguments, pruner, data)
        write_table(arguments.out, ["id", "label", "given", "confidence", "difficulty", "weight", "why"], lines)
    _done(arguments, f"{arguments.out}: {len(lines)} of {len(data.ids)} rows. {_accuracy(pruner)}")


def write_report(arguments):
    """Write a report."""
    with fitted(arguments, goal="annotate" if arguments.ratio is None else "pseudo") as (pruner, data):
        _draw(arguments.out, arguments, pruner, data)
    _done(arguments, f"{arguments.out}: the report. {_accuracy(pruner)}")


def _write_second(arguments, pruner, data):
    if arguments.report is not None:
        _draw(arguments.report, arguments, pruner, data)


def _draw(file, arguments, pruner, data):
    pruner.report(
        file, data.X, show=data.shown, names=data.ids, title=f"Pruning report: {arguments.data.resolve().name}"
    )


def _accuracy(pruner):
    if pruner.pseudo_label_accuracy_ is None:
        return ""
    low, high = pruner.pseudo_label_accuracy_interval_
    return f"About {pruner.pseudo_label_accuracy_:.0%} of the pseudo-labels are correct (95 % interval {low:.0%} to {high:.0%})."


def _done(arguments, message):
    if not arguments.quiet:
        print(message.strip(), file=sys.stderr)


COMMANDS = {"suggest": suggest, "next": propose, "prune": prune, "report": write_report, "tell": tell}
