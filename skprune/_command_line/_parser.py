"""The commands and their options, and the help that teaches them by example."""

import argparse
from pathlib import Path

import skprune

_DATA_HELP = """\
DATA is one of
  a folder of images         the images themselves, or one subfolder for each class and one named "unlabeled"
  a table, .csv or .parquet  columns of any type, which are encoded; the column "id" names the rows
  an array, .npy or .npz     a row for each sample, such as embeddings, or images (n, H, W), (n, H, W, C) or (n, C, H, W)

Labels come from a CSV file with the columns "id" and "label" (--labels), where rows without a label are left out or
empty. An id is the path of an image within its folder, the id of a row of a table, or else the number of the row,
from 0. The column of a table (--label-column) or the names of the subfolders label the rows that the file does not.

In CSV files, commas, semicolons or tabs separate the cells, as the header tells."""

_EXIT_CODES = """\
exit codes:
  0  done
  1  an input cannot be used; the message says why, and nothing was written
  2  the command itself is wrong
  130  interrupted with Ctrl-C; with --resume, the same command goes on from what was done"""


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help of the same width everywhere."""

    def __init__(self, prog):
        super().__init__(prog, max_help_position=22, width=110)


def make_parser():
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="skprune",
        usage="skprune COMMAND DATA [options]",
        description="Choose what to label, or what to train on, when few labels exist.",
        epilog=f"""\
labeling in rounds, from no label at all:
  skprune suggest photos 20 --out first.csv
  (fill in the column "label" of first.csv)
  skprune tell first.csv --labels labels.csv
  skprune next photos --labels labels.csv --budget 100 --out next.csv
  (fill in the column "label" of next.csv)
  skprune tell next.csv --labels labels.csv
  (and again, from "skprune next" on)

{_DATA_HELP}

{_EXIT_CODES}""",
        formatter_class=_Help,
    )
    parser.add_argument("--version", action="version", version=f"skprune {skprune.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for add in (_add_suggest, _add_next, _add_tell, _add_prune, _add_report):
        add(commands)
    return parser


def _add(commands, name, summary, usage, examples):
    return commands.add_parser(
        name,
        prog=f"skprune {name}",
        help=summary,
        usage=f"skprune {name} {usage}",
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"examples:\n{examples}\n\n{_DATA_HELP if 'DATA' in usage else ''}".rstrip(),
        formatter_class=_Help,
    )


def _add_suggest(commands):
    parser = _add(
        commands,
        "suggest",
        "say which rows to label first, when no row has a label",
        "DATA N --out FILE [options]",
        """\
  skprune suggest photos 20 --out first.csv --size 32
  skprune suggest customers.csv 10 --out first.csv

first.csv has a line for each row, with the columns id and label (empty, to be filled in). Its first lines are a good
choice as well: typical rows from all over the data. "skprune tell" then makes the file of labels.""",
    )
    _add_data(parser, labels=False)
    parser.add_argument("n", type=_count, metavar="N", help="how many rows to label")
    _add_output(parser, "the CSV file to write", report=False, resume=False)
    _add_common(parser.add_argument_group("method"))
    _add_debug(parser)


def _add_next(commands):
    parser = _add(
        commands,
        "next",
        "say which rows people should label next",
        "DATA --labels FILE --budget N --out FILE [options]",
        """\
  skprune next photos --labels labels.csv --budget 300 --out next.csv --size 32
  skprune next customers.parquet --label-column churned --budget 100 --out next.csv --report report.html
  skprune next embeddings.npy --labels labels.csv --budget 50 --out next.csv
  skprune next photos --labels labels.csv --budget 300 --out tasks.json --url https://example.org/photos/ > setup.xml

next.csv has a line for each row to label, in the order of proposal, so that its first lines are a good choice as
well: id, label (empty, to be filled in), pseudo_label, confidence (the probability that the pseudo-label is
correct), difficulty, and why the row was chosen. A file next.json holds them as tasks of Label Studio, each with its
pseudo-label filled in; the labeling setup for its project is printed.""",
    )
    _add_data(parser)
    parser.add_argument("--budget", type=_count, required=True, metavar="N", help="how many rows to label")
    _add_output(parser, "the file to write, .csv or .json")
    parser.add_argument(
        "--url", metavar="PREFIX", help="where Label Studio finds the images; the path of each is appended"
    )
    _add_method(parser)


def _add_prune(commands):
    parser = _add(
        commands,
        "prune",
        "choose a coreset to train on, with its labels and pseudo-labels",
        "DATA --labels FILE --ratio R --out FILE [options]",
        """\
  skprune prune photos --labels labels.csv --ratio 0.3 --out coreset.csv --size 32
  skprune prune customers.csv --label-column churned --ratio 0.1 --out coreset.csv

coreset.csv has a line for each kept row, in the order of the data: id, label, given (yes, or no for a pseudo-label),
confidence, difficulty, weight (with these weights, the coreset stands for all rows), and why the row was kept.""",
    )
    _add_data(parser)
    parser.add_argument("--ratio", type=_ratio, required=True, metavar="R", help="the fraction of rows to KEEP")
    _add_output(parser, "the CSV file to write")
    _add_method(parser)


def _add_tell(commands):
    parser = _add(
        commands,
        "tell",
        "add the labels that people gave to the file of labels",
        "ANSWERS --labels FILE [options]",
        """\
  skprune tell next.csv --labels labels.csv
  skprune tell project-export.json --labels labels.csv

ANSWERS is the file that "skprune next" wrote, with its column "label" filled in, or what Label Studio exports as JSON,
JSON-MIN or CSV. Rows without a label are left out.
How many pseudo-labels people confirmed is printed: a fresh estimate of their accuracy on the rows that were chosen.""",
    )
    parser.add_argument("answers", type=Path, metavar="ANSWERS", help="the file with the new labels")
    parser.add_argument("--labels", type=Path, required=True, metavar="FILE", help="the file of labels; made if needed")
    parser.add_argument("--force", action="store_true", help="let new labels replace other ones of the same rows")
    _add_debug(parser)


def _add_report(commands):
    parser = _add(
        commands,
        "report",
        "write what was found as one page of HTML",
        "DATA --labels FILE --out FILE [options]",
        """\
  skprune report photos --labels labels.csv --budget 300 --out report.html --size 32
  skprune report customers.csv --label-column churned --ratio 0.1 --out report.html --compare

The page needs no network. "skprune next" and "skprune prune" write the same page with --report, from the same fit.""",
    )
    _add_data(parser)
    size = parser.add_mutually_exclusive_group(required=True)
    size.add_argument("--budget", type=_count, metavar="N", help='how many rows to label, as in "skprune next"')
    size.add_argument("--ratio", type=_ratio, metavar="R", help='the fraction of rows to KEEP, as in "skprune prune"')
    _add_output(parser, "the HTML file to write", report=False)
    _add_method(parser)


def _add_data(parser, *, labels=True):
    parser.add_argument("data", type=Path, metavar="DATA", help="what to choose from; see below")
    group = parser.add_argument_group("data")
    if labels:
        group.add_argument("--labels", type=Path, metavar="FILE", help='CSV file with the columns "id" and "label"')
    group.add_argument("--label-column", metavar="NAME", help="the column of a table that holds the labels")
    group.add_argument("--id-column", metavar="NAME", help='the column of a table that names the rows, if not "id"')
    group.add_argument("--array", metavar="NAME", help="the array of an .npz file, if it holds several")
    group.add_argument(
        "--size", type=_count, metavar="PIXELS", help="crop images to squares, and resize them to this side"
    )
    group.add_argument("--gray", action="store_true", help="read images as gray")


def _add_output(parser, what, *, report=True, resume=True):
    group = parser.add_argument_group("output")
    group.add_argument("--out", type=Path, required=True, metavar="FILE", help=f"{what}, whole or not at all")
    if report:
        group.add_argument("--report", type=Path, metavar="FILE", help="also write a report, one page of HTML")
    group.add_argument(
        "--force", action="store_true", help="replace files that are there, but none that is read or holds new labels"
    )
    if resume:
        group.add_argument(
            "--resume", action="store_true", help="go on from what an interrupted run of the same command left"
        )
    group.add_argument("--quiet", action="store_true", help="show no progress, only warnings and errors")


def _add_method(parser):
    group = parser.add_argument_group("method")
    group.add_argument(
        "--labeler", default="softmatch", metavar="NAME", help="the net that predicts labels (softmatch)"
    )
    group.add_argument("--steps", type=_count, metavar="N", help="how many steps to train it")
    group.add_argument("--epochs", type=_count, metavar="N", help="how many epochs to record of the proxy (30)")
    group.add_argument(
        "--no-mirror", dest="mirror", action="store_false", help="do not mirror images: of digits, text, signs"
    )
    group.add_argument("--difficulty", default="dual", metavar="NAME", help="how hard each row is (dual)")
    group.add_argument("--selection", default="auto", metavar="NAME", help="which rows to choose (auto)")
    group.add_argument("--compare", action="store_true", help="compare with random rows and with the labels alone")
    group.add_argument(
        "--time-limit", type=_seconds, metavar="SECONDS", help="end in time, with what has been learned until then"
    )
    _add_common(group)
    _add_debug(parser)


def _add_common(group):
    group.add_argument("--device", metavar="NAME", help="where to train, such as cpu or cuda (cuda where there is one)")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="the seed of all that is drawn at random (0)")


def _add_debug(parser):
    parser.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)


def _count(text):
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return count


def _ratio(text):
    try:
        ratio = float(text)
    except ValueError:
        ratio = 0.0
    if not 0.0 < ratio <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is no fraction, such as 0.3")
    return ratio


def _seconds(text):
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds, such as 600")
    return seconds
