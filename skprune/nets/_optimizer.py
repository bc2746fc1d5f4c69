"""The default optimizer."""

import torch

_FUSED_ON = ("cuda",)


class NesterovSGD(torch.optim.SGD):
    """SGD with the field's usual settings as defaults, in one kernel for all weights if these are on a GPU."""

    def __init__(self, params, lr=0.03, momentum=0.9, weight_decay=5e-4, nesterov=True):
        super().__init__(params, lr=lr, momentum=momentum, weight_decay=weight_decay, nesterov=nesterov)
        for group in self.param_groups:
            fits = all(weight.device.type in _FUSED_ON and weight.is_floating_point() for weight in group["params"])
            group["fused"] = fits or None  # None leaves the choice to torch
