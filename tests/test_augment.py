"""Augmentations are drawn for each sample, from the generator alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from skprune.augment import ImageStrong, ImageWeak, Policy, TabularStrong, TabularWeak


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@settings(max_examples=25)
@given(n=st.integers(1, 5), channels=st.sampled_from([1, 2, 3]), side=st.integers(4, 20), seed=st.integers(0, 999))
def test_images_keep_shape_and_range(n, channels, side, seed):
    x = torch.rand(n, channels, side, side + 1, generator=generator(seed))
    before = x.clone()
    for augment in (ImageWeak(), ImageStrong()):
        out = augment(x, generator(seed))
        assert out.shape == x.shape
        assert torch.isfinite(out).all()
        assert out.min() >= 0
        assert out.max() <= 1
        assert torch.equal(x, before)


@pytest.mark.parametrize("augment", [ImageWeak(), ImageStrong(), TabularWeak(), TabularStrong()])
def test_only_the_generator_decides(augment):
    x = torch.rand(8, 3, 16, 16) if isinstance(augment, (ImageWeak, ImageStrong)) else torch.rand(8, 5)
    torch.manual_seed(0)
    first = augment(x, generator(1))
    torch.manual_seed(1)
    assert torch.equal(first, augment(x, generator(1)))
    assert not torch.equal(first, augment(x, generator(2)))


@pytest.mark.parametrize("augment", [ImageWeak(), ImageStrong()])
def test_equal_samples_are_augmented_differently(augment):
    x = torch.rand(1, 1, 28, 28, generator=generator()).expand(64, -1, -1, -1)
    assert len({tuple(image.flatten().tolist()) for image in augment(x, generator())}) > 32


def test_weak_is_a_shift_and_a_flip():
    x = torch.arange(64.0).view(1, 1, 8, 8) / 64
    assert torch.equal(ImageWeak(pad=0, flip=False)(x, generator()), x)
    flipped = [ImageWeak(pad=0)(x, generator(seed)) for seed in range(10)]
    assert any(torch.equal(out, x.flip(3)) for out in flipped)
    assert any(torch.equal(out, x) for out in flipped)
    for seed in range(10):
        inner = ImageWeak(pad=1, flip=False)(x, generator(seed))[0, 0, 1:-1, 1:-1]
        windows = [x[0, 0, 1 + dy : 7 + dy, 1 + dx : 7 + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        assert any(torch.equal(inner, window) for window in windows)


def test_cutout_and_operations_can_be_left_out():
    x = torch.rand(32, 1, 16, 16)
    changed = ImageStrong(n_ops=1, cutout=0.0)(x, generator())
    assert 0.5 < ((changed - x).abs().amax(dim=(1, 2, 3)) > 1e-4).float().mean() <= 1
    nothing = ImageStrong(n_ops=0, cutout=0.0)(x, generator())
    torch.testing.assert_close(nothing, x, atol=1e-5, rtol=0)


def drawn(operation, strength, n=2, square=0.0):
    """Parameters that give one operation to the first image and none to the second."""
    names = ("identity", "rotate", "shear_x", "shear_y", "translate_x", "translate_y")
    names += ("brightness", "contrast", "autocontrast", "posterize", "solarize", "sharpness", "color")
    chosen = torch.zeros(1, n, dtype=torch.int64)
    chosen[0, 0] = names.index(operation)
    squares = torch.full((3, n), 0.5)
    squares[0] = square
    return {"operation": chosen, "strength": torch.full((1, n), float(strength)), "square": squares}


def blend(x, reference, strength):
    return reference + (1 + 0.9 * strength) * (x - reference)


def smooth(x):
    """Each inner pixel counts five times among its neighbors; the edge stays as it is."""
    kernel = torch.ones(3, 3)
    kernel[1, 1] = 5
    inner = torch.nn.functional.conv2d(x[:, None], kernel[None, None] / 13)[:, 0]
    out = x.clone()
    out[:, 1:-1, 1:-1] = inner
    return out


def posterize(x, strength):
    levels = 2.0 ** round(float(6 - 4 * abs(strength)))
    return (x * levels).floor() / levels


FORMULAS = {
    6: lambda x, s: (1 + 0.9 * s) * x,
    7: lambda x, s: blend(x, x.mean(), s),
    8: lambda x, s: (x - x.amin((1, 2), True)) / (x.amax((1, 2), True) - x.amin((1, 2), True)),
    9: posterize,
    10: lambda x, s: torch.where(x > 1 - abs(s), 1 - x, x),
    11: lambda x, s: blend(x, smooth(x), s),
    12: lambda x, s: blend(x, x.mean(0, True), s),
}


@pytest.mark.parametrize("n_ops", [1, 3])
@pytest.mark.parametrize("channels", [1, 3])
def test_colors_are_those_of_each_image_by_its_formulas(n_ops, channels):
    x = torch.rand(60, channels, 12, 12, generator=generator(n_ops))
    policy = ImageStrong(n_ops=n_ops, cutout=0.0)
    drawn = policy.draw(x.shape, generator(channels))
    moved = policy.apply(x, drawn | {"operation": torch.where(drawn["operation"] < 6, drawn["operation"], 0)})
    expected = []
    for place, image in enumerate(moved):
        for operation, strength in zip(drawn["operation"][:, place], drawn["strength"][:, place], strict=True):
            if int(operation) in FORMULAS:
                image = FORMULAS[int(operation)](image, strength).clamp(0, 1)
        expected.append(image)
    gaps = (policy.apply(x, drawn) - torch.stack(expected)).abs()
    # rounding may push a pixel over a step of posterize or solarize
    assert (gaps > 1e-6).float().mean() < 1e-3
    assert set(drawn["operation"].flatten().tolist()) == set(range(12 if channels == 1 else 13))


@pytest.mark.parametrize(
    ("operation", "strength", "expected"),
    [
        ("identity", 1.0, lambda x: x),
        ("rotate", 1.0, None),
        ("shear_x", 0.5, None),
        ("shear_y", 0.5, None),
        ("translate_x", 0.5, None),
        ("translate_y", -0.5, None),
        ("brightness", -1.0, lambda x: 0.1 * x),
        ("contrast", -1.0, lambda x: x.mean() + 0.1 * (x - x.mean())),
        ("autocontrast", 0.0, lambda x: (x - x.amin((1, 2), True)) / (x.amax((1, 2), True) - x.amin((1, 2), True))),
        ("posterize", -1.0, lambda x: (x * 4).floor() / 4),
        ("solarize", -0.5, lambda x: torch.where(x > 0.5, 1 - x, x)),
        ("sharpness", 0.0, lambda x: x),
        ("color", -1.0, lambda x: x.mean(0, True) + 0.1 * (x - x.mean(0, True))),
    ],
)
def test_each_operation_changes_the_images_that_drew_it_alone(operation, strength, expected):
    x = torch.rand(2, 3, 12, 12, generator=generator())
    out = ImageStrong(cutout=0.0).apply(x, drawn(operation, strength))
    torch.testing.assert_close(out[1], x[1], atol=1e-5, rtol=0)
    if expected is None:
        assert (out[0] - x[0]).abs().max() > 0.05
    else:
        torch.testing.assert_close(out[0], expected(x[0]), atol=1e-5, rtol=0)


def test_translation_is_in_image_sides():
    x = torch.rand(2, 3, 10, 10, generator=generator())
    out = ImageStrong(cutout=0.0).apply(x, drawn("translate_x", 1.0))
    torch.testing.assert_close(out[0, :, :, :7], x[0, :, :, 3:], atol=1e-5, rtol=0)


def test_sharpness_blurs_and_sharpens_the_inside():
    x = torch.rand(2, 3, 12, 12, generator=generator())
    blurred = ImageStrong(cutout=0.0).apply(x, drawn("sharpness", -1.0))[0]
    inner = (slice(None), slice(1, -1), slice(1, -1))
    assert blurred[inner].std() < 0.7 * x[0][inner].std()
    torch.testing.assert_close(blurred[:, 0], x[0, :, 0], atol=1e-5, rtol=0)


def test_cutout_takes_the_mean_of_the_image():
    x = torch.rand(2, 3, 8, 8, generator=generator())
    out = ImageStrong(n_ops=1, cutout=1.0).apply(x, drawn("identity", 0.0, square=0.5))
    inside = out[:, :, 2:6, 2:6]
    torch.testing.assert_close(inside, x.mean((2, 3), True).expand_as(inside))
    assert torch.allclose(out[:, :, :2], x[:, :, :2], atol=1e-5)


def test_a_wider_magnitude_moves_more():
    x = torch.rand(64, 3, 16, 16, generator=generator())
    weak, strong = (ImageStrong(magnitude=m, cutout=0.0)(x, generator()) for m in (0.1, 1.0))
    assert (weak - x).abs().mean() < 0.5 * (strong - x).abs().mean()


@pytest.mark.parametrize(
    "operation", ["rotate", "shear_x", "translate_y", "brightness", "posterize", "solarize", "sharpness"]
)
def test_every_operation_has_a_magnitude(operation):
    x = torch.rand(2, 3, 16, 16, generator=generator())
    little, much = (ImageStrong(cutout=0.0).apply(x, drawn(operation, m))[0] for m in (0.05, 1.0))
    assert (little - x[0]).abs().mean() < 0.6 * (much - x[0]).abs().mean()


def marked(height, width, row, column):
    x = torch.zeros(2, 3, height, width)
    x[0, :, row, column] = 1.0
    return x


@pytest.mark.parametrize(
    ("operation", "strength", "place"), [("translate_y", -1.0, (16, 10)), ("shear_x", 1.0, (3, 12))]
)
def test_where_pixels_go(operation, strength, place):
    x = marked(21, 21, 10 if operation == "translate_y" else 3, 10)
    out = ImageStrong(cutout=0.0).apply(x, drawn(operation, strength))[0, 0]
    row, column = divmod(int(out.argmax()), 21)
    assert (row, column) == place


@pytest.mark.parametrize("sides", [(21, 21), (21, 41)])
def test_rotation_keeps_distances(sides):
    x = marked(*sides, sides[0] // 2, sides[1] // 2 + 8)
    out = ImageStrong(cutout=0.0).apply(x, drawn("rotate", 1.0))[0, 0]
    row, column = divmod(int(out.argmax()), sides[1])
    down, across = row - sides[0] // 2, column - sides[1] // 2
    assert (down**2 + across**2) ** 0.5 == pytest.approx(8, abs=0.8)
    assert abs(down) == pytest.approx(4, abs=0.6)  # 8 sin 30 degrees


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (ImageStrong(magnitude=0.0), "magnitude must be within"),
        (ImageStrong(n_ops=-1), "n_ops must be an integer of at least 0"),
        (ImageStrong(cutout=1.5), "cutout must be within"),
        (ImageStrong(n_ops=1.5), "n_ops must be an integer of at least 0, got 1.5"),
        (ImageWeak(pad=-1), "pad must be None or an integer of at least 0"),
        (ImageWeak(pad=0.5), "pad must be None or an integer of at least 0, got 0.5"),
        (TabularStrong(corrupt=1.7), "corrupt must be within"),
        (TabularStrong(noise=-1.0), "noise must be at least 0"),
        (TabularWeak(noise="much"), "noise must be at least 0"),
    ],
)
def test_refused_policies(policy, message):
    x = torch.rand(4, 3, 8, 8) if isinstance(policy, (ImageStrong, ImageWeak)) else torch.rand(4, 5)
    with pytest.raises(ValueError, match=message):
        policy(x, generator())


def test_policies_have_parameters():
    policy = ImageStrong(n_ops=3)
    assert clone(policy).get_params() == {"n_ops": 3, "magnitude": 1.0, "cutout": 0.5}
    with pytest.raises(TypeError):
        ImageStrong(operations=3)


def test_tables_draw_from_their_own_columns():
    x = torch.arange(40.0).view(10, 4) + 1000 * torch.arange(4)
    out = TabularStrong(corrupt=0.5, noise=0.0)(x, generator())
    for column in range(4):
        assert set(out[:, column].tolist()) <= set(x[:, column].tolist())
    assert 0.2 < (out != x).float().mean() < 0.6
    assert abs(TabularWeak(noise=0.3)(torch.zeros(5000, 2), generator()).std() - 0.3) < 0.01


def test_tables_draw_from_the_generator_itself_on_the_cpu():
    x = torch.rand(6, 3, generator=generator())
    source = generator(7)
    torch.testing.assert_close(
        TabularWeak(noise=0.2)(x, generator(7)), x + 0.2 * torch.randn(6, 3, generator=source), rtol=0, atol=1e-6
    )
    source = generator(7)
    replaced = torch.rand(6, 3, generator=source) < 0.4
    other = x.gather(0, torch.randint(6, (6, 3), generator=source))
    expected = torch.where(replaced, other, x) + 0.2 * torch.randn(6, 3, generator=source)
    torch.testing.assert_close(TabularStrong(corrupt=0.4, noise=0.2)(x, generator(7)), expected, rtol=0, atol=1e-6)


class Recorder(Policy):
    """Keep the generator, and leave the batch as it is."""

    def draw(self, shape, generator):
        self.generator_ = generator
        return {}

    def apply(self, x, drawn):
        return x


class ElementwiseRecorder(Recorder):
    elementwise = True


def test_draws_for_each_element_use_the_device_of_the_batch(monkeypatch):
    made = []

    class Generator:
        """Stand-in for a generator on a device that this machine may lack."""

        def __init__(self, device):
            self.device = device

        def manual_seed(self, seed):
            made.append(seed)
            return self

    source, same_source = generator(), generator()
    monkeypatch.setattr(torch, "Generator", Generator)
    elsewhere, here = torch.empty(2, 3, device="meta"), torch.empty(2, 3)
    a_sample, an_element = Recorder(), ElementwiseRecorder()
    a_sample(elsewhere, source)
    assert a_sample.generator_ is source
    an_element(here, source)
    assert an_element.generator_ is source
    assert made == []
    for each in (source, source, same_source):
        an_element(elsewhere, each)
        assert an_element.generator_.device.type == "meta"
    assert made[0] != made[1]
    assert made[0] == made[2]


def test_only_tables_draw_for_each_element():
    assert TabularWeak.elementwise
    assert TabularStrong.elementwise
    assert not ImageWeak.elementwise
    assert not ImageStrong.elementwise


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("policy", [TabularWeak(), TabularStrong()])
def test_tables_are_augmented_on_cuda(policy):
    x = torch.randn(2000, 3, generator=generator()).cuda()
    first, second = policy(x, generator(1)), policy(x, generator(1))
    assert first.device == x.device
    assert torch.equal(first, second)
    assert not torch.equal(first, policy(x, generator(2)))
    changed = (first - x).abs() > 1  # by more than the noise
    assert changed.float().mean() < 1e-3 if isinstance(policy, TabularWeak) else changed.float().mean() > 0.05


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("policy", [ImageWeak(), ImageStrong(n_ops=3), TabularWeak(), TabularStrong()], ids=str)
def test_any_floating_type_is_augmented_alike(policy, dtype):
    shape = (16, 3, 8, 8) if isinstance(policy, (ImageWeak, ImageStrong)) else (16, 5)
    x = torch.rand(shape, generator=generator()).to(dtype)
    out = policy(x, generator())
    assert out.dtype == dtype
    assert out.shape == x.shape
    assert not torch.equal(out, x)
    if isinstance(policy, ImageStrong):
        torch.testing.assert_close(out, policy(x.float(), generator()).to(dtype))


def test_batches_that_are_refused():
    with pytest.raises(TypeError, match=r"ImageWeak augments a torch.Tensor, got a ndarray. Pass torch.as_tensor\(x\)"):
        ImageWeak()(np.zeros((2, 3, 8, 8)), generator())
    with pytest.raises(TypeError, match="TabularWeak augments a torch.Tensor, got a list"):
        TabularWeak()([[0.0]], generator())
    with pytest.raises(
        TypeError, match=r"ImageStrong augments floating numbers, got torch.uint8. Pass .*x.float\(\) / 255"
    ):
        ImageStrong()(torch.zeros((2, 3, 8, 8), dtype=torch.uint8), generator())
    for policy in (TabularWeak(), TabularStrong()):  # the noise would be rounded to 0
        with pytest.raises(TypeError, match=r"augments floating numbers, got torch.int64. Pass x.float\(\)"):
            policy(torch.arange(12).reshape(4, 3), generator())
