"""A folder of images, with the images themselves or with a subfolder for each class."""

import numpy as np

from skprune._command_line._data import Data
from skprune._command_line._errors import BadInput
from skprune._utils._images import are_gray, image_files
from skprune.datasets._local import UNLABELED_FOLDERS, read_image_files


def read_images(folder, arguments):
    """Read the images of a folder; the names of its subfolders may be labels."""
    files = image_files(folder, subfolders=True)
    if not files:
        raise BadInput(f"{folder} holds no images.")
    try:
        pixels = read_image_files(files, arguments.size, arguments.gray or are_gray(files))
    except ValueError as error:
        raise BadInput(str(error).replace("Set size=,", "Set --size,")) from error
    paths = [file.relative_to(folder) for file in files]
    labels = np.array([_class_of(path) for path in paths], dtype=object)
    in_subfolders = any(len(path.parts) > 1 for path in paths)
    ids = np.array([path.as_posix() for path in paths], dtype=object)
    return Data(pixels, pixels, ids, labels if in_subfolders else None)


def _class_of(path):
    """Return the name of the subfolder of an image, None where there is none or it means that there is no label."""
    name = path.parts[0]
    return None if len(path.parts) == 1 or name.casefold() in UNLABELED_FOLDERS else name
