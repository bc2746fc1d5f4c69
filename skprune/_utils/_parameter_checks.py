"""Refusals of parameters, in one style: "name must be ..., got value."."""

import math
import sys
from numbers import Integral, Real

import numpy as np

_LARGEST_COUNT = 2**31 - 1


def check_count(name, value, *, least=1, most=None, optional=False, words=()):
    """Refuse a parameter that is no integer within bounds; None passes where it is `optional`, and so do the `words`."""
    if (optional and value is None) or (isinstance(value, str) and value in words):
        return
    whole = isinstance(value, Integral) and not isinstance(value, (bool, np.bool_))
    if whole and least <= value <= (_LARGEST_COUNT if most is None else most):
        return
    if whole and value > _LARGEST_COUNT:
        raise ValueError(
            f"{name} must be at most {most or _LARGEST_COUNT}, got an integer of {int(value).bit_length()} bits."
        )
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
    others = "".join(f"{word!r} or " for word in ((None,) if optional else ()) + words)
    raise ValueError(f"{name} must be {others}an integer {bounds}, got {value!r}.")


def check_number(name, value, low, high=math.inf, *, open_at=(), words=()):
    """Refuse a parameter that is no finite number of an interval, and none of the `words` allowed beside it."""
    if isinstance(value, str) and value in words:
        return
    number = isinstance(value, Real) and not isinstance(value, (bool, np.bool_)) and abs(value) <= sys.float_info.max
    if number and low <= value <= high and value not in open_at:
        return
    if math.isinf(high):
        allowed = f"above {low}" if low in open_at else f"at least {low}"
    else:
        allowed = f"within {'(' if low in open_at else '['}{low}, {high}{')' if high in open_at else ']'}"
    allowed = " or ".join([allowed, *map(repr, words)])
    raise ValueError(f"{name} must be {allowed}, got {value!r}.")


def check_count_or_fraction(name, value):
    """Refuse a parameter that is neither a count, an integer, nor a fraction, a float."""
    number = isinstance(value, Real) and not isinstance(value, (bool, np.bool_))
    if number and (value >= 0 if isinstance(value, Integral) else 0 <= value <= 1):
        return
    raise ValueError(f"{name} must be an integer of at least 0 or a float within [0, 1], got {value!r}.")


def unmasked(name, values):
    """Return values as an array; a mask, which would be lost, is refused."""
    if np.ma.is_masked(values):
        raise ValueError(
            f"{name} must be known everywhere, and {int(np.ma.count_masked(values))} of {np.size(values)} values are masked."
        )
    return np.asarray(values)


def check_option(name, value, options):
    """Refuse a parameter that is none of a few values; NumPy's scalars count as the values that they hold."""
    if any(value is option or (_kind(value) is _kind(option) and bool(value == option)) for option in options):
        return
    *others, last = map(repr, options)
    allowed = f"{', '.join(others)} or {last}" if others else last
    raise ValueError(f"{name} must be {allowed}, got {value!r}.")


def _kind(value):
    """Return the type of a value for comparison: 1 is not True, and np.str_ is str."""
    for kind, members in ((str, str), (bool, (bool, np.bool_)), (int, Integral)):
        if isinstance(value, members):
            return kind
    return type(value)
