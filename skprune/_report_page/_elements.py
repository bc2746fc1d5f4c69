"""Elements of HTML, in which all text is escaped unless it was made here."""

from html import escape


class Markup(str):
    """Text that is HTML already."""


def element(name, /, *children, **attributes):
    """Return an element; children that are no Markup are escaped, and so are attributes. ``class_`` stands for ``class``."""
    shown = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"' for key, value in attributes.items())
    start = f"<{name}{shown}>"
    return Markup(start) if name in ("img", "meta") else Markup(f"{start}{joined(children)}</{name}>")


def joined(children):
    """Return elements and texts, one after the other."""
    return Markup("".join(child if isinstance(child, Markup) else escape(str(child)) for child in children))


def section(heading, *children):
    """Return a section with its heading."""
    return element("section", element("h2", heading), *children)


def table(head, lines, *, caption, numbers=(), stacks=False):
    """Return a table; on a narrow page it scrolls, or stacks the cells of each line. `numbers` are aligned at the right."""
    kinds = [{"class_": "number"} if name in numbers else {} for name in head]
    names = element("tr", *(element("th", name, scope="col", **kind) for name, kind in zip(head, kinds, strict=True)))
    cells = [
        element(
            "tr",
            *(element("td", cell, data_name=name, **kind) for cell, name, kind in zip(line, head, kinds, strict=True)),
        )
        for line in lines
    ]
    found = element("table", element("caption", caption), element("thead", names), element("tbody", *cells))
    kind = "wide stacks" if stacks else "wide"
    return element("div", found, class_=kind, tabindex="0", role="region", aria_label=caption)


def facts(pairs):
    """Return names and values as a list of definitions."""
    return element(
        "dl", *(element("div", element("dt", name), element("dd", value)) for name, value in pairs), class_="facts"
    )


def percent(share, digits=1):
    """Return a share as text."""
    return f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"
