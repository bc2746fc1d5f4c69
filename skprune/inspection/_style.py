"""What all displays share: colors, new axes, tick labels of classes."""

from math import ceil
from types import MappingProxyType

# Okabe and Ito's colors, which people with any common color blindness can tell apart.
PALETTE = MappingProxyType(
    {
        "blue": "#0072B2",
        "orange": "#E69F00",
        "green": "#009E73",
        "vermillion": "#D55E00",
        "purple": "#CC79A7",
        "sky": "#56B4E9",
        "yellow": "#F0E442",
        "black": "#000000",
    }
)
KEPT, DROPPED, GIVEN = PALETTE["blue"], PALETTE["orange"], PALETTE["black"]
WIDTH = 8.0  # inches: 800 pixels at the resolution of matplotlib
_CHARACTER, _LINE = 0.09, 0.18  # inches that a tick label takes along and across its direction


def pyplot():
    """Import matplotlib."""
    try:
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise ImportError(
            'skprune.inspection draws with matplotlib, which is not installed: pip install "skprune[plots]"'
        ) from error
    return plt


def axes_or_new(ax, *, height=5.0):
    """Return axes to draw into, new ones for None."""
    plt = pyplot()
    return plt.subplots(figsize=(WIDTH, height), layout="constrained")[1] if ax is None else ax


def width_of(ax):
    """Return the width of axes in inches."""
    return ax.get_window_extent().width / ax.figure.dpi


def in_percent(axis):
    """Label the ticks of a share in percent."""
    axis.set_major_formatter(lambda share, _: f"{100 * share:.4g} %")


def add_legend(ax, *, most=5):
    """Add a legend within the axes, or next to them if it is long."""
    n_entries = len(ax.get_legend_handles_labels()[0])
    beside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "borderaxespad": 0.5}
    ax.legend(**(beside if n_entries > most else {"loc": "best"}))


def plain(text):
    """Return a text that matplotlib shows as it is: its dollars begin no formula."""
    return str(text).replace("$", r"\$")


def shortened(label, most):
    """Return a label as text of at most so many characters."""
    text = str(label)
    return plain(text if len(text) <= most else text[: most - 1] + "…")


def label_classes(ax, classes):
    """Name the classes 0..n-1 below the axes; of many, only every second, third and so on."""
    names = [shortened(name, 16) for name in classes]
    inches = width_of(ax)
    longest = max(map(len, names))
    width = (longest + 1.5) * _CHARACTER
    upright = len(names) * width > inches and longest > 3
    step = ceil(len(names) * (_LINE if upright else width) / inches)
    places = range(0, len(names), step)
    ax.set_xticks(places, [names[place] for place in places], rotation=90 if upright else 0)
