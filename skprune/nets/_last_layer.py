"""The last layer of a net, and what enters it: features of rows, and the norm of the gradient."""

from collections import deque

import torch


class LastLayer:
    """Watch the linear layer that returns a net's logits."""

    def __init__(self, net):
        linear = [layer for layer in net.module_.modules() if isinstance(layer, torch.nn.Linear)]
        self.layer = None if getattr(net, "compile", False) or not linear else linear[-1]
        micro_batch = getattr(net, "micro_batch", None)
        passes_of_a_batch = 1 if micro_batch is None else -(-net.batch_size // micro_batch)
        self._passes = deque(maxlen=passes_of_a_batch)  # what entered the layer and what left it
        self._gives_outputs = False
        self._hook = None if self.layer is None else self.layer.register_forward_hook(self._see)

    def _see(self, layer, inputs, output):
        self._passes.append((inputs[0].detach(), output.detach()))

    def _latest(self, n_rows):
        """Return what entered the layer and what left it, in the passes that saw the latest rows."""
        parts = []
        for entered, left in reversed(self._passes):
            parts.insert(0, (entered, left))
            n_rows -= len(entered)
            if n_rows <= 0:
                break
        return tuple(map(torch.cat, zip(*parts, strict=True))) or (None, None)

    def features(self, outputs):
        """Return what entered the layer; None where the layer does not return the outputs of the net."""
        if self.layer is None:
            return None
        entered, left = self._latest(len(outputs))
        if not self._gives_outputs:  # checked once, because the check waits for the device
            if entered is None or entered.ndim != 2 or not torch.equal(left.float(), outputs.float()):
                self.remove()
                return None
            self._gives_outputs = True
        return entered.float()

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
        self.layer = self._hook = None
        self._passes.clear()
