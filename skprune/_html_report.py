"""The method of a fitted SemiPrune that writes a report."""

from importlib import import_module

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skprune._pipeline._groups import OneOfEachGroup
from skprune._pipeline._image_size import scale_images
from skprune._pipeline._opinions import opinions_of_given
from skprune._reports import held_out_of
from skprune._utils._by_row import list_by_row
from skprune._utils._given_rows import read_rows
from skprune._utils._parameter_checks import check_count
from skprune._utils._pool import check_equal_length, take_rows
from skprune._utils._saving import need_rows


class HTMLReport:
    """Writes what a fitted pruner found on one page of HTML."""

    def report(self, file, X=None, *, show=None, names=None, n_rows=24, title="Pruning report"):
        """Write a report of the fit: one page of HTML that needs no network and no other file.

        It shows what was asked, how many pseudo-labels are probably correct, the classes before and after, the data map, the
        rows to label, the hardest rows, given labels that look wrong, the comparison with random rows where
        `compare_with_random` asked for one, times, settings and versions. Its figures are drawn with matplotlib, of the extra
        ``plots``.

        Parameters
        ----------
        file : path-like
            The file to write. It is written whole or not at all, and replaces another of its name.
        X : array-like, default=None
            The pool passed to ``fit``. None shows the images or cells of kept rows only: a pruner holds no others.
        show : array-like, default=None
            What to show of each row in place of X: the images or texts of which X holds embeddings, or the table before it
            was encoded.
        names : array-like of shape (n_samples,), default=None
            What to call each row, such as the name of its file; None calls it by its number.
        n_rows : int, default=24
            The most rows to show of each kind.
        title : str, default="Pruning report"
            The title of the page.

        Returns
        -------
        self
            The pruner.

        Raises
        ------
        ValueError
            X is not the data that the pruner was fitted to, or is None for a pruner that was saved without rows; or `show` or
            `names` have too few or too many rows.
        ImportError
            matplotlib is not installed.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from sklearn.datasets import load_iris
        >>> from skprune import SemiPrune
        >>> X, y = load_iris(return_X_y=True)
        >>> pruner = SemiPrune(0.2, random_state=0).fit(X, y)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = pruner.report(f"{folder}/report.html", X)
        ...     "<h2>Data map" in Path(folder, "report.html").read_text(encoding="utf-8")
        True
        """
        check_is_fitted(self)
        check_count("n_rows", n_rows)
        n_samples = len(self.support_)
        names = np.arange(n_samples) if names is None else list_by_row(names, n_samples, "names")
        if X is not None:
            self._check_same(X, "")
        if show is not None:
            check_equal_length(self.support_, show, "show")
        everything = np.arange(n_samples)
        at_hand, rows = (self.coreset_indices_, need_rows(self._rows, self)) if X is None else (everything, X)
        # by its name: the page is made of what stands above estimators
        page = import_module("skprune._report_page")
        if show is None:
            shown = page.RowsAtHand(rows, at_hand, self._row_shape, getattr(self, "image_shape", None))
        else:
            shown = page.RowsAtHand(show, everything, read_rows(show, estimator=self).shape[1:])
        findings = page.Findings(
            pruner=self,
            labeled=self._labeled,
            held_out=held_out_of(self),
            row_shape=self._row_shape,
            shown=shown,
            opinions=self._opinions(rows, at_hand),
            names=names,
            n_rows=int(n_rows),
            title=str(title),
            n_groups=len(np.unique(self._units.numbers)) if isinstance(self._units, OneOfEachGroup) else None,
        )
        page.write_report(file, findings)
        return self

    def _opinions(self, X, at_hand):
        """Map rows with a given label to what the labeler predicts for them: those at hand, and those held out."""
        if self.labeler_ is None:
            return {}
        given = np.flatnonzero(self._labeled[at_hand])
        pool = (
            scale_images(self._read_rows(take_rows(X, given), like=self._row_shape), self._image_side)
            if given.size
            else None
        )
        return opinions_of_given(self.labeler_, pool, at_hand[given], held_out_of(self))
