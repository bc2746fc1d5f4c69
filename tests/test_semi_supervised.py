"""The family of semi-supervised nets: its rules against their papers, and each as a scikit-learn classifier."""

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV
from sklearn.semi_supervised import LabelSpreading

from skprune import SemiPrune
from skprune._utils._labels import warn_of_vanished
from skprune.augment import TabularStrong
from skprune.model_selection import PartialLabelKFold
from skprune.nets._callbacks import ema_decay
from skprune.nets._data import index_stream
from skprune.semi_supervised import FixMatch, FlexMatch, FreeMatch, MeanTeacher, PseudoLabel, SoftMatch
from skprune.semi_supervised._alignment import Alignment
from skprune.semi_supervised._flexmatch import CurriculumThreshold
from skprune.semi_supervised._freematch import SelfAdaptiveThreshold
from skprune.semi_supervised._meanteacher import MeanSquareRule
from skprune.semi_supervised._rules import FixedThreshold, RampedRule
from skprune.semi_supervised._softmatch import GaussianWeight

FAMILY = [FixMatch, FlexMatch, FreeMatch, SoftMatch, PseudoLabel, MeanTeacher]
QUICK = {"n_steps": 60, "batch_size": 8, "mu": 2, "random_state": 0}
CPU = torch.device("cpu")
RULES = {
    "fixed": lambda: FixedThreshold(0.7),
    "curriculum": lambda: CurriculumThreshold(0.7, True),
    "curriculum without warm-up": lambda: CurriculumThreshold(0.7, False),
    "self-adaptive": lambda: SelfAdaptiveThreshold(0.999, 0.01),
    "gaussian": lambda: GaussianWeight(0.999, 2.0),
    "ramped": lambda: RampedRule(0.4),
    "mean square": lambda: MeanSquareRule(0.4),
}


class Linear(torch.nn.Module):
    """Without batch normalisation, parts of a step are the same as the whole."""

    def __init__(self, n_features, n_classes):
        super().__init__()
        self.layer = torch.nn.Linear(n_features, n_classes)

    def forward(self, x):
        return self.layer(x)


def probabilities(seed, n=20, n_classes=4):
    return torch.from_numpy(np.random.default_rng(seed).dirichlet(np.full(n_classes, 0.3), n)).float()


@pytest.mark.parametrize("make", FAMILY)
def test_each_learns_a_table_with_strings(iris, make):
    X, y, partial = iris
    names = np.array(["a", "b", "c"], object)
    labels = np.where(partial < 0, None, names[y])
    net = make(**QUICK).fit(X, labels)
    assert net.score(X, names[y].tolist()) > 0.8
    assert net.classes_.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(net.predict_proba(X).sum(axis=1), 1)


@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")
@pytest.mark.parametrize("make", FAMILY)
def test_each_takes_images_and_is_the_same_for_a_seed(images, make):
    X, _, partial = images
    small = QUICK | {"n_steps": 5}
    nets = [make(**small).fit(X, partial) for _ in range(2)]
    np.testing.assert_array_equal(nets[0].predict_proba(X), nets[1].predict_proba(X))
    assert 0 <= nets[0].history[-1]["confident"] <= 1
    leftovers = {"rule_", "alignment_", "prior_", "step_"}
    assert not leftovers & set(vars(nets[0]))


@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")
@pytest.mark.parametrize("make", FAMILY)
def test_each_is_a_scikit_learn_classifier(iris, make):
    X, _, partial = iris
    net = make(module__width=16, alignment="learned", weak=TabularStrong(corrupt=0.1), **QUICK).fit(X, partial)
    assert clone(net).get_params(deep=False).keys() == net.get_params(deep=False).keys()
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))
    epochs = len(net.history)
    assert len(net.partial_fit(X, partial).history) == epochs + 1
    with pytest.raises(TypeError, match="unexpected keyword argument 'treshold'"):
        make(treshold=0.5)


@pytest.mark.parametrize("make", FAMILY)
def test_docstrings_show_every_parameter_and_its_default(make):
    assert "$" not in make.__doc__
    defaults = make().get_params()
    assert f"unlabeled_weight : float, default={defaults['unlabeled_weight']}" in make.__doc__
    assert f'teacher : {{"student", "ema"}}, default="{defaults["teacher"]}"' in make.__doc__


def test_grid_over_threshold_width_and_augmentation(iris):
    X, _, partial = iris
    grid = {"threshold": [0.5, 0.95], "module__width": [8, 16], "strong__corrupt": [0.1]}
    net = FixMatch(strong=TabularStrong(), **QUICK)
    search = GridSearchCV(net, grid, cv=PartialLabelKFold(2)).fit(X, partial)
    assert search.best_params_["threshold"] in (0.5, 0.95)
    assert search.best_estimator_.strong.corrupt == 0.1
    with pytest.raises(ValueError, match="Invalid parameter 'strong__corupt'"):
        net.set_params(strong__corupt=0.2)
    with pytest.raises(ValueError, match="Invalid parameter 'weak__noise'"):
        net.set_params(weak__noise=0.2)
    strong = TabularStrong()
    changed = FixMatch(strong=strong).set_params(strong__corrupt=0.9)
    assert (strong.corrupt, changed.strong.corrupt) == (0.3, 0.9)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (FixMatch(threshold=1.5), "threshold must be within"),
        (FlexMatch(threshold=-0.1), "threshold must be within"),
        (FreeMatch(momentum=1.0), "momentum must be within"),
        (FreeMatch(fairness=-1.0), "fairness must be at least 0"),
        (SoftMatch(n_sigma=0.0), "n_sigma must be above 0"),
        (PseudoLabel(ramp_up=1.5), "ramp_up must be within"),
        (MeanTeacher(unlabeled_weight=-1.0), "unlabeled_weight must be at least 0"),
        (FixMatch(logit_adjustment=float("nan")), "logit_adjustment must be at least 0"),
        (FixMatch(teacher="average"), "teacher must be 'student' or 'ema'"),
        (MeanTeacher(ema=False), "teacher='ema' needs ema=True"),
        (FixMatch(micro_batch=1), "micro_batch must be None or an integer of at least 2"),
        (FixMatch(threshold="auto"), "threshold must be within"),
        (FixMatch(labeled_strong=None), "labeled_strong must be within"),
        (FixMatch(weak="none"), "weak must be 'auto', None or a callable"),
        (FixMatch(criterion__reduction="sum"), "criterion__reduction must be 'mean'"),
        (MeanTeacher(callbacks__moving_average=None), "teacher='ema' needs ema=True and its callback"),
        (FixMatch(alignment="prior"), "alignment must be None, 'uniform', 'labels' or 'learned', got 'prior'"),
    ],
)
def test_refused_parameters(iris, net, message):
    X, _, partial = iris
    with pytest.raises(ValueError, match=message):
        net.fit(X, partial)


# Rules


@settings(max_examples=20, deadline=None)
@given(name=st.sampled_from(sorted(RULES)), seed=st.integers(0, 999), steps=st.integers(1, 5), k=st.integers(2, 5))
def test_rules_give_weights_between_0_and_1_and_a_finite_loss(name, seed, steps, k):
    rule = RULES[name]().start(k, 30, CPU)
    for step in range(steps):
        index = torch.randperm(30, generator=torch.Generator().manual_seed(seed + step))[:20]
        proba = probabilities(seed + step, n_classes=k)
        target, weight = rule(proba, index)
        assert weight.shape == (20,)
        assert ((weight >= 0) & (weight <= 1)).all()
        logits = torch.randn(20, k, requires_grad=True)
        loss = rule.loss(logits, target, weight)
        loss.backward()
        assert torch.isfinite(loss)
        assert torch.isfinite(logits.grad).all()
        assert 0 <= rule.ramp(step / steps) <= 1


def test_fixed_threshold():
    rule = FixedThreshold(0.75).start(2, 3, CPU)
    target, weight = rule(torch.tensor([[0.75, 0.25], [0.26, 0.74], [0.1, 0.9]]), torch.arange(3))
    assert target.tolist() == [0, 1, 1]
    assert weight.tolist() == [1, 0, 1]
    logits = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]])
    expected = (np.log1p(np.exp(-1)) + np.log1p(np.exp(2))) / 3  # rows below the threshold count in the mean
    assert rule.loss(logits, target, weight).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_a_row_that_is_drawn_twice_is_learned_once(order):
    rule = CurriculumThreshold(0.7, True).start(2, 3, CPU)
    proba = torch.tensor([[0.9, 0.1], [0.5, 0.5]])[order]
    rule(proba, torch.tensor([0, 0]))
    assert rule.learned_[:3].tolist() == [0, -1, -1]


@pytest.mark.parametrize("warmup", [True, False])
def test_curriculum_follows_its_paper(warmup):
    rule, n, k, threshold = CurriculumThreshold(0.7, warmup).start(4, 50, CPU), 50, 4, 0.7
    learned = np.full(n, -1)
    rng = np.random.default_rng(0)
    for step in range(8):
        index = rng.permutation(n)[:20]
        proba = probabilities(step).numpy()
        sigma = np.array([(learned == c).sum() for c in range(k)])
        most = max(sigma.max(), n - sigma.sum()) if warmup else max(sigma.max(), 1)
        beta = sigma / most
        target, confidence = proba.argmax(axis=1), proba.max(axis=1)
        expected = confidence >= threshold * beta[target] / (2 - beta[target])
        got_target, got = rule(torch.from_numpy(proba), torch.from_numpy(index))
        np.testing.assert_array_equal(got_target, target)
        np.testing.assert_array_equal(got.bool(), expected)
        sure = confidence >= threshold
        learned[index[sure]] = target[sure]


def test_self_adaptive_thresholds_follow_their_paper():
    rule = SelfAdaptiveThreshold(0.999, 0.5).start(4, 50, CPU)
    level, share, histogram = 0.25, np.full(4, 0.25), np.full(4, 0.25)
    for step in range(6):
        proba = probabilities(step).numpy().astype(np.float64)
        decay = ema_decay(step)
        target, confidence = proba.argmax(axis=1), proba.max(axis=1)
        counts = np.bincount(target, minlength=4) / 20
        level = decay * level + (1 - decay) * confidence.mean()
        share = decay * share + (1 - decay) * proba.mean(axis=0)
        histogram = decay * histogram + (1 - decay) * counts
        expected = confidence >= level * (share / share.max())[target]
        got_target, weight = rule(torch.from_numpy(proba).float(), torch.arange(20))
        np.testing.assert_array_equal(weight.bool(), expected)

        strong = probabilities(100 + step).numpy().astype(np.float64)
        kept = strong[expected]
        kept_counts = np.bincount(kept.argmax(axis=1), minlength=4) / len(kept)
        a, b = share / histogram, np.divide(kept.mean(axis=0), kept_counts, out=np.zeros(4), where=kept_counts > 0)
        fairness = (a / a.sum() * np.log(b / b.sum() + 1e-12)).sum()
        own = (-np.log(strong[np.arange(20), target]) * expected).mean()
        got = rule.loss(torch.from_numpy(np.log(strong)).float(), got_target, weight).item()
        assert got == pytest.approx(own + 0.5 * fairness, rel=1e-4)


def test_gaussian_weights_follow_their_paper():
    rule = GaussianWeight(0.999, 2.0).start(4, 50, CPU)
    mean, variance = 0.25, 1.0
    for step in range(6):
        proba = probabilities(step)
        confidence, decay = proba.max(dim=1).values.numpy().astype(np.float64), ema_decay(step)
        mean = decay * mean + (1 - decay) * confidence.mean()
        variance = decay * variance + (1 - decay) * confidence.var(ddof=1)
        expected = np.exp(-(np.minimum(confidence - mean, 0) ** 2) / (2 * variance / 4))
        _, weight = rule(proba, torch.arange(20))
        np.testing.assert_allclose(weight, expected, rtol=1e-4)


def test_ramps():
    line, sigmoid = RampedRule(0.4), MeanSquareRule(0.4)
    assert [line.ramp(t) for t in (0, 0.2, 0.4, 1)] == [0, 0.5, 1, 1]
    assert [sigmoid.ramp(t) for t in (0, 0.4, 1)] == pytest.approx([np.exp(-5), 1, 1])
    assert sigmoid.ramp(0.2) == pytest.approx(np.exp(-1.25))
    assert RampedRule(0).ramp(0) == 1


def test_mean_square_is_that_of_probabilities():
    rule = MeanSquareRule(0.0).start(4, 20, CPU)
    teacher, student = probabilities(0), probabilities(1)
    loss = rule.loss(student.log(), *rule(teacher, torch.arange(20)))
    assert loss.item() == pytest.approx(((teacher - student) ** 2).mean().item(), rel=1e-5)


# Alignment


@pytest.mark.parametrize(
    ("kind", "expected"), [("uniform", [0.5, 0.5]), ("labels", [0.9, 0.1]), ("learned", [0.3, 0.7])]
)
def test_alignment_brings_the_mean_to_its_target(kind, expected):
    alignment = Alignment(kind, torch.tensor([0.9, 0.1]))
    proba = torch.tensor([[0.8, 0.2]]).expand(4, 2)
    for _ in range(2000):
        aligned = alignment(proba)
        alignment.learn(torch.tensor([[0.3, 0.7]]))
    np.testing.assert_allclose(aligned[0], expected, atol=0.01)
    np.testing.assert_allclose(aligned.sum(dim=1), 1, rtol=1e-5)


def test_softmatch_aligns_weights_alone():
    assert SoftMatch().alignment == "labels"
    for make, expected in ((SoftMatch, 0), (FixMatch, 1)):
        net = make()
        net.prior_, net.alignment_ = torch.zeros(2), Alignment("labels", torch.tensor([0.1, 0.9]))
        net.rule_ = net._rule().start(2, 4, CPU)
        logits = torch.tensor([[0.4, 0.0]]).expand(4, 2)  # just class 0; aligned it is class 1
        for _ in range(50):
            target, _ = net._targets(logits, torch.arange(4))
        assert target.tolist() == [expected] * 4


@pytest.fixture(scope="module")
def skewed():
    """Two overlapping classes, one of which is rare."""
    X, y = make_classification(
        3000, 8, n_informative=4, n_redundant=0, weights=[0.9], class_sep=0.7, flip_y=0.0, random_state=0
    )
    partial = np.full(3000, -1)
    labeled = np.random.default_rng(0).permutation(3000)[:600]
    partial[labeled] = y[labeled]
    return X, y, partial


@pytest.mark.parametrize("option", [{"logit_adjustment": 1.0}, {"balanced": True}])
def test_options_for_long_tails_raise_the_recall_of_the_rare_class(skewed, option):
    X, y, partial = skewed

    settings = {"n_steps": 200, "batch_size": 32, "mu": 2, "random_state": 0}
    plain, changed = (FixMatch(**settings, **more).fit(X, partial).predict(X)[y == 1].mean() for more in ({}, option))
    assert changed > plain + 0.15


def test_logit_adjustment_has_no_effect_on_balanced_draws(iris):
    X, _, partial = iris
    a, b = (FixMatch(balanced=True, logit_adjustment=t, **QUICK).fit(X, partial).predict_proba(X) for t in (0.0, 1.0))
    np.testing.assert_array_equal(a, b)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 30), size=st.integers(1, 30), seed=st.integers(0, 99))
def test_no_row_is_twice_in_a_batch_and_all_come_equally_often(n, size, seed):
    stream = index_stream(torch.arange(n), size, torch.Generator().manual_seed(seed))
    batches = [next(stream) for _ in range(20)]
    if size <= n:
        assert all(len(batch.unique()) == size for batch in batches)
    times = torch.cat(batches).bincount(minlength=n)
    assert times.max() - times.min() <= 1


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(1, 9), min_size=2, max_size=4), seed=st.integers(0, 99))
def test_balanced_draws(sizes, seed):
    codes = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    a_pass = max(sizes) * len(sizes)
    stream = index_stream(torch.arange(len(codes)), a_pass, torch.Generator().manual_seed(seed), codes)
    drawn = next(stream)
    assert codes[drawn].bincount().tolist() == [max(sizes)] * len(sizes)
    times = drawn.bincount(minlength=len(codes))
    for code in range(len(sizes)):
        assert times[codes == code].max() - times[codes == code].min() <= 1


# Teacher


@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")
@pytest.mark.parametrize("make", [FixMatch, PseudoLabel, MeanTeacher])
def test_the_teacher_is_the_average(iris, make):
    X, _, partial = iris
    gaps = []

    class Watched(make):
        def _targets(self, teacher, index):
            average = dict(self.callbacks_)["moving_average"].module_
            assert average.training
            rows = torch.from_numpy(((X - X.mean(0)) / X.std(0)).astype(np.float32))[index]
            gaps.append((teacher - average(rows)).abs().max().item())
            return super()._targets(teacher, index)

    Watched(Linear, teacher="ema", weak=None, strong=None, **QUICK).fit(X, partial)
    assert max(gaps) < 1e-5
    gaps.clear()
    Watched(Linear, teacher="student", weak=None, strong=None, **QUICK).fit(X, partial)
    assert max(gaps) > 1e-3


def test_a_prediction_between_two_trainings_changes_nothing(iris):
    X, _, partial = iris
    one, other = (MeanTeacher(**QUICK).fit(X, partial) for _ in range(2))
    one.predict(X)
    other.module_.train()
    for net in (one, other):
        net.partial_fit(X, partial)
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")
@pytest.mark.parametrize("make", [PseudoLabel, MeanTeacher])
def test_unlabeled_rows_without_strong_views(images, make):
    X, _, partial = images
    seen = []

    def strong(x, generator):
        seen.append(len(x))
        return x

    few = QUICK | {"n_steps": 3}
    make(strong=strong, **few).fit(X, partial)
    assert seen == [4, 4, 4]  # half of the labeled rows of a step
    make(strong=strong, labeled_strong=0.0, **few).fit(X, partial)
    assert seen == [4, 4, 4]


def test_views_may_be_left_as_they_are(iris):
    X, _, partial = iris
    net = FixMatch(weak=None, strong=None, **QUICK).fit(X, partial)
    again = FixMatch(weak=lambda x, generator: x, strong=lambda x, generator: x, **QUICK).fit(X, partial)
    np.testing.assert_array_equal(net.predict_proba(X), again.predict_proba(X))


@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")
@pytest.mark.parametrize("make", FAMILY)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"alignment": "labels", "logit_adjustment": 1.0},
        {"alignment": "learned", "criterion__weight": torch.tensor([1.0, 5.0, 20.0])},
    ],
)
def test_parts_of_a_step_are_the_whole(iris, make, options):
    X, _, partial = iris
    options = options | QUICK | {"n_steps": 6}
    if make is FreeMatch:
        options["fairness"] = 0.0  # a term of the whole step
    if make is PseudoLabel:
        options["alignment"] = None  # a running mean that moves with each part
    whole, parts = (make(Linear, micro_batch=m, **options).fit(X, partial) for m in (None, 7))
    np.testing.assert_allclose(parts.predict_proba(X), whole.predict_proba(X), atol=1e-5)
    assert parts.history[-1]["train_loss"] == pytest.approx(whole.history[-1]["train_loss"], rel=1e-4)
    assert parts.history[-1]["confident"] == pytest.approx(whole.history[-1]["confident"])


# Vanished classes


def test_the_warning_fits_the_labeler(recwarn):
    warn_of_vanished(np.array([0, 0]), np.array(["a", "b"]), LabelSpreading())
    assert str(recwarn[0].message).endswith("Give LabelSpreading more labels of the class.")


def test_a_class_that_vanishes_is_named():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = np.full(300, -1, dtype=object)
    X[:, 0] += 4 * (np.arange(300) % 2)
    y[:60] = np.arange(60) % 2
    y[60] = 7
    X[60] = 50.0
    labels = np.where(y == -1, None, np.array(["no", "yes", *"-----", "odd"], dtype=object)[y.astype(int)])
    with pytest.warns(UserWarning, match=r"no row of 1 of 3 classes, 'odd' among them \(239 rows looked at\)") as seen:
        FixMatch(**QUICK).fit(X, labels)
    assert seen[0].filename == __file__
    pruner = SemiPrune(labeler=FixMatch(**QUICK), n_epochs=10, schedule_epochs=10, random_state=0)
    for fit in (pruner.fit, pruner.fit_transform):
        with pytest.warns(UserWarning, match=r"'odd' among them.*alignment='labels'") as seen:
            fit(X, labels)
        assert [warning.filename for warning in seen] == [__file__]
