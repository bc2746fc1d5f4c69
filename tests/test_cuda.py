"""What is different on a GPU: where tensors are, that results are close to the CPU's, that pickles travel."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch

from skprune import SemiPrune
from skprune.dynamics import DynamicsRecorder, collect_dynamics
from skprune.nets import NetClassifier
from skprune.semi_supervised import FixMatch, FreeMatch, MeanTeacher

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def devices_of(net):
    tensors = (*net.module_.parameters(), *net.module_.buffers())
    return {tensor.device.type for tensor in tensors}


@pytest.mark.parametrize("kind", ["table", "images"])
@pytest.mark.parametrize("device", [None, "auto", "cuda", "cuda:0"])
def test_nets_train_and_predict(iris, images, kind, device):
    X, y, _ = iris if kind == "table" else images
    net = NetClassifier(max_epochs=20, batch_size=32, device=device, random_state=0).fit(X, y)
    assert net.device_.type == "cuda"
    assert devices_of(net) == {"cuda"}
    assert net.precision_ == ("bf16" if kind == "images" and torch.cuda.is_bf16_supported() else "fp32")
    assert net.predict_proba(X).shape == (len(X), len(np.unique(y)))
    assert net.score(X, y) > 0.7
    assert not torch.backends.cudnn.benchmark, "put back after training"


@pytest.mark.parametrize("kind", ["table", "images"])
def test_results_are_close_to_those_of_the_cpu(iris, images, kind):
    X, y, _ = iris if kind == "table" else images
    options = {"max_epochs": 3, "lr": 0.02, "precision": "fp32", "random_state": 0}
    on_cpu, on_gpu = (NetClassifier(device=device, **options).fit(X, y) for device in ("cpu", "cuda"))
    np.testing.assert_allclose(on_gpu.predict_proba(X), on_cpu.predict_proba(X), atol=0.05)
    moved = NetClassifier(device="cuda", precision="fp32").from_arrays(on_cpu.to_arrays())
    np.testing.assert_allclose(moved.predict_proba(X), on_cpu.predict_proba(X), atol=1e-3)


@pytest.mark.parametrize("device", [None, "auto"])
def test_a_loaded_net_goes_where_a_new_one_would(iris, monkeypatch, device):
    X, y, _ = iris
    trained_here = NetClassifier(max_epochs=3, device=device, random_state=0).fit(X, y)
    expected = trained_here.predict_proba(X)
    pickled = pickle.dumps(trained_here)
    again = pickle.loads(pickled)
    assert (again.device, again.device_.type, devices_of(again)) == (device, "cuda", {"cuda"})
    np.testing.assert_allclose(again.predict_proba(X), expected, atol=1e-5)
    again.partial_fit(X, y)
    with monkeypatch.context() as patch:
        patch.setattr("torch.cuda.is_available", lambda: False)
        elsewhere = pickle.loads(pickled)
        assert (elsewhere.device, elsewhere.device_.type, devices_of(elsewhere)) == (device, "cpu", {"cpu"})
        np.testing.assert_allclose(elsewhere.predict_proba(X), expected, atol=1e-3)
        from_cpu = pickle.dumps(NetClassifier(max_epochs=1, device=device, random_state=0).fit(X, y))
    moved = pickle.loads(from_cpu)
    assert (moved.device_.type, devices_of(moved)) == ("cuda", {"cuda"})
    moved.partial_fit(X, y).predict(X)


@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")
@pytest.mark.parametrize(
    "make", [FixMatch, partial(FixMatch, micro_batch=8, alignment="uniform"), FreeMatch, MeanTeacher]
)
@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_semi_supervised_steps(images, make, precision):
    X, _, y_partial = images
    seen = set()

    def strong(x, generator):
        seen.add(x.device.type)
        return x

    net = make(n_steps=30, batch_size=8, mu=2, precision=precision, strong=strong, random_state=0).fit(X, y_partial)
    assert seen == {"cuda"}
    assert net.precision_ == precision
    assert devices_of(net) == {"cuda"}
    assert np.isfinite(net.history[-1]["train_loss"])
    assert net.predict(X).shape == (120,)


def test_default_augmentation_runs_on_the_device(images, iris):
    for X, _, y_partial in (images, iris):
        net = FixMatch(n_steps=120, batch_size=16, mu=2, random_state=0).fit(X, y_partial)
        given = y_partial >= 0
        assert net.score(X[given], y_partial[given]) > 0.8


def test_the_default_optimizer_is_fused(iris):
    X, y, _ = iris
    net = NetClassifier(max_epochs=2, random_state=0).fit(X, y)
    assert [group["fused"] for group in net.optimizer_.param_groups] == [True]


@pytest.mark.parametrize("record", ["train", "eval"])
def test_dynamics_are_recorded(images, record):
    X, y, _ = images
    recorder = DynamicsRecorder(record=record)
    NetClassifier(max_epochs=4, callbacks=[("recorder", recorder)], random_state=0).fit(X, y)
    dynamics = recorder.dynamics_
    assert dynamics.target_proba.shape == dynamics.grad_norm.shape == (4, 120)
    assert np.isfinite(dynamics.target_proba).all()
    on_gpu, on_cpu = (
        collect_dynamics(NetClassifier(device=device, lr=0.02, precision="fp32"), X, y, n_epochs=2, random_state=0)[0]
        for device in ("cuda", "cpu")
    )
    np.testing.assert_allclose(on_gpu.target_proba, on_cpu.target_proba, atol=0.1)


@pytest.mark.parametrize("bad_step", [3, 60])
def test_a_bad_loss_names_its_step(iris, bad_step):
    X, y, _ = iris
    steps = []

    def diverging(x, generator):
        steps.append(1)
        return x * (torch.nan if len(steps) == bad_step else 1)

    net = NetClassifier(n_steps=1000, max_epochs=1, augment=diverging, random_state=0)
    with pytest.raises(FloatingPointError, match=f"at step {bad_step} of epoch 1 "):
        net.fit(X, y)
    assert len(steps) <= bad_step + 51, "one block of 25 steps later than on a CPU"


@pytest.mark.filterwarnings("ignore:The pseudo-labels hold no row")
def test_pruning_from_end_to_end(images):
    X, _, y_partial = images
    pruner = SemiPrune(0.3, labeler=FixMatch(n_steps=60, batch_size=16, mu=2), n_epochs=10, random_state=0)
    pruner.fit(X, y_partial)
    assert pruner.support_.sum() == 36
    assert devices_of(pruner.labeler_) == devices_of(pruner.proxy_) == {"cuda"}
    again = pickle.loads(pickle.dumps(pruner))
    assert devices_of(again.proxy_) == {"cuda"}
    np.testing.assert_allclose(again.proxy_.predict_proba(X), pruner.proxy_.predict_proba(X), atol=1e-2)
    assert SemiPrune(**pruner.get_params(deep=False)).fit(X, y_partial).support_.sum() == 36
