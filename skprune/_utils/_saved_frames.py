"""Frames and Series of pandas and polars as arrays, texts and numbers, and back, without pickles."""

import sys

import numpy as np

_PLAIN = (bool, int, float, str, type(None))
_OF_POLARS = (
    *("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64", "Boolean"),
    *("Date", "Datetime", "Duration", "Time", "String", "Categorical", "Enum", "Null"),
)
_TEXTS_OF_POLARS = ("String", "Categorical", "Enum")


class NotSavable(TypeError):
    """An object that can only be pickled."""


def is_frame_or_series(value):
    """Tell whether a value is exactly a frame or a Series of pandas or polars, without importing either."""
    libraries = [sys.modules[name] for name in ("pandas", "polars") if name in sys.modules]
    return any(type(value) in (library.DataFrame, library.Series) for library in libraries)


def parts_of(value):
    """Return what a frame or a Series is made of: dicts and lists of arrays, texts and numbers."""
    if type(value).__module__.startswith("polars."):
        if hasattr(value, "get_columns"):
            return {"polars": [_polars_parts(column, f"column {column.name!r}") for column in value.get_columns()]}
        return {"polars": _polars_parts(value, "the Series")}
    index = _index_parts(value.index, "the index")
    if value.ndim == 1:
        return {"pandas": _pandas_parts(value, "the Series"), "index": index, "name": _label(value.name)}
    names = [f"column {name!r}" for name in value.columns]
    cells = [_pandas_parts(value.iloc[:, place], name) for place, name in enumerate(names)]
    return {"pandas": cells, "index": index, "columns": _index_parts(value.columns, "the index of columns")}


def made_of(parts):
    """Return the frame or the Series of such parts."""
    if "polars" in parts:
        import polars as pl

        cells = parts["polars"]
        return (
            pl.DataFrame([_polars_series(part) for part in cells]) if isinstance(cells, list) else _polars_series(cells)
        )
    import pandas as pd

    index = _index_of(parts["index"])
    if "name" in parts:
        return pd.Series(**_pandas_column(parts["pandas"]), index=index, name=parts["name"])
    columns = [pd.Series(**_pandas_column(part), index=index) for part in parts["pandas"]]
    frame = pd.DataFrame(dict(enumerate(columns)), index=index)
    frame.columns = _index_of(parts["columns"])
    return frame


def _is_plain(cell):
    return type(cell) in _PLAIN or isinstance(cell, np.generic)


def _refuse(where, what):
    raise NotSavable(f"{where[0].upper()}{where[1:]} holds {what}, which cannot be written without a pickle")


def _pandas_parts(values, where):
    """Return the cells of a Series or an Index, by the kind of their dtype."""
    import pandas as pd

    array, dtype = values.array, values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "biufcmM":
        return {"kind": "numbers", "values": values.to_numpy()}
    if isinstance(dtype, np.dtype) and dtype.kind == "O":
        return {"kind": "objects", **_object_parts(array.to_numpy(), where)}
    if isinstance(dtype, pd.StringDtype):
        cells = np.where(values.isna(), None, values.to_numpy(dtype=object))
        return {"kind": "texts", "cells": cells, "storage": dtype.storage, "has_nan": dtype.na_value is not pd.NA}
    if isinstance(dtype, pd.CategoricalDtype):
        levels = _index_parts(dtype.categories, where)
        return {"kind": "category", "codes": array.codes, "levels": levels, "ordered": dtype.ordered}
    if isinstance(array, (pd.arrays.IntegerArray, pd.arrays.FloatingArray, pd.arrays.BooleanArray)):
        numbers = array.to_numpy(dtype=dtype.numpy_dtype, na_value=0)
        return {"kind": "nullable", "values": numbers, "missing": np.asarray(array.isna())}
    if isinstance(dtype, pd.DatetimeTZDtype) and _is_zone_of(str(dtype.tz), dtype):
        return {"kind": "zoned", "utc": array.tz_convert(None).to_numpy(), "zone": str(dtype.tz)}
    if isinstance(dtype, pd.IntervalDtype):
        ends = [_index_parts(pd.Index(end), where) for end in (array.left, array.right)]
        return {"kind": "interval", "ends": ends, "closed": dtype.closed}
    if isinstance(dtype, pd.SparseDtype) and dtype.subtype.kind in "biuf":
        places = array.sp_index.to_int_index().indices
        fill = np.asarray(dtype.fill_value, dtype=dtype.subtype)[()]
        return {"kind": "sparse", "values": array.sp_values, "places": places, "n": len(array), "fill": fill}
    return _refuse(where, f"cells of the dtype {dtype}")


def _is_zone_of(name, dtype):
    """Tell whether the name of a time zone stands for it."""
    import pandas as pd

    try:
        return pd.DatetimeTZDtype(dtype.unit, name) == dtype
    except (TypeError, ValueError, KeyError, OSError):  # what pandas raises of names that are none, in its versions
        return False


def _object_parts(cells, where):
    """Return the texts, numbers and missing cells of a column of objects; refuse all else."""
    import pandas as pd

    is_na = np.fromiter((cell is pd.NA for cell in cells), dtype=bool, count=len(cells))
    for cell in cells[~is_na]:
        if not _is_plain(cell):
            _refuse(where, f"objects of type {type(cell).__name__}")
    return {"cells": np.where(is_na, None, cells), "is_na": is_na}


def _pandas_column(parts):
    """Return the cells and the dtype of a Series or an Index, keywords of either."""
    import pandas as pd

    match parts["kind"]:
        case "numbers":
            array = parts["values"]
        case "objects":
            array = parts["cells"]
            array[parts["is_na"]] = pd.NA
        case "texts":
            options = {"na_value": np.nan} if parts["has_nan"] else {}
            array = pd.array(parts["cells"], dtype=pd.StringDtype(parts["storage"], **options))
        case "category":
            array = pd.Categorical.from_codes(parts["codes"], _index_of(parts["levels"]), ordered=parts["ordered"])
        case "nullable":
            kinds = {"b": pd.arrays.BooleanArray, "f": pd.arrays.FloatingArray}
            array = kinds.get(parts["values"].dtype.kind, pd.arrays.IntegerArray)(parts["values"], parts["missing"])
        case "zoned":
            array = pd.DatetimeIndex(parts["utc"]).tz_localize("UTC").tz_convert(parts["zone"]).array
        case "interval":
            array = pd.arrays.IntervalArray.from_arrays(*map(_index_of, parts["ends"]), closed=parts["closed"])
        case "sparse":
            cells = np.full(parts["n"], parts["fill"])
            cells[parts["places"]] = parts["values"]
            array = pd.arrays.SparseArray(cells, fill_value=parts["fill"])
    return {"data": array, "dtype": array.dtype}


def _index_parts(index, where):
    import pandas as pd

    names = [_label(name) for name in index.names]
    if isinstance(index, pd.RangeIndex):
        return {"names": names, "range": [index.start, index.stop, index.step]}
    if isinstance(index, pd.MultiIndex):
        levels = [_index_parts(level, where) for level in index.levels]
        return {"names": names, "levels": levels, "codes": [np.asarray(codes) for codes in index.codes]}
    has_step = isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex))
    return {"names": names, "cells": _pandas_parts(index, where), "step": index.freqstr if has_step else None}


def _label(name):
    """Return the name of a Series or an index; refuse one that is no text, number or tuple of these."""
    for part in name if type(name) is tuple else [name]:
        if not _is_plain(part):
            _refuse(f"the name {name!r}", f"an object of type {type(part).__name__}")
    return name


def _index_of(parts):
    import pandas as pd

    if "range" in parts:
        return pd.RangeIndex(*parts["range"], name=parts["names"][0])
    if "levels" in parts:
        return pd.MultiIndex(list(map(_index_of, parts["levels"])), parts["codes"], names=parts["names"])
    index = pd.Index(**_pandas_column(parts["cells"]), name=parts["names"][0], tupleize_cols=False)
    if parts["step"] is not None:
        index.freq = parts["step"]
    return index


def _polars_parts(series, where):
    """Return the name, dtype and cells of a Series of polars, texts or what numbers stand for them."""
    dtype, kind = series.dtype, series.dtype.base_type().__name__
    options = {name: getattr(dtype, name) for name in ("time_unit", "time_zone") if hasattr(dtype, name)}
    if kind == "Enum":
        options["categories"] = dtype.categories.to_list()
    if kind not in _OF_POLARS or _polars_dtype(kind, options) != dtype:
        _refuse(where, f"cells of the dtype {dtype}")
    parts = {"name": series.name, "kind": kind, "options": options}
    if kind in _TEXTS_OF_POLARS:
        return parts | {"cells": series.to_list()}
    if kind == "Null":
        return parts | {"cells": [None] * len(series)}
    numbers = series.to_physical().fill_null(False if kind == "Boolean" else 0)
    return parts | {"values": numbers.to_numpy(), "missing": series.is_null().to_numpy()}


def _polars_series(parts):
    import polars as pl

    dtype = _polars_dtype(parts["kind"], parts["options"])
    if "cells" in parts:
        return pl.Series(parts["name"], parts["cells"], dtype=dtype)
    table = pl.DataFrame({"values": parts["values"], "missing": parts["missing"]})
    cells = table.select(pl.when(~pl.col("missing")).then(pl.col("values")).cast(dtype)).to_series()
    return cells.rename(parts["name"])


def _polars_dtype(kind, options):
    import polars as pl

    if kind not in _OF_POLARS:
        raise ValueError(f"it holds a column of the dtype {kind} of polars.")
    return getattr(pl, kind)(**options)
