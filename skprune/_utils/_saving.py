"""Fitted pruners and nets in files without pickles; pickles that say which version wrote them."""

from sklearn.utils.validation import check_is_fitted

from skprune._utils._saved_frames import NotSavable
from skprune._utils._state_files import UnreadableState, check_version, read_state, write_state
from skprune._utils._state_tree import StateWriter
from skprune._utils._trusted import strange_names
from skprune._utils._warnings import warn_user

KIND = "fitted pruner or net"
_BEFORE_VERSIONS = "0.1.0"  # which wrote none
_VERSION = "_skprune_version"


def load(file, *, X=None, trusted=()):
    """Load a fitted pruner or net from a file that its ``save`` has written; nothing in the file is run.

    Parameters
    ----------
    file : path-like
        The file.
    X : array-like, default=None
        The pool of a pruner that was saved without its rows, which are then there again.
    trusted : sequence of str, default=()
        Names of classes and functions of your own that the file may name, such as ``"my_module.MyModel"``. Loading imports
        them and may run code of theirs. What skprune and skops know needs no mention.

    Returns
    -------
    pruner or net
        As it was fitted. `memory` and `checkpoint` are None, since they are places on a machine.

    Raises
    ------
    ValueError
        The file is damaged, holds something else, was written by another minor version of skprune, or names what is not
        trusted; or X is not the data of the fit.
    OSError
        The file does not exist or cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> import skprune
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> pruner = skprune.SemiPrune(0.2, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pruner.save(f"{folder}/iris.skprune")
    ...     loaded = skprune.load(f"{folder}/iris.skprune", X=X)
    >>> bool((loaded.select(0.5) == pruner.select(0.5)).all())
    True
    """
    try:
        loaded = read_state(file, KIND, trusted)
    except UnreadableState as error:
        raise ValueError(f"{file} cannot be loaded: {error}.") from error
    if X is not None:
        if not hasattr(loaded, "__restore_rows__"):
            raise ValueError(f"X is the pool of a pruner, and {file} holds a {type(loaded).__name__}.")
        loaded.__restore_rows__(X)
    return loaded


def save(estimator, file, *, rows=False):
    """Write a fitted estimator to a file, whole or not at all; warn of names that it is read with only if they are trusted."""
    names = strange_names(write(estimator, file, rows=rows))
    if names:
        warn_user(
            f"{file} names {', '.join(names)}, so that it is read by skprune.load(file, trusted={names!r}) alone."
        )


def write(estimator, file, *, rows=False):
    """Write a fitted estimator to a file, whole or not at all; return the names in it."""
    check_is_fitted(estimator)
    try:
        return write_state(file, estimator, KIND, rows=rows)
    except NotSavable as error:
        if not rows:
            raise
        StateWriter().node(estimator)  # raises what is wrong besides the rows
        raise NotSavable(
            f"The rows cannot be kept in the file: {error}. Save without rows=True, keep the pool in a file of its own, and pass "
            "it to skprune.load(file, X=X)."
        ) from error


class VersionedPickle:
    """An estimator whose pickles say which version of skprune wrote them; those of another minor version are refused."""

    def __getstate__(self):
        return {**super().__getstate__(), _VERSION: _present()}

    def __setstate__(self, state):
        state = dict(state)
        try:
            check_version(state.pop(_VERSION, _BEFORE_VERSIONS))
        except ValueError as error:
            raise ValueError(f"This {type(self).__name__} cannot be unpickled: {error}.") from error
        super().__setstate__(state)


class SavedWithRows(VersionedPickle):
    """A fitted pruner, or an estimator that holds one."""

    def save(self, file, *, rows=False):
        """Write the fitted estimator to a file, without pickles, whole or not at all.

        A warning names classes and functions in it that :func:`skprune.load` reads only if they are `trusted`.

        Parameters
        ----------
        file : path-like
            The file, which is replaced if it exists.
        rows : bool, default=False
            Whether the file holds the kept rows and what shows all rows of a table. Without them, methods that need them ask
            for :func:`skprune.load` with `X`. Frames of pandas and polars are kept by their columns: numbers, texts, categories,
            dates and times, with missing cells. Columns of other objects and items of Datasets cannot be kept.

        Raises
        ------
        TypeError
            Something that the estimator or, with `rows`, a column holds can only be pickled; the message names it.
        OSError
            The file cannot be written; it stays as it was.

        See Also
        --------
        skprune.load : Read the file.
        """
        save(self, file, rows=rows)


def need_rows(value, owner):
    """Return what a pruner may have been saved without; refuse if it was."""
    if value is None:
        raise ValueError(
            f"{type(owner).__name__} was saved without its rows, which this needs. Load it with skprune.load(file, X=X), or "
            "save it with rows=True."
        )
    return value


def _present():
    import skprune

    return skprune.__version__
