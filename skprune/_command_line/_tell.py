"""``skprune tell``: the labels that people gave, added to the file of labels."""

from skprune._command_line._errors import BadInput
from skprune._command_line._outputs import check_place, write_table
from skprune.labeling import read_answers
from skprune.labeling._answers import answers_in, id_column, labels_of, read_lines


def run(arguments):
    """Add new labels to the file of labels."""
    file = arguments.labels
    if file.suffix.lower() == ".json":
        raise BadInput(f"Labels are kept in a CSV file, and {file} is none.")
    check_place(file)
    is_new = not file.exists() or not file.read_bytes().strip()
    columns, lines = (["id", "label"], []) if is_new else read_lines(file)
    known = {} if is_new else read_answers(file)
    answers = answers_in(arguments.answers)
    told = labels_of(answers, arguments.answers)
    other = [name for name, label in told.items() if known.get(name, label) != label]
    if other and not arguments.force:
        name = other[0]
        raise BadInput(
            f"{len(other)} rows of {arguments.answers} have another label in {file}, such as {name!r}: {told[name]!r} and "
            f"{known[name]!r}. Pass --force to replace it."
        )
    names, written = id_column(columns), set()
    for line in lines:
        name = line[names]
        if name in told:
            line["label"] = told[name]
            written.add(name)
    lines += [dict.fromkeys(columns, "") | {names: name, "label": told[name]} for name in told if name not in written]
    write_table(file, columns, [[line.get(column) or "" for column in columns] for line in lines])
    _print_summary(arguments, answers, told, known)


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
