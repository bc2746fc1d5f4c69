"""Where and how precisely to compute."""

from contextlib import contextmanager
from threading import RLock

import torch

_GENERATORS = RLock()


def resolve_device(device):
    """Return the torch device; None and "auto" take CUDA where there is one, else the CPU."""
    if device is None or device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device={str(device)!r} asks for CUDA, but torch sees no CUDA device. Use device='auto'.")
    return device


def resolve_precision(precision, device, is_image):
    """Return "bf16" or "fp32"; "auto" takes bf16 for images on hardware that multiplies it natively."""
    if precision in ("bf16", "fp32"):
        return precision
    if precision != "auto":
        raise ValueError(f"precision must be 'auto', 'bf16' or 'fp32', got {precision!r}.")
    if not is_image:
        return "fp32"
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= (8, 0)
    else:
        # torch has no public question for this; a release without these answers gets float32, which is never wrong.
        questions = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
        native = device.type == "cpu" and any(ask() for ask in questions if ask is not None)
    return "bf16" if native else "fp32"


@contextmanager
def seeded(seed, device):
    """Seed torch's global generators within the block, and put them back behind it; threads wait for one another."""
    with _GENERATORS, torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


def send(tensor, device):
    """Copy a small tensor to the device, without waiting for it."""
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
