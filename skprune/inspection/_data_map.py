"""DataMapDisplay: which rows are easy, ambiguous or hard to learn."""

import numpy as np
from sklearn.utils import check_random_state

from skprune._utils._parameter_checks import check_count
from skprune.inspection._inputs import as_mask, check_pruner, fill_display
from skprune.inspection._style import PALETTE, axes_or_new, in_percent
from skprune.scores import confidence, correctness, variability

_REACH = 1.5
_MAX_ROWS = """max_rows : int or None, default=2000
    The most rows that are drawn; of more, so many are drawn at random. None draws all.
random_state : int, RandomState or None, default=0
    Seed of the rows drawn at random."""


@fill_display()
class DataMapDisplay:
    """Data map of a pool (Swayamdipta et al., Dataset Cartography, arXiv 2009.10795).

    Each row is a point: the mean probability of its label over the epochs against its standard deviation, colored by how
    often it was predicted correctly. Rows at the top are easy to learn, those at the right ambiguous, and those at the bottom
    hard to learn, often since their label is wrong. Kept rows have a ring. Rows far to the right of almost all others are drawn
    at the edge.

    Parameters
    ----------
    mean : ndarray of shape (n_samples,)
        The mean probability of the label.
    std : ndarray of shape (n_samples,)
        The standard deviation of the probability of the label.
    correctness : ndarray of shape (n_samples,)
        The fraction of epochs in which the row was predicted correctly.
    support : ndarray of shape (n_samples,), bool, default=None
        True for the rows that are kept; None draws no rings.

    Attributes
    ----------
    $display_attributes

    See Also
    --------
    DifficultyDisplay : Histograms of the difficulties.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import SGDClassifier
    >>> from skprune.baselines import SupervisedPruner
    >>> from skprune.inspection import DataMapDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> pruner = SupervisedPruner(0.2, proxy=SGDClassifier(loss="log_loss"), random_state=0).fit(X, y)
    >>> display = DataMapDisplay.from_estimator(pruner)
    >>> display.ax_.get_ylabel()
    'mean probability of the label'
    """

    def __init__(self, mean, std, correctness, *, support=None):
        self.mean = mean
        self.std = std
        self.correctness = correctness
        self.support = support

    @classmethod
    @fill_display(max_rows=_MAX_ROWS)
    def from_estimator(cls, pruner, *, ax=None, max_rows=2000, random_state=0):
        """Draw the data map of a fitted pruner.

        Parameters
        ----------
        pruner : pruner
            A fitted pruner that recorded dynamics, such as :class:`~skprune.SemiPrune`. With ``n_repeats``, the first proxy is
            drawn.
        $ax
        $max_rows

        Returns
        -------
        DataMapDisplay
            What was drawn.
        """
        check_pruner(pruner, cls, dynamics_="recorded dynamics")
        return cls.from_dynamics(
            pruner.dynamics_, support=pruner.support_, ax=ax, max_rows=max_rows, random_state=random_state
        )

    @classmethod
    @fill_display(max_rows=_MAX_ROWS)
    def from_dynamics(cls, dynamics, *, support=None, ax=None, max_rows=2000, random_state=0):
        """Draw the data map of recorded dynamics.

        Parameters
        ----------
        dynamics : TrainingDynamics
            The recorded training dynamics.
        support : array-like of shape (n_samples,), bool, default=None
            True for the rows that are kept; None draws no rings.
        $ax
        $max_rows

        Returns
        -------
        DataMapDisplay
            What was drawn.
        """
        if support is not None:
            support = as_mask(support, dynamics.n_samples)
        display = cls(confidence(dynamics), variability(dynamics), correctness(dynamics), support=support)
        return display.plot(ax, max_rows=max_rows, random_state=random_state)

    @fill_display(max_rows=_MAX_ROWS)
    def plot(self, ax=None, *, max_rows=2000, random_state=0):
        """Draw the data map.

        Parameters
        ----------
        $ax
        $max_rows

        Returns
        -------
        self
            The display.
        """
        check_count("max_rows", max_rows, optional=True)
        ax = axes_or_new(ax, height=5.5)
        n_samples = len(self.mean)
        n_drawn = n_samples if max_rows is None else min(max_rows, n_samples)
        rows = check_random_state(random_state).permutation(n_samples)[:n_drawn]
        size = float(np.clip(12_000 / n_drawn, 8, 36))
        edge = min(
            float(self.std.max()), _REACH * float(np.quantile(self.std, 0.99))
        )  # a few rows do not squeeze the map
        n_beyond = int((self.std > edge).sum())
        std = np.minimum(self.std, edge)
        points = ax.scatter(
            std[rows], self.mean[rows], s=size, c=self.correctness[rows], cmap="cividis", vmin=0, vmax=1
        )
        if self.support is not None:
            kept = rows[self.support[rows]]
            ax.scatter(
                std[kept],
                self.mean[kept],
                s=1.8 * size,
                facecolor="none",
                edgecolor=PALETTE["vermillion"],
                linewidth=0.8,
                label=f"kept ({self.support.sum():,} of {n_samples:,} rows)",
            )
            ax.legend(loc="lower right", borderaxespad=0.2)
        right = 1.1 * max(edge, 1e-3)
        ax.set(xlim=(-0.02 * right, right), ylim=(-0.08, 1.08))
        # The names of the regions stand where no point can be.
        ax.text(0, 1.05, "easy to learn", style="italic", va="center")
        ax.text(0, -0.05, "hard to learn", style="italic", va="center")
        ax.text(0.985 * right, 0.5, "ambiguous", style="italic", ha="right", va="center", rotation=90)
        beyond = f" ({n_beyond:,} farther right)" if n_beyond else ""
        bar = ax.figure.colorbar(points, ax=ax, label="epochs in which the label is predicted")
        in_percent(bar.ax.yaxis)
        ax.set(
            xlabel=f"standard deviation of the probability over the epochs{beyond}",
            ylabel="mean probability of the label",
            title="Data map" if n_drawn == n_samples else f"Data map, {n_drawn:,} of {n_samples:,} rows",
        )
        self.ax_, self.figure_ = ax, ax.figure
        return self
