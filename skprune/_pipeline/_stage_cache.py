"""The cache of stage results: in `memory` and in the folder `checkpoint`, and its keys."""

import inspect
import os
import sys
import tempfile
from contextlib import ExitStack
from copy import copy
from functools import partial, wraps
from pathlib import Path

import joblib
import sklearn
from sklearn.utils.validation import check_memory

import skprune
from skprune._base import BasePruner
from skprune._pipeline._divergence import Retried, refuse_retried
from skprune._pipeline._time_plan import TimeLimited
from skprune._utils._adapters import clones_itself, holds_net, is_net
from skprune._utils._given_rows import GivenRows
from skprune._utils._locks import NotWritable, lock_of
from skprune._utils._ranks import active_ranks
from skprune._utils._shared_files import check_shared
from skprune._utils._signed_memory import SIGNED, WrongSignature
from skprune._utils._state_files import UnreadableState, read_state, write_state
from skprune._utils._trusted import names_in
from skprune._utils._warnings import warn_user
from skprune.dynamics import Recording
from skprune.nets._running import kept_in

CACHE_VERSION = 10
_PROBE = b"\0" * 4096
_NOT_IN_KEYS = ("verbose", "n_jobs")
# of pruners and of scikit-learn's estimators; another's may be more than a place
_STORES = ("memory", "checkpoint", "checkpoint_every")
_LIBRARIES = ("builtins", "numpy", "sklearn", "skorch", "skprune", "torch", "torchvision")


class CutShort(Exception):
    """Carries the result of a stage that ended early past a cache, which would keep it as whole."""

    def __init__(self, result):
        self.result = result


class StageCache:
    """Run a stage once: in the joblib cache `memory`, in the folder `checkpoint`, or in neither."""

    def __init__(self, settings, is_image):
        memory, checkpoint = settings.memory, settings.checkpoint
        try:
            self.memory = check_memory(os.fspath(memory) if isinstance(memory, os.PathLike) else memory)
        except OSError as error:
            warn_user(f"memory={memory!r} keeps nothing of this run: {error}")
            self.memory = check_memory(None)
        self.checkpoint = None if checkpoint is None else Path(checkpoint)
        if self.checkpoint is not None and self.checkpoint.exists() and not self.checkpoint.is_dir():
            raise ValueError(f"checkpoint must name a folder, and {self.checkpoint} is a file.")
        self.kept = memory is not None or checkpoint is not None
        if memory is not None and active_ranks().n > 1:
            raise ValueError(
                "memory must be None within data_parallel, where processes wait for one another. Set checkpoint, which keeps "
                "the results of stages as well."
            )
        self.checkpoint_every, self.retries = settings.checkpoint_every, settings.on_divergence == "retry"
        self.device, self.is_image = settings.device, is_image

    def keeping_nothing(self):
        """Return a store that runs stages and keeps nothing of them."""
        other = copy(self)
        other.memory, other.checkpoint, other.kept = check_memory(None), None, False
        return other

    def run(self, stage, model, key=None, /, *, verbose, before=lambda: None, limit=None, **arguments):
        """Return the result of a stage, made now or earlier; if it is made now, `before` is called, and `limit` for its limit."""
        made = Retried(stage) if self.retries else stage
        made = made if limit is None else TimeLimited(made, limit)
        result = self._run(made, model, key or self.key(stage, model, **arguments), verbose, before, arguments)
        if not self.retries:
            refuse_retried(result, model)
        return result

    def _run(self, stage, model, key, verbose, before, arguments):
        if not self.kept:
            before()
            return stage(model, verbose=verbose, **arguments)
        if self.checkpoint is None:
            return self._cached(stage, key, model, verbose, before, arguments)
        file = self.checkpoint / f"{stage.__name__}-{key}.safetensors"
        running = file.with_suffix(".running")
        make = partial(
            self._cached, _keeping(stage, running, self.checkpoint_every), key, model, verbose, before, arguments
        )
        if active_ranks().n > 1:
            return self._made_together(make, file, running, stage.__name__, model)
        if not file.exists():
            self._check_folder()
            with lock_of(self.checkpoint / "locks" / f"{file.stem}.lock"):
                if not file.exists():
                    result = make()
                    if "cut" not in result and self._write(result, file, stage.__name__):
                        running.unlink(missing_ok=True)
                    return result
        return self._read(file, stage.__name__, model)

    def _made_together(self, make, file, running, kind, model):
        """Return a result that several processes make together, or each of them reads; the main one writes it."""
        ranks = active_ranks()
        check_shared(file)
        if file.exists():
            return self._read(file, kind, model)
        if ranks.is_main:
            self._check_folder()
        result = make()
        if ranks.is_main and self._write(result, file, kind):
            running.unlink(missing_ok=True)
        ranks.all_say(None)  # the others look for the file once it is written
        return result

    def _check_folder(self):
        """Refuse a folder that cannot be made or written to, before anything is computed for it."""
        try:
            self.checkpoint.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.checkpoint) as probe:
                probe.write(_PROBE)
        except OSError as error:
            raise NotWritable(
                f"The checkpoint {self.checkpoint} cannot be written to ({error.strerror or error}). Use another folder, or "
                "change its permissions."
            ) from error

    def _cached(self, stage, key, model, verbose, before, arguments):
        """Call a stage through the cache. Who wants what another process is making waits for it."""
        call = {
            "name": stage.__name__,
            "key": key,
            "stage": stage,
            "model": model,
            "verbose": verbose,
            "before": before,
            "arguments": arguments,
        }
        with ExitStack() as held:
            try:
                cached = self.memory.cache(_call, ignore=["stage", "model", "verbose", "before", "arguments"])
                if self._in_folder():
                    if cached.check_call_in_cache(**call):
                        try:
                            return cached.call_and_shelve(**call).get()
                        except WrongSignature as error:
                            warn_user(f"{error} It is not read, and is made again.")
                        except Exception:  # a damaged entry is made again, once
                            pass
                    locks = Path(self.memory.location) / "skprune-locks"
                    held.enter_context(lock_of(locks / f"{stage.__name__}-{key}.lock"))
            except (OSError, NotWritable) as error:
                warn_user(f"memory={self.memory!r} keeps nothing of this run: {error}")
                before()
                return stage(model, verbose=verbose, **arguments)
            try:
                return cached(**call)
            except CutShort as cut:
                return cut.result

    def _in_folder(self):
        """Tell whether the cache lies in a folder of this machine, where there can be locks."""
        memory = self.memory
        is_of_files = isinstance(memory, joblib.Memory) and memory.backend in ("local", SIGNED)
        return is_of_files and memory.location is not None

    def key(self, stage, model, /, **arguments):
        """Return the key of a call, None where nothing is kept."""
        if not self.kept:
            return None
        try:
            if is_net(model) and isinstance(arguments["pool"], GivenRows):
                arguments["pool"] = arguments["pool"].as_array(model)  # what it reads: containers make no difference
            context = (stage.__name__, versions(), self._computation(model))
            return joblib.hash((context, describe(model), sorted(describe(arguments))), coerce_mmap=True)
        except Exception as error:
            raise ValueError(
                f"The parameters of {type(model).__name__} cannot be hashed, which memory and checkpoint need: {error}. Use "
                "functions and classes defined at the top of a module instead of lambdas and instances."
            ) from error

    def _computation(self, model):
        """Return what the results of nets depend on besides their parameters: torch, the device type, the precisions."""
        if not holds_net(model):
            return None
        import torch

        from skprune._utils._device import resolve_device
        from skprune._utils._precision import has_native_bf16

        devices = (resolve_device(self.device), torch.device("cpu"))
        precisions = [self.is_image and has_native_bf16(device) for device in devices]
        return torch.__version__, devices[0].type, precisions

    def _read(self, file, kind, model):
        try:
            return read_state(file, kind, names_in(model))
        except (UnreadableState, OSError) as error:
            raise ValueError(
                f"The checkpoint {file} cannot be read: {error}. Delete it to run its stage again."
            ) from error

    def _write(self, result, file, kind):
        """Write a result, and tell whether it is kept; one that cannot be written is worth a warning, since it is there."""
        try:
            write_state(file, result, kind)
            return True
        except Exception as error:
            warn_user(
                f"The checkpoint {self.checkpoint} does not keep {kind}, which the next run computes again: {error!r}"
            )
            return False


def _keeping(stage, running, every):
    """Return a stage that keeps the state of a net's training while it runs."""

    @wraps(stage)
    def kept(*args, **kwargs):
        with kept_in(running, every):
            return stage(*args, **kwargs)

    return kept


def _call(name, key, *, stage, model, verbose, before, arguments):
    before()
    result = stage(model, verbose=verbose, **arguments)
    if "cut" in result:
        raise CutShort(result)
    return result


def versions():
    """Return the versions that every result depends on: those of the keys, of skprune and of scikit-learn."""
    return CACHE_VERSION, skprune.__version__, sklearn.__version__


def describe(value):
    """Turn an estimator and what it holds into plain tuples that hash the same in every process."""
    if isinstance(value, GivenRows):
        return value.key
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        value = value.detach().cpu().contiguous()
        return str(value.dtype), tuple(value.shape), value.reshape(-1).view(torch.uint8).numpy()
    if torch is not None and isinstance(value, torch.nn.Module):
        raise TypeError(f"an instance of {type(value).__name__}")
    if clones_itself(value):
        return value  # a frozen estimator: what it has learned is part of the key
    if hasattr(value, "get_params") and not isinstance(value, type):
        kind, parameters = type(value), []
        left_out = _NOT_IN_KEYS
        if isinstance(value, BasePruner) or kind.__module__.split(".")[0] == "sklearn":
            left_out += _STORES
        for name, item in sorted(value.get_params(deep=False).items()):
            if isinstance(value, BasePruner):
                item = _in_one_form(name, item)
            if name == "device" and is_net(value):
                from skprune._utils._device import resolve_device

                item = resolve_device(item).type
            if name not in left_out:
                parameters.append((name, describe(item)))
        return f"{kind.__module__}.{kind.__qualname__}", _source(kind), parameters
    if isinstance(value, partial):
        return [describe(value.func), describe(value.args), describe(value.keywords)]
    if callable(value):
        return value, _source(value)
    if isinstance(value, (list, tuple)):
        return [describe(item) for item in value]
    if isinstance(value, dict):
        return [(str(key), describe(item)) for key, item in value.items()]
    return value


def _in_one_form(name, item):
    """Return a parameter of a pruner in one of the forms that mean the same."""
    if name == "device" and item is None:
        return "auto"
    return Recording(item) if name == "record" and isinstance(item, str) else item


def _source(code):
    """Return the source of a function or class of the user, so that an edited one is another key."""
    if (getattr(code, "__module__", None) or "").split(".")[0] in _LIBRARIES:
        return None
    try:
        return inspect.getsource(code)
    except (OSError, TypeError):
        return None
