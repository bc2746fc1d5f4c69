"""Docstrings with shared texts: complete, however Python stores docstrings."""

import inspect
import subprocess
import sys

import numpydoc.docscrape
import pytest

import skprune
from skprune._utils._docstrings import fill_docstring
from skprune.nets import NetClassifier
from skprune.semi_supervised import SoftMatch


def indented():
    """Do something.

    Parameters
    ----------
    $ratio
    other : int
        $words
        And more.
    $random_state

    Attributes
    ----------
    $fitted
    """


def dedented():
    """Do something."""


dedented.__doc__ = inspect.cleandoc(indented.__doc__)  # as Python 3.13 does
FITTED = "first_ : int\n    The first.\nsecond_ : int\n    The second,\n    in two lines."


@pytest.mark.parametrize("documented", [indented, dedented])
def test_texts_are_put_in_whatever_the_indentation(documented):
    def copy():
        pass

    copy.__doc__ = documented.__doc__
    filled = numpydoc.docscrape.NumpyDocString(fill_docstring(fitted=FITTED, words="Some\nwords.")(copy).__doc__)
    assert [name for name, _, _ in filled["Parameters"]] == ["ratio", "other", "random_state"]
    assert [description for _, _, description in filled["Parameters"]][1] == ["Some", "words.", "And more."]
    assert [(name, " ".join(description)) for name, _, description in filled["Attributes"]] == [
        ("first_", "The first."),
        ("second_", "The second, in two lines."),
    ]


@pytest.mark.parametrize("make", [NetClassifier, SoftMatch, skprune.SemiPrune, skprune.selection.Beta])
def test_numpydoc_finds_every_parameter_of_a_class(make):
    described = numpydoc.docscrape.NumpyDocString(make.__doc__)["Parameters"]
    names = [name for parameter in described for name in parameter.name.replace("**", "").split(", ")]
    assert sorted(names) == sorted(inspect.signature(make).parameters)
    assert "$" not in make.__doc__


def test_a_text_that_is_nowhere_is_an_error():
    def misspelled():
        """Do something.

        $no_such_text
        """

    with pytest.raises(KeyError, match="no_such_text"):
        fill_docstring()(misspelled)


def test_what_needs_no_skorch_imports_without_docstrings():
    """skorch itself reads its docstrings."""
    modules = ", ".join(f"skprune.{name}" for name in ("baselines", "datasets", "dynamics", "scores", "selection"))
    script = f"import skprune, {modules}; print(skprune.SemiPrune.__doc__, skprune.selection.Beta.__doc__)"
    run = subprocess.run([sys.executable, "-OO", "-c", script], capture_output=True, text=True, timeout=120)
    assert (run.stdout, run.stderr) == ("None None\n", "")
