"""Proxies that learned nothing, as their dynamics show."""

import numpy as np

from skprune._utils._warnings import warn_user

_LEAST_DIFFERENCE = 1e-6


def warn_of_no_learning(dynamics, codes, proxy):
    """Warn where the outputs are the same for all rows, or in all epochs."""
    last = np.nan_to_num(dynamics.target_margin[-1])
    no_better = (last > 0).mean() <= np.bincount(codes).max() / len(codes)
    alike = all(np.ptp(values) < _LEAST_DIFFERENCE for values in (dynamics.entropy, dynamics.top_margin))
    if no_better and alike:
        what = "gives all rows the same outputs"
    elif dynamics.n_epochs > 1 and np.ptp(dynamics.target_proba, axis=0).max() < _LEAST_DIFFERENCE:
        what = "gives the same outputs in all epochs"
    else:
        return
    warn_user(
        f"The proxy {type(proxy).__name__} {what}, so its difficulties mean nothing. Change its learning rate, and look for "
        "extreme values in X."
    )
