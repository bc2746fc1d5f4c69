"""Sphinx configuration. ``python -m sphinx -W --keep-going docs docs/_build/html`` needs no network."""

import inspect
import os
import tomllib
from importlib import import_module
from pathlib import Path

import skprune

TOP = Path(__file__).parents[1]
PACKAGE = Path(skprune.__file__).parent
with (TOP / "pyproject.toml").open("rb") as stream:
    urls = tomllib.load(stream)["project"]["urls"]

project = "skprune"
author = "The skprune developers"
project_copyright = "2026, The skprune developers"
release = version = skprune.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.linkcode",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates", "inventories"]

autosummary_generate = True
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False

# The few names of other projects that the pages mention, so that a build never waits for another site.
intersphinx_mapping = {
    name: (url, f"inventories/{name}.inv")
    for name, url in {
        "imbalanced-learn": "https://imbalanced-learn.org/stable/",
        "python": "https://docs.python.org/3/",
        "scikit-learn": "https://scikit-learn.org/stable/",
        "skorch": "https://skorch.readthedocs.io/en/stable/",
        "torch": "https://docs.pytorch.org/docs/stable/",
        "torchvision": "https://docs.pytorch.org/vision/stable/",
    }.items()
}

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# Examples print what they compute. They run on one thread, so that times and results are those of any machine.
os.environ["OMP_NUM_THREADS"] = "1"
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "ignore_pattern": r"__init__\.py|data_parallel\.py",  # which is for several processes
    "within_subsection_order": "ExampleTitleSortKey",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skprune",),
    "image_scrapers": ("matplotlib",),
    "matplotlib_animations": False,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
}

html_theme = "pydata_sphinx_theme"
html_title = f"skprune {release}"
html_static_path = ["_static"]
html_css_files = ["skprune.css"]
html_theme_options = {
    "logo": {"text": "skprune"},
    "navbar_center": [],
    "navbar_end": ["theme-switcher", "navbar-icon-links"],
    "icon_links": [{"name": "Source", "url": urls["Source"], "icon": "fa-solid fa-code-branch"}],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"**": ["contents"]}
html_show_sourcelink = False


def linkcode_resolve(domain, info):
    """Return the address of the lines that define a name, None for names that are not written in this package."""
    if domain != "py" or not info["module"].startswith("skprune"):
        return None
    name, *parts = info["fullname"].split(".")
    target = getattr(import_module(info["module"]), name)
    for part in parts:
        target = inspect.getattr_static(target, part, None)
    target = inspect.unwrap(getattr(target, "fget", None) or getattr(target, "__func__", None) or target)
    try:
        lines, first = inspect.getsourcelines(target)
        file = Path(inspect.getsourcefile(target)).relative_to(PACKAGE.parent)
    except (TypeError, OSError, ValueError):
        return None
    tag = "main" if "dev" in release else f"v{release}"
    return f"{urls['Source']}/blob/{tag}/{file}#L{first}-L{first + len(lines) - 1}"
