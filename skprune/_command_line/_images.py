"""A folder of images, with the images themselves or with a subfolder for each class."""

import numpy as np

from skprune._command_line._data import Data
from skprune._command_line._errors import BadInput
from skprune._utils._images import are_gray, image_suffixes
from skprune.datasets._local import UNLABELED_FOLDERS, read_image_files


def read_images(folder, arguments):
    """Read the images of a folder; the names of subfolders are labels unless a file of labels is given."""
    suffixes = image_suffixes()
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in suffixes and file.is_file())
    if not files:
        raise BadInput(f"{folder} holds no images.")
    try:
        pixels = read_image_files(files, arguments.size, arguments.gray or are_gray(files))
    except ValueError as error:
        raise BadInput(str(error).replace("Set size=,", "Set --size,")) from error
    paths = [file.relative_to(folder) for file in files]
    labels = None
    if getattr(arguments, "labels", None) is None and all(len(path.parts) > 1 for path in paths):
        classes = [path.parts[0] for path in paths]
        labels = np.array([None if name.casefold() in UNLABELED_FOLDERS else name for name in classes], dtype=object)
    return Data(pixels, pixels, np.array([path.as_posix() for path in paths], dtype=object), labels)
