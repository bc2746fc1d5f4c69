"""PruningCurveDisplay: accuracy against what is kept, or the difference from random rows."""

from itertools import cycle
from numbers import Integral

import numpy as np

from skprune._utils._parameter_checks import check_option
from skprune.inspection._inputs import fill_display
from skprune.inspection._style import PALETTE, add_legend, axes_or_new, in_percent, plain
from skprune.model_selection import PruningCurve
from skprune.model_selection._curve_results import LABELS_ALONE

_OPTIONS = """kind : {"accuracy", "difference"}, default="accuracy"
    "accuracy" draws the mean over the random states and a band of one standard deviation. "difference" draws the mean
    difference from random rows of the same random state, and its bootstrap interval, without "labels alone".
x : {"ratio", "n_annotated"}, default="ratio"
    What the results are drawn against: what is kept, or the labels given by people, including the initial ones."""
_COLORS = [PALETTE[name] for name in ("blue", "orange", "green", "vermillion", "purple", "sky")]
_MARKERS = "osD^vPX"


@fill_display()
class PruningCurveDisplay:
    """Pruning curve: accuracy of each method against what it keeps, with "labels alone" as a dashed line.

    Parameters
    ----------
    summary : list of dict
        The summary of a pruning curve, from :meth:`skprune.model_selection.PruningCurve.summary`.
    random : str, default="random"
        The name of the method that keeps random rows.

    Attributes
    ----------
    $display_attributes

    See Also
    --------
    skprune.model_selection.pruning_curve : Trains what is drawn.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skprune.baselines import KCenterPruner
    >>> from skprune.inspection import PruningCurveDisplay
    >>> from skprune.model_selection import pruning_curve
    >>> X, y = load_iris(return_X_y=True)
    >>> curve = pruning_curve(
    ...     {"k-center": KCenterPruner()},
    ...     X[::2],
    ...     y[::2],
    ...     ratios=[0.2, 0.5],
    ...     evaluator=GaussianNB(),
    ...     X_test=X[1::2],
    ...     y_test=y[1::2],
    ...     random_states=[0, 1, 2],
    ... )
    >>> display = PruningCurveDisplay.from_curve(curve)
    >>> [text.get_text() for text in display.ax_.get_legend().get_texts()]
    ['random', 'k-center']
    """

    def __init__(self, summary, *, random="random"):
        self.summary = summary
        self.random = random

    @classmethod
    @fill_display(options=_OPTIONS)
    def from_curve(cls, curve, *, kind="accuracy", x="ratio", confidence=0.95, ax=None):
        """Draw the results of a pruning curve.

        Parameters
        ----------
        curve : PruningCurve
            Results of :func:`~skprune.model_selection.pruning_curve`, or read by
            :meth:`~skprune.model_selection.PruningCurve.from_csv`.
        $options
        confidence : float, default=0.95
            The confidence level of the bootstrap interval.
        $ax

        Returns
        -------
        PruningCurveDisplay
            What was drawn.
        """
        if not isinstance(curve, PruningCurve):
            raise TypeError(f"curve must be a PruningCurve, as pruning_curve returns it, got {curve!r}.")
        return cls(curve.summary(confidence=confidence), random=curve.random).plot(ax, kind=kind, x=x)

    @fill_display(options=_OPTIONS)
    def plot(self, ax=None, *, kind="accuracy", x="ratio"):
        """Draw the curves.

        Parameters
        ----------
        $ax
        $options

        Returns
        -------
        self
            The display.

        Raises
        ------
        ValueError
            The ratios are fractions and numbers of rows, which have no axis in common.
        """
        check_option("kind", kind, ("accuracy", "difference"))
        check_option("x", x, ("ratio", "n_annotated"))
        are_counts = {isinstance(row["ratio"], Integral) for row in self.summary}
        if x == "ratio" and len(are_counts) > 1:
            raise ValueError("The ratios are fractions and numbers of rows. Draw them with x='n_annotated'.")
        ax = axes_or_new(ax)
        by_method = {}
        for row in self.summary:
            if kind == "accuracy" or row["method"] != LABELS_ALONE:  # far below, it would squeeze all others
                by_method.setdefault(row["method"], []).append(row)
        random_places = {row["ratio"]: row[x] for row in by_method[self.random]}
        styles = zip(cycle(_COLORS), cycle(_MARKERS), cycle(["-"] * len(_COLORS) + ["-."] * len(_COLORS)))
        alpha = 0.15 if len(by_method) <= 5 else 0.06
        for method, rows in by_method.items():
            if method == LABELS_ALONE:
                style = {"color": PALETTE["black"], "linestyle": "--"}
                places = [random_places[row["ratio"]] for row in rows]
            elif method == self.random:
                style = {"color": "0.45", "marker": "x"}
                places = [row[x] for row in rows]
            else:
                style = dict(zip(("color", "marker", "linestyle"), next(styles), strict=True))
                places = [row[x] for row in rows]
            _draw(ax, method, places, rows, kind, style, alpha, is_random=method == self.random)
        if x == "ratio" and are_counts == {False}:
            in_percent(ax.xaxis)
        if kind == "accuracy":
            in_percent(ax.yaxis)
        else:
            ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:+.4g}" if share else "0")
        kept = "rows kept" if are_counts == {True} else "share of the pool that is kept"
        ax.set(
            xlabel=kept if x == "ratio" else "labels given by people",
            ylabel="test accuracy" if kind == "accuracy" else "difference in test accuracy, in points",
            title="Pruning curve" if kind == "accuracy" else "Difference from random rows",
        )
        add_legend(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _draw(ax, method, places, rows, kind, style, alpha, *, is_random):
    """Draw the line and the band of one method."""
    order = np.argsort(places, kind="stable")
    places, rows = np.asarray(places)[order], [rows[place] for place in order]
    if kind == "accuracy":
        middle = np.array([row["mean"] for row in rows])
        spread = np.array([np.nan if row["std"] is None else row["std"] for row in rows])
        low, high = middle - spread, middle + spread
    else:
        middle = np.array([row["difference"] for row in rows])
        low, high = (np.array([np.nan if row[end] is None else row[end] for row in rows]) for end in ("low", "high"))
    ax.plot(places, middle, label=plain(method), **style)
    if not (kind == "difference" and is_random):
        ax.fill_between(places, low, high, color=style["color"], alpha=alpha, linewidth=0)
