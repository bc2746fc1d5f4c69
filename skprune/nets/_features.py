"""Features that a fitted proxy gives to rows, in which new rows find the rows of the pool."""

from functools import cache

import numpy as np

from skprune._utils._adapters import is_net

_MOST_FEATURES = 128
_LEAST_PROBA = 1e-12


def proxy_features(model, X):
    """Return what enters the last layer of a fitted net, at most 128 numbers a row; else log-probabilities."""
    if is_net(model):
        embedding = entering(model, X, _narrow)
        if embedding is not None:
            return embedding
    proba = np.asarray(model.predict_proba(X))
    return np.log(np.maximum(proba, _LEAST_PROBA)).astype(np.float32)


def features_warning(model, features):
    """Return what to say where the features of a net are used and are log-probabilities; None where all is well."""
    if not is_net(model) or (features > 0).any() or not np.allclose(np.exp(features).sum(axis=1), 1.0, atol=1e-3):
        return None
    return (
        f"{type(model).__name__} with module {type(model.module_).__name__} does not show a linear layer that returns its "
        "outputs, so its features of a row are the row's log-probabilities. End the module in nn.Linear, and leave "
        "compile=False."
    )


def entering(net, X, reduce=lambda features: features):
    """Return what enters the last layer of a fitted net, reduced a batch at a time; None where it cannot be watched."""
    from skprune.nets._last_layer import LastLayer

    layer, parts = LastLayer(net), []
    try:
        for batch in net.get_iterator(net.get_dataset(X), training=False):
            outputs = net.evaluation_step(batch)
            features = layer.features(outputs[0] if isinstance(outputs, tuple) else outputs)
            if features is None:
                return None
            parts.append(reduce(features.cpu().numpy()))
    finally:
        layer.remove()
    return np.concatenate(parts)


def _narrow(features):
    """Return features of at most 128 numbers a row, by a fixed random projection, which nearly keeps distances."""
    n_features = features.shape[1]
    return features if n_features <= _MOST_FEATURES else features @ _projection(n_features)


@cache
def _projection(n_features):
    rng = np.random.default_rng(n_features)
    return (rng.standard_normal((n_features, _MOST_FEATURES)) / np.sqrt(_MOST_FEATURES)).astype(np.float32)
