"""The sections about difficulty: data map, rows to label, hardest rows."""

import numpy as np

from skprune._report_page._elements import percent, section
from skprune._report_page._figures import figure, figures
from skprune._report_page._row_lists import row_list
from skprune.inspection import DataMapDisplay, DifficultyDisplay


def data_map(findings):
    """Return the section with the data map and the difficulties."""
    pruner = findings.pruner
    scores, kept = pruner.difficulty_scores_, pruner.support_
    dynamics = pruner.dynamics_
    proba = np.ma.mean(np.ma.masked_invalid(dynamics.target_proba), axis=0)
    spread = np.ma.std(np.ma.masked_invalid(dynamics.target_proba), axis=0)
    mapped = figure(
        lambda ax: DataMapDisplay.from_estimator(pruner, ax=ax),
        f"Data map of {len(scores):,} rows: the mean probability of the label, median {np.ma.median(proba):.2f}, against its "
        f"standard deviation over the epochs, median {np.ma.median(spread):.2f}. Rings mark the {int(kept.sum()):,} kept rows.",
        "Top: easy to learn. Right: ambiguous. Bottom: hard to learn, often since the label is wrong.",
    )
    harder = "harder" if np.median(scores[kept]) > np.median(scores) else "not harder"
    drawn = figure(
        lambda ax: DifficultyDisplay.from_estimator(pruner, ax=ax),
        f"Histograms of the difficulty of kept and dropped rows; the median kept row is {harder} than the median row of the "
        "pool.",
        "How hard kept and dropped rows are.",
    )
    return section("Data map", figures(mapped, drawn))


def proposed(findings):
    """Return the section of the rows to label, or of kept rows where all have labels."""
    pruner = findings.pruner
    rows, heading, caption = pruner.annotation_indices_, "Rows to label", "In the order of proposal."
    if not len(rows):
        rows, heading, caption = pruner.coreset_indices_, "Kept rows", "All of them have a label."
    return section(heading, row_list(findings, rows, _columns(findings, rows), caption=caption))


def hardest(findings):
    """Return the section of the hardest rows of the pool."""
    rows = np.argsort(-findings.pruner.difficulty_scores_, kind="stable")[: findings.n_rows]
    columns = _columns(findings, rows) | {"kept": ["yes" if kept else "no" for kept in findings.pruner.support_[rows]]}
    caption = "The hardest rows of the pool, kept or not. Many of them are unusual, or have a wrong label."
    return section("Hardest rows", row_list(findings, rows, columns, caption=caption))


def _columns(findings, rows):
    table = findings.explanation
    labels = [
        f"{label} (given)" if given else f"{label} ({percent(confidence, 0)})"
        for label, given, confidence in zip(
            *(table[name][rows] for name in ("label", "given", "label_confidence")), strict=True
        )
    ]
    return {
        "label": labels,
        "difficulty": [f"{value:.4g}" for value in table["difficulty"][rows]],
        "why": list(table["why"][rows]),
    }
