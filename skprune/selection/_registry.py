"""The selectors by name."""

from sklearn.base import clone

from skprune._utils._registry import lookup
from skprune.selection._beta import Beta
from skprune.selection._cutoff import Cutoff
from skprune.selection._d2 import D2
from skprune.selection._facility_location import FacilityLocation
from skprune.selection._k_center import KCenter
from skprune.selection._k_means import KMeans
from skprune.selection._random import Random
from skprune.selection._ranked import Easiest, Hardest, Moderate, Window
from skprune.selection._stratified import Stratified

_SELECTORS = {
    "beta": Beta,
    "cutoff": Cutoff,
    "d2": D2,
    "easiest": Easiest,
    "facility_location": FacilityLocation,
    "hardest": Hardest,
    "k_center": KCenter,
    "k_means": KMeans,
    "moderate": Moderate,
    "random": Random,
    "stratified": Stratified,
    "window": Window,
}


def get_selector_names():
    """List the names of the selectors.

    Returns
    -------
    list of str
        Sorted names, each accepted by :func:`get_selector` and by ``SemiPrune(selection=...)``.

    Examples
    --------
    >>> from skprune.selection import get_selector_names
    >>> "beta" in get_selector_names()
    True
    """
    return sorted(_SELECTORS)


def get_selector(selection):
    """Return a fresh selector for a name or an object.

    Parameters
    ----------
    selection : str or selector
        A name listed by :func:`get_selector_names`, or an object with ``select``, which is cloned.

    Returns
    -------
    selector
        With default parameters for a name.

    Raises
    ------
    ValueError
        The name is unknown.
    TypeError
        The object has no ``select``.

    Examples
    --------
    >>> from skprune.selection import get_selector
    >>> get_selector("cutoff")
    Cutoff()
    """
    if isinstance(selection, str):
        return lookup(selection, _SELECTORS, "selection")()
    if isinstance(selection, type) or not hasattr(selection, "select"):
        raise TypeError(f"selection must be a name or an object with select(scores, ratio, ...), got {selection!r}.")
    return clone(selection)
