"""The baselines: golden values, what each one keeps, and the interface that they share with SemiPrune."""

from functools import partial as partial_function

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from skorch import NeuralNetClassifier

from skprune import PrunedClassifier, PruningSampler, SemiPrune
from skprune.baselines import (
    ActivePruner,
    ContrastiveFeatures,
    D2Pruner,
    ELFSPruner,
    HerdingPruner,
    KCenterPruner,
    ModeratePruner,
    PrototypicalityPruner,
    RandomPruner,
    SupervisedPruner,
    TorchvisionFeatures,
    ZCorePruner,
)
from skprune.baselines._active import plus_plus
from skprune.baselines._base import cluster
from skprune.baselines._contrastive_net import nt_xent
from skprune.baselines._zcore import coverage
from skprune.model_selection import PartialLabelKFold
from skprune.nets import MLP, NetClassifier
from skprune.selection import Beta, Cutoff, Hardest
from skprune.selection._d2 import spread, take_back
from skprune.selection._neighbor_graph import neighbor_graph

SGD = make_pipeline(MaxAbsScaler(), SGDClassifier(loss="log_loss"))  # scaled: large logits are NaN in scikit-learn 1.8
LABEL_FREE = [
    RandomPruner(),
    PrototypicalityPruner(n_clusters=3),
    ModeratePruner(n_clusters=3),
    KCenterPruner(),
    HerdingPruner(),
    ZCorePruner(n_points=200),
    D2Pruner(n_clusters=3),
    ELFSPruner(n_clusters=3, proxy=SGD),
]
LABELED = [
    ActivePruner(classifier=LogisticRegression(max_iter=500)),
    ActivePruner(strategy="margin", classifier=LogisticRegression(max_iter=500)),
]
SUPERVISED = SupervisedPruner(proxy=SGD, n_epochs=12, selection=Beta(class_balanced="proportional"))
ALL = [*LABEL_FREE, *LABELED, SUPERVISED]


def name_of(pruner):
    return type(pruner).__name__ + getattr(pruner, "strategy", "")


def labels_for(pruner, iris):
    _, y, partial = iris
    return y if isinstance(pruner, SupervisedPruner) else partial


# Against published code


def test_golden_prototypicality(golden):
    clusters, distances = cluster(golden["emb"], 5, 0)
    np.testing.assert_array_equal(clusters, golden["proto/cluster"])
    np.testing.assert_allclose(distances, golden["proto/distance"], rtol=1e-5)
    balanced = Hardest(class_balanced="uniform").select(distances, 16, y=clusters, random_state=0)
    expected = golden["proto/elfs_balanced_n16"]
    assert abs(np.bincount(clusters[balanced]) - np.bincount(clusters[expected])).max() <= 1
    assert balanced[expected].sum() >= 15  # who gets the row that rounding leaves over is drawn


@pytest.mark.parametrize(("name", "difficulty"), [("el2n", "f64/el2n_sum10"), ("forgetting", "f64/forgetting")])
def test_golden_d2(golden, name, difficulty):
    distances = neighbor_graph(golden["emb"].astype(np.float64), 5)
    density = spread(golden[difficulty].astype(np.float64), distances, 1.0)
    np.testing.assert_allclose(density, golden[f"d2/{name}_g1.0_k5_sum_weighted/graph_density"], rtol=2e-4)
    order = take_back(density, distances, 1.0, 40)
    np.testing.assert_array_equal(order, golden[f"d2/{name}_g1.0_k5_sum_weighted/order40"])


def test_golden_zcore(golden):
    """The published draws are not ours: the scores agree as those of two seeds do, and their mean agrees better."""
    expected = golden["zcore/vectorized_rng0_n12800_raw"]
    ours = [coverage(golden["emb"], 12800, 1000, np.random.default_rng(seed)) for seed in (1, 2, 3)]
    between = np.corrcoef(ours)[np.triu_indices(3, 1)].min()
    assert np.corrcoef(ours[0], expected)[0, 1] > between - 0.1
    assert np.corrcoef(np.mean(ours, axis=0), expected)[0, 1] > 0.8
    for scores in ours:
        assert scores.sum() == pytest.approx(0.0, abs=1e-8)
        assert scores.std() == pytest.approx(expected.std(), rel=0.25)


# What each one keeps


def test_kcenter_covers(iris):
    X, _, _ = iris
    pruner = KCenterPruner(10, random_state=0).fit(X)
    order = np.argsort(-pruner.difficulty_scores_)[:10]
    far = np.linalg.norm(X[:, None] - X[order], axis=2)
    for step in range(1, 10):
        assert far[order[step], :step].min() == pytest.approx(far[:, :step].min(axis=1).max())


def test_herding_keeps_the_mean(iris):
    X, _, _ = iris
    kept = HerdingPruner(15).fit_transform(X)
    draws = [RandomPruner(15, random_state=seed).fit_transform(X) for seed in range(30)]
    gaps = [np.linalg.norm(draw.mean(axis=0) - X.mean(axis=0)) for draw in draws]
    assert np.linalg.norm(kept.mean(axis=0) - X.mean(axis=0)) < min(gaps)


def test_prototypes_and_moderates(iris):
    X, y, _ = iris
    far = PrototypicalityPruner(0.2, random_state=0).fit(X, y)
    assert far.difficulty_scores_[far.support_].min() >= far.difficulty_scores_[~far.support_].max()
    near = far.select(0.2, "easiest")
    assert not (near & far.support_).any()
    middle = ModeratePruner(0.2, random_state=0).fit(X, y)
    away = np.abs(middle.difficulty_scores_ - np.median(middle.difficulty_scores_))
    assert away[middle.support_].max() <= away[~middle.support_].min()


def test_zcore_does_not_keep_copies():
    rng = np.random.default_rng(0)
    X = np.repeat(rng.normal(size=(30, 4)), 5, axis=0)
    scores = coverage(X, 3000, 1000, np.random.default_rng(0))
    assert np.isfinite(scores).all()
    kept = ZCorePruner(30, random_state=0).fit_transform(X + rng.normal(scale=1e-3, size=X.shape))
    assert len(np.unique(kept.round(1), axis=0)) > 20


def test_active_rows_are_near_the_boundary():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(400, 1))
    partial = np.full(400, -1)
    partial[:20] = X[:20, 0] > 0
    make = partial_function(ActivePruner, 60, classifier=LogisticRegression(), random_state=0)
    for strategy in ("margin", "badge"):
        pruner = make(strategy=strategy).fit(X, partial)
        assert pruner.support_[:20].all()
        assert len(pruner.annotation_indices_) == 40
        added = np.abs(X[pruner.annotation_indices_, 0])
        if strategy == "margin":
            assert added.max() < np.median(np.abs(X[20:]))
    anywhere = make(strategy="margin", include_labeled=False).fit(X, partial)
    assert anywhere.support_.sum() == 60
    assert not anywhere.support_[:20].all()
    closest = np.sort(np.abs(pruner.classifier_.decision_function(X[20:])))[:40]
    chosen = make(strategy="margin").fit(X, partial).annotation_indices_
    np.testing.assert_allclose(np.sort(np.abs(pruner.classifier_.decision_function(X[chosen]))), closest)


def test_badge_by_definition():
    """The distances between gradients that are never written out are those of the gradients."""
    rng = np.random.default_rng(0)
    proba, features = rng.dirichlet(np.ones(3), size=50), rng.normal(size=(50, 4))
    error = proba - np.eye(3)[proba.argmax(axis=1)]
    gradients = (error[:, :, None] * features[:, None, :]).reshape(50, 12)

    class Farthest:
        """A generator that always draws the most likely place."""

        def choice(self, n, p):
            return int(np.argmax(p))

    order = plus_plus(proba, features, 10, Farthest())
    assert order[0] == np.linalg.norm(gradients, axis=1).argmax()
    for step in range(1, 10):
        away = ((gradients[:, None] - gradients[order[:step]]) ** 2).sum(axis=2).min(axis=1)
        assert order[step] == away.argmax()
    same = plus_plus(np.full((6, 2), 0.5), np.ones((6, 1)), 6, np.random.default_rng(0))
    assert sorted(same) == list(range(6))


def test_elfs_reads_no_label(iris):
    X, y, partial = iris
    make = partial_function(ELFSPruner, 0.3, n_clusters=3, proxy=SGD, n_epochs=12, random_state=0)
    one, other = make().fit(X, partial), make().fit(X)
    np.testing.assert_array_equal(one.support_, other.support_)
    assert one.dynamics_.n_epochs == 12
    assert set(one.clusters_) == {0, 1, 2}
    with pytest.raises(ValueError, match="memory and checkpoint need a random_state"):
        make(memory="nowhere", random_state=None).fit(X)
    with pytest.raises(ValueError, match="difficulty='dual' needs 10 epochs"):
        make(difficulty="dual", n_epochs=5, embedding=PCA(9)).fit(X)  # before the embedding, which would fail too
    with pytest.raises(ValueError, match="batch_size must be an integer of at least 2, got 1"):
        make(proxy=NetClassifier(batch_size=1), embedding=PCA(9)).fit(X)
    cut = make(selection=Cutoff(0.3)).fit(X)
    assert cut.select(0.5, "hardest", "el2n").sum() == 75
    hardest = np.argsort(-cut.difficulty_scores_)[:40]
    assert not cut.support_[hardest].any()


def test_elfs_chooses_its_cutoff(iris):
    X, _, _ = iris
    fitted = ELFSPruner(0.3, n_clusters=3, proxy=SGD, n_epochs=12, random_state=0).fit(X)
    by_hand = Cutoff("auto", min_per_class=0.5)
    np.testing.assert_array_equal(fitted.support_, fitted.select(selection=by_hand))
    np.testing.assert_array_equal(fitted.support_, fitted.select(selection="auto"))
    assert not np.array_equal(fitted.support_, fitted.select(selection="hardest"))


def test_elfs_needs_two_clusters():
    with pytest.raises(ValueError, match="needs n_clusters of at least 2"):
        ELFSPruner(n_clusters=1).fit(np.eye(4))
    with pytest.warns(ConvergenceWarning), pytest.raises(ValueError, match="found a single cluster"):
        ELFSPruner(n_clusters=2, n_epochs=2, proxy=SGD).fit(np.ones((20, 2)))


def test_supervised_is_semiprune_with_all_labels(iris):
    X, y, partial = iris
    selection = Cutoff(class_balanced="proportional")
    options = {"proxy": SGD, "difficulty": "aum", "selection": selection, "n_epochs": 12, "random_state": 0}
    supervised, semi = SupervisedPruner(0.3, **options).fit(X, y), SemiPrune(0.3, **options).fit(X, y)
    np.testing.assert_array_equal(supervised.support_, semi.support_)
    np.testing.assert_array_equal(supervised.select(0.5, difficulty="el2n"), semi.select(0.5, difficulty="el2n"))
    by_default = {"proxy": SGD, "n_epochs": 12, "random_state": 0}
    np.testing.assert_array_equal(
        SupervisedPruner(0.3, **by_default).fit(X, y).support_, SemiPrune(0.3, **by_default).fit(X, y).support_
    )
    parameters = set(supervised.get_params(deep=False))
    assert {"labeler", "goal", "include_labeled"}.isdisjoint(parameters | set(vars(SupervisedPruner)))
    assert parameters < set(semi.get_params(deep=False))
    missing = int(np.flatnonzero(partial < 0)[0])
    with pytest.raises(
        ValueError, match=f"SupervisedPruner needs all labels, and 135 are missing, the first in row {missing}"
    ):
        SupervisedPruner(**options).fit(X, partial)


# The interface


@pytest.mark.parametrize("pruner", ALL, ids=name_of)
@pytest.mark.parametrize("ratio", [0.2, 37, 1.0])
def test_counts_and_interface(pruner, ratio, iris):
    X, y, partial = iris
    labels = labels_for(pruner, iris)
    pruner = clone(pruner).set_params(ratio=ratio, random_state=0)
    k = 150 if ratio == 1.0 else 30 if ratio == 0.2 else 37
    kept = pruner.fit_transform(X, labels)
    assert kept.shape == (k, 4)
    np.testing.assert_array_equal(pruner.transform(X), kept)
    np.testing.assert_array_equal(pruner.get_support(), pruner.select(ratio))
    again = clone(pruner).fit(X, labels)
    np.testing.assert_array_equal(again.support_, pruner.support_)
    np.testing.assert_array_equal(again.difficulty_scores_, pruner.difficulty_scores_)
    assert pruner.difficulty_scores_.shape == (150,)
    assert pruner.select(0.5).sum() == 75
    assert pruner.classes_.tolist() == [0, 1, 2]
    given = labels >= 0
    assert pruner.pseudo_labels_[given].tolist() == labels[given].tolist()
    assert (labels[pruner.annotation_indices_] < 0).all()
    with pytest.raises(ValueError, match="not the data"):
        pruner.transform(X[::-1])


@pytest.mark.parametrize("pruner", LABEL_FREE, ids=name_of)
def test_labels_do_not_matter(pruner, iris):
    X, y, partial = iris
    pruner = clone(pruner).set_params(random_state=0)
    expected = clone(pruner).fit(X).support_
    for labels in (partial, y, np.full(150, None), np.random.default_rng(0).permutation(partial)):
        np.testing.assert_array_equal(clone(pruner).fit(X, labels).support_, expected)
    assert clone(pruner).fit(X, y).pseudo_labels_.dtype == y.dtype
    alone = clone(pruner).fit(X)
    assert alone.classes_.size == 0
    assert alone.pseudo_labels_.tolist() == [None] * 150
    assert len(alone.annotation_indices_) == 75


@settings(max_examples=25)
@given(seed=st.integers(0, 2**16), index=st.integers(0, 6), copies=st.booleans())
def test_any_features(seed, index, copies):
    """Row 26 of the faults: identical rows, too, give exactly k unique rows."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(8, 40))
    X = np.ones((n, 3)) if copies else rng.normal(scale=10.0 ** rng.integers(-3, 4), size=(n, 3))
    if copies:
        X[: n // 2] = 0.0
    pruner = clone(LABEL_FREE[index]).set_params(random_state=seed)
    if hasattr(pruner, "n_clusters"):
        pruner.set_params(n_clusters=2)
    k = int(rng.integers(2, n + 1))
    before = X.copy()
    pruner.set_params(ratio=k).fit(X)
    assert pruner.support_.sum() == k
    assert np.isfinite(pruner.difficulty_scores_).all()
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize(
    "pruner", [RandomPruner(), KCenterPruner(), HerdingPruner(), D2Pruner(n_clusters=3)], ids=name_of
)
def test_picks_are_nested(pruner, iris):
    X, _, _ = iris
    fitted = clone(pruner).set_params(random_state=0).fit(X)
    small, large = fitted.select(0.2), fitted.select(0.6)
    assert not (small & ~large).any()


@pytest.mark.parametrize("pruner", [pruner for pruner in LABEL_FREE if hasattr(pruner, "embedding")], ids=name_of)
def test_embeddings(pruner, iris):
    X, _, _ = iris
    pruner = clone(pruner).set_params(random_state=0)
    by_hand = clone(pruner).set_params(embedding=None)
    if isinstance(pruner, ELFSPruner):  # the proxy sees the rows, the clusters the features
        assert clone(pruner).set_params(embedding=PCA(2)).fit(X).support_.sum() == 75
        return
    features = PCA(2, random_state=0).fit_transform(X)
    expected = by_hand.fit(features).difficulty_scores_
    scores = pruner.set_params(embedding=PCA(2, random_state=0)).fit(X).difficulty_scores_
    np.testing.assert_allclose(scores, expected)
    with pytest.raises(TypeError, match="embedding must be a transformer"):
        pruner.set_params(embedding=LogisticRegression()).fit(X)


def test_a_larger_ratio_continues_the_picks(iris):
    X, _, _ = iris
    for pruner in (KCenterPruner(0.2), HerdingPruner(0.2), D2Pruner(0.2, n_clusters=3)):
        pruner.set_params(random_state=0).fit(X)
        larger = clone(pruner).set_params(ratio=0.6).fit(X)
        np.testing.assert_array_equal(pruner.select(0.6), larger.support_)
        np.testing.assert_array_equal(pruner.select(), pruner.support_)
        np.testing.assert_array_equal(larger.select(0.2), pruner.support_)


def test_a_selector_of_ones_own(iris):
    X, _, _ = iris

    class Alternate(BaseEstimator):
        def select(self, scores, ratio, **inputs):
            return np.arange(len(scores)) % 2 == 0

    pruner = ZCorePruner(selection=Alternate(), n_points=10, random_state=0).fit(X)
    assert pruner.coreset_indices_[:3].tolist() == [0, 2, 4]


def test_features_that_are_not_finite(iris):
    X, _, _ = iris

    class Logarithm(BaseEstimator):
        def fit_transform(self, X, y=None):
            return np.full((len(X), 2), -np.inf)

    with pytest.raises(ValueError, match=r"Logarithm must give 150 rows of finite numbers.*\(150, 2\) with values"):
        KCenterPruner(embedding=Logarithm()).fit(X)


def test_images(images):
    X, _, partial = images
    for pruner in (KCenterPruner(0.5), ZCorePruner(0.5, n_points=50), PrototypicalityPruner(0.5, embedding=PCA(5))):
        assert pruner.set_params(random_state=0).fit_transform(X, partial).shape == (60, 8, 8)
    flat = X.reshape(120, -1)
    assert RandomPruner(0.5, image_shape=(1, 8, 8)).fit_transform(flat, partial).shape == (60, 64)


def test_badge_takes_the_gradient(iris):
    X, _, partial = iris
    for classifier in (LogisticRegression(max_iter=500), NetClassifier(module__width=40, n_steps=20, max_epochs=1)):
        pruner = ActivePruner(30, classifier=classifier, random_state=0).fit(X, partial)
        model = pruner.classifier_
        proba = model.predict_proba(X)
        error = np.linalg.norm(proba - np.eye(3)[proba.argmax(axis=1)], axis=1)
        if isinstance(classifier, NetClassifier):
            entered = []
            hook = model.module_.head.register_forward_pre_hook(lambda layer, inputs, to=entered: to.append(inputs[0]))
            model.predict_proba(X)
            hook.remove()
            error *= entered[0].norm(dim=1).cpu().numpy()
        first = pruner.difficulty_scores_.argmax()
        assert error[first] == pytest.approx(error[partial < 0].max(), rel=1e-4)
        assert (pruner.pseudo_label_confidence_[partial >= 0] == 1).all()


def test_a_foreign_classifier_is_seeded(iris):
    X, _, partial = iris
    net = NeuralNetClassifier(
        MLP, criterion=torch.nn.CrossEntropyLoss, module__n_features=4, module__n_classes=3, verbose=0, train_split=None
    )
    masks = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        masks.append(ActivePruner(40, strategy="margin", classifier=net, random_state=0).fit(X, partial).support_)
    np.testing.assert_array_equal(*masks)


def test_the_scale_of_the_features_does_not_matter(iris):
    X, y, _ = iris
    for pruner in (D2Pruner(0.3), KCenterPruner(0.3), HerdingPruner(0.3), ZCorePruner(0.3)):
        pruner.set_params(random_state=0)
        expected = clone(pruner).fit(X, y).support_
        assert (clone(pruner).fit(X * 2.0**10, y).support_ == expected).mean() > 0.97
        assert (clone(pruner).fit(X + 2.0**20, y).support_ == expected).mean() > 0.97
    d2, far = D2Pruner(0.3, random_state=0), PrototypicalityPruner(0.3, random_state=0)
    assert not np.array_equal(d2.fit(X * 1000, y).support_, far.fit(X * 1000, y).support_)


def test_equal_rows_are_picked_by_chance():
    X = np.repeat(np.random.default_rng(0).normal(size=(20, 3)), 20, axis=0)
    for pruner in (KCenterPruner(40), HerdingPruner(40), D2Pruner(40, n_clusters=3), ZCorePruner(40)):
        places = [np.flatnonzero(clone(pruner).set_params(random_state=seed).fit(X).support_) for seed in range(8)]
        offsets = np.concatenate(places) % 20
        assert 7 < offsets.mean() < 12
    constant = np.hstack([X, np.ones((400, 30))])
    scores = coverage(constant, 2000, 1000, np.random.default_rng(0))
    np.testing.assert_array_equal(scores, coverage(X, 2000, 1000, np.random.default_rng(0)))


def test_badge_on_a_net(iris):
    X, _, partial = iris
    pruner = ActivePruner(30, random_state=0)
    pruner.set_params(classifier=NetClassifier(module__width=8, n_steps=20, max_epochs=1, batch_size=8)).fit(X, partial)
    assert pruner.support_.sum() == 30
    assert pruner.support_[partial >= 0].all()


# Embeddings


def test_contrastive_features(images):
    X, y, _ = images
    embedding = ContrastiveFeatures(n_steps=60, batch_size=64, random_state=0)
    features = embedding.fit_transform(X)
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features, clone(embedding).fit_transform(X))
    np.testing.assert_allclose(embedding.transform(X[:7]), features[:7], rtol=1e-4, atol=1e-5)
    short = clone(embedding).set_params(n_steps=3).fit(X)
    assert embedding.net_.history[-1, "train_loss"] < short.net_.history[-1, "train_loss"] - 0.1
    pruner = KCenterPruner(0.2, embedding=embedding, random_state=0).fit(X)
    assert pruner.support_.sum() == 24
    frozen = KCenterPruner(0.2, embedding=FrozenEstimator(embedding), random_state=0).fit(X)
    again = KCenterPruner(0.2, random_state=0).fit(features)
    assert (frozen.support_ & again.support_).sum() >= 23  # the draws are the same, features are equal to rounding


def test_contrastive_loss_by_definition():
    views = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    unit = torch.nn.functional.normalize(views, dim=1)
    cosines = torch.exp(unit @ unit.T / 0.3)
    expected = [-torch.log(cosines[i, (i + 3) % 6] / (cosines[i].sum() - cosines[i, i])) for i in range(6)]
    assert nt_xent(views, 0.3).item() == pytest.approx(torch.stack(expected).mean().item(), rel=1e-5)


@pytest.mark.parametrize("kind", ["module", "cut", "text", "empty", "list"])
def test_files_that_hold_no_weights(tmp_path, images, kind):
    file = tmp_path / "weights.pth"
    network = torchvision.models.mobilenet_v3_small()
    torch.save({"module": network, "list": [1, 2]}.get(kind, network.state_dict()), file)
    if kind in ("cut", "text", "empty"):
        file.write_bytes({"cut": file.read_bytes()[:5000], "text": b"weights", "empty": b""}[kind])
    reason = "holds no state dict, but a list" if kind == "list" else "is damaged, or holds more than weights"
    message = rf"weights.pth {reason}.*torch.save\(network.state_dict\(\), file\) writes what is needed\.$"
    with pytest.raises(ValueError, match=message):
        TorchvisionFeatures("mobilenet_v3_small", weights=file).fit(images[0][:2])


def test_weights_that_are_no_file(tmp_path, images):
    network = torchvision.models.mobilenet_v3_small()
    for weights, kind in ((None, "NoneType"), (network.state_dict(), "OrderedDict"), (network, "MobileNetV3")):
        with pytest.raises(ValueError, match=f"weights must be the path of a file, got a {kind}. torch.save"):
            TorchvisionFeatures("mobilenet_v3_small", weights=weights).fit(images[0][:2])
    with pytest.raises(FileNotFoundError, match=r"none\.pth"):
        TorchvisionFeatures("mobilenet_v3_small", weights=tmp_path / "none.pth").fit(images[0][:2])


@pytest.mark.parametrize("embedding", [ContrastiveFeatures(), TorchvisionFeatures("resnet18", weights="weights.pth")])
def test_embeddings_that_are_not_fitted(embedding, images):
    with pytest.raises(NotFittedError, match=f"This {type(embedding).__name__} instance is not fitted yet"):
        embedding.transform(images[0])


def test_features_of_torchvision(tmp_path, images):
    X, _, _ = images
    X = X[:5]
    file = tmp_path / "weights.pth"
    torch.manual_seed(0)
    network = torchvision.models.resnet18(num_classes=1000).eval()
    torch.save(network.state_dict(), file)
    embedding = TorchvisionFeatures("resnet18", weights=file, size=32, batch_size=2, device="cpu")
    features = embedding.fit_transform(X)
    assert features.shape == (5, 512)
    image = torch.from_numpy(X[3][None, None].astype(np.float32) / 255).expand(-1, 3, -1, -1)
    image = torch.nn.functional.interpolate(image, (32, 32), mode="bilinear", antialias=True)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    network.fc = torch.nn.Identity()
    expected = network((image - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1))
    np.testing.assert_allclose(features[3], expected[0].detach().numpy(), rtol=1e-3, atol=1e-4)
    floats = X.astype(np.float64)
    with_outlier = np.repeat(floats, 400, axis=0)
    with_outlier[0, 0, 0] = 1e6
    with pytest.warns(UserWarning, match="The others are clipped"):
        clipped = clone(embedding).set_params(batch_size=500).fit_transform(with_outlier)
    np.testing.assert_allclose(clipped[401], embedding.fit_transform(floats)[1], rtol=0.05, atol=0.02)
    embedding.fit(X)
    for params, message in (
        ({"model": "resnet19"}, "Unknown model 'resnet19'"),
        ({"model": "resnet34"}, "do not fit resnet34"),
    ):
        with pytest.raises(ValueError, match=message):
            clone(embedding).set_params(**params).fit(X)
    with pytest.raises(ValueError, match="needs images"):
        clone(embedding).fit(X.reshape(5, -1))
    with pytest.raises(ValueError, match="16 features"):
        embedding.transform(X[:, :4, :4])


def test_refused_contrasts(iris):
    X, _, _ = iris
    with pytest.raises(ValueError, match="temperature must be above 0"):
        ContrastiveFeatures(temperature=0.0).fit(X)
    with pytest.raises(ValueError, match="n_projected must be an integer of at least 2"):
        ContrastiveFeatures(n_projected=1).fit(X)


class Untouched(BaseEstimator):
    """An embedding that must not be reached."""

    def fit_transform(self, X, y=None):
        raise AssertionError


@pytest.mark.parametrize(
    ("pruner", "message"),
    [
        (RandomPruner(0.0), "within"),
        (RandomPruner(151), "151"),
        (PrototypicalityPruner(n_clusters=0), "n_clusters must be None or an integer of at least 1, got 0"),
        (PrototypicalityPruner(n_clusters=151), "n_clusters=151 is above the 150 rows"),
        (PrototypicalityPruner(n_clusters=3, selection="hardets"), "Did you mean 'hardest'"),
        (
            ZCorePruner(embedding=Untouched(), selection="beta"),
            r"selection=Beta\(\) needs dynamics, which ZCorePruner does not provide",
        ),
        (
            ZCorePruner(embedding=Untouched(), selection=Cutoff("auto")),
            r"selection=Cutoff\(hard_cutoff=.auto.\) needs dynamics",
        ),
        (
            ZCorePruner(embedding=Untouched(), selection=Hardest(class_balanced="uniform")),
            r"selection=Hardest\(class_balanced='uniform'\) needs y, which ZCorePruner does not provide",
        ),
        (ZCorePruner(embedding=Untouched(), selection=Cutoff(0.6)), "hard_cutoff=0.6 drops 90 of 150 rows"),
        (D2Pruner(n_clusters=3, gamma_forward=-1.0), "gamma_forward must be at least 0"),
        (D2Pruner(n_clusters=3, n_neighbors=0), "n_neighbors must be an integer of at least 1, got 0"),
        (ZCorePruner(n_points=0), "n_points must be None or an integer of at least 1"),
        (ZCorePruner(n_redundant=1.5), "n_redundant must be an integer of at least 1"),
        (ELFSPruner(0.5, n_clusters=3, selection=Cutoff(0.6)), "hard_cutoff=0.6 drops 90 of 150 rows"),
        (ActivePruner(strategy="entropy"), "strategy must be 'badge' or 'margin'"),
        (ActivePruner(10), "include_labeled=True keeps 15 labeled rows, and ratio=10 keeps only 10 rows"),
    ],
)
def test_refused(pruner, message, iris):
    X, _, partial = iris
    with pytest.raises(ValueError, match=message):
        pruner.fit(X, partial)


def test_clusters_need_a_number(iris):
    X, _, _ = iris
    for pruner in (PrototypicalityPruner(), D2Pruner(), ELFSPruner(proxy=SGD)):
        with pytest.raises(ValueError, match="n_clusters=None takes the number of classes in y"):
            pruner.fit(X)


def test_inside_a_pruned_classifier(iris):
    X, y, partial = iris
    base = LogisticRegression(max_iter=500)
    with pytest.raises(
        ValueError, match=r"RandomPruner gives no pseudo-labels, and \d+ of the 75 kept rows have no label"
    ):
        PrunedClassifier(base, RandomPruner(random_state=0)).fit(X, partial)
    with pytest.raises(ValueError, match=r"RandomPruner gives no pseudo-labels.*Use a pruner that labels the pool"):
        PruningSampler(RandomPruner(random_state=0)).fit_resample(X, partial)
    assert PruningSampler(RandomPruner(random_state=0)).fit_resample(X, y)[1].dtype.kind == "i"
    for pruner in (RandomPruner(random_state=0), KCenterPruner(random_state=0)):
        assert PrunedClassifier(base, pruner).fit(X, partial, y_oracle=y).score(X, y) > 0.8
        assert PrunedClassifier(base, pruner).fit(X, y).score(X, y) > 0.8
    names = np.array(["setosa", "versicolor", "virginica"], dtype=object)[y]
    assert PrunedClassifier(base, RandomPruner(random_state=0)).fit(X, names).score(X, names) > 0.8
    active = PrunedClassifier(base, ActivePruner(classifier=base, random_state=0))
    search = GridSearchCV(active, {"pruner__ratio": [0.3, 0.6]}, cv=PartialLabelKFold(3)).fit(X, partial)
    assert search.score(X, y) > 0.8


DROPPING = dict.fromkeys(
    (
        "check_transformer_general",
        "check_transformer_data_not_an_array",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
        "check_fit_idempotent",
    ),
    "a transformer that drops rows cannot give a row for each one of X",
)


ELFS_FAILS = dict.fromkeys(
    ("check_dont_overwrite_parameters", "check_fit2d_1feature", "check_fit2d_predict1d"),
    "the check sets n_clusters=1, and a proxy needs two",
)


@pytest.mark.filterwarnings("ignore:Equal rows have different labels")  # sparse data of the checks have rows of zeros
@parametrize_with_checks(
    [
        *(clone(pruner).set_params(random_state=0) for pruner in (*LABEL_FREE, SUPERVISED)),
        *(clone(pruner).set_params(random_state=0, include_labeled=False) for pruner in LABELED),
    ],
    expected_failed_checks=lambda pruner: DROPPING | (ELFS_FAILS if isinstance(pruner, ELFSPruner) else {}),
)
def test_scikit_learn(estimator, check):
    check(estimator)


def test_labels_for_some_rows_only(iris):
    X, _, partial = iris
    for pruner in (SupervisedPruner(), RandomPruner(), ActivePruner()):
        with pytest.raises(ValueError, match="X has 150 rows, y has 40"):
            pruner.fit(X, partial[:40])
