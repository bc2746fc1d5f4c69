"""What selectors need: named by the user's own too, and refused before anything is trained."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from skprune.baselines import PrototypicalityPruner, ZCorePruner
from skprune.selection import BaseSelector, Beta, Hardest, KMeans, Mixture
from skprune.selection._base import needed_inputs


class OfAUser(BaseEstimator):
    """A selector that is no BaseSelector."""

    def __init__(self, names=()):
        self.names = names

    def needs(self):
        return self.names

    def select(self, scores, ratio, **inputs):
        assert all(inputs[name] is not None for name in self.names)
        mask = np.zeros(len(scores), dtype=bool)
        mask[: round(ratio * len(scores))] = True
        return mask


class Hiding(BaseSelector):
    """A selector whose needs hide those of class balance."""

    def needs(self):
        return ("embedding",)

    def _order(self, draw):
        return np.argsort(draw.scores)


class Untouched(BaseEstimator):
    """An embedding that must not be reached."""

    def fit_transform(self, X, y=None):
        raise AssertionError


def test_needed_inputs():
    class Silent(BaseEstimator):
        def select(self, scores, ratio, **inputs):
            raise AssertionError

    assert needed_inputs(Silent()) == ()
    assert needed_inputs(OfAUser(["labeled", "y"])) == ("labeled", "y")
    assert needed_inputs(Hiding(min_per_class=1)) == ("embedding", "y")
    assert needed_inputs(Mixture(KMeans(), second=Hiding(class_balanced="uniform"))) == ("embedding", "y")
    assert needed_inputs(Mixture(OfAUser(("dynamics",)), second=Hardest())) == ("dynamics",)


@pytest.mark.parametrize(
    ("selection", "missing"),
    [
        (OfAUser(("dynamics",)), "dynamics"),
        (OfAUser(("embedding", "labeled")), "labeled"),
        (OfAUser(("y",)), "y"),
        (Hiding(min_per_class=1), "y"),
        (Mixture(KMeans(), second=Beta()), "dynamics"),
        (Mixture(KMeans(uncertainty=1.0), second=Hardest()), "uncertainty"),
    ],
    ids=str,
)
def test_pruners_refuse_what_they_do_not_provide_before_the_embedding(iris, selection, missing):
    X, _, _ = iris
    message = f"needs {missing}, which ZCorePruner does not provide"
    with pytest.raises(ValueError, match=message):
        ZCorePruner(embedding=Untouched(), selection=selection).fit(X)
    fitted = ZCorePruner(random_state=0).fit(X)
    with pytest.raises(ValueError, match=message):
        fitted.select(selection=selection)


def test_mixtures_are_checked_before_the_embedding(iris):
    X, _, _ = iris
    with pytest.raises(ValueError, match=r"share must be within \[0, 1\], got 2"):
        ZCorePruner(embedding=Untouched(), selection=Mixture(KMeans(), second=Hardest(), share=2)).fit(X)


def test_pruners_provide_the_rest(iris):
    X, _, _ = iris
    for pruner, names in (
        (ZCorePruner(), ("embedding", "random_state")),
        (PrototypicalityPruner(n_clusters=3), ("y", "embedding")),
    ):
        pruner.set_params(selection=OfAUser(names), random_state=0)
        assert pruner.fit(X).support_.sum() == 75


class UntouchedLabeler(BaseEstimator):
    """A labeler that must not be reached."""

    def fit(self, X, y):
        raise AssertionError

    def predict_proba(self, X):
        raise AssertionError


def test_everything_is_there_in_semi_prune_but_no_other_names(quick, iris):
    X, _, y_partial = iris
    names = ("dynamics", "y", "embedding", "error_probability", "uncertainty", "labeled", "random_state")
    assert quick(selection=OfAUser(names)).fit(X, y_partial).support_.sum() == 75
    refused = quick(selection=OfAUser(("embeding",)), labeler=UntouchedLabeler())
    with pytest.raises(ValueError, match=r"OfAUser.needs\(\) returns must be 'dynamics'.* got 'embeding'"):
        refused.fit(X, y_partial)
