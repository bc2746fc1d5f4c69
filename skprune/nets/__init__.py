"""Small torch modules, and the supervised skorch classifier that trains them."""

from skprune.nets._classifier import NetClassifier
from skprune.nets._modules import MLP, SmallResNet

__all__ = ["MLP", "NetClassifier", "SmallResNet"]
