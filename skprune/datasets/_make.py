"""Hide labels, thin out classes, and make labels wrong."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import column_or_1d

from skprune._utils._docstrings import fill_docstring
from skprune._utils._labels import minus_one_hint, missing_mask
from skprune._utils._parameter_checks import check_number, check_option
from skprune._utils._seeds import generator_for, random_state_of
from skprune.selection._counts import allocate


def make_partial_labels(y, *, n_labeled, stratify=True, missing=None, random_state=None):
    """Hide all but a few labels.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        All labels.
    n_labeled : int or float
        How many labels to keep: a count, or a fraction in (0, 1).
    stratify : bool, default=True
        Whether to draw from each class in proportion to its size, at least one label each; otherwise the labels to keep are
        drawn from all rows alike.
    missing : object, default=None
        The mark of a hidden label. None uses -1 where the labels are integers and none of them is -1; otherwise it uses None
        in an object array.
    random_state : int, RandomState or None, default=None
        Determines which labels are kept.

    Returns
    -------
    ndarray of shape (n_samples,)
        The partial labels; `y` is not modified.

    Raises
    ------
    ValueError
        `n_labeled` is out of range, or below the number of classes when stratified; or a label is None, NaN or masked already.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.datasets import make_partial_labels
    >>> y = np.repeat([0, 1], 50)
    >>> np.bincount(make_partial_labels(y, n_labeled=10, random_state=0) + 1).tolist()
    [90, 5, 5]
    """
    y = _all_labels(y, None, "Pass the labels of all rows, or leave these rows out.")
    n = len(y)
    if isinstance(n_labeled, bool) or not isinstance(n_labeled, Real):
        raise ValueError(f"n_labeled must be a count or a fraction, got {n_labeled!r}.")
    count = int(n_labeled) if isinstance(n_labeled, Integral) else round(float(n_labeled) * n)
    if not 1 <= count <= n:
        raise ValueError(f"n_labeled={n_labeled!r} asks for {count} of {n} labels.")
    rng = np.random.default_rng(random_state_of(random_state).randint(2**31 - 1))
    order = rng.permutation(n)
    if stratify:
        classes, codes = np.unique(y, return_inverse=True)
        if count < len(classes):
            raise ValueError(f"n_labeled={count} is below one label for each of the {len(classes)} classes.")
        sizes = np.bincount(codes)
        budgets = allocate(count, sizes, np.ones(len(sizes), dtype=int), sizes, rng)
        kept = np.concatenate([order[codes[order] == code][: budgets[code]] for code in range(len(classes))])
    else:
        kept = order[:count]
    hidden = np.ones(n, dtype=bool)
    hidden[kept] = False
    if missing is None and y.dtype.kind in "iu" and not (y == -1).any():
        partial = y.astype(np.int64 if y.dtype.kind == "u" else y.dtype)
        partial[hidden] = -1
        return partial
    partial = y.astype(object)
    partial[hidden] = missing
    return partial


def make_long_tailed(y, *, imbalance=100.0, random_state=None):
    r"""Choose rows so that class sizes fall exponentially from the first class to the last.

    Class :math:`j` of :math:`K` keeps :math:`n_0 \cdot \mathrm{imbalance}^{-j / (K - 1)}` rows, where :math:`n_0` is the size of
    the smallest class (Cao et al., arXiv 1906.07413, appendix).

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        All labels.
    imbalance : float, default=100.0
        The size of the first class divided by that of the last; at least 1.
    random_state : int, RandomState or None, default=None
        Determines which rows of each class are kept.

    Returns
    -------
    ndarray of shape (n_kept,), int
        The rows to keep, in ascending order.

    Raises
    ------
    ValueError
        `imbalance` is below 1, or a label is None, NaN or masked.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.datasets import make_long_tailed
    >>> y = np.repeat([0, 1, 2], 100)
    >>> np.bincount(y[make_long_tailed(y, imbalance=100, random_state=0)]).tolist()
    [100, 10, 1]
    """
    check_number("imbalance", imbalance, 1)
    y = _all_labels(y, None, "Leave these rows out.")
    classes, codes = np.unique(y, return_inverse=True)
    rng = np.random.default_rng(random_state_of(random_state).randint(2**31 - 1))
    order = rng.permutation(len(codes))
    largest = np.bincount(codes).min()
    kept = []
    for code in range(len(classes)):
        size = max(1, round(largest * imbalance ** (-code / max(1, len(classes) - 1))))
        kept.append(order[codes[order] == code][:size])
    return np.sort(np.concatenate(kept))


@fill_docstring()
def make_label_noise(y, *, rate, kind="symmetric", missing_label="auto", random_state=None):
    """Replace a fraction of the labels by wrong ones.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        All labels.
    rate : float in [0, 1]
        The fraction of labels to make wrong: exactly ``round(rate * n_samples)`` of them.
    kind : {"symmetric", "pair"}, default="symmetric"
        "symmetric" draws one of the other classes uniformly; "pair" takes the next class, and the first one after the last
        (Patrini et al., arXiv 1609.03683; Han et al., arXiv 1804.06872).
    $missing_label
    random_state : int, RandomState or None, default=None
        Determines which labels become wrong, and what they become.

    Returns
    -------
    noisy : ndarray of shape (n_samples,)
        The labels with noise; `y` is not modified.
    wrong : ndarray of shape (n_samples,), bool
        True where `noisy` differs from `y`.

    Raises
    ------
    ValueError
        `rate` or `kind` is invalid, a label is missing, or there is only one class.

    Examples
    --------
    >>> import numpy as np
    >>> from skprune.datasets import make_label_noise
    >>> y = np.repeat([0, 1, 2], 10)
    >>> noisy, wrong = make_label_noise(y, rate=0.2, random_state=0)
    >>> int(wrong.sum()), bool((noisy[wrong] != y[wrong]).all())
    (6, True)
    """
    check_number("rate", rate, 0, 1)
    check_option("kind", kind, ("symmetric", "pair"))
    y = _all_labels(y, missing_label, "Add label noise first, then hide labels.")
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"y holds only one class ({classes.tolist()[0]!r}), so no label can be wrong.")
    rng = generator_for("make_label_noise", random_state)
    rows = rng.permutation(len(y))[: round(rate * len(y))]
    step = rng.integers(1, len(classes), size=len(rows)) if kind == "symmetric" else 1
    wrong = np.zeros(len(y), dtype=bool)
    wrong[rows] = True
    noisy = y.copy()
    noisy[rows] = classes[(codes[rows] + step) % len(classes)]
    return noisy, wrong


def _all_labels(y, missing_label, advice):
    """Return labels as an array; refuse missing ones."""
    missing = missing_mask(y if np.ndim(y) == 1 else column_or_1d(y), missing_label)
    if missing.any():
        raise ValueError(
            f"y holds unlabeled rows, {int(missing.sum())} of {len(missing)}, first row {int(missing.argmax())}. {advice}"
            + minus_one_hint(y, missing_label, missing)
        )
    return column_or_1d(y)
