"""DifficultyDisplay: how hard the kept, dropped and labeled rows are."""

import numpy as np

from skprune._base import labeled_rows
from skprune._utils._parameter_checks import check_count
from skprune.inspection._inputs import as_mask, check_pruner, fill_display
from skprune.inspection._style import DROPPED, GIVEN, KEPT, add_legend, axes_or_new, in_percent, plain
from skprune.scores._registry import mean_difficulty
from skprune.selection._inputs import check_scores

_BINS = """bins : int, default=30
    The number of bins of equal width."""


@fill_display()
class DifficultyDisplay:
    """Histograms of the difficulties of kept, dropped and labeled rows.

    Each histogram shows shares of its own rows, so that few rows compare with many.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        The difficulty of each row; higher means harder.
    support : ndarray of shape (n_samples,), bool
        True for the rows that are kept.
    labeled : ndarray of shape (n_samples,), bool, default=None
        True for the rows whose label was given; None draws no histogram of them.
    name : str, default=None
        The name of the difficulty, for the axis.

    Attributes
    ----------
    $display_attributes

    See Also
    --------
    DataMapDisplay : Why rows are hard.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import SGDClassifier
    >>> from skprune.baselines import SupervisedPruner
    >>> from skprune.inspection import DifficultyDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> pruner = SupervisedPruner(0.2, proxy=SGDClassifier(loss="log_loss"), random_state=0).fit(X, y)
    >>> display = DifficultyDisplay.from_estimator(pruner, difficulty="aum")
    >>> display.ax_.get_xlabel()
    'difficulty by aum; higher is harder'
    """

    def __init__(self, scores, support, *, labeled=None, name=None):
        self.scores = scores
        self.support = support
        self.labeled = labeled
        self.name = name

    @classmethod
    @fill_display(bins=_BINS)
    def from_estimator(cls, pruner, *, difficulty=None, ax=None, bins=30):
        """Draw the difficulties of the pool of a fitted pruner.

        Parameters
        ----------
        pruner : pruner
            A fitted pruner.
        difficulty : str, callable or list, default=None
            Another difficulty than that of the pruner, as in :class:`~skprune.SemiPrune`; needs recorded dynamics.
        $ax
        $bins

        Returns
        -------
        DifficultyDisplay
            What was drawn.
        """
        check_pruner(pruner, cls)
        name = getattr(pruner, "difficulty", None) if difficulty is None else difficulty
        scores = pruner.difficulty_scores_
        if difficulty is not None:
            check_pruner(pruner, cls, dynamics_="recorded dynamics for another difficulty")
            scores = mean_difficulty(getattr(pruner, "repeats_", [pruner.dynamics_]), difficulty)[0]
        labeled = labeled_rows(pruner)
        display = cls(
            scores,
            pruner.support_,
            labeled=None if labeled.all() or not labeled.any() else labeled,
            name=name if isinstance(name, str) else None,
        )
        return display.plot(ax, bins=bins)

    @classmethod
    @fill_display(bins=_BINS)
    def from_scores(cls, scores, support, *, labeled=None, name=None, ax=None, bins=30):
        """Draw difficulties of your own.

        Parameters
        ----------
        scores : array-like of shape (n_samples,)
            The difficulty of each row; higher means harder.
        $support
        labeled : array-like of shape (n_samples,), bool, default=None
            True for the rows whose label was given; None draws no histogram of them.
        name : str, default=None
            The name of the difficulty, for the axis.
        $ax
        $bins

        Returns
        -------
        DifficultyDisplay
            What was drawn.

        Raises
        ------
        ValueError
            There are no scores, one is not finite, or a mask is none of these rows.
        """
        scores = check_scores(scores)
        support = as_mask(support, len(scores))
        labeled = None if labeled is None else as_mask(labeled, len(scores), "labeled")
        return cls(scores, support, labeled=labeled, name=name).plot(ax, bins=bins)

    @fill_display(bins=_BINS)
    def plot(self, ax=None, *, bins=30):
        """Draw the histograms.

        Parameters
        ----------
        $ax
        $bins

        Returns
        -------
        self
            The display.
        """
        check_count("bins", bins)
        ax = axes_or_new(ax)
        edges = np.histogram_bin_edges(self.scores, bins)
        groups = [("dropped", ~self.support, DROPPED, 0.45), ("kept", self.support, KEPT, 0.45)]
        if self.labeled is not None:
            groups.append(("label given", self.labeled, GIVEN, 0.0))
        for label, mask, color, alpha in groups:
            if mask.any():
                shares = np.histogram(self.scores[mask], edges)[0] / mask.sum()
                ax.stairs(shares, edges, fill=True, color=color, alpha=alpha)
                ax.stairs(
                    shares,
                    edges,
                    color=color,
                    linewidth=1.8,
                    linestyle="--" if alpha == 0.0 else "-",
                    label=f"{label} ({mask.sum():,} rows)",
                )
        in_percent(ax.yaxis)
        by = "" if self.name is None else f" by {plain(self.name)}"
        ax.set(
            xlabel=f"difficulty{by}; higher is harder",
            ylabel="share of the rows of each group",
            title="Difficulty of the rows",
        )
        add_legend(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self
