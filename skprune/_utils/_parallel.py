"""What the engines of joblib differ in: how data that all tasks share get to the workers, and where the workers are.

Dask has such data as the result of a task, which it runs again if the worker that holds it dies; what joblib scatters is lost
then. Ray has them in its object store, which joblib's tasks do not reach otherwise. Processes of this machine map large arrays
into their memory, as joblib does without help.
"""

import warnings

from joblib import effective_n_jobs
from joblib.parallel import get_active_backend

_LOCAL = ("SequentialBackend", "ThreadingBackend", "LokyBackend", "MultiprocessingBackend")


def is_local():
    """Tell whether tasks run on this machine, with its files."""
    return type(get_active_backend()[0]).__name__ in _LOCAL


def as_they_arrive():
    """Return the `return_as` of joblib that hands over results as they arrive; Ray's engine has all of them at the end."""
    return "generator_unordered" if get_active_backend()[0].supports_return_generator else "list"


def shipped_once(*shared, n_jobs):
    """Return what to pass to tasks in place of data that all of them read, so that the data travel once."""
    backend, _ = get_active_backend()
    engine = type(backend).__name__
    if engine == "DaskDistributedBackend":
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph")
            shared = tuple(backend.client.submit(_itself, data, pure=False) for data in shared)
    elif engine == "RayBackend" and effective_n_jobs(n_jobs) > 1:
        shared = tuple(map(_InRay, shared))
    return shared


def _itself(data):
    return data


class _InRay:
    """Data in the object store of Ray; a pickle of it is loaded as the data."""

    def __init__(self, data):
        import ray

        self.place = ray.put(data)

    def __reduce__(self):
        import ray

        return ray.get, (self.place,)
