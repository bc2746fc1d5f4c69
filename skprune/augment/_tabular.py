"""Weak and strong augmentation of standardized table rows."""

import torch

from skprune._utils._parameter_checks import check_number
from skprune.augment._policy import Policy, check_floating


class TabularWeak(Policy):
    r"""Add Gaussian noise to standardized table rows.

    Row :math:`x` becomes :math:`x + \sigma \epsilon` with :math:`\epsilon \sim \mathcal{N}(0, I)`.

    Parameters
    ----------
    noise : float, default=0.1
        Standard deviation :math:`\sigma` of the noise, at least 0, in units of each column's standard deviation.

    See Also
    --------
    TabularStrong : Noise, and values replaced by those of other rows.

    Examples
    --------
    >>> import torch
    >>> from skprune.augment import TabularWeak
    >>> TabularWeak(noise=0.0)(torch.zeros(4, 3), torch.Generator().manual_seed(0)).abs().sum()
    tensor(0.)
    """

    elementwise = True

    def __init__(self, noise=0.1):
        self.noise = noise

    def draw(self, shape, generator):
        """Draw the noise.

        Parameters
        ----------
        shape : tuple of int
            (n_samples, n_features).
        generator : torch.Generator
            Source of all random numbers, on the device of the batch.

        Returns
        -------
        dict of str to torch.Tensor
            "noise" of shape (n_samples, n_features), on the device of the generator.

        Raises
        ------
        ValueError
            `noise` is refused.
        """
        check_number("noise", self.noise, 0)
        return {"noise": self.noise * torch.randn(shape, generator=generator, device=generator.device)}

    def apply(self, x, drawn):
        """Add the noise.

        Parameters
        ----------
        x : torch.Tensor of shape (n_samples, n_features)
            Standardized rows.
        drawn : dict of str to torch.Tensor
            Parameters, as returned by :meth:`draw`.

        Returns
        -------
        torch.Tensor of shape (n_samples, n_features)
            The noisy rows.

        Raises
        ------
        TypeError
            `x` does not hold floating numbers.
        """
        check_floating(self, x)
        return x + drawn["noise"].to(x)


class TabularStrong(Policy):
    """Replace some values of standardized table rows by values from the same columns, then add Gaussian noise.

    Each value is replaced with probability `corrupt`. Its replacement is the value of the same column in a random row of the
    batch, which stands in for the column's empirical distribution in SCARF (Bahri et al., arXiv 2106.15147, section 3). The
    noise is that of :class:`TabularWeak`.

    Parameters
    ----------
    corrupt : float, default=0.3
        Probability that a value is replaced, in [0, 1].
    noise : float, default=0.1
        Standard deviation of the noise, at least 0, in units of each column's standard deviation.

    See Also
    --------
    TabularWeak : Noise only.

    Examples
    --------
    >>> import torch
    >>> from skprune.augment import TabularStrong
    >>> TabularStrong(noise=0.0)(torch.zeros(4, 3), torch.Generator().manual_seed(0)).abs().sum()
    tensor(0.)
    """

    elementwise = True

    def __init__(self, corrupt=0.3, *, noise=0.1):
        self.corrupt = corrupt
        self.noise = noise

    def draw(self, shape, generator):
        """Draw the row that each value is taken from, and the noise.

        Parameters
        ----------
        shape : tuple of int
            (n_samples, n_features).
        generator : torch.Generator
            Source of all random numbers, on the device of the batch.

        Returns
        -------
        dict of str to torch.Tensor
            "donor", row indices, and "noise", both of shape (n_samples, n_features), on the device of the generator.

        Raises
        ------
        ValueError
            `corrupt` or `noise` is refused.
        """
        check_number("corrupt", self.corrupt, 0, 1)
        check_number("noise", self.noise, 0)
        source = {"generator": generator, "device": generator.device}
        replaced = torch.rand(shape, **source) < self.corrupt
        other_row = torch.randint(shape[0], shape, **source)
        same_row = torch.arange(shape[0], device=generator.device)[:, None]
        return {
            "donor": torch.where(replaced, other_row, same_row),
            "noise": self.noise * torch.randn(shape, **source),
        }

    def apply(self, x, drawn):
        """Replace values and add the noise.

        Parameters
        ----------
        x : torch.Tensor of shape (n_samples, n_features)
            Standardized rows.
        drawn : dict of str to torch.Tensor
            Parameters, as returned by :meth:`draw`.

        Returns
        -------
        torch.Tensor of shape (n_samples, n_features)
            The augmented rows.

        Raises
        ------
        TypeError
            `x` does not hold floating numbers.
        """
        check_floating(self, x)
        return x.gather(0, drawn["donor"].to(x.device)) + drawn["noise"].to(x)
