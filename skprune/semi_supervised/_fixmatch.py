"""FixMatch."""

from skprune.semi_supervised._base import SemiSupervisedNet
from skprune.semi_supervised._rules import FixedThreshold


class FixMatch(SemiSupervisedNet):
    """FixMatch (Sohn et al., arXiv 2001.07685) as a scikit-learn classifier, for images and for tables.

    Each step takes `batch_size` labelled rows and ``mu * batch_size`` rows of the whole pool. The class that the net
    gives to the weakly augmented row is the target of the strongly augmented one, where its probability reaches
    `threshold` (eq. 4). The loss is the sum of both cross entropies (eq. 3 and 4, section 2.2).

    Parameters
    ----------
    $module
    threshold : float, default=0.95
        The least probability of a pseudo-label that counts, in [0, 1].
    $parameters

    Attributes
    ----------
    $attributes

    See Also
    --------
    FreeMatch : Thresholds that adapt themselves.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.datasets import make_partial_labels
    >>> from skprune.semi_supervised import FixMatch
    >>> X, y = load_iris(return_X_y=True)
    >>> y_partial = make_partial_labels(y, n_labeled=15, random_state=0)
    >>> net = FixMatch(n_steps=100, batch_size=16, random_state=0).fit(X, y_partial)
    >>> bool(net.score(X, y) > 0.8)
    True
    """

    def __init__(self, module=None, *, threshold=0.95, **kwargs):
        super().__init__(module, threshold=threshold, **kwargs)

    def _rule(self):
        return FixedThreshold(self.threshold)
