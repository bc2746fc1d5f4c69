"""Tasks of Label Studio from the shell."""

import json
from urllib.parse import quote

from skprune._utils._columns import cell_texts
from skprune._utils._files import whole_file
from skprune.labeling import label_studio_config, label_studio_tasks


def write_tasks(arguments, pruner, data):
    """Write the tasks, and return the labeling setup that fits them."""
    if arguments.data.is_dir():
        kind, shown = "image", [_url(arguments, name) for name in data.ids]
    else:
        kind, shown = "table", _cells(data.shown)
    tasks = label_studio_tasks(pruner, shown, kind=kind, names=data.ids)
    with whole_file(arguments.out) as unfinished:
        unfinished.write_text(json.dumps(tasks, indent=1, ensure_ascii=False), encoding="utf-8")
    return label_studio_config(pruner.classes_, kind)


def _url(arguments, name):
    """Return where Label Studio finds an image: by default in its storage of local files."""
    start = f"/data/local-files/?d={arguments.data.resolve().name}/" if arguments.url is None else arguments.url
    return start + quote(name)


def _cells(table):
    """Return the cells of each line of a table or array as texts by the name of the column, missing ones as empty."""
    if hasattr(table, "columns"):
        columns = {str(name): cell_texts(table[name]) for name in table.columns}
    else:
        cells = table.reshape(len(table), -1).T
        columns = {f"column {number}": cell_texts(column) for number, column in enumerate(cells)}
    return [dict(zip(columns, line, strict=True)) for line in zip(*columns.values(), strict=True)]
