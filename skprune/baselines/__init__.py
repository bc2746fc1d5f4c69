"""Other pruning methods with the interface of SemiPrune, and the upper bound with all labels known."""

from skprune.baselines._active import ActivePruner
from skprune.baselines._contrastive_features import ContrastiveFeatures
from skprune.baselines._cover import HerdingPruner, KCenterPruner
from skprune.baselines._d2 import D2Pruner
from skprune.baselines._elfs import ELFSPruner
from skprune.baselines._prototypes import ModeratePruner, PrototypicalityPruner
from skprune.baselines._random import RandomPruner
from skprune.baselines._supervised import SupervisedPruner
from skprune.baselines._torchvision_features import TorchvisionFeatures
from skprune.baselines._zcore import ZCorePruner

__all__ = [
    "ActivePruner",
    "ContrastiveFeatures",
    "D2Pruner",
    "ELFSPruner",
    "HerdingPruner",
    "KCenterPruner",
    "ModeratePruner",
    "PrototypicalityPruner",
    "RandomPruner",
    "SupervisedPruner",
    "TorchvisionFeatures",
    "ZCorePruner",
]
