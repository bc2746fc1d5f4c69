"""The section that compares the coreset with random rows and with the given labels alone."""

from skprune._pipeline._held_out import count_held_out
from skprune._report_page._elements import element, percent, section, table


def comparison(findings):
    """Return the section; it says how to ask where nothing was compared."""
    heading, found = "Compared with random rows", getattr(findings.pruner, "random_comparison_", None)
    if found is None:
        text = "Not asked for. Fit with compare_with_random=True to see whether the coreset is better than random rows."
        return section(heading, element("p", text))
    accuracies = {
        "coreset": found.coreset,
        "as many random rows": found.random,
        "given labels alone": found.labels_alone,
    }
    lines = [[name, percent(value)] for name, value in accuracies.items() if value is not None]
    points = [100 * value for value in (found.difference, found.low, found.high)]
    if found.is_simulated:
        how = (
            "Accuracies of models trained on simulated labels, as people may give them. The difference "
            f"between coreset and random rows is {points[0]:+.1f} points, from {points[1]:+.1f} to {points[2]:+.1f} "
            "between kinds of simulated labels."
        )
    else:
        how = (
            f"Accuracies on {count_held_out(found.n_rows)}, over five trainings. The difference between coreset and "
            f"random rows is {points[0]:+.1f} points (95 % interval {points[1]:+.1f} to {points[2]:+.1f})."
        )
    listed = table(
        ["trained on", "accuracy"], lines, caption="Accuracy by what a model is trained on", numbers={"accuracy"}
    )
    warning = found.warning()
    verdict = f"The best of these: {found.best}." if warning is None else warning
    return section(heading, element("p", how), listed, element("p", verdict, class_="verdict"))
