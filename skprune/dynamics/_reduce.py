"""From the outputs of one epoch to the numbers that are kept: the only definition of them."""

import numpy as np
from scipy.special import softmax

_CHUNK_VALUES = 2**21


def reduce_outputs(outputs, y, *, logits, before=None):
    """Reduce one epoch's outputs to a few numbers a row, in float64.

    Parameters
    ----------
    outputs : ndarray of shape (n, n_classes)
        Logits or probabilities.
    y : ndarray of shape (n,), int
        Class indices: the given or pseudo-labels.
    logits : bool
        Whether `outputs` are logits.
    before : ndarray of shape (n, n_classes), default=None
        The probabilities of the epoch before; asks for ``kl_step``.

    Returns
    -------
    dict of ndarray of shape (n,), float32
        target_proba p_y; target_margin p_y - max of the others; error, the norm of p - onehot(y); entropy in nats;
        top_margin, the largest probability less the second; kl_step where `before` is given.

    Examples
    --------
    >>> import numpy as np
    >>> float(reduce_outputs(np.array([[0.75, 0.25]]), np.array([0]), logits=False)["target_margin"][0])
    0.5
    """
    n, n_classes = outputs.shape
    names = ["target_proba", "target_margin", "error", "entropy", "top_margin"] + ["kl_step"] * (before is not None)
    result = {name: np.empty(n, dtype=np.float32) for name in names}
    step = max(1, _CHUNK_VALUES // n_classes)
    for start in range(0, n, step):
        part = slice(start, start + step)
        p = probabilities(outputs[part], logits=logits)
        rows, labels = np.arange(len(p)), y[part]
        target = p[rows, labels]
        top = np.partition(p, n_classes - 2, axis=1)[:, -2:]
        others = np.where(p.argmax(axis=1) == labels, top[:, 0], top[:, 1])
        result["target_proba"][part] = target
        result["target_margin"][part] = target - others
        result["top_margin"][part] = top[:, 1] - top[:, 0]
        result["entropy"][part] = -np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=1)
        if before is not None:
            q = np.asarray(before[part], dtype=np.float64)
            result["kl_step"][part] = np.abs(p * (np.log(p + 1e-8) - np.log(q + 1e-8))).sum(axis=1)
        p[rows, labels] -= 1.0
        result["error"][part] = np.sqrt(np.einsum("ij,ij->i", p, p))
    return result


def probabilities(outputs, *, logits):
    """Return class probabilities in float64.

    Parameters
    ----------
    outputs : ndarray of shape (n, n_classes)
        Logits or probabilities.
    logits : bool
        Whether `outputs` are logits.

    Returns
    -------
    ndarray of shape (n, n_classes), float64
        A new array.

    Examples
    --------
    >>> import numpy as np
    >>> probabilities(np.zeros((1, 2)), logits=True)
    array([[0.5, 0.5]])
    """
    outputs = np.array(outputs, dtype=np.float64)
    return softmax(outputs, axis=1) if logits else outputs
