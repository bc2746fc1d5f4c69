"""Weak and strong augmentation of batches of standardised table rows."""

import torch

from skprune._utils._checks import check_number
from skprune._utils._device import send
from skprune.augment._policy import Policy


class TabularWeak(Policy):
    """Gaussian noise.

    Parameters
    ----------
    noise : float, default=0.1
        Standard deviation, in those of the columns.

    Examples
    --------
    >>> import torch
    >>> from skprune.augment import TabularWeak
    >>> TabularWeak(noise=0.0)(torch.zeros(4, 3), torch.Generator().manual_seed(0)).abs().sum()
    tensor(0.)
    """

    def __init__(self, noise=0.1):
        self.noise = noise

    def draw(self, shape, generator):
        """Draw "noise" (n, d).

        Parameters
        ----------
        shape : tuple
            (n, d).
        generator : torch.Generator
            On the CPU.

        Returns
        -------
        dict
            The parameters.
        """
        check_number("noise", self.noise, 0)
        return {"noise": self.noise * torch.randn(shape, generator=generator)}

    def apply(self, x, drawn):
        """Add the noise.

        Parameters
        ----------
        x : torch.Tensor of shape (n, d)
            Standardised rows.
        drawn : dict
            What :meth:`draw` returned.

        Returns
        -------
        torch.Tensor of shape (n, d)
            New rows.
        """
        return x + send(drawn["noise"], x.device)


class TabularStrong(Policy):
    """Replace a part of each row's features by draws from their own columns (SCARF, arXiv 2106.15147), and add noise.

    Parameters
    ----------
    corrupt : float, default=0.3
        The expected fraction of replaced features.
    noise : float, default=0.1
        Standard deviation, in those of the columns.

    Examples
    --------
    >>> import torch
    >>> from skprune.augment import TabularStrong
    >>> TabularStrong(noise=0.0)(torch.zeros(4, 3), torch.Generator().manual_seed(0)).abs().sum()
    tensor(0.)
    """

    def __init__(self, corrupt=0.3, noise=0.1):
        self.corrupt = corrupt
        self.noise = noise

    def draw(self, shape, generator):
        """Draw "donor" (n, d), the row of the batch that each value comes from, and "noise" (n, d).

        Parameters
        ----------
        shape : tuple
            (n, d).
        generator : torch.Generator
            On the CPU.

        Returns
        -------
        dict
            The parameters.
        """
        check_number("corrupt", self.corrupt, 0, 1)
        check_number("noise", self.noise, 0)
        replaced = torch.rand(shape, generator=generator) < self.corrupt
        donor = torch.randint(shape[0], shape, generator=generator)
        own = torch.arange(shape[0])[:, None]
        return {
            "donor": torch.where(replaced, donor, own),
            "noise": self.noise * torch.randn(shape, generator=generator),
        }

    def apply(self, x, drawn):
        """Replace and add.

        Parameters
        ----------
        x : torch.Tensor of shape (n, d)
            Standardised rows; the batch stands for the columns' distributions.
        drawn : dict
            What :meth:`draw` returned.

        Returns
        -------
        torch.Tensor of shape (n, d)
            New rows.
        """
        return x.gather(0, send(drawn["donor"], x.device)) + send(drawn["noise"], x.device)


tabular_weak = TabularWeak()
tabular_strong = TabularStrong()
