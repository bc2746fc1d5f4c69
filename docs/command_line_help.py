"""Write the help of each command into docs/command_line/, which the page "The command line" shows.

Run it after a change of the options: ``python docs/command_line_help.py``.
"""

from pathlib import Path

from skprune._command_line._parser import make_parser

FOLDER = Path(__file__).parent / "command_line"


def help_texts():
    """Return the help of each command by the name of its file."""
    parser = make_parser()
    commands = next(action.choices for action in parser._actions if action.dest == "command")
    return {"skprune.txt": parser.format_help()} | {f"{name}.txt": sub.format_help() for name, sub in commands.items()}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in help_texts().items():
        (FOLDER / name).write_text(text)
