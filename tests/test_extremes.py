"""Extreme values and learning rates: named in an error or a warning, never passed over in silence."""

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading

from skprune import SemiPrune
from skprune._utils._labels import VANISHED
from skprune.dynamics import collect_dynamics
from skprune.nets import NetClassifier
from skprune.semi_supervised import FixMatch, SoftMatch

knn = make_pipeline(StandardScaler(), LabelSpreading(kernel="knn", n_neighbors=30))
sgd = make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss"))


def pruner_of(**params):
    defaults = {"labeler": knn, "proxy": sgd, "n_epochs": 12, "estimate_accuracy": False, "random_state": 0}
    return SemiPrune(**defaults | params)


def linear(n_features, n_classes):
    return torch.nn.Linear(n_features, n_classes)


@pytest.mark.parametrize("nets", [False, True])
def test_columns_beyond_standardization_are_refused(iris, nets):
    X, _, partial = iris
    X[:, 2] *= 1e300
    pruner = pruner_of(**{"labeler": FixMatch(), "proxy": NetClassifier()} if nets else {})
    with pytest.raises(ValueError, match=r"Column 2 of X reaches 6.9e\+300, too large .*1 such columns"):
        pruner.fit(X, partial)


def test_a_net_alone_refuses_them_too(iris):
    X, y, _ = iris
    X[0, 1] = -1e200
    with pytest.raises(ValueError, match=r"Column 1 of X reaches 1e\+200"):
        NetClassifier().fit(X, y)


@pytest.mark.parametrize("value", [1e30, -1e12])
def test_a_row_that_hides_the_others_is_named(iris, value):
    X, y, _ = iris
    X[3, 1:3] = value
    with pytest.warns(
        UserWarning, match=rf"Column 1 of X holds .* {value:.3g}.* in row 3, .*2 such columns".replace("+", r"\+")
    ):
        NetClassifier(max_epochs=1, random_state=0).fit(X, y)


def test_usual_columns_are_not():
    """Heavy tails, rare ones, constants and few rows: any warning is an error here."""
    rng = np.random.default_rng(0)
    X = np.c_[rng.lognormal(0, 2, 2000), rng.random(2000) < 0.002, np.ones(2000), rng.standard_normal(2000) * 1e12]
    y = np.arange(2000) % 2
    NetClassifier(max_epochs=1, random_state=0).fit(X, y)
    NetClassifier(max_epochs=1, random_state=0).fit(X[:2], y[:2])


@pytest.mark.filterwarnings("ignore:The training of NetClassifier ended with a loss of")
def test_a_proxy_that_gives_all_rows_the_same_outputs_is_named(iris):
    X, _, partial = iris
    with pytest.warns(UserWarning, match="proxy NetClassifier gives all rows the same outputs, .* learning rate"):
        pruner_of(proxy=NetClassifier(lr=100.0)).fit(X, partial)


@pytest.mark.filterwarnings("ignore:The training of NetClassifier has hardly moved its weights")
def test_a_proxy_that_stands_still_is_named(iris):
    X, _, partial = iris
    with pytest.warns(UserWarning, match="gives the same outputs in all epochs, .* learning rate"):
        pruner_of(proxy=NetClassifier(linear, lr=1e-30, augment=None), record="eval").fit(X, partial)


@pytest.mark.filterwarnings(f"ignore:{VANISHED}")
@pytest.mark.parametrize("net", [NetClassifier(), FixMatch(n_steps=20, batch_size=8, mu=1)])
def test_a_rate_too_small_for_the_weights_is_named(iris, net):
    X, _, partial = iris
    name = type(net).__name__
    with pytest.warns(UserWarning, match=f"training of {name} has hardly moved its weights: .* 1e-30 is too small"):
        net.set_params(lr=1e-30, random_state=0).fit(X, partial)


def test_a_loss_far_above_that_of_guessing_is_named(iris):
    X, y, _ = iris
    with pytest.warns(UserWarning, match=r"ended with a loss of \d+.*, and guessing has 1.1. Lower lr \(now 100\)"):
        NetClassifier(lr=100.0, random_state=0).fit(X, y)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e-30, 1e30, 1e140])
def test_the_scale_of_a_table_is_nothing_to_a_net(iris, scale):
    X, y, _ = iris
    expected = NetClassifier(max_epochs=5, random_state=0).fit(X, y).predict_proba(X)
    found = NetClassifier(max_epochs=5, random_state=0).fit(X * scale, y).predict_proba(X * scale)
    np.testing.assert_allclose(found, expected, atol=0.02)


@pytest.mark.filterwarnings("ignore:The training of SoftMatch ended with a loss of")
def test_outputs_that_overflow_are_told_to_lower_the_rate(iris):
    X, _, partial = iris
    with pytest.raises(FloatingPointError, match=r"outputs of SoftMatch are not finite .* Lower lr \(now 100\)"):
        pruner_of(labeler=SoftMatch(n_steps=30, batch_size=8, mu=2, lr=100.0)).fit(X, partial)


def test_a_diverged_training_is_called_so(iris):
    X, _, partial = iris
    with pytest.raises(FloatingPointError, match=r"training diverged.*loss of FixMatch is nan"):
        pruner_of(labeler=FixMatch(n_steps=50, batch_size=8, lr=1e6)).fit(X, partial)


def test_a_saturated_proxy_is_told_to_scale():
    X = np.r_[np.full((20, 2), -1e6), np.full((20, 2), 1e6)]
    y = np.repeat([0, 1], 20)
    proxy = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=1.0)
    with pytest.raises(ValueError, match="0 or 1 from the first epoch on: scale the columns"):
        collect_dynamics(proxy, X, y, n_epochs=5, random_state=0)


def test_a_boosted_proxy_of_too_few_rows_is_told_so():
    X, y = np.arange(30.0)[:, None], np.arange(30) % 2
    with pytest.raises(ValueError, match="No stage divides the 30 rows, which may be too few: .*min_samples_leaf"):
        collect_dynamics(HistGradientBoostingClassifier(), X, y, n_epochs=5, random_state=0)
