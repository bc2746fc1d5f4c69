"""The base class of augmentation policies: draw random parameters, then apply them."""

from abc import ABC, abstractmethod

import torch
from sklearn.base import BaseEstimator

from skprune._utils._doc_links import DocLinks


class Policy(DocLinks, BaseEstimator, ABC):
    """Base class for augmentation policies.

    ``policy(x, generator)`` augments a batch in two steps: :meth:`draw` draws random parameters, separate ones for each
    sample, and :meth:`apply` applies them to the whole batch on its device.

    A policy with a few parameters per sample draws them on the CPU. It can then group samples by what they drew without
    waiting for the device, and a seed gives the same augmentation on every device. A policy that draws a number for each
    element of the batch, such as noise, sets the class attribute ``elementwise = True`` and draws on the device of the batch,
    because drawing so many numbers on the CPU and copying them to a GPU takes longer than the rest of a training step. A
    seed then gives other numbers on a GPU than on the CPU.

    Policies are scikit-learn estimators as far as parameters are concerned, so that ``strong__n_ops`` is a parameter of
    ``FixMatch(strong=ImageStrong())``.

    Attributes
    ----------
    elementwise : bool
        Class attribute: whether :meth:`draw` takes a generator on the device of the batch. False unless a subclass sets it.

    See Also
    --------
    ImageStrong : A policy with a few parameters per image.
    TabularWeak : A policy that draws a number for each element.

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

    elementwise = False

    @abstractmethod
    def draw(self, shape, generator):
        """Draw the parameters for a batch.

        Parameters
        ----------
        shape : tuple of int
            Shape of the batch.
        generator : torch.Generator
            Source of all random numbers; on the CPU, or on the device of the batch if ``elementwise`` is True.

        Returns
        -------
        dict of str to torch.Tensor
            The parameters, on the device of the generator.
        """

    @abstractmethod
    def apply(self, x, drawn):
        """Augment a batch with given parameters.

        Parameters
        ----------
        x : torch.Tensor of shape (n_samples, ...)
            The batch; it is not changed.
        drawn : dict of str to torch.Tensor
            Parameters, as returned by :meth:`draw`.

        Returns
        -------
        torch.Tensor of the same shape as `x`
            The augmented batch, a new tensor.
        """

    def __call__(self, x, generator):
        if not isinstance(x, torch.Tensor):
            raise TypeError(
                f"{type(self).__name__} augments a torch.Tensor, got a {type(x).__name__}. Pass torch.as_tensor(x)."
            )
        if self.elementwise:
            generator = _on_device(generator, x.device)
        return self.apply(x, self.draw(x.shape, generator))


def check_floating(policy, x):
    """Refuse a batch of integers, to which noise and colors would be rounded."""
    if not x.is_floating_point():
        raise TypeError(
            f"{type(policy).__name__} augments floating numbers, got {x.dtype}. Pass x.float(), or x.float() / 255 for images of "
            "uint8."
        )


def _on_device(generator, device):
    """Return the generator if it is on the device, else one on the device whose seed is drawn from it."""
    if generator.device.type == device.type:
        return generator
    seed = torch.randint(2**63 - 1, (), generator=generator).item()
    return torch.Generator(device).manual_seed(seed)
