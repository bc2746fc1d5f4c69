"""Where the documentation is: links of estimators, errors and warnings to its pages."""

DOCS_URL = "https://skprune.readthedocs.io/en/stable"


class DocLinks:
    """Mixin that lets scikit-learn's HTML boxes link to the page of a class of skprune."""

    _doc_link_module = "skprune"
    _doc_link_template = DOCS_URL + "/generated/{estimator_module}.{estimator_name}.html"


def see(page):
    """Return the sentence that sends the reader of a message to a page of the guide, such as "pitfalls#folds"."""
    name, mark, section = page.partition("#")
    return f" See {DOCS_URL}/{name}.html{mark}{section}"
