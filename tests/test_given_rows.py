"""X that is no array of numbers: frames with text and missing cells, sparse tables, texts."""

from functools import partial as partial_function

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from sklearn.utils.fixes import parse_version

from skprune import PrunedClassifier, PruningSampler, SemiPrune
from skprune._base import read_labeled_pool
from skprune._pipeline._space import coverage_space
from skprune._utils._given_rows import GivenRows, fingerprint, read_rows
from skprune.baselines import ActivePruner, ELFSPruner, KCenterPruner, RandomPruner, SupervisedPruner
from skprune.datasets import make_partial_labels
from skprune.dynamics import collect_dynamics
from skprune.model_selection import pruning_curve
from skprune.nets import NetClassifier

N = 120
SGD = SGDClassifier(loss="log_loss", random_state=0)
NEIGHBORS = LabelSpreading(kernel="knn", n_neighbors=20)
SELF_TRAINING = SelfTrainingClassifier(SGD)
NAMES_OF_POLARS = pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.9"),
    reason="before 1.9, ColumnTransformer finds no columns of polars by their names",
)


@pytest.fixture(scope="module")
def labels():
    y = np.random.default_rng(0).integers(2, size=N)
    return y, make_partial_labels(y, n_labeled=30, random_state=0)


def make_frame(y, kind="pandas"):
    rng = np.random.default_rng(1)
    age, school = rng.normal(size=N) + 2 * y, np.where(rng.random(N) < 0.9, y, 1 - y)
    cells = {
        "age": [None if row == 5 else float(value) for row, value in enumerate(age)],
        "school": [None if row == 7 else ("north", "south")[code] for row, code in enumerate(school)],
        "rooms": rng.integers(5, size=N).tolist(),
    }
    if kind == "polars":
        return pl.DataFrame(cells)
    frame = pd.DataFrame(cells, index=np.arange(N) + 1000)
    return frame.astype({"school": "category"}) if kind == "category" else frame


def encoder():
    return make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["age", "rooms"]),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["school"]),
    )


class Watching(TransformerMixin, BaseEstimator):
    """Pass rows on, and remember what kinds of them were seen."""

    seen = set()

    def fit(self, X, y=None):
        self.seen.add(type(X))
        return self

    def transform(self, X):
        self.seen.add(type(X))
        return X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def make_pruner(front, labeler=NEIGHBORS, **params):
    defaults = {"proxy": make_pipeline(clone(front), SGD), "n_epochs": 10, "random_state": 0}
    return SemiPrune(0.3, labeler=make_pipeline(front, labeler), **defaults | params)


@pytest.mark.parametrize("kind", ["pandas", "category", pytest.param("polars", marks=NAMES_OF_POLARS)])
def test_frames_reach_pipelines_as_they_are(labels, kind, tmp_path):
    y, partial = labels
    frame = make_frame(y, kind)
    Watching.seen.clear()
    front = make_pipeline(Watching(), encoder())
    pruner = make_pruner(front, memory=str(tmp_path), estimate_accuracy=True, compare_with_random=False)
    kept = pruner.fit_transform(frame, partial)
    assert Watching.seen == {type(frame)}
    assert type(kept) is type(pruner.transform(frame)) is type(pruner.coreset()[0]) is type(frame)
    assert kept.shape == (36, 3)
    if kind != "polars":
        pd.testing.assert_frame_equal(kept, frame.iloc[pruner.coreset_indices_])
    assert pruner.n_features_in_ == 3
    assert pruner.pseudo_label_accuracy_ > 0.5
    assert pruner.score(frame, y) > 0.8
    assert pruner.predict_difficulty(frame[:7]).shape == (7,)
    assert pruner.suggest_ratio(frame, [0.3, 1.0]) in (0.3, 1.0)
    Watching.seen.clear()
    again = clone(pruner).set_params(ratio=0.5).fit(make_frame(y, kind), partial)
    assert Watching.seen == set()  # found in the cache
    np.testing.assert_array_equal(again.pseudo_labels_, pruner.pseudo_labels_)
    other = make_frame(1 - y, kind)
    with pytest.raises(ValueError, match="X is not the data"):
        pruner.transform(other)
    with pytest.raises(ValueError, match="X has 2 features"):
        pruner.transform(frame[["age", "school"]])
    model = PrunedClassifier(make_pipeline(encoder(), LogisticRegression()), pruner, labels="pseudo").fit(
        frame, partial
    )
    assert model.score(frame, y) > 0.8
    rows, targets = PruningSampler(pruner).fit_resample(frame, partial)
    assert type(rows) is type(frame)
    assert len(targets) == 36


def test_frames_of_numbers_reach_pipelines_with_their_names(labels):
    y, partial = labels
    frame = make_frame(y).drop(columns="school").fillna(0.0)
    front = make_column_transformer((StandardScaler(), ["age", "rooms"]))
    pruner = make_pruner(front).fit(frame, partial)
    np.testing.assert_array_equal(pruner.transform(frame), frame.to_numpy()[pruner.support_])
    same = make_pruner(StandardScaler()).fit(frame.to_numpy(), partial)
    np.testing.assert_array_equal(pruner.support_, same.support_)
    np.testing.assert_array_equal(same.transform(frame.to_numpy()), pruner.transform(frame))


def test_missing_cells_of_arrays_reach_pipelines(labels):
    y, partial = labels
    X = np.random.default_rng(0).normal(size=(N, 3)) + y[:, None]
    X[3, 1] = np.nan
    pruner = make_pruner(make_pipeline(SimpleImputer(), StandardScaler()))
    assert np.isfinite(pruner.fit(X, partial).difficulty_scores_).all()
    boosting = HistGradientBoostingClassifier(random_state=0)
    assert len(SupervisedPruner(0.3, proxy=boosting, n_epochs=10, random_state=0).fit_transform(X, y)) == 36
    X[4, 0] = np.inf
    with pytest.raises(ValueError, match=r"infinity \(inf\), first in row 4, column 0|NaN, first in row 3, column 1"):
        pruner.fit(X, partial)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {},
            "text in column 'school' .*missing cells .NaN. in columns 'age' .row 5., 'school' .row 7., and SoftMatch reads",
        ),
        ({"labeler": make_pipeline(encoder(), NEIGHBORS)}, "'school'.*and NetClassifier reads numbers only. Encode"),
        ({"labeler": NEIGHBORS}, "'school'.*, and LabelSpreading does not read them. Encode .* ColumnTransformer"),
        ({"labeler": SELF_TRAINING}, "'school'.*, and SelfTrainingClassifier does not read them"),
        ({"proxy": SGD}, "'school'.*, and SGDClassifier does not read them"),
        ({"proxy": make_pipeline(StandardScaler(), SGD)}, "'school'.*, and StandardScaler does not read them"),
    ],
)
def test_models_that_do_not_read_a_frame_are_named_before_any_training(labels, params, message):
    y, partial = labels
    if "proxy" in params:
        params = {"labeler": make_pipeline(encoder(), FailingLabeler())} | params
    with pytest.raises(ValueError, match=message):
        SemiPrune(**params, random_state=0).fit(make_frame(y), partial)


class FailingLabeler(LabelSpreading):
    def fit(self, X, y):
        raise AssertionError("trained")


@pytest.mark.parametrize(
    ("labeler", "scaler", "message"),
    [
        (SELF_TRAINING, SGD, "missing cells .NaN. in column 1 .row 3., and SGDClassifier"),
        (make_pipeline(StandardScaler(), NEIGHBORS), SGD, "missing cells .*, and LabelSpreading does not"),
        ("softmatch", None, "NaN, first in row 3, column 1"),
    ],
)
def test_models_that_read_no_missing_cells_are_named(labels, labeler, scaler, message):
    y, partial = labels
    X = np.arange(2.0 * N).reshape(N, 2)
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match=message):
        SemiPrune(labeler=labeler, proxy=scaler, random_state=0).fit(X, partial)


def test_dates_reach_pipelines_alone(labels):
    y, partial = labels
    frame = make_frame(y).assign(when=pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(N), unit="D"))
    frame.loc[frame.index[3], "when"] = pd.NaT
    assert make_pruner(encoder()).fit_transform(frame, partial)["when"].dtype.kind == "M"
    with pytest.raises(ValueError, match="dates in column 'when'.*Turn dates into numbers"):
        SemiPrune(random_state=0).fit(frame, partial)
    with pytest.raises(ValueError, match="dates in column 'when'.* StandardScaler does not read"):
        make_pruner(StandardScaler()).fit(frame[["when", "rooms"]], partial)


def test_baselines_and_frames(labels):
    y, partial = labels
    frame = make_frame(y)
    with pytest.raises(ValueError, match="text in column 'school'.* or embedding"):
        KCenterPruner(0.3).fit(frame)
    assert KCenterPruner(0.3, embedding=encoder(), random_state=0).fit_transform(frame).shape == (36, 3)
    proxy = make_pipeline(encoder(), SGD)
    elfs = ELFSPruner(0.3, n_clusters=2, embedding=encoder(), proxy=proxy, n_epochs=10, random_state=0)
    assert elfs.fit_transform(frame).shape == (36, 3)
    assert ActivePruner(0.3, classifier=proxy, random_state=0).fit_transform(frame, partial).shape == (36, 3)
    search = GridSearchCV(proxy, {"sgdclassifier__alpha": [1e-3, 1e-4]}, cv=2)
    assert ActivePruner(0.3, classifier=search, random_state=0).fit_transform(frame, partial).shape == (36, 3)
    with pytest.raises(ValueError, match="and SGDClassifier does not read them"):
        ActivePruner(0.3, classifier=SGD, random_state=0).fit(frame, partial)
    with pytest.raises(ValueError, match="and NetClassifier reads numbers only"):
        NetClassifier().fit(frame, y)
    dynamics, _ = collect_dynamics(proxy, frame, y, n_epochs=3, random_state=0)
    assert dynamics.n_samples == N


def test_pruning_curves_of_frames(labels, tmp_path):
    y, partial = labels
    frame = make_frame(y)
    run = partial_function(
        pruning_curve,
        {"random": RandomPruner(0.3)},
        frame,
        partial,
        X_test=frame,
        y_test=y,
        y_oracle=y,
        ratios=[0.3],
        evaluator=make_pipeline(encoder(), LogisticRegression()),
        random_states=[0],
        results_file=tmp_path / "curve.csv",
    )
    assert run().rows == run().rows


# Rows that nobody reads


class Shelf:
    """Rows that can be indexed and counted, and nothing else."""

    def __len__(self):
        return 10

    def __getitem__(self, row):
        return f"book {row}" if row < 10 else None


@pytest.mark.parametrize(
    "X",
    [
        make_frame(np.zeros(N, dtype=int)),
        [{"text": "a"}, {"text": "b"}, {"text": None}] * 3,
        np.array(["2024-01-01", "NaT"] * 5, dtype="datetime64[D]"),
        np.full((10, 2), np.nan),
        np.zeros((4, 2, 2, 2, 2)),
        ["a", "b", "c"],
        sparse.csr_array(np.eye(6)),
    ],
    ids=["frame", "dicts", "dates", "NaN", "five axes", "texts", "sparse"],
)
def test_random_rows_of_any_kind(X):
    n = X.shape[0] if hasattr(X, "shape") else len(X)
    pruner = RandomPruner(0.5, random_state=0)
    kept = pruner.fit_transform(X)
    assert type(kept) is type(pruner.transform(X)) is type(X)
    assert pruner.support_.shape == (n,)
    with pytest.raises(ValueError, match="not the data"):
        pruner.transform(X[: n - 1])


# Sparse tables


def make_sparse(y, n_words=300, kind=sparse.csr_array):
    rng = np.random.default_rng(2)
    table = sparse.random(N, n_words, 0.05, random_state=0).tolil()
    for row, code in enumerate(y):
        table[row, rng.integers(20, size=4) + 20 * code] = 1.0
    return kind(table.tocsr())


def test_sparse_tables_are_never_made_dense(labels, monkeypatch):
    y, partial = labels
    table = make_sparse(y)

    def refuse(*_, **__):
        raise AssertionError("made dense")

    for method in ("toarray", "todense"):
        monkeypatch.setattr(sparse.csr_array, method, refuse)
    Watching.seen.clear()
    pruner = make_pruner(Watching(), SELF_TRAINING, memory=None)
    kept = pruner.fit_transform(table, partial)
    assert sparse.issparse(kept)
    assert kept.shape == (36, 300)
    assert {kind.__name__ for kind in Watching.seen} == {"csr_array"}
    assert pruner.transform(table).shape == (36, 300)
    assert pruner.score(table, y) > 0.6
    assert pruner.predict_difficulty(table[:4]).shape == (4,)
    assert pruner._inputs.embedding.shape == (N, N)  # as many directions as rows
    with pytest.raises(ValueError, match="X is not the data"):
        pruner.transform(table * 2)
    with pytest.raises(ValueError, match="X has 299 features"):
        pruner.transform(table[:, 1:])


def test_models_that_read_no_sparse_tables_get_arrays(labels):
    y, partial = labels
    table = make_sparse(y, 40)
    boosting = HistGradientBoostingClassifier(random_state=0)
    pruners = [make_pruner(MaxAbsScaler(), proxy=make_pipeline(MaxAbsScaler(), boosting)) for _ in range(2)]
    expected = pruners[0].fit(table.toarray(), partial)
    np.testing.assert_array_equal(pruners[1].fit(table, partial).support_, expected.support_)


def test_sparse_tables_with_cells_that_are_not_finite(labels):
    _, partial = labels
    table = sparse.csr_array(np.eye(N))
    for value, message in ((np.nan, "NaN, first in row 4, column 4"), (np.inf, r"inf.*, first in row 4, column 4")):
        table.data[4] = value
        with pytest.raises(ValueError, match=message):
            make_pruner(MaxAbsScaler()).fit(table, partial)


def test_sparse_tables_with_wide_indices(labels):
    y, partial = labels
    table = make_sparse(y)
    table.indices, table.indptr = table.indices.astype(np.int64), table.indptr.astype(np.int64)
    assert make_pruner(MaxAbsScaler(), SELF_TRAINING).fit_transform(table, partial).shape == (36, 300)


# Texts


@pytest.mark.parametrize(
    "container", [list, np.array, lambda texts: np.array(texts, dtype=object), pd.Series, pl.Series]
)
def test_texts(labels, container):
    y, partial = labels
    rng = np.random.default_rng(0)
    words = [("good fine", "bad poor")[code] + f" thing{rng.integers(9)}" for code in y]
    texts = container(words)
    pruner = make_pruner(TfidfVectorizer(), SELF_TRAINING)
    kept = pruner.fit_transform(texts, partial)
    assert type(kept) is type(pruner.transform(texts)) is type(texts)
    assert list(kept) == [words[row] for row in pruner.coreset_indices_]
    assert pruner.score(texts, y) > 0.9
    assert pruner.predict_difficulty(texts[:3]).shape == (3,)
    with pytest.raises(ValueError, match="not the data"):
        pruner.transform(texts[::-1])


def test_texts_without_words(labels):
    """Where no word has two letters, texts are near by their characters."""
    y, partial = labels
    texts = [f"{'ab'[code]} {row % 9}" for row, code in enumerate(y)]
    pruner = make_pruner(TfidfVectorizer(analyzer="char"), SELF_TRAINING).fit(texts, partial)
    assert pruner.score(texts, y) > 0.9


def test_texts_that_nothing_reads_are_refused_with_the_way_out(labels):
    _, partial = labels
    texts = [f"a {row}" for row in range(N)]
    for params in ({}, {"labeler": NEIGHBORS}, {"labeler": make_pipeline(TfidfVectorizer(), NEIGHBORS)}):
        with pytest.raises(
            ValueError, match="X holds texts, and .* reads numbers only. Use Pipelines .*TfidfVectorizer"
        ):
            SemiPrune(**params).fit(texts, partial)
    with pytest.raises(ValueError, match="row 1 holds None. Use an empty text"):
        make_pruner(TfidfVectorizer(), SELF_TRAINING).fit([texts[0], None, *texts[2:]], partial)
    with pytest.raises(ValueError, match="X holds texts, and embedding=None reads numbers only"):
        KCenterPruner().fit(texts)


# The space in which rows are near


def test_coverage_of_numbers_does_not_depend_on_the_container():
    X = np.random.default_rng(0).normal(size=(50, 4))
    expected = StandardScaler().fit_transform(X).astype(np.float32)
    for rows in (X, pd.DataFrame(X, columns=list("abcd")), sparse.csr_array(X)):
        np.testing.assert_array_equal(coverage_space(read_rows(rows), None, 0), expected)


def test_coverage_of_encoded_frames(labels):
    y, _ = labels
    frame = make_frame(y).assign(when=pd.Timestamp("2024-01-01"), empty=np.nan)
    frame.loc[frame.index[3], "when"] = pd.NaT
    space = coverage_space(read_rows(frame), None, 0)
    assert space.shape == (N, 4 + 3)  # numbers and dates; north, south, missing
    assert np.isfinite(space).all()
    same_school = frame["school"].to_numpy() == frame["school"].iloc[0]
    assert (space[same_school][:, 4:] == space[0, 4:]).all()
    many = pd.DataFrame({"city": [f"city {row % 60}" for row in range(N)], "name": [f"name {row}" for row in range(N)]})
    wide = pd.concat([many.add_prefix(str(number)) for number in range(4)], axis=1)
    assert coverage_space(read_rows(wide), None, 0).shape == (N, N)


def test_fingerprints():
    X = np.eye(5)
    frame = pd.DataFrame({"a": ["x", None, "y"], "b": [1.0, np.nan, 2.0]})
    assert fingerprint(read_rows(frame)) == fingerprint(read_rows(frame.copy()))
    assert fingerprint(read_rows(frame)) != fingerprint(read_rows(frame.replace("y", "z")))
    assert fingerprint(read_rows(pd.DataFrame(X))) == fingerprint(read_rows(X))
    twice = sparse.coo_array((np.r_[np.full(5, 0.5), np.full(5, 0.5)], (np.tile(range(5), 2), np.tile(range(5), 2))))
    assert fingerprint(read_rows(sparse.csc_array(X))) == fingerprint(read_rows(twice))
    names = [GivenRows(pd.DataFrame(X, columns=list(columns))).key for columns in ("abcde", "abcdf")]
    assert names[0] != names[1]


FRAME = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 3)), columns=["a", "b", "c"])
NAMES = [f"row {row}" for row in range(40)]
KNOWN = pd.Series(["cat", "dog"] * 10 + [None] * 20)


@pytest.mark.parametrize("index", [NAMES, range(40), np.random.default_rng(0).permutation(40)])
def test_labels_in_another_order_of_the_same_index_are_warned_of(index):
    X, y = FRAME.set_axis(index), KNOWN.set_axis(index)[::-1]
    first, other = X.index.tolist()[0], y.index.tolist()[0]
    message = rf"where X has {first!r}, y has {other!r}\. Pass y\.loc\[X\.index\] if .* y\.to_numpy\(\) if by position"
    with pytest.warns(UserWarning, match=message):
        pool = read_labeled_pool(RandomPruner(), X, y)
    assert pool.codes[20:].tolist() == [1, 0] * 10


@pytest.mark.parametrize(
    ("of_rows", "of_labels"),
    [
        (NAMES, NAMES),
        (NAMES, range(40)),
        (np.arange(40)[::-1], range(40)),  # that of labels which have no index of their own
        (np.arange(40) // 2, np.arange(40)[::-1] // 2),  # nothing could be found by it
        (NAMES, [*NAMES[1:], "another"]),
        (pd.Index(np.arange(40)[::-1]), pd.Index(np.arange(40)[::-1], dtype="Int64")),
        (
            pd.date_range("2026", periods=40, tz="UTC"),
            pd.date_range("2026", periods=40, tz="UTC").tz_convert("Europe/Berlin"),
        ),
        (pd.MultiIndex.from_arrays([NAMES, NAMES]), pd.MultiIndex.from_arrays([NAMES, NAMES])),
    ],
)
def test_other_indices_of_labels_pass_in_silence(of_rows, of_labels, recwarn):
    read_labeled_pool(RandomPruner(), FRAME.set_axis(of_rows), KNOWN.set_axis(of_labels))
    read_labeled_pool(RandomPruner(), FRAME.to_numpy(), KNOWN.set_axis(of_labels))
    read_labeled_pool(RandomPruner(), pl.from_pandas(FRAME), KNOWN.set_axis(of_labels))
    assert not recwarn.list


def test_frames_whose_columns_come_in_another_order(labels):
    """A classifier that finds columns by their names predicts the same; the kept rows are those of the very frame."""
    y, partial = labels
    frame = make_frame(y)
    other = frame[["rooms", "school", "age"]]
    classifier = PrunedClassifier(make_pipeline(encoder(), SGD), make_pruner(encoder()), labels="pseudo")
    classifier.fit(frame, partial)
    np.testing.assert_array_equal(classifier.predict(other), classifier.predict(frame))
    with pytest.raises(ValueError, match="feature names should match"):
        classifier.pruner_.transform(other)
