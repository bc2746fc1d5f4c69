"""The folder beside the output that keeps what is done until the command is done."""

import shutil
from contextlib import contextmanager

from skprune._command_line._errors import BadInput

_MARK = "made-by-skprune"


@contextmanager
def work_folder(arguments):
    """Yield a folder for checkpoints; it is gone after the block, unless that was interrupted and there is something to keep."""
    folder = arguments.out.with_name(f"{arguments.out.name}.work")
    if folder.exists() and not (folder / _MARK).is_file():
        raise BadInput(f"{folder} is needed for unfinished work, and something else is there.")
    if folder.exists() and not arguments.resume:
        if not arguments.force:
            raise BadInput(
                f"{folder} is what an unfinished run left. Pass --resume to go on from it, or --force to begin anew."
            )
        shutil.rmtree(folder)
    folder.mkdir(exist_ok=True)
    (folder / _MARK).touch()
    try:
        yield folder
    except BaseException as error:
        if not _holds_stages(folder):
            shutil.rmtree(folder, ignore_errors=True)
        else:
            error.add_note(f"{folder} keeps what is done. {_way_on(arguments, error)} goes on from it.")
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _way_on(arguments, error):
    """Return the command that goes on; within the same time, a training that had too little would have so again."""
    if arguments.time_limit is not None and isinstance(error, TimeoutError):
        return "With --resume and a longer --time-limit, the same command"
    return "The same command with --resume"


def _holds_stages(folder):
    return any(file.name != _MARK and file.name != "locks" for file in folder.iterdir())
