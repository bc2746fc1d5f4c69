"""X that is read item by item: Datasets of torch and Hugging Face, image files, sequences of images."""

import os
import re
import sys
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from skprune._utils._columns import is_sequence
from skprune._utils._images import image_pixels, image_suffixes, read_image
from skprune._utils._mapped import as_contiguous, empty_rows

_FILES_AHEAD, _MOST_THREADS = 64, 8
_SUFFIX = re.compile(r"\.\w{2,5}$")


def is_torch_dataset(X):
    """Tell whether X is a Dataset of torch, without importing torch."""
    data = sys.modules.get("torch.utils.data")
    return data is not None and isinstance(X, data.Dataset)


def is_hugging_face(X):
    """Tell whether X is a dataset of Hugging Face, by its methods."""
    return all(hasattr(X, name) for name in ("select", "column_names", "features", "__getitem__"))


def is_dataset(X):
    """Tell whether X is a Dataset, whose items are made when they are asked for."""
    return is_torch_dataset(X) or is_hugging_face(X)


def is_image_paths(X):
    """Tell whether X is a sequence of paths of image files."""
    if not is_sequence(X):
        return False
    if all(isinstance(item, os.PathLike) for item in X):
        return True
    if not all(isinstance(item, str) and _SUFFIX.search(item) for item in X):
        return False
    suffixes = image_suffixes()
    return all(os.path.splitext(item)[1].lower() in suffixes for item in X)


def file_names(X):
    """Return the names of image files as texts."""
    return [os.fspath(item) for item in X]


def is_items(X):
    """Tell whether X is read item by item."""
    return is_dataset(X) or is_image_paths(X) or is_item_list(X) or (is_sequence(X) and all(map(_is_image, X)))


def is_item_list(X):
    """Tell whether X is a sequence of what Datasets yield, as scikit-learn's splits of a Dataset are."""
    return is_sequence(X) and all(map(_wraps, X))


def check_map_style(X):
    """Refuse a DataLoader, and a Dataset whose items have no index."""
    data = sys.modules.get("torch.utils.data")
    if data is None:
        return
    if isinstance(X, data.DataLoader):
        raise TypeError(
            "X is a DataLoader, whose batches come in an order of its own. Pass its Dataset: loader.dataset."
        )
    if isinstance(X, data.IterableDataset) or (is_torch_dataset(X) and not hasattr(X, "__len__")):
        raise TypeError(
            f"X is a {type(X).__name__}, whose items have no index. Use a Dataset with __getitem__ and __len__, or read the "
            "items into an array."
        )


def subset(X, rows):
    """Return some rows of a Dataset of torch."""
    from torch.utils.data import Subset

    return Subset(X, rows)


def tensor_as_array(tensor):
    """Return a torch tensor as an ndarray; bfloat16, which NumPy does not know, as float32."""
    if "sparse" in str(tensor.layout):
        raise TypeError("X is a sparse tensor. Use X.to_dense(), or a sparse array of SciPy.")
    if tensor.is_quantized:
        raise TypeError("X is a quantized tensor. Use X.dequantize().")
    if tensor.is_meta:
        raise TypeError("X is a tensor on the device 'meta', which holds no values.")
    tensor = tensor.detach().cpu()
    return (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()


def labels_hint(X):
    """Say how to get the labels of a Dataset, which are passed beside it."""
    where = "dataset['label']" if is_hugging_face(X) else "dataset.targets"
    return (
        f"X is a {type(X).__name__}, and y is None. Pass the labels beside it, such as y={where}, with None or -1 for the "
        "unlabeled rows; those that its items hold are not read."
    )


def read_items(X):
    """Read each item once into an array, a file if it is large; tell whether its images have their channels first."""
    if len(X) == 0:
        raise ValueError("X holds 0 samples, and at least one is needed.")
    data = None
    for row, (item, is_image) in enumerate(_arrays(X)):
        if data is None:
            data = empty_rows((len(X), *item.shape), item.dtype)
        elif is_image and item.shape[1:] == data.shape[2:] and item.shape != data.shape[1:]:
            if len(item) == 1:  # gray among colors
                item = np.repeat(item, 3, axis=0)
            else:
                gray, data = data, empty_rows((len(X), *item.shape), data.dtype)
                data[:row] = gray[:row]
        if item.shape != data.shape[1:]:
            raise ValueError(_sizes_refusal(X, row, item.shape, data.shape[1:]))
        if item.dtype != data.dtype:
            data = as_contiguous(data, np.result_type(item, data))
        data[row] = item
    return np.asarray(data), is_image


def _arrays(X):
    """Yield each item as an array, and whether it is an image; image files are decoded by threads, some ahead."""
    if not is_image_paths(X):
        is_list = not is_dataset(X)
        items = X if is_list else (X[row] for row in range(len(X)))
        for row, item in enumerate(items):
            if is_list and isinstance(item, tuple):
                _check_one_value(item, row)
            value = _value(item, row)
            yield _as_array(value, row), _is_pillow_image(value) or isinstance(value, (str, os.PathLike))
        return
    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as threads:
        ahead = deque()
        for file in X:
            ahead.append(threads.submit(read_image, file))
            if len(ahead) > _FILES_AHEAD:
                yield ahead.popleft().result(), True
        while ahead:
            yield ahead.popleft().result(), True


def _is_image(item):
    """Tell whether an item is an image of Pillow, or an array or tensor of at least two axes."""
    return _is_pillow_image(item) or getattr(item, "ndim", 0) >= 2


def _is_pillow_image(item):
    image = sys.modules.get("PIL.Image")
    return image is not None and isinstance(item, image.Image)


def _wraps(item):
    """Tell whether an item is a tuple, list or mapping around a value, and is not a value itself: numbers, or rows of these."""
    if isinstance(item, Mapping):
        return any(map(_is_image, item.values()))
    if not isinstance(item, (tuple, list)) or not item:
        return False
    first, *others = item
    if isinstance(first, (tuple, list)):
        return not all(isinstance(other, (tuple, list)) for other in others) or (isinstance(item, tuple) and not others)
    if _is_pillow_image(first):
        return True
    if isinstance(first, Mapping):
        return _wraps(first)
    if getattr(first, "ndim", 0) == 0:
        return False
    is_stack = bool(others) and all(getattr(other, "shape", None) == first.shape for other in others)
    return isinstance(item, tuple) or not is_stack


def _check_one_value(item, row):
    """Refuse a tuple of a list that may be a value and its label, as one of a Dataset is, or several parts of a value."""
    shapes = {getattr(part, "shape", None) for part in item}
    if len(item) > 1 and len(shapes) == 1 and None not in shapes:
        raise ValueError(
            f"Row {row} of X is a tuple of {len(item)} arrays of one shape: a row and its label, or parts of a row? Pass "
            "[item[0] for item in X], or [np.stack(item) for item in X]."
        )


def _value(item, row):
    """Return what an item holds besides its label: itself, the first of a tuple, or the only image of a mapping."""
    if isinstance(item, (tuple, list)):
        if not item:
            raise ValueError(
                f"Row {row} of X is an empty {type(item).__name__}. Items must be images or arrays of numbers."
            )
        if isinstance(item, tuple) or isinstance(item[0], (str, os.PathLike, Mapping)) or _wraps(item):
            item = item[0]
    if not isinstance(item, Mapping):
        return item
    images = [name for name, value in item.items() if _is_image(value)]
    if len(images) != 1:
        raise ValueError(
            f"Row {row} of X holds {len(images) or 'no'} images among {list(item)}. Keep the columns with one image each, as "
            "in dataset.select_columns(['image']); pass a column of vectors as np.array(dataset['embedding']), another table as "
            "dataset.to_pandas()."
        )
    return item[images[0]]


def _as_array(value, row):
    if isinstance(value, (str, os.PathLike)):
        return read_image(value)
    if _is_pillow_image(value):
        return image_pixels(value, f"Row {row} of X")
    try:
        array = tensor_as_array(value) if hasattr(value, "detach") else np.asarray(value)
    except ValueError:  # lists of unequal lengths
        array = None
    if array is None or array.dtype.kind not in "biuf":
        raise TypeError(f"Row {row} of X is a {type(value).__name__}. Items must be images or arrays of numbers.")
    return array


def _sizes_refusal(X, row, shape, first):
    if is_torch_dataset(X):
        way_out = (
            "Give the Dataset a transform that yields equal shapes, such as Compose([Resize(64), CenterCrop(64)]) of "
            "torchvision."
        )
    elif is_hugging_face(X):
        way_out = "Resize them in dataset.map or dataset.with_transform."
    else:
        way_out = (
            "Load them with skprune.datasets.load_images(folder, size=64), or load_image_folder, or resize them, as "
            "PIL.ImageOps.fit(image, (64, 64)) does."
        )
    return f"Row {row} of X has the shape {shape}, and row 0 the shape {first}. {way_out}"
