"""NetClassifier and FixMatch as scikit-learn classifiers."""

import pickle
from copy import deepcopy
from functools import partial as partial_function

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier
from skorch.callbacks import Callback
from torchvision import models
from torchvision.transforms import v2

from skprune import SemiPrune
from skprune._utils._device import resolve_device
from skprune.augment import TabularStrong
from skprune.datasets import make_partial_labels
from skprune.nets import MLP, NetClassifier, ResNet9, SmallResNet, WhitenedResNet, WideResNet
from skprune.nets._build import build_module
from skprune.nets._data import EvalBatches, Scaling, TensorPool
from skprune.nets._features import entering, features_warning, proxy_features
from skprune.nets._loss_watch import LossWatch
from skprune.nets._modules import _shortcut
from skprune.nets._moving_average import FloatTensors, ema_decay
from skprune.nets._schedule import CosineSchedule
from skprune.semi_supervised import FixMatch

QUICK = {"n_steps": 10, "batch_size": 8, "mu": 2, "random_state": 0}


def encoded(y, partial, kind):
    """The same labels in another dress."""
    names = {"string": np.array(["zero", "one", "two"], object), "bool": None, "shifted": np.array([5, 1, 9])}[kind]
    out = names[y].astype(object)
    out[partial < 0] = None
    return out


@pytest.mark.parametrize("kind", ["string", "shifted"])
def test_fixmatch_alone_on_a_table(iris, kind):
    X, y, partial = iris
    labels = encoded(y, partial, kind)
    net = FixMatch(**QUICK | {"n_steps": 60}).fit(X, labels)
    assert net.score(X, encoded(y, np.zeros(150), kind).tolist()) > 0.8
    assert set(net.predict(X)) <= set(net.classes_)
    assert None not in net.classes_.tolist()


@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")
def test_fixmatch_alone_on_images(images):
    X, y, partial = images
    net = FixMatch(**QUICK).fit(X, partial)
    proba = net.predict_proba(X)
    assert proba.shape == (120, 10)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert isinstance(net.module_, SmallResNet)
    assert 0 <= net.history[-1]["confident"] <= 1


def test_fixmatch_uses_the_unlabeled_rows():
    X, y = load_digits(return_X_y=True)
    X, y = X[:600], y[:600]
    partial = make_partial_labels(y, n_labeled=40, random_state=0)
    hidden = partial < 0
    with_them = FixMatch(n_steps=300, batch_size=32, random_state=0).fit(X, partial).score(X[hidden], y[hidden])
    without = NetClassifier(n_steps=300, max_epochs=1, batch_size=32, augment="strong", ema=True, random_state=0)
    assert with_them > without.fit(X[~hidden], y[~hidden]).score(X[hidden], y[hidden])


def test_two_labels_of_one_class_and_one_of_another():
    X = np.random.default_rng(0).normal(size=(30, 3))
    y = np.full(30, -1)
    y[:3] = 0, 0, 1
    net = FixMatch(**QUICK).fit(X, y)
    assert net.classes_.tolist() == [0, 1]


@pytest.mark.parametrize("n", [2, 3, 129])
def test_a_last_batch_of_one_row(n):
    X = np.random.default_rng(0).normal(size=(n, 4))
    y = np.arange(n) % 2
    NetClassifier(max_epochs=2, batch_size=128 if n == 129 else 2, random_state=0).fit(X, y)
    images = np.random.default_rng(0).random((n, 1, 8, 8))
    NetClassifier(max_epochs=1, batch_size=128 if n == 129 else 2, random_state=0).fit(images, y)


@pytest.mark.parametrize("make", [NetClassifier, FixMatch])
def test_misspelled_keywords(make):
    with pytest.raises(TypeError, match=f"{make.__name__} got an unexpected keyword argument 'treshold'"):
        make(treshold=0.5)
    with pytest.raises(TypeError, match="unexpected keyword argument 'iterator_train__shuffle'"):
        make(iterator_train__shuffle=True)
    with pytest.raises(ValueError, match="Invalid parameter 'treshold'"):
        make().set_params(treshold=0.5)
    make(module__width=8, optimizer__weight_decay=0.0, criterion__label_smoothing=0.1)


def test_parameters_survive_clone_pickle_and_fit(iris):
    X, _, partial = iris
    net = FixMatch(module__width=8, optimizer__weight_decay=0.01, threshold=0.9, **QUICK)
    before = net.get_params(deep=False)
    net.fit(X, partial)
    assert net.get_params(deep=False) == before
    assert clone(net).get_params(deep=False) == before
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))
    assert net.module_.body[0].out_features == 8
    assert net.optimizer_.param_groups[0]["weight_decay"] == 0.01


def test_parameters_of_a_fitted_net_wait_for_the_next_fit(iris):
    X, _, partial = iris
    net = FixMatch(module__width=8, **QUICK).fit(X, partial)
    before = net.predict_proba(X)
    net.set_params(module__width=16, optimizer__momentum=0.5, compile__mode="default")
    assert net.get_params()["optimizer__momentum"] == 0.5
    np.testing.assert_array_equal(net.predict_proba(X), before)
    assert net.fit(X, partial).module_.body[0].out_features == 16
    assert net.optimizer_.param_groups[0]["momentum"] == 0.5
    with pytest.raises(ValueError, match="Invalid parameter 'strong__corupt'"):
        net.set_params(lr=0.7, strong=TabularStrong(), strong__corupt=1)
    assert (net.lr, net.strong) == (0.1, "auto")
    assert net.set_params(strong=TabularStrong(), strong__corrupt=0.5).strong.corrupt == 0.5


def test_a_training_that_fails_leaves_no_traces(iris):
    X, _, partial = iris
    net = FixMatch(verbose=1, **QUICK).fit(X, partial)
    before = net.predict_proba(X)
    with pytest.raises(FloatingPointError):
        net.set_params(lr=1e12).partial_fit(X, partial)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(net)).predict_proba(X), before)
    assert not any(hasattr(callback, name) for _, callback in net.callbacks_ for name in ("module_", "bar_"))


def test_weights_that_are_shared_are_averaged_once():
    class Tied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = torch.nn.Linear(2, 2, bias=False)
            self.b = self.a

    assert len(FloatTensors(Tied()).list()) == 1


def test_grid_over_nested_parameters(iris):
    X, y, _ = iris
    grid = {"module__width": [4, 8], "lr": [0.05]}
    search = GridSearchCV(NetClassifier(max_epochs=2, random_state=0), grid, cv=2).fit(X, y)
    assert search.best_estimator_.module_.head.in_features == search.best_params_["module__width"]
    assert search.best_estimator_.lr == 0.05


@pytest.mark.parametrize("make", [lambda: FixMatch(**QUICK), lambda: NetClassifier(max_epochs=2, random_state=0)])
def test_global_seeds_do_not_matter(iris, make):
    X, y, partial = iris
    y = partial if isinstance(make(), FixMatch) else y
    out = []
    for seed in (0, 1):
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(seed)
        out.append(make().fit(X, y).predict_proba(X))
        torch.manual_seed(seed)
        expected = torch.rand(1)
        torch.manual_seed(seed)
        make().fit(X, y)
        assert torch.rand(1) == expected, "the global generator was moved"
    np.testing.assert_array_equal(*out)


@pytest.mark.parametrize("make", [lambda **k: FixMatch(**QUICK | k), lambda **k: NetClassifier(random_state=0, **k)])
def test_a_loss_that_is_nan_leaves_nothing_behind(iris, make):
    X, y, _ = iris
    net = make(lr=1e12)
    with pytest.raises(FloatingPointError, match=r"at step \d+ of epoch \d+ .*learning rate of .*Lower lr"):
        net.fit(X, y)
    assert not hasattr(net, "module_")
    assert not hasattr(net, "classes_inferred_")
    good = make().fit(X, y)
    before = good.predict_proba(X)
    good.set_params(lr=1e12)
    with pytest.raises(FloatingPointError):
        good.fit(X, y)
    np.testing.assert_array_equal(good.predict_proba(X), before)


def test_partial_fit_goes_on(iris):
    X, y, _ = iris
    net = NetClassifier(max_epochs=3, random_state=0)
    net.partial_fit(X[:100], y[:100], classes=[0, 1, 2])
    assert net.classes_.tolist() == [0, 1, 2]
    assert len(net.history) == 3
    net.partial_fit(X, y)
    assert len(net.history) == 6
    with pytest.raises(ValueError, match="not among the classes"):
        net.partial_fit(X, y + 1)


def test_fixmatch_goes_on_with_classes_in_any_order(iris):
    X, _, partial = iris
    net = FixMatch(**QUICK).partial_fit(X, partial, classes=[2, 0, 1])
    assert net.classes_.tolist() == [0, 1, 2]
    assert len(net.partial_fit(X, partial).history) == 2


def test_a_failed_partial_fit_changes_nothing(iris):
    X, y, _ = iris
    net = NetClassifier(max_epochs=3, random_state=0).fit(X, y)
    before = net.predict_proba(X)
    net.set_params(lr=1e12)
    with pytest.raises(FloatingPointError):
        net.partial_fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(X), before)
    assert len(net.history) == 3
    net.set_params(lr=0.01).partial_fit(X, y)
    assert net.score(X, y) > 0.8


def test_subclasses_may_add_parameters(iris):
    class Warm(FixMatch):
        def __init__(self, temperature=1.0, **kwargs):
            super().__init__(**kwargs)
            self.temperature = temperature

    X, _, partial = iris
    net = clone(Warm(temperature=2.0, threshold=0.9, **QUICK)).fit(X, partial)
    assert net.get_params()["temperature"] == 2.0
    assert net.get_params()["threshold"] == 0.9
    with pytest.raises(TypeError, match="unexpected keyword argument 'temprature'"):
        Warm(temprature=1.0)


def test_the_scale_of_the_data_does_not_matter(images):
    X, y, _ = images
    small = (X / 255.0 * 16).round()
    net = NetClassifier(max_epochs=3, random_state=0).fit(small, y)
    np.testing.assert_allclose(net.predict_proba(small.astype(np.uint8)), net.predict_proba(small), atol=1e-6)
    table = X.reshape(len(X), -1)[:, 20:40] * 1.0
    tiny = [NetClassifier(max_epochs=3, random_state=0).fit(table * s, y).predict_proba(table * s) for s in (1, 1e-13)]
    np.testing.assert_allclose(tiny[0], tiny[1], atol=1e-3)


def test_criterion_weights_follow_the_device(iris):
    X, y, _ = iris
    net = NetClassifier(max_epochs=1, random_state=0, criterion__weight=torch.tensor([1.0, 2.0, 3.0])).fit(X, y)
    assert net.criterion_.weight.device.type == net.device_.type


def test_parts_of_a_batch_add_up_to_it(iris):
    X, y, _ = iris
    gradients, sizes = {}, []

    class Linear(torch.nn.Linear):
        def __init__(self):
            super().__init__(4, 3)

        def forward(self, x):
            if torch.is_grad_enabled():
                sizes.append(len(x))
            return super().forward(x)

    class Spy(Callback):
        def on_grad_computed(self, net, **kwargs):
            gradients.setdefault(net.micro_batch, []).append(net.module_.weight.grad.clone())

    def fitted(micro_batch):
        net = NetClassifier(
            Linear,
            micro_batch=micro_batch,
            batch_size=50,
            max_epochs=2,
            callbacks=[Spy()],
            criterion__weight=torch.tensor([1.0, 5.0, 20.0]),
            random_state=0,
        )
        return net.fit(X, y)

    whole = fitted(None)
    sizes.clear()
    parts = fitted(16)
    assert sizes == [13, 13, 12, 12] * 3 * 2
    for one, other in zip(gradients[None], gradients[16], strict=True):
        torch.testing.assert_close(one, other)
    np.testing.assert_allclose(parts.predict_proba(X), whole.predict_proba(X), atol=1e-6)
    assert parts.history[-1]["train_loss"] == pytest.approx(whole.history[-1]["train_loss"])


def test_nothing_of_the_training_stays_on_the_net(iris):
    X, _, partial = iris
    net = FixMatch(**QUICK).fit(X, partial)
    assert net.confident_ is None
    with pytest.raises(NotFittedError):
        FixMatch().predict(X)


def test_arrays_rebuild_the_net(iris):
    X, _, partial = iris
    net = FixMatch(**QUICK).fit(X, partial)
    again = clone(net).from_arrays(net.to_arrays())
    np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))
    assert again.history[-1]["train_loss"] == net.history[-1]["train_loss"]


def test_predict_refuses_other_shapes(images):
    X, y, _ = images
    net = NetClassifier(max_epochs=1, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="X has 63 features, but NetClassifier is expecting 64 features"):
        net.predict(np.zeros((2, 1, 7, 9)))
    with pytest.raises(ValueError, match="rows of shape"):
        net.predict(np.zeros((2, 64)))


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (FixMatch(threshold=1.5), "threshold must be within"),
        (FixMatch(labeled_strong=1.5), "labeled_strong must be within"),
        (FixMatch(mu=0), "mu must be an integer of at least 1"),
        (FixMatch(weak="none"), "weak must be 'auto', None or a callable"),
        (NetClassifier(augment="mild"), "augment must be"),
        (NetClassifier(device="gpu"), "device must be None, 'auto' or a device of torch.*got 'gpu'"),
        (NetClassifier(precision="fp16"), "precision must be"),
        (NetClassifier(n_steps=True), "n_steps must be"),
        (NetClassifier(optimizer__lr=0.1), "optimizer__lr is not used.*Set lr"),
        (FixMatch(batch_size=64.0), "batch_size must be an integer"),
        (FixMatch(n_steps=None), "n_steps must be 'auto' or an integer"),
        (NetClassifier(batch_size=1), "batch_size must be an integer of at least 2"),
        (NetClassifier(micro_batch=1), "micro_batch must be None or an integer of at least 2"),
    ],
)
def test_refused_parameters(iris, net, message):
    X, y, _ = iris
    with pytest.raises(ValueError, match=message):
        net.fit(X, y)


def test_module_instances_are_refused(iris):
    X, y, _ = iris
    with pytest.raises(TypeError, match="class or a callable, not an instance"):
        NetClassifier(MLP(4, 3)).fit(X, y)


def test_a_module_of_the_user_is_sized(iris):
    X, y, _ = iris

    class Linear(torch.nn.Module):
        def __init__(self, n_features, n_classes, bias=True):
            super().__init__()
            self.layer = torch.nn.Linear(n_features, n_classes, bias=bias)

        def forward(self, x):
            return self.layer(x)

    net = NetClassifier(Linear, module__bias=False, max_epochs=1, random_state=0).fit(X, y)
    assert net.module_.layer.in_features == 4
    assert net.module_.layer.bias is None


@pytest.mark.parametrize("module", [SmallResNet, WhitenedResNet, WideResNet, ResNet9, "resnet18", models.resnet18])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28)])
def test_networks_are_sized_from_images(module, shape):
    options = {"depth": 10} if module is WideResNet else {"width": 8} if isinstance(module, type) else {}
    net = build_module(module, shape, 7, options).eval()
    x = torch.zeros(2, *shape)
    assert net(x).shape == (2, 7)
    assert net(x.contiguous(memory_format=torch.channels_last)).shape == (2, 7)


class Own(SmallResNet):
    """A network of a user."""


@pytest.mark.parametrize("module", [SmallResNet, WhitenedResNet, Own])
def test_small_images_keep_their_resolution(module):
    strides = [build_module(module, (1, side, side), 2, {}).stem[0].stride for side in (8, 24)]
    assert strides == [(1, 1), (2, 2)]


@pytest.mark.parametrize(("channels", "width", "n_filters"), [(1, 16, 16), (3, 16, 16), (1, 64, 18), (3, 5, 4)])
def test_whitened_patches_are_uncorrelated(channels, width, n_filters):
    """Their variances are those of the components, each over itself plus a twentieth."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(70, channels, 10, 10, generator=generator).cumsum(dim=3) / 3
    net = build_module(WhitenedResNet, (channels, 10, 10), 4, {"width": width}).eval()
    assert net(images).shape == (70, 4)
    net.whiten(images)
    filters = net.stem[0].weight
    assert filters.shape == (n_filters, channels, 3, 3)
    half = n_filters // 2
    torch.testing.assert_close(filters[half:], -filters[:half])
    patches = torch.nn.functional.unfold(images, 3).transpose(1, 2).flatten(0, 1)
    whitened = patches @ filters[:half].flatten(1).T
    moments = (whitened.T @ whitened / len(whitened)).double()
    variances = torch.linalg.eigvalsh((patches.T @ patches / len(patches)).double()).flip(0)[:half]
    torch.testing.assert_close(moments, (variances / (variances + 0.05)).diag(), atol=1e-4, rtol=1e-4)


def test_filters_that_whiten_are_found_once_and_not_trained(images):
    X, y, _ = images
    net = NetClassifier(WhitenedResNet, module__width=8, batch_size=40, max_epochs=2, ema=True, random_state=0).fit(
        X, y
    )
    first = net.module_.stem[0].weight.clone()
    other = NetClassifier(WhitenedResNet, module__width=8, max_epochs=1, random_state=1).fit(X, 9 - y)
    assert torch.equal(other.module_.stem[0].weight, first)  # they depend on the images alone
    expected = WhitenedResNet(1, 10, width=8)
    expected.whiten(net.get_dataset(X).finish(net.get_dataset(X).raw(slice(None))))
    torch.testing.assert_close(expected.stem[0].weight, first)
    net.partial_fit(X[:60][::-1].copy() // 2, y[:60])
    assert torch.equal(net.module_.stem[0].weight, first)
    again = NetClassifier(WhitenedResNet, module__width=8, random_state=0).from_arrays(net.to_arrays())
    np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))


def test_a_flag_of_that_name_whitens_nothing(images):
    class Flagged(SmallResNet):
        whiten = True

    X, y, _ = images
    net = NetClassifier(Flagged, module__width=8, max_epochs=1, random_state=0).fit(X, y)
    expected = NetClassifier(SmallResNet, module__width=8, max_epochs=1, random_state=0).fit(X, y)
    np.testing.assert_array_equal(net.predict_proba(X), expected.predict_proba(X))


def test_images_too_small_to_whiten_are_refused():
    X, y = np.zeros((8, 2, 2), np.uint8), np.arange(8) % 2
    with pytest.raises(ValueError, match="WhitenedResNet needs images of at least 3 x 3 pixels, got 2 x 2"):
        NetClassifier(WhitenedResNet, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="WhitenedResNet is a network for images, but X is a table"):
        NetClassifier(WhitenedResNet, random_state=0).fit(X.reshape(8, 4), y)


def test_networks_have_their_published_sizes():
    def weights(net):
        return sum(tensor.numel() for tensor in net.parameters())

    assert weights(WideResNet(3, 10)) == pytest.approx(1.47e6, rel=0.01)
    assert weights(WideResNet(3, 10, depth=16)) == pytest.approx(0.69e6, rel=0.01)
    assert weights(ResNet9(3, 10)) == pytest.approx(6.57e6, rel=0.01)
    assert weights(build_module("resnet18", (3, 32, 32), 10, {})) == pytest.approx(11.17e6, rel=0.01)


def test_residual_nets_of_torchvision_get_their_ends():
    small, large = (build_module("resnet18", (1, side, side), 5, {}) for side in (32, 64))
    assert (small.conv1.kernel_size, small.conv1.stride, small.conv1.in_channels) == ((3, 3), (1, 1), 1)
    assert isinstance(small.maxpool, torch.nn.Identity)
    assert (large.conv1.kernel_size, large.conv1.in_channels) == ((7, 7), 1)
    own = build_module(models.ResNet, (3, 32, 32), 5, {"block": models.resnet.BasicBlock, "layers": [1, 1, 1, 1]})
    assert own(torch.zeros(2, 3, 32, 32)).shape == (2, 5)


def test_pretrained_residual_nets_keep_their_first_layer(monkeypatch):
    weights = models.ResNet18_Weights.IMAGENET1K_V1
    stored = models.resnet18().state_dict()
    monkeypatch.setattr(models.ResNet18_Weights, "get_state_dict", lambda *args, **kwargs: stored)
    net = build_module("resnet18", (3, 32, 32), 7, {"weights": weights})
    assert torch.equal(net.conv1.weight, stored["conv1.weight"])
    assert torch.equal(net.layer4[1].conv2.weight, stored["layer4.1.conv2.weight"])
    assert net(torch.zeros(2, 3, 32, 32)).shape == (2, 7)
    with pytest.raises(ValueError, match="torchvision's weights are for 3 channels, but X has 1"):
        build_module("resnet18", (1, 32, 32), 7, {"weights": weights})


def test_networks_that_do_not_fit_are_refused(iris, images):
    X, y, _ = iris
    with pytest.raises(
        ValueError,
        match=r"ShuffleNetV2 returns outputs of shape \(2, 1000\) for two rows, but 10 classes need \(2, 10\)",
    ):
        NetClassifier(models.shufflenet_v2_x0_5).fit(np.stack([images[0]] * 3, axis=1), images[1])
    with pytest.raises(ValueError, match="ResNet9 does not take rows of shape"):
        NetClassifier(ResNet9).fit(images[0][:, :6, :6], images[1])
    with pytest.raises(ValueError, match="resnet18 is a network for images"):
        NetClassifier(partial_function(models.resnet18, norm_layer=None)).fit(X, y)
    with pytest.raises(ValueError, match="Unknown module 'resnet81'.*Did you mean 'resnet18'"):
        NetClassifier("resnet81").fit(X, y)
    for module in ("resnet18", WideResNet):
        with pytest.raises(ValueError, match="is a network for images, but X is a table of 4 columns"):
            NetClassifier(module).fit(X, y)
    with pytest.raises(ValueError, match="depth must be 6 m"):
        WideResNet(3, 10, depth=20)


def test_images_as_flat_rows_and_floats(images):
    X, y, _ = images
    flat = NetClassifier(max_epochs=2, random_state=0, image_shape=(1, 8, 8)).fit(X.reshape(120, 64), y)
    deep = NetClassifier(max_epochs=2, random_state=0).fit(X, y)
    np.testing.assert_array_equal(flat.predict_proba(X.reshape(120, 64)), deep.predict_proba(X))
    NetClassifier(max_epochs=1, random_state=0).fit(X / 255.0 - 3.0, y).predict(X / 255.0 - 3.0)


def test_schedules():
    fixmatch, annealed = CosineSchedule(7 / 16), CosineSchedule(None)
    assert fixmatch.factor(0) == annealed.factor(0) == 1
    assert fixmatch.factor(1) == pytest.approx(np.cos(7 * np.pi / 16))
    assert annealed.factor(1) == annealed.factor(2) == 0
    assert ema_decay(90) == pytest.approx(0.91)
    assert ema_decay(10**6) == 0.999


@pytest.mark.parametrize(("part", "expected"), [(0.0, 0), (0.5, 4), (1.0, 8), ("auto", 0)])
def test_part_of_the_labeled_rows_is_strong(iris, part, expected):
    X, _, partial = iris
    seen = []

    def strong(x, generator):
        seen.append(len(x))
        return x

    FixMatch(labeled_strong=part, strong=strong, **QUICK).fit(X, partial)
    assert set(seen) == {expected + 16}


@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")
def test_half_of_the_labeled_images_is_strong(images):
    X, _, partial = images
    seen = []

    def strong(x, generator):
        seen.append(len(x))
        return x

    FixMatch(strong=strong, **QUICK).fit(X, partial)
    assert set(seen) == {4 + 16}


def test_predictions_come_from_the_moving_average(iris):
    X, _, partial = iris
    raw = FixMatch(**QUICK, ema=False).fit(X, partial)
    averaged = FixMatch(**QUICK).fit(X, partial)
    assert not np.array_equal(raw.predict_proba(X), averaged.predict_proba(X))


@pytest.mark.parametrize(
    "make",
    [lambda **k: FixMatch(teacher="ema", **QUICK, **k), lambda **k: NetClassifier(max_epochs=2, random_state=0, **k)],
)
def test_a_compiled_network_is_the_same(iris, make):
    X, _, partial = iris
    y = np.maximum(partial, 0) if isinstance(make(), NetClassifier) else partial
    plain, compiled = make().fit(X, y), make(compile=True, compile__backend="eager").fit(X, y)
    assert compiled.module_._compiled_call_impl is not None
    np.testing.assert_allclose(compiled.predict_proba(X), plain.predict_proba(X), atol=1e-5)
    again = pickle.loads(pickle.dumps(compiled))
    np.testing.assert_array_equal(again.predict_proba(X), compiled.predict_proba(X))
    np.testing.assert_array_equal(
        clone(compiled).from_arrays(compiled.to_arrays()).predict_proba(X), again.predict_proba(X)
    )


def test_each_size_of_a_training_pass_is_compiled_once_and_predictions_are_not(iris):
    X, _, partial = iris
    sizes = []

    def backend(graph, inputs):
        sizes.append([tuple(tensor.shape) for tensor in inputs if getattr(tensor, "shape", ())[1:] == (4,)])
        return graph.forward

    torch.compiler.reset()  # forgets what other tests have compiled
    net = FixMatch(compile=True, compile__backend=backend, **QUICK).fit(X, partial)
    for n_rows in (150, 33, 16):
        net.predict(X[:n_rows])
    inputs = [shape for compiled in sizes for shape in compiled if shape[0] != 256]  # and not the first weights
    assert inputs == [(16, 4), (24, 4)]


def test_silence_and_progress(iris, capsys):
    X, _, partial = iris
    FixMatch(**QUICK).fit(X, partial)
    assert capsys.readouterr() == ("", "")
    FixMatch(**QUICK, verbose=1).fit(X, partial)
    shown = capsys.readouterr().err
    for part in ("labeling", "epoch=1/1", "loss=", "confident="):
        assert part in shown


def test_nets_reject_what_is_no_training_set(iris):
    X, y, _ = iris
    with pytest.raises(ValueError, match="one class only"):
        NetClassifier().fit(X, np.zeros(150))
    with pytest.raises(ValueError, match="requires y"):
        NetClassifier().fit(X, None)
    with pytest.raises(ValueError, match="masked labels"):
        NetClassifier().fit(X, np.ma.MaskedArray(y, mask=np.arange(150) == 3))
    with pytest.raises(ValueError, match="X has 150 rows, y has 149"):
        NetClassifier().fit(X, y[:-1])
    with pytest.raises(RuntimeError, match="call fit, not initialize"):
        NetClassifier().initialize()


class RateLog(Callback):
    """Note the learning rate of every parameter group at every step."""

    def on_train_begin(self, net, **kwargs):
        self.rates = []

    def on_batch_end(self, net, training=False, **kwargs):
        self.rates.append([group["lr"] for group in net.optimizer_.param_groups])


def test_the_rate_falls_over_schedule_epochs(iris):
    X, y, _ = iris
    log = RateLog()
    options = {"max_epochs": 2, "lr": 0.3, "n_steps": 5, "callbacks": [("log", log)], "random_state": 0}
    NetClassifier(schedule_epochs=4, **options).fit(X, y)
    expected = [[0.3 * (1 + np.cos(np.pi * step / 20)) / 2] for step in range(10)]
    np.testing.assert_allclose(log.rates, expected)
    NetClassifier(schedule_epochs=1, **options).fit(X, y)  # shorter than the training: that counts
    np.testing.assert_allclose(log.rates, [[0.3 * (1 + np.cos(np.pi * step / 10)) / 2] for step in range(10)])


def test_parameter_groups_keep_their_rates(iris):
    X, y, _ = iris
    log = RateLog()
    groups = [("head.*", {"lr": 0.01}), ("body.0.*", {"weight_decay": 0.0})]
    net = NetClassifier(
        max_epochs=1, n_steps=4, lr=0.2, optimizer__param_groups=groups, callbacks=[("log", log)], random_state=0
    )
    factors = (1 + np.cos(np.pi * np.arange(4) / 4)) / 2
    net.fit(X, y)
    np.testing.assert_allclose(log.rates, factors[:, None] * [0.01, 0.2, 0.2])
    net.partial_fit(X, y)  # the schedule starts again, at the rates that were asked for
    np.testing.assert_allclose(log.rates, factors[:, None] * [0.01, 0.2, 0.2])
    net.set_params(lr=0.4).partial_fit(X, y)
    np.testing.assert_allclose(log.rates, factors[:, None] * [0.01, 0.4, 0.4])


def test_optimizer_lr_is_refused_on_fitted_nets_too(iris):
    X, y, _ = iris
    net = NetClassifier(max_epochs=1, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="optimizer__lr is not used"):
        net.set_params(optimizer__lr=0.5).fit(X, y)


def test_entries_of_parameter_groups_are_refused_at_once(iris):
    """skorch would set them on the optimizer that is there; the next fit builds another, which does not take them."""
    X, y, _ = iris
    name = "optimizer__param_groups__0__lr"
    message = rf"{name} is no parameter of NetClassifier, .* Use optimizer__param_groups=\[\(pattern, options\)"
    net = NetClassifier(max_epochs=1, random_state=0)
    for state in (net, net.fit(X, y)):
        with pytest.raises(ValueError, match=message):
            state.set_params(lr=0.5, **{name: 0.01})
    assert net.lr == 0.1
    assert name not in net.get_params()
    net.fit(X, y)
    with pytest.raises(ValueError, match=message):
        NetClassifier(**{name: 0.01})
    own = [("head.*", {"lr": 0.01})]
    assert net.set_params(optimizer__param_groups=own).fit(X, y).optimizer_.param_groups[0]["initial_lr"] == 0.01


@pytest.mark.parametrize(
    ("net", "rows"),
    [
        (NetClassifier(batch_size=2, max_epochs=1), 16),
        (NetClassifier(batch_size=128, max_epochs=1), 1024),
        (NetClassifier(batch_size=5000, max_epochs=1), 1024),
        (FixMatch(batch_size=2, mu=3, n_steps=1), 64),
        (FixMatch(batch_size=64, mu=7, n_steps=1), 1024),
    ],
)
def test_batch_size_bounds_the_rows_of_a_prediction(net, rows):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1100, 3)), rng.integers(2, size=1100)
    passed = []

    class Watched(MLP):
        def forward(self, x):
            if not self.training:
                passed.append(len(x))
            return super().forward(x)

    net = clone(net).set_params(module=Watched, random_state=0).fit(X, y)
    passed.clear()
    assert len(net.predict_proba(X)) == 1100
    assert max(passed) == rows
    assert sum(passed) == 1100


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10, 11])
def test_evaluation_batches_hold_every_row_once(size):
    pool = TensorPool(torch.arange(10.0)[:, None], torch.arange(10), Scaling(0, 1, [0.0], [1.0]))
    batches = list(EvalBatches(pool, size))
    assert len(batches) == len(EvalBatches(pool, size))
    assert max(len(labels) for _, labels in batches) == min(size, 10)
    assert torch.cat([labels for _, labels in batches]).tolist() == list(range(10))
    assert torch.cat([x for x, _ in batches]).flatten().tolist() == list(range(10))


@pytest.mark.parametrize("chunk_rows", [1, 3, 7, 8, 20])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_standardization_reads_every_row(chunk_rows, dtype, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, size=(8, 2, 5, 5)).astype(dtype)
    images[-1] = images[-1] // 2  # the last row is unlike the others
    monkeypatch.setattr("skprune._utils._mapped._CHUNK_BYTES", chunk_rows * images[0].nbytes)
    scaling = Scaling.fit(images)
    unit = (images - float(images.min())) / float(np.ptp(images)) if dtype == np.float32 else images / 255.0
    np.testing.assert_allclose(scaling.mean, unit.mean(axis=(0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(scaling.std, unit.std(axis=(0, 2, 3)), rtol=1e-6)


@pytest.mark.parametrize("outlier", [1e6, -1e6])
def test_one_pixel_does_not_squeeze_the_others(outlier):
    images = np.random.default_rng(0).random((100, 1, 8, 8))
    usual = Scaling.fit(images)
    assert (usual.low, usual.span, usual.clip) == (images.min(), np.ptp(images), False)
    images[3, 0, 2, 2] = outlier
    with pytest.warns(UserWarning, match=r"99.8 % of them lie between .*The others are clipped"):
        scaling = Scaling.fit(images)
    unit = scaling.to_tensor(images).numpy()
    assert (unit.min(), unit.max()) == (0, 1)
    assert unit[3, 0, 2, 2] == (outlier > 0)
    others = np.delete(unit, 3, axis=0)
    assert others.std() == pytest.approx(np.delete(images, 3, axis=0).std(), rel=0.02)
    assert scaling.std[0] == pytest.approx(unit.std(), rel=1e-5)
    again = Scaling(**vars(scaling))
    np.testing.assert_array_equal(again.to_tensor(images), unit)


def test_rare_bright_pixels_and_constant_images_keep_their_range():
    images = np.zeros((100, 1, 10, 10), np.float32)
    assert Scaling.fit(images).to_tensor(images).abs().max() == 0
    images[7, 0, 3, 3] = 5.0  # between the percentiles all is 0
    scaling = Scaling.fit(images)
    assert (scaling.low, scaling.span, scaling.clip) == (0.0, 5.0, False)


def test_scaling_samples_large_pools_evenly(monkeypatch):
    monkeypatch.setattr("skprune.nets._data._SAMPLED_PIXELS", 1000)
    images = np.random.default_rng(0).random((50, 1, 16, 16))
    images[10, 0, 0, 0] = 1e6
    with pytest.warns(UserWarning, match="The others are clipped"):
        scaling = Scaling.fit(images)
    assert scaling.low == pytest.approx(0, abs=0.02)
    assert scaling.span == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("lagging", [False, True])
@pytest.mark.parametrize("n_steps", [3, 10, 25, 27])
def test_blocks_of_losses_hold_every_step_once(lagging, n_steps):
    watch = LossWatch(5, lagging=lagging)
    blocks, read_at = [], []
    for step in range(n_steps):
        for block in watch.add(torch.tensor(float(step)), torch.tensor(step / 100), step / 10):
            blocks.append(block)
            read_at.append(step)
    blocks += watch.finish()
    assert torch.cat([block.losses for block in blocks]).tolist() == list(range(n_steps))
    assert [rate for block in blocks for rate in block.rates] == [step / 10 for step in range(n_steps)]
    assert [block.first for block in blocks] == list(range(0, n_steps, 5))
    assert blocks[0].confident.tolist() == pytest.approx([step / 100 for step in range(min(5, n_steps))])
    assert read_at == list(range(9 if lagging else 4, n_steps, 5))


@pytest.mark.parametrize("bad_step", [1, 25, 26, 60])
def test_a_bad_loss_is_found_long_before_the_epoch_ends(iris, bad_step):
    X, y, _ = iris
    steps = []

    class Diverging(MLP):
        def forward(self, x):
            out = super().forward(x)
            if self.training:
                steps.append(1)
            return out * (torch.inf if len(steps) >= bad_step else 1)

    net = NetClassifier(Diverging, n_steps=500, max_epochs=1, random_state=0)
    with pytest.raises(FloatingPointError, match=rf"is nan at step {bad_step} of epoch 1 \(step {bad_step} overall\)"):
        net.fit(X, y)
    # on a GPU a block of losses is read while the next one runs
    late = 25 if resolve_device(None).type == "cpu" else 50
    assert bad_step <= len(steps) <= bad_step + late


def test_the_moving_average_is_that_of_every_tensor():
    class Counting(torch.nn.Module):
        """Its buffer is another tensor after each pass."""

        def __init__(self, n_features, n_classes):
            super().__init__()
            self.layer = torch.nn.Linear(n_features, n_classes)
            self.register_buffer("passes", torch.zeros(()))

        def forward(self, x):
            if self.training:
                self.passes = self.passes + 1.0
            return self.layer(x)

    trace = []

    class Trace(Callback):
        def on_train_begin(self, net, **kwargs):
            trace.append({name: tensor.clone() for name, tensor in net.module_.state_dict().items()})

        on_batch_end = on_train_begin

    rng = np.random.default_rng(0)
    net = NetClassifier(
        Counting, n_steps=6, max_epochs=2, batch_size=8, ema=True, callbacks=[("trace", Trace())], random_state=0
    ).fit(rng.normal(size=(40, 3)), np.arange(40) % 2)
    average = trace[0]
    for step, current in enumerate(trace[1:]):
        decay = min(0.999, (1 + step) / (10 + step))
        average = {name: decay * average[name] + (1 - decay) * current[name] for name in average}
    assert len(trace) == 13
    assert trace[-1]["passes"] == 12
    for name, tensor in net.module_.state_dict().items():
        torch.testing.assert_close(tensor, average[name])


def test_resnet9_scales_its_largest_activations():
    net = ResNet9(3, 4, width=4).eval()
    x = torch.rand(2, 3, 16, 16)
    maps = net.body(net.stem(x))
    assert maps.shape == (2, 32, 2, 2)
    expected = maps.flatten(2).max(dim=2).values / 8 @ net.head.weight.T
    torch.testing.assert_close(net(x), expected)


def test_narrow_shortcuts_are_strided_convolutions():
    x = torch.randn(3, 4, 7, 6)
    shortcut = _shortcut(4, 8, 2)
    torch.testing.assert_close(shortcut(x), torch.nn.functional.conv2d(x, shortcut.weight, stride=2))
    assert list(shortcut.state_dict()) == ["weight"]


def test_repr_shows_what_was_changed():
    assert repr(NetClassifier()) == "NetClassifier()"
    assert repr(NetClassifier(lr=0.2, module__width=8)) == "NetClassifier(lr=0.2, module__width=8)"
    assert repr(FixMatch(mu=2, threshold=0.9)) == "FixMatch(mu=2, threshold=0.9)"
    pruner = SemiPrune(labeler=FixMatch(mu=2))
    assert "labeler=FixMatch(mu=2)" in repr(pruner)
    assert "FixMatch" in pruner._repr_html_()


def test_features_enter_the_last_layer_or_are_named_log_probabilities(iris):
    X, y, _ = iris
    net = NetClassifier(max_epochs=1, random_state=0).fit(X, y)
    features = proxy_features(net, X)
    with torch.no_grad():
        logits = deepcopy(net.module_.head).cpu()(torch.from_numpy(entering(net, X)))
    np.testing.assert_allclose(logits.softmax(dim=1), net.predict_proba(X), atol=1e-5)
    assert features.shape == (150, 128)
    assert features_warning(net, features) is None

    class Scaled(MLP):
        def forward(self, x):
            return 2 * super().forward(x)

    net = NetClassifier(Scaled, max_epochs=1, random_state=0).fit(X, y)
    features = proxy_features(net, X)
    warning = features_warning(net, features)
    assert warning.startswith("NetClassifier with module Scaled does not show a linear layer")
    np.testing.assert_allclose(np.exp(features), net.predict_proba(X), rtol=1e-5, atol=1e-11)
    tree = DecisionTreeClassifier().fit(X, y)
    assert proxy_features(tree, X).shape == (150, 3)
    assert features_warning(tree, proxy_features(tree, X)) is None, "documented"


@pytest.mark.parametrize("net", [NetClassifier(), FixMatch()], ids=lambda net: type(net).__name__)
def test_labels_for_some_rows_only(iris, net):
    X, y, _ = iris
    for fit in (net.fit, net.partial_fit):
        with pytest.raises(ValueError, match="X has 150 rows, y has 40"):
            fit(X, y[:40])  # all of one class


@pytest.mark.parametrize(("kind", "name"), [(NetClassifier, "augment"), (FixMatch, "weak"), (FixMatch, "strong")])
def test_a_transform_of_torchvision_is_refused_with_the_way_to_use_it(kind, name):
    transform = v2.RandomHorizontalFlip(p=1.0)
    message = f"{name} must be a function .*RandomHorizontalFlip is a torch module.*def {name}\\(x, generator\\)"
    with pytest.raises(TypeError, match=message):
        kind(**{name: transform})
    with pytest.raises(TypeError, match=message):
        kind().set_params(**{name: transform})
    seen = []

    def augment(x, generator):
        seen.append(x)
        return torch.stack([transform(image) for image in x])

    X = np.random.default_rng(0).integers(0, 256, (20, 3, 8, 8), dtype=np.uint8)
    params = {"max_epochs": 1, "n_steps": 2, "batch_size": 4, "device": "cpu"}
    kind(**{name: augment}, **params).fit(X, np.arange(20) % 2)
    assert seen
