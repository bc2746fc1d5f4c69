"""Stages whose net diverges: trained once more, with a tenth of the learning rate, where the user says so."""

from sklearn.base import clone

from skprune._utils._adapters import is_net, last_step
from skprune._utils._warnings import warn_user

ON_DIVERGENCE = ("raise", "retry")


class Retried:
    """A stage that is run once more if its net diverges; the result says with which learning rate."""

    def __init__(self, stage):
        self.stage, self.__name__ = stage, stage.__name__

    def __call__(self, model, **options):
        """Run the stage."""
        try:
            return self.stage(model, **options)
        except FloatingPointError as error:
            net = last_step(model)
            if not is_net(net):
                raise
            lr = net.lr / 10
            warn_user(f"{error} It is trained once more, with lr={lr:.3g}.")
            return self.stage(with_rate(model, lr), **options) | {"lr": lr}


def with_rate(model, lr):
    """Return an unfitted copy of a net, or of a Pipeline that ends in one, with another learning rate; None leaves it."""
    if lr is None:
        return model
    slower = clone(model)
    last_step(slower).set_params(lr=lr)
    return slower


def refuse_retried(result, model):
    """Refuse a result that was kept after a net had diverged."""
    if "lr" in result:
        raise FloatingPointError(
            f"The training of {type(last_step(model)).__name__} diverged in the run that is kept, which went on with "
            f"lr={result['lr']:.3g}. Lower lr, or take that result: on_divergence='retry'."
        )
