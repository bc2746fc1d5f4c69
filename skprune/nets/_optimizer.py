"""The default optimiser."""

import torch


class NesterovSGD(torch.optim.SGD):
    """SGD with the field's usual settings as defaults.

    Parameters
    ----------
    params : iterable
        Parameters to optimise.
    lr : float, default=0.03
        Learning rate.
    momentum : float, default=0.9
        Momentum.
    weight_decay : float, default=5e-4
        L2 penalty.
    nesterov : bool, default=True
        Nesterov's momentum.

    Examples
    --------
    >>> NesterovSGD([torch.zeros(1, requires_grad=True)]).defaults["momentum"]
    0.9
    """

    def __init__(self, params, lr=0.03, momentum=0.9, weight_decay=5e-4, nesterov=True):
        super().__init__(params, lr=lr, momentum=momentum, weight_decay=weight_decay, nesterov=nesterov)
