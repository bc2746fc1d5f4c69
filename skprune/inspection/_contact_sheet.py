"""ContactSheetDisplay: images with their labels and confidences."""

from math import ceil

import numpy as np
from sklearn.utils import check_consistent_length

from skprune._base import check_fitted_pool, labeled_rows, missing_label_of
from skprune._utils._labels import is_null
from skprune._utils._parameter_checks import check_count
from skprune._utils._pool import NotNumbers, as_pool, take_rows
from skprune.inspection._inputs import as_mask, check_pruner, fill_display, is_correct, is_known, read_truth
from skprune.inspection._style import PALETTE, WIDTH, axes_or_new, pyplot, shortened, width_of

_LINE, _CHARACTER = 0.14, 0.065  # inches of a line and of a character below an image
_GAP = 0.06  # of the width of an image
_FRAMES = {
    "label given": PALETTE["green"],
    "pseudo-label": PALETTE["sky"],
    "wrong pseudo-label": PALETTE["vermillion"],
}
_N_COLUMNS = """n_columns : int, default=8
    The number of images in a line."""


@fill_display()
class ContactSheetDisplay:
    """Images with their labels, pseudo-labels and confidences.

    Below each image stands its given label or pseudo-label, the confidence of the latter, its row, and its true label if that
    is known.

    Parameters
    ----------
    images : ndarray of shape (n_images, H, W) or (n_images, H, W, 3)
        Gray or RGB images: uint8, or float in [0, 1].
    labels : ndarray of shape (n_images,)
        The given label or the pseudo-label of each image; None where there is neither.
    given : ndarray of shape (n_images,), bool
        Whether the label was given.
    confidence : ndarray of shape (n_images,), default=None
        The probability that the pseudo-label is correct.
    y_true : ndarray of shape (n_images,), default=None
        True labels; None where one is missing.
    rows : ndarray of shape (n_images,), int, default=None
        The row of each image in the pool.

    Attributes
    ----------
    $display_attributes

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skprune.inspection import ContactSheetDisplay
    >>> digits = load_digits()
    >>> display = ContactSheetDisplay.from_predictions(digits.images[:10], digits.target[:10], confidence=[0.9] * 10)
    >>> display.ax_.texts[3].get_text().splitlines()
    ['3', '90 %, row 3']
    """

    def __init__(self, images, labels, *, given, confidence=None, y_true=None, rows=None):
        self.images = images
        self.labels = labels
        self.given = given
        self.confidence = confidence
        self.y_true = y_true
        self.rows = rows

    @classmethod
    @fill_display(n_columns=_N_COLUMNS)
    def from_estimator(cls, pruner, X, *, rows=None, n_images=24, y_true=None, n_columns=8, ax=None):
        """Draw images of the pool of a fitted pruner.

        Parameters
        ----------
        pruner : pruner
            A pruner fitted to images.
        X : array-like
            The pool passed to ``fit``.
        rows : array-like of int, default=None
            The rows to draw. None draws the first `n_images` to annotate, or if there are none, those of the coreset.
        n_images : int, default=24
            The number of images if `rows` is None.
        y_true : array-like of shape (n_samples,), default=None
            True labels of the pool, some of which may be missing, as the `missing_label` of the pruner says.
        $n_columns
        $ax

        Returns
        -------
        ContactSheetDisplay
            What was drawn.

        Raises
        ------
        ValueError, IndexError
            X is not the data that the pruner was fitted to, or holds no images, or `rows` are not rows of it.
        """
        check_pruner(pruner, cls)
        check_count("n_images", n_images)
        check_fitted_pool(pruner, X)
        if rows is None:
            to_annotate = pruner.annotation_indices_
            rows = (to_annotate if len(to_annotate) else pruner.coreset_indices_)[:n_images]
        rows = np.asarray(rows)
        if rows.ndim != 1 or rows.size == 0 or rows.dtype.kind not in "iu":
            raise ValueError(
                f"rows must be one or more integers, got an array of shape {rows.shape} and dtype {rows.dtype}. The rows of a "
                "mask are np.flatnonzero(mask)."
            )
        if y_true is not None:
            check_consistent_length(pruner.support_, y_true)
            y_true = read_truth(y_true, pruner.classes_, missing_label_of(pruner))[rows]
        confidence = getattr(pruner, "pseudo_label_confidence_", None)
        display = cls(
            as_pictures(take_rows(X, rows), pruner.image_shape),
            pruner.pseudo_labels_[rows],
            given=labeled_rows(pruner)[rows],
            confidence=None if confidence is None else confidence[rows],
            y_true=y_true,
            rows=rows,
        )
        return display.plot(ax, n_columns=n_columns)

    @classmethod
    @fill_display(n_columns=_N_COLUMNS)
    def from_predictions(
        cls,
        X,
        labels,
        *,
        given=None,
        confidence=None,
        y_true=None,
        missing_label="auto",
        rows=None,
        image_shape=None,
        n_columns=8,
        ax=None,
    ):
        """Draw images and labels.

        Parameters
        ----------
        X : array-like
            Images, as for :class:`~skprune.SemiPrune`.
        labels : array-like of shape (n_images,)
            The given label or the pseudo-label of each image; None where there is neither.
        given : array-like of shape (n_images,), bool, default=None
            Whether the label was given; None means that none was.
        confidence : array-like of shape (n_images,), default=None
            The probability that the pseudo-label is correct.
        y_true : array-like of shape (n_images,), default=None
            True labels, some of which may be missing.
        missing_label : object, default="auto"
            The mark of a missing true label, such as -1 or None; "auto" takes None and NaN, else -1 unless it is among the
            labels.
        rows : array-like of shape (n_images,), int, default=None
            The row of each image in the pool; None counts from 0.
        image_shape : tuple of (C, H, W), default=None
            The shape of each image when images come as flat rows.
        $n_columns
        $ax

        Returns
        -------
        ContactSheetDisplay
            What was drawn.

        Raises
        ------
        ValueError
            X holds no images, or lengths or types of labels differ.
        """
        images = as_pictures(X, image_shape)
        optional = (confidence, y_true, rows)
        check_consistent_length(images, labels, *(part for part in optional if part is not None))
        given = np.zeros(len(images), dtype=bool) if given is None else as_mask(given, len(images), "given")
        labels = np.asarray(labels)
        truth = None if y_true is None else read_truth(y_true, labels[is_known(labels)], missing_label)
        confidence, rows = (None if part is None else np.asarray(part) for part in (confidence, rows))
        rows = np.arange(len(images)) if rows is None else rows
        display = cls(images, labels, given=given, confidence=confidence, y_true=truth, rows=rows)
        return display.plot(ax, n_columns=n_columns)

    @fill_display(n_columns=_N_COLUMNS)
    def plot(self, ax=None, *, n_columns=8):
        """Draw the images.

        Parameters
        ----------
        $ax
        $n_columns

        Returns
        -------
        self
            The display.
        """
        check_count("n_columns", n_columns)
        plt = pyplot()
        n_lines = ceil(len(self.images) / n_columns)
        height = self.images.shape[1] / self.images.shape[2]
        text_height = _LINE * (2.5 if self.y_true is None else 3.5)
        if ax is None:
            inch = WIDTH / n_columns / (1 + _GAP)
            ax = axes_or_new(None, height=n_lines * (height * inch + text_height) + 0.5)
        else:
            inch = width_of(ax) / n_columns / (1 + _GAP)
        pitch = height + text_height / inch
        most = max(8, int(inch / _CHARACTER))
        kinds = self._kinds()
        for place, image in enumerate(self.images):
            line, column = divmod(place, n_columns)
            left, top = column * (1 + _GAP), line * pitch
            ax.imshow(
                image,
                cmap="gray",
                vmin=0,
                vmax=255 if image.dtype == np.uint8 else 1,
                extent=(left, left + 1, top + height, top),
            )
            ax.add_patch(
                plt.Rectangle((left, top), 1, height, fill=False, linewidth=2.5, edgecolor=_FRAMES[kinds[place]])
            )
            ax.text(
                left + 0.5,
                top + height + 0.04,
                self._caption(place, most),
                ha="center",
                va="top",
                fontsize=float(np.clip(8 * inch / 0.9, 5, 8)),
                linespacing=1.1,
            )
        ax.set(xlim=(-0.02, n_columns * (1 + _GAP)), ylim=(n_lines * pitch, -0.02), aspect="equal")
        ax.axis("off")
        handles = [
            plt.Line2D([], [], color=color, linewidth=2.5, label=kind)
            for kind, color in _FRAMES.items()
            if kind in kinds
        ]
        ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(handles), frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _kinds(self):
        """Return the kind of each image's label, which colors its frame."""
        wrong = np.zeros(len(self.images), dtype=bool)
        if self.y_true is not None:
            known = is_known(self.labels) & is_known(self.y_true)
            wrong[known] = ~is_correct(self.labels[known], self.y_true[known])
        return [
            "label given" if given else "wrong pseudo-label" if wrong else "pseudo-label"
            for given, wrong in zip(self.given, wrong, strict=True)
        ]

    def _caption(self, place, most):
        """Return the lines below an image: its label; confidence and row; its true label."""
        label = "no label" if is_null(self.labels[place]) else shortened(self.labels[place], most)
        facts = []
        if self.given[place]:
            facts.append("given")
        elif self.confidence is not None:
            facts.append(f"{100 * self.confidence[place]:.0f} %")
        if self.rows is not None:
            facts.append(f"row {self.rows[place]}")
        lines = [label, ", ".join(facts)]
        if self.y_true is not None:
            true = self.y_true[place]
            lines.append(f"true: {'not known' if is_null(true) else shortened(true, most - 6)}")
        return "\n".join(lines)


def as_pictures(X, image_shape):
    """Return images with their channels last, as they are drawn."""
    try:
        pool = as_pool(X, image_shape)
    except NotNumbers as error:
        raise ValueError("ContactSheetDisplay draws images, and X holds texts or other cells.") from error
    if pool.ndim != 4:
        raise ValueError("ContactSheetDisplay draws images, and X is a table. Set image_shape if its rows are images.")
    n_channels = pool.shape[1]
    if n_channels not in (1, 3, 4):
        raise ValueError(
            f"ContactSheetDisplay draws images of 1, 3 or 4 channels, and X has {n_channels}. Choose some."
        )
    pictures = pool[:, 0] if n_channels == 1 else pool[:, :3].transpose(0, 2, 3, 1)
    if pictures.dtype == np.uint8:
        return pictures
    low, high = min(0.0, float(pictures.min())), float(pictures.max())
    return (pictures - low) / (high - low) if low < 0.0 or high > 1.0 else pictures
