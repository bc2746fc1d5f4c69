"""Nets that diverge: an error, or a second training with a tenth of the learning rate."""

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skprune import SemiPrune
from skprune.baselines import SupervisedPruner
from skprune.nets import NetClassifier
from skprune.semi_supervised import SoftMatch


class Explodes(NetClassifier):
    """A net that diverges above a learning rate."""

    n_fits = 0

    def fit(self, X, y):
        type(self).n_fits += 1
        if self.lr > 0.05:
            raise FloatingPointError("The training diverged.")
        return super().fit(X, y)


class ExplodingLabeler(SoftMatch):
    """A labeler that diverges above a learning rate."""

    def fit(self, X, y):
        if self.lr > 0.05:
            raise FloatingPointError("The training diverged.")
        return super().fit(X, y)


class ExplodingClassifier(SGDClassifier):
    """A classifier without a learning rate that could be lowered."""

    def partial_fit(self, X, y, classes=None):
        if len(y) == 150:
            raise FloatingPointError("Overflow.")
        return super().partial_fit(X, y, classes=classes)


def pruner_of(**params):
    return SupervisedPruner(**{"n_epochs": 4, "difficulty": "aum", "random_state": 0} | params)


def test_a_proxy_that_diverges_is_trained_with_a_tenth_of_the_rate(iris):
    X, y, _ = iris
    expected = pruner_of(proxy=Explodes(lr=0.04, module__width=8)).fit(X, y)
    pruner = pruner_of(proxy=Explodes(lr=0.4, module__width=8), on_divergence="retry")
    with pytest.warns(UserWarning, match="The training diverged. It is trained once more, with lr=0.04"):
        pruner.fit(X, y)
    np.testing.assert_array_equal(pruner.difficulty_scores_, expected.difficulty_scores_)
    assert pruner.proxy_.lr == pytest.approx(0.04)
    with pytest.raises(FloatingPointError, match="The training diverged"):
        pruner.set_params(on_divergence="raise").fit(X, y)


@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row of")
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_a_labeler_that_diverges_is_trained_with_a_tenth_of_the_rate(iris, in_pipeline):
    X, _, partial = iris
    labeler = ExplodingLabeler(lr=0.3, n_steps=8, batch_size=8, mu=1, module__width=8)
    labeler = make_pipeline(StandardScaler(), labeler) if in_pipeline else labeler
    proxy = NetClassifier(module__width=8)
    pruner = SemiPrune(labeler=labeler, proxy=proxy, n_epochs=10, on_divergence="retry", random_state=0)
    with pytest.warns(UserWarning, match="once more, with lr=0.03") as caught:
        pruner.fit(X, partial)
    assert sum("once more" in str(warning.message) for warning in caught) == 2, "with the held-out labels and without"
    assert (pruner.labeler_[-1] if in_pipeline else pruner.labeler_).lr == pytest.approx(0.03)
    assert pruner.pseudo_label_accuracy_ is not None


def test_one_retry_is_all(iris):
    X, y, _ = iris
    pruner = pruner_of(proxy=Explodes(lr=30.0, module__width=8), on_divergence="retry")
    with pytest.warns(UserWarning, match="once more, with lr=3"), pytest.raises(FloatingPointError):
        pruner.fit(X, y)
    assert not hasattr(pruner, "support_")


@pytest.mark.filterwarnings("ignore:The proxy ExplodingClassifier fails in a trial")
def test_what_is_no_net_is_not_trained_again(iris):
    X, y, _ = iris
    with pytest.raises(FloatingPointError, match="Overflow"):
        pruner_of(proxy=ExplodingClassifier(loss="log_loss"), on_divergence="retry").fit(X, y)


@pytest.mark.parametrize("place", ["checkpoint", "memory"])
def test_a_kept_retry_is_found_by_those_who_retry_only(iris, tmp_path, place):
    X, y, _ = iris
    options = {"proxy": Explodes(lr=0.4, module__width=8), place: tmp_path}
    with pytest.warns(UserWarning, match="once more"):
        first = pruner_of(on_divergence="retry", **options).fit(X, y)
    Explodes.n_fits = 0
    again = pruner_of(on_divergence="retry", **options).fit(X, y)
    np.testing.assert_array_equal(again.difficulty_scores_, first.difficulty_scores_)
    assert again.proxy_.lr == pytest.approx(0.04)
    with pytest.raises(
        FloatingPointError, match="Explodes diverged in the run that is kept, .*lr=0.04. Lower lr, or take"
    ):
        pruner_of(**options).fit(X, y)
    assert Explodes.n_fits == 0


def test_other_words_are_refused(iris):
    X, y, _ = iris
    with pytest.raises(ValueError, match="on_divergence must be 'raise' or 'retry', got 'ignore'"):
        pruner_of(on_divergence="ignore").fit(X, y)
