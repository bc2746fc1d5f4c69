"""Public docstrings: numpydoc finds nothing to complain about in what the reference shows."""

import inspect
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import numpydoc.docscrape
import numpydoc.validate
import pytest

import skprune

# Everything that numpydoc checks, except:
# ES01, SA01: not everything needs more than a summary, or something to see also.
# RT02: a single result may have a name.
# PR04, a parameter without a type: checked below, since parameters of another class may be listed as "As in ...".
NOT_CHECKED = {"ES01", "SA01", "RT02", "PR04"}
NO_EXAMPLE = "EX01"  # asked of classes and functions, not of each method
TEMPLATE = Path(__file__).parents[1] / "docs" / "_templates" / "autosummary" / "class.rst"
PACKAGES = ["skprune", *(f"skprune.{name}" for name in skprune.__all__ if inspect.ismodule(getattr(skprune, name)))]


@cache
def public_names():
    """Return the dotted names of the public classes and functions."""
    names = [f"{package}.{name}" for package in PACKAGES for name in import_module(package).__all__]
    return [name for name in names if name not in PACKAGES]


def load(name):
    package, _, public = name.rpartition(".")
    return getattr(import_module(package), public)


def hidden_methods():
    """Return the methods that the pages of classes leave out: hooks of skorch and scikit-learn."""
    listed = re.search(r":exclude-members:((?:\s+\w+,?)+)", TEMPLATE.read_text()).group(1)
    return {name.strip() for name in listed.split(",")}


def shown_methods(cls):
    """Map the public methods and properties that the page of a class shows to the class of skprune that defines them."""
    shown = {}
    for name in dir(cls):
        owner = next(base for base in cls.__mro__ if name in vars(base))
        member = vars(owner)[name]
        is_method = inspect.isroutine(member) or isinstance(member, property)
        if is_method and owner.__module__.startswith("skprune") and not name.startswith("_"):
            shown[name] = owner
    return {name: owner for name, owner in shown.items() if name not in hidden_methods()}


def refers_to_overridden(cls, name):
    """Tell whether a method overrides another one of skprune, and its docstring is a line that refers to that one."""
    overridden = [base.__name__ for base in cls.__mro__[1:] if name in vars(base)]
    docstring = inspect.getdoc(vars(cls)[name]) or ""
    return "\n" not in docstring and any(docstring.endswith(f"see :meth:`{base}.{name}`.") for base in overridden)


@cache
def documented_objects():
    """Map each dotted name to its object; an inherited method is listed once."""
    listed, seen = {}, set()
    for name in public_names():
        listed[name] = load(name)
        if inspect.isclass(listed[name]):
            for method, owner in shown_methods(listed[name]).items():
                if (owner, method) not in seen and not refers_to_overridden(owner, method):
                    listed[f"{name}.{method}"] = vars(owner)[method]
                seen.add((owner, method))
    return listed


@pytest.mark.parametrize("name", documented_objects())
def test_public_docstring(name):
    not_checked = NOT_CHECKED if name in public_names() else NOT_CHECKED | {NO_EXAMPLE}
    errors = [error for error in numpydoc.validate.validate(name)["errors"] if error[0] not in not_checked]
    docstring = numpydoc.docscrape.NumpyDocString(inspect.getdoc(documented_objects()[name]))
    untyped = [
        parameter.name
        for parameter in docstring["Parameters"]
        if not (parameter.type or parameter.name.startswith("*") or " ".join(parameter.desc).startswith("As in :"))
    ]
    assert errors == []
    assert untyped == []


def test_methods_are_among_what_is_checked():
    names = documented_objects()
    assert {"skprune.SemiPrune", "skprune.SemiPrune.explain", "skprune.scores.aum"} <= set(names)
    assert {"skprune.selection.Beta.check", "skprune.nets.NetClassifier.get_loss"}.isdisjoint(names)
