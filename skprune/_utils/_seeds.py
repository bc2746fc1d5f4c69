"""Seeds of an estimator and of all that it holds, and generators that do not draw alike."""

from zlib import crc32

import numpy as np
from sklearn.utils import check_random_state


def seed_nested(estimator, rng, *, anew=False):
    """Draw a seed for each `random_state` of an estimator and of its nested ones that is None."""
    found = {}
    for name, value in sorted(estimator.get_params(deep=True).items()):
        is_seed = name.rsplit("__", 1)[-1] == "random_state" and not name.startswith("callbacks")
        if is_seed and (anew or value is None):
            found[name] = int(rng.randint(2**31 - 1))
    estimator.set_params(**found)
    return estimator  # a FrozenEstimator's set_params returns nothing


def random_state_of(random_state):
    """Return a RandomState of NumPy for a seed, a RandomState or None."""
    try:
        return check_random_state(random_state)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"random_state must be None, an integer from 0 to 2**32 - 1 or a RandomState, got {random_state!r}."
        ) from error


def generator_for(purpose, random_state):
    """Return a generator of its own for a purpose: one seed for two purposes must not choose the same rows for both."""
    return np.random.default_rng([random_state_of(random_state).randint(2**31 - 1), crc32(purpose.encode())])
