"""Displays: what they draw, what they refuse, and that matplotlib is imported only to draw."""

import subprocess
import sys
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import same_color
from PIL import Image
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler
from sklearn.semi_supervised import LabelSpreading
from torch.utils.data import TensorDataset

from skprune import PrunedClassifier, SemiPrune
from skprune.baselines import ActivePruner, RandomPruner, SupervisedPruner
from skprune.datasets import make_partial_labels
from skprune.dynamics import TrainingDynamics
from skprune.inspection import (
    CalibrationDisplay,
    ContactSheetDisplay,
    CoresetCompositionDisplay,
    DataMapDisplay,
    DifficultyDisplay,
    PruningCurveDisplay,
)
from skprune.inspection._style import PALETTE, label_classes
from skprune.model_selection import PruningCurve
from skprune.scores import confidence, correctness, difficulty, variability
from skprune.selection import Beta


def linear(ratio=0.3, **params):
    """Make a SemiPrune of scikit-learn's models, which takes a fraction of a second."""
    models = {"labeler": LabelSpreading(kernel="knn"), "proxy": SGDClassifier(loss="log_loss", alpha=0.1)}
    defaults = {name: make_pipeline(StandardScaler(), model) for name, model in models.items()}
    return SemiPrune(ratio, **defaults | {"n_epochs": 12, "random_state": 0} | params)


@pytest.fixture(scope="module")
def pruner():
    X, y = load_iris(return_X_y=True)
    return linear().fit(X, make_partial_labels(y, n_labeled=30, random_state=0))


@pytest.fixture(scope="module")
def image_pruner():
    digits = load_digits()
    y_partial = make_partial_labels(digits.target[:200], n_labeled=60, random_state=0)
    proxy = make_pipeline(MaxAbsScaler(), SGDClassifier(loss="log_loss"))
    return linear(labeler=LabelSpreading(kernel="knn"), proxy=proxy, selection=Beta(min_per_class=1)).fit(
        digits.images[:200], y_partial
    )


def curve(methods=("random", "ours", "labels alone"), ratios=(0.1, 0.5), n_seeds=3):
    rows = [
        {"method": method, "ratio": ratio, "seed": seed, "n_annotated": 10 + 100 * ratio, "accuracy": 0.5 + 0.1 * place}
        for place, method in enumerate(methods)
        for ratio in ratios
        for seed in range(n_seeds)
    ]
    for row in rows:
        row["accuracy"] += 0.01 * row["seed"] * (row["method"] == "ours")
    return PruningCurve(rows)


def texts_of(legend):
    return [text.get_text() for text in legend.get_texts()]


def tick_labels(ax):
    return [label.get_text() for label in ax.get_xticklabels()]


def test_every_display_draws_into_new_axes_and_into_given_ones(pruner):
    displays = [
        DataMapDisplay.from_estimator(pruner),
        DifficultyDisplay.from_estimator(pruner),
        CoresetCompositionDisplay.from_estimator(pruner),
        CalibrationDisplay.from_estimator(pruner),
        PruningCurveDisplay.from_curve(curve()),
        ContactSheetDisplay.from_predictions(np.zeros((3, 4, 4)), [0, 1, 2]),
    ]
    for display in displays:
        first = display.figure_
        assert first.get_size_inches()[0] * first.dpi == 800
        figure, ax = plt.subplots()
        assert display.plot(ax) is display
        assert display.ax_ is ax
        assert display.figure_ is figure
        assert display.plot().figure_ not in (first, figure)
        display.figure_.canvas.draw()


def test_matplotlib_is_imported_to_draw_alone():
    code = "import sys, skprune.inspection; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'pip install "skprune\[plots\]"'):
        CoresetCompositionDisplay.from_labels(["a", "b"], [True, False])


@pytest.mark.parametrize(
    "display", [DataMapDisplay, DifficultyDisplay, CoresetCompositionDisplay, CalibrationDisplay, ContactSheetDisplay]
)
def test_what_is_no_fitted_pruner_is_refused(display):
    more = (np.zeros((3, 4, 4)),) if display is ContactSheetDisplay else ()
    with pytest.raises(NotFittedError):
        display.from_estimator(SemiPrune(), *more)
    with pytest.raises(TypeError, match=f"{display.__name__} needs a fitted pruner, got SGDClassifier"):
        display.from_estimator(SGDClassifier(), *more)


def test_the_pruner_within_an_estimator_is_named(pruner):
    classifier = PrunedClassifier(SGDClassifier(), linear())
    classifier.pruner_ = pruner
    with pytest.raises(TypeError, match=r"Pass its pruner_\."):
        DataMapDisplay.from_estimator(classifier)


# Data map


def test_data_map_has_mean_std_and_correctness_with_rings_of_the_coreset(pruner):
    display = DataMapDisplay.from_estimator(pruner)
    np.testing.assert_allclose(display.mean, confidence(pruner.dynamics_))
    np.testing.assert_allclose(display.std, variability(pruner.dynamics_))
    np.testing.assert_allclose(display.correctness, correctness(pruner.dynamics_))
    points, rings = display.ax_.collections[:2]
    assert len(points.get_offsets()) == 150
    kept = display.mean[pruner.support_]
    np.testing.assert_allclose(np.sort(rings.get_offsets()[:, 1]), np.sort(kept))
    assert texts_of(display.ax_.get_legend()) == ["kept (45 of 150 rows)"]


def test_data_map_draws_some_of_many_rows_and_says_so(pruner):
    display = DataMapDisplay.from_estimator(pruner, max_rows=40)
    points, rings = display.ax_.collections[:2]
    assert len(points.get_offsets()) == 40
    assert 0 < len(rings.get_offsets()) < 40
    assert display.ax_.get_title() == "Data map, 40 of 150 rows"
    with pytest.raises(ValueError, match="max_rows must be None or an integer"):
        display.plot(max_rows=0)


def test_data_map_is_not_squeezed_by_one_row():
    proba = np.full((10, 200), 0.7)
    proba[::2] += np.linspace(0, 0.02, 200)
    proba[::2, 7] = 0.0
    proba = np.stack([proba, 1 - proba], axis=-1)
    display = DataMapDisplay.from_dynamics(TrainingDynamics.from_proba(proba, np.zeros(200, dtype=int)))
    assert display.std[7] > 0.3
    assert display.ax_.get_xlim()[1] < 0.03
    assert display.ax_.get_xlabel().endswith("(1 farther right)")
    assert display.ax_.get_legend() is None


def test_data_map_needs_dynamics_and_a_mask():
    pruner = RandomPruner(0.5, random_state=0).fit(np.eye(4))
    with pytest.raises(ValueError, match="needs recorded dynamics, dynamics_, which RandomPruner does not have"):
        DataMapDisplay.from_estimator(pruner)
    dynamics = TrainingDynamics.from_proba(np.full((3, 4, 2), 0.5), [0, 1, 0, 1])
    with pytest.raises(ValueError, match="support must be a boolean mask of 4 rows"):
        DataMapDisplay.from_dynamics(dynamics, support=[0, 2])


# Difficulty


def test_difficulty_shows_the_shares_of_kept_dropped_and_labeled_rows(pruner):
    display = DifficultyDisplay.from_estimator(pruner, bins=5)
    expected = ["dropped (105 rows)", "kept (45 rows)", "label given (30 rows)"]
    assert texts_of(display.ax_.get_legend()) == expected
    outlines = [patch for patch in display.ax_.patches if patch.get_label() in expected]
    masks = [~pruner.support_, pruner.support_, display.labeled]
    for outline, mask in zip(outlines, masks, strict=True):
        shares, edges, _ = outline.get_data()
        assert shares.sum() == pytest.approx(1)
        np.testing.assert_allclose(shares * mask.sum(), np.histogram(pruner.difficulty_scores_[mask], edges)[0])
    assert display.ax_.get_xlabel() == "difficulty by dual; higher is harder"


def test_difficulty_of_another_name_and_of_a_baseline(pruner):
    display = DifficultyDisplay.from_estimator(pruner, difficulty="aum")
    np.testing.assert_allclose(display.scores, difficulty(pruner.dynamics_, "aum"))
    display = DifficultyDisplay.from_estimator(pruner, difficulty=["aum", "el2n"])
    np.testing.assert_allclose(display.scores, difficulty(pruner.dynamics_, ["aum", "el2n"]))
    assert display.ax_.get_xlabel() == "difficulty; higher is harder"
    random = RandomPruner(0.5, random_state=0).fit(np.eye(8))
    display = DifficultyDisplay.from_estimator(random)
    assert display.labeled is None
    assert display.ax_.get_xlabel() == "difficulty; higher is harder"
    with pytest.raises(ValueError, match="needs recorded dynamics for another difficulty"):
        DifficultyDisplay.from_estimator(random, difficulty="aum")


def test_difficulty_where_all_rows_are_kept_or_all_are_labeled():
    X, y = load_iris(return_X_y=True)
    supervised = SupervisedPruner(1.0, proxy=linear().proxy, n_epochs=12, random_state=0).fit(X, y)
    display = DifficultyDisplay.from_estimator(supervised)
    assert texts_of(display.ax_.get_legend()) == ["kept (150 rows)"]


def test_difficulty_refuses_masks_of_other_lengths():
    with pytest.raises(ValueError, match="support must be a boolean mask of 3 rows"):
        DifficultyDisplay.from_scores([1, 2, 3], [True, False])
    with pytest.raises(ValueError, match="labeled must be a boolean mask of 3 rows"):
        DifficultyDisplay.from_scores([1, 2, 3], [True, False, True], labeled=[1, 0, 0])
    with pytest.raises(ValueError, match="bins must be an integer"):
        DifficultyDisplay.from_scores([1, 2, 3], [True, False, True], bins=0)
    with pytest.raises(ValueError, match=r"The score of row 1 is not finite \(1 such rows\)"):
        DifficultyDisplay.from_scores([1, np.nan, 3], [True, False, True])


# Pruning curve


def test_pruning_curve_has_mean_and_band_of_each_method():
    display = PruningCurveDisplay.from_curve(curve())
    lines = {line.get_label(): line for line in display.ax_.lines}
    assert list(lines) == ["random", "ours", "labels alone"]
    np.testing.assert_allclose(lines["ours"].get_xdata(), [0.1, 0.5])
    np.testing.assert_allclose(lines["ours"].get_ydata(), 0.61)
    band = display.ax_.collections[1].get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose([band.min(), band.max()], [0.6, 0.62])
    assert lines["labels alone"].get_linestyle() == "--"


def test_differences_from_random_rows_are_in_points():
    display = PruningCurveDisplay.from_curve(curve(), kind="difference")
    assert [line.get_label() for line in display.ax_.lines] == ["random", "ours"]
    np.testing.assert_allclose(display.ax_.lines[0].get_ydata(), 0)
    np.testing.assert_allclose(display.ax_.lines[1].get_ydata(), 0.11)
    form = display.ax_.yaxis.get_major_formatter()
    assert [form(value, None) for value in (-0.05, 0, 0.125)] == ["-5", "0", "+12.5"]


def test_pruning_curve_by_rows_or_labels():
    assert PruningCurveDisplay.from_curve(curve(ratios=(10, 50))).ax_.get_xlabel() == "rows kept"
    mixed = curve(ratios=(0.1, 50))
    with pytest.raises(ValueError, match="Draw them with x='n_annotated'"):
        PruningCurveDisplay.from_curve(mixed)
    display = PruningCurveDisplay.from_curve(mixed, x="n_annotated")
    np.testing.assert_allclose(display.ax_.lines[1].get_xdata(), [20, 5010])
    np.testing.assert_allclose(display.ax_.lines[2].get_xdata(), [20, 5010])


def test_pruning_curve_of_many_methods_tells_them_apart():
    methods = ["random", *(f"method {place}" for place in range(12)), "labels alone"]
    display = PruningCurveDisplay.from_curve(curve(methods, n_seeds=1))
    looks = {(line.get_color(), line.get_marker(), line.get_linestyle()) for line in display.ax_.lines}
    assert len(looks) == len(methods)


def test_pruning_curve_refuses_other_things():
    with pytest.raises(TypeError, match="curve must be a PruningCurve"):
        PruningCurveDisplay.from_curve([{"method": "random"}])
    with pytest.raises(ValueError, match="kind must be 'accuracy' or 'difference'"):
        PruningCurveDisplay.from_curve(curve(), kind="both")
    with pytest.raises(ValueError, match="x must be 'ratio' or 'n_annotated'"):
        PruningCurveDisplay.from_curve(curve(), x="rows")


# Composition of the coreset


def test_composition_shows_shares_of_pool_and_coreset(pruner):
    display = CoresetCompositionDisplay.from_estimator(pruner)
    np.testing.assert_array_equal(display.pool_counts, np.bincount(pruner.pseudo_labels_))
    np.testing.assert_array_equal(display.coreset_counts, np.bincount(pruner.coreset_labels_, minlength=3))
    np.testing.assert_allclose([bar.get_height() for bar in display.ax_.patches], display.pool_counts / 150)
    np.testing.assert_allclose(display.ax_.lines[0].get_ydata(), display.coreset_counts / 45)
    assert tick_labels(display.ax_) == ["0", "1", "2"]


def test_composition_by_true_labels():
    X, y = load_iris(return_X_y=True)
    random = RandomPruner(0.2, random_state=0).fit(X)
    with pytest.raises(ValueError, match="gives no pseudo-labels, and labels are missing. Pass y_true"):
        CoresetCompositionDisplay.from_estimator(random)
    display = CoresetCompositionDisplay.from_estimator(random, y_true=np.array(["a", "b", "c"])[y])
    assert display.classes.tolist() == ["a", "b", "c"]
    assert display.coreset_counts.sum() == 30


def test_composition_counts_minus_one_as_a_class_and_refuses_missing_labels():
    display = CoresetCompositionDisplay.from_labels([-1, 1, 1], [True, True, False])
    assert display.classes.tolist() == [-1, 1]
    with pytest.raises(ValueError, match="Labels must not be missing, and 1 are"):
        CoresetCompositionDisplay.from_labels(["a", None, "b"], [True, True, False])
    with pytest.raises(ValueError, match="support must be a boolean mask of 2 rows"):
        CoresetCompositionDisplay.from_labels(["a", "b"], [0, 1])
    with pytest.raises(ValueError, match="CoresetCompositionDisplay needs at least one row"):
        CoresetCompositionDisplay.from_labels([], [])


@pytest.mark.parametrize(
    "classes", [range(2), range(10), range(100), [f"a long name of class {i}" for i in range(100)]]
)
def test_names_of_classes_do_not_overlap(classes):
    _, ax = plt.subplots(figsize=(8, 5), layout="constrained")
    ax.set_xlim(-0.7, len(classes) - 0.3)
    label_classes(ax, classes)
    ax.figure.canvas.draw()
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
    assert len(boxes) >= min(len(classes), 15)


# Contact sheet


def test_contact_sheet_shows_the_first_rows_to_annotate(image_pruner):
    X = load_digits().images[:200]
    display = ContactSheetDisplay.from_estimator(image_pruner, X, n_images=9, n_columns=4)
    rows = image_pruner.annotation_indices_[:9]
    np.testing.assert_array_equal(display.rows, rows)
    assert len(display.ax_.images) == 9
    np.testing.assert_allclose(display.images * 16, X[rows])
    assert display.ax_.texts[0].get_text().splitlines() == [
        str(image_pruner.pseudo_labels_[rows[0]]),
        f"{100 * image_pruner.pseudo_label_confidence_[rows[0]]:.0f} %, row {rows[0]}",
    ]


def test_contact_sheet_of_other_rows_tells_given_and_wrong_labels(image_pruner):
    digits = load_digits()
    X, y = digits.images[:200], digits.target[:200]
    given = np.flatnonzero(image_pruner.pseudo_label_confidence_ == 1)[0]
    wrong = np.flatnonzero(image_pruner.pseudo_labels_ != y)[0]
    display = ContactSheetDisplay.from_estimator(image_pruner, X, rows=[given, wrong], y_true=y)
    assert [text.get_text().splitlines()[-1] for text in display.ax_.texts] == [
        f"true: {y[given]}",
        f"true: {y[wrong]}",
    ]
    assert f"given, row {given}" in display.ax_.texts[0].get_text()
    assert texts_of(display.ax_.get_legend()) == ["label given", "wrong pseudo-label"]
    assert same_color(display.ax_.patches[1].get_edgecolor(), PALETTE["vermillion"])


def test_contact_sheet_of_a_pruner_without_pseudo_labels_and_where_nothing_is_to_annotate():
    X, y = load_digits(return_X_y=True)
    random = RandomPruner(0.1, image_shape=(1, 8, 8), random_state=0).fit(X[:50])
    display = ContactSheetDisplay.from_estimator(random, X[:50])
    assert display.ax_.texts[0].get_text().splitlines()[0] == "no label"
    random.fit(X[:50], y[:50])
    display = ContactSheetDisplay.from_estimator(random, X[:50])
    np.testing.assert_array_equal(display.rows, random.coreset_indices_)
    assert texts_of(display.ax_.get_legend()) == ["label given"]


def test_contact_sheet_reads_image_files_and_datasets(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (10, 16, 16, 3), dtype=np.uint8)
    files = [tmp_path / f"{row}.png" for row in range(10)]
    for file, image in zip(files, pixels, strict=True):
        Image.fromarray(image).save(file)
    dataset = TensorDataset(torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy()))
    for X in (files, dataset):
        display = ContactSheetDisplay.from_estimator(RandomPruner(0.5, random_state=0).fit(X), X)
        np.testing.assert_array_equal(display.images, pixels[display.rows])


def test_contact_sheet_refuses_other_data_and_tables(image_pruner, pruner):
    X = load_digits().images[:200]
    with pytest.raises(ValueError, match="X is not the data that SemiPrune was fitted to"):
        ContactSheetDisplay.from_estimator(image_pruner, X[::-1])
    with pytest.raises(ValueError, match="draws images, and X is a table"):
        ContactSheetDisplay.from_estimator(pruner, load_iris().data)
    with pytest.raises(ValueError, match="draws images, and X holds texts"):
        ContactSheetDisplay.from_predictions(["a text", "another one"], [0, 1])
    with pytest.raises(ValueError, match="1, 3 or 4 channels, and X has 2"):
        ContactSheetDisplay.from_predictions(np.zeros((3, 2, 8, 8)), [0, 1, 2])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ContactSheetDisplay.from_predictions(np.zeros((3, 8, 8)), [0, 1])
    with pytest.raises(IndexError):
        ContactSheetDisplay.from_estimator(image_pruner, X, rows=[200])
    for rows, found in (
        ([], r"\(0,\) and dtype float64"),
        ([1.0], r"\(1,\) and dtype float64"),
        (np.ones(200, bool), "bool"),
    ):
        with pytest.raises(ValueError, match=f"rows must be one or more integers, got .*{found}.*np.flatnonzero"):
            ContactSheetDisplay.from_estimator(image_pruner, X, rows=rows)


def test_contact_sheet_refuses_true_labels_of_another_type():
    with pytest.raises(
        ValueError, match="y_true must hold labels of the same type as the pseudo-labels, got '0' and 0"
    ):
        ContactSheetDisplay.from_predictions(np.zeros((2, 8, 8)), [0, None], y_true=["0", "1"])


def test_contact_sheet_draws_color_and_any_range():
    rng = np.random.default_rng(0)
    color = rng.integers(0, 256, (4, 3, 8, 6), dtype=np.uint8)
    display = ContactSheetDisplay.from_predictions(color, list("abcd"))
    np.testing.assert_array_equal(display.images, color.transpose(0, 2, 3, 1))
    standardized = rng.normal(size=(4, 3, 8, 6))
    display = ContactSheetDisplay.from_predictions(standardized, ["a name that is long"] * 4)
    assert display.images.min() == pytest.approx(0)
    assert display.images.max() == pytest.approx(1)
    assert display.ax_.texts[0].get_text().startswith("a name that i…\n")


# Calibration


def test_calibration_counts_correct_pseudo_labels_in_bins_of_equal_mass():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1.0, 20_000)
    y_true = np.zeros(20_000, dtype=int)
    pseudo_labels = (rng.random(20_000) > confidence).astype(int)
    display = CalibrationDisplay.from_predictions(y_true, pseudo_labels, confidence, n_bins=8)
    np.testing.assert_array_equal(display.counts, 2500)
    np.testing.assert_allclose(display.accuracy, display.confidence, atol=0.04)
    assert display.counts @ display.accuracy == pytest.approx((pseudo_labels == 0).sum())


def test_calibration_merges_bins_of_equal_confidence_and_of_few_rows():
    y = np.zeros(100, dtype=int)
    assert CalibrationDisplay.from_predictions(y, y, np.ones(100)).counts.tolist() == [100]
    display = CalibrationDisplay.from_predictions(y[:35], y[:35], np.linspace(0.5, 1, 35))
    assert len(display.counts) == 3
    assert CalibrationDisplay.from_predictions(["a"], ["b"], [0.7]).accuracy.tolist() == [0.0]


@pytest.mark.parametrize(
    "y_true",
    [
        [0.0, 1, np.nan] * 20,
        [0, 1, None] * 20,
        [0, 1, -1] * 20,
        np.ma.MaskedArray([0, 1, 0] * 20, mask=[False, False, True] * 20),
    ],
)
def test_rows_without_a_true_label_do_not_count(y_true):
    pseudo_labels, confidence = np.array([0, 0, 1] * 20), np.tile([0.5, 0.6, 0.9], 20)
    display = CalibrationDisplay.from_predictions(y_true, pseudo_labels, confidence)
    known = np.tile([True, True, False], 20)
    expected = CalibrationDisplay.from_predictions([0, 1] * 20, pseudo_labels[known], confidence[known])
    for name in ("confidence", "accuracy", "counts"):
        assert getattr(display, name).tolist() == getattr(expected, name).tolist()
    with pytest.raises(ValueError, match="needs at least one row with a true label"):
        CalibrationDisplay.from_predictions([None] * 60, pseudo_labels, confidence)
    sheet = ContactSheetDisplay.from_predictions(np.zeros((60, 4, 4)), pseudo_labels, y_true=y_true)
    captions = [text.get_text().splitlines()[-1].removesuffix(".0") for text in sheet.ax_.texts]
    assert captions == ["true: 0", "true: 1", "true: not known"] * 20
    assert sheet._kinds() == ["pseudo-label", "wrong pseudo-label", "pseudo-label"] * 20


def test_minus_one_is_a_true_label_where_it_is_a_pseudo_label():
    display = CalibrationDisplay.from_predictions([-1, 1] * 10, [-1, -1] * 10, np.full(20, 0.5))
    assert (display.accuracy.tolist(), display.counts.tolist()) == ([0.5], [20])


def test_calibration_by_true_labels_leaves_out_the_given_ones(pruner):
    y = load_iris().target
    display = CalibrationDisplay.from_estimator(pruner, y_true=y)
    assert display.counts.sum() == 120
    assert display.counts @ display.accuracy == pytest.approx((pruner.pseudo_labels_ == y).sum() - 30)
    known = np.where(np.arange(150) % 2 == 0, y, -1)
    assert CalibrationDisplay.from_estimator(pruner, y_true=known).counts.sum() < 120


def test_calibration_by_held_out_labels(pruner):
    display = CalibrationDisplay.from_estimator(pruner)
    assert display.counts.sum() == 6
    assert display.counts @ display.accuracy / 6 == pytest.approx(pruner.pseudo_label_accuracy_)
    assert display.name == "held-out labels"


def test_calibration_without_any_known_label_is_refused(pruner):
    X, y = load_iris(return_X_y=True)
    y_partial = make_partial_labels(y, n_labeled=30, random_state=0)
    classifier = make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss"))
    for name, other in {
        "SemiPrune": linear(estimate_accuracy=False),
        "SupervisedPruner": SupervisedPruner(proxy=classifier, n_epochs=12, random_state=0),
        "ActivePruner": ActivePruner(classifier=classifier, random_state=0),
    }.items():
        other.fit(X, y if name == "SupervisedPruner" else y_partial)
        with pytest.raises(ValueError, match=f"{name} held out no labels. Pass y_true"):
            CalibrationDisplay.from_estimator(other)
    with pytest.raises(ValueError, match="y_true holds no label of a row whose label was not given"):
        CalibrationDisplay.from_estimator(pruner, y_true=y_partial)
    with pytest.raises(ValueError, match="needs the confidence of pseudo-labels"):
        CalibrationDisplay.from_estimator(RandomPruner(random_state=0).fit(X))


def test_calibration_refuses_what_is_no_probability():
    with pytest.raises(ValueError, match="confidence must hold probabilities"):
        CalibrationDisplay.from_predictions([0, 1], [0, 1], [0.5, np.nan])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        CalibrationDisplay.from_predictions([0, 1], [0, 1], [0.5])
    with pytest.raises(
        ValueError, match="y_true must hold labels of the same type as the pseudo-labels, got 0 and '0'"
    ):
        CalibrationDisplay.from_predictions([0, 1], ["0", "1"], [0.5, 0.5])
    with pytest.raises(ValueError, match="at least one row"):
        CalibrationDisplay.from_predictions([], [], [])


def test_the_mark_of_missing_true_labels_can_be_told():
    labels, truth = np.array(["a", "b", "a"]), np.array(["a", "?", "b"], dtype=object)
    display = CalibrationDisplay.from_predictions(truth, labels, np.full(3, 0.9), missing_label="?")
    np.testing.assert_allclose(display.accuracy, [0.5])
    images = np.zeros((3, 8, 8), np.uint8)
    sheet = ContactSheetDisplay.from_predictions(images, labels, y_true=truth, missing_label="?")
    assert sheet.y_true.tolist() == ["a", None, "b"]
    with pytest.raises(ValueError, match="Set missing_label='\\?'"):
        ContactSheetDisplay.from_predictions(images, labels, y_true=truth)
