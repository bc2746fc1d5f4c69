"""Which number format nets compute in."""

import torch


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
