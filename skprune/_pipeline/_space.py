"""The space in which rows are near one another, and how uncertain the class of each row is there."""

import warnings

import numpy as np
from scipy.sparse import csr_array, hstack, issparse
from scipy.stats import entropy
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skprune._utils._given_rows import GivenRows, holds_numbers
from skprune._utils._labels import MISSING
from skprune._utils._mapped import empty_rows, is_mapped, row_chunks
from skprune._utils._proba import proba_parts

_MOST_FEATURES = 256
_N_COMPONENTS = 128
_LEAST_SAMPLE, _MOST_SAMPLE_BYTES = 2000, 2**27  # of the rows whose principal components stand for those of all
MOST_LABELED = 5000
_N_FOLDS = 3
_LEAST_SKILL = 1 / 3  # between 0.2 on novels, where uncertainty misleads, and 0.5 on letter, where it pays
_N_ITERATIONS = 2  # a rough subspace is enough to cover
_MOST_CATEGORIES = 64


def n_space_features(n_values, is_array):
    """Return how many features of a row of a table :func:`coverage_space` returns, at most."""
    if not is_array:
        return _MOST_FEATURES
    return n_values if n_values <= _MOST_FEATURES else _N_COMPONENTS


def coverage_space(pool, features, random_state):
    """Return rows where those alike are near: tables in standardized columns or their components, images in features."""
    if pool.ndim == 4:
        return features
    if isinstance(pool, GivenRows):
        wide = _wide_table(pool)
        if wide is not None:
            return _components(wide, random_state)
        pool = pool.as_array()
    scaler = _scaler_of(pool)
    if pool.shape[1] <= _MOST_FEATURES:
        return _in_parts(pool, scaler.transform, pool.shape[1])
    components = PCA(min(_N_COMPONENTS, len(pool)), svd_solver="randomized", random_state=random_state)
    components.set_output(transform="default")
    if pool.nbytes <= _MOST_SAMPLE_BYTES:
        return components.fit_transform(scaler.transform(pool)).astype(np.float32)
    n_rows = max(_LEAST_SAMPLE, _MOST_SAMPLE_BYTES // pool[:1].nbytes)
    sample = np.random.default_rng(random_state).permutation(len(pool))[:n_rows]
    components.fit(scaler.transform(pool[np.sort(sample)]))
    return _in_parts(pool, lambda rows: components.transform(scaler.transform(rows)), components.n_components_)


def _scaler_of(table):
    """Fit a scaler, a part of the rows at a time."""
    scaler = StandardScaler().set_output(transform="default")
    for rows in row_chunks(table):
        scaler.partial_fit(table[rows])
    return scaler


def _in_parts(pool, transform, n_features):
    """Transform rows in chunks, to single precision; those of a mapped pool are kept in a file too."""
    space = np.asarray(empty_rows((len(pool), n_features), np.float32, mapped=is_mapped(pool) or None))
    for rows in row_chunks(pool):
        space[rows] = transform(pool[rows])
    return space


def _wide_table(pool):
    """Return what stands for rows that are no dense table of numbers; None for those that are, or are nearly."""
    if issparse(pool.given):
        return pool.given if pool.shape[1] > _MOST_FEATURES else None
    if holds_numbers(pool):
        return None
    if pool.is_texts:
        from sklearn.feature_extraction.text import TfidfVectorizer

        has_words = any(map(TfidfVectorizer().build_analyzer(), pool.given))  # of two letters or more
        return TfidfVectorizer(analyzer="word" if has_words else "char", sublinear_tf=True).fit_transform(pool.given)
    return _encoded(pool.columns())


def _encoded(columns):
    """Standardize numbers and dates, with the mean where a cell is missing, and encode texts one-hot."""
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder

    numbers = [_as_numbers(column) for column in columns if column.kind in ("number", "date")]
    texts = [list(map(str, column.values)) for column in columns if column.kind in ("text", "object")]
    parts = []
    if numbers:
        imputed = SimpleImputer(keep_empty_features=True).fit_transform(np.stack(numbers, axis=1))
        parts.append(csr_array(StandardScaler().fit_transform(imputed)))
    if texts:
        encoder = OneHotEncoder(handle_unknown="ignore", max_categories=_MOST_CATEGORIES)
        parts.append(encoder.fit_transform(np.array(texts, dtype=object).T))
    return hstack(parts, format="csr")


def _as_numbers(column):
    numbers = np.full(len(column.values), np.nan)
    present = column.values[~column.missing]
    if column.kind == "date":
        present = present.astype("datetime64[us]" if column.values.dtype.kind != "m" else "timedelta64[us]").astype(
            np.int64
        )
    numbers[~column.missing] = present.astype(np.float64)
    return numbers


def _components(table, random_state):
    """Return a sparse table as it is where it is narrow, else its principal directions."""
    if table.shape[1] <= _MOST_FEATURES:
        return table.toarray().astype(np.float32)
    n_components = min(_N_COMPONENTS, *table.shape)
    directions = TruncatedSVD(n_components, n_iter=_N_ITERATIONS, random_state=random_state)
    return directions.fit_transform(table.astype(np.float32))


def class_uncertainty(space, codes, random_state):
    """Return how uncertain the class of each row is by a linear model, in units of equal shares; 0 if it learns too little."""
    labeled = np.flatnonzero(codes != MISSING)
    if len(labeled) > MOST_LABELED:
        rng = np.random.default_rng(random_state)
        one_of_each = [rng.choice(np.flatnonzero(codes == code)) for code in np.unique(codes[labeled])]
        labeled = np.union1d(rng.choice(labeled, MOST_LABELED, replace=False), one_of_each)
    if not labeled.size:
        return np.zeros(len(space))
    scaler = _scaler_of(space)
    rows, classes = scaler.transform(space[labeled]), codes[labeled]
    if _skill(rows, classes, random_state) < _LEAST_SKILL:
        return np.zeros(len(space))
    model, uncertainty = make_pipeline(scaler, _linear_model().fit(rows, classes)), np.empty(len(space))
    for part, proba in proba_parts(model, space, len(model.classes_)):
        uncertainty[part] = entropy(proba, axis=1) / np.log(proba.shape[1])
    return np.clip(uncertainty, 0.0, 1.0)


def _linear_model():
    return LogisticRegression(max_iter=300)


def _skill(rows, classes, random_state):
    """Return the share of the Brier score that logistic regression explains in cross-validation; 0 of too few labels."""
    names, codes, counts = np.unique(classes, return_inverse=True, return_counts=True)
    n_folds = min(_N_FOLDS, counts.max())
    if n_folds < 2 or len(names) < 2:
        return 0.0
    proba = np.zeros((len(codes), len(names)))
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=random_state)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class with fewer labels than folds is not seen in some of them
        parts = list(folds.split(rows, codes))
    for seen, unseen in parts:
        present = np.unique(codes[seen])
        found = 1.0 if len(present) == 1 else _linear_model().fit(rows[seen], codes[seen]).predict_proba(rows[unseen])
        proba[np.ix_(unseen, present)] = found
    truth = np.eye(len(names))[codes]
    return 1.0 - np.square(proba - truth).sum() / np.square(truth.mean(axis=0) - truth).sum()
