"""The command line as a whole: parse, run, and end with a message and an exit code."""

import os
import sys
import warnings
from importlib import import_module

from skprune._command_line._errors import BAD_INPUT, DONE, INTERRUPTED, BadInput
from skprune._command_line._parser import make_parser

_REFUSALS = (ValueError, TypeError, OSError, ImportError, ArithmeticError, MemoryError)
_SECONDS_OF_A_LINE = "30"  # in a log file, each refresh of a progress bar is another line


def main(argv=None):
    """Run a command, and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # what the encoding of a shell lacks is no reason to fail
    arguments = make_parser().parse_args(argv)
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_MININTERVAL", _SECONDS_OF_A_LINE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = _show_warning
        try:
            import_module(f"skprune._command_line._{arguments.command}").run(arguments)
        except KeyboardInterrupt as interrupt:
            _say(" ".join(["interrupted.", *_notes(interrupt)]))
            return INTERRUPTED
        except _REFUSALS as error:
            if arguments.debug and not isinstance(error, BadInput):
                raise
            _say(" ".join([f"error: {_message(error)}", *_notes(error)]))
            return BAD_INPUT
    return DONE


def _show_warning(message, category, filename, lineno, file=None, line=None):
    _say(f"warning: {message}")


def _notes(error):
    """Return what was added to an error on its way."""
    return getattr(error, "__notes__", [])


def _message(error):
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}."
    if isinstance(error, MemoryError):
        return f"the memory is too small. {error}".strip()
    return str(error) or type(error).__name__


def _say(message):
    print(f"skprune: {message}", file=sys.stderr, flush=True)
