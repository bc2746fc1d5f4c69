"""Training that goes on where a run that was killed has stopped, bit for bit on one thread.

Whatever has a state has ``state_dict`` and ``load_state_dict``, as torch's modules and optimizers have. Batches are drawn again
from their seed, without the rows, up to the step at which the state was kept.
"""

import torch

from skprune.nets._running import take_running

_DECIDED_STEPS = 25
"""After how many steps processes that train together decide whether to keep their state."""


class Resumable:
    """An object whose attributes are its state: tensors, which keep their place, and numbers."""

    def state_dict(self):
        """Return the state."""
        return {name: value for name, value in vars(self).items() if isinstance(value, (torch.Tensor, int, float))}

    def load_state_dict(self, state):
        """Take over a state."""
        for name, value in state.items():
            if isinstance(value, torch.Tensor):
                getattr(self, name).copy_(value)
            else:
                setattr(self, name, value)


class ResumableTraining:
    """Mixin for nets: keep the whole state of a training, and take it up again."""

    _running = _resumed = None

    def _take_running(self):
        """Find out where this training is kept, and what a run before has left of it."""
        self._running = take_running()
        self._resumed = None
        if self._running is None:
            return
        if not all(hasattr(callback, "load_state_dict") for _, callback in self.callbacks_):
            self._running = None
            return
        self._resumed = self._running.read(self.seed_)

    def _forget_running(self):
        vars(self).pop("_running", None)
        vars(self).pop("_resumed", None)

    def _epochs_to_train(self):
        return self.max_epochs - (0 if self._resumed is None else self._resumed["epochs"])

    def _resume(self, batches):
        """Take over the state that a run before has left."""
        state = self._resumed
        if state is None:
            return
        self._continue_history(state["history"])
        for name, part in self._stateful().items():
            part.load_state_dict(state["parts"][name])
        _as_the_weights(self.optimizer_)
        batches.resume(state["batches"], state["epochs"], state["steps"])
        if self.ranks_.rank < len(state["generators"]):  # a process that was not there before has none
            generators = state["generators"][self.ranks_.rank]
            torch.set_rng_state(generators["cpu"])
            if self.device_.type == "cuda":
                torch.cuda.set_rng_state(generators["cuda"], self.device_)

    def _resume_epoch(self, watch):
        """Let an epoch begin with the losses of the steps that are done."""
        state, self._resumed = self._resumed, None
        if state is not None:
            watch.load_state_dict(state["watch"], self.device_)

    def _keep(self, batches, watch, now=False):
        """Keep the state after a step, if it is time to or has to be done now."""
        n_steps = len(watch.losses)
        if self._running is None or not (now or self._is_due(n_steps, n_steps == len(batches))):
            return
        *done, _ = self.history
        state = {
            "seed": self.seed_,
            "epochs": len(done),
            "steps": n_steps,
            "history": [{key: value for key, value in row.items() if key != "batches"} for row in done],
            "watch": watch.state_dict(),
            "batches": batches.state_dict(),
            "generators": self._generators(),
            "parts": {name: part.state_dict() for name, part in self._stateful().items()},
        }
        self._running.write(state)

    def _is_due(self, n_steps, ends_epoch):
        """Tell whether it is time to keep the state, after so many steps of the epoch."""
        if self.ranks_.n == 1 or not self._running.every:
            return self._running.is_due()
        decides = n_steps % _DECIDED_STEPS == 0 or ends_epoch  # asking at each step would let each wait for the device
        return decides and self.ranks_.all_say(self._running.is_due())[0]

    def _generators(self):
        """Return the states of the global generators in each process."""
        own = {"cpu": torch.get_rng_state()}
        if self.device_.type == "cuda":
            own["cuda"] = torch.cuda.get_rng_state(self.device_)
        ranks = self.ranks_
        states = {name: ranks.whole([state[None].to(self.device_)], [ranks.n]).cpu() for name, state in own.items()}
        return [{name: rows[rank] for name, rows in states.items()} for rank in range(ranks.n)]

    def _stateful(self):
        """Return what has a state, by name."""
        parts = {"module": self.module_, "criterion": self.criterion_, "optimizer": self.optimizer_}
        return parts | {f"callback {name}": callback for name, callback in self.callbacks_}


def _as_the_weights(optimizer):
    """Lay the moments out in memory as the weights are, where a file has them in the usual order."""
    for weight, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, torch.Tensor) and value.shape == weight.shape and value.stride() != weight.stride():
                state[name] = torch.empty_like(weight, dtype=value.dtype, requires_grad=False).copy_(value)
