"""Trainings whose time is limited end in order, by a clock that the tests turn."""

import pickle
import re
import warnings

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback

from skprune import PrunedClassifier, SemiPrune
from skprune._pipeline._time_plan import TimePlan
from skprune._utils import _time_limit
from skprune._utils._labels import VANISHED
from skprune._utils._ranks import Ranks, training_with
from skprune._utils._time_limit import TimeLimit, limited
from skprune.baselines import SupervisedPruner
from skprune.dynamics import Recording
from skprune.nets import NetClassifier
from skprune.selection import Beta, Hardest
from skprune.semi_supervised import FixMatch, SoftMatch

pytestmark = pytest.mark.filterwarnings(f"ignore:{VANISHED}")
# alone, it would scale with all its work and thus hide what a limit does
sgd = make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss"))


class Clock:
    """A clock that goes on by a second each time it is read, which is once a step or an epoch."""

    now = 1000.0

    def __call__(self):
        self.now += 1.0
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(_time_limit, "perf_counter", clock)
    return clock


class Averages(Callback):
    """Keep a copy of the averaged weights after each step."""

    def on_train_begin(self, net, **kwargs):
        self.copies_ = []

    def on_batch_end(self, net, training=False, **kwargs):
        module = dict(net.callbacks_)["moving_average"].module_
        averages = module.state_dict().items()
        self.copies_.append({name: tensor.clone() for name, tensor in averages if tensor.is_floating_point()})


def labeler_of(**params):
    return SoftMatch(**{"n_steps": 40, "batch_size": 8, "mu": 1, "module__width": 8} | params)


def pruner_of(**params):
    defaults = {
        "labeler": labeler_of(),
        "proxy": NetClassifier(module__width=8),  # two steps an epoch
        "difficulty": "aum",
        "selection": Hardest(min_per_class=5),
        "n_epochs": 12,
        "estimate_accuracy": False,
        "random_state": 0,
    }
    return SemiPrune(0.3, **defaults | params)


def supervised(**params):
    defaults = {"proxy": NetClassifier(module__width=8), "difficulty": "aum", "n_epochs": 12}
    defaults |= {"selection": Hardest(min_per_class=5), "random_state": 0}
    return SupervisedPruner(0.3, **defaults | params)


def assert_same_dynamics(dynamics, expected):
    for name, array in vars(expected).items():
        np.testing.assert_array_equal(vars(dynamics)[name], array, err_msg=name)


def test_a_net_ends_after_a_step_with_its_averaged_weights(iris, clock):
    X, _, partial = iris
    net = labeler_of(callbacks=[("averages", Averages())], random_state=0)
    with limited(TimeLimit(7.5, of=7.5)) as limit:
        net.fit(X, partial)
    assert str(limit.cut) == "step 8 of 40"
    assert [row["n_steps"] for row in net.history] == [8]
    assert np.isfinite(net.history[-1]["train_loss"])
    copies = dict(net.callbacks_)["averages"].copies_
    assert len(copies) == 8
    weights = net.module_.state_dict()
    for name, average in copies[-1].items():
        torch.testing.assert_close(weights[name], average, rtol=0, atol=0)


@pytest.mark.parametrize("seconds", [40.5, 39.5])
def test_a_training_that_ends_in_time_is_as_without_a_limit(iris, clock, seconds):
    X, _, partial = iris
    expected = labeler_of(random_state=0).fit(X, partial)
    with limited(TimeLimit(seconds, of=seconds)) as limit:  # the last step ends it anyway
        net = labeler_of(random_state=0).fit(X, partial)
    assert limit.cut is None
    np.testing.assert_array_equal(net.predict_proba(X), expected.predict_proba(X))


def linear_net():
    return NeuralNetClassifier(
        torch.nn.Linear,
        module__in_features=4,
        module__out_features=3,
        criterion=torch.nn.CrossEntropyLoss,
        batch_size=75,
    )


PROXIES = {
    "net": {"proxy": NetClassifier(module__width=8)},
    "net in evaluation": {"proxy": NetClassifier(module__width=8), "record": Recording("eval", kl=True)},
    "every second epoch": {"proxy": NetClassifier(module__width=8), "record": Recording(every=2)},
    "sgd": {"proxy": sgd},
    "sgd, every third epoch": {"proxy": sgd, "record": Recording(every=3)},
    "skorch": {"proxy": linear_net()},
}


@pytest.mark.parametrize("name", PROXIES)
@pytest.mark.parametrize("seconds", [12.5, 13.5])
def test_a_recording_that_is_cut_is_one_of_fewer_epochs(iris, clock, name, seconds):
    X, y, _ = iris
    options = PROXIES[name] | {"n_epochs": 20}
    with pytest.warns(UserWarning, match=rf"time_limit={seconds} ended the recording after epoch \d+ of 20\."):
        pruner = supervised(time_limit=seconds, **options).fit(X, y)
    every = options["record"].every if "record" in options else 1
    n_epochs = pruner.dynamics_.n_epochs * every
    assert pruner.cut_stages_ == {"recording": f"epoch {n_epochs} of 20"}
    assert 4 <= n_epochs < 14
    expected = supervised(**options | {"n_epochs": n_epochs}).fit(X, y)
    assert expected.cut_stages_ == {}
    assert_same_dynamics(pruner.dynamics_, expected.dynamics_)
    np.testing.assert_array_equal(pruner.support_, expected.support_)


def test_both_stages_get_their_share(iris, clock):
    X, _, partial = iris
    with pytest.warns(UserWarning, match="ended the") as caught:
        pruner = pruner_of(time_limit=30, n_epochs=20).fit(X, partial)
    assert list(pruner.cut_stages_) == ["labeling", "recording"]
    assert [str(warning.message).split(" after ")[0] for warning in caught] == [
        "time_limit=30 ended the labeling",
        "time_limit=30 ended the recording",
    ]
    assert clock.now < 1000 + 30 + 8, "a step too many of each stage, and what is read beside"
    assert re.fullmatch(r"step \d of 40", pruner.cut_stages_["labeling"])
    assert pruner.labeler_.history[-1]["n_steps"] == int(pruner.cut_stages_["labeling"].split()[1])


def test_what_is_left_over_goes_to_those_that_come_later(clock):
    work = {"labeling": 1, "recording": 2, "again": 1}
    plan = TimePlan(TimeLimit(101.0, of=101.0), work, recording_stage="recording", least_epochs=1, n_epochs=2)
    assert plan.share("labeling") == pytest.approx(25)
    assert plan.share("recording") == pytest.approx(99 * 2 / 3)
    assert plan.share("recording", n_runs=3) == pytest.approx(98 * 2 / 7)
    clock.now += 60
    assert plan.share("again") == pytest.approx(37)
    first, second = (begin() for begin in plan.limits("recording", 2, 1))
    assert first.seconds == pytest.approx(36 * 2 / 5)
    assert first.seconds + first.reserve == pytest.approx(35 / 2)
    assert second.seconds == pytest.approx(33 * 2 / 3)
    assert second.seconds + second.reserve == pytest.approx(32)
    both = [begin().seconds for begin in plan.limits("recording", 2, 2)]
    assert both == [both[0]] * 2 == [pytest.approx(30 * 2 / 3)] * 2
    sent = pickle.loads(pickle.dumps(plan.limits("recording", 2, 2)[0]))()
    assert sent.seconds == pytest.approx(25 * 2 / 3)
    assert sent.left() == pytest.approx(sent.seconds - 1)
    assert plan.limit("again").reserve == 0.0
    later = plan.limits("recording", 4, 2)[-1]  # begins when two others have ended
    clock.now += 15
    assert later().reserve == 0.0


@pytest.mark.filterwarnings("ignore:time_limit=.* ended the labeling")
@pytest.mark.parametrize("n_repeats", [1, 2])
def test_a_recording_gets_the_epochs_that_it_needs_before_the_estimate(iris, clock, n_repeats):
    X, _, partial = iris
    options = {"estimate_accuracy": True, "difficulty": "dual", "n_repeats": n_repeats}
    pruner = pruner_of(labeler=labeler_of(n_steps=400), time_limit=100, **options)
    with pytest.warns(UserWarning, match="time_limit=100 ended the recording after epoch 10 of 12"):
        pruner.fit(X, partial)
    assert pruner.dynamics_.n_epochs == 10
    assert clock.now < 1100 + 30, "what is read beside"
    with pytest.raises(TimeoutError, match=r"after \d of 12 epochs, and 10 are needed. About \d+ seconds") as error:
        pruner.set_params(time_limit=20).fit(X, partial)
    seconds = int(re.search(r"About (\d+) seconds", str(error.value))[1])
    assert seconds > 20
    with pytest.warns(UserWarning, match="ended the recording"):
        pruner.set_params(time_limit=seconds).fit(X, partial)
    assert pruner.dynamics_.n_epochs >= 10


@pytest.mark.filterwarnings("ignore:time_limit=.* ended the (labeling|recording)")
def test_a_quick_recording_is_not_cut_for_its_few_rows(iris, clock):
    X, _, partial = iris
    pruner = pruner_of(labeler=labeler_of(n_steps=400, batch_size=50), time_limit=300, n_epochs=40).fit(X, partial)
    assert pruner.dynamics_.n_epochs > 10  # by rows alone, it would have a thirteenth of the time


@pytest.mark.parametrize("proxy", ["net", "sgd", "skorch"])
@pytest.mark.parametrize(("difficulty", "selection", "least"), [("dual", "easiest", 10), ("aum", Beta(n_epochs=8), 8)])
def test_too_few_epochs_are_refused_with_the_time_that_would_do(iris, clock, proxy, difficulty, selection, least):
    X, y, _ = iris
    options = {"difficulty": difficulty, "n_epochs": 30, "selection": selection, **PROXIES[proxy]}
    pruner = supervised(time_limit=9, **options).set_params(ratio=0.8)
    with pytest.raises(
        TimeoutError,
        match=rf"time_limit=9 ended the recording after \d of 30 epochs, and {least} are needed. About \d+ s",
    ) as error:
        pruner.fit(X, y)
    assert not hasattr(pruner, "support_")
    seconds = int(re.search(r"About (\d+) seconds", str(error.value))[1])
    assert seconds > 9
    with pytest.warns(UserWarning, match="ended the recording"):
        pruner.set_params(time_limit=seconds).fit(X, y)
    assert pruner.dynamics_.n_epochs >= least


@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")
def test_no_time_at_all_is_refused(iris, clock):
    X, _, partial = iris
    with (
        pytest.warns(UserWarning, match="labeling after step 1 of 40"),
        pytest.raises(TimeoutError, match="of 12 epochs"),
    ):
        pruner_of(time_limit=1e-3, difficulty="dual").fit(X, partial)


def test_a_checkpoint_goes_on_from_the_cut(iris, clock, tmp_path):
    X, _, partial = iris
    expected = pruner_of().fit(X, partial)
    pruner, n_fits, n_cut = pruner_of(time_limit=25, checkpoint=tmp_path), 0, 1
    while n_cut and n_fits < 20:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "time_limit=25 ended")
            n_cut = len(pruner.fit(X, partial).cut_stages_)
        n_fits += 1
        assert len(list(tmp_path.glob("label_pool-*.safetensors"))) == ("labeling" not in pruner.cut_stages_)
    assert 2 < n_fits < 20
    assert clock.now > 1000 + 40 + 24
    assert_same_dynamics(pruner.dynamics_, expected.dynamics_)
    np.testing.assert_array_equal(pruner.labeler_.predict_proba(X), expected.labeler_.predict_proba(X))
    assert not list(tmp_path.glob("*.running")), "of recordings of labels that are no more"
    again = pruner_of(checkpoint=tmp_path).fit(X, partial)
    np.testing.assert_array_equal(again.support_, expected.support_)


def test_a_proxy_with_partial_fit_goes_on_from_the_cut(iris, clock, tmp_path):
    X, y, _ = iris
    expected = supervised(proxy=sgd).fit(X, y)
    pruner = supervised(proxy=sgd, time_limit=6, checkpoint=tmp_path)
    with pytest.warns(UserWarning, match="ended the recording"):
        first = pruner.fit(X, y).dynamics_.n_epochs
    with pytest.warns(UserWarning, match="ended the recording"):
        assert pruner.fit(X, y).dynamics_.n_epochs == 2 * first
    pruner.set_params(time_limit=None).fit(X, y)
    assert_same_dynamics(pruner.dynamics_, expected.dynamics_)


def test_memory_keeps_no_cut_stage(iris, clock, tmp_path):
    X, y, _ = iris
    pruner = supervised(time_limit=12, memory=tmp_path)
    with pytest.warns(UserWarning, match="ended the recording"):
        pruner.fit(X, y)
    pruner.set_params(time_limit=None).fit(X, y)
    assert (pruner.dynamics_.n_epochs, pruner.cut_stages_) == (12, {})
    pruner.set_params(time_limit=1e-3).fit(X, y)
    assert (pruner.dynamics_.n_epochs, pruner.cut_stages_) == (12, {}), "which is read from the cache"


def test_repeats_have_the_same_epochs(iris, clock):
    X, y, _ = iris
    pruner = supervised(time_limit=31, n_repeats=2)
    with pytest.warns(UserWarning, match="ended the recording"):
        pruner.fit(X, y)
    lengths = {dynamics.n_epochs for dynamics in pruner.repeats_}
    assert pruner.cut_stages_ == {"recording": f"epoch {min(lengths)} of 12"}
    assert len(lengths) == 1
    assert pruner.score_std_.max() > 0


def test_the_training_of_the_labeler_is_recorded_as_far_as_it_came(iris, clock):
    X, _, partial = iris
    pruner = pruner_of(proxy="labeler", n_epochs=10, time_limit=40)
    with pytest.warns(UserWarning, match=r"ended the labeling after step \d+ of 40"):
        pruner.fit(X, partial)
    assert pruner.dynamics_.n_epochs == int(pruner.cut_stages_["labeling"].split()[1]) // 4
    with pytest.raises(TimeoutError, match="ended the recording after 0 of 10 epochs, and 1 are needed"):
        pruner.set_params(time_limit=2).fit(X, partial)


@pytest.mark.filterwarnings("ignore:time_limit=150 ended the (labeling|recording) after")
def test_the_labeling_without_a_fifth_takes_as_long_as_the_first(iris, clock):
    X, _, partial = iris
    pruner = pruner_of(labeler=labeler_of(n_steps=120), time_limit=150, estimate_accuracy=True, n_epochs=60)
    with pytest.warns(UserWarning, match="ended the labeling without a fifth of the labels after"):
        pruner.fit(X, partial)
    again = "labeling without a fifth of the labels"
    steps = [int(pruner.cut_stages_[stage].split()[1]) for stage in ("labeling", again)]
    assert 20 < steps[0] < 30
    assert steps[0] - 9 < steps[1] <= steps[0] + 1  # reading the clock takes time here
    assert pruner.pseudo_label_accuracy_ is not None


class SlowSpreading(LabelSpreading):
    """A labeler for which a clock goes on by some seconds; it cannot be ended early."""

    clock, fit_seconds = None, 100.0

    def fit(self, X, y):
        if len(y) == 150:
            self.clock.now += self.fit_seconds
        return super().fit(X, y)


@pytest.mark.parametrize("compares", [False, True])
def test_what_cannot_be_done_any_more_is_left_out(iris, clock, monkeypatch, compares):
    X, _, partial = iris
    monkeypatch.setattr(SlowSpreading, "clock", clock)
    labeler = SlowSpreading(kernel="knn", n_neighbors=10)
    pruner = pruner_of(labeler=labeler, proxy=sgd, estimate_accuracy=True, compare_with_random=compares, time_limit=150)
    with pytest.warns(UserWarning, match="time_limit=150 leaves no time for") as caught:
        pruner.fit(X, partial)
    assert len(caught) == 1 + compares
    assert pruner.cut_stages_ == {}
    assert pruner.dynamics_.n_epochs == 12
    assert (pruner.pseudo_label_accuracy_, pruner.random_comparison_) == (None, None)
    monkeypatch.setattr(SlowSpreading, "fit_seconds", 10.0)
    pruner.set_params(compare_with_random=False).fit(X, partial)
    assert pruner.pseudo_label_accuracy_ is not None


def test_a_labeler_that_takes_all_the_time_leaves_none_for_the_recording(iris, clock, monkeypatch):
    X, _, partial = iris
    monkeypatch.setattr(SlowSpreading, "clock", clock)
    labeler = SlowSpreading(kernel="knn", n_neighbors=10)
    pruner = pruner_of(labeler=labeler, proxy=sgd, difficulty="dual", time_limit=50)
    with pytest.raises(TimeoutError, match="after 1 of 12 epochs, and 10 are needed. About 1[12]. seconds would do"):
        pruner.fit(X, partial)
    pruner.set_params(proxy=HistGradientBoostingClassifier())
    with pytest.raises(
        TimeoutError, match="time_limit=50 was over before HistGradientBoostingClassifier could be trained"
    ):
        pruner.fit(X, partial)


def test_nets_within_other_labelers_are_not_cut(iris, clock):
    X, _, partial = iris
    net = NetClassifier(max_epochs=9, module__width=8, random_state=0)
    labeler = make_pipeline(StandardScaler(), SelfTrainingClassifier(net, max_iter=2))
    pruner = pruner_of(labeler=labeler, proxy=sgd, time_limit=18).fit(X, partial)
    assert len(pruner.labeler_[-1].estimator_.history) == 9
    assert pruner.cut_stages_ == {}


@pytest.mark.filterwarnings("ignore:time_limit=25 ended the recording")
def test_a_pipeline_that_ends_in_a_net_is_cut(iris, clock):
    X, _, partial = iris
    labeler = make_pipeline(StandardScaler(), FixMatch(n_steps=30, batch_size=8, mu=1, module__width=8))
    pruner = pruner_of(labeler=labeler, proxy=sgd, time_limit=25)
    with pytest.warns(UserWarning, match="ended the labeling"):
        pruner.fit(X, partial)


def test_the_report_says_it(iris, clock, tmp_path):
    X, y, _ = iris
    with pytest.warns(UserWarning, match="ended the recording"):
        pruner = supervised(time_limit=12).fit(X, y)
    pruner.report(tmp_path / "report.html", X)
    page = (tmp_path / "report.html").read_text()
    assert f"ended after {pruner.cut_stages_['recording']}" in page


def test_a_search_over_limits(iris):
    X, y, _ = iris
    model = PrunedClassifier(SGDClassifier(random_state=0), supervised(proxy=sgd))
    search = GridSearchCV(model, {"pruner__time_limit": [None, 1e6]}, cv=2).fit(X, y)
    first, second = search.cv_results_["mean_test_score"]
    assert first == second


@pytest.mark.parametrize("seconds", [0, -1.0, "1h", float("nan"), True])
def test_wrong_limits_are_refused(iris, seconds):
    X, y, _ = iris
    with pytest.raises(ValueError, match="time_limit must be above 0, got"):
        supervised(time_limit=seconds).fit(X, y)


def test_several_processes_wait_for_one_another(iris):
    X, y, _ = iris
    with (
        training_with(Ranks(0, 2, True)),
        pytest.raises(ValueError, match="time_limit must be None within data_parallel"),
    ):
        supervised(time_limit=10).fit(X, y)
