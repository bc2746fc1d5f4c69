"""The semi-supervised nets: batches, losses, teachers, and each net as a scikit-learn classifier."""

import math
import pickle
import re

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
from skprune._utils._doc_links import see
from skprune._utils._labels import warn_of_vanished
from skprune.augment import TabularStrong
from skprune.model_selection import PartialLabelKFold
from skprune.nets._data import Scaling, TensorPool, index_stream
from skprune.semi_supervised import FixMatch, FlexMatch, FreeMatch, MeanTeacher, PseudoLabel, SoftMatch
from skprune.semi_supervised._alignment import Alignment
from skprune.semi_supervised._batches import SemiSupervisedBatches

FAMILY = [FixMatch, FlexMatch, FreeMatch, SoftMatch, PseudoLabel, MeanTeacher]
QUICK = {"n_steps": 60, "batch_size": 8, "mu": 2, "random_state": 0}
CPU = torch.device("cpu")


class Linear(torch.nn.Module):
    """Without batch normalisation, parts of a step are the same as the whole."""

    def __init__(self, n_features, n_classes):
        super().__init__()
        self.layer = torch.nn.Linear(n_features, n_classes)

    def forward(self, x):
        return self.layer(x)


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
    defaults = make().get_params(deep=False) | {"weak, strong": "auto", "optimizer": "NesterovSGD"}
    for name in ("weak", "strong"):
        assert defaults.pop(name) == "auto"
    for name, default in defaults.items():
        shown = re.search(rf"^{name} : .*default=(.*)$", make.__doc__, re.MULTILINE)
        assert shown, name
        assert shown[1].strip('"') == str(default)


def test_grid_over_threshold_width_and_augmentation(iris):
    X, _, partial = iris
    grid = {"threshold": [0.5, 0.95], "module__width": [8, 16], "strong__corrupt": [0.1]}
    net = FixMatch(strong=TabularStrong(), **QUICK)
    search = GridSearchCV(net, grid, cv=PartialLabelKFold(2)).fit(X, partial)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    widths = {parameter.shape[0] for parameter in search.best_estimator_.module_.parameters()}
    assert widths == {search.best_params_["module__width"], 3}
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
        *(
            (make(momentum=value), "momentum must be within")
            for make in (FreeMatch, SoftMatch)
            for value in (-0.1, 1.0, 1.5)
        ),
        (FreeMatch(fairness=-0.5), "fairness must be at least 0"),
        *((SoftMatch(n_sigma=value), "n_sigma must be above 0") for value in (-0.5, 0.0)),
        *(
            (make(ramp_up=value), "ramp_up must be within")
            for make in (PseudoLabel, MeanTeacher)
            for value in (-0.5, 1.5)
        ),
        (MeanTeacher(unlabeled_weight=-1.0), "unlabeled_weight must be at least 0"),
        (FixMatch(logit_adjustment=float("nan")), "logit_adjustment must be at least 0"),
        (FixMatch(teacher="average"), "teacher must be 'student' or 'ema'"),
        (MeanTeacher(ema=False), "teacher='ema' needs ema=True"),
        (FixMatch(n_steps=None), "n_steps must be 'auto' or an integer of at least 1, got None"),
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


# Batches and losses


@pytest.mark.parametrize("second_view", ["strong", "weak", None])
@pytest.mark.parametrize("n_labeled_strong", [0, 2])
def test_what_is_in_a_batch(second_view, n_labeled_strong):
    X = np.random.default_rng(0).normal(size=(30, 4))
    codes = torch.full((30,), -1)
    codes[5:12] = torch.arange(7) % 3
    scaling = Scaling.fit(X)
    pool = TensorPool(scaling.to_tensor(X), codes, scaling)
    batches = SemiSupervisedBatches(
        pool,
        batch_size=3,
        mu=2,
        n_steps=4,
        weak=lambda x, generator: x + 100,
        strong=lambda x, generator: -x,
        second_view=second_view,
        n_labeled_strong=n_labeled_strong,
        balanced=False,
        seed=0,
    )
    assert len(batches) == len(list(batches)) == 4
    for inputs, y in batches:
        rows = inputs["index"]
        sign = torch.ones(len(rows))
        sign[3 - n_labeled_strong : 3] = -1
        if second_view == "strong":
            sign[9:] = -1
        torch.testing.assert_close(inputs["X"], sign[:, None] * (pool.X[rows] + 100), rtol=0, atol=1e-6)
        assert len(rows) == (9 if second_view is None else 15)
        assert torch.equal(y[:3], codes[rows[:3]])
        assert (y[:3] >= 0).all()
        assert (y[3:] == -1).all()
        if second_view is not None:
            assert torch.equal(rows[3:9], rows[9:])


@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")
@pytest.mark.parametrize("weight", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("make", [FixMatch, PseudoLabel, MeanTeacher])
def test_the_loss_is_the_labeled_plus_the_weighted_unlabeled_one(iris, make, weight):
    X, _, partial = iris
    steps = []

    class Watched(make):
        def get_loss(self, y_pred, y_true, X=None, training=False):
            loss = super().get_loss(y_pred, y_true, X=X, training=training)
            steps.append((y_pred.detach().double().cpu().numpy(), y_true[:8].cpu().numpy(), loss.item()))
            return loss

    options = {"threshold": 0.0} if make is FixMatch else {}
    Watched(Linear, unlabeled_weight=weight, **options, **QUICK | {"n_steps": 10}).fit(X, partial)
    assert len(steps) == 10
    for step, (logits, y, loss) in enumerate(steps):
        log_proba = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        labeled = -log_proba[:8][np.arange(8), y].mean()
        teacher, student = log_proba[8:24], log_proba[24:]
        if make is MeanTeacher:
            unlabeled = ((np.exp(teacher) - np.exp(student)) ** 2).mean()
            ramp = math.exp(-5 * (1 - min(step / 4, 1)) ** 2)
        else:
            unlabeled = -student[np.arange(16), teacher.argmax(axis=1)].mean()
            ramp = min(step / 4, 1) if make is PseudoLabel else 1
        assert loss == pytest.approx(labeled + weight * ramp * unlabeled, rel=1e-5)


def test_targets_of_logits_of_1000_are_finite():
    net = FixMatch(threshold=0.5)
    net.prior_, net.alignment_ = torch.zeros(3), Alignment("uniform", torch.full((3,), 1 / 3))
    net.rule_ = net._rule().start(3, 4, CPU)
    logits = torch.tensor([[1000.0, 0.0, -1000.0], [-1000.0, -1000.0, -999.0], [0.0, 1000.0, 999.0], [-1000.0] * 3])
    target, weight = net._targets(logits, torch.arange(4))
    assert target[:3].tolist() == [0, 2, 1]
    assert weight.tolist() == [1, 1, 1, 0]


@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")
def test_micro_batch_bounds_the_passes(iris):
    X, _, partial = iris
    sizes = []

    class Counting(Linear):
        def forward(self, x):
            if self.training and torch.is_grad_enabled():
                sizes.append(len(x))
            return super().forward(x)

    FixMatch(Counting, micro_batch=7, **QUICK | {"n_steps": 2}).fit(X, partial)
    assert sizes == [6, 6, 6, 6] * 2  # 8 labeled and 16 unlabeled rows in parts of about 7


# Alignment and long tails


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


@settings(max_examples=25)
@given(n=st.integers(1, 30), size=st.integers(1, 30), seed=st.integers(0, 99))
def test_no_row_is_twice_in_a_batch_and_all_come_equally_often(n, size, seed):
    stream = index_stream(torch.arange(n), size, torch.Generator().manual_seed(seed))
    batches = [next(stream) for _ in range(20)]
    if size <= n:
        assert all(len(batch.unique()) == size for batch in batches)
    times = torch.cat(batches).bincount(minlength=n)
    assert times.max() - times.min() <= 1


@settings(max_examples=25)
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
            rows = torch.from_numpy(((X - X.mean(0)) / X.std(0)).astype(np.float32)).to(index.device)[index]
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
    assert str(recwarn[0].message).endswith(
        "Give LabelSpreading more labels of the class." + see("labeling#long-tails")
    )


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


@pytest.mark.parametrize(
    ("labeler", "advice"),
    [
        (SoftMatch(), "of the class, or set balanced=True."),
        (FixMatch(), "of the class, or set alignment='labels' or balanced=True."),
        (FixMatch(balanced=True), "of the class, or set alignment='labels'."),
        (SoftMatch(balanced=True), "of the class."),
    ],
)
def test_the_warning_advises_what_is_not_set_already(labeler, advice):
    with pytest.warns(UserWarning, match="no row of 1 of 2 classes") as seen:
        warn_of_vanished(np.array([0, 0]), np.array(["a", "b"]), labeler)
    assert str(seen[0].message).endswith(advice + see("labeling#long-tails"))
