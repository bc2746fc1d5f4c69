"""The package as a whole: names, imports, scikit-learn's own checks."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

import skprune
from skprune import PrunedClassifier, PruningSampler, SemiPrune
from skprune.nets import NetClassifier
from skprune.selection import Beta
from skprune.semi_supervised import FixMatch, FlexMatch, FreeMatch, MeanTeacher, PseudoLabel, SoftMatch

FAMILY = [FixMatch, FlexMatch, FreeMatch, SoftMatch, PseudoLabel, MeanTeacher]

MODULES = [
    "augment",
    "baselines",
    "datasets",
    "dynamics",
    "inspection",
    "labeling",
    "model_selection",
    "nets",
    "scores",
    "selection",
    "semi_supervised",
]
DROPPING = (
    "check_transformer_general",
    "check_transformer_data_not_an_array",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_fit_idempotent",
)
PRUNER_FAILS = dict.fromkeys(DROPPING, "a transformer that drops rows cannot give a row for each one of X")
CLASSIFIER_FAILS = {"check_classifiers_classes": "-1 marks an unlabeled row unless something else does"}


def test_one_version_everywhere():
    root = Path(__file__).parents[1]
    declared = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    newest = re.search(r"^## (\S+)", (root / "CHANGELOG.md").read_text(), re.MULTILINE).group(1)
    assert declared == skprune.__version__
    assert newest == skprune.__version__.removesuffix(".dev0")


def small_pruner():
    return SemiPrune(
        proxy=NetClassifier(module__width=8),
        selection=Beta(class_balanced="proportional"),
        n_epochs=10,
        schedule_epochs=10,
        random_state=0,
    )


def expected_failures(estimator):
    if isinstance(estimator, SemiPrune):
        return PRUNER_FAILS
    if isinstance(estimator, PruningSampler):
        return {}
    if isinstance(estimator, NetClassifier):
        return SKORCH_FAILS
    return CLASSIFIER_FAILS | SKORCH_FAILS if isinstance(estimator, tuple(FAMILY)) else CLASSIFIER_FAILS


SKORCH_FAILS = {
    "check_no_attributes_set_in_init": "skorch sets its own attributes in __init__",
    "check_do_not_raise_errors_in_init_or_set_params": "a keyword that is not known raises TypeError at construction",
    "check_set_params": "skorch validates parameters when they are used",
}


@pytest.mark.filterwarnings("ignore:Equal rows have different labels")  # sparse data of the checks have rows of zeros
@parametrize_with_checks(
    [
        small_pruner(),
        PrunedClassifier(LogisticRegression(), small_pruner()),
        PruningSampler(small_pruner()),
        NetClassifier(module__width=16, max_epochs=40),
        *(make(module__width=16, n_steps=60, batch_size=16, mu=1) for make in FAMILY),
    ],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("module", ["", *MODULES])
def test_public_names_are_there_and_no_others(module):
    home = getattr(skprune, module) if module else skprune
    for name in home.__all__:
        assert getattr(home, name).__name__.rpartition(".")[2] == name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = home.nonsense


def test_import_brings_in_no_torch():
    code = "import sys, skprune; assert not {'torch', 'skorch', 'sklearn'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_results_that_the_pages_show_are_there():
    docs = Path(__file__).parents[1] / "docs"
    shown = [
        file
        for page in docs.glob("*.rst")
        for file in re.findall(r"(?:include|figure|image):: (\S+)", page.read_text())
    ]
    assert len(shown) > 5
    for file in shown:
        assert (docs / file).exists(), file
