"""Augmentations are drawn for each sample, from the generator alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skprune.augment import image_strong, image_weak, tabular_strong, tabular_weak


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 5), channels=st.sampled_from([1, 2, 3]), side=st.integers(4, 20), seed=st.integers(0, 999))
def test_images_keep_shape_and_range(n, channels, side, seed):
    x = torch.rand(n, channels, side, side + 1, generator=generator(seed))
    before = x.clone()
    for augment in (image_weak, image_strong):
        out = augment(x, generator(seed))
        assert out.shape == x.shape
        assert torch.isfinite(out).all()
        assert out.min() >= 0
        assert out.max() <= 1
        assert torch.equal(x, before)


@pytest.mark.parametrize("augment", [image_weak, image_strong, tabular_weak, tabular_strong])
def test_only_the_generator_decides(augment):
    x = torch.rand(8, 3, 16, 16) if "image" in augment.__name__ else torch.rand(8, 5)
    torch.manual_seed(0)
    first = augment(x, generator(1))
    torch.manual_seed(1)
    assert torch.equal(first, augment(x, generator(1)))
    assert not torch.equal(first, augment(x, generator(2)))


@pytest.mark.parametrize("augment", [image_weak, image_strong])
def test_equal_samples_are_augmented_differently(augment):
    x = torch.rand(1, 1, 28, 28, generator=generator()).expand(64, -1, -1, -1)
    assert len({tuple(image.flatten().tolist()) for image in augment(x, generator())}) > 32


def test_weak_is_a_shift_and_a_flip():
    x = torch.arange(64.0).view(1, 1, 8, 8) / 64
    assert torch.equal(image_weak(x, generator(), pad=0, flip=False), x)
    flipped = [image_weak(x, generator(seed), pad=0) for seed in range(10)]
    assert any(torch.equal(out, x.flip(3)) for out in flipped)
    assert any(torch.equal(out, x) for out in flipped)
    for seed in range(10):
        inner = image_weak(x, generator(seed), pad=1, flip=False)[0, 0, 1:-1, 1:-1]
        windows = [x[0, 0, 1 + dy : 7 + dy, 1 + dx : 7 + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        assert any(torch.equal(inner, window) for window in windows)


def test_cutout_and_operations_can_be_left_out():
    x = torch.rand(16, 1, 16, 16)
    out = image_strong(x, generator(), n_ops=1, cutout=0.0)
    changed = ((out - x).abs().amax(dim=(1, 2, 3)) > 1e-4).float().mean()
    assert 0.5 < changed <= 1


def test_tables_draw_from_their_own_columns():
    x = torch.arange(40.0).view(10, 4) + 1000 * torch.arange(4)
    out = tabular_strong(x, generator(), corrupt=0.5, noise=0.0)
    for column in range(4):
        assert set(out[:, column].tolist()) <= set(x[:, column].tolist())
    assert 0.2 < (out != x).float().mean() < 0.6
    assert abs(tabular_weak(torch.zeros(5000, 2), generator(), noise=0.3).std() - 0.3) < 0.01
