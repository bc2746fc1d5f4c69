"""Features of a net trained without labels."""

import numpy as np

from skprune._utils._adapters import tell_axes
from skprune._utils._docstrings import fill_docstring
from skprune._utils._parameter_checks import check_count, check_number
from skprune._utils._pool import as_pool
from skprune.baselines._pool_transformer import PoolTransformer


@fill_docstring()
class ContrastiveFeatures(PoolTransformer):
    """Compute the features of a net trained without labels, a small SimCLR (Chen et al., arXiv 2002.05709).

    The net learns to map two strongly augmented views of a row close to each other, and far from the other rows of the batch.
    The features are what enters its last layer, the projection.

    Parameters
    ----------
    module : class, callable or str, default=None
        The network, as in :class:`skprune.nets.NetClassifier`. Its last layer becomes the projection.
    n_steps : int, default=1000
        Number of optimizer steps.
    batch_size : int, default=256
        Number of rows per step, with two views each; at most the number of rows in the pool.
    lr : float, default=0.1
        Initial learning rate.
    temperature : float, default=0.5
        Temperature of the loss; the cosine similarities are divided by it.
    n_projected : int, default=64
        Number of outputs of the projection.
    $image_shape
    $random_state
    $device
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    net_ : skorch net
        The fitted net.
    n_features_in_ : int
        Number of features of a row of X.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skprune.baselines import ContrastiveFeatures, KCenterPruner
    >>> X, _ = load_iris(return_X_y=True)
    >>> embedding = ContrastiveFeatures(n_steps=20, random_state=0)
    >>> embedding.fit_transform(X).shape
    (150, 256)
    >>> KCenterPruner(0.1, embedding=embedding, random_state=0).fit_transform(X).shape
    (15, 4)
    """

    def __init__(
        self,
        module=None,
        *,
        n_steps=1000,
        batch_size=256,
        lr=0.1,
        temperature=0.5,
        n_projected=64,
        image_shape=None,
        random_state=None,
        device=None,
        verbose=0,
    ):
        self.module = module
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.lr = lr
        self.temperature = temperature
        self.n_projected = n_projected
        self.image_shape = image_shape
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    def fit(self, X, y=None):
        """Train the net on the rows.

        Parameters
        ----------
        X : array-like
            The pool, as for :class:`~skprune.SemiPrune`.
        y : object
            Ignored; present for API consistency.

        Returns
        -------
        self
            The fitted transformer.

        Raises
        ------
        ValueError
            The input or a parameter is invalid.
        """
        from skprune.baselines._contrastive_net import ContrastiveNet

        pool = as_pool(X, self.image_shape, estimator=self)
        check_number("temperature", self.temperature, 0, open_at=(0,))
        check_count("n_projected", self.n_projected, least=2)
        net = ContrastiveNet(
            self.module,
            n_steps=self.n_steps,
            batch_size=self.batch_size,
            lr=self.lr,
            temperature=self.temperature,
            n_projected=self.n_projected,
            random_state=self.random_state,
            device=self.device,
            verbose=self.verbose,
        )
        self.net_ = tell_axes(net, pool).fit(pool, np.zeros(len(pool)))
        self._know_rows(pool)
        return self

    def transform(self, X):
        """Compute the features of rows.

        Parameters
        ----------
        X : array-like
            Rows of the same shape as in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features), float32
            What enters the last layer.

        Raises
        ------
        ValueError
            The rows have another shape, or the last layer of the network is not linear.
        """
        pool = self._check_pool(X)
        features = self.net_.features(pool)
        if features is None:
            raise ValueError(
                f"module must end in a linear layer, whose inputs are the features; {type(self.net_.module_).__name__} does not."
            )
        return features
