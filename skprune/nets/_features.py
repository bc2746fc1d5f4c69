"""The features of a fitted proxy, in which new rows find the rows that were trained on."""

import numpy as np

from skprune._utils._adapters import is_net

_MOST = 128
_LEAST_PROBA = 1e-12


def proxy_features(model, X):
    """Return what a fitted proxy makes of rows."""
    found = entering(model, X) if is_net(model) else None
    if found is None:
        proba = np.asarray(model.predict_proba(X))
        return np.log(np.maximum(proba, _LEAST_PROBA)).astype(np.float32)
    if found.shape[1] <= _MOST:
        return found
    return found @ _projection(found.shape[1])


def entering(net, X):
    """Return what enters the last layer of a fitted net."""
    from skprune.nets._last_layer import LastLayer

    layer, parts = LastLayer(net), []
    try:
        for batch in net.get_iterator(net.get_dataset(X), training=False):
            outputs = net.evaluation_step(batch)
            features = layer.features(outputs[0] if isinstance(outputs, tuple) else outputs)
            if features is None:
                return None
            parts.append(features.cpu().numpy())
    finally:
        layer.remove()
    return np.concatenate(parts)


def _projection(n_features):
    rng = np.random.default_rng(n_features)
    return (rng.standard_normal((n_features, _MOST)) / np.sqrt(_MOST)).astype(np.float32)
