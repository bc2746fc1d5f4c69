"""Parameter texts that the docstrings of all nets share, for ``fill_docstring(**NET_TEXTS)``."""

NET_TEXTS = {
    "module": """module : class, callable or str, default=None
    The network, built to fit the data; pass its arguments as ``module__name``. None takes :class:`SmallResNet` for
    images and :class:`MLP` for tables; a name takes one of torchvision's residual networks, such as "resnet18".""",
    "optimizer": """optimizer : class, default=NesterovSGD
    Torch optimizer; pass its arguments as ``optimizer__name``. The default is SGD with Nesterov momentum 0.9 and weight
    decay 5e-4. The learning rate is `lr`; ``optimizer__param_groups`` may give groups rates of their own, which follow
    the same schedule.""",
    "callbacks": """callbacks : list, default=None
    Additional callbacks of skorch; those that cannot work are refused. See :ref:`callbacks`.""",
    "precision": """precision : {"auto", "bf16", "fp32"}, default="auto"
    The number format of the forward pass. "auto" takes bfloat16 for networks on images where the hardware multiplies it
    natively, and float32 otherwise. On a CPU it also takes float32 if a strided convolution of the network reads maps no
    wider than its stride, which torch computes incorrectly in bfloat16.""",
    "compile": """compile : bool, default=False
    Whether to compile the network with ``torch.compile`` for the steps of the training, once for each size of a pass; pass
    its arguments as ``compile__name``. Predictions are not compiled.""",
    "warm_start": """warm_start : bool, default=False
    Whether ``fit`` of a fitted net goes on from its last weights, with half of the epochs, or of the steps of a single epoch,
    and the learning rate of a new fit. It begins with new weights where the classes, the shape of the rows, or the
    network differ from those of the last fit.""",
    "verbose": """verbose : int, default=0
    1 shows a progress bar.""",
    "net_keywords": """**kwargs
    Names that start with ``module__``, ``criterion__``, ``optimizer__``, ``callbacks__`` or ``compile__``.""",
}
