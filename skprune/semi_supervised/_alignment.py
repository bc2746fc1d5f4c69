"""Distribution alignment of pseudo-labels (ReMixMatch, arXiv 1911.09785, section 3.1)."""

import torch

from skprune.nets._callbacks import ema_decay

ALIGNMENTS = ("uniform", "labels", "learnt")


class Alignment:
    """Move class probabilities so that their running mean comes to a target distribution.

    ``p' = normalise(p * target / mean)``, the mean taken over the steps so far.

    Parameters
    ----------
    kind : {"uniform", "labels", "learnt"}
        The target: the same share for each class; the class frequencies of the labelled rows; or the running mean of
        what the net predicts on the labelled rows of the steps (AdaMatch, arXiv 2106.04732).
    frequencies : torch.Tensor of shape (n_classes,)
        Of the labelled rows of the pool, on the device.

    Examples
    --------
    >>> alignment = Alignment("uniform", torch.tensor([0.9, 0.1]))
    >>> p = torch.tensor([[0.8, 0.2]])
    >>> for _ in range(500):
    ...     aligned = alignment(p)
    >>> [round(value, 2) for value in aligned[0].tolist()]
    [0.5, 0.5]
    """

    def __init__(self, kind, frequencies):
        self.kind = kind
        uniform = torch.full_like(frequencies, 1.0 / len(frequencies))
        self.target = frequencies.clone() if kind == "labels" else uniform.clone()
        self.mean = uniform
        self.step = self.learnt = 0

    def __call__(self, proba):
        """Align probabilities, and move their running mean.

        Parameters
        ----------
        proba : torch.Tensor of shape (n, n_classes)
            Of the unlabelled rows.

        Returns
        -------
        torch.Tensor of shape (n, n_classes)
            Rows sum to 1.
        """
        self.mean.lerp_(proba.mean(dim=0), 1 - ema_decay(self.step))
        self.step += 1
        moved = proba * ((self.target + 1e-6) / (self.mean + 1e-6))
        return moved / moved.sum(dim=1, keepdim=True)

    def learn(self, labelled):
        """Move the target of "learnt" for the steps to come.

        Parameters
        ----------
        labelled : torch.Tensor of shape (m, n_classes)
            The net's probabilities of the labelled rows of a step.
        """
        if self.kind == "learnt":
            self.target.lerp_(labelled.mean(dim=0), 1 - ema_decay(self.learnt))
            self.learnt += 1
