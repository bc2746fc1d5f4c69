"""The features of a fitted proxy, in which new rows find the rows that were trained on."""

import numpy as np

from skprune._models import is_net

_MOST = 128
_LEAST_PROBA = 1e-12


def proxy_features(model, X):
    """Return what a fitted proxy makes of rows.

    Parameters
    ----------
    model : classifier
        Fitted.
    X : ndarray of shape (n, ...)
        Rows as the proxy reads them.

    Returns
    -------
    ndarray of shape (n, n_features), float32
        For a net whose last layer is linear, what enters it, projected at random (the same for all rows) to 128 numbers where
        it has more; for any other proxy the logarithms of the probabilities.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = load_iris(return_X_y=True)
    >>> proxy_features(LogisticRegression(max_iter=1000).fit(X, y), X).shape
    (150, 3)
    """
    found = entering(model, X) if is_net(model) else None
    if found is None:
        proba = np.asarray(model.predict_proba(X))
        return np.log(np.maximum(proba, _LEAST_PROBA)).astype(np.float32)
    if found.shape[1] <= _MOST:
        return found
    return found @ _projection(found.shape[1])


def entering(net, X):
    """Return what enters the last layer of a fitted net.

    Parameters
    ----------
    net : skorch net
        Fitted.
    X : ndarray of shape (n, ...)
        Rows as the net reads them.

    Returns
    -------
    ndarray of shape (n, n_features), float32, or None
        None where no linear layer gives the outputs.
    """
    from skprune.dynamics._last_layer import LastLayer

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
