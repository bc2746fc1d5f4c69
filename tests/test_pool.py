"""What X may look like."""

import numpy as np
import pandas as pd
import pytest

from skprune._utils._pool import as_pool, check_equal_length


def test_images_of_every_layout_are_one_pool():
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 8, 9), dtype=np.uint8)
    for other in (images, images.transpose(0, 2, 3, 1), np.asfortranarray(images)):
        pool = as_pool(other)
        assert pool.flags.c_contiguous
        np.testing.assert_array_equal(pool, images)
    gray = images[:, 0]
    np.testing.assert_array_equal(as_pool(gray), gray[:, None])
    np.testing.assert_array_equal(as_pool(gray.reshape(5, -1), image_shape=(1, 8, 9)), gray[:, None])


@pytest.mark.parametrize("shape", [(5, 64, 4, 4), (5, 512, 1, 1), (5, 12, 9, 9), (5, 3, 32, 3), (5, 1, 28, 28)])
def test_channels_first_stay_first(shape):
    assert as_pool(np.zeros(shape)).shape == shape
    assert as_pool(np.zeros((shape[0], int(np.prod(shape[1:])))), image_shape=shape[1:]).shape == shape


@pytest.mark.parametrize("shape", [(5, 28, 28, 1), (5, 32, 40, 3), (5, 32, 32, 4)])
def test_channels_last_go_first(shape):
    assert as_pool(np.zeros(shape)).shape == (5, shape[3], *shape[1:3])


def test_tables():
    table = np.arange(12).reshape(4, 3)
    pool = as_pool(pd.DataFrame(table, columns=list("abc")))
    assert pool.dtype == np.float64
    np.testing.assert_array_equal(pool, as_pool(table.tolist()))
    assert as_pool(table.astype(np.float32)).dtype == np.float32
    assert as_pool(table.astype(np.uint8)).dtype == np.float32


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.array([[1.0, np.nan]]), ValueError, "NaN, first in row 0, column 1"),
        (np.array([[1.0, 2.0], [np.inf, 0.0]]), ValueError, r"infinity \(inf\), first in row 1, column 0"),
        (np.array([[1j]]), ValueError, "[Cc]omplex"),
        (np.array([["a"]], dtype=object), ValueError, "could not convert"),
        (np.zeros((0, 3)), ValueError, "0 sample"),
        (np.zeros((3, 0)), ValueError, "0 feature"),
        (np.zeros(3), ValueError, "1D"),
        (np.zeros((1, 2, 3, 4, 5)), ValueError, "axes"),
    ],
)
def test_refused_data(X, error, message):
    with pytest.raises(error, match=message):
        as_pool(X)


def test_image_shape_must_fit():
    with pytest.raises(ValueError, match="needs 64 columns, X has 60"):
        as_pool(np.zeros((2, 60)), image_shape=(1, 8, 8))
    with pytest.raises(ValueError, match=r"\(C, H, W\)"):
        as_pool(np.zeros((2, 64)), image_shape=(8, 8))
    with pytest.raises(ValueError, match="does not match"):
        as_pool(np.zeros((2, 1, 9, 9)), image_shape=(1, 8, 8))


def test_unequal_length():
    with pytest.raises(ValueError, match="X has 1 rows, y has 2"):
        check_equal_length([0], [0, 1])
