"""Links to the documentation: of the boxes of estimators, and of errors and warnings."""

import ast
import inspect
import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

import skprune
from skprune import PrunedClassifier, PruningSampler, SemiPrune
from skprune._utils._doc_links import DOCS_URL, see
from skprune.selection import BaseSelector

TOP = Path(__file__).parents[1]
PACKAGES = [f"skprune.{name}" for name in skprune.__all__ if inspect.ismodule(getattr(skprune, name))]


def public_estimators():
    """Return (public name, class) of the estimators."""
    names = [f"{package}.{name}" for package in ["skprune", *PACKAGES] for name in import_module(package).__all__]
    objects = [(name, getattr(import_module(name.rpartition(".")[0]), name.rpartition(".")[2])) for name in names]
    classes = [(name, cls) for name, cls in objects if isinstance(cls, type) and issubclass(cls, BaseEstimator)]
    return [(name, cls) for name, cls in classes if not inspect.isabstract(cls)]


@pytest.mark.parametrize(("name", "cls"), public_estimators())
def test_every_estimator_links_to_its_page(name, cls):
    assert cls._get_doc_link(object.__new__(cls)) == f"{DOCS_URL}/generated/{name}.html"
    package, _, public = name.rpartition(".")
    section = (TOP / "docs" / "api.rst").read_text().split(f".. automodule:: {package}\n")[1].split("automodule")[0]
    assert f"   {public}\n" in section


@pytest.mark.parametrize(
    "make",
    [SemiPrune, lambda: PrunedClassifier(LogisticRegression(), SemiPrune()), lambda: PruningSampler(SemiPrune())],
)
def test_boxes_show_links_and_what_was_set(make):
    html = make()._repr_html_()
    assert f"{DOCS_URL}/generated/skprune.SemiPrune.html" in html


def test_classes_of_users_have_no_page():
    class Own(BaseSelector):
        def _order(self, draw):
            raise NotImplementedError

    assert Own()._get_doc_link() == ""


def test_the_address_is_that_of_the_project():
    with (TOP / "pyproject.toml").open("rb") as stream:
        assert tomllib.load(stream)["project"]["urls"]["Documentation"] == DOCS_URL + "/"


def linked_pages():
    """Return the pages that messages link to."""
    pages = set()
    for file in (TOP / "skprune").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "see":
                pages.add(node.args[0].value)
    return pages


def sections(page):
    """Return the anchors of the sections of a page."""
    titles = re.findall(r"^(.+)\n([=-])\2+$", (TOP / "docs" / f"{page}.rst").read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") for title, _ in titles}


def test_messages_link_to_pages_that_exist():
    pages = linked_pages()
    assert {"when_not_to_prune", "pitfalls#folds"} <= pages
    for page in pages:
        name, _, section = page.partition("#")
        assert (TOP / "docs" / f"{name}.rst").exists(), page
        assert not section or section in sections(name), page


def test_a_message_ends_with_the_address():
    assert see("pitfalls#folds") == f" See {DOCS_URL}/pitfalls.html#folds"
    with pytest.raises(ValueError, match=r"need a random_state.* See https://.*/composition\.html#one-expensive-fit$"):
        SemiPrune(memory="cache").fit([[0.0], [1.0]], [0, 1])
