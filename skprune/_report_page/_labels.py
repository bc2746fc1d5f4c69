"""The sections about labels: how many pseudo-labels are correct, classes before and after, labels that look wrong."""

import numpy as np

from skprune._pipeline._held_out import count_held_out
from skprune._report_page._elements import element, percent, section, table
from skprune._report_page._figures import figure, figures
from skprune._report_page._row_lists import row_list
from skprune.inspection import CalibrationDisplay, CoresetCompositionDisplay

_LEAST_HELD_OUT = 20  # rows that a picture of calibration needs
_ADVICE = " Either the label is wrong, or the row is unusual for its class."
_EARLIER = ": it was trained by an earlier fit, from which this one went on"
_MOST_CLASSES = 60  # lines of the table of classes


def pseudo_labels(findings):
    """Return the section about the accuracy of pseudo-labels; None where no label was missing."""
    pruner = findings.pruner
    if findings.labeled.all():
        return None
    if pruner.pseudo_label_accuracy_ is None:
        text = "It was not estimated how many pseudo-labels are correct: no labels were held out (estimate_accuracy)."
        return section("Pseudo-labels", element("p", text))
    low, high = pruner.pseudo_label_accuracy_interval_
    n_rows, n_known, n_given = len(findings.held_out.rows), findings.held_out.n_known, int(findings.labeled.sum())
    confidence = pruner.pseudo_label_confidence_[~findings.labeled].mean()
    earlier = _EARLIER * (n_known + n_rows < n_given)
    text = (
        f"On {count_held_out(n_rows)}, {percent(pruner.pseudo_label_accuracy_)} of the pseudo-labels are "
        f"correct (95 % interval {percent(low)} to {percent(high)}). The labeler that was tested knew {n_known:,} of the "
        f"{n_given:,} labels{earlier}. The mean calibrated confidence of all pseudo-labels is {percent(confidence)}."
    )
    if findings.held_out.confidence is None or n_rows < _LEAST_HELD_OUT:
        return section("Pseudo-labels", element("p", text))
    shown = figure(
        lambda ax: CalibrationDisplay.from_estimator(pruner, ax=ax),
        f"Share of correct pseudo-labels against their confidence, on {n_rows} held-out rows. Points below the diagonal are "
        "less often correct than their confidence says.",
        "Whether the confidence can be believed: points on the diagonal are as often correct as they say.",
    )
    return section("Pseudo-labels", element("p", text), figures(shown))


def classes(findings):
    """Return the section about the classes before and after pruning."""
    pruner = findings.pruner
    code_of = {name: code for code, name in enumerate(pruner.classes_.tolist())}
    codes = np.array([code_of[label] for label in pruner.pseudo_labels_.tolist()])
    parts = {
        "labels given": findings.labeled,
        "rows in the pool": slice(None),
        "rows kept": pruner.support_,
        "rows to label": pruner.annotation_indices_,
    }
    counts = {name: np.bincount(codes[rows], minlength=len(code_of)) for name, rows in parts.items()}
    names = pruner.classes_[:_MOST_CLASSES]
    lines = [[name, *(f"{count[code]:,}" for count in counts.values())] for code, name in enumerate(names)]
    shares = [counts[part] / counts[part].sum() for part in ("rows in the pool", "rows kept")]
    moved = int(np.argmax(np.abs(np.subtract(*shares))))
    shown = figure(
        lambda ax: CoresetCompositionDisplay.from_estimator(pruner, ax=ax),
        f"Share of each of {len(pruner.classes_)} classes in the pool and in the coreset. The share of "
        f"{pruner.classes_[moved]} changes most, from {percent(shares[0][moved])} to {percent(shares[1][moved])}.",
        "Classes by given labels, and by pseudo-labels elsewhere.",
    )
    more = "" if len(names) == len(pruner.classes_) else f", the first {len(names)} of {len(pruner.classes_)}"
    listed = table(["class", *parts], lines, caption=f"Rows of each class{more}", numbers=set(parts))
    return section("Classes before and after", figures(shown, listed))


def suspicious(findings):
    """Return the section about given labels that look wrong."""
    heading = "Labels to check"
    if findings.pruner.labeler_ is None:
        return section(heading, *_unlearned(findings))
    opinions, given = findings.opinions, findings.pruner.pseudo_labels_
    names = findings.pruner.classes_
    doubted = [row for row, opinion in opinions.items() if names[opinion.code] != given[row]]
    doubted.sort(key=lambda row: (-opinions[row].probability, row))
    n_learned = sum(opinion.knew for opinion in opinions.values())
    found = (
        f"The labeler predicts another class for {len(doubted):,} of the {len(opinions):,} given labels that it was asked about, "
        f"of {int(findings.labeled.sum()):,} in all; it was trained on {n_learned:,} of those."
    )
    if not doubted:
        return section(heading, element("p", found))
    columns = {
        "given": given[doubted],
        "labeler": [
            f"{names[opinions[row].code]} ({percent(opinions[row].probability, 0)}"
            f"{'' if opinions[row].knew else ', without knowing the label'})"
            for row in doubted
        ],
    }
    caption = "Given labels that the labeler contradicts, the surest first."
    return section(heading, element("p", found, _ADVICE), row_list(findings, doubted, columns, caption=caption))


def _unlearned(findings):
    """Return what the proxy says where all labels were given, and no labeler was needed."""
    dynamics = findings.pruner.dynamics_
    margin, proba = (
        np.ma.mean(np.ma.masked_invalid(part), axis=0) for part in (dynamics.target_margin, dynamics.target_proba)
    )
    doubted = np.flatnonzero(np.ma.filled(margin < 0, False))
    doubted = doubted[np.argsort(margin[doubted], kind="stable")]
    text = (
        f"For {len(doubted):,} of {len(margin):,} rows, the proxy found another class more probable than the given one, on "
        "average over its training."
    )
    if not len(doubted):
        return [element("p", text)]
    columns = {
        "given": findings.pruner.pseudo_labels_[doubted],
        "mean probability": [f"{value:.2f}" for value in proba[doubted]],
    }
    return [element("p", text, _ADVICE), row_list(findings, doubted, columns, caption="The most doubtful first.")]
