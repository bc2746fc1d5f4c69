"""From the outputs of one epoch to the numbers that are kept: the only definition of them."""

import numpy as np

KL_OFFSET = 1e-8
_CHUNK_VALUES = 2**15


def reduce_outputs(outputs, y, *, logits, last=True, log_before=None, log_now=None):
    """Reduce one epoch's outputs to a few numbers a row, in float64."""
    n, n_classes = outputs.shape
    names = ["target_proba", "target_margin", "error"]
    names += ["logit_margin"] * logits + ["entropy", "top_margin"] * last + ["kl_step"] * (log_before is not None)
    result = {name: np.empty(n, dtype=np.float32) for name in names}
    step = max(1, _CHUNK_VALUES // n_classes)
    for start in range(0, n, step):
        part = slice(start, start + step)
        labels = y[part]
        own = labels, np.arange(len(labels))
        p = np.array(outputs[part].T, dtype=np.float64, order="C")
        if logits:
            p -= p.max(axis=0)
        others = _others(p, own)
        if logits:
            result["logit_margin"][part] = p[own] - others
            np.exp(p, out=p)
            total = p.sum(axis=0)
            p /= total
            others = np.exp(others) / total
        target = p[own]
        result["target_proba"][part] = target
        result["target_margin"][part] = target - others
        if last:
            largest = np.maximum(target, others)
            result["top_margin"][part] = largest - _second(p)
            result["entropy"][part] = -np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=0)
        if log_before is not None or log_now is not None:
            logs = p + KL_OFFSET
            np.log(logs, out=logs)
            if log_before is not None:
                steps = logs - log_before[:, part]
                steps *= p
                result["kl_step"][part] = np.abs(steps, out=steps).sum(axis=0)
            if log_now is not None:
                log_now[:, part] = logs
        p[own] -= 1.0
        result["error"][part] = np.sqrt(np.einsum("ij,ij->j", p, p))
    return result


def _others(values, own):
    """Return the largest value of each column besides its own."""
    kept = values[own]
    values[own] = -np.inf
    largest = values.max(axis=0)
    values[own] = kept
    return largest


def _second(p):
    """Return the second largest value of each column."""
    return _others(p, (p.argmax(axis=0), np.arange(p.shape[1])))


def first_not_finite(outputs):
    """Return the first row that holds NaN or infinity, None where there is none."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(outputs.sum()):  # a sum is four times as fast as a look at each number
            return None
    bad = ~np.isfinite(outputs).all(axis=1)
    return int(bad.argmax()) if bad.any() else None
