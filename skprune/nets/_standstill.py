"""Trainings that lead nowhere because of their learning rate: weights that stand still, and losses far above guessing."""

import math

import torch

from skprune._utils._warnings import warn_user

_LEAST_MOVE = 1e-9  # in units of the norm of all weights
_MOST_LOSS = 10  # in units of the loss of equal probabilities


def sums_of_weights(module):
    """Return the sum of each tensor of weights, frozen or not, and the norm of all, on their device."""
    weights = [weight.detach() for weight in module.parameters() if weight.is_floating_point()]
    if not weights:
        return torch.zeros(0), torch.zeros(())
    norms = [torch.linalg.vector_norm(weight, dtype=torch.float64) for weight in weights]
    return torch.stack([weight.sum(dtype=torch.float64) for weight in weights]), torch.stack(norms).norm()


def warn_of_standstill(net, before):
    """Warn if no weight has moved since their sums were taken, or if equal probabilities would be much better."""
    (sums_before, norm), (sums, _) = before, sums_of_weights(net.module_)
    if len(sums) and (sums - sums_before).abs().max() <= _LEAST_MOVE * norm:
        warn_user(
            f"The training of {type(net).__name__} has hardly moved its weights: a learning rate of {net.lr:.3g} is too small "
            "for them. Raise lr."
        )
        return
    loss, guessing = net.history[-1]["train_loss"], math.log(len(net.classes_))
    if getattr(net.criterion_, "reduction", "mean") == "mean" and loss > _MOST_LOSS * guessing:
        warn_user(
            f"The training of {type(net).__name__} ended with a loss of {loss:.3g}, and guessing has {guessing:.3g}. Lower lr "
            f"(now {net.lr:.3g}), and look for extreme values in X."
        )
