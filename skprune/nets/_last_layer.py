"""The last layer of a net, and what enters it: features of rows, and the norm of the gradient."""

import torch


class LastLayer:
    """Watch the linear layer that returns a net's logits."""

    def __init__(self, net):
        linear = [layer for layer in net.module_.modules() if isinstance(layer, torch.nn.Linear)]
        self.layer = None if getattr(net, "compile", False) or not linear else linear[-1]
        self.entered = self._left = None
        self._gives_outputs = False
        self._hook = None if self.layer is None else self.layer.register_forward_hook(self._see)

    def _see(self, layer, inputs, output):
        self.entered, self._left = inputs[0].detach(), output.detach()

    def features(self, outputs):
        """Return what entered the layer; None where the layer does not return the outputs of the net."""
        if self.layer is None:
            return None
        if not self._gives_outputs:  # checked once, because the check waits for the device
            if self.entered is None or self.entered.ndim != 2 or not torch.equal(self._left.float(), outputs.float()):
                self.remove()
                return None
            self._gives_outputs = True
        return self.entered.float()

    def norm(self, outputs):
        """Return the norm of what entered the layer, 1 for a bias included; None as :meth:`features` does."""
        features = self.features(outputs)
        if features is None:
            return None
        return (features.square().sum(dim=1) + (self.layer.bias is not None)).sqrt()

    def remove(self):
        """Stop watching."""
        if self._hook is not None:
            self._hook.remove()
        self.layer = self._hook = self.entered = self._left = None
