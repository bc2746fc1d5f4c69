"""``skprune report``: what was found, as one page of HTML."""

from skprune._command_line._fitting import draw_report, fitted, say_done


def run(arguments):
    """Write the report of what "skprune next" or "skprune prune" would choose."""
    with fitted(arguments, goal="annotate" if arguments.ratio is None else "pseudo") as (pruner, data, _):
        draw_report(arguments.out, arguments, pruner, data)
    say_done(arguments, f"{arguments.out}: the report.", pruner)
