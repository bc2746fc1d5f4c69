"""The fit that a command asks for, its report, and the last word."""

import sys
from contextlib import contextmanager
from functools import partial

import numpy as np

from skprune._command_line._errors import BadInput
from skprune._command_line._labels_file import read_labels
from skprune._command_line._outputs import check_answers, check_outputs, check_work_place
from skprune._command_line._reading import read_data
from skprune._command_line._work_folder import work_folder
from skprune._utils._labels import marks_among
from skprune._utils._warnings import warn_user


@contextmanager
def fitted(arguments, *, goal):
    """Yield a fitted pruner, the data, and a check to call before an output is replaced; stages are kept until the block ends."""
    check_outputs(arguments)
    check_work_place(arguments)
    if getattr(arguments, "report", None) is not None or arguments.command == "report":
        _check_matplotlib()
    data = read_data(arguments)
    labels = read_labels(arguments, data)
    if all(label is None for label in labels):
        raise BadInput("No row has a label. Label some rows of each class first: 'skprune suggest' says which.")
    _warn_of_marks(arguments, labels)
    check = partial(check_answers, arguments, dict(zip(data.ids, labels, strict=True)))
    check()
    pruner = make_pruner(arguments, goal, is_images=np.ndim(data.X) > 2)
    with work_folder(arguments) as folder:
        pruner.set_params(checkpoint=folder).fit(data.X, labels)
        check()  # once more: people may have written labels meanwhile
        yield pruner, data, check


def make_pruner(arguments, goal, *, is_images):
    """Return a SemiPrune with the settings of the arguments."""
    from skprune import SemiPrune
    from skprune._pipeline._models import default_proxy, named_labeler

    labeler, proxy = arguments.labeler, None
    if arguments.steps is not None or not arguments.mirror:
        labeler = named_labeler(labeler)
    if arguments.steps is not None:
        labeler.set_params(n_steps=arguments.steps)
    if not arguments.mirror:
        if not is_images:
            raise BadInput(f"--no-mirror does not go with {arguments.data}, which holds no images.")
        from skprune.augment import ImageWeak

        labeler.set_params(weak=ImageWeak(flip=False))
        proxy = default_proxy().set_params(augment=ImageWeak(flip=False))
    sizes = {name: getattr(arguments, name, None) for name in ("budget", "ratio")}
    epochs = {} if arguments.epochs is None else {"n_epochs": arguments.epochs}
    return SemiPrune(
        **{name: value for name, value in sizes.items() if value is not None},
        **epochs,
        labeler=labeler,
        proxy=proxy,
        difficulty=arguments.difficulty,
        selection=arguments.selection,
        goal=goal,
        compare_with_random=arguments.compare,
        time_limit=arguments.time_limit,
        missing_label=None,
        device=arguments.device,
        random_state=arguments.seed,
        verbose=0 if arguments.quiet else 1,
    )


def draw_report(file, arguments, pruner, data):
    """Write the report of a fit; nothing where no file is named."""
    if file is not None:
        title = f"Pruning report: {arguments.data.resolve().name}"
        pruner.report(file, data.X, show=data.shown, names=data.ids, title=title)


def say_done(arguments, message, pruner=None):
    """Say what was written and, of a fit, how many of its pseudo-labels are correct."""
    accuracy = getattr(pruner, "pseudo_label_accuracy_", None)
    if accuracy is not None:
        low, high = pruner.pseudo_label_accuracy_interval_
        message += f" About {accuracy:.0%} of the pseudo-labels are correct (95 % interval {low:.0%} to {high:.0%})."
    if not arguments.quiet:
        print(message, file=sys.stderr)


def _warn_of_marks(arguments, labels):
    """Warn of classes that people may have meant as marks of unlabeled rows."""
    marks = marks_among(label for label in labels if label is not None)
    if marks:
        way_out = (
            'put these images into a folder named "unlabeled"'
            if arguments.labels is None and arguments.data.is_dir()
            else "leave their labels empty"
        )
        warn_user(
            f"{arguments.labels or arguments.data} holds {', '.join(map(repr, marks))}, read as a class. If this marks rows "
            f"without a label, {way_out}."
        )


def _check_matplotlib():
    from skprune.inspection._style import pyplot

    try:
        pyplot()
    except ImportError as error:
        raise BadInput(
            'Reports are drawn with matplotlib, which is not installed: pip install "skprune[plots]"'
        ) from error
