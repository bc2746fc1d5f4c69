"""``skprune tell``: the labels that people gave, added to the file of labels."""

from codecs import BOM_UTF8
from dataclasses import replace

from skprune._command_line._errors import BadInput
from skprune._command_line._outputs import check_place, write_table
from skprune.labeling._answers import Table, answers_in, labels_of, match_ids, read_lines


def run(arguments):
    """Add new labels to the file of labels."""
    file = arguments.labels
    if file.suffix.lower() == ".json":
        raise BadInput(f"Labels are kept in a CSV file, and {file} is none.")
    check_place(file)
    is_new = not file.exists() or not file.read_bytes().removeprefix(BOM_UTF8).strip()
    table = Table(["id", "label"], []) if is_new else read_lines(file)
    known = labels_of(table.answers(), file)
    ids = dict.fromkeys(table.cells("id"))
    answers = _named_as(ids, answers_in(arguments.answers))
    told = labels_of(answers, arguments.answers)
    other = [name for name, label in told.items() if known.get(name, label) != label]
    if other and not arguments.force:
        name = other[0]
        raise BadInput(
            f"{len(other)} rows of {arguments.answers} have another label in {file}, such as {name!r}: {told[name]!r} and "
            f"{known[name]!r}. Pass --force to replace it."
        )
    id_place, label_place = table.place("id"), table.place("label")
    new = [
        [name if place == id_place else "" for place in range(len(table.columns))] for name in told if name not in ids
    ]
    lines = table.lines + new
    for line in lines:
        line[label_place] = told.get(line[id_place], line[label_place])
    write_table(file, table.columns, lines, table.separator, table.encoding)
    _print_summary(arguments, answers, told, known)


def _named_as(ids, answers):
    """Return answers with the ids that a file of labels has for the same rows."""
    names = match_ids({answer.id for answer in answers if answer.id is not None}, ids)
    return [replace(answer, id=names.get(answer.id) or answer.id) for answer in answers]


def _print_summary(arguments, answers, told, known):
    """Say what was told, and how many pseudo-labels were confirmed."""
    total = len(known | told)
    print(f"{arguments.labels}: {total} labels, {total - len(known)} of them new.")
    missing = sum(answer.label is None for answer in answers)
    if missing:
        print(f"{missing} rows of {arguments.answers} have no label.")
    judged = [answer for answer in answers if answer.label and answer.pseudo_label and answer.id not in known]
    if judged:
        right = sum(answer.label == answer.pseudo_label for answer in judged)
        print(f"{right} of {len(judged)} pseudo-labels were confirmed ({right / len(judged):.0%}).")
    new = sorted(set(told.values()) - set(known.values()))
    if new and known:
        print(f"New classes: {', '.join(new)}.")
