"""SemiPrune with the settings of its paper."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import SGDClassifier
from sklearn.semi_supervised import LabelSpreading

from skprune import PrunedClassifier, SemiPrune
from skprune._pipeline._models import choose_models
from skprune._pipeline._settings import Settings
from skprune.nets import NetClassifier
from skprune.scores import difficulty
from skprune.selection import Beta, Cutoff
from skprune.semi_supervised import FixMatch

PUBLISHED = {
    "labeler": "fixmatch",
    "difficulty": "dual",
    "selection": "beta",
    "n_epochs": 30,
    "schedule_epochs": 200,
    "n_repeats": 1,
    "record": "train",
    "include_labeled": False,
    "estimate_accuracy": False,
}


def test_five_settings_differ_from_the_defaults():
    published, default = (pruner.get_params(deep=False) for pruner in (SemiPrune.published(), SemiPrune()))
    assert {name: published[name] for name in PUBLISHED} == PUBLISHED
    changed = {name for name in default if published[name] != default[name]}
    assert changed == {"labeler", "proxy", "selection", "duplicates", "estimate_accuracy"}
    changed = {name: value for name, value in published["proxy"].get_params().items() if name.startswith("lr")}
    assert changed == {"lr": 0.1}
    assert published["proxy"].batch_size == 128


def test_parameters_of_the_constructor_and_no_others():
    pruner = SemiPrune.published(0.3, difficulty="aum", selection=Cutoff(0.1), random_state=1, proxy=None)
    changed = {"ratio": 0.3, "difficulty": "aum", "random_state": 1, "proxy": None}
    assert {name: pruner.get_params()[name] for name in changed} == changed
    assert pruner.selection.hard_cutoff == 0.1
    assert pruner.labeler == "fixmatch"
    with pytest.raises(TypeError, match="unexpected keyword argument 'ratoi'"):
        SemiPrune.published(ratoi=0.3)
    with pytest.raises(TypeError, match="positional argument"):
        SemiPrune.published(0.3, "fixmatch")


def test_it_is_a_pruner_like_any_other():
    class Mine(SemiPrune):
        """A subclass."""

    pruner = Mine.published(20)
    assert type(pruner) is Mine
    copy = clone(pruner).set_params(proxy__lr=0.05)
    assert (copy.proxy.lr, pruner.proxy.lr) == (0.05, 0.1)
    assert SemiPrune.published().proxy is not SemiPrune.published().proxy


def test_the_coreset_is_a_draw_of_beta_by_dual(images):
    X, _, partial = images
    odd = np.where(partial >= 0, partial % 2, -1)
    labeler, proxy = LabelSpreading(kernel="knn"), NetClassifier(module__width=8, lr=0.1)
    pruner = SemiPrune.published(0.3, labeler=labeler, proxy=proxy, random_state=0).fit(X, odd)
    assert pruner.dynamics_.n_epochs == 30
    np.testing.assert_allclose(pruner.difficulty_scores_, difficulty(pruner.dynamics_, "dual", window=10, n_epochs=30))
    np.testing.assert_array_equal(pruner.support_, pruner.select(selection=Beta(4.0, n_epochs=30)))


def test_the_labeler_is_fixmatch_with_its_published_loss():
    labeler, _ = choose_models(Settings.of(SemiPrune.published()), all_labeled=False)
    assert type(labeler) is FixMatch
    assert (labeler.threshold, labeler.unlabeled_weight, labeler.mu, labeler.batch_size) == (0.95, 1.0, 7, 64)
    assert (labeler.alignment, labeler.balanced, labeler.teacher) == (None, False, "student")


def test_it_trains_on_pseudo_labels_as_published(iris):
    X, _, partial = iris
    proxy = SGDClassifier(loss="log_loss", alpha=0.01)
    pruner = SemiPrune.published(0.5, labeler=LabelSpreading(kernel="knn"), proxy=proxy, random_state=0)
    classifier = PrunedClassifier(LabelSpreading(), pruner).fit(X, partial)
    assert classifier.pruner_.goal == "pseudo"
    assert classifier.pruner_.support_.sum() == 75


def test_no_torch_without_a_net():
    code = (
        "import sys; from skprune import SemiPrune; from sklearn.linear_model import SGDClassifier; "
        "SemiPrune.published(proxy=SGDClassifier(loss='log_loss')); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
