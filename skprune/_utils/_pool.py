"""How X is read: one C-contiguous array, 2-D for tables and 4-D for images, whose axes are recognized here."""

from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import _safe_indexing, check_array
from sklearn.utils.validation import _num_samples

_CHANNELS = (1, 3, 4)
_LARGEST = 1e150


def as_pool(X, image_shape=None, *, estimator=None):
    """Turn X into the one array that all stages read."""
    if issparse(X):
        X = X.toarray()
    elif hasattr(X, "detach"):
        X = _from_tensor(X)
    array = check_array(
        X,
        dtype="numeric",
        ensure_all_finite=False,
        allow_nd=True,
        ensure_2d=True,
        estimator=estimator,
        input_name="X",
    )
    if array.ndim > 4:
        raise ValueError(f"X has {array.ndim} axes. Use a table (n, d) or images (n, C, H, W).")
    if image_shape is not None:
        array = _as_shape(array, image_shape)
    elif array.ndim == 4 and _channels_last(array.shape):
        array = array.transpose(0, 3, 1, 2)
    if array.ndim == 3:
        array = array[:, None]
    image = array.ndim == 4
    if array.dtype == np.float16 or (array.dtype == np.uint8 and not image):
        array = array.astype(np.float32)
    elif array.dtype not in (np.uint8, np.float32, np.float64):
        array = array.astype(np.float64)
    array = np.ascontiguousarray(array)
    _check_finite(array)
    return array


def flat(pool):
    """View a pool as the 2-D table that scikit-learn's own estimators read."""
    return pool.reshape(len(pool), -1)


def take_rows(X, rows):
    """Return some rows of X, of the type of X."""
    if issparse(X):
        return X.tocsr()[rows].asformat(X.format)
    return _safe_indexing(X if hasattr(X, "__getitem__") else np.asarray(X), rows)


def check_equal_length(pool, y, name="y"):
    """Refuse X and y of unequal length."""
    rows, labels = _num_samples(pool), _num_samples(y)
    if rows != labels:
        raise ValueError(f"X and {name} have inconsistent numbers of samples: X has {rows} rows, {name} has {labels}.")


def _from_tensor(tensor):
    """Return a torch tensor as an ndarray; bfloat16, which NumPy does not know, as float32."""
    if "sparse" in str(tensor.layout):
        raise TypeError("X is a sparse tensor. Use X.to_dense(), or a sparse array of SciPy.")
    tensor = tensor.detach().cpu()
    return (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()


def _channels_last(shape):
    """Tell (n, H, W, C) from (n, C, H, W): few channels at the end, and not a square after the first two axes."""
    square = shape[2] == shape[3] != shape[1]
    return shape[3] in _CHANNELS and shape[1] not in _CHANNELS and not square


def _as_shape(array, image_shape):
    """Give rows the shape that the user named; images may come with their channels last."""
    sides = image_shape if isinstance(image_shape, (tuple, list, np.ndarray)) else ()
    if len(sides) != 3 or not all(isinstance(side, Integral) and side > 0 for side in sides):
        raise ValueError(f"image_shape must be (C, H, W), got {image_shape!r}.")
    shape = tuple(int(side) for side in sides)
    if array.ndim == 2:
        if int(np.prod(shape)) != array.shape[1]:
            raise ValueError(f"image_shape={shape} needs {int(np.prod(shape))} columns, X has {array.shape[1]}.")
        return array.reshape(len(array), *shape)
    if array.ndim == 3 and (1, *array.shape[1:]) == shape:
        return array[:, None]
    if array.ndim == 4 and array.shape[1:] != shape and (array.shape[3], *array.shape[1:3]) == shape:
        return array.transpose(0, 3, 1, 2)
    if array.shape[1:] != shape:
        raise ValueError(f"image_shape={shape} does not match images of shape {array.shape[1:]}.")
    return array


def _check_finite(array):
    if array.dtype == np.uint8:
        return
    with np.errstate(all="ignore"):
        if np.isfinite(array.sum()):
            return
    bad = ~np.isfinite(flat(array))
    if not bad.any():
        return
    row = int(bad.any(axis=1).argmax())
    column = int(bad[row].argmax())
    kind = "NaN" if np.isnan(flat(array)[row, column]) else "infinity (inf)"
    raise ValueError(
        f"X contains {kind}, first in row {row}, column {column}; {int(bad.any(axis=1).sum())} rows are not finite. Impute "
        "or drop them before pruning."
    )


def check_magnitude(table):
    """Refuse columns whose squares are not finite, which no standard deviation survives."""
    if table.size == 0 or max(float(table.max()), -float(table.min())) < _LARGEST:
        return
    extent = np.maximum(table.max(axis=0), -table.min(axis=0))
    column = int(np.argmax(extent))
    raise ValueError(
        f"Column {column} of X reaches {extent[column]:.3g}, too large to be standardized ({int((extent >= _LARGEST).sum())} "
        "such columns). Divide it, take its logarithm, or mend the rows."
    )
