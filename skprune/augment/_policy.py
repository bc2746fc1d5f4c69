"""What augmentation policies share."""

from abc import ABC, abstractmethod

from sklearn.base import BaseEstimator


class Policy(BaseEstimator, ABC):
    """Base of the augmentations: random parameters first, for each sample of its own, then one application.

    Called as ``policy(x, generator)``. Parameters are drawn on the CPU, so that no group of samples needs a question to
    the device, and one seed gives one augmentation on every device. ``get_params`` and ``set_params`` are those of
    scikit-learn: ``strong__n_ops`` is a parameter of ``FixMatch(strong=ImageStrong())``.

    Examples
    --------
    >>> import torch
    >>> from skprune.augment import Policy
    >>> class Brighten(Policy):
    ...     def __init__(self, most=0.2):
    ...         self.most = most
    ...
    ...     def draw(self, shape, generator):
    ...         return {"amount": self.most * torch.rand(shape[0], 1, 1, 1, generator=generator)}
    ...
    ...     def apply(self, x, drawn):
    ...         return (x + drawn["amount"].to(x.device)).clamp(0, 1)
    >>> Brighten(most=0.0)(torch.ones(1, 1, 1, 1), torch.Generator())
    tensor([[[[1.]]]])
    """

    @abstractmethod
    def draw(self, shape, generator):
        """Draw the parameters of a batch.

        Parameters
        ----------
        shape : tuple
            The shape of the batch.
        generator : torch.Generator
            On the CPU.

        Returns
        -------
        dict
            Tensors on the CPU.
        """

    @abstractmethod
    def apply(self, x, drawn):
        """Augment a batch with given parameters.

        Parameters
        ----------
        x : torch.Tensor of shape (n, ...)
            The batch, left as it is.
        drawn : dict
            What :meth:`draw` returned.

        Returns
        -------
        torch.Tensor of the shape of `x`
            New samples.
        """

    def __call__(self, x, generator):
        return self.apply(x, self.draw(x.shape, generator))
