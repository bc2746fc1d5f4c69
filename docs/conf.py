"""Sphinx configuration."""

from importlib import metadata

project = "skprune"
author = "The skprune developers"
project_copyright = "2026, The skprune developers"
release = version = metadata.version("skprune")

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.mathjax", "numpydoc"]
autosummary_generate = True
numpydoc_show_class_members = False
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates"]
html_theme = "alabaster"
html_theme_options = {
    "description": "Prune training sets when few labels exist",
    "page_width": "1400px",
    "body_max_width": "1100px",
}
html_static_path = []
