"""Devices and number formats: what "auto" decides, and what is refused."""

import os
import pickle
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from skprune._utils._device import fixed_shapes, resolve_device
from skprune._utils._precision import choose_precision, has_native_bf16
from skprune.nets import NetClassifier, ResNet9, SmallResNet, WideResNet
from skprune.nets._build import build_module, check_module

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("requested", "device", "is_image", "native", "narrow", "expected"),
    [
        ("auto", "cpu", True, True, False, "bf16"),
        ("auto", "cpu", True, True, True, "fp32"),
        ("auto", "cpu", True, False, False, "fp32"),
        ("auto", "cpu", False, True, False, "fp32"),
        ("auto", "cuda", True, True, True, "bf16"),
        ("auto", "cuda", True, False, False, "fp32"),
        ("bf16", "cpu", False, False, True, "bf16"),
        ("fp32", "cuda", True, True, False, "fp32"),
    ],
)
def test_choice_of_precision(requested, device, is_image, native, narrow, expected):
    assert choose_precision(requested, device, is_image=is_image, native=native, narrow=narrow) == expected


class Functional(torch.nn.Module):
    """A network without convolution modules: only a call sees its stride."""

    def __init__(self, in_channels, n_classes, stride=(1, 2)):
        super().__init__()
        self.kernel = torch.nn.Parameter(torch.zeros(n_classes, in_channels, 3, 3))
        self.stride = stride

    def forward(self, x):
        return F.conv2d(x, weight=self.kernel, stride=self.stride, padding=1).mean(dim=(2, 3))


class Sequence(torch.nn.Module):
    """Images read as sequences of columns, by a convolution that is given its stride by position."""

    def __init__(self, in_channels, n_classes):
        super().__init__()
        self.convolution = torch.nn.Conv1d(in_channels, n_classes, 3, 2, 1)

    def forward(self, x):
        return self.convolution(x.flatten(2)).mean(dim=2)


@pytest.mark.parametrize(
    ("module", "shape", "narrow"),
    [
        (SmallResNet, (1, 8, 8), False),
        (SmallResNet, (1, 28, 28), False),
        (SmallResNet, (1, 5, 5), False),  # 5, 5, 3
        (SmallResNet, (1, 4, 4), True),  # 4, 4, 2
        (SmallResNet, (1, 100, 4), True),
        (SmallResNet, (1, 4, 100), True),
        (SmallResNet, (3, 2, 2), True),
        (SmallResNet, (3, 1, 1), True),
        (WideResNet, (3, 5, 5), False),
        (WideResNet, (3, 4, 4), True),
        (ResNet9, (3, 8, 8), False),  # pools, no strides
        ("resnet18", (3, 17, 17), False),  # 17, 9, 5
        ("resnet18", (3, 8, 8), True),  # 8, 4, 2
        ("resnet18", (3, 64, 64), False),  # 64, 16, 8, 4
        (Functional, (1, 9, 3), False),
        (Functional, (1, 9, 2), True),
        (Sequence, (1, 1, 3), False),
        (Sequence, (1, 1, 2), True),
    ],
)
def test_narrow_networks_are_told_by_what_their_strides_read(module, shape, narrow):
    options = {"depth": 10} if module is WideResNet else {"width": 8} if module is ResNet9 else {}
    assert check_module(build_module(module, shape, 3, options), shape, 3) is narrow


def test_a_wider_stride_needs_a_wider_map():
    for side, narrow in ((4, True), (5, False)):
        assert check_module(Functional(1, 2, stride=4), (1, side, 9), 2) is narrow


@pytest.fixture
def two_classes():
    """Make images of two classes that differ in brightness."""

    def make(height, width, n=64):
        X = np.random.default_rng(0).normal(size=(n, 1, height, width)).astype("float32")
        y = np.arange(n) % 2
        X[y == 1] += 1
        return X, y

    return make


@pytest.mark.parametrize(
    ("height", "width", "expected"), [(8, 8, "bf16"), (30, 4, "fp32"), (2, 2, "fp32"), (1, 1, "fp32")]
)
def test_nets_decide_when_they_are_built(two_classes, monkeypatch, height, width, expected):
    monkeypatch.setattr("skprune.nets._base.has_native_bf16", lambda device: True)
    X, y = two_classes(height, width)
    net = NetClassifier(max_epochs=1, random_state=0, device="cpu").fit(X, y)
    assert net.precision_ == expected
    monkeypatch.setattr("skprune.nets._base.has_native_bf16", lambda device: False)
    assert pickle.loads(pickle.dumps(net)).precision_ == "fp32", "another machine decides for itself"


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_narrow_images_are_learned(two_classes, width):
    X, y = two_classes(40, width, n=128)
    for _ in range(2):  # what was wrong changed from run to run
        assert NetClassifier(max_epochs=6, lr=0.01, random_state=0, device="cpu").fit(X, y).score(X, y) > 0.85


@pytest.mark.parametrize(("precision", "dtype"), [("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_convolutions_compute_in_the_precision_that_was_asked_for(two_classes, precision, dtype):
    X, y = two_classes(8, 8)
    formats = set()

    class Watched(SmallResNet):
        def forward(self, x):
            hook = self.body[1].conv1.register_forward_hook(lambda layer, inputs, output: formats.add(output.dtype))
            try:
                return super().forward(x)
            finally:
                hook.remove()

    net = NetClassifier(Watched, max_epochs=1, precision=precision, random_state=0).fit(X, y)
    formats.discard(torch.float32 if precision == "bf16" else None)  # check_module computes in float32
    assert formats == {dtype}
    formats.clear()
    net.predict(X)
    assert formats == {dtype}


def test_bf16_rounds_and_no_more(two_classes):
    X, y = two_classes(8, 8)
    exact = NetClassifier(max_epochs=2, random_state=0, precision="fp32").fit(X, y)
    state = exact.to_arrays()
    rounded = NetClassifier(random_state=0, precision="bf16").from_arrays(state)
    difference = np.abs(exact.predict_proba(X) - rounded.predict_proba(X)).max()
    assert 0 < difference < 0.05


class Failing(torch.nn.Module):
    """A network whose outputs for bright images overflow, in training, in evaluation, or never."""

    def __init__(self, in_channels, n_classes, n_features, when="never"):
        super().__init__()
        self.head = torch.nn.Linear(n_features, n_classes)
        self.when = when

    def forward(self, x):
        out = self.head(x.flatten(1))
        if self.when == ("training" if self.training else "evaluation") and len(x) > 2:
            return torch.where(x.mean(dim=(1, 2, 3))[:, None] > 1, torch.inf, out)
        return out


@pytest.mark.parametrize(("precision", "advice"), [("bf16", r", or set precision='fp32'\."), ("fp32", r"in X\.$")])
def test_outputs_that_are_not_finite_are_refused(two_classes, precision, advice):
    X, y = two_classes(8, 8)
    X[[5, 40]] += 30
    options = {"max_epochs": 1, "random_state": 0, "precision": precision}
    net = NetClassifier(Failing, module__when="evaluation", **options).fit(X, y)
    with pytest.raises(
        FloatingPointError, match=f"not finite for 2 of 64 rows, first for row 5, at precision '{precision}'.*{advice}"
    ):
        net.predict(X)
    broken = NetClassifier(Failing, module__when="training", **options)
    with pytest.raises(FloatingPointError, match=f"loss of NetClassifier is .* and precision '{precision}'.*{advice}"):
        broken.fit(X, y)


def test_native_bf16_is_asked_of_the_machine(monkeypatch):
    for amx, avx512 in ((True, False), (False, True), (False, False)):
        monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda amx=amx: amx)
        monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda avx512=avx512: avx512)
        assert has_native_bf16(CPU) is (amx or avx512)
    assert has_native_bf16(torch.device("meta")) is False


def test_devices(monkeypatch):
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert resolve_device(None).type == resolve_device("auto").type == expected
    assert resolve_device(torch.device("cpu")) == resolve_device("cpu") == CPU
    for wrong in ("gpu", "cuda:x", 3.5):
        with pytest.raises(ValueError, match=f"device must be None, 'auto' or a device of torch.*got {wrong!r}"):
            resolve_device(wrong)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert resolve_device(None).type == "cuda"
    assert resolve_device("cuda:1").index == 1
    with pytest.raises(ValueError, match="'cuda:2' does not exist: torch sees 2 CUDA devices"):
        resolve_device("cuda:2")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert resolve_device(None).type == "cpu"
    with pytest.raises(ValueError, match="sees no CUDA device"):
        resolve_device("cuda")


@pytest.mark.parametrize("device", [None, "auto"])
def test_a_loaded_net_keeps_its_choice_of_device(two_classes, tmp_path, device):
    X, y = two_classes(8, 8)
    net = NetClassifier(max_epochs=1, random_state=0, device=device).fit(X, y)
    again = pickle.loads(pickle.dumps(net))  # a warning would be an error
    assert again.device == device
    assert again.device_ == resolve_device(device)
    assert next(again.module_.parameters()).device.type == again.device_.type
    np.testing.assert_allclose(again.predict_proba(X), net.predict_proba(X), atol=1e-6)
    net.save_params(f_params=tmp_path / "weights.pt")
    other = NetClassifier(max_epochs=1, random_state=1, device=device).fit(X, y)
    other.load_params(f_params=tmp_path / "weights.pt")
    assert other.device == device
    np.testing.assert_allclose(other.predict_proba(X), net.predict_proba(X), atol=1e-6)


def test_cudnn_chooses_while_shapes_are_fixed():
    cuda = torch.device("cuda")
    assert not torch.backends.cudnn.benchmark
    with suppress(KeyError), fixed_shapes(cuda):
        assert torch.backends.cudnn.benchmark
        raise KeyError
    with fixed_shapes(CPU):
        assert not torch.backends.cudnn.benchmark
    torch.use_deterministic_algorithms(True)
    try:
        with fixed_shapes(cuda):
            assert not torch.backends.cudnn.benchmark
    finally:
        torch.use_deterministic_algorithms(False)
    assert not torch.backends.cudnn.benchmark


def test_nets_of_few_channels_run_where_there_is_no_more_than_avx2():
    code = (
        "import numpy as np; from skprune.nets import NetClassifier\n"
        "X, y = np.random.default_rng(0).random((32, 1, 8, 8), dtype='float32'), np.arange(32) % 2\n"
        "NetClassifier(module__width=4, max_epochs=1, device='cpu', precision='fp32').fit(X, y)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
