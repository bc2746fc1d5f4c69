"""Nets as scikit-learn knows estimators: names of columns, labels that are missing in scores, class weights, odd modules."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from torch import nn

from skprune.augment import ImageStrong, ImageWeak
from skprune.model_selection import PartialLabelKFold
from skprune.nets import NetClassifier
from skprune.semi_supervised import SoftMatch

X, Y = load_iris(return_X_y=True)
PARTIAL = np.where(np.arange(150) % 3 == 0, Y, -1)
FRAME = pd.DataFrame(X, columns=list("abcd"))
NETS = {
    "supervised": (NetClassifier(max_epochs=2, module__width=16, random_state=0), Y),
    "semi-supervised": (SoftMatch(n_steps=10, batch_size=16, mu=2, module__width=16, random_state=0), PARTIAL),
}
pytestmark = pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")


@pytest.mark.parametrize("kind", NETS)
def test_columns_in_another_order_are_refused(kind):
    net, y = NETS[kind]
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "X does not have valid feature names")
        net.fit(FRAME, y)
        expected = net.predict_proba(FRAME)
    for call in (
        net.predict,
        net.predict_proba,
        lambda rows: net.score(rows, y),
        lambda rows: net.partial_fit(rows, y),
    ):
        with pytest.raises(ValueError, match="Feature names must be in the same order"):
            call(FRAME[list("dcba")])
        with pytest.raises(ValueError, match="Feature names unseen at fit time"):
            call(FRAME.rename(columns={"a": "z"}))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        np.testing.assert_array_equal(net.predict_proba(X), expected)


def test_a_fit_reads_new_names_and_one_that_goes_on_refuses_them():
    net = NetClassifier(max_epochs=2, module__width=16, random_state=0).fit(FRAME, Y)
    renamed = FRAME.rename(columns={"a": "z"})
    assert net.fit(renamed, Y).feature_names_in_.tolist() == list("zbcd")
    with pytest.raises(ValueError, match="Feature names unseen at fit time"):
        net.set_params(warm_start=True).fit(FRAME, Y)
    assert net.feature_names_in_.tolist() == list("zbcd")


@pytest.mark.parametrize("mark", [None, float("nan"), -1])
def test_rows_without_a_label_do_not_count(mark):
    net, _ = NETS["semi-supervised"]
    y = np.where(PARTIAL == -1, mark, PARTIAL)
    net.fit(X, y)
    known = PARTIAL >= 0
    assert net.score(X, y) == pytest.approx(np.mean(net.predict(X)[known] == Y[known]))
    weights = np.where(np.arange(150) < 75, 1.0, 0.0)
    expected = np.mean(net.predict(X)[:75][known[:75]] == Y[:75][known[:75]])
    assert net.score(X, y, sample_weight=weights) == pytest.approx(expected)
    assert np.isfinite(cross_val_score(net, X, y, cv=PartialLabelKFold(3))).all()
    with pytest.raises(ValueError, match="score needs labeled rows, and y holds none"):
        net.score(X, np.full(150, mark))


@pytest.mark.parametrize("weight", [[1.0, 2.0, 3.0], np.array([1.0, 2.0, 3.0]), torch.tensor([1, 2, 3]).double()])
def test_class_weights_of_any_type(weight):
    net, y = NETS["supervised"]
    expected = net.set_params(criterion__weight=torch.tensor([1.0, 2.0, 3.0])).fit(X, y).predict_proba(X)
    found = net.set_params(criterion__weight=weight).fit(X, y).predict_proba(X)
    net.set_params(criterion__weight=None)
    np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(net.fit(X, y).predict_proba(X), expected)


class Two(nn.Module):
    """Returns more than logits."""

    def __init__(self, n_features, n_classes):
        super().__init__()
        self.head = nn.Linear(n_features, n_classes)

    def forward(self, x):
        """Return the logits twice."""
        return self.head(x), self.head(x)


def test_a_module_that_returns_more_than_logits_is_refused():
    with pytest.raises(ValueError, match="module Two returns a tuple, but must return the logits alone"):
        NetClassifier(Two).fit(X, Y)


def test_a_single_row_is_refused():
    with pytest.raises(ValueError, match="X has 1 row, and NetClassifier needs at least two"):
        NetClassifier().partial_fit(X[:1], Y[:1], classes=[0, 1, 2])


@pytest.mark.parametrize("policy", [ImageWeak(), ImageStrong()])
def test_policies_of_images_refuse_tables(policy):
    with pytest.raises(
        ValueError, match=r"augments images \(n, C, H, W\), got a batch of shape \(\d+, 4\)\. TabularWeak"
    ):
        SoftMatch(n_steps=2, weak=policy).fit(X, PARTIAL)
