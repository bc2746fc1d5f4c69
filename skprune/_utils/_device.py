"""Where to compute, and with which random state."""

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
    except (RuntimeError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"device must be None, 'auto' or a device of torch, such as 'cpu' or 'cuda:0', got {device!r}."
        ) from error
    if resolved.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device={str(device)!r} asks for CUDA, but torch sees no CUDA device. Use device='auto'.")
    if resolved.type == "cuda" and (resolved.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"device={str(device)!r} does not exist: torch sees {torch.cuda.device_count()} CUDA devices.")
    return resolved


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


def send_together(tensors, device):
    """Copy small tensors of one dtype to the device in a single copy, without waiting for it."""
    if device.type == "cpu" or not tensors:
        return tensors
    together = send(torch.cat([tensor.flatten() for tensor in tensors]), device)
    parts = together.split([tensor.numel() for tensor in tensors])
    return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]
