"""Features that a fitted proxy gives to rows, in which new rows find the rows of the pool."""

from functools import cache

import numpy as np
from sklearn.utils.validation import _num_samples

from skprune._utils._adapters import is_net
from skprune._utils._mapped import empty_rows, is_mapped, row_chunks
from skprune._utils._proba import proba_parts

MOST_FEATURES = 128
"""How many numbers a net's features of a row have at most."""

_LEAST_PROBA = 1e-12


def proxy_features(model, X):
    """Return what enters the last layer of a fitted net, at most 128 numbers a row; else log-probabilities."""
    if is_net(model):
        embedding = entering(model, X, _narrow)
        if embedding is not None:
            return embedding
    features = None
    for rows, proba in proba_parts(model, X, len(model.classes_)):
        if features is None:
            features = _empty_features(X, _num_samples(X), proba.shape[1:], np.float32)
        features[rows] = np.log(np.maximum(proba, _LEAST_PROBA))
    return features


def _empty_features(X, n_samples, shape, dtype):
    """Return features to be filled, in a file if those are of a mapped pool, or too large for memory."""
    return np.asarray(empty_rows((n_samples, *shape), dtype, mapped=is_mapped(X) or None))


def features_warning(model, features):
    """Return what to say where the features of a net are used and are log-probabilities; None where all is well."""
    if not is_net(model) or not all(_are_log_probabilities(features[rows]) for rows in row_chunks(features)):
        return None
    return (
        f"{type(model).__name__} with module {type(model.module_).__name__} does not show a linear layer that returns its "
        "outputs, so its features of a row are the row's log-probabilities. End the module in nn.Linear, and leave "
        "compile=False."
    )


def _are_log_probabilities(features):
    return bool((features <= 0).all() and np.allclose(np.exp(features).sum(axis=1), 1.0, atol=1e-3))


def entering(net, X, reduce=lambda features: features):
    """Return what enters the last layer of a fitted net, reduced a batch at a time; None where it cannot be watched."""
    from skprune.nets._last_layer import LastLayer

    layer, rows, start, all_features = LastLayer(net), net.get_dataset(X), 0, None
    try:
        for batch in net.get_iterator(rows, training=False):
            outputs = net.evaluation_step(batch)
            features = layer.features(outputs[0] if isinstance(outputs, tuple) else outputs)
            if features is None:
                return None
            part = reduce(features.cpu().numpy())
            if all_features is None:
                all_features = _empty_features(X, len(rows), part.shape[1:], part.dtype)
            all_features[start : start + len(part)] = part
            start += len(part)
    finally:
        layer.remove()
    return all_features


def _narrow(features):
    """Return features of at most 128 numbers a row, by a fixed random projection, which nearly keeps distances."""
    n_features = features.shape[1]
    return features if n_features <= MOST_FEATURES else features @ _projection(n_features)


@cache
def _projection(n_features):
    rng = np.random.default_rng(n_features)
    return (rng.standard_normal((n_features, MOST_FEATURES)) / np.sqrt(MOST_FEATURES)).astype(np.float32)
