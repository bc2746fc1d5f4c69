"""Small torch modules, and the supervised skorch classifier that trains them."""

from skprune.nets._classifier import NetClassifier
from skprune.nets._modules import MLP, ResNet9, SmallResNet, WideResNet

__all__ = ["MLP", "NetClassifier", "ResNet9", "SmallResNet", "WideResNet"]
