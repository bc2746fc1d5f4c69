"""FixMatch: pseudo-labels above a fixed threshold."""

from skprune._utils._docstrings import fill_docstring
from skprune.semi_supervised._base import SemiSupervisedNet
from skprune.semi_supervised._docstrings import net_texts
from skprune.semi_supervised._rules import FixedThreshold


@fill_docstring(**net_texts())
class FixMatch(SemiSupervisedNet):
    r"""FixMatch (Sohn et al., arXiv 2001.07685): pseudo-labels above a fixed threshold, for images and tables.

    Each step takes :math:`B` = `batch_size` labeled rows and :math:`\mu B` rows of the whole pool. The class :math:`\hat{q}_b`
    predicted for the weakly augmented row, with probability :math:`\max q_b`, is the target for the strongly augmented row if
    that probability reaches the threshold :math:`\tau`. The loss is the labeled cross-entropy plus `unlabeled_weight` times
    (eq. 3 and 4, section 2.2)

    .. math::

        \mathcal{L}_u = \frac{1}{\mu B} \sum_{b=1}^{\mu B}
            \mathbb{1}[\max q_b \geq \tau] \; H(\hat{q}_b, p(y \mid \mathcal{A}(u_b)))

    where :math:`p(y \mid \mathcal{A}(u_b))` is the prediction for the strongly augmented row.

    Parameters
    ----------
    $module
    threshold : float, default=0.95
        Lowest probability :math:`\tau` of a pseudo-label that counts, in [0, 1].
    $training_parameters

    Attributes
    ----------
    $attributes

    See Also
    --------
    FlexMatch : Per-class thresholds that follow how well each class has been learned.
    FreeMatch : Thresholds that adapt to the predictions.
    SoftMatch : Weights instead of a threshold.

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
