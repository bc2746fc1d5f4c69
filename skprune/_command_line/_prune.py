"""``skprune prune``: a coreset to train on."""

import numpy as np

from skprune._command_line._fitting import draw_report, fitted, say_done
from skprune._command_line._outputs import CORESET_COLUMNS, write_table


def run(arguments):
    """Write a coreset, with given labels where there are any, and pseudo-labels elsewhere."""
    with fitted(arguments, goal="pseudo") as (pruner, data, check):
        table, rows = pruner.explain(), pruner.coreset_indices_
        known = {name: np.asarray(table[name]) for name in table}
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
        draw_report(arguments.report, arguments, pruner, data)
        check()
        write_table(arguments.out, CORESET_COLUMNS, lines)
    say_done(arguments, f"{arguments.out}: {len(rows)} of {len(data.ids)} rows.", pruner)
