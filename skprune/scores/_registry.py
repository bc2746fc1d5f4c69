"""Which scores exist, and how each one is oriented."""

import inspect
from functools import partial

import numpy as np
from scipy.stats import rankdata

from skprune._utils._docstrings import fill_docstring
from skprune._utils._registry import lookup
from skprune.scores import _averages, _last, _windows
from skprune.scores._score import check_dynamics

_TABLE = {
    "aum": (_averages.aum, -1),
    "confidence": (_averages.confidence, -1),
    "correctness": (_averages.correctness, -1),
    "dual": (_windows.dual, +1),
    "dyn_unc": (_windows.dyn_unc, +1),
    "el2n": (_averages.el2n, +1),
    "entropy": (_last.entropy, +1),
    "forgetting": (_averages.forgetting, +1),
    "grand": (_averages.grand, +1),
    "least_confidence": (_last.least_confidence, +1),
    "loss": (_last.loss, +1),
    "margin": (_last.margin, -1),
    "tdds": (_windows.tdds, +1),
    "variability": (_averages.variability, +1),
}


class NotFiniteScore(ValueError):
    """A score that is NaN or infinite for some row."""


def get_score_names():
    """List the names of the scores.

    Returns
    -------
    list of str
        Sorted names, each accepted by :func:`difficulty` and by ``SemiPrune(difficulty=...)``.

    Examples
    --------
    >>> from skprune.scores import get_score_names
    >>> "dual" in get_score_names()
    True
    """
    return sorted(_TABLE)


@fill_docstring()
def difficulty(dynamics, name, **params):
    """Return a score oriented so that higher always means harder.

    Parameters
    ----------
    $dynamics
    name : str, callable, or list of these
        A name listed by :func:`get_score_names`, or a function of this module, such as ``partial(aum, on="logits")``: the
        sign of these is changed where low means hard. Or a ``callable(dynamics) -> (n_samples,)`` of your own, higher =
        harder. Several of all these in a list are combined by the mean of their ranks, from 0 for the easiest row to 1 for
        the hardest.
    **params
        Parameters of the score, those of the function of that name; any other keyword raises TypeError. A list takes none.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        High = hard.

    Raises
    ------
    ValueError
        The name is unknown, or the score is not one finite number for each row.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.dynamics import TrainingDynamics
    >>> from skprune.scores import difficulty
    >>> dynamics = TrainingDynamics.from_proba([[[0.9, 0.1], [0.4, 0.6]]] * 3, [0, 0])
    >>> easy, hard = difficulty(dynamics, "aum")
    >>> bool(easy < hard)
    True
    >>> difficulty(dynamics, ["aum", "loss"])
    array([0., 1.])
    """
    check_dynamics(dynamics, "difficulty")
    if isinstance(name, (list, tuple)):
        if params:
            raise ValueError(f"A list of difficulties takes no parameters, got {sorted(params)}.")
        _check_list(name)
        return np.mean([_ranks(difficulty(dynamics, part)) for part in name], axis=0)
    if callable(name):
        label = getattr(name, "__name__", repr(name))
        values = _sign(name) * _called(name, label, dynamics, params)
    else:
        function, sign = lookup(name, _TABLE, "difficulty")
        values, label = sign * function(dynamics, **params), name
    values = np.asarray(values, dtype=np.float64)
    if values.shape != (dynamics.n_samples,):
        raise ValueError(
            f"The difficulty {label!r} returned an array of shape {values.shape}; one number for each of the "
            f"{dynamics.n_samples} rows is needed."
        )
    bad = ~np.isfinite(values)
    if bad.any():
        raise NotFiniteScore(
            f"The difficulty {label!r} is not finite for row {int(bad.argmax())} ({int(bad.sum())} rows)."
        )
    return values


def _called(function, label, dynamics, params):
    """Return what a callable difficulty gives, as an array of numbers."""
    try:
        values = function(dynamics, **params)
    except TypeError as error:
        raise TypeError(f"The difficulty {label!r} fails. {error}") from error
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"The difficulty {label!r} must return an array of numbers, got {values!r}.") from error


def mean_difficulty(repeats, name):
    """Return the mean of a score over the repeats, and its standard deviation."""
    scores = np.stack([difficulty(dynamics, name) for dynamics in repeats])
    return scores.mean(axis=0), scores.std(axis=0, ddof=1) if len(repeats) > 1 else None


def _sign(function):
    """Return the orientation of a callable: that of the table for a score of this package, else +1."""
    name = _name(function)
    return +1 if name is None else _TABLE[name][1]


def _name(function):
    """Return the name of a callable that is a score of this package, with or without parameters; else None."""
    while isinstance(function, partial):
        function = function.func
    return next((name for name, (known, _) in _TABLE.items() if known is function), None)


def score_names(difficulty):
    """Return the set of names of the scores of this package that a difficulty reads."""
    parts = difficulty if isinstance(difficulty, (list, tuple)) else [difficulty]
    names = (_name(part) if callable(part) else part for part in parts)
    return {name for name in names if isinstance(name, str)}


def _check_list(parts):
    if not parts or any(isinstance(part, (list, tuple)) for part in parts):
        raise ValueError(
            f"difficulty must be a name, a callable, or a list of at least one name or callable, and no lists, got {parts!r}."
        )


def _ranks(values):
    """Return ranks from 0 to 1; equal values share their mean rank."""
    return (rankdata(values) - 1.0) / max(1, len(values) - 1)


def default_epochs(name):
    """Return the number of epochs that a score reads at its default parameters."""
    if callable(name) or isinstance(name, (list, tuple)):
        return None
    parameters = inspect.signature(lookup(name, _TABLE, "difficulty")[0]).parameters
    return parameters["n_epochs"].default if "n_epochs" in parameters else None


def min_epochs(name):
    """Return the number of epochs that a score needs at its default parameters.

    Parameters
    ----------
    name : str, callable or list
        As in :func:`difficulty`.

    Returns
    -------
    int
        1 for a callable; the largest number for a list.

    Examples
    --------
    >>> from skprune.scores import min_epochs
    >>> min_epochs("dual"), min_epochs("aum")
    (10, 1)
    """
    if isinstance(name, (list, tuple)):
        _check_list(name)
        return max(map(min_epochs, name))
    if callable(name):
        return 1
    function, _ = lookup(name, _TABLE, "difficulty")
    parameters = inspect.signature(function).parameters
    defaults = (parameters[key].default for key in ("window", "n_epochs") if key in parameters)
    return max([value for value in defaults if value is not None], default=1)
