"""What X may look like."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    "shape", [(5, 64, 4, 4), (5, 512, 1, 1), (5, 12, 9, 9), (5, 3, 32, 3), (5, 1, 28, 28), (5, 1, 100, 4)]
)
def test_channels_first_stay_first(shape):
    assert as_pool(np.zeros(shape)).shape == shape
    assert as_pool(np.zeros((shape[0], int(np.prod(shape[1:])))), image_shape=shape[1:]).shape == shape


@pytest.mark.parametrize("shape", [(5, 28, 28, 1), (5, 32, 40, 3), (5, 32, 32, 4), (5, 64, 64, 13), (5, 8, 8, 2)])
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
        (np.array([["a"]], dtype=object), ValueError, "text in column 0, and a net reads numbers only"),
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


@given(side=st.integers(2, 9), channels=st.integers(1, 20))
def test_square_images_are_the_same_in_both_layouts(side, channels):
    assume(side != channels)
    images = np.random.default_rng(0).random((2, channels, side, side))
    np.testing.assert_array_equal(as_pool(images), images)
    np.testing.assert_array_equal(as_pool(images.transpose(0, 2, 3, 1)), images)


@pytest.mark.parametrize("shape", [(5, 48, 64, 13), (5, 12, 8, 9), (5, 3, 3, 3), (5, 8, 9, 8)])
def test_axes_that_nothing_decides_are_asked_for(shape):
    with pytest.raises(ValueError, match="may hold images .* Set image_shape") as refusal:
        as_pool(np.zeros(shape))
    for named in {shape[1:], (shape[3], *shape[1:3])}:
        assert str(named) in str(refusal.value)
        assert as_pool(np.zeros(shape), image_shape=named).shape == (5, *named)


DATES = np.array(["2024-01-01", "NaT", "2024-03-01"], dtype="datetime64[ns]")


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"a": [1.0, 2.0, 3.0], "when": DATES}),
        pd.DataFrame({"when": DATES}),
        pd.DataFrame({"a": 0, "when": pd.Series(DATES).dt.tz_localize("UTC")}),
        pd.DataFrame({"a": 0, "when": DATES - DATES[0]}),
        pd.DataFrame({"a": 0, "when": list(pd.Series(DATES).dt.date)}),
        pl.DataFrame({"a": [1.0, 2.0, 3.0], "when": DATES}),
        np.stack([DATES, DATES], axis=1),
        np.tile(DATES[:, None, None], (1, 2, 2)),
        np.array([[0, date] for date in pd.Series(DATES)], dtype=object),
    ],
    ids=["mixed", "alone", "zone", "spans", "objects", "polars", "array", "images", "object array"],
)
def test_dates_are_no_numbers(X):
    names = "'when'" if hasattr(X, "columns") else "[01]"
    with pytest.raises(ValueError, match=f"X holds dates in columns? {names}.* days since the first"):
        as_pool(X)
    with pytest.raises(ValueError, match=r"\(row 1\)"):
        as_pool(X)


def test_masked_tables_are_refused():
    X = np.ma.masked_array(np.arange(6.0).reshape(3, 2), mask=[[0, 0], [0, 1], [1, 1]])
    with pytest.raises(ValueError, match=r"X is masked, first in row 1, column 1; 3 cells are. .*X.filled"):
        as_pool(X)
    with pytest.raises(ValueError, match="X is masked, first in row 1; 1 cells"):
        as_pool(np.ma.masked_array(np.zeros((2, 3, 3), np.uint8), mask=np.arange(18).reshape(2, 3, 3) == 9))
    np.testing.assert_array_equal(as_pool(np.ma.masked_array(X.data, mask=False)), X.data)
