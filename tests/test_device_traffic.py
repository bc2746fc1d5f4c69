"""What a training step asks of a GPU, seen without one: copies to the device, none of which waits, and no value read back.

The "meta" device has tensors without values. Whatever needs a value of the device, for which a program would wait, fails there.
"""

from contextlib import nullcontext, suppress
from functools import partial

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch.utils._python_dispatch import TorchDispatchMode

from skprune._utils import _device
from skprune.nets import NetClassifier, _data, _optimizer
from skprune.semi_supervised import FixMatch, FlexMatch, FreeMatch, MeanTeacher, PseudoLabel, SoftMatch

META = torch.device("meta")
N_STEPS = 4


class AnyGenerator(torch.Generator):
    """A generator that says it is on a device, since there are none for "meta"."""

    def __new__(cls, device="cpu"):
        generator = super().__new__(cls)
        generator.claimed = torch.device(device)
        return generator

    @property
    def device(self):
        return self.claimed


class Copies(TorchDispatchMode):
    """Note the copies to the device, each as whether it waits."""

    def __init__(self):
        super().__init__()
        self.waiting = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        if function.overloadpacket.__name__ == "_to_copy" and args[0].device.type == "cpu" and out.device == META:
            self.waiting.append(not kwargs.get("non_blocking", False))
        assert function.overloadpacket.__name__ != "copy_" or args[0].device == args[1].device
        return out


class Stopped(Exception):
    pass


class Steps(Callback):
    def __init__(self, copies):
        self.copies = copies

    def on_train_begin(self, net, **kwargs):
        self.ends = []

    def on_batch_end(self, net, **kwargs):
        self.ends.append(len(self.copies.waiting))
        if len(self.ends) == N_STEPS:
            raise Stopped


@pytest.mark.parametrize(
    "make",
    [
        *(
            partial(kind, batch_size=8, mu=2, n_steps=N_STEPS + 1)
            for kind in (FixMatch, FlexMatch, FreeMatch, SoftMatch)
        ),
        partial(SoftMatch, alignment="learned", balanced=True, micro_batch=8, batch_size=8, mu=2, n_steps=N_STEPS + 1),
        *(partial(kind, batch_size=8, mu=2, n_steps=N_STEPS + 1) for kind in (PseudoLabel, MeanTeacher)),
        partial(NetClassifier, batch_size=8, augment="strong", ema=True, max_epochs=1),
        partial(NetClassifier, batch_size=8, n_steps=N_STEPS + 1, max_epochs=1),
    ],
)
@pytest.mark.parametrize(("kind", "most"), [("images", 3), ("table", 0)])
def test_a_step_waits_for_nothing(monkeypatch, make, kind, most):
    monkeypatch.setattr(torch, "autocast", lambda *args, **kwargs: nullcontext())
    monkeypatch.setattr(torch, "Generator", AnyGenerator)
    X = np.random.default_rng(0).random((90, 3, 8, 8) if kind == "images" else (90, 5), dtype=np.float32)
    y = np.arange(90) % 3
    if make.func is not NetClassifier:
        y = np.where(np.arange(90) < 30, y, -1)
    with Copies() as copies:
        steps = Steps(copies)
        net = make(module__width=8, device=META, precision="fp32", callbacks=[("steps", steps)], random_state=0)
        with suppress(Stopped):
            net.fit(X, y)
    assert len(steps.ends) == N_STEPS
    assert np.diff(steps.ends).max() <= most
    assert not any(copies.waiting[steps.ends[0] :])


@pytest.mark.parametrize("n_steps", [1, 32, 33, 70])
def test_indices_of_many_steps_travel_together(monkeypatch, n_steps):
    sent = []
    monkeypatch.setattr(_data, "send", lambda tensor, device: sent.append(tensor) or tensor)
    stream = iter(torch.arange(1000).view(100, 10))
    batches = list(_data.on_device(stream, n_steps, torch.device("cpu")))
    assert torch.equal(torch.stack(batches), torch.arange(10 * n_steps).view(n_steps, 10))
    assert [len(block) for block in sent] == [32] * (n_steps // 32) + ([n_steps % 32] if n_steps % 32 else [])
    assert n_steps == 100 or int(next(stream)[0]) == 10 * n_steps, "no batch is drawn that is not used"


def test_tensors_sent_together_keep_shapes_and_values(monkeypatch):
    tensors = [torch.rand(2, 3), torch.rand(0), torch.rand(4, 1, 2)]
    assert _device.send_together(tensors, torch.device("cpu")) is tensors
    assert _device.send_together([], META) == []
    sent = []
    monkeypatch.setattr(_device, "send", lambda tensor, device: sent.append(device) or tensor.clone())
    arrived = _device.send_together(tensors, META)
    assert sent == [META]
    for there, here in zip(arrived, tensors, strict=True):
        assert torch.equal(there, here)


def test_what_is_sent_to_a_gpu_is_pinned():
    calls = []

    class Tensor:
        def pin_memory(self):
            calls.append("pinned")
            return self

        def to(self, device, non_blocking):
            calls.append((str(device), non_blocking))

    _device.send(Tensor(), torch.device("cuda:1"))
    assert calls == ["pinned", ("cuda:1", True)]


@pytest.mark.parametrize("places", [("cuda",), ("cpu",)])
def test_the_optimizer_is_fused_where_the_device_allows(monkeypatch, places):
    monkeypatch.setattr(_optimizer, "_FUSED_ON", places)
    weights = [torch.nn.Parameter(torch.arange(4.0)), torch.nn.Parameter(torch.ones(2, 2))]
    plain = [weight.detach().clone().requires_grad_() for weight in weights]
    own = _optimizer.NesterovSGD([{"params": weights[:1], "lr": 0.2}, {"params": weights[1:]}], lr=0.1)
    other = torch.optim.SGD([{"params": plain[:1], "lr": 0.2}, {"params": plain[1:]}], 0.1, 0.9, 0, 5e-4, nesterov=True)
    assert [group["fused"] for group in own.param_groups] == ([True] * 2 if "cpu" in places else [None] * 2)
    for _ in range(3):
        for weight, twin in zip(weights, plain, strict=True):
            weight.grad = weight.detach() ** 2
            twin.grad = twin.detach() ** 2
        own.step()
        other.step()
    for weight, twin in zip(weights, plain, strict=True):
        torch.testing.assert_close(weight, twin)


def test_weights_that_no_fused_kernel_takes(monkeypatch):
    monkeypatch.setattr(_optimizer, "_FUSED_ON", ("cpu",))
    mixed = [torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2, device="meta"))]
    assert _optimizer.NesterovSGD(mixed).param_groups[0]["fused"] is None
