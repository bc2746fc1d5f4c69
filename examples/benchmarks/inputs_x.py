"""Cases of inputs.py: tables of every container and dtype, and what is no table."""

import datetime
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import scipy.sparse as sp
import torch
from inputs_rules import (
    N_ROWS,
    PRUNERS,
    REFUSED,
    WORKS,
    Case,
    complaint_about,
    labeler,
    partial_labels,
    proxy,
    semi_prune,
    table,
)
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch.utils.data import ConcatDataset, DataLoader, IterableDataset, Subset, TensorDataset


class Stream(IterableDataset):
    """Rows in an order of their own."""

    def __iter__(self):
        return iter(torch.from_numpy(table()[0]))


class Rows:
    """A Dataset of torch in all but name: it has a length and items."""

    def __len__(self):
        return N_ROWS

    def __getitem__(self, row):
        if not 0 <= row < N_ROWS:
            raise IndexError(row)
        return table()[0][row]


def frame(**columns):
    """Return the clean table as a frame, with columns replaced or added."""
    return pd.DataFrame(table()[0], columns=list("abcd")).assign(**columns)


def _renamed(names):
    X = frame()
    X.columns = names
    return X


def _sparse_with(edit, kind=sp.csr_array):
    X = kind(table()[0])
    edit(X)
    return X


def _wide_indices(X):
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)


def _unsorted(X):
    for row in range(X.shape[0]):
        part = slice(X.indptr[row], X.indptr[row + 1])
        X.indices[part], X.data[part] = X.indices[part][::-1].copy(), X.data[part][::-1].copy()
    X.has_sorted_indices = False


def _twice(X):
    halves = np.concatenate([X.data / 2, X.data / 2])
    return sp.coo_array((halves, (np.tile(X.row, 2), np.tile(X.col, 2))), shape=X.shape)


def _memmap(mode):
    np.save("table.npy", table()[0])
    return np.load("table.npy", mmap_mode=mode)


def _read_only():
    X = table()[0].copy()
    X.flags.writeable = False
    return X


def _strided():
    wide = np.full((2 * N_ROWS, 8), np.nan)
    wide[::2, ::2] = table()[0]
    return wide[::2, ::2]


def _objects(cell):
    X = np.empty((N_ROWS, 4), dtype=object)
    X[...] = [[cell(value) for value in row] for row in table()[0].tolist()]
    return X


def _nested(kind):
    return kind(kind(row) for row in table()[0].tolist())


def _matrix():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.matrix(table()[0])


def same_numbers():
    """Return, by name, what holds the numbers of the clean table: the mask must be the same."""
    X = table()[0]
    tensor = torch.from_numpy(X)
    dtypes = [
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float16",
        "float32",
        "float64",
        "longdouble",
        ">f8",
        ">f4",
        ">i4",
        ">u2",
    ]
    kinds = {f"array of {dtype}": lambda dtype=dtype: X.astype(dtype) for dtype in dtypes}
    kinds |= {
        "Fortran order": lambda: np.asfortranarray(X),
        "strided view": _strided,
        "reversed twice": lambda: X[::-1].copy()[::-1],
        "read-only": _read_only,
        "memory-mapped, read-only": lambda: _memmap("r"),
        "memory-mapped, copy on write": lambda: _memmap("c"),
        "masked array, nothing masked": lambda: np.ma.array(X),
        "objects: int": lambda: _objects(int),
        "objects: float": lambda: _objects(float),
        "objects: Fraction": lambda: _objects(Fraction),
        "objects: Decimal": lambda: _objects(Decimal),
        "list of lists": lambda: _nested(list),
        "tuple of tuples": lambda: _nested(tuple),
        "list of arrays": lambda: list(X),
        "list of tensors": lambda: list(tensor),
        "list of Series": lambda: [pd.Series(row) for row in X],
        "frame": frame,
        "frame of Int64": lambda: frame().astype("Int64"),
        "frame of Float32": lambda: frame().astype("Float32"),
        "frame of mixed dtypes": lambda: frame(a=X[:, 0].astype(np.int8), b=X[:, 1].astype(np.float32)),
        "frame of objects": lambda: frame().astype(object),
        "frame of sparse columns": lambda: frame().astype(pd.SparseDtype(float, 0.0)),
        "frame with a sparse column": lambda: frame(a=frame()["a"].astype(pd.SparseDtype(float, 0.0))),
        "frame with text as index": lambda: frame().set_axis([f"r{row}" for row in range(N_ROWS)]),
        "frame with equal index": lambda: frame().set_axis([0] * N_ROWS),
        "frame with shuffled index": lambda: frame().set_axis(np.random.default_rng(2).permutation(N_ROWS)),
        "frame with two index levels": lambda: frame().set_axis(pd.MultiIndex.from_product([range(6), range(10)])),
        "frame with numbers as names": lambda: _renamed(range(4)),
        "frame with two levels of names": lambda: _renamed(pd.MultiIndex.from_product([["a", "b"], [0, 1]])),
        "polars": lambda: pl.DataFrame(X, schema=list("abcd")),
        "polars of Int8": lambda: pl.DataFrame(X.astype(np.int8), schema=list("abcd")),
        "csr with int64 indices": lambda: _sparse_with(_wide_indices),
        "csr with unsorted indices": lambda: _sparse_with(_unsorted),
        "csr of int8": lambda: sp.csr_array(X.astype(np.int8)),
        "csr of float32": lambda: sp.csr_array(X.astype(np.float32)),
        "coo with halves twice": lambda: _twice(sp.coo_array(X)),
        "tensor of requires_grad": lambda: tensor.clone().requires_grad_(),
        "tensor of a transposed view": lambda: tensor.T.contiguous().T,
        "TensorDataset": lambda: TensorDataset(tensor),
        "TensorDataset with labels": lambda: TensorDataset(tensor, torch.zeros(N_ROWS)),
        "Subset": lambda: Subset(TensorDataset(tensor), range(N_ROWS)),
        "ConcatDataset": lambda: ConcatDataset([TensorDataset(tensor[:20]), TensorDataset(tensor[20:])]),
    }
    for name in ("csr", "csc", "coo", "bsr", "lil", "dok", "dia"):
        kinds[f"{name} array"] = lambda name=name: getattr(sp, f"{name}_array")(X)
        kinds[f"{name} matrix"] = lambda name=name: getattr(sp, f"{name}_matrix")(X)
    for dtype in ("float16", "bfloat16", "float32", "float64", "uint8", "int64"):
        kinds[f"tensor of {dtype}"] = lambda dtype=dtype: tensor.to(getattr(torch, dtype))
    return kinds


def _precision(what):
    """Return the dtype in which the numbers are read: small floats, and bytes, are read in single precision."""
    single = ("float16", "float32", "bfloat16", "uint8")
    return np.float32 if what.split()[-1] in single and not what.startswith("frame") else np.float64


def other_numbers():
    """Return, by name, odd tables that must work, with a mask of their own."""
    X = table()[0]
    return {
        "truth values": lambda: X > 6,
        "frame of boolean": lambda: frame().gt(6).astype("boolean"),
        "frame with category of numbers": lambda: frame(b=pd.Categorical([1, 2] * 30)),
        "numbers as StringDType": lambda: X.astype(int).astype(np.dtypes.StringDType()),
        "negative": lambda: X - 100,
        "large values, 1e100": lambda: X * 1e100,
        "small values, 1e-200": lambda: X * 1e-200,
        "one far row": lambda: np.where(np.arange(N_ROWS)[:, None] == 3, 1e12, X),
        "a constant column": lambda: np.where(np.arange(4) == 1, 7.0, X),
        "constant": lambda: np.ones_like(X),
        "zeros, sparse": lambda: sp.csr_array(X.shape),
        "one column": lambda: X[:, :1],
        "more columns than rows": lambda: np.tile(X, 40),
        "all rows twice": lambda: np.concatenate([X[:30], X[:30]]),
    }


def no_tables():
    """Return, by name, what every pruner that reads values must refuse, and what the message has to name."""
    X = table()[0]
    day = np.datetime64("2024-01-01")
    masked = np.ma.array(X, mask=X > 12)
    nat = day + X.astype("timedelta64[D]")
    nat[3, 1] = "NaT"
    kinds = {
        "None": lambda: None,
        "a number": lambda: 3,
        "a text": lambda: "table.csv",
        "bytes": lambda: b"table",
        "a function": lambda: len,
        "a class": lambda: dict,
        "an object": object,
        "a dict of columns": lambda: dict(zip("abcd", X.T, strict=True)),
        "a set": lambda: set(range(N_ROWS)),
        "a generator": lambda: (row for row in X),
        "an iterator": lambda: iter(X),
        "a map": lambda: map(list, X),
        "a range": lambda: range(N_ROWS),
        "0-D": lambda: np.array(3.0),
        "1-D": lambda: X[:, 0],
        "1-D list": lambda: X[:, 0].tolist(),
        "1-D tensor": lambda: torch.from_numpy(X[:, 0]),
        "Series": lambda: pd.Series(X[:, 0]),
        "polars Series": lambda: pl.Series(X[:, 0]),
        "LazyFrame": lambda: pl.DataFrame(X).lazy(),
        "5-D": lambda: X.reshape(N_ROWS, 1, 1, 2, 2),
        "no rows": lambda: X[:0],
        "no rows, frame": lambda: frame()[:0],
        "no rows, sparse": lambda: sp.csr_array((0, 4)),
        "no rows, list": lambda: [],
        "no rows, Dataset": lambda: TensorDataset(torch.zeros(0, 4)),
        "no columns": lambda: X[:, :0],
        "no columns, frame": lambda: frame()[[]],
        "no columns, sparse": lambda: sp.csr_array((N_ROWS, 0)),
        "ragged list": lambda: [row[: 1 + place % 4] for place, row in enumerate(X.tolist())],
        "ragged arrays": lambda: [row[: 1 + place % 4] for place, row in enumerate(X)],
        "lists of dicts": lambda: [{"a": value} for value in X[:, 0]],
        "dates": lambda: day + X.astype("timedelta64[D]"),
        "dates with NaT": lambda: nat,
        "durations": lambda: X.astype("timedelta64[s]"),
        "objects: dates": lambda: _objects(lambda value: datetime.date(2024, 1, 1 + int(value))),
        "masked": lambda: masked,
        "complex": lambda: X + 0j,
        "structured": lambda: np.zeros(N_ROWS, dtype=[("a", float), ("b", float)]),
        "void": lambda: X.view("V8"),
        "nan": lambda: np.where(X == 12, np.nan, X),
        "inf": lambda: np.where(X == 12, np.inf, X),
        "minus inf, float32": lambda: np.where(X == 12, -np.inf, X).astype(np.float32),
        "nan, list": lambda: np.where(X == 12, np.nan, X).tolist(),
        "nan, sparse": lambda: sp.csr_array(np.where(X == 12, np.nan, X)),
        "inf, sparse": lambda: sp.coo_array(np.where(X == 12, np.inf, X)),
        "nan, tensor": lambda: torch.from_numpy(np.where(X == 12, np.nan, X)),
        "nan, Dataset": lambda: TensorDataset(torch.from_numpy(np.where(X == 12, np.nan, X))),
        "nan, polars": lambda: pl.DataFrame(np.where(X == 12, np.nan, X)),
        "None cells": lambda: _objects(lambda value: None if value == 12 else value),
        "objects": lambda: _objects(lambda value: object()),
        "objects: lists": lambda: _objects(lambda value: [value]),
        "matrix": _matrix,
        "frame with equal column names": lambda: _renamed(list("aabb")),
        "text cells": lambda: X.astype(int).astype(str),
        "bytes cells": lambda: X.astype(int).astype("S"),
        "text among objects": lambda: _objects(lambda value: "many" if value == 12 else value),
        "texts": lambda: [f"row {row}" for row in range(N_ROWS)],
        "frame with text": lambda: frame(b=["x", "y"] * 30),
        "frame with category": lambda: frame(b=pd.Categorical(["x", "y"] * 30)),
        "frame with dates": lambda: frame(b=pd.date_range("2024", periods=N_ROWS)),
        "frame with dates of a time zone": lambda: frame(b=pd.date_range("2024", periods=N_ROWS, tz="UTC")),
        "frame with periods": lambda: frame(b=pd.period_range("2024", periods=N_ROWS, freq="D")),
        "frame with intervals": lambda: frame(b=pd.interval_range(0, N_ROWS)),
        "frame with durations": lambda: frame(b=pd.to_timedelta(range(N_ROWS), unit="D")),
        "frame with missing cells": lambda: frame(b=[None, *range(N_ROWS - 1)]),
        "frame with pd.NA": lambda: frame(b=pd.array([None, *range(N_ROWS - 1)], dtype="Int64")),
        "frame with boolean NA": lambda: frame(b=pd.array([None, *[True] * (N_ROWS - 1)], dtype="boolean")),
        "frame with inf": lambda: frame(b=[np.inf, *range(N_ROWS - 1)]),
        "frame with lists": lambda: frame(b=[[1]] * N_ROWS),
        "frame with complex": lambda: frame(b=1j),
        "frame with names of two types": lambda: _renamed(["a", "b", 3, 4]),
        "polars with text": lambda: pl.DataFrame({"a": X[:, 0], "b": ["x", "y"] * 30}),
        "polars with nulls": lambda: pl.DataFrame({"a": X[:, 0], "b": [None, *range(N_ROWS - 1)]}),
        "polars with lists": lambda: pl.DataFrame({"a": X[:, 0], "b": [[1]] * N_ROWS}),
        "polars with structs": lambda: pl.DataFrame({"a": X[:, 0], "b": [{"c": 1}] * N_ROWS}),
        "tensor, complex": lambda: torch.from_numpy(X + 0j),
        "tensor, sparse": lambda: torch.from_numpy(X).to_sparse(),
        "tensor, meta": lambda: torch.zeros(N_ROWS, 4, device="meta"),
        "tensor, quantized": lambda: torch.quantize_per_tensor(torch.ones(N_ROWS, 4), 0.1, 0, torch.quint8),
        "DataLoader": lambda: DataLoader(TensorDataset(torch.from_numpy(X)), batch_size=8),
        "IterableDataset": Stream,
        "one row": lambda: X[:1],
    }
    reads = dict.fromkeys(kinds, "") | {"no columns": "feature", "no columns, sparse": "feature"}
    return {name: (make, reads[name]) for name, make in kinds.items()}


_HAVE_NO_ROWS = (
    "None",
    "a number",
    "a text",
    "bytes",
    "a function",
    "a class",
    "an object",
    "a dict of columns",
    "a set",
    "a generator",
    "an iterator",
    "a map",
    "0-D",
    "no rows",
    "no rows, frame",
    "no rows, sparse",
    "no rows, list",
    "no rows, Dataset",
    "LazyFrame",
    "DataLoader",
    "IterableDataset",
    "one row",
    "frame with names of two types",
    "frame with equal column names",
    "tensor, sparse",
    "tensor, meta",
    "tensor, quantized",
)


def table_cases():
    """Return the cases of X as a table."""
    y = partial_labels()
    cases = []
    for name, make in PRUNERS.items():
        is_random = name == "RandomPruner"
        for what, make_X in same_numbers().items():
            cases.append(
                Case(
                    "X: the same numbers",
                    f"{name}, {what}",
                    lambda make=make, make_X=make_X: (make().fit(X := make_X(), y), X),
                    WORKS,
                    check=lambda result, name=name, what=what: complaint_about(
                        result[0], name, same=True, X=result[1], dtype=_precision(what)
                    ),
                )
            )
        for what, make_X in other_numbers().items():
            cases.append(
                Case(
                    "X: other numbers",
                    f"{name}, {what}",
                    lambda make=make, make_X=make_X: (make().fit(X := make_X(), y), X),
                    WORKS,
                    check=lambda result, name=name: complaint_about(result[0], name, same=False, X=result[1]),
                )
            )
        for what, (make_X, names) in no_tables().items():
            works = is_random and what not in _HAVE_NO_ROWS
            cases.append(
                Case(
                    "X: no table of numbers",
                    f"{name}, {what}",
                    lambda make=make, make_X=make_X: make().fit(make_X(), y),
                    WORKS if works else REFUSED,
                    names or r"\bX\b|[Cc]olumn|matrix|SemiPrune|Pruner",
                    check=(lambda result, name=name: complaint_about(result, name, same=True)) if works else None,
                )
            )
    return cases + encoder_cases()


def encoder_cases():
    """Return frames that the Pipelines of labeler and proxy encode."""
    encoder = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
    )
    y, cases = partial_labels(), []
    for what in ("text", "category", "missing cells", "pd.NA"):
        make_X = no_tables()[f"frame with {what}"][0]
        cases.append(
            Case(
                "X: frames for encoders",
                f"SemiPrune with encoders, frame with {what}",
                lambda make_X=make_X: (
                    semi_prune(labeler=labeler(encoder), proxy=proxy(encoder)).fit(X := make_X(), y),
                    X,
                ),
                WORKS,
                check=lambda result: complaint_about(result[0], "SemiPrune", same=False, X=result[1]),
            )
        )
    return cases
