"""Where to compute, and with which random state."""

import os
from contextlib import contextmanager
from threading import RLock

import torch

from skprune._utils._forks import limit_forked_threads

_GENERATORS = RLock()


def _forget_holder():
    """Let a process that was forked have a lock that no thread of its parent holds."""
    global _GENERATORS
    _GENERATORS = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_holder)


def resolve_device(device):
    """Return the torch device; None and "auto" take CUDA where there is one, else the CPU."""
    limit_forked_threads()
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
    limit_forked_threads()
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
