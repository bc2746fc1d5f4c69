"""Where to compute, and in which number format."""

from contextlib import contextmanager
from threading import RLock

import torch

_GENERATORS = RLock()


def resolve_device(device):
    """Return the torch device; None and "auto" take CUDA where there is one, else the CPU."""
    if device is None or (isinstance(device, str) and device == "auto"):
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"device must be None, 'auto' or a device of torch, such as 'cpu' or 'cuda:0', got {device!r}."
        ) from error
    if resolved.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device={str(device)!r} asks for CUDA, but torch sees no CUDA device. Use device='auto'.")
    if resolved.type == "cuda" and (resolved.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"device={str(device)!r} does not exist: torch sees {torch.cuda.device_count()} CUDA devices.")
    return resolved


def has_native_bf16(device):
    """Tell whether the hardware multiplies bfloat16 natively."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    # torch has no public question for this; a release without these answers gets float32, which is never wrong.
    questions = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(ask() for ask in questions if ask is not None)


def choose_precision(requested, device_type, *, is_image, native, narrow):
    """Return "bf16" or "fp32"; "auto" takes bf16 for images where it is native, unless the network is `narrow` on a CPU."""
    if requested != "auto":
        return requested
    # torch 2.14 computes weight gradients, and sometimes outputs, wrongly on a CPU in bf16 where a strided convolution reads
    # maps no wider than its stride
    return "bf16" if is_image and native and not (narrow and device_type == "cpu") else "fp32"


@contextmanager
def seeded(seed, device):
    """Seed torch's global generators within the block and restore them afterwards; threads wait for one another."""
    with _GENERATORS, torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


@contextmanager
def fixed_shapes(device):
    """Let cuDNN choose the fastest convolutions within the block, which pays off where shapes repeat."""
    before = torch.backends.cudnn.benchmark
    if device.type == "cuda" and not (
        torch.backends.cudnn.deterministic or torch.are_deterministic_algorithms_enabled()
    ):
        torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


def send(tensor, device):
    """Copy a small tensor to the device, without waiting for it."""
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
