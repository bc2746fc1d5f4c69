"""CoresetCompositionDisplay: the classes of the pool and of the coreset."""

import numpy as np
from sklearn.utils import check_consistent_length

from skprune._utils._labels import missing_mask
from skprune.inspection._inputs import as_mask, check_pruner, fill_display
from skprune.inspection._style import KEPT, axes_or_new, in_percent, label_classes, width_of


@fill_display()
class CoresetCompositionDisplay:
    """Share of each class before and after pruning.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The classes.
    pool_counts : ndarray of shape (n_classes,), int
        The number of rows of each class in the pool.
    coreset_counts : ndarray of shape (n_classes,), int
        The number of rows of each class that are kept.

    Attributes
    ----------
    $display_attributes

    Examples
    --------
    >>> from skprune.inspection import CoresetCompositionDisplay
    >>> display = CoresetCompositionDisplay.from_labels(["cat", "cat", "dog"], [True, False, True])
    >>> display.classes.tolist(), display.coreset_counts.tolist()
    (['cat', 'dog'], [1, 1])
    """

    def __init__(self, classes, pool_counts, coreset_counts):
        self.classes = classes
        self.pool_counts = pool_counts
        self.coreset_counts = coreset_counts

    @classmethod
    @fill_display()
    def from_estimator(cls, pruner, *, y_true=None, ax=None):
        """Draw the classes of the pool and of the coreset of a fitted pruner.

        Parameters
        ----------
        pruner : pruner
            A fitted pruner.
        y_true : array-like of shape (n_samples,), default=None
            True labels; None counts given labels, and pseudo-labels elsewhere.
        $ax

        Returns
        -------
        CoresetCompositionDisplay
            What was drawn.

        Raises
        ------
        ValueError
            A label is missing.
        """
        check_pruner(pruner, cls)
        if y_true is None and missing_mask(pruner.pseudo_labels_, None).any():
            raise ValueError(f"{type(pruner).__name__} gives no pseudo-labels, and labels are missing. Pass y_true.")
        return cls.from_labels(pruner.pseudo_labels_ if y_true is None else y_true, pruner.support_, ax=ax)

    @classmethod
    @fill_display()
    def from_labels(cls, y, support, *, ax=None):
        """Draw the classes of all rows, and of those that are kept.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels, none missing.
        $support
        $ax

        Returns
        -------
        CoresetCompositionDisplay
            What was drawn.

        Raises
        ------
        ValueError
            There are no rows, a label is missing, or `support` is not a mask of these rows.
        """
        check_consistent_length(y, support)
        missing = missing_mask(y, None)
        if missing.any():
            raise ValueError(f"Labels must not be missing, and {int(missing.sum())} are.")
        if missing.size == 0:
            raise ValueError("CoresetCompositionDisplay needs at least one row.")
        support = as_mask(support, len(missing))
        classes, codes = np.unique(np.asarray(y), return_inverse=True)
        pool, coreset = (np.bincount(part, minlength=len(classes)) for part in (codes, codes[support]))
        return cls(classes, pool, coreset).plot(ax)

    @fill_display()
    def plot(self, ax=None):
        """Draw the shares.

        Parameters
        ----------
        $ax

        Returns
        -------
        self
            The display.
        """
        ax = axes_or_new(ax)
        n_pool, n_kept = self.pool_counts.sum(), self.coreset_counts.sum()
        places = np.arange(len(self.classes))
        ax.bar(places, self.pool_counts / n_pool, width=0.8, color="0.8", label=f"pool ({n_pool:,} rows)")
        shares = self.coreset_counts / max(n_kept, 1)
        size = float(np.clip(120 / len(places), 3.5, 8))
        ax.plot(
            places,
            shares,
            "D",
            color=KEPT,
            markersize=size,
            label=f"coreset ({n_kept:,} rows)",
            zorder=3,
            clip_on=False,
        )
        ax.set_xlim(-0.7, len(places) - 0.3)
        n_columns = 2 if width_of(ax) > 5 else 1
        room = 1.2 if n_columns == 2 else 1.35  # for the legend, in one line or two
        ax.set_ylim(0, room * max(shares.max(), (self.pool_counts / n_pool).max()))
        in_percent(ax.yaxis)
        label_classes(ax, self.classes)
        ax.set(xlabel="class", ylabel="share of the rows", title="Classes before and after pruning")
        ax.legend(loc="upper right", ncols=n_columns)
        self.ax_, self.figure_ = ax, ax.figure
        return self
