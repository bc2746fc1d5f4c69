"""The default optimizer."""

import torch


class NesterovSGD(torch.optim.SGD):
    """SGD with the field's usual settings as defaults."""

    def __init__(self, params, lr=0.03, momentum=0.9, weight_decay=5e-4, nesterov=True):
        super().__init__(params, lr=lr, momentum=momentum, weight_decay=weight_decay, nesterov=nesterov)
