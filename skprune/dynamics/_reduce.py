"""From the outputs of one epoch to the numbers that are kept: their only definition."""

from typing import NamedTuple

import numpy as np

KL_OFFSET = 1e-8
CHUNK_VALUES = 2**15
_ROUNDING = 1e-2
"""How far below 0 a probability may be, and how far from 1 the sum of a row."""


def reduce_outputs(outputs, y, *, logits, last=True, log_before=None, log_now=None, chunk_values=CHUNK_VALUES):
    """Reduce one epoch's outputs to a few numbers per row, computed in float64, `chunk_values` outputs at a time."""
    n_samples, n_classes = outputs.shape
    names = ["target_proba", "target_margin", "error"]
    names += ["logit_margin"] * logits + ["entropy", "top_margin"] * last + ["kl_step"] * (log_before is not None)
    result = {name: np.empty(n_samples, dtype=np.float32) for name in names}
    step = max(1, chunk_values // n_classes)
    for start in range(0, n_samples, step):
        part = slice(start, start + step)
        labels = y[part]
        target = labels, np.arange(len(labels))  # the index of each row's target in arrays of (n_classes, n_rows)
        p = np.array(outputs[part].T, dtype=np.float64, order="C")
        if logits:
            p -= p.max(axis=0)
        else:
            np.maximum(p, 0.0, out=p)  # rounding may have taken some below 0
        others = _largest_besides(p, target)
        if logits:
            result["logit_margin"][part] = p[target] - others
            np.exp(p, out=p)
            total = p.sum(axis=0)
            p /= total
            others = np.exp(others) / total
        target_proba = p[target]
        result["target_proba"][part] = target_proba
        result["target_margin"][part] = target_proba - others
        if last:
            largest = np.maximum(target_proba, others)
            result["top_margin"][part] = largest - _second_largest(p)
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
        p[target] -= 1.0
        result["error"][part] = np.sqrt(np.einsum("ij,ij->j", p, p))
    return result


def _largest_besides(values, cells):
    """Return the largest value of each column, leaving out one cell per column."""
    left_out = values[cells]
    values[cells] = -np.inf
    largest = values.max(axis=0)
    values[cells] = left_out
    return largest


def _second_largest(p):
    """Return the second largest value of each column."""
    return _largest_besides(p, (p.argmax(axis=0), np.arange(p.shape[1])))


class Fault(NamedTuple):
    """The first row of outputs that cannot be reduced, and what is wrong with it."""

    row: int
    what: str
    is_finite: bool


def first_fault(outputs, *, logits):
    """Return the first row that holds no finite numbers, or no probabilities where no logits are meant; None if all are right."""
    row = first_not_finite(outputs)
    if row is not None:
        return Fault(row, "is not finite", is_finite=False)
    if logits:
        return None
    sums, least = outputs.sum(axis=1, dtype=np.float64), outputs.min(axis=1)
    is_off = np.abs(sums - 1.0) > _ROUNDING
    bad = is_off | (least < -_ROUNDING)
    if not bad.any():
        return None
    row = int(bad.argmax())
    what = f"sums to {sums[row]:.3g} and not to 1" if is_off[row] else f"holds the probability {least[row]:.3g}"
    return Fault(row, what, is_finite=True)


def first_not_finite(outputs):
    """Return the first row that holds NaN or infinity, None if all rows are finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(outputs.sum()):  # a sum is four times as fast as testing each number, but may overflow
            return None
    bad = ~np.isfinite(outputs).all(axis=1)
    return int(bad.argmax()) if bad.any() else None
