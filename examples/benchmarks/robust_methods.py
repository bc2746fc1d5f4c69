"""The methods of robust.py, functions of a fitted situation and a number of rows, and the models trained on what they keep."""

from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
from robust_problems import Problem
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading

from skprune import SemiPrune
from skprune.baselines import (
    ActivePruner,
    D2Pruner,
    HerdingPruner,
    KCenterPruner,
    ModeratePruner,
    PrototypicalityPruner,
    ZCorePruner,
)
from skprune.nets import NetClassifier
from skprune.selection import Beta, Cutoff, FacilityLocation, KMeans, Mixture, Stratified

RANDOM, ANOTHER, AUTO, LABELS, ALL = "random", "random, another draw", "auto", "labels alone", "all rows"
N_RANDOM = 3


@dataclass(frozen=True)
class Situation:
    """A problem, and a SemiPrune fitted to it; baselines are fitted once a situation."""

    problem: Problem
    pruner: SemiPrune
    seed: int
    baselines: dict = field(default_factory=dict)

    @cached_property
    def labeled(self):
        """Which rows have a label."""
        return self.problem.partial >= 0

    @property
    def space(self):
        """The rows as coverage sees them: standardized columns, or features of the proxy of images."""
        return self.pruner._inputs.embedding


def parts_of(name):
    """Return labeler and proxy: those of scikit-learn, or skprune's nets."""
    if name == "nets":
        return {}
    return {
        "labeler": make_pipeline(StandardScaler(), LabelSpreading(kernel="knn", n_neighbors=30)),
        "proxy": make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss")),
    }


def fitted(problem, name, parts, seed, cache, **parameters):
    """Return a SemiPrune fitted to a problem; the folder `cache` keeps its stages."""
    pruner = SemiPrune(random_state=seed, checkpoint=cache / f"{name}-{parts}-{seed}", **parts_of(parts), **parameters)
    return pruner.fit(problem.X, problem.partial)


def random_rows(situation, k, draw):
    """Return the mask of random rows, of one of several draws."""
    n_samples = len(situation.problem.y)
    mask = np.zeros(n_samples, dtype=bool)
    mask[np.random.default_rng([situation.seed, draw, k]).permutation(n_samples)[:k]] = True
    return mask


def selection(selector, **changes):
    """Return the method that selects from the fit, as a user would."""
    return lambda situation, k: situation.pruner.select(k, selector, **changes)


def baseline(make):
    """Return the method of a baseline that sees the space."""

    def select(situation, k):
        if make not in situation.baselines:
            pruner = make(random_state=situation.seed)
            situation.baselines[make] = pruner.fit(situation.space, situation.problem.partial)
        return situation.baselines[make].select(k)

    return select


def active(strategy):
    """Return the method of active learning with logistic regression in the space."""
    classifier = LogisticRegression(max_iter=500)
    return baseline(partial(ActivePruner, strategy=strategy, include_labeled=False, classifier=classifier))


METHODS = {
    ANOTHER: lambda situation, k: random_rows(situation, k, N_RANDOM),
    AUTO: selection("auto"),
    "k_means": selection("k_means"),
    "half k_means, half beta": selection(Mixture(KMeans(), second=Beta("auto", min_per_class=0.5))),
    "beta auto": selection(Beta("auto", min_per_class=0.5)),
    "beta": selection("beta"),
    "cutoff auto": selection(Cutoff("auto", min_per_class=0.5), difficulty="aum"),
    "stratified auto": selection(Stratified("auto", min_per_class=0.5), difficulty="aum"),
    "stratified": selection("stratified", difficulty="aum"),
    "hardest": selection("hardest"),
    "easiest": selection("easiest"),
    "moderate": selection("moderate"),
    "window": selection("window"),
    "d2": selection("d2"),
    "k_center": selection("k_center"),
    "facility_location": selection("facility_location"),
    "facility_location power 0": selection(FacilityLocation(power=0)),
    "ZCore": baseline(ZCorePruner),
    "D2Pruner": baseline(D2Pruner),
    "HerdingPruner": baseline(HerdingPruner),
    "KCenterPruner": baseline(KCenterPruner),
    "PrototypicalityPruner": baseline(PrototypicalityPruner),
    "ModeratePruner": baseline(ModeratePruner),
    "margin": active("margin"),
    "BADGE": active("badge"),
}


def models(kind, k, seed):
    """Return the final models by name, unfitted; those of images are nets that are trained for different lengths."""
    if kind == "images":
        batch = 32 if k <= 1000 else 64
        net = partial(NetClassifier, max_epochs=1, batch_size=batch, random_state=seed)
        return {"short": net(n_steps=max(100, 5 * k // batch)), "long": net(n_steps=2000), "longer": net(n_steps=8000)}
    return {
        "logistic": LogisticRegression(max_iter=300),
        "trees": ExtraTreesClassifier(60, random_state=seed),
        "neighbors": KNeighborsClassifier(min(5, k)),
        "boosting": HistGradientBoostingClassifier(max_iter=25, max_leaf_nodes=15, random_state=seed),
    }
