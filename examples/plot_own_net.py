"""
Your own net and augmentation
=============================

Any ``torch.nn.Module`` that returns logits can be labeler and proxy, and any function of a batch can augment it. Digits must not
be mirrored, as the default augmentation would do; they may be shifted.
"""

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from torch import nn

from skprune import SemiPrune
from skprune.augment import Policy
from skprune.datasets import make_partial_labels
from skprune.inspection import DataMapDisplay
from skprune.nets import NetClassifier
from skprune.semi_supervised import SoftMatch


class TinyNet(nn.Module):
    """Two convolutions and a linear layer. ``in_channels`` and ``n_classes`` are filled in from the data."""

    def __init__(self, in_channels, n_classes, width=16):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
        )
        self.head = nn.Linear(8 * width, n_classes)

    def forward(self, x):
        return self.head(self.body(x).flatten(1))


# %%
# An augmentation draws its parameters first, one for each image, and then applies them to the whole batch.


class Shift(Policy):
    """Shift each image by up to so many pixels."""

    def __init__(self, most=1):
        self.most = most

    def draw(self, shape, generator):
        return {"shift": torch.randint(-self.most, self.most + 1, (shape[0], 2), generator=generator)}

    def apply(self, x, drawn):
        rows, columns = (torch.arange(size, device=x.device) for size in x.shape[2:])
        down, right = drawn["shift"].to(x.device).T
        rows = (rows - down[:, None]) % x.shape[2]
        columns = (columns - right[:, None]) % x.shape[3]
        image = torch.arange(len(x), device=x.device)[:, None, None]
        return x.permute(0, 2, 3, 1)[image, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


class ShiftAndNoise(Shift):
    """The strong augmentation: shifts, and noise on top of them."""

    def draw(self, shape, generator):
        return super().draw(shape, generator) | {"noise": 0.2 * torch.randn(shape, generator=generator)}

    def apply(self, x, drawn):
        return (super().apply(x, drawn) + drawn["noise"].to(x.device)).clamp(0, 1)


# %%
# Both nets get them. Parameters of the module are those of the net with the prefix ``module__``.

digits = load_digits()
X, y_true = digits.images, digits.target
y = make_partial_labels(y_true, n_labeled=150, random_state=0)
pruner = SemiPrune(
    budget=50,
    labeler=SoftMatch(TinyNet, n_steps=200, batch_size=32, mu=4, weak=Shift(), strong=ShiftAndNoise(2)),
    proxy=NetClassifier(TinyNet, module__width=8, lr=0.05, augment=Shift()),
    n_epochs=15,
    estimate_accuracy=False,
    random_state=0,
).fit(X, y)
print(pruner)
print(f"right pseudo-labels: {(pruner.pseudo_labels_ == y_true).mean():.1%}")

# %%
# What the proxy learned when
# ---------------------------

DataMapDisplay.from_estimator(pruner)
plt.show()
