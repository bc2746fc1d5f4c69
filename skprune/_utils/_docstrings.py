"""Shared parameter texts: a text that several docstrings need is written once, here or beside its class.

A text is indented relative to the line ``$name`` that it replaces.
"""

import inspect
import re
from textwrap import indent

SHARED = {
    "ratio": """ratio : float in (0, 1] or int, default=0.5
    The fraction of rows to KEEP, or their number.""",
    "class_balanced": """class_balanced : None, "proportional", "uniform" or dict, default=None
    How the k kept rows are shared among the classes: not at all, in proportion to their sizes, evenly as far as the
    classes reach, or in proportion to ``{class index: weight}``. Cutoffs, strata, graphs and the like are then those of
    each class.""",
    "min_per_class": """min_per_class : int or float, default=0
    The least number of kept rows of each class; a float in [0, 1] is a fraction of an even share of the rows not
    kept already, rounded down. A class with fewer rows, or fewer after a cutoff, keeps all of these.""",
    "dynamics": """dynamics : TrainingDynamics
    The recorded training dynamics.""",
    "score_epochs": """n_epochs : int, default=None
    The number of epochs to use, from the first; None uses all recorded epochs.""",
    "missing_label": """missing_label : object, default="auto"
    The mark of an unlabeled row: a value such as -1, "" or "?", or None for None, NaN, NA and masked labels. "auto": if any
    label is one of the latter, exactly those are missing; otherwise -1 is. A warning is raised where -1 could be the other
    thing, a class or a mark. Texts such as "?" or "nan" are refused, or warned of if other labels are missing.""",
    "image_shape": """image_shape : tuple of (C, H, W), default=None
    The shape of each row when images come as flat rows.""",
    "image_size": """image_size : "auto", int or None, default="auto"
    The length to which the shorter side of images is scaled down before any model sees them; the kept rows stay as
    they are. "auto" scales images of more than 96 pixels to 64, with a warning, for nets of skprune without a
    `module` of your own that train on the CPU. None scales nothing.""",
    "random_state": """random_state : int, RandomState or None, default=None
    Seed of everything that is drawn at random.""",
    "device": """device : str or None, default=None
    None and "auto" take CUDA where there is one, else the CPU.""",
}


_PLACEHOLDER = re.compile(r"^( *)\$(\w+)$", re.MULTILINE)


def fill_docstring(**texts):
    """Return a decorator that replaces each line ``$name`` of a docstring by a text given here or shared."""
    texts = SHARED | texts

    def fill(documented):
        if documented.__doc__:  # python -OO leaves none
            dedented = inspect.cleandoc(documented.__doc__) + "\n"  # as Python 3.13 ends them
            documented.__doc__ = _PLACEHOLDER.sub(lambda found: indent(texts[found[2]], found[1]), dedented)
        return documented

    return fill
