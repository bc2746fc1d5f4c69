"""Between objects and what a file holds: a tree of JSON, and arrays that it names.

Numbers, texts, lists and the like are JSON; arrays and tensors are named; objects of skprune are their class and attributes,
nets their parameters and weights, frames of pandas and polars their columns; all else is left to skops. Reading calls no
constructor but those of nets and frames, and resolves no name that is not trusted.
"""

from collections import OrderedDict
from dataclasses import fields, is_dataclass
from functools import partial
from inspect import signature

import numpy as np
from sklearn.base import clone

from skprune._utils._adapters import is_net
from skprune._utils._index_checks import check_indices
from skprune._utils._packed_models import pack, unpack
from skprune._utils._saved_frames import NotSavable, is_frame_or_series, made_of, parts_of
from skprune._utils._trusted import check_names, name_of, names_in, resolve, with_parts

_PLAIN = (bool, int, float, str, type(None))
_SIZES = {"int": (8, 16, 32, 64), "uint": (8, 16, 32, 64), "float": (16, 32, 64), "complex": (64,)}
_STORED_DTYPES = (np.dtype(bool), *(np.dtype(f"{kind}{size}") for kind, sizes in _SIZES.items() for size in sizes))
_UNKEPT_PARAMETERS = ("memory", "checkpoint")  # places on this machine, where pickles may lie


class NetPlace:
    """Where a net was in a model that skops writes."""

    def __init__(self, number):
        self.number = number


class StateWriter:
    """Turn objects into a tree of JSON, and the arrays that it names; an array that comes twice is written once."""

    def __init__(self, *, rows=False):
        self.arrays, self.rows, self.names = {}, rows, set()
        self._names, self._alive = {}, []

    def node(self, value):
        """Return the node of an object."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is list:
            return [self.node(part) for part in value]
        if kind is tuple:
            return {"tuple": [self.node(part) for part in value]}
        if kind in (dict, OrderedDict):
            return {"dict": [[self.node(key), self.node(part)] for key, part in value.items()]}
        if isinstance(value, np.str_):
            return str(value)
        if isinstance(value, (np.ndarray, np.generic)):
            return self._array(value)
        if kind is partial:
            return {"partial": [self.node(part) for part in (value.func, value.args, value.keywords)]}
        if hasattr(value, "detach") and hasattr(value, "numpy"):
            return self._tensor(value)
        if is_frame_or_series(value):
            return {"frame": self.node(parts_of(value))}
        if is_net(value):
            return self._net(value)
        if isinstance(value, type) or (hasattr(value, "__qualname__") and hasattr(value, "__module__")):
            if "<" in value.__qualname__:
                raise NotSavable(f"{value.__qualname__} is defined within a function")
            return {"name": self._noted(name_of(value))}
        if kind.__module__.split(".")[0] == "skprune":
            return {"object": name_of(kind), "state": self.node(self._state(value))}
        return self._by_skops(value)

    def _state(self, value):
        """Return the attributes of an object of skprune."""
        if is_dataclass(value):
            return {field.name: getattr(value, field.name) for field in fields(value)}
        if hasattr(value, "__saved_state__"):
            return value.__saved_state__(self.rows)
        return {name: None if name in _UNKEPT_PARAMETERS else part for name, part in vars(value).items()}

    def _noted(self, name):
        """Return a name that whoever reads the file has to trust, unless skprune does."""
        self.names.add(name)
        return name

    def _array(self, value):
        array = np.asarray(value)
        if array.dtype.newbyteorder("=") in _STORED_DTYPES and not isinstance(value, np.ma.MaskedArray):
            if not isinstance(value, np.ndarray):
                return {"scalar": self._name(value, array)}
            if array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous:
                return {"columns": self._name(value, array.T)}  # products of matrices depend on the layout
            return {"array": self._name(value, array)}
        if array.dtype.kind in "Mm":
            return {
                "times": self._name(value, array.view(np.int64)),
                "dtype": array.dtype.str,
                "shape": list(array.shape),
            }
        if array.dtype.kind in "OU" and not isinstance(value, np.ma.MaskedArray):
            cells = [self.node(cell) for cell in array.ravel().tolist()]
            return {"cells": cells, "dtype": array.dtype.str, "shape": list(array.shape)}
        return self._by_skops(value)

    def _tensor(self, tensor):
        array = tensor.detach().cpu().contiguous()
        if str(array.dtype) == "torch.bfloat16":  # which NumPy does not have
            import torch

            return {"bfloat16": self._name(tensor, array.view(torch.int16).numpy())}
        return {"tensor": self._name(tensor, array.numpy())}

    def _name(self, value, array):
        """Return the name of an array, the same one for the same object."""
        if id(value) not in self._names:
            name = self._names[id(value)] = str(len(self.arrays))
            self.arrays[name] = np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(array.shape)
            self._alive.append(value)  # or its id could be that of another
        return self._names[id(value)]

    def _net(self, net):
        """Return the node of a net: its class, the parameters that differ from their defaults, and what it has learned."""
        signatures = [signature(kind.__init__).parameters for kind in reversed(type(net).__mro__)]
        defaults = {name: parameter.default for known in signatures for name, parameter in known.items()}
        parameters = {
            name: value
            for name, value in net.get_params(deep=False).items()
            if not _is_default(value, defaults.get(name, ...))
        }
        fitted = pack(net) if getattr(net, "initialized_", False) else None
        node = {
            "net": self._noted(name_of(type(net))),
            "parameters": self.node(parameters),
            "fitted": self.node(fitted),
        }
        names = getattr(net, "feature_names_in_", None)
        return node if names is None else node | {"feature_names": self.node(names)}

    def _by_skops(self, value):
        import skops.io  # brings in all of scikit-learn

        nets = []
        try:
            content = skops.io.dumps(_exchanged(value, lambda part: is_net(part) and _put(nets, part)))
        except Exception as error:
            raise NotSavable(f"{type(value).__name__} cannot be written without a pickle: {error}") from error
        self.names.update(skops.io.get_untrusted_types(data=content))
        array = np.frombuffer(content, dtype=np.uint8)
        return {"skops": self._name(array, array), "nets": [self._net(net) for net in nets]}


class StateReader:
    """Turn a tree and its arrays back into objects."""

    def __init__(self, arrays, trusted=()):
        self.arrays, self.trusted = arrays, with_parts(trusted)

    def value(self, node):
        """Return the object of a node."""
        if isinstance(node, list):
            return [self.value(part) for part in node]
        if not isinstance(node, dict):
            return node
        kind = next(iter(node))
        return getattr(self, f"read_{kind}")(node)

    def read_tuple(self, node):
        """Read a tuple."""
        return tuple(self.value(node["tuple"]))

    def read_dict(self, node):
        """Read a dict."""
        return {self.value(key): self.value(part) for key, part in node["dict"]}

    def read_array(self, node):
        """Read an array."""
        return self.arrays[node["array"]]

    def read_columns(self, node):
        """Read an array that lies in memory column by column."""
        return self.arrays[node["columns"]].T

    def read_scalar(self, node):
        """Read a number of NumPy."""
        return self.arrays[node["scalar"]][()]

    def read_times(self, node):
        """Read dates or durations."""
        times = self.arrays[node["times"]].view(_dtype(node["dtype"], "Mm")).reshape(node["shape"])
        return times if node["shape"] else times[()]

    def read_cells(self, node):
        """Read an array of texts or objects."""
        cells = np.empty(len(node["cells"]), dtype=_dtype(node["dtype"], "OU"))
        for place, cell in enumerate(node["cells"]):
            cells[place] = self.value(cell)
        return cells.reshape(node["shape"])

    def read_tensor(self, node):
        """Read a tensor of torch."""
        import torch

        return torch.from_numpy(self.arrays[node["tensor"]])

    def read_bfloat16(self, node):
        """Read a tensor of bfloat16."""
        import torch

        return torch.from_numpy(self.arrays[node["bfloat16"]]).view(torch.bfloat16)

    def read_frame(self, node):
        """Read a frame or a Series."""
        return made_of(self.value(node["frame"]))

    def read_partial(self, node):
        """Read a function with some of its arguments; it is not called."""
        function, arguments, keywords = self.value(node["partial"])
        return partial(function, *arguments, **keywords)

    def read_name(self, node):
        """Read a class or function by its name."""
        return resolve(node["name"], self.trusted)

    def read_object(self, node):
        """Read an object of skprune, without its constructor."""
        kind = resolve(node["object"], self.trusted)
        if (
            not isinstance(kind, type)
            or not kind.__module__.startswith("skprune.")
            or hasattr(kind, "initialize_module")
        ):
            raise ValueError(f"it holds an object of {node['object']}, which is no class for it.")
        value = object.__new__(kind)
        vars(value).update(self.value(node["state"]))
        vars(value).update((name, None) for name in _UNKEPT_PARAMETERS if name in vars(value))
        return value

    def read_net(self, node):
        """Read a net: build it from its parameters, and load its weights."""
        kind = resolve(node["net"], self.trusted)
        if not isinstance(kind, type) or not hasattr(kind, "initialize_module"):
            raise ValueError(f"it takes {node['net']} for a net.")
        parameters, fitted = self.value(node["parameters"]), self.value(node["fitted"])
        net = kind(**parameters)
        if fitted is not None:
            net = unpack(net, fitted)
        if "feature_names" in node:
            net.feature_names_in_ = self.value(node["feature_names"])
        return net

    def read_skops(self, node):
        """Read a model that skops wrote."""
        import skops.io

        content = self.arrays[node["skops"]].tobytes()
        allowed = check_names(skops.io.get_untrusted_types(data=content), self.trusted)
        value = skops.io.loads(content, trusted=allowed)
        check_indices(value)
        if hasattr(value, "get_params"):  # a cache that the file names may hold pickles
            value.set_params(**{name: None for name in value.get_params() if name.rsplit("__", 1)[-1] == "memory"})
        nets = [self.value(net) for net in node["nets"]]
        return _exchanged(value, lambda part: nets[part.number] if isinstance(part, NetPlace) else None)


def _dtype(name, kinds):
    dtype = np.dtype(name)
    if dtype.kind not in kinds:
        raise ValueError(f"it holds cells of type {name}.")
    return dtype


def _is_default(value, default):
    """Tell whether a parameter has its default; skorch's default split is an object, of which clones have a copy."""
    if value is default or type(value) is not type(default):
        return value is default
    is_of_skorch = type(value).__module__.startswith("skorch.")
    return vars(value) == vars(default) if is_of_skorch else isinstance(value, _PLAIN) and value == default


def _put(nets, net):
    nets.append(net)
    return NetPlace(len(nets) - 1)


def _exchanged(value, exchange):
    """Return a model with some parts exchanged, as it is where there are none; what holds one is copied, nothing else."""
    other = exchange(value)
    if other:
        return other
    if type(value) in (list, tuple):
        parts = [_exchanged(part, exchange) for part in value]
        return value if all(map(_is, parts, value)) else type(value)(parts)
    attributes = value if isinstance(value, dict) else _attributes(value)
    parts = {name: _exchanged(part, exchange) for name, part in attributes.items()}
    if all(map(_is, parts.values(), attributes.values())):
        return value
    if type(value) is dict:
        return parts
    twin = type(value).__new__(type(value))
    (twin if isinstance(value, dict) else vars(twin)).update(parts)
    return twin


def _attributes(value):
    """Return the attributes of an estimator, or of what scikit-learn has around one; none of anything else."""
    is_model = hasattr(value, "get_params") or type(value).__module__.startswith("sklearn.")
    return vars(value) if is_model and not isinstance(value, type) and hasattr(value, "__dict__") else {}


def _is(one, other):
    return one is other


def check_savable(model):
    """Refuse a fitted model that cannot be written and read again without a pickle, by what it holds."""
    writer = StateWriter()
    node = writer.node(pack(model))
    StateReader(writer.arrays, names_in(clone(model))).value(node)
