"""Photos are scaled down for nets on the CPU, and for those alone; users keep theirs."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading

from skprune import SemiPrune
from skprune._pipeline._image_size import scale_images, scaled_side
from skprune.nets import MLP, NetClassifier
from skprune.semi_supervised import FixMatch


@pytest.fixture
def photos():
    """Return photos whose brightness tells their class, and labels, some of them missing."""
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    X = rng.integers(0, 128, (40, 3, 100, 130)).astype(np.uint8) + (y * 100).astype(np.uint8)[:, None, None, None]
    return X, y, np.where(np.arange(40) < 18, y, -1)


def pruner_of(**params):
    defaults = {
        "labeler": FixMatch(n_steps=2, batch_size=4, mu=1),
        "proxy": NetClassifier(module__width=4),
        "n_epochs": 10,
        "schedule_epochs": 10,
        "estimate_accuracy": False,
        "random_state": 0,
    }
    return SemiPrune(**defaults | params)


def test_photos_are_scaled_once_and_kept_as_they_are(photos):
    X, y, partial = photos
    with pytest.warns(UserWarning, match="100 x 130 pixels scaled to 64 x 83") as raised:
        pruner = pruner_of().fit(X, partial)
    assert sum("scaled to" in str(warning.message) for warning in raised) == 1
    assert pruner.proxy_.shape_ == pruner.labeler_.shape_ == (3, 64, 83)
    np.testing.assert_array_equal(pruner.transform(X), X[pruner.support_])
    np.testing.assert_array_equal(pruner.coreset()[0], X[pruner.support_])
    assert pruner.n_features_in_ == 3 * 100 * 130
    assert pruner.predict_difficulty(X[:5]).shape == (5,)
    assert 0 <= pruner.score(X, y) <= 1


def test_the_fit_is_that_of_scaled_images(photos):
    X, _, partial = photos
    expected = pruner_of().fit(scale_images(X, 32), partial)
    actual = pruner_of(image_size=32).fit(X, partial)
    np.testing.assert_array_equal(actual.difficulty_scores_, expected.difficulty_scores_)
    np.testing.assert_array_equal(actual.support_, expected.support_)
    np.testing.assert_array_equal(
        actual.predict_difficulty(X[::-1]), expected.predict_difficulty(scale_images(X[::-1], 32))
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_scaling_keeps_dtype_and_brightness(dtype):
    images = np.full((3, 1, 40, 20), 200, dtype=dtype)
    images[1] = 7
    scaled = scale_images(images, 10)
    assert scaled.shape == (3, 1, 20, 10)
    assert scaled.dtype == dtype
    np.testing.assert_allclose(
        scaled, np.array([200, 7, 200]).reshape(3, 1, 1, 1) + np.zeros((1, 1, 20, 10)), rtol=1e-6
    )
    assert scale_images(images, None) is images


def test_parts_are_scaled_like_the_whole(monkeypatch, photos):
    X, _, _ = photos
    whole = scale_images(X, 16)
    monkeypatch.setattr("skprune._utils._mapped._CHUNK_BYTES", 3 * X[0].nbytes)
    np.testing.assert_array_equal(scale_images(X, 16), whole)


def side_of(shape=(3, 200, 100), image_size="auto", labeler=None, proxy=None):
    models = SimpleNamespace(labeler=labeler or FixMatch(), proxy=proxy or NetClassifier())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return scaled_side(image_size, models, np.zeros((2, *shape), dtype=np.uint8))


def test_when_images_are_scaled(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert side_of() == 64
    assert side_of((3, 96, 500)) is None
    assert side_of((3, 500, 4)) is None
    assert side_of(image_size=None) is None
    assert side_of(image_size=80) == 80
    assert side_of(image_size=100) is None  # never enlarged
    assert side_of(proxy=NetClassifier(MLP)) is None
    assert side_of(labeler=LabelSpreading()) is None
    assert side_of(labeler=LabelSpreading(), proxy=SGDClassifier(), image_size=80) == 80
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert side_of() is None
    assert side_of(labeler=FixMatch(device="cpu"), proxy=NetClassifier(device="cpu")) == 64


@pytest.mark.parametrize("image_size", ["large", 0, 2.5, True])
def test_sizes_that_are_refused(photos, image_size):
    X, _, partial = photos
    with pytest.raises(ValueError, match="image_size must be"):
        pruner_of(image_size=image_size).fit(X, partial)


def test_a_table_has_no_image_size(iris):
    X, _, partial = iris
    proxy = make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss"))
    with pytest.raises(ValueError, match="image_size=64 is the size of images, and X is a table"):
        pruner_of(image_size=64, proxy=proxy).fit(X, partial)
