"""Rules and alignment of the semi-supervised nets, against the formulas of their papers written out in numpy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skprune.semi_supervised._alignment import Alignment
from skprune.semi_supervised._flexmatch import CurriculumThreshold
from skprune.semi_supervised._freematch import SelfAdaptiveThreshold
from skprune.semi_supervised._meanteacher import MeanSquareRule
from skprune.semi_supervised._rules import FixedThreshold, RampedRule
from skprune.semi_supervised._softmatch import GaussianWeight

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


def probabilities(seed, n=20, n_classes=4):
    return torch.from_numpy(np.random.default_rng(seed).dirichlet(np.full(n_classes, 0.3), n)).float()


def decay_at(step, momentum):
    """The decay of a running mean: small at first, so that its start fades."""
    return min(momentum, (1 + step) / (10 + step))


@settings(max_examples=40)
@given(
    name=st.sampled_from(sorted(RULES)),
    seed=st.integers(0, 999),
    steps=st.integers(1, 5),
    k=st.integers(2, 5),
    scale=st.sampled_from([1.0, 1000.0]),
)
def test_rules_give_weights_between_0_and_1_and_a_finite_loss(name, seed, steps, k, scale):
    rule = RULES[name]().start(k, 30, CPU)
    source = torch.Generator().manual_seed(seed)
    for step in range(steps):
        teacher = scale * torch.randn(20, k, generator=source)
        target, weight = rule(teacher.softmax(dim=1), torch.randperm(30, generator=source)[:20])
        assert weight.shape == (20,)
        assert ((weight >= 0) & (weight <= 1)).all()
        logits = (scale * torch.randn(20, k, generator=source)).requires_grad_()
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


@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.999])
def test_self_adaptive_thresholds_follow_their_paper(momentum):
    rule = SelfAdaptiveThreshold(momentum, 0.5).start(4, 50, CPU)
    threshold, share, histogram = 0.25, np.full(4, 0.25), np.full(4, 0.25)
    for step in range(8):
        proba = probabilities(step).numpy().astype(np.float64)
        decay = decay_at(step, momentum)
        target, confidence = proba.argmax(axis=1), proba.max(axis=1)
        counts = np.bincount(target, minlength=4) / 20
        threshold = decay * threshold + (1 - decay) * confidence.mean()
        share = decay * share + (1 - decay) * proba.mean(axis=0)
        histogram = decay * histogram + (1 - decay) * counts
        expected = confidence >= threshold * (share / share.max())[target]
        got_target, weight = rule(torch.from_numpy(proba).float(), torch.arange(20))
        np.testing.assert_array_equal(weight.bool(), expected)
        assert rule.threshold_.item() == pytest.approx(threshold, rel=1e-5)
        np.testing.assert_allclose(rule.share_, share, rtol=1e-5)
        np.testing.assert_allclose(rule.histogram_, histogram, rtol=1e-5)

        strong = probabilities(100 + step).numpy().astype(np.float64)
        kept = strong[expected]
        kept_counts = np.bincount(kept.argmax(axis=1), minlength=4) / len(kept)
        weak_ratio = np.divide(share, histogram, out=np.zeros(4), where=histogram > 0)
        strong_ratio = np.divide(kept.mean(axis=0), kept_counts, out=np.zeros(4), where=kept_counts > 0)
        fairness = (weak_ratio / weak_ratio.sum() * np.log(strong_ratio / strong_ratio.sum() + 1e-12)).sum()
        cross_entropy = (-np.log(strong[np.arange(20), target]) * expected).mean()
        got = rule.loss(torch.from_numpy(np.log(strong)).float(), got_target, weight).item()
        assert got == pytest.approx(cross_entropy + 0.5 * fairness, rel=1e-4)


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_fairness_is_0_if_no_row_counts(scale):
    rule = SelfAdaptiveThreshold(0.999, 0.5).start(4, 50, CPU)
    target, _ = rule(probabilities(0), torch.arange(20))
    logits = (scale * probabilities(1).log().clamp(min=-1)).requires_grad_()
    loss = rule.loss(logits, target, torch.zeros(20))
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(logits.grad, torch.zeros(20, 4))


def test_fairness_of_a_single_row():
    """All of the strong share is at the class of the only row that counts; the weak one is uniform at the start."""
    rule = SelfAdaptiveThreshold(0.999, 0.5).start(4, 50, CPU)
    logits, weight = probabilities(1).log(), torch.eye(20)[3]
    target = logits.argmax(dim=1)
    cross_entropy = -logits[3].max().item() / 20
    expected = cross_entropy + 0.5 * 0.75 * np.log(1e-12)
    assert rule.loss(logits, target, weight).item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.999])
@pytest.mark.parametrize("n_sigma", [1.0, 2.0])
def test_gaussian_weights_follow_their_paper(momentum, n_sigma):
    rule = GaussianWeight(momentum, n_sigma).start(4, 50, CPU)
    mean, variance = 0.25, 1.0
    for step in range(8):
        proba = probabilities(step)
        confidence, decay = proba.max(dim=1).values.numpy().astype(np.float64), decay_at(step, momentum)
        mean = decay * mean + (1 - decay) * confidence.mean()
        variance = decay * variance + (1 - decay) * confidence.var(ddof=1)
        expected = np.exp(-(np.minimum(confidence - mean, 0) ** 2) * n_sigma**2 / (2 * variance))
        _, weight = rule(proba, torch.arange(20))
        np.testing.assert_allclose(weight, expected, rtol=1e-4)
        assert rule.mean_.item() == pytest.approx(mean, rel=1e-5)
        assert rule.variance_.item() == pytest.approx(variance, rel=1e-5)


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


def test_alignment_follows_its_paper():
    frequencies = np.array([0.6, 0.3, 0.1])
    alignment = Alignment("labels", torch.from_numpy(frequencies).float())
    mean = np.full(3, 1 / 3)
    for step in range(5):
        proba = probabilities(step, n_classes=3)
        decay = decay_at(step, 0.999)
        mean = decay * mean + (1 - decay) * proba.numpy().mean(axis=0)
        shifted = proba.numpy() * frequencies / mean
        expected = shifted / shifted.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(alignment(proba), expected, atol=1e-4)


def test_the_learned_target_is_a_running_mean_of_labeled_rows():
    alignment = Alignment("learned", torch.tensor([0.9, 0.1]))
    target = np.array([0.5, 0.5])
    for step in range(5):
        proba = probabilities(step, n_classes=2)
        decay = decay_at(step, 0.999)
        target = decay * target + (1 - decay) * proba.numpy().mean(axis=0)
        alignment.learn(proba)
        np.testing.assert_allclose(alignment.target, target, rtol=1e-5)


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
