"""Names to objects, with an error that helps."""

from difflib import get_close_matches


def lookup(name, table, what):
    """Return ``table[name]``; an unknown name lists the valid ones and suggests the nearest."""
    if isinstance(name, str) and name in table:
        return table[name]
    near = get_close_matches(str(name), table, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"Unknown {what} {name!r}. Valid names: {', '.join(sorted(table))}.{hint}")
