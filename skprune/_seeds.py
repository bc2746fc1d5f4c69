"""Seeds of an estimator and of all that it holds, and generators that do not draw alike."""

from zlib import crc32

import numpy as np
from sklearn.utils import check_random_state


def seed_nested(estimator, rng, *, anew=False):
    """Draw a seed for each `random_state` of an estimator and of its nested ones that is None.

    Parameters
    ----------
    estimator : estimator
        Its parameters are set.
    rng : numpy.random.RandomState
        Where seeds are drawn from, in the order of the names.
    anew : bool, default=False
        Whether those that are set are drawn too.

    Returns
    -------
    estimator
        The same object.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import SGDClassifier
    >>> seed_nested(SGDClassifier(), np.random.RandomState(0)).random_state is None
    False
    """
    found = {}
    for name, value in sorted(estimator.get_params(deep=True).items()):
        is_seed = name.rsplit("__", 1)[-1] == "random_state" and not name.startswith("callbacks")
        if is_seed and (anew or value is None):
            found[name] = int(rng.randint(2**31 - 1))
    estimator.set_params(**found)
    return estimator  # a FrozenEstimator's set_params returns nothing


def generator_for(purpose, random_state):
    """Return a generator of its own for a purpose: one seed for two purposes must not choose the same rows for both.

    Parameters
    ----------
    purpose : str
        What is drawn.
    random_state : int, RandomState or None
        As everywhere.

    Returns
    -------
    numpy.random.Generator
        The same for the same purpose and seed.

    Examples
    --------
    >>> generator_for("noise", 0).random() == generator_for("fog", 0).random()
    False
    """
    return np.random.default_rng([check_random_state(random_state).randint(2**31 - 1), crc32(purpose.encode())])
