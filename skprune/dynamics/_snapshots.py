"""Dynamics of a semi-supervised run: the weights of each epoch, evaluated once the labels are known."""

from copy import deepcopy

import numpy as np
from skorch.callbacks import Callback

from skprune.dynamics._builder import DynamicsBuilder
from skprune.dynamics._training_dynamics import TrainingDynamics


class Snapshots(Callback):
    """Keep a copy of the network's weights at each epoch that is recorded."""

    def __init__(self, every=1):
        self.every = every

    def on_train_begin(self, net, **kwargs):
        """Forget earlier weights."""
        self.states_ = []

    def state_dict(self):
        """Return the weights that are kept so far."""
        return {"states": self.states_}

    def load_state_dict(self, state):
        """Take over weights of epochs before."""
        self.states_ = state["states"]

    def on_epoch_end(self, net, **kwargs):
        """Keep the weights."""
        if len(net.history) % self.every == 0:
            self.states_.append({name: tensor.cpu().clone() for name, tensor in net.module_.state_dict().items()})


def replay(net, states, X, y, *, kl):
    """Evaluate a net's earlier weights on all rows."""
    final = deepcopy(net.module_.state_dict())
    builder = DynamicsBuilder(len(y), len(states), kl=kl)
    data = net.get_dataset(X)
    try:
        for number, state in enumerate(states, start=1):
            net.module_.load_state_dict(state)
            builder.start_epoch()
            start = 0
            for batch in net.get_iterator(data, training=False):
                outputs = net.evaluation_step(batch).cpu().numpy()
                rows = np.arange(start, start + len(outputs))
                builder.add(rows, outputs, y[rows], logits=True, last=number == len(states))
                start += len(outputs)
    finally:
        net.module_.load_state_dict(final)
    return TrainingDynamics._from_arrays(builder.arrays())
