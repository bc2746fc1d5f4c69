"""``skprune suggest``: which rows to label first."""

from skprune._annotation._first_labels import suggest_first_labels
from skprune._command_line._fitting import say_done
from skprune._command_line._outputs import check_answers, check_outputs, write_table
from skprune._command_line._reading import read_data


def run(arguments):
    """Write which rows to label when no row has a label."""
    check_outputs(arguments)
    check_answers(arguments)
    data = read_data(arguments)
    rows = suggest_first_labels(
        data.X,
        arguments.n,
        random_state=arguments.seed,
        device=arguments.device,
        verbose=0 if arguments.quiet else 1,
    )
    check_answers(arguments)  # once more: people may have written labels meanwhile
    write_table(arguments.out, ["id", "label"], [[data.ids[row], ""] for row in rows])
    say_done(arguments, f"{arguments.out}: {len(rows)} rows to label.")
