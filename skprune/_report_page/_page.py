"""The page as a whole."""

from datetime import datetime

import skprune
from skprune._report_page._asked import asked
from skprune._report_page._comparison import comparison
from skprune._report_page._difficulty import data_map, hardest, proposed
from skprune._report_page._elements import Markup, element
from skprune._report_page._labels import classes, pseudo_labels, suspicious
from skprune._report_page._run import settings, times, versions
from skprune._report_page._style import STYLE
from skprune._utils._files import whole_file

_SECTIONS = (
    asked,
    pseudo_labels,
    classes,
    data_map,
    proposed,
    hardest,
    suspicious,
    comparison,
    times,
    settings,
    versions,
)
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"  # a browser then loads nothing else


def write_report(file, findings):
    """Write the page."""
    text = page(findings)
    with whole_file(file) as unfinished:
        unfinished.write_text(text, encoding="utf-8", errors="backslashreplace")  # names of files may be no UTF-8


def page(findings):
    """Return the page as text."""
    sections = [part for part in (make(findings) for make in _SECTIONS) if part is not None]
    written = f"Written on {datetime.now():%Y-%m-%d at %H:%M} by skprune {skprune.__version__}."
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", findings.title),
        element("style", Markup(STYLE)),
    )
    header = element("header", element("h1", findings.title), element("p", written, class_="note"))
    return f"<!DOCTYPE html>\n{element('html', head, element('body', header, element('main', *sections)), lang='en')}\n"
