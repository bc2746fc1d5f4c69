"""CalibrationDisplay: whether the confidence of pseudo-labels can be believed."""

import numpy as np
from scipy.stats import binomtest
from sklearn.model_selection import KFold
from sklearn.utils import check_consistent_length

from skprune._base import labeled_rows
from skprune._pipeline._calibration import calibrated
from skprune._reports import held_out_of
from skprune._utils._parameter_checks import check_count
from skprune.inspection._inputs import check_pruner, fill_display, is_correct, is_known, read_truth
from skprune.inspection._style import KEPT, axes_or_new, in_percent, plain

_LEAST_ROWS = 10  # of a bin: a share of fewer says nothing
_N_BINS = """n_bins : int, default=10
    The number of bins of about as many rows; less if one would hold fewer than ten."""


@fill_display()
class CalibrationDisplay:
    """Share of correct pseudo-labels against their confidence, with 95 % Wilson intervals.

    Points below the diagonal are pseudo-labels that are less often correct than their confidence says.

    Parameters
    ----------
    confidence : ndarray of shape (n_bins,)
        The mean confidence of each bin.
    accuracy : ndarray of shape (n_bins,)
        The share of correct pseudo-labels.
    counts : ndarray of shape (n_bins,), int
        The number of rows.
    name : str, default="pseudo-labels"
        What the legend calls the rows.

    Attributes
    ----------
    $display_attributes

    See Also
    --------
    sklearn.calibration.CalibrationDisplay : For the probabilities of a binary classifier.

    Examples
    --------
    >>> from skprune.inspection import CalibrationDisplay
    >>> pseudo_labels, confidence = [0] * 20, [0.6] * 10 + [0.9] * 10
    >>> display = CalibrationDisplay.from_predictions([0, 1] * 5 + [0] * 10, pseudo_labels, confidence)
    >>> display.accuracy.tolist()
    [0.5, 1.0]
    """

    def __init__(self, confidence, accuracy, counts, *, name="pseudo-labels"):
        self.confidence = confidence
        self.accuracy = accuracy
        self.counts = counts
        self.name = name

    @classmethod
    @fill_display(n_bins=_N_BINS)
    def from_estimator(cls, pruner, *, y_true=None, n_bins=10, ax=None):
        """Draw the calibration of the pseudo-labels of a fitted pruner.

        Parameters
        ----------
        pruner : SemiPrune
            A fitted pruner. Without `y_true`, it must have held out labels.
        y_true : array-like of shape (n_samples,), default=None
            True labels of the pool, some of which may be missing, as the `missing_label` of the pruner says; those that were
            given to the pruner do not count. None takes the labels that the pruner held out, and the labeler that did not know
            them; the confidence of each is calibrated on the others, in ten folds.
        $n_bins
        $ax

        Returns
        -------
        CalibrationDisplay
            What was drawn.

        Raises
        ------
        ValueError
            There is no pseudo-label of which the true label is known.
        """
        check_pruner(pruner, cls, pseudo_label_confidence_="the confidence of pseudo-labels")
        if y_true is None:
            correct, confidence = _held_out_predictions(pruner)
            return cls._from_outcomes(correct, confidence, n_bins, "held-out labels").plot(ax)
        check_consistent_length(pruner.pseudo_labels_, y_true)
        truth = read_truth(y_true, pruner.classes_, pruner.missing_label)
        rows = np.flatnonzero(is_known(truth) & ~labeled_rows(pruner))
        if rows.size == 0:
            raise ValueError("y_true holds no label of a row whose label was not given to the pruner.")
        correct = is_correct(pruner.pseudo_labels_[rows], truth[rows])
        return cls._from_outcomes(correct, pruner.pseudo_label_confidence_[rows], n_bins, "pseudo-labels").plot(ax)

    @classmethod
    @fill_display(n_bins=_N_BINS)
    def from_predictions(
        cls, y_true, pseudo_labels, confidence, *, missing_label="auto", n_bins=10, name="pseudo-labels", ax=None
    ):
        """Draw the calibration of pseudo-labels.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True labels. Rows without one do not count.
        pseudo_labels : array-like of shape (n_samples,)
            Pseudo-labels.
        confidence : array-like of shape (n_samples,)
            The probability that the pseudo-label is correct, in [0, 1].
        missing_label : object, default="auto"
            The mark of a row without a true label, such as -1 or None; "auto" takes None and NaN, else -1 unless it is among the
            pseudo-labels.
        $n_bins
        name : str, default="pseudo-labels"
            What the legend calls the rows.
        $ax

        Returns
        -------
        CalibrationDisplay
            What was drawn.

        Raises
        ------
        ValueError
            Lengths or types of labels differ, there are no rows with a true label, or a confidence is not in [0, 1].
        """
        check_consistent_length(y_true, pseudo_labels, confidence)
        pseudo_labels = np.asarray(pseudo_labels)
        truth = read_truth(y_true, pseudo_labels, missing_label)
        known = is_known(truth)
        correct = is_correct(pseudo_labels[known], truth[known])
        return cls._from_outcomes(correct, np.asarray(confidence)[known], n_bins, name).plot(ax)

    @classmethod
    def _from_outcomes(cls, correct, confidence, n_bins, name):
        check_count("n_bins", n_bins)
        confidence = np.asarray(confidence, dtype=np.float64)
        if confidence.size == 0:
            raise ValueError("CalibrationDisplay needs at least one row with a true label.")
        if not ((confidence >= 0) & (confidence <= 1)).all():
            raise ValueError("confidence must hold probabilities, within [0, 1].")
        n_bins = min(n_bins, max(1, len(confidence) // _LEAST_ROWS))
        edges = np.unique(np.quantile(confidence, np.linspace(0, 1, n_bins + 1)[1:-1]))
        bins = np.searchsorted(edges, confidence, side="left")
        _, bins, counts = np.unique(bins, return_inverse=True, return_counts=True)
        means = (np.bincount(bins, weights=values) / counts for values in (confidence, correct))
        return cls(*means, counts, name=name)

    @fill_display()
    def plot(self, ax=None):
        """Draw the calibration.

        Parameters
        ----------
        $ax

        Returns
        -------
        self
            The display.
        """
        ax = axes_or_new(ax, height=6.0)
        n_rows = int(self.counts.sum())
        error = float(np.abs(self.accuracy - self.confidence) @ self.counts) / n_rows
        correct = np.rint(self.accuracy * self.counts).astype(int)
        intervals = [
            binomtest(hits, count).proportion_ci(0.95, method="wilson")
            for hits, count in zip(correct.tolist(), self.counts.tolist(), strict=True)
        ]
        ax.plot([0, 1], [0, 1], "--", color="0.45", label="as often correct as the confidence says")
        ax.errorbar(
            self.confidence,
            self.accuracy,
            [
                np.maximum(self.accuracy - [interval.low for interval in intervals], 0),
                np.maximum([interval.high for interval in intervals] - self.accuracy, 0),
            ],
            color=KEPT,
            marker="o",
            capsize=3,
            label=f"{plain(self.name)} ({n_rows:,} rows; calibration error {100 * error:.1f} points)",
        )
        in_percent(ax.xaxis)
        in_percent(ax.yaxis)
        ax.set(
            xlabel="confidence of the pseudo-label",
            ylabel="share of correct pseudo-labels",
            title="Calibration of the pseudo-labels",
        )
        ax.legend(loc="best")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _held_out_predictions(pruner):
    """Return for each held-out row whether its pseudo-label was correct, and the confidence as the others calibrate it."""
    held_out = held_out_of(pruner)
    if held_out is None or held_out.confidence is None:
        raise ValueError(
            f"{type(pruner).__name__} held out no labels. Pass y_true, or fit a SemiPrune with estimate_accuracy=True to a y in "
            "which labels are missing."
        )
    correct = pruner.classes_[held_out.codes[held_out.rows]] == pruner.pseudo_labels_[held_out.rows]
    raw = held_out.confidence
    if len(raw) < 2:
        return correct, raw
    confidence = np.empty(len(raw))
    for others, part in KFold(min(10, len(raw)), shuffle=True, random_state=0).split(raw):
        confidence[part] = calibrated(raw[part], raw[others], correct[others])
    return correct, confidence
