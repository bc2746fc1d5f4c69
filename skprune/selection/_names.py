"""The selectors by name."""

from importlib import import_module

from sklearn.base import clone

from skprune._utils._registry import lookup

_NAMES = {
    "random": ("_ranked", "Random"),
    "hardest": ("_ranked", "Hardest"),
    "easiest": ("_ranked", "Easiest"),
    "cutoff": ("_ranked", "Cutoff"),
    "moderate": ("_ranked", "Moderate"),
    "window": ("_ranked", "Window"),
    "stratified": ("_stratified", "Stratified"),
    "beta": ("_beta", "Beta"),
    "d2": ("_graph", "D2"),
    "k_center": ("_cover", "KCenter"),
    "facility_location": ("_graph", "FacilityLocation"),
}


def names():
    """List the names of the selectors.

    Returns
    -------
    list of str
        Sorted names, each accepted by ``SemiPrune(selection=...)``.

    Examples
    --------
    >>> from skprune.selection import names
    >>> "beta" in names()
    True
    """
    return sorted(_NAMES)


def get_selector(selection):
    """Return a fresh selector for a name or an object.

    Parameters
    ----------
    selection : str or selector
        A name out of :func:`names`, or an object with ``select``, which is cloned.

    Returns
    -------
    BaseSelector
        Unshared.

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
        module, name = lookup(selection, _NAMES, "selection")
        return getattr(import_module(f"skprune.selection.{module}"), name)()
    if isinstance(selection, type) or not hasattr(selection, "select"):
        raise TypeError(f"selection must be a name or an object with select(scores, ratio, ...), got {selection!r}.")
    return clone(selection)
