"""Weak and strong augmentation of batches of standardised table rows."""

import torch


def tabular_weak(x, generator, *, noise=0.1):
    """Add Gaussian noise.

    Parameters
    ----------
    x : torch.Tensor of shape (n, d)
        Standardised rows.
    generator : torch.Generator
        On the device of `x`.
    noise : float, default=0.1
        Standard deviation, in those of the columns.

    Returns
    -------
    torch.Tensor of shape (n, d)
        New rows.

    Examples
    --------
    >>> import torch
    >>> from skprune.augment import tabular_weak
    >>> tabular_weak(torch.zeros(4, 3), torch.Generator().manual_seed(0)).shape
    torch.Size([4, 3])
    """
    return x + noise * torch.randn(x.shape, generator=generator, device=x.device)


def tabular_strong(x, generator, *, corrupt=0.3, noise=0.1):
    """Replace a part of each row's features by draws from their own columns (as SCARF, arXiv 2106.15147), and add noise.

    Parameters
    ----------
    x : torch.Tensor of shape (n, d)
        Standardised rows; the batch stands for the columns' distributions.
    generator : torch.Generator
        On the device of `x`.
    corrupt : float, default=0.3
        The expected fraction of replaced features.
    noise : float, default=0.1
        Standard deviation, in those of the columns.

    Returns
    -------
    torch.Tensor of shape (n, d)
        New rows.

    Examples
    --------
    >>> import torch
    >>> from skprune.augment import tabular_strong
    >>> tabular_strong(torch.zeros(4, 3), torch.Generator().manual_seed(0), noise=0.0).abs().sum()
    tensor(0.)
    """
    replaced = torch.rand(x.shape, generator=generator, device=x.device) < corrupt
    donors = torch.randint(len(x), x.shape, generator=generator, device=x.device)
    return tabular_weak(torch.where(replaced, x.gather(0, donors), x), generator, noise=noise)
