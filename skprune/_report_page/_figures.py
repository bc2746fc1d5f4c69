"""Figures and images as PNG within the page."""

from base64 import b64encode
from io import BytesIO

import numpy as np

from skprune._report_page._elements import element, joined
from skprune.inspection._style import pyplot

_INCHES = 5.6, 4.4  # letters stay legible where the figure is 360 pixels wide
_DPI = 160
_LARGEST_THUMBNAIL = 160  # pixels


def figure(draw, alt, caption):
    """Return a figure that a function draws into axes."""
    plt = pyplot()
    drawn = plt.figure(figsize=_INCHES, layout="constrained")
    try:
        draw(drawn.add_subplot())
        data = BytesIO()
        drawn.savefig(data, format="png", dpi=_DPI)
    finally:
        plt.close(drawn)
    image = element("img", src=_data_uri(data), alt=alt)
    return element("figure", image, element("figcaption", caption))


def figures(*children):
    """Return figures next to each other where there is room."""
    return element("div", *children, class_="figures")


def thumbnail(pixels, alt):
    """Return a small image of pixels (H, W) or (H, W, 3): uint8, or float in [0, 1]."""
    from PIL import Image

    pixels = pixels if pixels.dtype == np.uint8 else np.rint(255 * np.clip(pixels, 0, 1)).astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((_LARGEST_THUMBNAIL, _LARGEST_THUMBNAIL))
    data = BytesIO()
    image.save(data, format="PNG", optimize=True)
    return element("img", src=_data_uri(data), alt=alt)


def contact_sheet(items):
    """Return images with their captions; each item is (image, lines)."""
    return element(
        "ul",
        *(
            element("li", image, element("p", joined(element("span", line) for line in lines)), class_=kind)
            for image, lines, kind in items
        ),
        class_="sheet",
    )


def _data_uri(stream):
    return "data:image/png;base64," + b64encode(stream.getvalue()).decode("ascii")
