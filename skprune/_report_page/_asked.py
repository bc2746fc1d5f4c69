"""The section of what was asked, and what came of it in numbers."""

from skprune._report_page._elements import element, facts, percent, section

_GOALS = {
    "auto": "to be labeled by people",
    "annotate": "to be labeled by people",
    "pseudo": "to be trained on with its pseudo-labels",
}


def asked(findings):
    """Return the section."""
    pruner = findings.pruner
    n_samples, n_given = len(findings.labeled), int(findings.labeled.sum())
    n_kept = int(pruner.support_.sum())
    parameters = pruner.get_params(deep=False)
    pairs = [
        ("rows in the pool", f"{n_samples:,}"),
        ("classes", f"{len(pruner.classes_):,}"),
        ("labels given", f"{n_given:,} ({percent(n_given / n_samples)})"),
        ("rows kept", f"{n_kept:,} ({percent(n_kept / n_samples)})"),
        ("rows to label", f"{findings.n_to_label:,}"),
    ]
    if (accuracy := getattr(pruner, "pseudo_label_accuracy_", None)) is not None:
        pairs.append(("correct pseudo-labels, estimated", percent(accuracy)))
    return section(
        "What was asked",
        element("p", _question(parameters, findings)),
        facts(pairs),
    )


def _question(parameters, findings):
    budget, ratio = parameters.get("budget"), parameters["ratio"]
    if budget is not None:
        what = f"{budget:,} unlabeled rows besides all labeled ones"
    elif isinstance(ratio, float):
        share = "all" if ratio == 1.0 else f"{ratio:.4g}"
        what = (
            f"one row of {share} of the {findings.n_groups:,} groups" if findings.n_groups else f"{share} of the rows"
        )
    else:
        what = f"{ratio:,} rows"
    goal = "" if findings.labeled.all() else f", {_GOALS[parameters['goal']]}"
    return f"Of {_pool(findings)}, keep {what}{goal}."


def _pool(findings):
    shape, n_samples = findings.row_shape, len(findings.labeled)
    if len(shape) == 3:
        return f"{n_samples:,} images of {shape[2]} × {shape[1]} pixels and {shape[0]} channel{'s' * (shape[0] > 1)}"
    if len(shape) == 1:
        return f"{n_samples:,} rows of {shape[0]:,} column{'s' * (shape[0] > 1)}"
    return f"{n_samples:,} texts"
