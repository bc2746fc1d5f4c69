"""Networks that whiten their input see some images before they are trained."""

import torch

from skprune._utils._ranks import active_ranks

_MOST_ROWS = 512


def whiten(module, pool, on_device):
    """Show some rows to a network that whitens; processes that train together take the weights of the main one."""
    if not callable(getattr(module, "whiten", None)):
        return
    images = on_device(pool[:: -(-len(pool) // _MOST_ROWS)])
    module.whiten(images.finish(images.raw(slice(None))))
    ranks = active_ranks()
    with torch.no_grad():
        for weight in module.parameters() if ranks.n > 1 else ():
            ranks.total(weight.mul_(float(ranks.is_main)))
