"""FlexMatch."""

from skprune.semi_supervised._base import SemiSupervisedNet
from skprune.semi_supervised._rules import CurriculumThreshold


class FlexMatch(SemiSupervisedNet):
    """FlexMatch (Zhang et al., arXiv 2110.08263): FixMatch with a curriculum of thresholds by class.

    With sigma(c), the number of rows of the pool whose last prediction at or above `threshold` was c (eq. 5), and beta(c) its
    part of the largest sigma (eq. 6 and 11), a prediction c counts where its probability reaches
    ``threshold * beta(c) / (2 - beta(c))`` (eq. 12).

    Parameters
    ----------
    $module
    threshold : float, default=0.95
        The threshold of the class that is learnt best, in [0, 1].
    warmup : bool, default=True
        Whether beta is taken of the rows without a confident prediction where these are more (eq. 11), so that thresholds
        rise from 0.
    $parameters

    Attributes
    ----------
    $attributes

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.datasets import make_partial_labels
    >>> from skprune.semi_supervised import FlexMatch
    >>> X, y = load_iris(return_X_y=True)
    >>> y_partial = make_partial_labels(y, n_labeled=15, random_state=0)
    >>> net = FlexMatch(n_steps=100, batch_size=16, random_state=0).fit(X, y_partial)
    >>> bool(net.score(X, y) > 0.8)
    True
    """

    def __init__(self, module=None, *, threshold=0.95, warmup=True, **kwargs):
        super().__init__(module, threshold=threshold, warmup=warmup, **kwargs)

    def _rule(self):
        return CurriculumThreshold(self.threshold, self.warmup)
